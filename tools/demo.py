#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`make demo`: judge one real QEMU, on hugepages if the host has enough, else on its base pages.

Run it with the Python that has the package installed; the argument is the directory for the results.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from avocado_migdowntime.basics.units import format_size
from avocado_migdowntime.errors import HostRequirementError
from avocado_migdowntime.host.hugepages import lease_hugepages
from avocado_migdowntime.host.resources import HostResources
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu.backing import plan

WANTED = {"arch": "ppc64", "page_size": "2M"}
AVOCADO = Path(sys.executable).with_name("avocado")


def page_size() -> str:
    """The page size of both guests' RAM; prints a line with the reason if it is not the wanted one."""
    wanted = parse(WANTED)
    pages = 2 * plan(wanted.backing, wanted.page_size, wanted.ram).hugepages_needed
    try:
        with (
            HostResources() as resources,
            lease_hugepages(resources, wanted.page_size, pages, allowed=wanted.reserve_hugepages),
        ):
            return WANTED["page_size"]
    except HostRequirementError as error:
        own = format_size(os.sysconf("SC_PAGE_SIZE"))
        print(f"demo: {str(error).partition(';')[0]}, so this run uses pages of {own}", flush=True)
        return own


def main(results: Path) -> int:
    """The exit status of the demo."""
    try:
        return run(results)
    except KeyboardInterrupt:
        print("demo: interrupted; `make demo` begins again", file=sys.stderr)
        return 130


def run(results: Path) -> int:
    """Run the test and judge its recording; the status is that of the first of the two that fails."""
    options = ("--migdowntime-arch", WANTED["arch"], "--migdowntime-page-size", page_size())
    line: list[str | Path] = [AVOCADO, "run", "--job-results-dir", results, *options, "migdowntime:expected-downtime"]
    tested = ended(line)
    traces = sorted((results / "latest" / "test-results").glob("*/data/trace.jsonl"))
    if not traces:
        print("demo: the test left no recording; its reason is above; then run `make demo` again", file=sys.stderr)
        return tested or 1
    print(flush=True)
    analyzed = ended([AVOCADO, "migdowntime", "analyze", *traces])
    return tested or analyzed


def ended(line: Sequence[str | Path]) -> int:
    """The exit status of this command. Ctrl-C reaches it as well, and it may clean up before it ends.

    Raises KeyboardInterrupt in that case. The handler is not inherited by the program, but an ignored signal would be.
    """
    signals: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: signals.append(number))
    try:
        status = subprocess.Popen(line).wait()
    finally:
        signal.signal(signal.SIGINT, before)
    if signals:
        raise KeyboardInterrupt
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
