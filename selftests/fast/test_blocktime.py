# SPDX-License-Identifier: GPL-2.0-or-later
"""How long vCPUs waited for pages in postcopy, as QEMU says, against how long they slept."""

import os
import re
import threading
from dataclasses import replace

import pytest

from avocado_migdowntime.agent.look import threads
from avocado_migdowntime.basics.printable import quoted
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.host.threads import awake
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.report.verdict_text import summary
from avocado_migdowntime.trace.events import AWAKE, BLOCKTIME, BROKEN, HARNESS, Event
from avocado_migdowntime.verdict.blocktime import LEAVES_OUT
from avocado_migdowntime.verdict.check import Outcome
from avocado_migdowntime.verdict.judge import judge

from ..support.postcopy_waits import READY, RESUME, SAYS_NOTHING, beside, looks, told
from ..support.recorded import recording


def judged(*events):
    return judge(beside(*events))


def code(*events):
    check = judged(*events).check("postcopy-blocktime")
    return check.outcome, check.code


STUCK = {"stuck_s": (100.5, 101.5)}
"""Seen to wait at ten looks, one after the other, from the first to the last of which 0.9 s pass."""


def test_what_can_have_been_is_known_to_a_look_at_either_end():
    """Awake for a quarter of 2 s but one in which it waits: it slept for 1.75 s."""
    verdict = judged(RESUME, READY, *looks(0.25, **STUCK), told(1500))
    everyone, wait = verdict.blocktime.waits
    assert everyone.can_ms == wait.can_ms
    assert wait.can_ms.low == pytest.approx(900, abs=10)
    assert 1750 < wait.can_ms.high < 1750 + 2 * 0.25 * 100 + 15
    assert verdict.check("postcopy-blocktime").outcome is Outcome.PASSED
    assert fields(verdict)["blocktime"] == {
        "postcopy_ms": 2000.0,
        "waits": [
            {"who": who, "told_ms": 1500.0, "can_ms": [wait.can_ms.low, wait.can_ms.high]}
            for who in ("all vCPUs", "vCPU 0")
        ],
    }
    told_to_people = f"vCPU 0 waited 1500 ms, expected {wait.can_ms.low:.0f} to {wait.can_ms.high:.0f} ms"
    assert f"{told_to_people}; postcopy took 2000 ms" in summary(verdict)


def test_one_that_slept_all_the_time_may_have_waited_for_as_long_and_a_millisecond_of_rounding():
    _, wait = judged(RESUME, READY, *looks(0.0), told(1500)).blocktime.waits
    assert (wait.can_ms.low, wait.can_ms.high) == (0.0, pytest.approx(2001))


@pytest.mark.parametrize(
    ("figure_ms", "found"),
    [
        (1850, (Outcome.FAILED, "more-than-waited")),
        (1755, (Outcome.PASSED, "as-waited")),
        (905, (Outcome.PASSED, "as-waited")),
        (850, (Outcome.FAILED, "less-than-waited")),
        (0, (Outcome.FAILED, "less-than-waited")),
    ],
)
def test_what_cannot_have_been_is_a_fault(figure_ms, found):
    assert code(RESUME, READY, *looks(0.25, **STUCK), told(figure_ms)) == found


def test_the_sentence_has_both():
    verdict = judged(RESUME, READY, *looks(0.25), told(1900))
    assert verdict.passed is False
    assert any("in postcopy all vCPUs waited 1900 ms, expected 0" in why for why in verdict.reasons)


def test_what_is_waited_for_while_the_channel_is_broken_is_known_not_to_be_told():
    broken = Event(9.0, HARNESS, BROKEN, {})
    seen = (RESUME, READY, *looks(0.25, **STUCK))
    assert code(*seen, broken, told(500)) == (Outcome.NOT_JUDGED, "without-the-break")
    assert LEAVES_OUT in judged(*seen, broken, told(500)).check("postcopy-blocktime").sentence
    assert code(*seen, broken, told(1000)) == (Outcome.PASSED, "as-waited")
    assert code(*seen, broken, told(1900)) == (Outcome.FAILED, "more-than-waited")


def test_a_vcpu_that_sleeps_need_not_wait_for_a_page():
    """It may have nothing to do, or where it sleeps cannot be read."""
    assert code(RESUME, READY, *looks(0.25, seen=False, **STUCK), told(0)) == (Outcome.PASSED, "as-waited")


def test_one_that_was_awake_between_two_looks_may_have_waited_for_a_moment_at_each():
    assert code(RESUME, READY, *looks(0.25, every_s=0.3, stuck_s=(100.2, 100.5)), told(0))[1] == "as-waited"
    awake = [Event(one.t_s, HARNESS, AWAKE, {**one.data, "waiting": [0]}) for one in looks(0.25)]
    assert code(RESUME, READY, *awake, told(0))[1] == "as-waited"


@pytest.mark.parametrize(
    ("vcpus_ms", "all_ms", "found"),
    [
        ((1400, 200), 190, "as-waited"),
        ((1900, 200), 190, "more-than-waited"),
        ((1400, 700), 190, "more-than-waited"),
        ((1400, 200), 700, "more-than-waited"),
        ((0, 0), 0, "as-waited"),
        ((1400, 200), 0, "as-waited"),
    ],
)
def test_of_several_vcpus_each_is_judged_and_all_wait_no_longer_than_any(vcpus_ms, all_ms, found):
    assert code(RESUME, READY, *looks(0.25, 0.9), told(*vcpus_ms, all_ms=all_ms))[1] == found


