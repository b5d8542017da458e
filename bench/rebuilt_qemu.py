# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds a QEMU that has the known faults itself: `python -m bench.rebuilt_qemu SOURCE`.

SOURCE is the unpacked source of QEMU 7.2, or of 10.0 to 10.2, from Debian (`apt-get source qemu`) or from QEMU. What is
built is SOURCE/build-with-faults: qemu-system-ppc64 and qemu-system-x86_64 with no more than the ways to migrate need.
It takes some 12 minutes on 2 CPUs, and the packages gcc, ninja-build, pkg-config, flex, bison, device-tree-compiler,
libglib2.0-dev, libfdt-dev, libgnutls28-dev, libpixman-1-dev, libseccomp-dev and libzstd-dev.
"""

import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

from bench import options

FAULTS = Path(__file__).with_name("rebuilt_faults.h")
BUILT = "build-with-faults"
TARGETS = ("ppc64-softmmu", "x86_64-softmmu")
BUILD_TOOLS = ("meson==1.5.0", "pycotap==1.3.1", "distlib", "setuptools", "wheel")
"""What QEMU 10 wants, which Debian leaves out of its source."""
OPTIONS = (
    *("--without-default-features", "--enable-tcg", "--enable-gnutls", "--enable-zstd", "--enable-fdt=system"),
    *("--enable-seccomp", "--disable-docs", "--disable-install-blobs"),
)


class Change(NamedTuple):
    """In `file`, each `was` becomes `becomes`."""

    file: str
    was: str
    becomes: str


COUNTED = "    update_iteration_initial_status(s);\n\n    trace_migrate_transferred("
"""The end of migration.c:migration_update_counters."""
BEGINS = {7: "#define MAX_THROTTLE ", 10: "static void migration_update_counters("}
"""What comes behind the includes of migration.c, and before the faults are used."""
MEANINGS = {
    7: ("ram_counters.remaining", "ram_counters.dirty_pages_rate", "ram_counters.dirty_sync_count"),
    10: tuple(
        f"stat64_get(&mig_stats.{name})" for name in ("dirty_bytes_last_sync", "dirty_pages_rate", "dirty_sync_count")
    ),
}
"""What is left at the last sync, the dirty rate and the number of syncs, as a major release spells them."""
CAP = "s->parameters.max_bandwidth"
CAP_USES = {
    7: ("migration/migration.c", f"{CAP} / XFER_LIMIT_RATIO"),
    10: ("migration/options.c", f"return {CAP};", f"migration_rate_set({CAP})"),
}
"""The file that uses max-bandwidth, and how."""


def main() -> int:
    """Change the source, and build it."""
    parser = options.parser("bench.rebuilt_qemu", __doc__)
    parser.add_argument("source", metavar="SOURCE", type=Path, help="the unpacked source of QEMU")
    source = parser.parse_args().source.resolve()
    if not (source / "VERSION").is_file():
        parser.error(f"{source} is no source of QEMU: it has no file VERSION")
    major = int((source / "VERSION").read_text().partition(".")[0])
    if major not in MEANINGS:
        parser.error(f"{source} is QEMU {major}; the faults are written for {' and '.join(map(str, MEANINGS))}")
    for change in changes(major):
        make(source, change)
    (source / "migration" / FAULTS.name).write_text(FAULTS.read_text())
    build(source, major)
    return 0


def changes(major: int) -> list[Change]:
    """All that is changed in the source of that major release."""
    names = zip(("AT_SYNC_BYTES", "DIRTY_PAGES_PER_S", "SYNCS"), MEANINGS[major], strict=True)
    defined = "".join(f"#define {name} {meaning}\n" for name, meaning in names)
    include = f'#include "{FAULTS.name}"\n'
    begin, (cap_file, *cap_uses) = BEGINS[major], CAP_USES[major]
    every = [
        Change("migration/migration.c", begin, f"{defined}{include}{begin}"),
        Change("migration/migration.c", COUNTED, f"    misreport(s, transferred, bandwidth);\n{COUNTED}"),
        *(Change(cap_file, use, use.replace(CAP, f"kept_max_bandwidth({CAP})")) for use in cap_uses),
        # Debian's source lacks the firmware; that of the installed QEMU is used.
        Change("pc-bios/meson.build", "if unpack_edk2_blobs\n", "if false\n"),
    ]
    if cap_file != "migration/migration.c":
        first = '#include "qemu/osdep.h"\n'
        every.append(Change(cap_file, first, first + include))
    return every


def make(source: Path, change: Change) -> None:
    """Make the change, unless an earlier run made it."""
    path = source / change.file
    text = path.read_text()
    if change.becomes not in text:
        if change.was not in text:
            raise SystemExit(f"{path} has no {change.was!r}; give the source of QEMU 7.2 or 10")
        path.write_text(text.replace(change.was, change.becomes))


def build(source: Path, major: int) -> None:
    """Configure and build; an earlier build is continued."""
    built, python = source / BUILT, source / "build-tools" / "bin" / "python"
    if not (built / "build.ninja").exists():
        venv.create(python.parents[1], with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *BUILD_TOOLS], check=True)
        built.mkdir(exist_ok=True)
        tool = f"--meson={python.with_name('meson')}" if major < 8 else f"--python={python}"
        asked = [tool, f"--target-list={','.join(TARGETS)}", *OPTIONS]
        subprocess.run(["../configure", *asked], cwd=built, check=True, stdout=sys.stderr)
    programs = [f"qemu-system-{target.partition('-')[0]}" for target in TARGETS]
    subprocess.run(["ninja", *programs], cwd=built, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    options.run(main)
