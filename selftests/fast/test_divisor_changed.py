# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody sets avail-switchover-bandwidth during a migration: QEMU divides by it from then on."""

from dataclasses import replace

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.pictures.chart import Role
from avocado_migdowntime.pictures.chart_of_trace import chart
from avocado_migdowntime.prediction.advice import Finding
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.events import DIVISOR_CHANGED, Event
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement
from selftests.support.contradictions import real
from selftests.support.migrations import of, with_events
from selftests.support.printed import FORMS
from selftests.support.watching import at

SET_S = 8.0
BYTES_PER_MS = 24_000
"""Twice what is sent."""
SET = "\n(qemu) migrate_set_parameter avail-switchover-bandwidth 50000000B\n"


def changed():
    """A correct QEMU: from SET_S on it reports half."""
    trace = of([2000], duration_ms=16_000)
    samples = [
        replace(one, expected_downtime_ms=one.expected_downtime_ms // (2 if one.t_s > SET_S else 1))
        for one in trace.samples
    ]
    data = {"avail-switchover-bandwidth": 1000 * BYTES_PER_MS, "since": SET_S}
    trace = replace(trace, samples=samples)
    return trace, with_events(trace, Event(SET_S + 0.1, "harness", DIVISOR_CHANGED, data))


def test_what_was_before_is_judged():
    unknown, known = changed()
    assert judge(unknown).verdict is Judgement.INACCURATE
    assert judge(known).verdict is Judgement.ACCURATE and judge(known).passes > 1


def test_no_limit_is_advised_since_then():
    advice = advise(changed()[1])
    assert (advice.finding, advice.limit_ms, advice.range_ms) == (Finding.UNKNOWN, None, None)
    assert advice.reasons[0].startswith("avail-switchover-bandwidth was set meanwhile")


def test_what_is_right_is_not_shown_since_then():
    _, known = changed()
    evidence = Evidence.of(known)
    (contract,) = [one for one in chart(evidence, judge(evidence)).panels[1].series if one.role is Role.CONTRACT]
    assert float(contract.t_s[-1]) < evidence.passes[-1].begin_s
    assert at(known, SET_S - 0.1).right_ms is not None
    assert (at(known, 16.0).right_ms, at(known, 16.0).outlook) == (None, None)


def printed(rows):
    """Some of the samples of a recording as `info migrate` shows them."""
    known = real("x86_64-kvm-qemu-7.2.jsonl.gz")
    return FORMS["info migrate to 10.0"](known.header, known.answers[rows], ())


def test_a_text_tells_of_it_too():
    (event,) = parse(f"{printed(slice(100, 400, 10))}{SET}{printed(slice(400, 560, 10))}".encode()).events
    assert (event.name, event.divisor_bytes_per_s, event.limit_ms) == (DIVISOR_CHANGED, 50_000_000, None)
    alone = printed(slice(100, 101))
    assert advise(parse(alone.encode())).limit_ms == 2076
    advice = advise(parse(f"{alone}{SET}".encode()))
    assert "avail-switchover-bandwidth was set after these figures were taken" in advice.reasons
