# SPDX-License-Identifier: GPL-2.0-or-later
"""Are faults found in a QEMU that has them itself? `python -m bench.rebuilt SOURCE…` adds to docs/found.md.

`python -m bench.rebuilt_qemu` has built these QEMUs. Each run is one of `avocado migdowntime selftest`, but the fault
is in QEMU's code instead of its QMP messages. A cell of which the result is kept in bench/tried/rebuilt.jsonl is not
tried again.
"""

import shlex
import time
from itertools import product
from pathlib import Path

from avocado_migdowntime.experiments.selftest import run_fault
from avocado_migdowntime.faults.catalogue import NamedFault, named_fault
from avocado_migdowntime.host.one_at_a_time import alone_on_host
from bench import options
from bench.found import ASKED, PAGE, REBUILT, WAYS, page
from bench.rebuilt_qemu import BUILT
from bench.rows import add, rows, without_places
from tools.features import ARCHITECTURES

FIRMWARE = ("/usr/share/qemu", "/usr/share/seabios")
"""That of the installed QEMU."""


def main() -> int:
    """Try what was not tried yet, print each answer as it comes, and rewrite the page."""
    parser = options.parser("bench.rebuilt", __doc__)
    parser.add_argument("sources", metavar="SOURCE", nargs="+", type=Path, help="what bench.rebuilt_qemu has built")
    parser.add_argument(
        "--again", action="append", choices=ASKED, default=[], metavar="FAULT", help="try this fault again"
    )
    chosen = parser.parse_args()
    sources = [source.resolve() for source in chosen.sources]
    for source in sources:
        if not (source / BUILT / "build.ninja").exists():
            parser.error(f"{source} has no {BUILT}; build it by python -m bench.rebuilt_qemu {source}")
    for name, source, way, arch in product(ASKED, sources, WAYS, ARCHITECTURES):
        try_fault(named_fault(name), way, source, arch, name in chosen.again)
    return 0


def try_fault(fault: NamedFault, way: str, source: Path, arch: str, again: bool) -> None:
    """Run the QEMU with this fault if that was not done yet, and keep the result."""
    release = (source / "VERSION").read_text().strip()
    cell = {"fault": str(fault), "way": way, "release": release, "arch": arch}
    if not again and any(cell.items() <= row.items() for row in rows(REBUILT)):
        return
    binary = source / BUILT / f"qemu-system-{arch}"
    pairs = dict(pair.split("=", 1) for pair in (*WAYS[way], "accel=tcg", f"arch={arch}"))
    with alone_on_host(lambda _: None, 600):
        ran = run_fault(fault, str(binary), pairs, lambda _: None, write_launcher)
    add(REBUILT, {**cell, "found": ran.found, "came": without_places(ran.outcome)})
    PAGE.write_text(page())
    print(time.strftime("%H:%M:%S"), *cell.values(), ran.found, ran.outcome, flush=True)


def write_launcher(path: Path, fault: NamedFault, binary: str) -> None:
    """Write an executable that runs `binary` with the fault."""
    firmware = " ".join(f"-L {directory}" for directory in FIRMWARE)
    path.write_text(f'#!/bin/sh\nexport QEMU_FAULT={fault}\nexec {shlex.quote(binary)} {firmware} "$@"\n')
    path.chmod(0o755)


if __name__ == "__main__":
    options.run(main)
