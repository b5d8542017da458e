# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody sets limits while a migration is recorded: the advice is for what the guest does since the last of them."""

from dataclasses import replace

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.advice import Finding
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.prediction.from_a_look import STOPPED
from avocado_migdowntime.trace.events import CAP_CHANGED, LIMIT_CHANGED, Event
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement
from selftests.support.contradictions import real
from selftests.support.migrations import of, with_events, with_header
from selftests.support.printed import FORMS
from selftests.support.watching import at


def setting(trace, *changes):
    """The trace, in which limits are set: for each its time, and the limit in ms."""
    events = [
        Event(at_s + 0.02, "harness", LIMIT_CHANGED, {"downtime-limit": ms, "since": at_s}) for at_s, ms in changes
    ]
    return with_events(with_header(trace, capabilities=["events"]), *events)


def remark(trace):
    """What the advice says of the limit that is set."""
    return [reason for reason in advise(trace).reasons if reason.startswith("the present downtime-limit")]


PRESENT = "the present downtime-limit of 500 ms"
INFO_MIGRATE = FORMS["info migrate to 10.0"]
LATER = {8_500: 500.0}
"""Another downtime-limit, by the ms from which it holds."""


def test_what_the_guest_does_since_then_counts():
    """Until then its syncs find 1000 ms, later 2400 ms."""
    trace = of([1000, 1000, 1000, 1000, 2400], 100.0, later_limits_ms=LATER, duration_ms=20_000)
    trace = setting(trace, (8.5, 500.0))
    advice = advise(trace)
    assert advice.limit_ms == pytest.approx(2400, rel=0.05)
    assert (advice.configured_ms, remark(trace)) == (500, [f"{PRESENT} probably never ends it"])
    assert advice.limit_ms == at(trace, 20.0).advice.limit_ms


def test_without_a_sync_since_then_what_came_before_counts():
    trace = setting(of([2000], 100.0, duration_ms=9_000), (8.9, 500.0))
    evidence = Evidence.of(trace)
    assert evidence.latest is evidence.undisturbed
    assert advise(trace).limit_ms == pytest.approx(2000, rel=0.05)
    assert remark(trace) == [f"{PRESENT} never ends it"]


def test_of_several_the_last_under_which_a_sync_was_seen_counts():
    trace = of([1000, 1000, 1000, 1000, 2400], 100.0, later_limits_ms=LATER, duration_ms=20_000)
    trace = setting(trace, (8.5, 500.0), (19.9, 510.0))
    assert advise(trace).limit_ms == pytest.approx(2400, rel=0.05)
    assert Evidence.of(trace).latest.samples[-1].t_s < 19.9


@pytest.mark.parametrize("still_s", [3, 20])
def test_that_nothing_is_sent_since_then_counts(still_s):
    trace = of([2000], 100.0, duration_ms=9_000)
    last = trace.samples[-1]
    still = [replace(last, t_s=last.t_s + number / 10) for number in range(1, 10 * still_s)]
    trace = setting(replace(trace, samples=(*trace.samples, *still)), (8.9, 500.0))
    watched = at(trace, 9.0 + still_s)
    for advice in (advise(trace), watched.advice):
        assert (advice.finding, advice.limit_ms) == (Finding.UNKNOWN, None)
        assert advice.reasons[0].startswith("no page was sent for the last ")
    assert watched.outlook is None


def test_nor_is_a_limit_advised_that_is_set_after_the_guest_was_stopped():
    trace = setting(of([2000], 100.0, later_limits_ms=LATER, duration_ms=20_000), (8.5, 500.0))
    assert at(trace, 20.0).advice.limit_ms is not None
    trace = with_events(trace, Event(8.0, "source", "STOP", {}))
    assert (at(trace, 20.0).advice.reasons, at(trace, 20.0).outlook) == ((STOPPED,), None)
    assert advise(trace).reasons == (STOPPED,)


def test_of_one_that_ended_under_another_limit_it_is_not_said_what_the_first_does():
    trace = of([2000], 100.0, later_limits_ms={8_500: 3_000.0}, duration_ms=20_000)
    assert trace.completed
    trace = setting(trace, (8.5, 3_000.0))
    assert (remark(trace), advise(trace).limit_ms) == ([], pytest.approx(2000, rel=0.05))


def test_a_limit_that_is_set_in_the_first_pass_hides_no_passes():
    trace = of([2000], 100.0, later_limits_ms={200: 300.0}, duration_ms=14_000)
    trace = setting(trace, (0.2, 300.0))
    verdict = judge(trace)
    assert (verdict.verdict, verdict.downtime_limit_ms, verdict.limit.code) == (Judgement.ACCURATE, 300, "respected")
    assert advise(trace).limit_ms == pytest.approx(2000, rel=0.05)
    at_once = replace(trace, events=tuple(replace(e, t_s=0.0, data={**e.data, "since": 0.0}) for e in trace.events))
    assert advise(at_once).limit_ms == advise(trace).limit_ms


@pytest.mark.parametrize("every", [10, 40])
def test_of_a_text_with_several_limits_the_last_one_is_shown(every):
    known = real("x86_64-kvm-qemu-7.2.jsonl.gz")
    text = ""
    for limit_ms, rows in ((300, known.answers[:280:every]), (500, known.answers[280::every])):
        text += f"(qemu) migrate_set_parameter downtime-limit {limit_ms}\n{INFO_MIGRATE(known.header, rows, ())}\n"
    verdict = judge(parse(text.encode()))
    assert (verdict.limit.code, verdict.downtime_limit_ms) == ("not-tracked", 500)


def capped(at_s, bytes_per_ms):
    """Somebody sets max-bandwidth, by bytes per ms."""
    return Event(at_s + 0.02, "harness", CAP_CHANGED, {"max-bandwidth": 1000 * bytes_per_ms, "since": at_s})


def test_passes_before_another_bandwidth_tell_nothing_of_it():
    """A limit is set and then max-bandwidth halved, in one pass: what came before shows twice the bandwidth."""
    later = {"later_limits_ms": LATER, "later_bytes_per_ms": {8_600: 6_000.0}}
    trace = of([2000], 100.0, duration_ms=9_000, **later)
    trace = with_events(setting(trace, (8.5, 500.0)), capped(8.6, 6_000.0))
    assert Evidence.of(trace).latest.samples[-1].t_s < 8.6
    for advice in (advise(trace), at(trace, 9.0).advice):
        assert (advice.finding, advice.limit_ms, advice.range_ms) == (Finding.UNKNOWN, None, None)


def test_what_is_watched_under_a_later_limit_is_under_the_max_bandwidth_that_was_set_before():
    """The first max-bandwidth is what is sent, the other one twice that."""
    trace = of([2000], 100.0, later_limits_ms=LATER, duration_ms=20_000)
    trace = with_header(trace, **{"migrate-parameters": {"downtime-limit": 100.0, "max-bandwidth": 12_000_000}})
    assert at(setting(trace, (8.5, 500.0)), 20.0).advice.down.capped is True
    trace = with_events(setting(trace, (8.5, 500.0)), capped(7.0, 24_000.0))
    trace = replace(trace, events=tuple(sorted(trace.events, key=lambda event: event.t_s)))
    assert at(trace, 20.0).advice.down.capped is advise(trace).down.capped is False
