# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure what this package adds to a test that Avocado's own remote spawner runs: `python -m bench.added`, as root.

Both run on the same hosts, in turn: by Avocado's spawner a test of Avocado's that leaves a recording, or Avocado's
`noop`; and by this package's spawner a test of this package that leaves and judges the same recording. No test waits
for anything. Each job is compared to that of Avocado's right before it, because other load comes and goes. Avocado's
/bin/true cannot be used: its runner needs the results directory of the job on each host.
"""

import json
import os
import resource
import signal
import sysconfig
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median

from bench import options
from bench.cost import used_s
from selftests.support.avocado_command import write_tests
from selftests.support.many_hosts import Lab, give_recording, in_variants, lab

_PLAIN = """
from pathlib import Path
from avocado import Test

class Plain(Test):
    def test(self):
        recording = Path(__file__).with_name("trace.jsonl").read_bytes()
        Path(self.outputdir, "trace.jsonl").write_bytes(recording)
"""
_JUDGED = """
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.verdict.judge import judge

async def replay(parameters, directory, progress):
    trace = directory / "trace.jsonl"
    trace.write_bytes(Path(__file__).with_name("trace.jsonl").read_bytes())
    verdict = judge(read(str(trace)))
    (directory / "verdict.json").write_text(json.dumps(fields(verdict)))
    return verdict

class Judged(MigrationTest):
    def test(self):
        self.judge(replay)
"""
_OWN = {"recording": "plain.py", "nothing": "noop.json"}
"""The file with the test that Avocado's spawner runs."""


def main() -> None:
    """Print a line for each job, and what was added."""
    parser = options.parser("bench.added", __doc__)
    parser.add_argument("--tests", type=options.count, default=100, help="tests of a job (default: %(default)s)")
    parser.add_argument("--rounds", type=options.count, default=3, help="jobs of each kind (default: %(default)s)")
    parser.add_argument("--hosts", type=options.count, default=3, help="how many hosts (default: %(default)s)")
    parser.add_argument(
        "--own", choices=_OWN, default="recording", help="what Avocado's spawner runs (default: %(default)s)"
    )
    chosen = parser.parse_args()
    # Avocado's spawner does not find its helper where a virtual environment is not activated.
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    with tempfile.TemporaryDirectory() as directory, lab(chosen.hosts) as made:
        give_recording(made)
        made.give("plain.py", _PLAIN.encode())
        made.give("noop.json", json.dumps({"kind": "noop", "uri": "noop"}).encode())
        made.give("judged.py", write_tests(Path(directory), _JUDGED).read_bytes())
        plain, ours = [], []
        slots = [made.slot(name) for name in made.names]
        of_avocado = [_of_avocado(slot) for slot in slots]
        for _ in range(chosen.rounds):
            plain.append(_job(made, of_avocado, "remote", _OWN[chosen.own], chosen.tests))
            ours.append(_job(made, slots, "migdowntime-hosts", "judged.py", chosen.tests))
    for number, name in enumerate(("wall time", "processor of the job", "processor of the hosts")):
        own_ms = median(1000 * job[number] for job in plain)
        added_ms = [1000 * (job[number] - own[number]) for own, job in zip(plain, ours, strict=True)]
        spread = f"{median(added_ms):+.0f} ({min(added_ms):+.0f} to {max(added_ms):+.0f})"
        print(f"{name}, ms a test: {own_ms:.0f} of Avocado's own, {spread}")


def _of_avocado(slot: str) -> str:
    """The same slot with the fields that Avocado's spawner needs, and without those that only this package's takes."""
    fields = {name: value for name, value in json.loads(Path(slot).read_text()).items() if name != "python"}
    login = {"client": "ssh", "password": "", "prompt": r"[#$]\s*$", "preferred_authentication": "publickey"}
    path = Path(slot).with_suffix(".avocado")
    path.write_text(json.dumps({**fields, **login}))
    return str(path)


def _job(made: Lab, slots: list[str], spawner: str, file: str, tests: int) -> tuple[float, float, float]:
    """Seconds a test: of the clock, of the processor by the job, and by the hosts."""
    hosts_s, job_s, begun_s = _hosts_s(made), _ended_s(), time.monotonic()
    with made.start(slots, *in_variants(made, file, tests), "--spawner", spawner) as process:
        out, _ = process.communicate()
    with suppress(ProcessLookupError):  # Avocado's spawner may leave the shell of a host open.
        os.killpg(process.pid, signal.SIGKILL)
    took_s = time.monotonic() - begun_s, _ended_s() - job_s, _hosts_s(made) - hosts_s
    assert (process.returncode, [test["status"] for test in made.tests()]) == (0, ["PASS"] * tests), out
    wall_s, of_job_s, of_hosts_s = (one / tests for one in took_s)
    figures = (f"{1000 * one:.0f} ms" for one in (wall_s, of_job_s, of_hosts_s))
    print(f"{tests} tests by {spawner}:", *figures, flush=True)
    return wall_s, of_job_s, of_hosts_s


def _hosts_s(made: Lab) -> float:
    """The time of the processor of all that ran on the hosts: that of the living counts what they have waited for."""
    spaces, found_s = made.spaces(), 0.0
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # It may have just ended.
            if os.readlink(directory / "ns" / "pid") in spaces:
                found_s += used_s(int(directory.name))
    return found_s


def _ended_s() -> float:
    """The time of the processor of what this process has started and has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    options.run(main)
