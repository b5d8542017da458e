# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMUs of Debian's suites: their launchers, where they are found, how they are listed, and what prevents them."""

import asyncio
import subprocess

import pytest

from avocado_migdowntime.builds import add as adding
from avocado_migdowntime.builds.launcher import Layout, launcher, layout
from avocado_migdowntime.builds.suite_qemu import SuiteQemu, binary_of, find, suite_qemus, write_manifest
from avocado_migdowntime.errors import HostRequirementError, UsageError
from avocado_migdowntime.host.resources import HostResources
from avocado_migdowntime.qemu.probe import find_binary

from ..support.kept_builds import left, run, unpacked

pytestmark = pytest.mark.usefixtures("nothing_left", "own_cache")
WHERE = Layout("lib/x/ld-linux-x.so.2", ("lib/x", "usr/lib/x"), ("usr/share/qemu",), "usr/lib/x/qemu")


def test_a_launcher_becomes_the_qemu_with_its_own_libraries_and_firmware(tmp_path):
    root = tmp_path / "a b" / "root"
    (root / "lib/x").mkdir(parents=True)
    loader = root / WHERE.loader
    loader.write_text('#!/bin/sh\necho "$$ $QEMU_MODULE_DIR"\nprintf "<%s>\\n" "$@"\n')
    loader.chmod(0o755)
    script = root.parent / "bin" / "qemu-system-ppc64"
    script.parent.mkdir()
    script.write_text(launcher(script.name, WHERE))
    script.chmod(0o755)
    process = subprocess.Popen([script, "-m", "1 G"], stdout=subprocess.PIPE, text=True)
    first, *words = process.communicate()[0].splitlines()
    assert first == f"{process.pid} {root}/usr/lib/x/qemu"
    libraries = f"<{root}/lib/x:{root}/usr/lib/x>"
    assert words[:3] == ["<--inhibit-cache>", "<--library-path>", libraries]
    assert words[3:] == [f"<{root}/usr/bin/qemu-system-ppc64>", "<-L>", f"<{root}/usr/share/qemu>", "<-m>", "<1 G>"]


def test_loader_and_libraries_are_found_where_they_lie(tmp_path):
    for place in ("lib/x-gnu", "usr/lib/x-gnu", "usr/share/qemu", "usr/lib/ipxe/qemu"):
        (tmp_path / place).mkdir(parents=True)
    with pytest.raises(HostRequirementError, match="^these packages contain no C library with its loader; "):
        layout(tmp_path)
    (tmp_path / "lib/x-gnu/libc.so.6").touch()
    (tmp_path / "lib/x-gnu/ld64.so.2").touch()
    assert layout(tmp_path) == Layout(
        "lib/x-gnu/ld64.so.2",
        ["lib/x-gnu", "usr/lib/x-gnu"],
        ["usr/share/qemu", "usr/lib/ipxe/qemu"],
        "usr/lib/x-gnu/qemu",
    )


def test_what_was_unpacked_is_found_by_its_suite_and_by_a_directory(tmp_path, monkeypatch):
    build = unpacked("bookworm", "ppc64", "x86_64")
    assert find("bookworm") == build and suite_qemus() == [build]
    assert find_binary("bookworm", "x86_64") == str(build.path / "bin" / "qemu-system-x86_64")
    assert find_binary(str(build.path), "ppc64") == str(build.path / "bin" / "qemu-system-ppc64")
    tree = tmp_path / "qemu"
    (tree / "build").mkdir(parents=True)
    (tree / "build" / "qemu-system-ppc64").touch(0o755)
    assert find_binary(str(tree), "ppc64") == find_binary(str(tree / "build"), "ppc64")
    assert find_binary(str(tree), "ppc64") == str(tree / "build" / "qemu-system-ppc64")
    assert binary_of("trixie", ["ppc64"]) is None
    monkeypatch.chdir(tree)
    assert find_binary(".", "ppc64") == str(tree / "build" / "qemu-system-ppc64")
    monkeypatch.chdir(tree / "build")
    (tree / "build" / "mine").touch(0o755)
    assert find_binary("mine", "ppc64") == str(tree / "build" / "mine")
    monkeypatch.chdir(tree.parent)
    with pytest.raises(UsageError, match=r"^the directory \. has no qemu-system-ppc64"):  # The host has one.
        find_binary(".", "ppc64")


