# SPDX-License-Identifier: GPL-2.0-or-later
"""Try every reader of foreign data on inputs from a coverage-guided fuzzer, and print how many were tried.

Most inputs are small, because many of them are tried in the time of a large one; shares of them may be longer, and each
reader has its own process for each share. A finding is anything but an answer or a one-sentence error, more than a
second of CPU time for each MB, or more memory than ten times the input plus 100 MB; it is printed with its input.
Inputs that reached new code are kept in results/fuzz, the number of inputs tried in bench/tried/fuzz.jsonl; the next
run continues from there.
"""

import argparse
import hashlib
import os
import re
import resource
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bench import options
from bench.rows import TRIED, add, rows

TOP = Path(__file__).parents[1]
CORPORA = TOP / "results" / "fuzz"
KEPT = TRIED / "fuzz.jsonl"
SHARES = ((1 << 8, 0.94, 0.6), (1 << 10, 0.05, 0.2), (1 << 14, 0.01, 0.2))
"""The maximal length of inputs, with the share that such inputs have of all, and of the seconds if limited."""
_MB = 1_000_000
_CPU_S_A_MB = 1.0
_ANYHOW_KB, _FACTOR = 100_000, 10
_AT_ONCE = 200_000
"""After so many inputs another process goes on: for each, atheris's hooks of comparisons keep up to 5 kB for good."""
_STUCK_S = 300
"""A reader that does not return is ended after this; on a busy host it may have had little CPU time until then."""


class TooMuchError(Exception):
    """A reader took more time or memory than allowed."""


def main() -> int:
    """Print the table; return 1 if something was found."""
    parser = options.parser("bench.fuzz", __doc__)
    parser.add_argument("--runs", type=options.count, default=1_000_000, help="for each reader (default: %(default)s)")
    parser.add_argument(
        "--seconds", type=options.whole, default=0, help="for each reader at most (default: without a limit)"
    )
    options.may_match(parser, "only readers whose name matches")
    parser.add_argument("--reader", help=argparse.SUPPRESS)
    parser.add_argument("--longest", type=options.count, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.reader:
        _fuzz(arguments.reader, arguments.longest, arguments.runs, arguments.seconds)
        return 0
    if find_spec("atheris") is None:
        parser.error("the package atheris is missing; use `make fuzz`, which installs it")
    from selftests.support.fuzzed import readers

    names = options.matching(parser, arguments.match, readers())
    found = 0
    print(f"| reader | inputs | {' | '.join(f'≤ {size} B' for size, *_ in SHARES)} | s | finding |")
    print(f"| --- | --- |{' --- |' * len(SHARES)} --- | --- |")
    for name in names:
        began_s, counts, findings = time.monotonic(), [], []
        for longest_bytes, of_runs, of_seconds in SHARES:
            limits = round(arguments.runs * of_runs), round(arguments.seconds * of_seconds)
            findings.append(run(name, longest_bytes, *limits))
            counts.append(tried(name, longest_bytes))
        counted = " | ".join(map(str, [sum(counts), *counts]))
        finding = " ".join(filter(None, findings))
        print(f"| {name} | {counted} | {time.monotonic() - began_s:.0f} | {finding or 'none'} |", flush=True)
        found += bool(finding)
    return 1 if found else 0


def tried(name: str, longest_bytes: int) -> int:
    """The number of inputs of at most that length that a reader was tried on, in all runs."""
    cell = {"reader": name, "longest_bytes": longest_bytes}
    return sum(row["inputs"] for row in rows(KEPT) if cell.items() <= row.items())


def keep_count(name: str, longest_bytes: int) -> None:
    """Store the count of the last run, which may have been ended together with this command."""
    path = _counted(name, longest_bytes)
    if path.exists():
        add(KEPT, {"reader": name, "longest_bytes": longest_bytes, "inputs": int(path.read_text())})
        path.unlink()


def run(name: str, longest_bytes: int, runs: int, seconds: int) -> str:
    """Try the rest of `runs` inputs, for at most `seconds` unless 0; return the last line of an error."""
    keep_count(name, longest_bytes)
    while (left := runs - (before := tried(name, longest_bytes))) > 0:
        error = _run(name, longest_bytes, min(left, _AT_ONCE), seconds)
        if error or seconds:
            return error
        if tried(name, longest_bytes) == before:
            return "no input was tried"
    return ""


def _run(name: str, longest_bytes: int, runs: int, seconds: int) -> str:
    command = [sys.executable, "-m", "bench.fuzz", "--reader", name, f"--longest={longest_bytes}"]
    command += [f"--runs={runs}", f"--seconds={seconds}"]
    environment = {**os.environ, "TMPDIR": "/dev/shm"}
    done = subprocess.run(
        command, cwd=TOP, env=environment, capture_output=True, text=True, errors="replace", check=False
    )
    keep_count(name, longest_bytes)
    if done.returncode == 0:
        return ""
    said = done.stderr + done.stdout
    print(said, file=sys.stderr)
    errors = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception|Interrupt)\b.*|^ERROR: .*", said, re.MULTILINE)
    kept = re.findall(r"Test unit written to (.*)", said)
    return " ".join([*(errors or [f"status {done.returncode}"])[-1:], *kept])


