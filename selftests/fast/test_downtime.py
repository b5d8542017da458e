# SPDX-License-Identifier: GPL-2.0-or-later
"""How long the guest was down by QEMU, by the events and by its own heartbeat, and where these are remarkably apart."""

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.oracle.last_look import last_look
from avocado_migdowntime.oracle.standing import standing
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.report.verdict_text import summary
from avocado_migdowntime.verdict.downtime import Downtime
from avocado_migdowntime.verdict.judge import judge
from selftests.support.traces import Pass, completed, event, made, precopy

ROWS = precopy(Pass(30_000), Pass(20_000), Pass(20_000))
STOP_S = ROWS[-1]["t"] + 0.001
QEMU_MS = 100


def judged(events, qemu_ms=QEMU_MS, status="completed", header=None):
    more = {} if qemu_ms is None else {"downtime": qemu_ms}
    final = completed(ROWS, **more)
    final["query-migrate"]["status"] = status
    return judge(made([*ROWS, final], sorted(events, key=lambda one: one["t"]), header=header))


def stop(stamp_s=1000.0):
    return event(STOP_S, "source", "STOP", stamp_s=stamp_s)


def resume(stamp_s):
    return event(STOP_S + 0.2, "destination", "RESUME", stamp_s=stamp_s)


def ready(stamp_s, status="completed"):
    return event(STOP_S + 0.1, "destination", "MIGRATION", {"status": status}, stamp_s)


def beats(last, first):
    """The guest's last heartbeat at the source and its first at the destination, between two looks each."""
    return [
        event(STOP_S + 1, "harness", "HEARTBEAT", {"side": side, "after_s": after_s, "by_s": by_s})
        for side, (after_s, by_s) in (("source", last), ("destination", first))
    ]


def remarks(verdict):
    return [reason for reason in verdict.reasons if "the guest" in reason]


@pytest.mark.parametrize(("ready_s", "held_ms", "down_ms"), [(None, 0, 250), (1000.15, 100, 150), (1000.3, 0, 250)])
def test_by_the_events_it_lasts_from_stop_to_resume_less_what_a_ready_guest_was_held(ready_s, held_ms, down_ms):
    down = judged([stop(), *([ready(ready_s)] if ready_s else []), resume(1000.25)]).downtime
    assert (down.qemu_ms, down.held_ms, down.events_ms) == pytest.approx((100, held_ms, down_ms))
    assert down.guest_ms is None and down.silent_s is None


def clock(ahead_s):
    return event(STOP_S + 2, "harness", "CLOCK", {"side": "destination", "ahead_s": ahead_s, "readings": 9})


@pytest.mark.parametrize("ahead_s", [0, 3600, -360])
def test_what_two_hosts_stamp_is_compared_by_how_their_clocks_stand(ahead_s):
    events = [stop(), ready(1000.15 + ahead_s), resume(1000.25 + ahead_s), clock([ahead_s - 0.003, ahead_s + 0.001])]
    verdict = judged(events)
    down = verdict.downtime
    assert (down.held_ms, down.events_ms, down.events_open_ms) == pytest.approx((100, 151, 2))
    assert "STOP to RESUME 151 ms ± 2.0 ms" in summary(verdict)


def test_where_a_clock_was_set_meanwhile_nothing_is_made_of_the_stamps_of_two_hosts():
    assert judged([stop(), resume(1000.25), clock(None)]).downtime.events_ms is None


@pytest.mark.parametrize("ahead_s", ["soon", [1], [2, 1], [1, "2"], [None, 1], {}])
def test_a_clock_that_no_harness_writes_of_is_refused(ahead_s):
    with pytest.raises(UsageError, match="^'ahead_s' of the event CLOCK is "):
        judged([stop(), resume(1000.25), clock(ahead_s)])


def test_a_destination_that_is_not_yet_ready_was_not_held():
    assert judged([stop(), ready(1000.1, "active"), resume(1000.25)]).downtime.held_ms == 0


@pytest.mark.parametrize("events", [[resume(1000.25)], [stop()], [stop(None), resume(1000.25)], [stop(), resume(None)]])
def test_without_two_stamped_events_there_is_no_downtime_by_them(events):
    down = judged(events).downtime
    assert down.events_ms is None and down.qemu_ms == QEMU_MS


