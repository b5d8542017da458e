# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs of Proxmox VE, Nova and KubeVirt: the figures of real ones."""

import pytest

from avocado_migdowntime.basics.interval import Interval

from ..support import product_logs
from ..support.log_readings import left_ms, limits, readings, remarks, text
from ..support.product_logs import RECORDED, logged, looks


def test_a_task_log_of_proxmox_of_2014():
    data = text("proxmox-2014.txt")
    *active, ended = readings(data)
    assert [one.answer["ram"]["remaining"] for one in active] == [930062336, 788221952, 20889600, 11558912]
    assert [one.stamp.t_s - active[0].stamp.t_s for one in active] == [0, 2, 13, 13]
    assert ended.answer == {"status": "completed", "downtime": 54}
    assert limits(data) == [(100, False)]
    took = left_ms(active[-1])
    assert took.low < 165 < took.high and took.width < 25
    assert active[-1].estimated["ram.mbps"]
    assert remarks(data) == [
        "at the last line before that 11.6 MB were left: 164 ms (153 to 174) at 71 MB/s (66.2 to 75.7), "
        "under a downtime-limit of 100 ms"
    ]
    assert {one.of for one in active} == {"VM 123"}


def test_a_faster_one():
    data = text("proxmox-2014-faster.txt")
    *_, last, ended = readings(data)
    took = left_ms(last)
    assert took.low < 69742592 / (7115710846 / 19) * 1000 < took.high
    assert ended.answer["downtime"] == 262


def test_a_task_log_of_proxmox_of_2025_has_no_remaining_ram():
    data = text("proxmox-2025-11.txt")
    *active, ended = readings(data)
    assert len(active) == 15
    assert not any("remaining" in one.answer["ram"] for one in active)
    assert active[0].answer["ram"]["transferred"] == round(515.4 * 2**20)
    assert active[0].rounding["ram.transferred"].within(Interval(515.34 * 2**20, 515.46 * 2**20))
    assert ended.answer == {"status": "completed", "downtime": 59}
    assert limits(data) == [(100, False)]


def test_a_log_that_was_cancelled_and_has_no_times():
    *active, ended = readings(text("proxmox-cancelled.txt"))
    assert [one.stamp for one in active] == [None, None]
    assert ended.answer == {"status": "cancelled"}
    assert not any("mbps" in one.answer["ram"] for one in active)


def test_the_limit_is_doubled_and_the_old_one_holds_where_that_failed():
    begin = b"starting migration of VM 7 to node 'n' (192.0.2.1)\nmigration downtime limit: 100 ms\n"
    look = b"migration active, transferred 1.0 GiB of 2.0 GiB VM-state, 110.0 MiB/s\n"
    doubled = b"auto-increased downtime to continue migration: 200 ms\n"
    assert limits(begin + look + doubled) == [(100, False), (200, True)]
    failed = doubled + b"migrate-set-parameters error: VM 7 qmp command failed\n"
    assert limits(begin + look + failed) == [(100, False), (200, True), (100, True)]


def test_seconds_of_the_older_command_are_seconds():
    assert limits(text("proxmox-2014.txt").replace(b"migrate_set_downtime: 0.1", b"migrate_set_downtime: 2")) == [
        (2000, False)
    ]


def test_what_the_guest_dirties_is_told_where_it_is_more_than_is_sent():
    line = (
        b"2025-11-14 21:47:57 migration active, transferred 10.6 GiB of 12.6 GiB VM-state, 110.0 MiB/s "
        b"(+ 1.5 MiB VFIO-state), VM dirties lots of memory: 1.2 GiB/s\n"
    )
    [reading] = readings(line)
    assert reading.answer["ram"]["dirty-pages-rate"] == round(1.2 * 2**30 / 4096)
    assert reading.answer["ram"]["pages-per-second"] == 110 * 256
    assert reading.answer["vfio"] == {"transferred": round(1.5 * 2**20)}


def test_a_log_of_nova():
    data = text("nova-2018.txt")
    early, late = readings(data)
    assert (early.answer["ram"]["remaining"], late.answer["ram"]["remaining"]) == (9001529344, 831111168)
    assert left_ms(late).low < 6915 < left_ms(late).high and left_ms(late).width < 2
    assert late.rounding["ram.mbps"].scaled(0.125).within(Interval(120.1, 120.3))
    assert limits(data) == [(50, True)]
    assert remarks(data) == [
        "Nova gave up this migration after 12800 s, unless live_migration_timeout_action is force_complete",
        "at the last line 831 MB were left: 6.91 s at 120 MB/s, far above the 500 ms that Nova ends with by default "
        "(live_migration_downtime)",
    ]


def test_in_the_first_pass_of_nova_nothing_is_compared_to_its_default():
    data = logged(product_logs.nova, looks(RECORDED, 1)[:3])
    assert remarks(data) == []


def test_disks_that_nova_sends_are_told_in_either_form():
    line = logged(product_logs.nova, looks(RECORDED, 3)[:1]).decode()
    newer = line.replace("processed=0, remaining=0, total=0", "processed=5, remaining=7, total=12")
    assert readings(newer.encode())[0].answer["disk"] == {"transferred": 5, "remaining": 7, "total": 12}
    assert "disk" not in readings(line.encode())[0].answer
    left = readings(line.encode())[0].answer["ram"]["remaining"] + 4096
    head = line.partition("Migration running")[0]
    older = f"{line}{head}Data remaining {left} bytes, low watermark 5 bytes 3 seconds ago\n"
    assert [one.answer.get("disk") for one in readings(older.encode())] == [None, {"remaining": 4096}]


def test_a_log_of_kubevirt():
    first, second = readings(text("kubevirt-2024.txt"))
    assert [one.answer["ram"]["dirty-sync-count"] for one in (first, second)] == [4, 5]
    assert second.stamp.t_s - first.stamp.t_s == pytest.approx(2.006)
    assert [one.answer["expected-downtime"] for one in (first, second)] == [2143, 2149]
    assert second.answer["ram"]["page-size"] == 4096 and "ram.page-size" in second.derived
    assert second.rounding["ram.remaining"] == Interval(2010 * 2**20, 2011 * 2**20)
    assert second.rounding["ram.mbps"] == Interval(9413, 9414)
    assert second.rounding["ram.dirty-pages-rate"].within(Interval(7822e6 / 8 / 4096, 7823e6 / 8 / 4096))
    assert "disk" not in second.answer
