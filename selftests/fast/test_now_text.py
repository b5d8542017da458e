# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of a migration now, as it is read: in rows, in a line, and drawn in any size."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from avocado_migdowntime.basics.printable import in_a_line
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.advice import Advice, Down, Finding
from avocado_migdowntime.prediction.outlook import Outlook
from avocado_migdowntime.report.metrics import figures
from avocado_migdowntime.report.now import line, rows
from avocado_migdowntime.report.now_json import fields
from avocado_migdowntime.report.screen import Lines, Screen, display, summary
from avocado_migdowntime.report.sparkline import BARS, PLAIN, sparkline
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.watching.now import now

from ..support.recorded import CLEAN, parse, recording
from ..support.watching import at

TRACE = parse(recording("ppc64-tcg-qemu-7.2").read_bytes())
NOW = at(TRACE, 14.0)


def told(now, label, columns=80):
    return dict(rows(now, columns)).get(label)


def test_all_that_a_person_asks_is_in_the_rows():
    assert [label for label, _ in rows(NOW, 80)] == [
        *(
            "status",
            "left",
            "bandwidth",
            "dirtied",
            "QEMU says",
            "expected",
            "limit",
            "set",
            "verdict",
            "reason",
            "tested",
        )
    ]
    assert told(NOW, "status") == f"active, pass {NOW.number}, 14.0 s"
    assert told(NOW, "left").startswith(f"{NOW.ram.remaining_bytes / 1e6:.1f} MB ")
    assert told(NOW, "QEMU says") == f"{NOW.reported_ms:.0f} ms"
    assert told(NOW, "expected").endswith(" (left at the last sync ÷ bandwidth)")
    assert told(NOW, "verdict").startswith("ACCURATE: the report is ")
    assert told(NOW, "tested") == "QEMU 7.2.22 ppc64 tcg"


def test_a_log_without_a_dirty_rate_or_a_count_of_passes_is_not_said_to_have_a_0():
    bare = replace(NOW, ram=replace(NOW.ram, dirty_pages_per_s=0, dirty_sync_count=0), number=None)
    assert told(bare, "status") == "active, 14.0 s" and told(bare, "dirtied") is None
    assert line(bare).startswith(f"14.0 s active: {bare.ram.remaining_bytes / 1e6:.1f} MB left, 12.0 MB/s sent; ")
    assert {name for name, _, _ in figures(NOW)} - {name for name, _, _ in figures(bare)} == {
        "pass",
        "dirtied_bytes_per_second",
    }
    assert fields(bare)["dirty_bytes_per_ms"] is fields(bare)["pass"] is None
    idle = replace(NOW, ram=replace(NOW.ram, dirty_pages_per_s=0))
    assert told(idle, "dirtied").startswith("0.0 MB/s") and "0.0 MB/s dirtied" in line(idle)


def test_a_count_of_no_passes_is_none():
    trace = parse(recording("ppc64-tcg-qemu-7.2").read_bytes())
    sample = replace(trace.samples[-1], ram=replace(trace.samples[-1].ram, dirty_sync_count=0))
    assert now(Evidence.of(Trace((sample,), (), trace.header))).number is None


@pytest.mark.parametrize(
    ("outlook", "words"),
    [
        (None, "1 ms is set; its effect is not known yet"),
        (Outlook(1, False, False), "1 ms never ends it"),
        (Outlook(1, None, False), "1 ms probably never ends it"),
        (
            Outlook(1, True, True, 12_345, 678.9),
            "1 ms ends it in about 12 s; the guest is then down for about 679 ms, less if max-bandwidth limits QEMU",
        ),
        (Outlook(1, None, True), "1 ms probably ends it"),
    ],
)
def test_what_the_limit_that_is_set_does(outlook, words):
    assert told(replace(NOW, outlook=outlook), "limit") == words


@pytest.mark.parametrize(
    ("advice", "words"),
    [
        (Advice(Finding.UNKNOWN, reasons=("why",)), "not known yet"),
        (Advice(Finding.NONE, reasons=("why",)), "no downtime-limit ends it"),
        (Advice(Finding.FOUND, limit_ms=700, reasons=("why",)), "700 ms downtime-limit"),
        (
            Advice(Finding.FOUND, limit_ms=700, down=Down(650, True), reasons=("why",)),
            "700 ms downtime-limit; the guest is down for about 650 ms at the present bandwidth; in fact less, "
            "because QEMU lifts max-bandwidth at the switchover",
        ),
    ],
)
def test_the_limit_that_is_advised(advice, words):
    assert told(replace(NOW, advice=advice, advised=None), "set") == words


