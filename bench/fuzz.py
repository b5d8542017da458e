# SPDX-License-Identifier: GPL-2.0-or-later
"""Tries every reader of what others made on inputs that a coverage-guided fuzzer makes up, and prints how many.

Each reader has a process of its own. A finding is anything but an answer or one sentence, more than a second of the
processor for each MB, or more memory than ten times the input and 100 MB; it is printed with its input. What reached
new code is kept in results/fuzz, from where the next run goes on.
"""

import argparse
import hashlib
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).parents[1]
CORPORA = TOP / "results" / "fuzz"
LONGEST_BYTES = 1 << 14
_MB = 1_000_000
_CPU_S_A_MB = 1.0
_ANYHOW_KB, _FACTOR = 100_000, 10
_STUCK_S = 60
"""A reader that does not come back is ended after so long."""
_DONE = re.compile(r"^#(\d+)\s", re.MULTILINE)


class TooMuchError(Exception):
    """A reader took more than it may."""


def main() -> int:
    """Print the table; 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000, help="for each reader (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=0, help="for each reader at most (default: without a limit)")
    parser.add_argument("--match", default="", help="of the readers whose names match")
    parser.add_argument("--reader", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.reader:
        _fuzz(arguments.reader, arguments.runs, arguments.seconds)
        return 0
    from selftests.support.fuzzed import readers

    found = 0
    print("| reader | inputs | s | finding |\n| --- | --- | --- | --- |")
    for name in readers():
        if re.search(arguments.match, name):
            tried, took_s, finding = run(name, arguments.runs, arguments.seconds)
            print(f"| {name} | {tried} | {took_s:.0f} | {finding or 'none'} |", flush=True)
            found += bool(finding)
    return 1 if found else 0


def run(name: str, runs: int, seconds: int) -> tuple[int, float, str]:
    """How many inputs a reader was tried on, how long that took, and the last line of what went wrong, if it did."""
    began_s = time.monotonic()
    command = [sys.executable, "-m", "bench.fuzz", "--reader", name, f"--runs={runs}", f"--seconds={seconds}"]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, errors="replace", check=False)
    said = done.stderr + done.stdout
    tried = max(map(int, _DONE.findall(said)), default=0)
    if done.returncode == 0:
        return tried, time.monotonic() - began_s, ""
    print(said, file=sys.stderr)
    errors = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception|Interrupt)\b.*|^ERROR: .*", said, re.MULTILINE)
    kept = re.findall(r"Test unit written to (.*)", said)
    return tried, time.monotonic() - began_s, " ".join([*(errors or [f"status {done.returncode}"])[-1:], *kept])


def _fuzz(name: str, runs: int, seconds: int) -> None:
    """Never comes back: the fuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["avocado_migdowntime"]):
        from selftests.support.fuzzed import readers

    reader = readers()[name]
    corpus = CORPORA / re.sub(r"\W+", "-", name)
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in reader.seeds:
        (corpus / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    words = corpus.with_suffix(".words")
    words.write_text("".join(f'"{_quoted(word)}"\n' for word in reader.words))

    def one(data: bytes) -> None:
        memory_kb, cpu_s = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        reader(data)
        cpu_s = time.process_time() - cpu_s
        memory_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory_kb
        if cpu_s > _CPU_S_A_MB * max(1.0, len(data) / _MB):
            raise TooMuchError(f"{len(data)} bytes took {cpu_s:.1f} s")
        if memory_kb > _ANYHOW_KB + _FACTOR * len(data) / 1000:
            raise TooMuchError(f"{len(data)} bytes took {memory_kb / 1000:.0f} MB")

    options = [f"-runs={runs}", f"-max_len={LONGEST_BYTES}", f"-timeout={_STUCK_S}", f"-max_total_time={seconds}"]
    options += [f"-artifact_prefix={corpus}.", "-rss_limit_mb=4000", "-use_value_profile=0", "-print_final_stats=0"]
    options += [f"-dict={words}"] if reader.words else []
    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


def _quoted(word: bytes) -> str:
    return "".join(chr(byte) if chr(byte).isalnum() or byte == 0x20 else f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    sys.exit(main())