def test_threads_that_are_late_to_notice_widen_what_can_have_been():
    """Others were due to run for a tenth of the time and did not, in all of which a vCPU may have been awake again."""
    assert code(RESUME, READY, *looks(0.25), told(1700))[1] == "more-than-waited"
    assert code(RESUME, READY, *looks(0.25, queued=0.1), told(1700))[1] == "as-waited"


def test_whole_milliseconds_of_many_waits_add_up():
    assert code(RESUME, READY, *looks(0.25), told(1650, requests=100))[1] == "more-than-waited"
    assert code(RESUME, READY, *looks(0.25), told(1650, requests=4000))[1] == "as-waited"


def test_without_looks_at_the_ends_only_what_is_certain_counts():
    """Of looks that begin late nothing is known before, and of those that end early nothing after."""
    late, early = looks(0.25, begin_s=101.0), looks(0.25, end_s=101.0)
    for some in (late, early):
        assert code(RESUME, READY, *some, told(0))[1] == "as-waited"
        assert code(RESUME, READY, *some, told(2100))[1] == "more-than-waited"


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ((READY, *looks(0.25)), "held"),
        ((Event(11.0, "destination", "RESUME", {}, 102.5), READY, *looks(0.25)), "held"),
        ((RESUME, *looks(0.25)), "not-seen"),
        ((RESUME, READY), "not-seen"),
        ((RESUME, READY, *looks(0.25, 0.25)), "not-seen"),
        ((RESUME, READY, *looks(0.25)[:20], *looks(0.25, 0.25)[20:]), "not-seen"),
    ],
)
def test_what_was_not_seen_is_not_judged(events, found):
    assert code(*events, told(5000)) == (Outcome.NOT_JUDGED, found)


def test_a_destination_that_does_not_say_is_not_judged_and_one_that_nobody_asked_is_not_named():
    assert code(RESUME, READY, *looks(0.25), SAYS_NOTHING) == (Outcome.NOT_JUDGED, "not-told")
    assert judged(RESUME, READY, *looks(0.25)).blocktime is None
    assert fields(judged())["blocktime"] is None


@pytest.mark.parametrize("figures", [None, 7, ["much"]])
def test_what_is_no_list_of_numbers_is_refused_in_a_sentence(figures):
    data = {"postcopy-blocktime": 1, "postcopy-vcpu-blocktime": figures}
    sentence = f"'postcopy-vcpu-blocktime' of the event BLOCKTIME is {re.escape(quoted(figures))} where a list"
    with pytest.raises(UsageError, match=sentence):
        judged(RESUME, READY, *looks(0.25), Event(11.2, HARNESS, BLOCKTIME, data))


COUNTED, LEFT_OUT = "ppc64-tcg-qemu-11.1-postcopy-recovered", "x86_64-tcg-qemu-7.2-postcopy-recovered"


@pytest.mark.parametrize(
    ("name", "told_ms", "least_ms", "most_ms", "found"),
    [(COUNTED, 556, 419, 615, "as-waited"), (LEFT_OUT, 4, 527, 644, "without-the-break")],
)
def test_real_ones_are_known_to_a_few_looks(name, told_ms, least_ms, most_ms, found):
    finding = judge(read(str(recording(name)))).blocktime
    assert [(wait.who, wait.told_ms) for wait in finding.waits] == [("all vCPUs", told_ms), ("vCPU 0", told_ms)]
    assert [wait.can_ms.low for wait in finding.waits] == pytest.approx([least_ms] * 2, abs=1)
    assert [wait.can_ms.high for wait in finding.waits] == pytest.approx([most_ms] * 2, abs=1)
    assert finding.code == found


@pytest.mark.parametrize(
    ("factor", "found"),
    [(2, "more-than-waited"), (1.12, "more-than-waited"), (0.7, "without-the-break"), (0, "without-the-break")],
)
def test_a_destination_that_says_something_else_is_found(factor, found):
    trace = read(str(recording(COUNTED)))
    said = trace.first_event(HARNESS, BLOCKTIME)
    other = {**said.data, "postcopy-blocktime": 556 * factor, "postcopy-vcpu-blocktime": [556 * factor]}
    others = tuple(event for event in trace.events if event is not said)
    told_otherwise = replace(trace, events=(*others, replace(said, data=other)))
    assert judge(told_otherwise).blocktime.code == found
    # Had its channel not broken, too little would be a fault as well.
    whole = replace(told_otherwise, events=tuple(e for e in told_otherwise.events if e.name != BROKEN))
    assert judge(whole).check("postcopy-blocktime").outcome is Outcome.FAILED


def test_a_thread_is_awake_while_it_runs():
    pid, thread = os.getpid(), threading.get_native_id()
    assert thread in threads(pid)
    before = awake(pid, thread)
    while awake(pid, thread).on_cpu_s < before.on_cpu_s + 0.02:
        pass
    assert awake(pid, thread).queued_s >= before.queued_s


def test_of_a_thread_that_is_not_there_nothing_is_known():
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    assert threads(pid) == [] and awake(pid, pid) is None
