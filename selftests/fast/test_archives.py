# SPDX-License-Identifier: GPL-2.0-or-later
"""Jobs in archives and in directories of several, as CIs leave them: one set; and archives of strangers."""

import argparse
import io
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from avocado_migdowntime.basics import archive
from avocado_migdowntime.basics.archive import unpacked
from avocado_migdowntime.cli import main as subcommands
from avocado_migdowntime.comparison import job_results
from avocado_migdowntime.comparison.job_results import builds_of, is_job, traces_of
from avocado_migdowntime.errors import UsageError

from ..support.recorded import WRONG

TRACE = "test-results/1-some/data/trace.jsonl.gz"


def packed(path, *members):
    """An archive of these: (name, bytes), or a TarInfo."""
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                name, data = member
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return str(path)


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def files_in(directory):
    return sorted(str(path.relative_to(directory)) for path in Path(directory).rglob("*") if path.is_file())


def test_of_an_archive_what_reports_need_is_there_until_the_block_is_left(tmp_path):
    names = ["job/results.json", f"job/{TRACE}", "job/job.log", "job/test-results/1-some/data/qmp.log"]
    place = packed(tmp_path / "jobs.tar.gz", *((name, name.encode()) for name in names))
    with unpacked([place, str(tmp_path), "-", place]) as directories:
        assert list(directories) == [place]
        directory = directories[place]
        assert files_in(directory) == names[:2]
        assert Path(directory, "job/results.json").read_text() == "job/results.json"
    assert not os.path.exists(directory)


def test_an_archive_and_a_directory_of_jobs_are_each_one_set_under_their_own_name(tmp_path):
    told = '{"tests": [{"id": "1-x", "name": "migdowntime:x", "status": "SKIP", "fail_reason": "", "whiteboard": ""}]}'
    members = [(f"./{job}/results.json", told.encode()) for job in ("ppc64", "x86_64")]
    trace = WRONG.read_bytes()
    members += [(f"ppc64/test-results/1-x/data/{WRONG.name}", trace), ("ppc64/test-results/1-x/data/x", b"")]
    old = packed(tmp_path / "old.tar.gz", *members)
    new = tmp_path / "new"
    for job in ("a/1", "a/2", "b"):
        (new / job).mkdir(parents=True)
        (new / job / "results.json").write_text(told)
    with unpacked([old, str(new)]) as directories:
        builds = builds_of([old, str(new)], directories)
        assert is_job(old, directories) and is_job(str(new), directories)
    assert [(runs[0].build, len(runs)) for runs in builds] == [(old, 2), (str(new), 3)]
    shutil.rmtree(new / "b")
    assert len(builds_of([str(new)])[0]) == 2
    with pytest.raises(UsageError, match="given twice"):
        builds_of([str(new), str(new / "a")])


def test_traces_are_found_in_each_of_its_jobs(tmp_path):
    names = [f"{job}/test-results/1-x/data/trace.jsonl" for job in ("one", "two")]
    place = packed(tmp_path / "jobs.tgz", *((name, b"{}") for name in names), ("one/results.json", b""))
    with unpacked([place]) as directories:
        found = [trace.split("/", 4)[-1] for trace in traces_of([place], directories)]
        assert [name.endswith("one/test-results/1-x/data/trace.jsonl") for name in found] == [True]


@pytest.mark.parametrize(
    ("member", "sentence"),
    [
        (("/etc/results.json", b""), "names '/etc/results.json', a path that leads out of it or is too long"),
        (("a/../../results.json", b""), "names 'a/../../results.json', a path that leads out"),
        (("../results.json", b""), "names '../results.json', a path that leads out"),
        (("/".join(17 * "a"), b""), "a path that leads out of it or is too long"),
        (("a/" + 300 * "x" + "/results.json", b""), "or is too long"),
        (special("../x", tarfile.SYMTYPE, "/etc"), "names '../x', a path"),
    ],
)
def test_a_path_that_leads_out_of_an_archive_is_refused(tmp_path, member, sentence):
    place = packed(tmp_path / "evil.tar.gz", ("results.json", b""), member)
    with pytest.raises(UsageError, match=sentence), unpacked([place]):
        pass
    assert files_in(tmp_path) == ["evil.tar.gz"]


