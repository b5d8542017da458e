# SPDX-License-Identifier: GPL-2.0-or-later
"""Which known faults are found in which way to migrate: `python -m bench.found` writes docs/found.md.

Each cell is what `avocado migdowntime selftest` says of all these faults on one QEMU, migrating in one way. It is kept
in results/found, so that a run that was ended goes on where it was.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from avocado_migdowntime.experiments.selftest import FAULTS
from tools.features import ARCHITECTURES, Qemu, qemus, run

TOP = Path(__file__).parents[1]
PAGE = TOP / "docs" / "found.md"
KEPT = TOP / "results" / "found"
WAYS = {
    "TLS": ("link=tcp", "tls=psk"),
    "multifd": ("link=tcp", "capabilities=multifd", "region=80M", "max_bandwidth=160M"),
    "xbzrle": ("capabilities=xbzrle",),
}
"""Each as `-p` of `selftest` takes it; with multifd the guest dirties more, as 512 KiB may be in question."""
TRIED = [
    str(fault)
    for fault in FAULTS
    if fault.name not in ("missing", "late", "auto-converge-ignored", "throttle-step-ignored")
]
"""What the first two do to QMP has nothing to do with how the migration goes; the others need a way of their own."""
FIRST = ("none", "limit-ignored", "mbps-halved", "stale", "dirty-rate", "factor=0.98", "redirty", "live", "frozen")
HEAD = """# Which faults are found in which way to migrate

Made by `make found`: each QEMU was run with each of the known faults ([faulty.md](faulty.md)) while it migrated a TCG
guest over TLS, by multifd or by xbzrle, as `avocado migdowntime selftest -p …` does. {tried} of {all} runs were made,
and {found} came out as they should: a wrong QEMU is found, and called by its name where it has one, and the one without
a fault is accurate.

A cell says on how many of the QEMUs that were tried it came out so. What came of the others stands below: a verdict of
`inaccurate` counts among these where it is not called by its name.

| fault | {ways} |
| --- |{dashes}
"""


def main() -> int:
    """Try what was not yet, print each answer as it comes, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=600.0, help="end after so long (default: %(default)g)")
    parser.add_argument("--only", default="", metavar="PATTERN", help="only ways whose name has it")
    parser.add_argument("--again", action="append", default=[], metavar="FAULT", help="try this fault anew")
    chosen = parser.parse_args()
    until_s = time.monotonic() + 60 * chosen.minutes
    KEPT.mkdir(parents=True, exist_ok=True)
    builds = list(qemus())
    # Fault by fault, so that a run that ends early has tried some of them everywhere.
    for fault in sorted(TRIED, key=lambda fault: FIRST.index(fault) if fault in FIRST else len(FIRST)):
        for qemu in reversed(builds):
            for way in WAYS:
                for arch in ARCHITECTURES:
                    if re.search(chosen.only, way) and time.monotonic() < until_s:
                        try_fault(fault, way, qemu, arch, fault in chosen.again)
    PAGE.write_text(page([(qemu.release, arch) for qemu in builds for arch in ARCHITECTURES]))
    return 0


def try_fault(fault: str, way: str, qemu: Qemu, arch: str, again: bool) -> None:
    """Try it, if it was not yet."""
    answers = kept(way, qemu.release, arch)
    if fault in answers and not again:
        return
    words = [sys.executable, "-m", "avocado_migdowntime", "selftest", fault, "--json", "--quiet"]
    words += ["--arch", arch, *(word for pair in (*WAYS[way], "accel=tcg") for word in ("-p", pair))]
    done = run([*words, *(["--qemu", qemu.suite] if qemu.suite else [])])
    if not done.stdout.startswith("{"):
        raise SystemExit(f"{way}, {qemu.release} {arch}, {fault}: {done.stderr.strip()}")
    (answers[fault],) = json.loads(done.stdout)["tried"]
    place(way, qemu.release, arch).write_text(json.dumps(answers, indent=1))
    print(way, qemu.release, arch, fault, answers[fault]["found"], answers[fault]["came"], flush=True)


def place(way: str, release: str, arch: str) -> Path:
    """Where the answers are kept."""
    return KEPT / f"{re.sub('[^a-z]+', '-', way.lower())}-{release}-{arch}.json"


def kept(way: str, release: str, arch: str) -> dict[str, dict[str, Any]]:
    """The answers so far, by the fault."""
    where = place(way, release, arch)
    answers: dict[str, dict[str, Any]] = json.loads(where.read_text()) if where.exists() else {}
    return answers


def page(columns: Sequence[tuple[str, str]]) -> str:
    """The whole page, of the QEMUs by their release and architecture."""
    rows, missed, tried, found = [], [], 0, 0
    for fault in TRIED:
        cells = []
        for way in WAYS:
            answers = {f"{release} {arch}": kept(way, release, arch).get(fault) for release, arch in columns}
            came = {where: answer for where, answer in answers.items() if answer is not None}
            well = [where for where, answer in came.items() if answer["found"]]
            tried, found = tried + len(came), found + len(well)
            cells.append("not tried" if not came else f"{len(well)} of {len(came)}")
            missed += [
                f"- `{fault}`, {way}, {where}: {answer['came']}\n"
                for where, answer in came.items()
                if not answer["found"]
            ]
        rows.append(f"| `{fault}` | {' | '.join(cells)} |\n")
    head = HEAD.format(
        tried=tried,
        all=len(TRIED) * len(WAYS) * len(columns),
        found=found,
        ways=" | ".join(WAYS),
        dashes=" --- |" * len(WAYS),
    )
    of = f"\nThe QEMUs: {', '.join(f'{release} {arch}' for release, arch in columns)}.\n"
    return head + "".join(rows) + of + ("\n## Not as it should be\n\n" + "".join(missed) if missed else "")


if __name__ == "__main__":
    sys.exit(main())
