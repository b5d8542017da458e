# SPDX-License-Identifier: GPL-2.0-or-later
"""Tries every reader of what others made on inputs that a coverage-guided fuzzer makes up, and prints how many.

Most inputs are small, as many of them are tried in the time of a large one; shares of them may be longer, and each
reader has a process of its own for each share. A finding is anything but an answer or one sentence, more than a second
of the processor for XX"""

import argparse
import hashlib
import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.rows import TRIED, add, rows

TOP = Path(__file__).parents[1]
CORPORA = TOP / "results" / "fuzz"
KEPT = TRIED / "fuzz.jsonl"
SHARES = ((1 << 8, 0.94, 0.6), (1 << 10, 0.05, 0.2), (1 << 14, 0.01, 0.2))
"""How long inputs may be, with the share that such have of all, and of the seconds, where these have a limit."""
_MB = 1_000_000
_CPU_S_A_MB = 1.0
_ANYHOW_KB, _FACTOR = 100_000, 10
_STUCK_S = 300
"""A reader that does not come back is ended after so long; it may have had little of a busy processor until then."""


class TooMuchError(Exception):
    """A reader took more than it may."""


def main() -> int:
    """Print the table; 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000, help="for each reader (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=0, help="for each reader at most (default: without a limit)")
    parser.add_argument("--match", default="", help="of the readers whose names match")
    parser.add_argument("--reader", help=argparse.SUPPRESS)
    parser.add_argument("--longest", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.reader:
        _fuzz(arguments.reader, arguments.longest, arguments.runs, arguments.seconds)
        return 0
    from selftests.support.fuzzed import readers

    found = 0
    print(f"| reader | inputs | {' | '.join(f'≤ {size} B' for size, *_ in SHARES)} | s | finding |")
    print(f"| --- | --- |{' --- |' * len(SHARES)} --- | --- |")
    for name in readers():
        if re.search(arguments.match, name):
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
    """How many inputs of at most so many bytes a reader was tried on, in all runs."""
    cell = {"reader": name, "longest_bytes": longest_bytes}
    return sum(row["inputs"] for row in rows(KEPT) if cell.items() <= row.items())


def keep_count(name: str, longest_bytes: int) -> None:
    """Keep how many inputs the last run has counted, which may have been ended together with this command."""
    path = _counted(name, longest_bytes)
    if path.exists():
        add(KEPT, {"reader": name, "longest_bytes": longest_bytes, "inputs": int(path.read_text())})
        path.unlink()


def run(name: str, longest_bytes: int, runs: int, seconds: int) -> str:
    """Try what is left of so many inputs, for so many seconds at most unless 0: the last line of what went wrong."""
    keep_count(name, longest_bytes)
    left = runs - tried(name, longest_bytes)
    if left <= 0:
        return ""
    command = [sys.executable, "-m", "bench.fuzz", "--reader", name, f"--longest={longest_bytes}"]
    command += [f"--runs={left}", f"--seconds={seconds}"]
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
    """Never comes back: the fuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["avocado_migdowntime"]):
        from selftests.support.fuzzed import readers

    reader, corpus = readers()[name], _corpus(name)
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in reader.seeds:
        (corpus / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    words = corpus.with_suffix(".words")
    words.write_text("".join(f'"{_quoted(word)}"\n' for word in reader.words))
    again = len(list(corpus.iterdir()))
    """What is kept is read first, and is not counted."""
    count = Count(_counted(name, longest_bytes), -again, runs)

    def one(data: bytes) -> None:
        memory_kb, cpu_s = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        reader(data)
        now_s = time.process_time()
        cpu_s = now_s - cpu_s
        memory_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory_kb
        if cpu_s > _CPU_S_A_MB * max(1.0, len(data) / _MB):
            raise TooMuchError(f"{len(data)} bytes took {cpu_s:.1f} s")
        if memory_kb > _ANYHOW_KB + _FACTOR * len(data) / 1000:
            raise TooMuchError(f"{len(data)} bytes took {memory_kb / 1000:.0f} MB")
        count.another(now_s)

    # In fewer bytes than the shortest example has nothing is complete.
    enough_bytes = max(longest_bytes, min(map(len, reader.seeds)))
    options = [f"-runs={runs + again}", f"-max_len={enough_bytes}", f"-timeout={_STUCK_S}"]
    options += [f"-max_total_time={seconds}", f"-artifact_prefix={corpus}.", "-rss_limit_mb=4000"]
    options += ["-use_value_profile=0", "-print_final_stats=0"]
    options += [f"-dict={words}"] if reader.words else []
    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


@dataclass
class Count:
    """Counts inputs into a file, once a second of the processor and where `enough` are reached."""

    path: Path
    tried: int
    enough: int
    written_s: float = 0.0

    def another(self, now_s: float) -> None:
        """One was tried."""
        self.tried += 1
        if self.tried > 0 and (now_s - self.written_s > 1 or self.tried >= self.enough):
            self.path.write_text(str(self.tried))
            self.written_s = now_s


def _quoted(word: bytes) -> str:
    return "".join(chr(byte) if chr(byte).isalnum() or byte == 0x20 else f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    sys.exit(main())
