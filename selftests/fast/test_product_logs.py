# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs of Proxmox VE, Nova, KubeVirt and vdsm: real ones, and recordings in their words."""

import json
import re
from datetime import UTC, datetime

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advice import Finding
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.model import SEVERAL
from avocado_migdowntime.trace.reading import Happening, Reading, Remark, Setting

from ..support import product_logs
from ..support.documents import TOP
from ..support.product_logs import items, logged, looks

TEXTS = TOP / "selftests" / "texts"
RECORDED = "x86_64-kvm-qemu-7.2-limit-700ms"
EACH = [
    product_logs.proxmox_old,
    product_logs.proxmox_new,
    product_logs.nova,
    product_logs.kubevirt,
    product_logs.kubevirt_64th,
    product_logs.kubevirt_bytes,
    product_logs.vdsm_mbps,
    product_logs.vdsm_mib,
]
NAMES = [form.__name__ for form in EACH]


def text(name):
    return (TEXTS / name).read_bytes()


def of(kind, data):
    return [item for item in items(data) if isinstance(item, kind)]


def readings(data):
    return of(Reading, data)


def remarks(data):
    return [remark.text for remark in of(Remark, data)]


def limits(data):
    return [(s.parameters["downtime-limit"], s.changed) for s in of(Setting, data) if "downtime-limit" in s.parameters]


def left_ms(reading):
    mbps = reading.rounding.get("ram.mbps") or Interval(*[reading.answer["ram"]["mbps"]] * 2)
    remaining = reading.answer["ram"]["remaining"]
    return Interval(remaining / mbps.high / 125, remaining / mbps.low / 125)


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
        "Nova gave this migration up after 12800 s, unless it was told to force it",
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


@pytest.mark.parametrize("form", EACH, ids=NAMES)
@pytest.mark.parametrize("period_s", [0.5, 4.0])
def test_what_is_read_holds_what_was_recorded(form, period_s):
    recorded = looks(RECORDED, period_s)
    read = [one for one in readings(logged(form, recorded)) if one.answer["status"] == "active"]
    assert len(read) == len(recorded) > 2
    for look, reading in zip(recorded, read, strict=True):
        ram, truth = reading.answer["ram"], look.answer["ram"]
        for name in (
            "transferred",
            "remaining",
            "total",
            "dirty-sync-count",
            "dirty-pages-rate",
            "normal",
            "duplicate",
        ):
            if name in ram:
                _holds(reading, f"ram.{name}", truth[name])
        if "mbps" in ram and "ram.mbps" not in reading.estimated:
            _holds(reading, "ram.mbps", truth["mbps"])
        assert ram.get("page-size", 4096) == truth["page-size"]
        assert (
            reading.answer.get("expected-downtime", look.answer["expected-downtime"])
            == (look.answer["expected-downtime"])
        )
        since_s = reading.stamp.t_s - read[0].stamp.t_s
        assert abs(since_s - (look.t_s - recorded[0].t_s)) <= reading.stamp.tick_s + 1e-6


def _holds(reading, name, value):
    part, _, field = name.partition(".")
    known = reading.rounding.get(name)
    shown = reading.answer[part][field]
    # libvirt cuts bytes a second before anything else is cut.
    known = known or Interval(shown, shown)
    assert known.low - 1e-4 <= value <= known.high + 1e-4


@pytest.mark.parametrize("form", [product_logs.proxmox_old, product_logs.nova], ids=["proxmox", "nova"])
def test_the_bandwidth_that_is_worked_out_holds_what_was_sent_meanwhile(form):
    recorded = looks(RECORDED, 2)
    read = readings(logged(form, recorded))
    for look, reading in list(zip(recorded, read, strict=True))[3:]:
        window = [one for one in recorded if one.t_s < look.t_s]
        rates = [
            (look.answer["ram"]["transferred"] - one.answer["ram"]["transferred"]) / (look.t_s - one.t_s) / 125_000
            for one in window
        ]
        assert any(reading.rounding["ram.mbps"].low <= rate <= reading.rounding["ram.mbps"].high for rate in rates)


