# SPDX-License-Identifier: GPL-2.0-or-later
"""Files are written whole or not at all, keep their modes, and take the place of nothing that they were not to."""

import os
import resource
import stat
from pathlib import Path

import pytest

from avocado_migdowntime.basics.run_directory import RunDirectory
from avocado_migdowntime.basics.whole_file import for_this_user_alone, open_new, write, write_new
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.record.new_trace import NewTrace
from avocado_migdowntime.trace.file import TraceWriter

from ..support.limits import limited
from ..support.pages import run as report
from ..support.recorded import RECORDINGS

HEADER = {"qemu": {}, "migrate-parameters": {}}


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def full():
    """A disk that takes 10 bytes of a file and no more; not as a fixture, for pytest may be writing to a file, too."""
    return limited(resource.RLIMIT_FSIZE, 10)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(("mask", "new"), [(0o022, 0o644), (0o077, 0o600), (0, 0o666)])
def test_a_file_keeps_its_mode_and_a_new_one_has_that_of_any(tmp_path, umask, mask, new):
    umask(mask)
    path = tmp_path / "file"
    write(str(path), b"1")
    assert mode(path) == new
    for kept in (0o600, 0o640, 0o755):
        path.chmod(kept)
        write(str(path), b"2")
        assert (mode(path), path.read_bytes()) == (kept, b"2")
    path.chmod(0o4755)
    write(str(path), b"3")
    assert mode(path) == 0o755
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    with full(), pytest.raises(UsageError, match="cannot be written: File too large"):
        write(str(path), b"x" * 100)
    with full(), pytest.raises(OSError, match="File too large"):
        write_new(path, b"x" * 100)
    assert os.listdir(tmp_path) == []
    path.write_bytes(b"before")
    with full(), pytest.raises(UsageError, match="cannot be written: File too large"):
        write(str(path), b"x" * 100)
    assert path.read_bytes() == b"before" and os.listdir(tmp_path) == ["file"]


def test_links_of_ones_own_are_followed(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "one").symlink_to("far/two")
    (tmp_path / "far/two").symlink_to("file")
    write(str(tmp_path / "one"), b"1")
    assert (tmp_path / "far/file").read_bytes() == b"1" and (tmp_path / "one").is_symlink()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match="cannot be written: Too many levels of symbolic links"):
        write(str(tmp_path / "loop"), b"1")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a link of another user's")
def test_a_link_that_another_left_where_all_may_write_is_not(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (tmp_path / "precious").write_bytes(b"mine")
    (shared / "page.html").symlink_to(tmp_path / "precious")
    os.lchown(shared / "page.html", 65534, 65534)
    with pytest.raises(UsageError, match=r"cannot be written: it is a link that another user \(65534\)"):
        write(str(shared / "page.html"), b"1")
    assert (tmp_path / "precious").read_bytes() == b"mine"


@pytest.mark.parametrize("planted", ["file", "link", "dangling", "directory"])
def test_a_trace_takes_the_place_of_nothing_that_came_meanwhile(tmp_path, planted):
    precious, path = tmp_path / "precious", tmp_path / "trace.jsonl"
    new_trace = NewTrace(str(path))
    if planted != "dangling":
        precious.write_bytes(b"mine")
    if planted == "file":
        path.write_bytes(b"theirs")
    elif planted == "directory":
        path.mkdir()
    else:
        path.symlink_to(precious)
    with pytest.raises(UsageError, match="trace.jsonl: .*; give another --output"):
        new_trace.open(HEADER)
    new_trace.close()
    assert precious.exists() == (planted != "dangling") and os.path.lexists(path)
    assert planted != "file" or path.read_bytes() == b"theirs"
    assert not precious.exists() or precious.read_bytes() == b"mine"


def test_a_link_to_nowhere_is_there_already(tmp_path):
    (tmp_path / "trace.jsonl").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="exists already"):
        NewTrace(str(tmp_path / "trace.jsonl"))


def test_a_trace_goes_into_a_device_or_a_pipe_that_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device or address"):
        open_new(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    for path in (tmp_path / "pipe", Path("/dev/null")):
        new_trace = NewTrace(str(path))
        new_trace.open(HEADER)
        new_trace.close()
        assert path.exists()
    assert os.read(reader, 1000).startswith(b'{"qemu"')
    os.close(reader)


@pytest.mark.parametrize("kept", [0, 0o022, 0o077])
def test_a_trace_without_samples_goes_and_whatever_the_umask_it_is_ones_own(tmp_path, umask, kept):
    umask(kept)
    new_trace = NewTrace(str(tmp_path / "trace.jsonl"))
    assert isinstance(new_trace.open(HEADER), TraceWriter)
    assert mode(tmp_path / "trace.jsonl") == 0o600
    new_trace.close()
    assert os.listdir(tmp_path) == []


def test_what_a_block_makes_is_of_this_user_alone(tmp_path, umask):
    umask(0o002)
    with for_this_user_alone():
        (tmp_path / "within").touch()
        (tmp_path / "directory").mkdir()
    (tmp_path / "after").touch()
    assert [mode(tmp_path / name) for name in ("within", "directory", "after")] == [0o600, 0o700, 0o664]


def test_a_directory_of_a_run_is_ones_own(tmp_path, umask):
    umask(0)
    with RunDirectory(str(tmp_path / "a" / "b")) as given, RunDirectory(None) as temporary:
        assert mode(given.path) == mode(temporary.path) == 0o700


def test_a_report_does_not_take_the_place_of_what_it_is_of(tmp_path, capsys):
    trace = tmp_path / "trace.html"
    trace.write_bytes(next(iter(RECORDINGS.glob("*.jsonl.gz"))).read_bytes())
    (tmp_path / "same.html").hardlink_to(trace)
    before = trace.read_bytes()
    for output in (trace, tmp_path / "same.html"):
        assert report(str(trace), "--output", str(output)) == 2
        assert "is the input and would be overwritten; name another output file" in capsys.readouterr().err
    assert trace.read_bytes() == before
