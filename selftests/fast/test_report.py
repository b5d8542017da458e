# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime report`: a page or a picture, whole or not at all, whatever the traces hold."""

import re
import stat
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from avocado_migdowntime.cli import progress
from avocado_migdowntime.oracle import evidence
from avocado_migdowntime.report import entry
from avocado_migdowntime.report.entry import Recorded, summed_up
from avocado_migdowntime.report.html.figure import figure
from avocado_migdowntime.verdict import judge

from ..support.pages import EVIL, figures, opened_later, page_of, renamed, run
from ..support.recorded import ACCURATE, RECORDINGS, SNAPSHOT, STOPPED, WRONG
from ..support.waiting import HANGS_S

TOP = Path(__file__).parents[2]
KEPT = TOP / "docs/inaccurate.png"
GOES_ON, ENDED = "x86_64-kvm-qemu-7.2", "ppc64-tcg-qemu-7.2-stopped-in-mid-pass"


def pixels(path):
    """Those of a picture; what reads it takes long to import, and each process that runs tests imports this module."""
    from matplotlib.image import imread

    return imread(path, format="png")


def test_the_page_answers_in_a_sentence_and_in_a_table(tmp_path):
    page = page_of(tmp_path, WRONG, ACCURATE)
    assert (
        f'<p class="answer">2 tests: 1 right, 1 wrong. {WRONG}: QEMU said 980 ms, expected 5495.3 ms; '
        "expected-downtime is inaccurate: the report is -82.16% off last-sync; it matches dirty-rate"
    ) in page
    (row,) = re.findall(r"<tr>\s*<th scope=\"row\"><a href=\"#test-1\">.*?</tr>", page, re.DOTALL)
    cells = re.findall(r"<td[^>]*>(.*?)</td>", row)
    assert cells[0] == '<span class="status fail">FAIL</span>'
    assert cells[1:5] == ["980 ms", "5495.3 ms", "-82.16 %", "dirty-rate"]
    assert "270: first pass: all of RAM is sent, nothing is predicted" in page
    names = [{trace["meta"]["name"] for trace in one["data"]} for one in figures(page)]
    assert names[0] >= {"remaining now", "left at the dirty sync", "QEMU's expected-downtime", "last-sync, computed"}
    assert names[1] - names[0] >= {
        "effective downtime-limit",
        "58 dropped: what was left at the sync is known too roughly",
    }


def test_the_page_finds_passes_and_judges_them_once_for_each_trace(tmp_path, monkeypatch):
    calls = Counter()

    def count(module, name):
        once = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given: calls.update([name]) or once(*given))

    for module, name in ((entry, "read"), (evidence, "passes"), (evidence, "syncs"), (judge, "judged_passes")):
        count(module, name)
    page_of(tmp_path, WRONG, ACCURATE)
    assert calls == dict.fromkeys(("read", "passes", "syncs", "judged_passes"), 2)


def test_the_page_loads_nothing(tmp_path):
    page = page_of(tmp_path, ACCURATE)
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert set(re.findall(r'(?:src|href)="([^"]*)"', own)) == {"#test-1"}
    assert not re.search(r"url\(|@import", own)
    assert "default-src 'none'" in own and page.count('id="plotly"') == 1


def test_a_page_of_many_tests_packs_what_is_below_their_names(tmp_path, monkeypatch):
    whole = page_of(tmp_path, WRONG, SNAPSHOT, ACCURATE)
    monkeypatch.setattr("avocado_migdowntime.report.html.page.OPEN_TESTS", 2)
    page = page_of(tmp_path, WRONG, SNAPSHOT, ACCURATE)
    inside = opened_later(page)
    assert len(inside) == 3 and figures(page) == [] and "What the answer is based on" not in page
    # What is shown at first is the table; what is packed is to the letter what a page of fewer tests shows.
    assert page.count('<th scope="row"><a href="#test-') == 3
    assert [text in whole for text in inside] == [True] * 3
    assert [len(figures(text)) for text in inside] == [1, 0, 1]


def test_what_is_packed_is_no_markup_either(tmp_path, monkeypatch):
    monkeypatch.setattr("avocado_migdowntime.report.html.page.OPEN_TESTS", 0)
    (inside,) = opened_later(page_of(tmp_path, renamed(tmp_path, EVIL)))
    assert "<script>document" not in inside and "&lt;script&gt;document.title" in inside


def test_curves_are_as_they_were_up_to_single_precision(tmp_path):
    drawn = figure(entry.recorded(str(WRONG)).chart)
    (shown,) = figures(page_of(tmp_path, WRONG))
    assert len(shown["data"]) == len(drawn["data"]) > 5
    for one, was in zip(shown["data"], drawn["data"], strict=True):
        for name in ("x", "y", "customdata"):
            assert (name in one) == (name in was)
            np.testing.assert_array_equal(one.get(name, 0), np.float32(was.get(name, 0)))


def test_a_single_look_gets_a_row_and_no_picture(tmp_path):
    page = page_of(tmp_path, SNAPSHOT)
    assert "1475 ms" in page and figures(page) == []


def test_the_page_of_a_migration_that_goes_on_says_which_limit_ends_it(tmp_path):
    active, ended = (page_of(tmp_path, str(RECORDINGS / f"{name}.jsonl.gz")) for name in (GOES_ON, ENDED))
    assert '<tr><th scope="row">set</th><td>2097 ms downtime-limit</td></tr>' in active
    assert "the guest dirties memory as fast as QEMU sends it, 49.4 MB/s of pages" in active
    assert "Which downtime-limit ends it" not in ended