def test_a_figure_of_the_pass_before_is_told_to_be_that():
    assert told(replace(NOW, renewed=False), "QEMU says").endswith("ms, not computed in this pass yet")
    assert told(replace(NOW, renewed=None), "QEMU says") == told(replace(NOW, renewed=True), "QEMU says")
    assert "QEMU says" in line(NOW) and "QEMU says" not in line(replace(NOW, renewed=False))


def test_the_end_tells_what_really_was():
    trace = parse(recording("ppc64-tcg-qemu-7.2-busy-host-convergence").read_bytes())
    now = at(trace, float(trace.samples.t_s[-1]))
    assert now.ended and told(now, "set") is None and told(now, "reason") is None
    down, text = now.verdict.downtime, told(now, "downtime")
    limit = f", under a downtime-limit of {now.limit_ms:g} ms"
    assert (
        text.startswith(f"{down.qemu_ms:.0f} ms according to QEMU")
        and text.endswith(limit)
        and line(now).endswith(text)
    )


def test_a_line_holds_what_a_log_wants():
    left = f"{NOW.ram.remaining_bytes / 1e6:.1f} MB left"
    assert line(NOW).startswith(f"14.0 s active pass {NOW.number}: {left}, 12.0 MB/s sent, ")
    assert "; expected " in line(NOW) and line(NOW).endswith(f"; set {NOW.advice.limit_ms} ms")
    assert "\n" not in line(NOW)


def test_what_would_move_the_cursor_is_spelt_out():
    evil = replace(NOW, subject="\x1b[2J\x1b]0;gone\x07 \u202e\n", status="\x1b[1m")
    for text in (*(text for _, text in rows(evil, 80)), line(evil)):
        assert text.isprintable()
    assert told(evil, "tested") == "\\x1b[2J\\x1b]0;gone\\x07 \\u202e\\n"
    assert in_a_line("×–é") == "×–é"


def test_a_sparkline_is_as_high_as_its_figures():
    assert sparkline([0, 1, 2, None, 4, 8], 10) == "▁▂▃ ▅█"
    assert sparkline([0, 1, 2, None, 4, 8], 2, PLAIN) == "+@"
    assert (sparkline([], 9), sparkline([0.0, 0.0], 9), sparkline([1.0], 0)) == ("", "▁▁", "")


def drawn(columns, lines, encoding="utf-8", **environment):
    """What a screen of this size shows of NOW."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
    console = Console(file=file, width=columns, height=lines, force_terminal=True, _environ=environment)
    with Screen(console) as screen:
        screen.say("waiting for a migration to begin, 1 s so far")
        screen.show(NOW)
        screen.say("has not answered for 2 s")
    file.flush()
    return file.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 24), (40, 5), (200, 60), (12, 3)])
def test_a_screen_of_any_size_is_kept_to_and_given_back(columns, lines):
    shown = drawn(columns, lines)
    assert shown.startswith("\x1b[?1049h") and shown.count("\x1b[?1049l") == 1
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    frames = shown.split("\x1b[H")[1:]
    plain = [Console(width=500).render_str(frame, markup=False).plain for frame in frames]
    assert any("active, pass" in frame.replace("\n", "") for frame in plain) or columns < 20
    assert all(len(text.splitlines()) <= lines + 1 for text in plain)


def test_neither_colours_nor_unicode_are_needed():
    assert not re.search(r"\x1b\[[0-9;]*[34]\d[;m]", drawn(80, 24, COLORTERM="truecolor"))
    plain = drawn(80, 24, encoding="ascii")
    assert not set(BARS) & set(plain) and "@" in plain


def test_where_there_is_no_terminal_or_a_dumb_one_there_are_lines(capsys, monkeypatch):
    assert isinstance(display(print), Lines)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    with display(print) as shown:
        assert isinstance(shown, Lines)
        shown.show(NOW)
    assert capsys.readouterr().out == f"{line(NOW)}\n"
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(display(print), Screen)


def test_what_stays_is_a_table_of_all_of_it():
    assert summary(NOW).splitlines()[0].split() == ["status", "active,", "pass", f"{NOW.number},", "14.0", "s"]
    assert len(summary(NOW).splitlines()) == len(rows(NOW, 80))


def test_of_each_recording_something_can_be_said():
    for name in CLEAN:
        trace = parse(recording(name).read_bytes())
        for t_s in (0.0, 2.0, 5.0, 9.0):
            assert line(at(trace, t_s))