def test_without_an_architecture_the_first_that_is_there_is_taken(tmp_path, monkeypatch):
    unpacked("bookworm", "x86_64", "ppc64")
    unpacked("trixie", "arm")
    assert find_binary("bookworm", "auto").endswith("bookworm/bin/qemu-system-ppc64")
    assert find_binary("trixie", "auto").endswith("trixie/bin/qemu-system-arm")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostRequirementError, match=r"^no qemu-system-\* is on the PATH; .* qemu-system-ppc .*"):
        find_binary(None, "auto")
    for below, arch in (("build", "arm"), ("bin", "x86_64"), ("", "s390x")):
        (tmp_path / below).mkdir(exist_ok=True)
        (tmp_path / below / f"qemu-system-{arch}").touch(0o755)
    assert find_binary(str(tmp_path), "auto") == str(tmp_path / "bin" / "qemu-system-x86_64")
    assert find_binary(None, "auto") == str(tmp_path / "qemu-system-s390x")
    with pytest.raises(UsageError, match="^no QEMU is named; "):
        find_binary("", "auto")


def test_what_was_not_unpacked_is_named_with_the_command_that_does_it(tmp_path):
    unpacked("bookworm", "ppc64")
    with pytest.raises(
        UsageError, match="was unpacked for ppc64; get it for arm with: .* qemu add bookworm --arch arm$"
    ):
        find_binary("bookworm", "arm")
    with pytest.raises(
        HostRequirementError, match="^the QEMU of Debian.s trixie is not here; .* add trixie --arch ppc64$"
    ):
        find_binary("trixie", "ppc64")
    with pytest.raises(UsageError, match="^trixi does not exist; .* qemu add trixi$"):
        find_binary("trixi", "ppc64")
    with pytest.raises(
        UsageError, match="^the directory .* has no qemu-system-ppc64, and none in bin or build below it"
    ):
        find_binary(str(tmp_path), "ppc64")


def test_listed_for_people_and_programs(capsys):
    assert run("list") == 0
    assert "get one with: avocado migdowntime qemu add bookworm" in capsys.readouterr().out
    build = unpacked("bookworm", "ppc64", "x86_64")
    assert run("list") == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["suite", "release", "architectures", "size", "path"]
    assert row.split() == ["bookworm", "7.2.22", "ppc64,", "x86_64", "12", "MB", str(build.path)]
    assert run("add", "bookworm", "--arch", "x86_64") == 0  # Nothing is looked for.
    assert capsys.readouterr() == (f"{head}\n{row}\n", "")
    (build.path / "build.json").write_text("{")
    assert run("list") == 125
    assert "fix it with: avocado migdowntime qemu remove bookworm" in capsys.readouterr().err
    assert run("remove", "bookworm") == 0
    assert left() == ["qemu"]


def test_of_two_adds_at_one_time_neither_takes_away_what_the_other_brought(monkeypatch):
    made = []

    async def make(suite, architectures, scratch, say):
        """As if unpacked; while the first is, another add ends."""
        made.append(tuple(architectures))
        if len(made) == 1:
            unpacked(suite, "arm")
        build = SuiteQemu(suite, "7.2.22", tuple(architectures), 1)
        (scratch / "build").mkdir()
        write_manifest(build, scratch / "build")
        return build

    monkeypatch.setattr(adding, "_make", make)
    with HostResources() as resources:
        asyncio.run(adding.add("bookworm", ["ppc64"], resources, lambda _: None))
    assert made == [("ppc64",), ("arm", "ppc64")]
    assert find("bookworm").architectures == ("arm", "ppc64")
    assert left() == ["qemu", "qemu/bookworm", "qemu/bookworm/build.json"]


def test_no_apt_is_said_in_one_sentence(capsys, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert run("add", "bookworm") == 125
    assert "this host has no apt-get, needed to get a suite's QEMU from Debian; give" in capsys.readouterr().err
    assert left() == ["qemu"]


def test_a_cache_that_cannot_be_written_is_said_in_one_sentence(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert run("add", "bookworm") == 125
    assert "a QEMU cannot be kept in " in capsys.readouterr().err