def test_the_command_lines_are_those_of_the_run(tmp_path):
    page = page_of(tmp_path, renamed(tmp_path, "sparc"))
    assert '<pre tabindex="0">qemu-system-x86_64 -append &#39;sparc&#39;</pre>' in page
    assert (
        "(source) migrate_set_capability sparc on" in page
        and "(source) migrate_set_parameter max-bandwidth 12000000B\n" in page
    )
    assert '<a href="#test-1">1-some</a>' in page


@pytest.mark.long
def test_a_trace_of_no_use_among_a_jobs_takes_nothing_from_the_others(tmp_path, capsys):
    job = renamed(tmp_path, "sparc")
    broken = job / "test-results" / "2-other" / "data" / "trace.jsonl"
    broken.parent.mkdir(parents=True)
    broken.write_text("{}")
    page = page_of(tmp_path, job)
    assert "2 tests: 1 wrong, 1 without a verdict. 1-some: QEMU said 980 ms" in page
    assert re.search(r'#test-2">2-other</a>.*?<td class="words">[^<]*matches no known text', page, re.DOTALL)
    assert run(job, "--output", tmp_path / "report.png") == 2
    assert f"{broken}: '{{}}' matches no known text" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("tests", "says"),
    [
        (["PASS nothing", "CANCEL no pages", "ERROR lost"], "3 tests: 3 without a verdict. 2: lost."),
        (["PASS nothing", "CANCEL no pages"], "2 tests: 2 without a verdict. 1: no pages."),
        (["PASS nothing", "PASS nothing"], "2 tests: 2 without a verdict."),
    ],
)
def test_the_answer_is_of_the_test_that_has_to_be_looked_at_first(tests, says):
    parts = (test.partition(" ") for test in tests)
    assert summed_up([Recorded(str(n), status, fault=fault) for n, (status, _, fault) in enumerate(parts)]) == says


@pytest.mark.long
def test_what_is_in_a_trace_is_no_markup(tmp_path):
    job = renamed(tmp_path, EVIL)
    page = page_of(tmp_path, job)
    assert "<script>document" not in page and "&lt;script&gt;document.title" in page
    for kind in ("svg", "png"):
        assert run(job, "--output", tmp_path / f"picture.{kind}") == 0
    texts = [one.text for one in ElementTree.parse(tmp_path / "picture.svg").iter() if one.tag.endswith("}text")]
    assert any("<script>document.title" in text for text in texts if text)


@pytest.mark.long
def test_pictures_are_by_the_files_ending(tmp_path):
    assert run(WRONG, STOPPED, "--output", tmp_path / "two.PNG") == 0
    two = pixels(tmp_path / "two.PNG")
    assert two.shape[0] > two.shape[1] and two.std() > 0.1
    for name in ("one.svg", "again.svg"):
        assert run(STOPPED, "--output", tmp_path / name) == 0
    shown = (tmp_path / "one.svg").read_text()
    assert ">down until it could continue<" in shown and ">last-sync, computed<" in shown
    assert shown == (tmp_path / "again.svg").read_text()


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([ACCURATE, "--output", "report.docx"], "report.docx: unsupported file type; use one of .html"),
        (["nowhere.jsonl", "--output", "report.html"], "nowhere.jsonl: No such file or directory"),
        (
            [ACCURATE, RECORDINGS / "README.md", "--output", "report.html"],
            "README.md: is a text that names figures of a migration",
        ),
        ([RECORDINGS, "--output", "report.html"], "contains no test-results/*/data/trace.jsonl"),
        ([ACCURATE, "--output", "nowhere/report.html"], "nowhere/report.html: cannot be written: No such file"),
        ([ACCURATE, "--output", "full.html"], "full.html: cannot be written: No space left on device"),
        ([SNAPSHOT, "--output", "report.png"], "a single sample has no course to draw"),
        ([*[ACCURATE] * 13, "--output", "report.svg"], "13 recordings are too many for a picture, 12 fit"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence_and_leaves_nothing(arguments, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("full.html").symlink_to("/dev/full")
    before = sorted(tmp_path.iterdir())
    assert run(*arguments, "--quiet") == 2
    captured = capsys.readouterr()
    assert says in captured.err and captured.err.count("\n") == 1 and captured.out == ""
    assert sorted(tmp_path.iterdir()) == before
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_a_report_that_fails_leaves_the_one_before(tmp_path, capsys):
    output = tmp_path / "report.html"
    output.write_text("the one before")
    assert run(ACCURATE, "nowhere.jsonl", "--output", output) == 2
    assert output.read_text() == "the one before" and list(tmp_path.iterdir()) == [output]


def test_other_commands_do_not_load_what_draws():
    drawing = "{'plotly', 'matplotlib', 'numpy'} & set(sys.modules)"
    code = (
        "import argparse, sys\nfrom avocado_migdowntime.cli import main as subcommands\n"
        f"subcommands.add_to(argparse.ArgumentParser())\nassert not {drawing}, {drawing}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.long
def test_the_picture_of_the_readme_is_made_by_the_command(tmp_path):
    assert run(WRONG, "--output", tmp_path / "now.png") == 0
    now, kept = pixels(tmp_path / "now.png"), pixels(KEPT)
    assert now.shape == kept.shape
    # Another release of matplotlib may set a letter elsewhere.
    assert abs(now - kept).mean() < 0.01, f"make it anew: avocado migdowntime report {WRONG} --output {KEPT}"


def test_what_lasts_is_told_until_it_has_ended(monkeypatch):
    monkeypatch.setattr(progress, "_PROGRESS_EVERY_S", 0.01)
    told, heard = [], threading.Event()

    def say(text):
        told.append(text)
        heard.set()

    with progress.lasting(say, "judging a trace"):
        assert heard.wait(HANGS_S)
    assert not any(one.name.endswith("(tell)") for one in threading.enumerate())
    assert told and all(text.startswith("judging a trace, ") for text in told)
