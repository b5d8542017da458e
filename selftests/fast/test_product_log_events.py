# SPDX-License-Identifier: GPL-2.0-or-later
"""What products log beside figures: limits that are set, ends, postcopy, several guests and migrations."""

import json
import re
from datetime import UTC, datetime

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advice import Finding
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.model import SEVERAL
from avocado_migdowntime.trace.reading import Happening

from ..support import product_logs
from ..support.documents import TOP
from ..support.log_readings import limits, of, readings, remarks, text
from ..support.product_logs import RECORDED, logged, looks


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
        "`virsh -r domjobinfo VM` on the source host, repeatedly",
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


@pytest.mark.parametrize(
    ("data_mib", "left_mib", "disk"),
    [
        (4113, 300, None),
        (4114, 300, {"remaining": 76 * 2**20, "total": 2 * 2**20}),
        (9112, 5224, {"remaining": 5000 * 2**20, "total": 5000 * 2**20}),
        (9112, 200, {"remaining": 0, "total": 5000 * 2**20}),
    ],
)
@pytest.mark.parametrize("unit", ["MiB", "B"])
def test_a_disk_is_what_kubevirt_sends_beside_memory(data_mib, left_mib, disk, unit):
    """Of 4112 MiB of memory 224 are left; MiB are cut off, so that one more may be none."""
    line = text("kubevirt-2024-postcopy.txt").splitlines(True)[3]
    shown = line.replace(b"DataTotal:4112MiB", b"DataTotal:%dMiB" % data_mib)
    shown = shown.replace(b"DataRemaining:224MiB", b"DataRemaining:%dMiB" % left_mib)
    if unit == "B":
        shown = re.sub(rb":(\d+)MiB", lambda match: b":%dB" % (int(match[1]) << 20), shown)
        if disk is None:
            disk = {"remaining": 76 * 2**20, "total": 1 << 20}
    [reading] = readings(shown)
    assert reading.answer.get("disk") == disk
    for name in (b"DataTotal", b"MemoryTotal", b"DataRemaining"):
        [reading] = readings(shown.replace(name, b"Another"))
        assert "disk" not in reading.answer


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


def test_a_log_of_vdsm_whose_identifiers_were_taken_out_tells_its_end():
    bare = re.sub(rb"\(vmId=\S+\) ", b"", text("vdsm-2024-aborted.txt"))
    assert b"vmId" not in bare
    assert [one.status for one in parse(bare).samples][-1] == "cancelled"


@pytest.mark.parametrize("guest", [f"(vmId='{product_logs.GUEST}') ", ""])
@pytest.mark.parametrize(
    ("line", "end"),
    [("migration took 34 seconds to complete", "completed"), ("a snapshot took 3 seconds to complete", "active")],
)
def test_of_what_vdsm_completes_a_migration_alone_ends_one(guest, line, end):
    look = product_logs.vdsm_mbps(*looks(RECORDED, 1)[-1:]).replace(f"(vmId='{product_logs.GUEST}') ", guest)
    told = f"2024-05-12 11:57:20,000+0000 INFO  (migsrc/1) [virt.vm] {guest}{line} (migration:482)\n"
    assert readings(f"{look}\n{told}".encode())[-1].answer["status"] == end
    assert readings(told.encode()) == [] or guest


def test_the_engine_of_ovirt_may_not_know_the_downtime():
    line = "INFO [...AuditLogDirector] Migration completed (VM: {}, Source: h1, Destination: h2, Actual downtime: {})\n"
    trace = parse((line.format("vm1", "84ms") + line.format("vm2", "(N/A)")).encode())
    assert (trace.samples[-1].status, trace.samples[-1].downtime_ms) == ("completed", None)
    assert "2 guests are migrated in this text: VM vm2 is judged" in trace.notes


def test_a_second_migration_of_a_guest_follows_the_first():
    first, second = text("proxmox-2014.txt"), text("proxmox-2014-faster.txt").replace(b"VM 116", b"VM 123")
    trace = parse(first + second)
    assert trace.samples[-1].downtime_ms == 262
    assert SEVERAL in trace.notes
    assert [sample.status for sample in trace.samples].count("completed") == 1


def test_each_migration_of_a_guest_after_one_that_did_not_end_has_a_number():
    begun = text("proxmox-2014.txt").partition(b"Nov 24 12:26:58")[0]
    names = list(dict.fromkeys(reading.of for reading in readings(begun * 3)))
    assert names == ["VM 123", "VM 123, migration 2", "VM 123, migration 3"]


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
    assert advice.reasons[0].endswith("so ending it now needs a limit of at least 8638 ms")


def test_of_a_migration_that_ended_nothing_more_is_to_be_recorded():
    lines = (TOP / "selftests" / "texts" / "kubevirt-2024-aborted.txt").read_text().splitlines(keepends=True)
    under_way, ended = lines[:3], [*lines[:3], *lines[-2:]]
    reasons = advise(parse("".join(under_way).encode())).reasons
    assert any("record until the second pass" in reason for reason in reasons)
    reasons = advise(parse("".join(ended).encode())).reasons
    assert reasons[0] == "the migration was cancelled; QEMU predicts nothing now"
    assert not any("record until" in reason for reason in reasons)
