# SPDX-License-Identifier: GPL-2.0-or-later
"""No line is passed by that the patterns would read: the name of a figure is found by its words."""

import pytest

from avocado_migdowntime.forms.domjobinfo import FIGURE_NAMES, DomJobInfo
from avocado_migdowntime.forms.form import Line
from avocado_migdowntime.forms.monitor_names import LINES
from avocado_migdowntime.forms.monitor_text import MonitorText
from avocado_migdowntime.forms.words import first_words, has_one_of

WORDS = first_words(["Job type", "transferred", "cpu throttle"])
OF_THE_MONITOR = [
    *(f"{name}: 1 {units[0]}" for name, (_, units) in LINES.items()),
    *("Migration status: active", "Migration Status: active", "Status: active", "(qemu)Status: active (why)"),
    *("Time (ms): total=3, setup=4, exp_down=300", "Time(ms): total=3", "Sizes(KiB): pagesize=4, total=5"),
    *("Transfers (KiB): transferred=1, remain=2", "Throughput (Mbps): 1.00", "Bandwidth (mbps): 1.00"),
    *("Page Types: normal=1, zero=2", "Pages: normal=1", "Page Rates (pps): transfer=1", "Others: dirty_syncs=2"),
    *("remaining: 3 GiB", "CPU Throttle (%): 20", "transferred=1, remain=2", "precopy=1", "Channels (KiB): precopy=1"),
    *("xbzrle: size=1, transferred=2", "miss_rate=0.5, overflow=1", "a,miss_rate=0.5, overflow=1"),
]


@pytest.mark.parametrize("before", ["", "Job:", "(", "x ", "a=", "(qemu)"])
@pytest.mark.parametrize("word", ["job", "Transferred", "CPU"])
def test_a_word_is_found_behind_a_blank_or_a_mark(before, word):
    assert has_one_of(WORDS, Line(f"12:00 {before}{word}=3", f"{before}{word}=3"))


def test_a_word_within_another_is_none():
    text = "retransferred jobs cpus"
    assert not has_one_of(WORDS, Line(text, text))


def test_what_begins_a_line_is_found_though_its_message_begins_behind_that():
    assert has_one_of(WORDS, Line("Job type: None", "None"))
    assert not has_one_of(WORDS, Line(f"{'x' * 80} transferred", "y"))


@pytest.mark.parametrize("text", OF_THE_MONITOR)
def test_each_line_of_the_monitor_is_taken(text):
    assert MonitorText().take(Line(text, text)) is not None


@pytest.mark.parametrize("name", sorted(FIGURE_NAMES - {"Job type"}))
def test_each_line_of_a_job_is_taken(name):
    job = DomJobInfo()
    assert job.take(Line("Job type: Unbounded", "Job type: Unbounded")) is not None
    assert job.take(Line(f"{name}: 1", f"{name}: 1")) == []
    assert name in job._job.fields
