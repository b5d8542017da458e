# SPDX-License-Identifier: GPL-2.0-or-later
"""What a test leaves on another host, sent as messages and put among its results."""

import os
import tarfile

import pytest

from avocado_migdowntime.errors import HostRequirementError
from avocado_migdowntime.plugins import far_files
from avocado_migdowntime.plugins.far_files import require_room, with_files
from avocado_migdowntime.plugins.far_results import MigDowntimeFarResults
from avocado_migdowntime.plugins.runner import _on_this_host

STARTED, LOGGED = {"status": "started", "time": 7.0}, {"status": "running", "type": "log", "log": b"x", "time": 8.0}
ENDED = {"status": "finished", "result": "pass", "time": 9.0}


def told_by_a_test(directory, files):
    yield STARTED
    for name, data in files.items():
        path = directory / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    yield LOGGED
    yield ENDED


def delivered(messages, logdir):
    """Put the files where Avocado would: what it is given by a name is appended to it."""
    logdir.mkdir(exist_ok=True)
    # Avocado takes messages by their times.
    for message in sorted(messages, key=lambda message: message["time"]):
        if message.get("type") == "file":
            with (logdir / message["path"]).open("ab") as file:
                file.write(message["log"])
        elif message["status"] == "finished":
            MigDowntimeFarResults({}).end_test(None, {"logdir": str(logdir)})


def files_in(directory):
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_a_test_that_avocado_sees_sends_no_files(tmp_path):
    here = tmp_path / "results"
    here.mkdir()
    assert list(with_files(told_by_a_test(here, {"trace.jsonl": b"1"}), str(here))) == [STARTED, LOGGED, ENDED]
    assert files_in(here) == {"data/trace.jsonl": b"1"}


@pytest.mark.parametrize("piece_bytes", [1 << 20, 100])
def test_files_of_another_host_come_before_the_end_of_their_test_and_are_gone_there(tmp_path, monkeypatch, piece_bytes):
    monkeypatch.setattr(far_files, "PIECE_BYTES", piece_bytes)
    files = {"trace.jsonl": b"1" * 3000, "below/source.command": b"qemu"}
    there = tmp_path / "there" / "job" / "test-results" / "1"
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "of somebody else").write_bytes(b"")
    messages = list(with_files(told_by_a_test(there, files), str(there)))
    assert messages[:2] == [STARTED, LOGGED] and messages[-1] == ENDED
    assert (len(messages) > 5) == (piece_bytes == 100)
    assert list((tmp_path / "there").iterdir()) == [tmp_path / "there" / "of somebody else"]
    delivered(messages, tmp_path / "here")
    assert files_in(tmp_path / "here") == {f"data/{name}": data for name, data in files.items()}


def test_a_test_that_left_nothing_sends_nothing(tmp_path):
    assert list(with_files([STARTED, ENDED], str(tmp_path / "nowhere"))) == [STARTED, ENDED]
    assert list(with_files([STARTED, ENDED], None)) == [STARTED, ENDED]


@pytest.mark.parametrize("share", [0.01, 0.9])
def test_of_a_host_that_was_lost_while_it_sent_nothing_is_taken(tmp_path, caplog, share):
    files = {"a": b"first", "b": os.urandom(100_000)}
    first, second = (
        [*with_files(told_by_a_test(tmp_path / name, {**files, "a": name.encode()}), str(tmp_path / name))]
        for name in ("first", "second")
    )
    cut = {**first[2], "log": first[2]["log"][: round(share * len(first[2]["log"]))]}
    delivered([STARTED, LOGGED, cut, *second], tmp_path / "here")
    assert files_in(tmp_path / "here") == {"data/a": b"second", "data/b": files["b"]}
    assert "cannot be used" not in caplog.text
    delivered([STARTED, LOGGED, cut, ENDED], tmp_path / "there")
    assert files_in(tmp_path / "there") == {} and "what a host sent cannot be used: migdowntime-sent-" in caplog.text
    # Two that are whole: the later one.
    delivered(first[:-1], tmp_path / "twice")
    os.utime(tmp_path / "twice" / first[2]["path"], (1, 1))
    delivered(second, tmp_path / "twice")
    assert files_in(tmp_path / "twice")["data/a"] == b"second"


def test_an_archive_of_a_stranger_writes_nowhere_else(tmp_path):
    logdir = tmp_path / "job" / "1"
    logdir.mkdir(parents=True)
    with tarfile.open(logdir / "migdowntime-sent-1.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../out"))
    MigDowntimeFarResults({}).end_test(None, {"logdir": str(logdir)})
    assert files_in(tmp_path) == {}


def test_a_packaged_test_is_found_where_the_package_is_here(tmp_path):
    elsewhere = "/opt/elsewhere/avocado_migdowntime/tests/expected_downtime.py:ExpectedDowntime.test"
    found = _on_this_host(elsewhere)
    assert found != elsewhere and found.endswith("/tests/expected_downtime.py:ExpectedDowntime.test")
    assert _on_this_host(found) == found
    own = tmp_path / "expected_downtime.py"
    own.write_text("")
    assert _on_this_host(f"{own}:Mine.test") == f"{own}:Mine.test"
    assert _on_this_host("/no/such/mine.py:Mine.test") == "/no/such/mine.py:Mine.test"


def test_a_place_that_takes_no_files_is_named(tmp_path):
    require_room(str(tmp_path / "there"))
    assert [path.name for path in (tmp_path / "there" / "data").parent.rglob("*")] == ["data"]
    (tmp_path / "file").touch()
    with pytest.raises(HostRequirementError) as refused:
        require_room(str(tmp_path / "file"))
    needs = f"a test needs 8 MiB for its files in {tmp_path / 'file'} (Not a directory); make room there"
    assert str(refused.value) == needs
