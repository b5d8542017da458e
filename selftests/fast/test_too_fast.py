# SPDX-License-Identifier: GPL-2.0-or-later
"""What no link carries is said to be that, and nothing is judged or advised from it."""

import json

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.pace import Pace
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.reading import Stamp
from avocado_migdowntime.verdict.judge import judge

from ..support.documents import TOP

LOOKS = TOP / "selftests"
AT_ONCE = "more than any link carries: nothing follows from such figures"


def reply(total_ms, mbps=940.0, left=235_000_000, normal=1_650_000, sent=None):
    ram = {"total": 4 << 30, "remaining": left, "page-size": 4096, "normal": normal, "duplicate": 200_000}
    ram |= {"dirty-sync-count": 5, "dirty-pages-rate": 20_000, "mbps": mbps, "transferred": sent or normal * 4096}
    return {"status": "active", "total-time": total_ms, "setup-time": 5, "expected-downtime": 3000, "ram": ram}


def replies(*answers):
    return "\n".join(json.dumps({"return": one}) for one in answers)


def changed(name, was, becomes):
    text = (LOOKS / name).read_text()
    assert was in text
    return text.replace(was, becomes)


def nova(sent):
    at = (
        "2024-05-12 12:{:02}:00.123 7 INFO nova.virt.libvirt.driver [-] [instance: a-1] Migration running for {} secs, "
    )
    memory = "memory 5% remaining; (bytes processed={}, remaining=831111168, total=17184923648)"
    return "\n".join((at + memory).format(minute, minute * 60, sent(minute)) for minute in (1, 2, 3))


def sparse(sent_of_last):
    return replies(*[reply(60_000 + 200 * number) for number in range(7)], reply(61_400, sent=sent_of_last))


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        (replies(reply(60_000, mbps=1e7)), "10000000 mbps are shown"),
        (replies(reply(60_000), reply(60_100, mbps=2e7)), "20000000 mbps are shown"),
        (changed("recordings/info-migrate-7.2.txt", " 96.53 mbps", " 9653000.00 mbps"), "9653000 mbps are shown"),
        (changed("forms/domjobinfo-below-its-prompt.txt", "20.013 MiB", "20.013 TiB"), "176036209.7 mbps are shown"),
        (replies(reply(60_000, sent=10**18)), "1e+18 bytes were sent in at most 60.1 s before the first figures"),
        (replies(reply(60_000), reply(60_100, sent=10**16)), "1e+16 bytes were sent in at most 0.201 s between two"),
        (
            replies(reply(60_000), reply(60_100, normal=10**10)),
            "4.1e+13 bytes were sent in at most 0.201 s between two",
        ),
        (sparse(10**13), "9.99e+12 bytes were sent in at most 0.301 s between two"),
        (changed("forms/info-migrate-1.6.txt", "1487503", "2"), "3.93e+11 bytes were sent in at most 0.103 s before"),
        (nova(lambda minute: 10**9 if minute < 3 else 10**15), "1e+15 bytes were sent in at most 60.1 s between two"),
    ],
)
def test_it_is_said_and_nothing_follows(text, begins):
    trace = parse(text.encode())
    verdict, advice = judge(trace), advise(trace)
    assert begins in verdict.reasons[0] and AT_ONCE in verdict.reasons[0]
    assert (verdict.verdict, verdict.left_now_ms, advice.limit_ms) == ("inconclusive", None, None)
    assert any(begins in reason and AT_ONCE in reason for reason in advice.reasons)
    assert not any("are left" in reason or "were left" in reason for reason in (*verdict.reasons, *advice.reasons))


@pytest.mark.parametrize(
    "text",
    [
        replies(reply(60_000, mbps=1_600_000)),
        replies(reply(60_000), reply(60_100, sent=60_000_000_000)),
        # Without a time, nothing is known of how long it took.
        replies(*({**reply(0, sent=sent), "total-time": None} for sent in (10**10, 10**16))),
        nova(lambda minute: 10**12 * minute),
    ],
)
def test_what_a_link_may_carry_is_taken(text):
    assert not parse(text.encode()).doubt and judge(parse(text.encode())).report.code != "too-fast"


@pytest.mark.parametrize("rate", [2**64 - 1, 1_048_576_001])
def test_no_guest_dirties_more_than_all_it_has_again_and_again(rate):
    answer = reply(60_000)
    answer["ram"]["dirty-pages-rate"] = rate
    said = f"{rate:.10g} dirty pages per second are shown, more than a guest of this size dirties: nothing follows"
    trace = parse(replies(answer).encode())
    assert said in judge(trace).reasons[0] and advise(trace).limit_ms is None
    assert any(said in reason for reason in advise(trace).reasons)
    answer["ram"]["dirty-pages-rate"] = 1_000_000_000
    assert judge(parse(replies(answer).encode())).report.code != "too-fast"


def test_one_look_among_many_does_not_hide_the_others():
    answers = [reply(60_000 + 200 * number, left=235_000_000 - 23_000_000 * number) for number in range(8)]
    answers[4] = reply(60_800, mbps=1e8)
    trace = parse(replies(*answers).encode())
    assert [sample.ram is None for sample in trace.samples] == [number == 4 for number in range(8)]
    assert judge(trace).left_now_ms == pytest.approx(629.8, abs=0.1)


def test_what_qemu_begins_with_is_no_throughput():
    verdict = judge(parse(replies(reply(60_000, mbps=-1)).encode()))
    assert verdict.report.code == "no-bandwidth" and "QEMU has measured nothing yet" in verdict.reasons[0]


def test_the_bandwidth_between_two_lines_is_none_that_a_link_does_not_carry():
    pace = Pace()
    assert pace.mbps(Stamp(10, 1), 0) is None
    assert pace.mbps(Stamp(11.5, 1), 10**12).high == 5_000_000
    assert pace.mbps(Stamp(20, 1), 10**14) is None
