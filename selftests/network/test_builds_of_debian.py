# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMUs of Debian's suites: unpacked for real once, run, listed and removed; and what ends or prevents that."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from avocado_migdowntime.builds.suite_qemu import find

from ..support.avocado_command import command
from ..support.documented import SHORT, write_settings
from ..support.documents import BUILDS
from ..support.kept_builds import left, run, unpacked
from ..support.waiting import HANGS_S, until

pytestmark = pytest.mark.usefixtures("nothing_left", "own_cache")


@pytest.fixture
def apt_settings(tmp_path, monkeypatch):
    """Settings for apt beside the host's."""

    def use(text):
        (tmp_path / "apt.conf").write_text(text)
        monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))

    return use


@pytest.mark.alone
@pytest.mark.qemu
def test_the_commands_of_the_readme_in_their_order(tmp_path):
    """A QEMU of another release than the host's is downloaded, judged, listed and removed."""
    environment = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}

    def do(line):
        done = subprocess.run(line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    write_settings(tmp_path, SHORT)
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
    done = subprocess.run(words, input="info roms\nquit\n", capture_output=True, text=True, timeout=HANGS_S)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("remove", "bookworm"), "there is no unpacked QEMU of suite bookworm; unpacked are: trixie"),
        (("remove", "../qemu"), "'../qemu' is not the name of a Debian suite; give one such as bookworm"),
        (("add", "/etc"), "'/etc' is not the name of a Debian suite; give one such as bookworm"),
        (("add", "nosuchsuite"), "Debian has no suite nosuchsuite in this host's package sources; suites with a QEMU"),
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


def test_no_network_is_said_in_one_sentence(capsys, apt_settings):
    nowhere = 'Acquire::http::Proxy "http://127.0.0.1:9"; Acquire::https::Proxy "http://127.0.0.1:9";'
    apt_settings(f'{nowhere} Acquire::Retries "0";')
    assert run("add", "bookworm") == 125
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("migdowntime qemu: `apt-get update` failed: Failed to fetch ")
    assert said.endswith("see if this host's package sources can be reached, or give the path of your own QEMU")
    assert left() == ["qemu"]


def test_no_sources_are_said_in_one_sentence(capsys, apt_settings, tmp_path):
    apt_settings(f'Dir::Etc::sourcelist "{tmp_path}/none"; Dir::Etc::sourceparts "/dev/null";')
    assert run("add", "bookworm") == 125
    assert "this host's apt has no package source with a suite's QEMU" in capsys.readouterr().err
    assert left() == ["qemu"]


@pytest.mark.root
def test_too_little_room_is_said_before_anything_is_downloaded(capsys, tmp_path, monkeypatch):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=180m", "none", small], check=True)
    try:
        monkeypatch.setenv("XDG_CACHE_HOME", str(small))
        assert run("add", "bookworm") == 125
        said = capsys.readouterr().err.splitlines()
        assert said[-1].startswith("migdowntime qemu: the QEMU of bookworm takes ")
        assert said[-1].endswith(" MB are free; make room, or set XDG_CACHE_HOME to another directory")
        assert not any("downloading" in line for line in said)
        assert left() == ["qemu"]
    finally:
        subprocess.run(["umount", small], check=True)


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
    until(lambda: left() == files, "the removal of what was fetched", 0.1)
    assert find("bookworm") == before
    assert list((tmp_path / "temporary").iterdir()) == []
