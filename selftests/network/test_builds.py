# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMUs of Debian's suites: unpacked for real once, run, listed and removed; and what prevents each."""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from avocado_migdowntime.basics.cache import cache_directory
from avocado_migdowntime.builds import add as adding
from avocado_migdowntime.builds.launcher import Layout, launcher, layout
from avocado_migdowntime.builds.suite_qemu import SuiteQemu, binary_of, find, suite_qemus, write_manifest
from avocado_migdowntime.cli import qemu
from avocado_migdowntime.errors import HostRequirementError, UsageError
from avocado_migdowntime.host.keeper import Keeper
from avocado_migdowntime.qemu.probe import find_binary

from ..support.avocado_command import command
from ..support.documents import BUILDS

pytestmark = pytest.mark.usefixtures("nothing_left")
WHERE = Layout("lib/x/ld-linux-x.so.2", ("lib/x", "usr/lib/x"), ("usr/share/qemu",), "usr/lib/x/qemu")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def apt_settings(tmp_path, monkeypatch):
    """Settings for apt beside the host's."""

    def use(text):
        (tmp_path / "apt.conf").write_text(text)
        monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))

    return use


def run(*arguments):
    parser = argparse.ArgumentParser()
    qemu.configure(parser)
    return qemu.run(parser.parse_args(arguments))


def unpacked(suite, *architectures, release="7.2.22"):
    """A build as `add` leaves it, of which only the launchers are empty."""
    build = SuiteQemu(suite, release, architectures, 12_345_678)
    (build.path / "bin").mkdir(parents=True)
    for arch in architectures:
        build.binary(arch).touch(0o755)
    write_manifest(build, build.path)
    return build


def left():
    """What lies in the cache, also while some of it is being deleted."""
    found = [Path(top, name) for top, *within in os.walk(cache_directory()) for names in within for name in names]
    return sorted(str(path.relative_to(cache_directory())) for path in found)