@pytest.mark.parametrize(("held", "low_ms", "high_ms"), [([], 100, 160), ([ready(1000.19), resume(1000.25)], 40, 100)])
def test_by_the_guest_it_lasts_from_its_last_beat_to_its_first(held, low_ms, high_ms):
    """The last beat came after 10.00 and by 10.02 s, the first after 10.12 and by 10.16 s."""
    down = judged([stop(), *held, *beats((10.0, 10.02), (10.12, 10.16))]).downtime
    assert (down.guest_ms.low, down.guest_ms.high) == pytest.approx((low_ms, high_ms))


def test_it_is_never_less_than_nothing():
    down = judged([stop(), ready(1000.0), resume(1000.25), *beats((10.0, 10.02), (10.12, 10.16))]).downtime
    assert (down.guest_ms.low, down.guest_ms.high) == (0, 0)


def apart(qemu_ms, low_ms, high_ms):
    """The remarks on a guest that was down for something from `low_ms` to `high_ms`."""
    return remarks(judged([stop(), *beats((10.0, 10.0), (10.0 + low_ms / 1000, 10.0 + high_ms / 1000))], qemu_ms))


def longer(ms, qemu_ms, more="longer"):
    return [f"the guest was down {ms} ms {more} than QEMU reports ({qemu_ms} ms)"]


@pytest.mark.parametrize(
    ("qemu_ms", "low_ms", "high_ms", "remark"),
    [
        (100, 149, 500, []),  # From 50 ms on
        (100, 151, 500, longer(51, 100)),
        (100, 0, 51, []),
        (100, 0, 49, longer(51, 100, "shorter")),
        (400, 499, 600, []),  # From a quarter on
        (400, 501, 600, longer(101, 400)),
        (400, 200, 301, []),
        (400, 200, 299, longer(101, 400, "shorter")),
        (400, 350, 450, []),
    ],
)
def test_views_that_are_apart_by_50_ms_and_a_quarter_are_remarkable(qemu_ms, low_ms, high_ms, remark):
    assert apart(qemu_ms, low_ms, high_ms) == remark


@pytest.mark.parametrize(
    ("qemu_ms", "low_ms", "remarkable"), [(100, 150, True), (100, 149.9, False), (400, 500, True), (400, 499.9, False)]
)
def test_just_50_ms_and_just_a_quarter_are_remarkable(qemu_ms, low_ms, remarkable):
    assert bool(Downtime(qemu_ms, guest_ms=Interval(low_ms, 900)).remark) == remarkable


def test_without_qemus_figure_nothing_is_remarkable():
    assert apart(None, 5000, 6000) == []
    assert Downtime().remark == Downtime(100, guest_ms=Interval(90, 110)).remark == ""


def test_one_heartbeat_alone_shows_no_downtime():
    for beat in beats((10.0, 10.02), (10.12, 10.16)):
        assert judged([stop(), beat]).downtime.guest_ms is None


def test_a_guest_that_did_not_go_on_is_told_and_fails():
    last, _ = beats((10.0, 10.02), (0, 0))
    silent = event(STOP_S + 1, "harness", "HEARTBEAT", {"side": "destination", "silent_s": 5})
    verdict = judged([stop(), last, silent])
    assert (verdict.downtime.silent_s, verdict.downtime.guest_ms) == (5, None)
    assert remarks(verdict) == ["the guest did not continue at the destination: no heartbeat within 5 s"]
    assert verdict.verdict == "accurate" and verdict.passed is False


def test_a_migration_that_did_not_complete_has_no_downtime():
    assert judged([stop(), resume(1000.25)], status="failed").downtime is None


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_beat_that_is_not_as_the_harness_writes_it_is_refused(side):
    last, first = beats((10.0, 10.02), (10.12, 10.16))
    del (last if side == "source" else first)["event"]["data"]["by_s"]
    with pytest.raises(UsageError, match="'by_s' is missing"):
        judged([stop(), last, first])


def checked(header=None, **found):
    return judged([event(STOP_S + 2, "harness", "INTEGRITY", found)], header=header)


def test_memory_that_arrived_whole_passes_and_any_damage_fails():
    whole = checked(pages=256, damaged_pages=0, faults=[])
    assert whole.passed and str(whole.integrity) == "each of 256 pages is what the guest wrote last"
    damaged = checked(pages=256, damaged_pages=2, faults=["page 3 is lost", "page 9 is torn"])
    assert damaged.passed is False and damaged.verdict == "accurate"
    assert str(damaged.integrity) == (
        "2 of 256 pages are not what the guest wrote last: page 3 is lost; page 9 is torn"
    )
    assert judged([stop()]).integrity is None


@pytest.mark.parametrize("faults", [None, "page 3", [3]])
def test_faults_that_are_not_as_the_harness_writes_them_are_refused(faults):
    with pytest.raises(UsageError, match="'faults' of the event INTEGRITY is .* where a list of texts was expected"):
        checked(pages=256, damaged_pages=1, faults=faults)


