# SPDX-License-Identifier: GPL-2.0-or-later
"""What one reply shows that no limit follows from: packed pages, devices, rates as before 3.0, absurd reports."""

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.verdict.judge import judge

REPLY = (
    '{"return": {"status": "active", "total-time": 44000, "setup-time": 1, "expected-downtime": 44000, "ram": '
    '{"total": 290000000, "remaining": 80000000, "transferred": 88000000, "mbps": 16, "page-size": 4096, '
    '"normal": NORMAL, "duplicate": 120000, "dirty-sync-count": 2, "dirty-pages-rate": RATE, "multifd-bytes": 0}}}'
)


@pytest.mark.parametrize(("normal", "is_packed"), [(26_600, False), (26_900, True), (20_000_000, True)])
def test_no_limit_is_advised_where_pages_went_out_in_fewer_bytes(normal, is_packed):
    text = REPLY.replace("NORMAL", str(normal)).replace("RATE", "700")
    advice = advise(parse(text.encode()))
    assert (advice.limit_ms is None) == is_packed
    said = f"{normal * 4096 / 1e6:.1f} MB of pages were sent as 88.0 MB, encoded or compressed: sending what is left"
    assert any(reason.startswith(said) for reason in advice.reasons) == is_packed


@pytest.mark.parametrize(("rate", "most_ms"), [(700, 40_000 + 57_344), (850_000, 40_000 + 145_000)])
def test_a_guest_dirties_no_more_than_all_of_its_ram(rate, most_ms):
    text = REPLY.replace("NORMAL", "20000").replace("RATE", str(rate))
    advice = advise(parse(text.encode()))
    assert advice.range_ms.high == pytest.approx(most_ms, abs=2)


@pytest.mark.parametrize(
    ("reported_ms", "said"),
    [(40_001, "at least the 40000.0 ms"), (39_998, "below the 40000.0 ms"), (39_000, "below the 40000.0 ms")],
)
def test_a_report_below_what_is_left_is_called_so_by_both(reported_ms, said):
    text = REPLY.replace("NORMAL", "20000").replace("RATE", "700").replace(': 44000, "ram', f': {reported_ms}, "ram')
    trace = parse(text.encode())
    assert f"QEMU's figure is {said}" in judge(trace).reasons[0]
    assert ("below what is left now" in " ".join(advise(trace).reasons)) == said.startswith("below")


def test_a_report_beyond_any_limit_lets_none_be_told():
    advice = advise(
        parse(REPLY.replace("NORMAL", "9").replace("RATE", "7").replace(' 44000, "ram', ' 9e18, "ram').encode())
    )
    assert "of QEMU 3.0 and later, QEMU accepts no limit that large" in " ".join(advice.reasons)


@pytest.mark.parametrize("whole", ["", '"remaining": 20979712, '])
def test_what_is_left_of_vfio_devices_is_in_no_report_before_11_1(whole):
    text = (
        REPLY.replace("NORMAL", "20000")
        .replace("RATE", "700")
        .replace('{"status"', f'{{"vfio": {{"transferred": 7}}, {whole}"status"')
    )
    advice = advise(parse(text.encode()))
    assert advice.limit_ms is None
    assert any(
        reason.startswith("the report of 44000 ms may exclude the state of VFIO devices") for reason in advice.reasons
    )
    assert any("no figure here has what is left" in reason for reason in advice.reasons) == (not whole)
    assert any("a VFIO device is migrated as well" in reason for reason in advice.reasons)


def test_that_a_bandwidth_may_be_set_is_said_unless_it_is():
    text = (
        "Migration status: active\ntotal time: 66092 ms\nexpected downtime: 2330 ms\ntransferred ram: 9458155 kbytes\n"
        "throughput: 1169.84 mbps\nremaining ram: 484672 kbytes\ntotal ram: 8524924 kbytes\nnormal: 2362561 pages\n"
        "normal bytes: 9450244 kbytes\ndirty sync count: 4\ndirty pages rate: 31000 pages\n"
    )
    assert judge(parse(text.encode())).reasons[0].endswith("sync, or avail-switchover-bandwidth is set")
    known = judge(parse(f"avail-switchover-bandwidth: 62500000 bytes/second\n{text}".encode()))
    assert known.reasons[0].endswith("it is wrong unless it was taken before the first update after a sync")


OLDER = '{"QMP": {"version": {"qemu": {"major": 2, "minor": 12, "micro": 0}, "package": ""}, "capabilities": []}}\n'
NEWER = OLDER.replace('"major": 2, "minor": 12', '"major": 3, "minor": 0')


@pytest.mark.parametrize(
    ("before", "shown", "is_doubted"),
    [
        ("", '"multifd-bytes": 0', False),
        ("", '"pages-per-second": 0', False),
        ("", '"postcopy-requests": 0', False),
        ("", '"postcopy-requests": 0, "skipped": 0', True),
        ("", '"skipped": 0', True),
        ("", '"normal-bytes": 81920000', True),
        (OLDER, '"postcopy-requests": 0', True),
        (NEWER, '"skipped": 0', False),
    ],
)
def test_a_report_that_may_be_a_rate_as_before_3_0_lets_advise_no_limit(before, shown, is_doubted):
    text = REPLY.replace("NORMAL", "20000").replace("RATE", "700").replace('"multifd-bytes": 0', shown)
    advice = advise(parse((before + text).encode()))
    assert advice.limit_ms == (None if is_doubted else 44_001)
    said = (
        "as neither a release nor a figure shows that this QEMU is 3.0 or newer; if this QEMU uses the formula "
        "of QEMU 3.0 and later, the limit is 44001 ms"
    )
    assert (said in " ".join(advice.reasons)) == is_doubted
