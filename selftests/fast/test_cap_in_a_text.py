# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody sets max-bandwidth in a pasted session: what was measured before tells nothing about the bandwidth since."""

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advice import Finding
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.events import CAP_CHANGED, LIMIT_CHANGED
from selftests.support.contradictions import real
from selftests.support.printed import FORMS

NAME = "x86_64-kvm-qemu-7.2.jsonl.gz"
SET = "\n(qemu) migrate_set_parameter max-bandwidth 10M\n"
SHOWN_LIMIT = "(qemu) info migrate_parameters\ndowntime-limit: 1 milliseconds\nmax-bandwidth: 50000000 bytes/second\n"


def printed(begin, end):
    """Some of the samples of a recording as `info migrate` shows them."""
    known = real(NAME)
    return FORMS["info migrate to 10.0"](known.header, known.answers[begin:end:10], ())


def test_it_is_noted_when_it_was_set():
    before, after = printed(100, 400), printed(400, 560)
    events = parse(f"{SHOWN_LIMIT}{before}{SET}{after}".encode()).events
    assert [(event.name, event.data) for event in events] == [(CAP_CHANGED, {"max-bandwidth": 10 * 2**20})]
    last = parse(f"{SHOWN_LIMIT}{before}".encode()).samples[-1].t_s
    assert events[0].t_s == pytest.approx(last, abs=0.01)
    both = "(qemu) migrate_set_parameter downtime-limit 7\n"
    events = parse(f"{SHOWN_LIMIT}{before}{SET}{both}{after}".encode()).events
    assert [event.name for event in events] == [CAP_CHANGED, LIMIT_CHANGED]


def test_setting_what_is_set_changes_nothing():
    same = "\n(qemu) migrate_set_parameter max-bandwidth 50000000B\n"
    text = f"{SHOWN_LIMIT}{printed(100, 400)}{same}{printed(400, 560)}"
    assert parse(text.encode()).events == ()


def test_after_the_last_figures_no_limit_is_known():
    text = f"{SHOWN_LIMIT}{printed(100, 400)}"
    assert advise(parse(text.encode())).finding is Finding.FOUND
    advice = advise(parse(f"{text}{SET}".encode()))
    assert (advice.finding, advice.limit_ms, advice.range_ms) == (Finding.UNKNOWN, None, None)
    assert advice.reasons[0].startswith("max-bandwidth was changed just before the end")


def test_nor_of_a_single_look():
    text = printed(100, 101)
    assert advise(parse(text.encode())).limit_ms == 2076
    advice = advise(parse(f"{text}{SET}".encode()))
    assert advice.limit_ms is None and "max-bandwidth was set after these figures were taken" in advice.reasons