def test_links_devices_and_pipes_are_not_made_and_nothing_is_written_through_them(tmp_path):
    away = tmp_path / "away"
    away.mkdir()
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE)
    links = [special(f"{number}/results.json", kind, "/etc/passwd") for number, kind in enumerate(kinds)]
    place = packed(
        tmp_path / "l.tar.gz", special("job", tarfile.SYMTYPE, str(away)), ("job/results.json", b"{}"), *links
    )
    with unpacked([place]) as directories:
        assert files_in(directories[place]) == ["job/results.json"]
        assert not any(path.is_symlink() for path in Path(directories[place]).rglob("*"))
    assert files_in(away) == []


def test_a_small_archive_cannot_become_a_large_one(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 1 << 30)
    sparse = special("1/results.json", tarfile.GNUTYPE_SPARSE)
    sparse.pax_headers = {"GNU.sparse.realsize": f"{1 << 40}"}
    with unpacked([packed(tmp_path / "sparse.tar.gz", sparse)]) as directories:
        assert files_in(next(iter(directories.values()))) == []
    monkeypatch.setattr(archive, "MOST_BYTES", 3 << 20)
    for name in ("results.json", "not-needed"):
        place = packed(tmp_path / "bomb.tar.gz", ("a/results.json", b""), (name, bytes(4 << 20)))
        with pytest.raises(UsageError, match="holds more than 0 GiB unpacked"), unpacked([place]):
            pass
    monkeypatch.setattr(archive, "MOST_FILES", 2)
    for names in (["1", "2", "3"], ["a/b/c/d/e/f/g/results.json", "1"]):
        place = packed(tmp_path / "many.tar.gz", *((name, b"") for name in names))
        with pytest.raises(UsageError, match="holds more than 2 files and directories"), unpacked([place]):
            pass


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", r"is not a complete archive \(.*\); make one with tar -czf$"),
        (b"\x1f\x8b\x08\x00", r"is not a complete archive \(.*\); make one with tar -czf$"),
        (b"no archive", r"is no \.tar\.gz, but perhaps a web page or a \.zip; give what tar -czf makes$"),
        (bytes(10_000), r"is no \.tar\.gz, but perhaps a web page or a \.zip; give what tar -czf makes$"),
    ],
)
def test_what_is_no_archive_is_refused_in_a_sentence(tmp_path, data, sentence):
    (tmp_path / "x.tar.gz").write_bytes(data)
    with pytest.raises(UsageError, match=rf"x\.tar\.gz {sentence}"), unpacked([str(tmp_path / "x.tar.gz")]):
        pass


def test_one_that_is_cut_off_or_missing_is_refused(tmp_path):
    place = Path(packed(tmp_path / "cut.tar.gz", ("results.json", os.urandom(100_000))))
    place.write_bytes(place.read_bytes()[:50_000])
    for name, sentence in (("cut.tar.gz", "is not a complete archive"), ("gone.tar.gz", "is not a file")):
        with pytest.raises(UsageError, match=sentence), unpacked([str(tmp_path / name)]):
            pass
    os.mkfifo(tmp_path / "pipe.tgz")
    with pytest.raises(UsageError, match="is not a file"), unpacked([str(tmp_path / "pipe.tgz")]):
        pass


def test_no_more_is_looked_through_than_would_hold_jobs(tmp_path, monkeypatch):
    monkeypatch.setattr(job_results, "_MOST_DIRECTORIES", 3)
    for number in range(3):
        with pytest.raises(UsageError, match="No such file"):
            builds_of([str(tmp_path)])
        (tmp_path / str(number)).mkdir()
    for results in (False, True):
        if results:
            (tmp_path / "0" / "results.json").touch()
        with pytest.raises(UsageError, match="holds more than 3 directories; give one that holds jobs alone"):
            builds_of([str(tmp_path)])


@pytest.mark.parametrize("place", ["a.tar.gz", "b.tar.gz"])
def test_what_is_wrong_in_an_archive_is_told_by_its_name(tmp_path, monkeypatch, capsys, place):
    """Not by the temporary directory, which nobody can look into."""
    monkeypatch.chdir(tmp_path)
    packed("a.tar.gz", ("job/results.json", b"{}"), ("job/test-results/1-some/data/trace.jsonl", b"no recording"))
    packed("b.tar.gz", ("job/results.json", b"x"), ("job/test-results/1-some/data/trace.jsonl", b"no recording"))
    for command, *options in (["compare"], ["report", "--output", "page.html"], ["score"]):
        parser = argparse.ArgumentParser()
        subcommands.add_to(parser)
        assert subcommands.run(parser.parse_args([command, place, *options])) == 2
        said = capsys.readouterr().err
        assert f"{command}: {place}/job/" in said and "migdowntime-archives" not in said
