# SPDX-License-Identifier: GPL-2.0-or-later
"""The reaper's journal: what it is like on file, what is read of earlier releases, what is left alone."""

import json
import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from avocado_migdowntime.host import journal as journal_module
from avocado_migdowntime.host import reaper as reaper_module
from avocado_migdowntime.host.journal import Journal, Orphans, decode, encode
from avocado_migdowntime.host.leases import DURABLE, DirectoryLease, HugepagesLease, MountLease
from avocado_migdowntime.host.reaper import Reaper
from avocado_migdowntime.host.records import MalformedRecordError, by_kind

RECORDED = Path(__file__).parents[1] / "recordings/journals"
LEASES = [
    DirectoryLease("/tmp/migdowntime-k3v0q1zb"),
    DirectoryLease("/tmp/migdowntime-x_8w2m5f"),
    MountLease("/tmp/migdowntime-x_8w2m5f"),
    HugepagesLease(2097152, 16),
]


class Hold:
    """A lease that the kernel ends with the reaper."""

    idempotent = True

    def release(self) -> None:
        raise AssertionError


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The directory of journals, below a /run that this process may write to."""
    monkeypatch.setattr(journal_module, "_DIRECTORY", tmp_path / "run" / "journals")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "run").mkdir()
    return tmp_path / "run" / "journals"


def end(reaper):
    """Have it end with nobody to tell."""
    with socket.socket(socket.AF_UNIX) as nobody:
        reaper.end(nobody)


@pytest.mark.parametrize("name", sorted(path.name for path in RECORDED.iterdir()))
def test_a_journal_of_each_format_is_read(name):
    assert decode((RECORDED / name).read_bytes()) == LEASES


def test_a_directory_that_somebody_cleared_meanwhile_is_no_fault(run):
    journal = Journal()
    journal.open()
    shutil.rmtree(run)
    journal.write([MountLease("/tmp/migdowntime-y")])
    journal.close()
    assert not run.exists()


def test_a_journal_is_written_by_kinds():
    assert encode([*LEASES, Hold()]) == (RECORDED / "by-kind.json").read_bytes()


def test_both_formats_are_of_all_kinds():
    kinds = [
        {each["kind"] for each in json.loads((RECORDED / f"by-{by}.json").read_text())} for by in ("kind", "class-name")
    ]
    assert kinds == [set(DURABLE), {"Directory", "Mount", "Hugepages"}]


def test_a_journal_outlives_the_name_of_a_class(monkeypatch):
    @dataclass(frozen=True)
    class Folder:
        kind: ClassVar[str] = DirectoryLease.kind
        path: str

    line = encode([LEASES[0]])
    monkeypatch.setattr(journal_module, "DURABLE", by_kind((Folder, MountLease, HugepagesLease)))
    assert decode(line) == [Folder(LEASES[0].path)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[{", "it is not JSON: "),
        (b"\xff\n", "it is not JSON: "),
        (b'{"kind": "mount"}', r"\{'kind': 'mount'\} is not a list"),
        (b'["mount"]', "'mount' is not an object"),
        (b'[{"kind": "moon", "phase": 3}]', "the kind 'moon' is unknown"),
        (b'[{"kind": "mount"}]', r"mount has the fields \['path'\], not \[\]"),
        (
            b'[{"kind": "Hugepages", "page_size_bytes": 4096, "added": "8"}]',
            "Hugepages.added is '8', expected int",
        ),
        (b'[{"kind": "mount", "path": "/a"}, {"kind": "moon"}]', "the kind 'moon' is unknown"),
    ],
)
def test_a_line_that_is_no_journal_says_why(line, reason):
    with pytest.raises(MalformedRecordError, match=f"^{reason}"):
        decode(line)


def test_what_a_kill_left_empty_holds_nothing():
    assert decode(b"") == []


def test_orphans_are_taken_over_and_their_files_go(run):
    run.mkdir()
    for path in RECORDED.iterdir():
        (run / path.name).write_bytes(path.read_bytes())
    journal = Journal()
    assert journal.open() == Orphans((*LEASES, *LEASES))
    (taken_over,) = run.iterdir()
    assert decode(taken_over.read_bytes()) == [*LEASES, *LEASES]
    journal.close()
    assert not run.exists()


def test_a_shorter_line_hides_the_longer_one_that_it_replaces(run):
    journal = Journal()
    journal.open()
    journal.write(LEASES)
    journal.write(LEASES[:1])
    (path,) = run.iterdir()
    assert decode(path.read_bytes().partition(b"\n")[0]) == LEASES[:1]
    journal.close()


def test_the_journal_of_a_living_reaper_is_its_own(run):
    first, second = Journal(), Journal()
    first.open()
    first.write(LEASES)
    assert second.open() == Orphans()
    second.close()
    first.close()
    assert not run.exists()


def test_what_cannot_be_read_stays_and_is_told_in_the_log(run, monkeypatch):
    log = []
    monkeypatch.setattr(reaper_module.syslog, "syslog", lambda level, sentence: log.append(sentence))
    (run / "folder").mkdir(parents=True)
    (run / "strange").write_text('[{"kind": "moon", "phase": 3}]\n')
    reaper = Reaper()
    reaper.start()
    assert sorted(log) == [
        f"avocado-migdowntime: the journal {run}/{name} cannot be read ({reason}), so what it names is not released; "
        "start the release that wrote it, or release it by hand and delete the file"
        for name, reason in (
            ("folder", f"[Errno 21] Is a directory: '{run}/folder'"),
            ("strange", "the kind 'moon' is unknown"),
        )
    ]
    end(reaper)
    assert sorted(os.listdir(run)) == ["folder", "strange"]


def test_a_reaper_releases_what_a_release_by_class_names_left(run, tmp_path):
    run.mkdir()
    left = tmp_path / "migdowntime-left"
    left.mkdir()
    (run / "tmpabc").write_text(json.dumps([{"kind": "Directory", "path": str(left)}]) + "\n")
    reaper = Reaper()
    reaper.start()
    assert not left.exists()
    end(reaper)
    assert not run.exists()


@pytest.mark.parametrize(
    ("lease", "stands"), [(HugepagesLease(2097152, 16), False), (DirectoryLease("/tmp/migdowntime-x"), True)]
)
def test_what_must_not_be_released_twice_is_forgotten_before_it_is_released(lease, stands, run, monkeypatch):
    """A reaper can be killed at any moment; so it is looked up here what the next one would find in mid-release."""
    journals = []

    def release(self):
        (path,) = run.iterdir()
        journals.append(decode(path.read_bytes().partition(b"\n")[0]))

    monkeypatch.setattr(type(lease), "release", release)
    run.mkdir()
    (run / "tmpabc").write_bytes(encode([MountLease("/tmp/migdowntime-y"), lease]))
    monkeypatch.setattr(MountLease, "release", lambda self: None)
    reaper = Reaper()
    reaper.start()
    assert journals == [[MountLease("/tmp/migdowntime-y"), *([lease] if stands else [])]]
    end(reaper)


def test_others_than_root_keep_no_journal(run, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    journal = Journal()
    assert journal.open() == Orphans()
    journal.write(LEASES)
    journal.close()
    assert not run.exists()