def _corpus(name: str) -> Path:
    return CORPORA / re.sub(r"\W+", "-", name)


def _counted(name: str, longest_bytes: int) -> Path:
    return _corpus(name).with_suffix(f".{longest_bytes}-tried")


def _fuzz(name: str, longest_bytes: int, runs: int, seconds: int) -> None:
    """Never returns: the fuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["avocado_migdowntime"]):
        from selftests.support.fuzzed import readers

    warnings.simplefilter("error")
    reader, corpus = readers()[name], _corpus(name)
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in reader.seeds:
        (corpus / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    words = corpus.with_suffix(".words")
    words.write_text("".join(f'"{_quoted(word)}"\n' for word in reader.words))
    again = len(list(corpus.iterdir()))
    """The stored corpus is read first, and not counted."""
    count = Count(_counted(name, longest_bytes), -again, runs)
    cover, covered = atheris._trace_branch, set[int]()
    atheris._trace_branch = covered.add
    """The instrumented code calls this some 6000 times for an input: a set is ten times as fast as atheris."""

    def one(data: bytes) -> None:
        covered.clear()
        memory_kb, cpu_s = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        reader(data)
        now_s = time.process_time()
        cpu_s = now_s - cpu_s
        memory_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory_kb
        if cpu_s > _CPU_S_A_MB * max(1.0, len(data) / _MB):
            raise TooMuchError(f"{len(data)} bytes took {cpu_s:.1f} s")
        if memory_kb > _ANYHOW_KB + _FACTOR * len(data) / 1000:
            raise TooMuchError(f"{len(data)} bytes took {memory_kb / 1000:.0f} MB")
        for branch in covered:
            cover(branch)
        count.another(now_s)

    # Fewer bytes than in the shortest example contain nothing complete.
    enough_bytes = max(longest_bytes, min(map(len, reader.seeds)))
    options = [f"-runs={runs + again}", f"-max_len={enough_bytes}", f"-timeout={_STUCK_S}"]
    options += [f"-max_total_time={seconds}", f"-artifact_prefix={corpus}.", "-rss_limit_mb=4000"]
    options += ["-use_value_profile=0", "-print_final_stats=0"]
    options += [f"-dict={words}"] if reader.words else []
    atheris.Setup(
        [sys.argv[0], *options, str(corpus)],
        one,
        custom_mutator=lambda data, longest, seed: reader.mutate(data, longest, seed, atheris.Mutate),
    )
    atheris.Fuzz()


@dataclass
class Count:
    """Counts inputs into a file, once per second of CPU time and when `enough` are reached."""

    path: Path
    tried: int
    enough: int
    written_s: float = 0.0

    def another(self, now_s: float) -> None:
        """Count one input."""
        self.tried += 1
        if self.tried > 0 and (now_s - self.written_s > 1 or self.tried >= self.enough):
            self.path.write_text(str(self.tried))
            self.written_s = now_s


def _quoted(word: bytes) -> str:
    return "".join(chr(byte) if chr(byte).isalnum() or byte == 0x20 else f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    options.run(main)