def test_the_commands_of_the_readme_in_their_order(tmp_path):
    """A QEMU of another release than the host's is downloaded, judged, listed and removed."""
    environment = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}

    def do(line):
        done = subprocess.run(line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    add, judge, listing, remove = BUILDS
    first = do(add)
    assert "trixie-backports: downloading " in first.stderr
    home = tmp_path / ".cache" / "avocado_migdowntime"
    path = home / "qemu" / "trixie-backports"
    (row,) = json.loads(do(f"{listing} --json").stdout)
    assert (row["suite"], row["path"], row["architectures"]) == ("trixie-backports", str(path), ["ppc64", "x86_64"])
    assert 50e6 < row["size_bytes"] < 1e9
    assert int(row["release"].split(".")[0]) >= 11
    again = do(add)  # Nothing is looked for, and so nothing said.
    assert (again.stdout, again.stderr) == (first.stdout, "")
    do(judge)
    (verdict,) = (tmp_path / "avocado" / "job-results" / "latest").glob("test-results/*/data/verdict.json")
    told = json.loads(verdict.read_text())
    assert told["verdict"] == "accurate" and f"QEMU {row['release']} ppc64" in told["subject"]
    bios = verdict.with_name("source.command").read_text()
    assert bios.startswith(str(path / "bin" / "qemu-system-ppc64"))
    opened = roms(row["binaries"]["x86_64"])
    assert "bios-256k.bin" in opened and "rror" not in opened
    assert not [file for file in path.glob("**/*") if file.is_file() and file.stat().st_mode & 0o6000]
    do(remove)
    assert do(listing).stdout.startswith("no QEMU was unpacked yet")
    assert [entry.name for entry in home.iterdir()] == ["qemu"] and list((home / "qemu").iterdir()) == []


def roms(binary):
    """What a machine without a guest loads, through a symbolic link to its launcher."""
    with_link = Path(os.environ["XDG_CACHE_HOME"]).parent / "linked"
    with_link.symlink_to(binary)
    words = [with_link, "-display", "none", "-S", "-monitor", "stdio"]
    done = subprocess.run(words, input="info roms\nquit\n", capture_output=True, text=True, timeout=30)
    return done.stdout + done.stderr


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
    with pytest.raises(HostRequirementError, match="^these packages hold no C library with its loader; "):
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
    assert binary_of("trixie", "ppc64") is None
    monkeypatch.chdir(tree)
    assert find_binary(".", "ppc64") == str(tree / "build" / "qemu-system-ppc64")
    monkeypatch.chdir(tree / "build")
    (tree / "build" / "mine").touch(0o755)
    assert find_binary("mine", "ppc64") == str(tree / "build" / "mine")
    monkeypatch.chdir(tree.parent)
    with pytest.raises(UsageError, match=r"^in the directory \. there is no qemu-system-ppc64"):  # The host has one.
        find_binary(".", "ppc64")


def test_what_was_not_unpacked_is_named_with_the_command_that_does_it(tmp_path):
    unpacked("bookworm", "ppc64")
    with pytest.raises(
        UsageError, match="was unpacked for ppc64; have it for arm by: .* qemu add bookworm --arch arm$"
    ):
        find_binary("bookworm", "arm")
    with pytest.raises(UsageError, match="^the QEMU binary trixie does not exist; .* qemu add trixie$"):
        find_binary("trixie", "ppc64")
    with pytest.raises(
        UsageError, match="^in the directory .* there is no qemu-system-ppc64, nor in bin or build below"
    ):
        find_binary(str(tmp_path), "ppc64")


def test_listed_for_people_and_programs(capsys):
    assert run("list") == 0
    assert "have one by: avocado migdowntime qemu add bookworm" in capsys.readouterr().out
    build = unpacked("bookworm", "ppc64", "x86_64")
    assert run("list") == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["suite", "release", "architectures", "size", "path"]
    assert row.split() == ["bookworm", "7.2.22", "ppc64,", "x86_64", "12", "MB", str(build.path)]
    assert run("add", "bookworm", "--arch", "x86_64") == 0  # Nothing is looked for.
    assert capsys.readouterr() == (f"{head}\n{row}\n", "")
    (build.path / "build.json").write_text("{")
    assert run("list") == 1
    assert "mend it by: avocado migdowntime qemu remove bookworm" in capsys.readouterr().err
    assert run("remove", "bookworm") == 0
    assert left() == ["qemu"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("remove", "bookworm"), "no QEMU of a suite bookworm was unpacked; there is trixie"),
        (("remove", "../qemu"), "'../qemu' is no name of a Debian suite; give one such as bookworm"),
        (("add", "/etc"), "'/etc' is no name of a Debian suite; give one such as bookworm"),
        (("add", "nosuchsuite"), "Debian has no suite nosuchsuite where this host has its packages from; with a QEMU"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(arguments, words, capsys):
    unpacked("trixie", "ppc64")
    before = left()
    assert run(*arguments) == 2
    *progress, last = capsys.readouterr().err.splitlines()
    assert last.startswith(f"migdowntime qemu: {words}")
    assert len(progress) <= 1
    assert left() == before


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
    with Keeper() as keeper:
        asyncio.run(adding.add("bookworm", ["ppc64"], keeper, lambda _: None))
    assert made == [("ppc64",), ("arm", "ppc64")]
    assert find("bookworm").architectures == ("arm", "ppc64")
    assert left() == ["qemu", "qemu/bookworm", "qemu/bookworm/build.json"]


def test_no_network_is_said_in_one_sentence(capsys, apt_settings):
    nowhere = 'Acquire::http::Proxy "http://127.0.0.1:9"; Acquire::https::Proxy "http://127.0.0.1:9";'
    apt_settings(f'{nowhere} Acquire::Retries "0";')
    assert run("add", "bookworm") == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("migdowntime qemu: `apt-get update` failed: Failed to fetch ")
    assert said.endswith("see if this host's package sources can be reached, or give the path of a QEMU of your own")
    assert left() == ["qemu"]


def test_no_sources_are_said_in_one_sentence(capsys, apt_settings, tmp_path):
    apt_settings(f'Dir::Etc::sourcelist "{tmp_path}/none"; Dir::Etc::sourceparts "/dev/null";')
    assert run("add", "bookworm") == 1
    assert "apt of this host has no source of packages that a suite's QEMU could" in capsys.readouterr().err
    assert left() == ["qemu"]


def test_no_apt_is_said_in_one_sentence(capsys, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert run("add", "bookworm") == 1
    assert "this host has no apt-get, by which a suite's QEMU is had from Debian; give" in capsys.readouterr().err
    assert left() == ["qemu"]


def test_too_little_room_is_said_before_anything_is_downloaded(capsys, tmp_path, monkeypatch):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=180m", "none", small], check=True)
    try:
        monkeypatch.setenv("XDG_CACHE_HOME", str(small))
        assert run("add", "bookworm") == 1
        said = capsys.readouterr().err.splitlines()
        assert said[-1].startswith("migdowntime qemu: the QEMU of bookworm takes ")
        assert said[-1].endswith(" MB are free; make room, or set XDG_CACHE_HOME to another directory")
        assert not any("downloading" in line for line in said)
        assert left() == ["qemu"]
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_cache_that_cannot_be_written_is_said_in_one_sentence(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert run("add", "bookworm") == 1
    assert "a QEMU cannot be kept in " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("during", "number", "status"),
    [
        ("looking for", signal.SIGKILL, -signal.SIGKILL),
        ("downloading", signal.SIGINT, 130),
        ("unpacking", signal.SIGKILL, -signal.SIGKILL),
    ],
    ids=["looking-killed", "downloading-Ctrl-C", "unpacking-killed"],
)
def test_an_add_that_is_ended_leaves_what_was_there_and_nothing_half_made(tmp_path, during, number, status):
    before = unpacked("bookworm", "ppc64")
    files = left()
    (tmp_path / "temporary").mkdir()
    line, environment = command(tmp_path, "migdowntime", "qemu", "add", "bookworm", "--arch", "x86_64")
    environment |= {"TMPDIR": str(tmp_path / "temporary")}
    process = subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while during not in process.stderr.readline():
        assert process.poll() is None
    time.sleep(0.5)
    process.send_signal(number)
    assert "Traceback" not in process.communicate()[1]
    assert process.returncode == status
    deadline = time.monotonic() + 20
    while left() != files and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left() == files and find("bookworm") == before
    assert list((tmp_path / "temporary").iterdir()) == []