@pytest.mark.parametrize(
    ("version", "accelerator", "half_sent", "code"),
    [
        ((7, 2, 22), "tcg", 2, "half-sent"),
        ((8, 2, 9), "tcg", 2, "half-sent"),
        ((9, 0, 0), "tcg", 2, "damaged"),
        ((7, 2, 22), "kvm", 2, "damaged"),
        ((7, 2, 22), "tcg", 1, "damaged"),
        ((7, 2, 22), "tcg", None, "damaged"),
        (None, "tcg", 2, "damaged"),
    ],
)
def test_a_write_that_arrived_in_part_is_no_fault_of_a_qemu_that_is_known_for_it(version, accelerator, half_sent, code):
    header = {"accelerator": accelerator}
    if version:
        header["qemu"] = {"qemu": dict(zip(("major", "minor", "micro"), version, strict=True)), "package": ""}
    told = {} if half_sent is None else {"half_sent": half_sent}
    verdict = checked(header, pages=256, damaged_pages=2, faults=["page 3 is torn", "page 9 is torn"], **told)
    assert (verdict.check("memory").code, verdict.passed) == (code, None if code == "half-sent" else False)
    assert verdict.check("memory").sentence.startswith(
        "under TCG, QEMU before 9.0 loses" if code == "half-sent" else "the guest's memory is damaged: 2 of 256 pages"
    )


@pytest.mark.parametrize(
    ("in_pass", "between", "is_early"),
    [(1, [], True), (2, [], True), (3, [], False), (1, ["postcopy-active"], False)],
)
def test_a_guest_that_was_stopped_before_the_last_pass_was_down_for_longer_than_qemu_says(in_pass, between, is_early):
    ram = [row["query-migrate"]["ram"] for row in ROWS]
    first_s = next(row["t"] for row, its in zip(ROWS, ram, strict=True) if its["dirty-sync-count"] == in_pass)
    ends = [completed(ROWS, downtime=QEMU_MS) for _ in (*between, "completed")]
    for end, status in zip(ends, (*between, "completed"), strict=True):
        end["query-migrate"] |= {"status": status, "ram": {**ram[-1], "remaining": 0, "dirty-sync-count": 4}}
    trace = made([*ROWS, *ends], [event(first_s + 0.001, "source", "STOP")])
    told = standing(last_look(Evidence.of(trace))).sentence
    assert ("the guest was stopped some time before, so it was down for more than QEMU's 100 ms" in told) is is_early
    assert ("the guest was down for 100 ms" in told) is not is_early


@pytest.mark.parametrize(("names", "is_stopped"), [(["STOP"], True), (["STOP", "RESUME"], False), ([], False)])
def test_a_guest_that_is_stopped_dirties_nothing_so_no_limit_matters(names, is_stopped):
    said = "the guest is stopped and dirties nothing, so the migration ends once what is left is sent"
    events = [event(ROWS[-3]["t"] + at / 1000, "source", name) for at, name in enumerate(names)]
    advice = advise(made(ROWS, events))
    assert advice.reasons[0].startswith(said) is is_stopped
    assert (advice.limit_ms is None) is is_stopped


@pytest.mark.parametrize(("status", "is_stopped"), [("pre-switchover", True), ("device", True), ("active", False)])
def test_nor_does_one_once_qemu_switches_over(status, is_stopped):
    last = ROWS[-1]
    rows = [*ROWS, {**last, "t": last["t"] + 0.02, "query-migrate": {**last["query-migrate"], "status": status}}]
    advice = advise(made(rows))
    assert (advice.limit_ms is None) is is_stopped
    assert advice.reasons[0].endswith(": no downtime-limit matters") is (status == "pre-switchover")


def test_a_stop_after_the_last_sample_may_have_been_for_the_switchover():
    advice = advise(made(ROWS, [event(ROWS[-1]["t"] + 0.001, "source", "STOP")]))
    assert advice.limit_ms is not None


def test_a_guest_that_is_stopped_does_not_help_where_nothing_is_sent():
    rows = ROWS[:-5]
    last = rows[-1]
    rest = [{**last, "t": last["t"] + at} for at in range(1, 15)]
    assert last["query-migrate"]["ram"]["remaining"]
    advice = advise(made([*rows, *rest], [event(last["t"] + 1.5, "source", "STOP")]))
    assert not any("whatever the downtime-limit is" in reason for reason in advice.reasons)
