#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`make demo`: judge one real QEMU, on hugepages where they can be had, else on the host's own pages.

Run by the Python that has the package installed, with the directory for the results.
"""

import os
import subprocess
import sys
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
    """The size of the pages that both QEMUs can be given; a line says why, where it is not the one that is wanted."""
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
        print(f"demo: on this host's own pages of {own}, as {error}", flush=True)
        return own


def main(results: Path) -> int:
    """Run the test and judge its trace; the status is that of the first of the two that failed."""
    options = ("--migdowntime-arch", WANTED["arch"], "--migdowntime-page-size", page_size())
    line = [AVOCADO, "run", "--job-results-dir", results, *options, "migdowntime:expected-downtime"]
    run = subprocess.run(line, check=False)
    traces = sorted((results / "latest" / "test-results").glob("*/data/trace.jsonl"))
    if not traces:
        print("demo: the test ended without a trace, see above why; then `make demo` again", file=sys.stderr)
        return run.returncode or 1
    print(flush=True)
    analysis = subprocess.run([AVOCADO, "migdowntime", "analyze", *traces], check=False)
    return run.returncode or analysis.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