def test_mbps_of_kubevirt_1_1_are_64_times_too_little_which_is_told():
    recorded = looks(RECORDED, 4)
    data = logged(product_logs.kubevirt_64th, recorded)
    assert [text for text in remarks(data) if "64 times" in text] == [
        "this KubeVirt logs Mbps that are 64 times too little; they are multiplied"
    ]
    assert not any("64" in text for text in remarks(logged(product_logs.kubevirt, recorded)))


PREFIXES = {
    "kubectl --timestamps": "2024-05-12T11:57:06.546232123Z ",
    "kubectl --prefix": "[pod/virt-launcher-vm1-x7k2p/compute] ",
    "docker compose": "compute-1  | ",
    "journal": "May 12 11:57:06 host1 virt-launcher[4711]: ",
    "quoted": "> ",
}


@pytest.mark.parametrize("form", EACH, ids=NAMES)
@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES.keys())
def test_what_collects_logs_may_put_something_before_each_line(form, prefix):
    recorded = looks(RECORDED, 2)[:4]
    plain, within = (readings(logged(line, recorded)) for line in (form, lambda look: prefix + form(look)))
    shown = [[one.answer["ram"].get(name) for name in ("transferred", "remaining", "normal")] for one in plain]
    assert [[one.answer["ram"].get(name) for name in ("transferred", "remaining", "normal")] for one in within] == shown


@pytest.mark.parametrize("form", [form for form in EACH if form is not product_logs.proxmox_new])
def test_lines_far_apart_in_a_long_log_are_found(form):
    # Proxmox VE's newer lines have no word that is searched for: a task log is of one migration and has no other lines.
    noise = "2024-05-12 11:57:06,546+0000 INFO  (jsonrpc/1) [api.host] FINISH getStats return={'status': {'code': 0}}\n"
    recorded = looks(RECORDED, 4)
    long = (3000 * noise).join(f"{form(look)}\n" for look in recorded).encode()
    assert [one.answer for one in readings(long)] == [one.answer for one in readings(logged(form, recorded))]


def test_limits_far_from_figures_are_found_and_the_end_near_them():
    noise = "2018-05-03 12:00:00.123 8 DEBUG oslo_concurrency.lockutils [-] Lock released, held 0.123s\n" * 3000
    head = "2018-05-03 12:00:00.123 8 INFO nova.virt.libvirt [-] [instance: 0-0]"
    told = [
        f"{head} Increasing downtime to 50 ms after 0 sec elapsed time\n",
        text("nova-2018.txt").decode().splitlines(True)[2],
        f"{head} Increasing downtime to 95 ms after 1200 sec elapsed time\n",
        f"{head} Migration operation has completed\n",
    ]
    data = (noise + noise.join(told[:-1]) + noise[:9000] + told[-1] + noise).encode()
    assert limits(data) == [(50, True), (95, True)]
    assert readings(data)[-1].answer["status"] == "completed"


def test_two_guests_in_a_log_of_vdsm_are_told_apart():
    recorded = looks(RECORDED, 2)[:4]
    one = [product_logs.vdsm_mbps(look) for look in recorded]
    other = [line.replace(product_logs.GUEST, "11111111-0000-4000-8000-000000000001") for line in one]
    read = readings("\n".join(line for pair in zip(one, other, strict=True) for line in pair).encode())
    assert [reading.of for reading in read[:2]] == [
        "VM 00000000-0000-4000-8000-000000000001",
        "VM 11111111-0000-4000-8000-000000000001",
    ]


