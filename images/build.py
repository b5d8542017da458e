# SPDX-License-Identifier: GPL-2.0-or-later
"""Build the guest images: `python images/build.py [--check] [ARCH...]`.

The images are committed, so nobody needs a compiler to run a guest; `--check` proves that they come from
these sources: it rebuilds them elsewhere and compares bytes. Compiler and linker are clang and lld out of
the PyPI package `ziglang`: they serve every architecture and depend on nothing else that is installed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

ZIGLANG_VERSION = "0.17.1"
IMAGES = Path(__file__).resolve().parent
COMMON_FLAGS = (
    "-std=c11", "-Os", "-g0", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib", "-fno-pic",
    "-fno-sanitize=all", "-fno-stack-protector", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables",
    "-fno-ident", "-fomit-frame-pointer",
)  # fmt: skip
LINK_FLAGS = (
    "-static", "--no-dynamic-linker", "--strip-all", "--build-id=none", "-z", "max-page-size=4096",
)  # fmt: skip


class BuildError(Exception):
    """The images cannot be built, or differ from the committed ones; the message is for the user."""


@dataclass(frozen=True)
class Target:
    """How one architecture is compiled, from which folders, and the images linked from its objects, into the first."""

    folders: tuple[str, ...]
    compile_flags: tuple[str, ...]
    link_flags_by_image: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Where the images lie, and the linker script."""
        return self.folders[0]


def bare(architecture: str, *compile_flags: str, **link_flags_by_image: tuple[str, ...]) -> Target:
    """A machine without an operating system; `dirtier.elf` is linked without further flags unless they are given."""
    images = {name.replace("_", "."): flags for name, flags in link_flags_by_image.items()} or {"dirtier.elf": ()}
    return Target((architecture, "bare", "common"), compile_flags, images)


def linux(architecture: str, *compile_flags: str) -> Target:
    """A program for Linux."""
    return Target(("linux", "common"), compile_flags, {f"dirtier.{architecture}": ()})


TARGETS = {
    # Floating point and vector units are off where we are entered, so no register of theirs may be used.
    "ppc64": bare(
        "ppc64",
        "-target", "powerpc64-freestanding", "-mcpu=ppc64-altivec-hard_float",
        dirtier_bin=("--oformat=binary", "--defsym=base=0"),
        dirtier_elf=("--defsym=base=0x400000",),
    ),
    # The interrupt that ends a sleep uses the same stack: no red zone.
    "x86_64": bare(
        "x86_64", "-target", "x86_64-freestanding", "-mcpu=x86_64-x87-mmx-sse-sse2+soft_float", "-mno-red-zone"
    ),
    "aarch64": bare("aarch64", "-target", "aarch64-freestanding", "-mcpu=generic-neon-fp_armv8+strict_align"),
    "riscv64": bare("riscv64", "-target", "riscv64-freestanding", "-mcpu=generic_rv64+m+a+c", "-mcmodel=medany"),
    "s390x": bare("s390x", "-target", "s390x-freestanding", "-mcpu=z10+soft_float"),
    "arm": bare("arm", "-target", "arm-freestanding-eabi", "-mcpu=generic+v7a+soft_float+strict_align-neon-vfp2-vfp3"),
    "linux-x86_64": linux("x86_64", "-target", "x86_64-freestanding"),
    "linux-ppc64le": linux("ppc64le", "-target", "powerpc64le-freestanding", "-mcpu=ppc64le"),
}  # fmt: skip


def run_zig(arguments: Iterable[str], cwd: Path, cache: Path) -> str:
    """Run `python -m ziglang`; return its output, or raise BuildError with what the compiler said."""
    environment = {**os.environ, "ZIG_LOCAL_CACHE_DIR": str(cache), "ZIG_GLOBAL_CACHE_DIR": str(cache)}
    command = [sys.executable, "-m", "ziglang", *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr.strip()}")
    return done.stdout


def require_compiler(cache: Path) -> None:
    """Raise BuildError unless exactly the pinned compiler is there: another version makes other bytes."""
    try:
        seen = run_zig(["version"], IMAGES, cache).strip()
    except BuildError:
        seen = "missing"
    if seen != ZIGLANG_VERSION:
        raise BuildError(
            f"ziglang is {seen}, expected {ZIGLANG_VERSION} (another makes other bytes); "
            f"try: pip install ziglang=={ZIGLANG_VERSION}"
        )


def build(architecture: str, output: Path, cache: Path) -> None:
    """Build one architecture's images into the directory `output`."""
    target = TARGETS[architecture]
    sources = [
        path.relative_to(IMAGES)
        for folder in target.folders
        for path in sorted((IMAGES / folder).iterdir())
        if path.suffix in {".S", ".c"}
    ]
    compile_command = ["cc", *target.compile_flags, *COMMON_FLAGS, "-c"]
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        objects = [f"{scratch}/{number:02}-{source.stem}.o" for number, source in enumerate(sources)]
        for source, compiled in zip(sources, objects, strict=True):
            # A relative name, so that no directory of this machine gets into an object.
            run_zig([*compile_command, str(source), "-o", compiled], IMAGES, cache)
        for image, flags in target.link_flags_by_image.items():
            link_command = ["ld.lld", *LINK_FLAGS, *flags, "-T", f"{target.folder}/link.ld"]
            run_zig([*link_command, "-o", str(output / image), *objects], IMAGES, cache)
            (output / image).chmod(0o644)


def differing(architectures: Iterable[str], cache: Path) -> list[str]:
    """Rebuild elsewhere; return the committed images (as ARCH/NAME) that are missing or differ."""
    names = []
    with tempfile.TemporaryDirectory() as scratch:
        for architecture in architectures:
            fresh = Path(scratch, architecture)
            build(architecture, fresh, cache)
            for path in sorted(fresh.iterdir()):
                name = f"{TARGETS[architecture].folder}/{path.name}"
                committed = IMAGES / name
                if not committed.is_file() or committed.read_bytes() != path.read_bytes():
                    names.append(name)
    return names


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Build the guest images.")
    known = ", ".join(TARGETS)
    parser.add_argument("architectures", metavar="ARCH", nargs="*", help=f"of {known} (default: all)")
    parser.add_argument("--check", action="store_true", help="rebuild elsewhere and compare the bytes")
    options = parser.parse_args(arguments)
    architectures = options.architectures or list(TARGETS)
    if unknown := [name for name in architectures if name not in TARGETS]:
        parser.error(f"no architecture {', '.join(unknown)}, expected some of {known}")
    try:
        with tempfile.TemporaryDirectory() as cache:
            require_compiler(Path(cache))
            if not options.check:
                for architecture in architectures:
                    build(architecture, IMAGES / TARGETS[architecture].folder, Path(cache))
            elif names := differing(architectures, Path(cache)):
                raise BuildError(f"not what the sources build: {', '.join(names)}; try: images/build.py")
    except BuildError as error:
        print(f"images/build.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
