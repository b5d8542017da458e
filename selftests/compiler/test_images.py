# SPDX-License-Identifier: GPL-2.0-or-later
"""The committed guest images come from the committed sources, byte for byte."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

IMAGES = Path(__file__).resolve().parents[2] / "images"
COMMITTED = (
    "ppc64/dirtier.bin",
    "ppc64/dirtier.elf",
    "x86_64/dirtier.elf",
    "aarch64/dirtier.elf",
    "riscv64/dirtier.elf",
    "s390x/dirtier.elf",
    "arm/dirtier.elf",
    "linux/dirtier.x86_64",
    "linux/dirtier.ppc64le",
)
MAX_BYTES = 32 * 1024


def build(script: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a build script with this interpreter; without the compiler it fails and says what to install."""
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def copy_sources(to: Path) -> Path:
    """Copy images/ to another place without anything built; return the copy's build script."""
    shutil.copytree(
        IMAGES,
        to,
        ignore=shutil.ignore_patterns("dirtier.bin", "dirtier.elf", "dirtier.x86_64", "dirtier.ppc64le", "__pycache__"),
    )
    return to / "build.py"


def test_check_finds_nothing_in_committed_images() -> None:
    done = build(IMAGES / "build.py", "--check", "x86_64")
    assert (done.returncode, done.stderr) == (0, "")


def test_build_elsewhere_as_somebody_else_makes_the_committed_bytes(tmp_path: Path) -> None:
    script = copy_sources(tmp_path / "another place" / "images")
    done = build(script, HOME=str(tmp_path), USER="somebody", LANG="C", TZ="Asia/Tokyo")
    assert done.returncode == 0, done.stderr
    for name in COMMITTED:
        assert (script.parent / name).read_bytes() == (IMAGES / name).read_bytes(), name
    left = {path.name for path in script.parent.rglob("*") if path.is_file()}
    assert left == {path.name for path in IMAGES.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_check_names_each_image_that_differs(tmp_path: Path) -> None:
    script = copy_sources(tmp_path / "images")
    (script.parent / "x86_64/dirtier.elf").write_bytes(b"something else")
    done = build(script, "--check", "x86_64")
    assert done.returncode == 1
    assert done.stderr == ("images/build.py: not what the sources build: x86_64/dirtier.elf; try: images/build.py\n")


def test_another_compiler_version_is_refused_in_one_sentence(tmp_path: Path) -> None:
    script = copy_sources(tmp_path / "images")
    script.write_text(script.read_text().replace('ZIGLANG_VERSION = "', 'ZIGLANG_VERSION = "9.'))
    done = build(script, "--check")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "expected 9." in done.stderr
    assert "try: pip install ziglang==9." in done.stderr


def test_unknown_architecture_is_refused() -> None:
    done = build(IMAGES / "build.py", "pdp11")
    assert done.returncode == 2
    assert "no architecture pdp11, expected some of ppc64, x86_64, " in done.stderr


@pytest.mark.parametrize("name", COMMITTED)
def test_images_are_small_and_tell_nothing_of_where_they_were_built(name: str) -> None:
    image = (IMAGES / name).read_bytes()
    assert 1024 < len(image) < MAX_BYTES
    for trace in (b"/root", b"/home", b"/tmp", b"clang", b"zig", b"LLD"):
        assert trace not in image