def test_the_limits_of_vdsms_schedule_and_those_that_it_sets():
    guest = "vmId='00000000-0000-4000-8000-000000000001'"
    schedule = (
        "2019-03-13 09:12:01,123+0100 INFO  (jsonrpc/1) [api.virt] START migrate(params={'vmID': "
        "'00000000-0000-4000-8000-000000000001', 'convergenceSchedule': {'init': [{'params': ['100'], 'name': "
        "'setDowntime'}], 'stalling': [{'action': {'params': ['150'], 'name': 'setDowntime'}, 'limit': 1}, {'action': "
        "{'params': ['500'], 'name': 'setDowntime'}, 'limit': 6}, {'action': {'params': [], 'name': 'abort'}, "
        "'limit': -1}]}}, incomingLimit=2) from=::1 (api:48)\n"
    )
    sets = f"2019-03-13 09:12:31,123+0100 DEBUG (migmon/00000000) [virt.vm] ({guest}) Setting downtime to 150 (m:1)\n"
    assert limits((schedule + sets).encode()) == [(100, False), (150, True)]
    recorded = logged(product_logs.vdsm_mbps, looks(RECORDED, 1)[-1:])
    assert remarks(schedule.encode() + recorded) == [
        "at the last line 79.2 MB were left: 1.58 s at 50 MB/s, far above the 500 ms that vdsm was told to raise the "
        "downtime-limit to"
    ]


def test_what_the_oldest_vdsm_tells_is_recognised_though_it_is_no_figure():
    line = (
        "Thread-1234::INFO::2014-03-05 10:10:10,123::migration::455::virt.vm::(run) vmId=`0000`::"
        "Migration Progress: 10 seconds elapsed, 12% of data processed\n"
    )
    from avocado_migdowntime.forms.reader import Reader

    reader = Reader()
    assert [*reader.feed(line.encode()), *reader.end()] == []
    [form] = reader.forms
    assert (form.NAME, form.INSTEAD) == (
        "a log of oVirt's vdsm",
        "`virsh -r domjobinfo VM` on the source host, again and again",
    )


@pytest.mark.parametrize(
    ("line", "limit_ms"),
    [
        ("downtime tuning: max_downtime 300ms -> 150ms (ceiling=1050ms)", 150),
        ("forcing switchover by setting max downtime to 2000000ms: stalled", 2_000_000),
        ("max downtime set to 900ms: stalled", 900),
        ("Set max downtime to 1600s for vm1", 1_600_000),
    ],
)
def test_limits_that_kubevirt_sets(line, limit_ms):
    log = {"level": "info", "msg": line, "name": "vm1", "timestamp": "2024-05-12T11:57:09.000000Z"}
    assert limits(text("kubevirt-2024.txt") + json.dumps(log).encode()) == [(limit_ms, True)]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Live migration succeeded.", "completed"),
        ("Aborting migration: stuck for 150 seconds", "cancelled"),
        ("Live migration failed", "failed"),
        ("Starting post copy mode for migration", "postcopy-active"),
    ],
)
def test_how_a_migration_of_kubevirt_ends(line, status):
    log = {"level": "info", "msg": line, "name": "vm1", "timestamp": "2024-05-12T11:57:09.000000Z"}
    *_, last = readings(text("kubevirt-2024.txt") + json.dumps(log).encode())
    assert last.answer["status"] == status
    assert last.stamp.t_s == datetime(2024, 5, 12, 11, 57, 9, tzinfo=UTC).timestamp()


def test_what_follows_the_begin_of_postcopy_is_postcopy_unless_it_could_not_begin():
    def log(message):
        return (
            json.dumps({"level": "info", "msg": message, "timestamp": "2024-05-12T11:57:07.000000Z"}).encode() + b"\n"
        )

    first, second = text("kubevirt-2024.txt").splitlines(True)
    begins, fails = log("Starting post copy mode for migration"), log("failed to start post migration")
    assert [one.answer["status"] for one in readings(first + begins + second)] == [
        "active",
        "postcopy-active",
        "postcopy-active",
    ]
    assert [one.answer["status"] for one in readings(first + begins + fails + second)][-1] == "active"
    assert remarks(first + begins + second) == []


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (product_logs.nova, "INFO nova.virt.libvirt [-] [instance: {}] Switching to post-copy migration mode\n"),
        (product_logs.vdsm_mbps, "INFO  (libvirt/events) [virt.vm] (vmId='{}') Migration switched to post-copy mode\n"),
    ],
    ids=["nova", "vdsm"],
)
def test_nova_and_vdsm_tell_of_postcopy_too(form, line):
    first, second = (form(look) + "\n" for look in looks(RECORDED, 2)[2:4])
    told = "2024-05-12 11:57:10,000+0000 " + line.format(product_logs.GUEST)
    statuses = [one.answer["status"] for one in readings((first + told + second).encode())]
    assert statuses == ["active", "postcopy-active", "postcopy-active"]


