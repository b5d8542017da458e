# SPDX-License-Identifier: GPL-2.0-or-later
"""max-bandwidth: what it allows, which held when, and where it is not known."""

from functools import cache

import pytest

from avocado_migdowntime.oracle.caps import most_used
from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.verdict.judge import judge

from ..support.migrations import with_events, with_header
from ..support.windows import Sender

CAP, USUAL = 12_000_000, Sender()


@cache
def sampled(sender):
    return sender.samples(8_000, 20, 1, seed=3)


def capped(*events, sender=USUAL, capabilities=(), cap=CAP, **parameters):
    """8 s of a QEMU that sends 12 MB/s, with this max-bandwidth on record, and these changes of it."""
    header = {
        "qemu": {},
        "capabilities": list(capabilities),
        "migrate-parameters": {"downtime-limit": 1, "max-bandwidth": cap, **parameters},
        "tracked": ["max-bandwidth"],
    }
    return Trace(sampled(sender), tuple(events), header)


def changed(t_s, bytes_per_s, name="BANDWIDTH", **since):
    return Event(t_s, "harness", name, {"max-bandwidth": bytes_per_s, **since})


def code(trace):
    return judge(trace).cap.code


@pytest.mark.parametrize(
    ("faster", "found"), [(1, "kept"), (1.09, "kept"), (1.2, "kept"), (1.5, "not-kept"), (3, "not-kept")]
)
def test_a_window_may_carry_what_was_gathered_and_no_more(faster, found):
    """At 12 MB/s 64 pages are 22 % of a window."""
    assert code(capped(sender=Sender(faster * 12_000))) == found


def test_multifd_may_send_a_packet_more_for_each_channel():
    sender = Sender(2.4 * 12_000)
    assert code(capped(sender=sender)) == "not-kept"
    assert code(capped(sender=sender, capabilities=["multifd"], **{"multifd-channels": 2})) == "kept"


@pytest.mark.parametrize("cap", [0, 10**12])
def test_without_a_cap_none_is_broken(cap):
    assert code(capped(cap=cap)) == "not-seen"


def test_a_lower_one_holds_when_it_was_set_and_not_before():
    assert code(capped(changed(3, CAP / 3, since=2.9))) == "not-kept"
    assert code(capped(changed(7.99, CAP / 3, since=0.1))) == "kept"
    # One that was noted before it was set may not be in force yet.
    assert code(capped(changed(3, CAP / 3))) == "kept"
    assert code(capped(changed(3, 3 * CAP), cap=CAP / 3)) == "not-kept"
    assert code(capped(changed(0.1, CAP / 3), cap=CAP / 4)) == "not-kept"
    assert code(capped(changed(0.1, 3 * CAP), cap=CAP / 3)) == "kept"


def test_a_short_excess_is_found_in_a_long_run():
    trace = capped(changed(4, CAP / 4, since=4), changed(6, CAP, since=6))
    held = most_used(trace, trace.samples, float("inf"))
    assert held.used > 1.5 and held.lasted_s < 2 and held.bytes_per_s == CAP / 4
    assert "QEMU exceeds max-bandwidth: it sent " in judge(trace).check("max-bandwidth").sentence


@pytest.mark.parametrize("tracked", [None, [], ["downtime-limit"], "max-bandwidth", 3])
def test_one_that_others_may_have_changed_is_not_judged(tracked):
    trace = with_header(capped(sender=Sender(50_000)), tracked=tracked)
    assert code(trace) == "not-tracked"


def test_what_is_sent_when_the_guest_is_stopped_need_not_keep_it():
    trace = capped(sender=Sender(50_000))
    assert most_used(trace, trace.samples, 0.02) is None
    assert code(with_events(trace, changed(0.01, 10**12, "FINISH", since=0.005))) == "not-seen"