def test_kubevirt_stops_a_guest_that_does_not_converge():
    log = {"msg": "Pausing the guest to allow migration to complete", "timestamp": "2024-05-12T11:57:09.000000Z"}
    [stop] = of(Happening, text("kubevirt-2024.txt") + json.dumps(log).encode())
    assert stop.message == {"event": "STOP"}


def test_a_job_of_kubevirt_that_completed_tells_the_downtime():
    line = re.sub(rb"ExpectedDowntime:2149ms", b"Downtime:57ms DowntimeNet:31ms", text("kubevirt-2024.txt"))
    *_, last = readings(line)
    assert last.answer["status"] == "completed" and last.answer["downtime"] == 57


def test_what_kubevirt_logs_of_a_backup_is_no_migration():
    data = text("kubevirt-2024.txt").replace(b"Migration info for ", b"Backup info for ")
    assert readings(data) == []


def test_the_engine_of_ovirt_tells_the_real_downtime():
    line = (
        "2019-03-13 09:13:05,123+01 INFO  [org.ovirt.engine.core.dal.dbbroker.auditloghandling.AuditLogDirector] "
        "(ForkJoinPool-1-worker-4) [] EVENT_ID: VM_MIGRATION_DONE(63), Migration completed (VM: vm1, Source: host1, "
        "Destination: host2, Duration: 34 seconds, Total: 39 seconds, Actual downtime: 84ms)\n"
    )
    [reading] = readings(line.encode())
    assert (reading.of, reading.answer) == ("VM vm1", {"status": "completed", "downtime": 84})


@pytest.mark.parametrize(
    "wrapped",
    ['   {"n": 5, "t": "%s"},', "│  5 │ %s │", "proxmox-7: %s", "[pod/x/compute] %s"],
    ids=["pvesh as JSON", "pvesh as a table", "a name", "a pod"],
)
def test_a_log_s_own_time_is_found_behind_what_was_put_before_it(wrapped):
    recorded = looks(RECORDED, 2)[:4]
    plain, within = (
        readings("\n".join(put % product_logs.proxmox_new(look) for look in recorded).encode())
        for put in ("%s", wrapped)
    )
    assert [one.stamp.t_s for one in within] == [one.stamp.t_s for one in plain]
    assert len(plain) == 4


def test_a_second_migration_of_a_guest_follows_the_first():
    first, second = text("proxmox-2014.txt"), text("proxmox-2014-faster.txt").replace(b"VM 116", b"VM 123")
    trace = parse(first + second)
    assert trace.samples[-1].downtime_ms == 262
    assert SEVERAL in trace.notes
    assert [sample.status for sample in trace.samples].count("completed") == 1


def test_of_two_guests_the_last_one_is_read_and_that_is_told():
    trace = parse(text("proxmox-2014-faster.txt") + text("proxmox-2014.txt"))
    assert trace.samples[-1].downtime_ms == 54
    assert "2 guests are migrated in this text: VM 123 is judged" in trace.notes


def test_a_first_migration_that_did_not_end_is_another_than_the_second():
    begun = text("proxmox-2014.txt").partition(b"Nov 24 12:26:58")[0]
    trace = parse(begun + text("proxmox-2014.txt"))
    assert len(trace.samples) == 5


def test_of_a_first_pass_no_limit_is_said_to_be_needed_later():
    begun = text("proxmox-2014.txt").partition(b"Nov 24 12:26:58")[0]
    advice = advise(parse(begun))
    assert advice.finding is Finding.UNKNOWN and advice.limit_ms is None
    assert advice.reasons[0].endswith("so ending it now takes a limit of 8638 ms at least")
