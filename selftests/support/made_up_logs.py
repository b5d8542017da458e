# SPDX-License-Identifier: GPL-2.0-or-later
"""Made-up logs that contain each kind of line of a product."""

A, B = "0000000a-0000-4000-8000-000000000001", "0000000b-0000-4000-8000-000000000002"


def _vdsm(*lines: str) -> str:
    """Each line starts with its second and the guest's letter, which the log writes as its identifier."""
    written = []
    for number, line in enumerate(lines):
        second, guest, words = line.split(" ", 2)
        of = f" (vmId='{ {'A': A, 'B': B}[guest] }')" if guest in "AB" else ""
        head = f"2024-05-12 11:57:{second},5{number:02}+0000 INFO  (migmon/1) [virt.vm]{of}"
        written.append(f"{head} {words}\n")
    return "".join(written)


def _progress(seconds: str, left: int, sent: int, rest: str, speed: str = "960Mbps") -> str:
    return (
        f"Migration Progress: {seconds} seconds elapsed, 12% of data processed, total data: 4112MB, "
        f"processed data: {sent}MB, remaining data: {left}MB, transfer speed {speed}{rest} (migration:867)"
    )


_SCHEDULE = (
    "START migrate(params={{'vmID': '{}', 'convergenceSchedule': {{'init': [{{'params': ['{}'], 'name': "
    "'setDowntime'}}], 'stalling': [{{'action': {{'name': 'setDowntime', 'params': ['{}']}}, 'limit': 1}}, "
    "{{'action': {{'params': ['400'], 'name': 'setDowntime'}}, 'limit': 2}}]}}}})"
)
_FIRST = ", zero pages: 7MB, compressed: 1MB, dirty rate: -1, memory iteration: 1"
_LATER = ", zero pages: 9, compressed: 1MB, dirty rate: 20000, memory iteration: 12"
VDSM = _vdsm(
    f"01 - {_SCHEDULE.format(A, 100, 150)}",
    f"01 - {_SCHEDULE.format(A, 700, 750)}",
    f"02 - START migrate(params={{'vmID': '{B}', 'convergenceSchedule': {{'stalling': [{{'action': {{'name': "
    "'setDowntime', 'params': ['250']}}, 'limit': 1}], 'init': [{'params': ['200'], 'name': 'setDowntime'}]}})",
    "03 A Setting downtime to 120 (migration:1)",
    "03 B setting migration downtime to 90 (migration:1)",
    "04 A setting migration max bandwidth to 52 (migration:1)",
    f"05 A {_progress('5.25', 4000, 100, _FIRST)}",
    f"06 B {_progress('6', 4000, 100, _FIRST, '52MBps')}",
    f"40 A {_progress('35.25', 200, 5000, _LATER)}",
    f"41 B {_progress('41', 200, 5000, _LATER, '120MBps')}",
    f"42 A {_progress('36.25', 180, 5100, _LATER[:-1])}",
    f"43 B {_progress('43', 180, 5100, _LATER[:-1], '120MBps')}",
    "44 A Some line of another kind",
    "45 A Setting downtime to 150 (migration:1)",
    "45 B Aborting migration (migration:2)",
    "46 B Migration is stuck: no progress (migration:2)",
    f"47 A {_progress('37.25', 150, 5200, '')}",
    f"48 A {_progress('38.25', 140, 5300, _LATER)}",
)
VDSM_OF_PYTHON_2 = _vdsm(
    "05 A Migration Progress: 4 seconds elapsed, 12% of data processed (migration:867)",
    "05 A Migration stalling: remaining (300MiB) > lowmark (290MiB). (migration:1)",
    "05 B Migration stalling: remaining (200MiB) > lowmark (190MiB). (migration:1)",
    "06 A Migration Progress: 5 seconds elapsed, 13% of data processed (migration:867)",
    "06 B Migration Progress: 6 seconds elapsed, 14% of data processed (migration:867)",
    "07 A Migration Progress: 7 seconds elapsed, 14% of data processed (migration:867)",
    "08 A Migration switched to post-copy mode (migration:1)",
    "09 B Migration entered post-copy mode (migration:1)",
    "10 A Failed to migrate (migration:1)",
    "11 B migration took 11 seconds to complete (migration:1)",
    "12 - Migration completed (VM: 0000000c, Source: host1, Destination: host2, Duration: 9 seconds, "
    "Total: 12 seconds, Actual downtime: 123ms)",
)
VDSM_BEHIND_NAMES = "".join(f"host-1 {line}" for line in VDSM.splitlines(True)[6:10])


def _nova(second: int, guest: str, words: str, level: str = "INFO") -> str:
    head = f"2024-05-12 11:57:{second:02}.546 8 {level} nova.virt.libvirt.driver [None req-1 - - - - - -]"
    return f"{head} [instance: {guest}] {words}\n"


def _running(seconds: int, sent: int, left: int, rest: str = "") -> str:
    figures = f"(bytes processed={sent}, remaining={left}, total=4312604672)"
    return f"Migration running for {seconds} secs, memory 5% remaining; {figures}{rest}"


_DISK = "; disk 9% remaining (bytes processed=500, remaining=70, total=570)."
NOVA = "".join(
    (
        _nova(1, A, "Increasing downtime to 50 ms after 0 sec elapsed time"),
        _nova(2, A, _running(1, 100_000_000, 4_100_000_000)),
        _nova(2, A, "Data remaining 4100004096 bytes, low watermark 9 bytes 1 seconds ago"),
        _nova(3, B, _running(2, 200_000_000, 4_000_000_000, _DISK)),
        _nova(3, A, "Data remaining 4000004096 bytes, low watermark 9 bytes 1 seconds ago"),
        _nova(3, B, "Data remaining 4000004096 bytes, low watermark 9 bytes 1 seconds ago"),
        _nova(12, A, _running(11, 1_350_000_000, 2_850_000_000)),
        _nova(12, A, "Data remaining 2850000000 bytes, low watermark 9 bytes 1 seconds ago"),
        _nova(13, A, "Increasing downtime to 275 ms after 12 sec elapsed time"),
        _nova(13, B, "Unable to increase max downtime to 275ms: nothing was set before", "WARNING"),
        _nova(14, A, "Increasing downtime to 500 ms after 13 sec elapsed time"),
        _nova(14, A, "Unable to increase max downtime to 500ms: libvirt would not", "WARNING"),
        _nova(41, A, _running(40, 5_000_000_000, 300_000_000)),
        _nova(42, B, _running(41, 5_000_000_000, 400_000_000, _DISK)),
        _nova(43, B, "Switching to post-copy migration mode"),
        _nova(44, A, "Live migration not completed after 43 sec", "WARNING"),
        _nova(45, B, "Live migration stuck for 44 sec", "WARNING"),
        _nova(46, A, "Live migration of the guest is a line of another kind"),
        _nova(47, B, "Live Migration failure: internal error: no such host: libvirt.libvirtError: internal", "ERROR"),
        _nova(48, B, "Migration operation has aborted", "ERROR"),
    )
)
NOVA_WITHOUT_TIMES = "".join(
    f"Migration running for {seconds} secs, memory 5% remaining (bytes processed={sent}, remaining={left}, "
    f"total=4312604672)\nData remaining {left} bytes, low watermark 5 bytes 3 seconds ago\n"
    for seconds, sent, left in (
        (5, 500_000_000, 3_800_000_000),
        (10, 1_000_000_000, 3_300_000_000),
        (40, 5 * 10**9, 10**8),
    )
)
NOVA_BEHIND_NAMES = "".join(f"node-1 {line}" for line in NOVA.splitlines(True)[6:9]) + _nova(
    50, A, "Migration operation has completed"
)


def _kubevirt(second: int, words: str) -> str:
    return f'{{"level":"info","msg":"{words}","name":"vm1","timestamp":"2024-05-12T11:57:{second:02}.000000Z"}}\n'


def _info(ms: int, of: str, sent: str, left: str, rate: str, rest: str = "", last: str = " DiskMbps:0") -> str:
    total = "4112" + left.lstrip("0123456789") if left.endswith("MiB") else "4311744512B"
    return (
        f"Migration info for {of}: TimeElapsed:{ms}ms DataProcessed:{sent} DataRemaining:{left} DataTotal:{total} "
        f"MemoryProcessed:{sent} MemoryRemaining:{left} MemoryTotal:{total} MemoryBandwidth:{rate} DirtyRate:{rate} "
        f"Iteration:2 PostcopyRequests:0 ConstantPages:7 NormalPages:114746 NormalData:{sent}{rest}{last}"
    )


KUBEVIRT = "".join(
    (
        _kubevirt(1, "Live migration succeeded"),
        _kubevirt(2, _info(4000, "a", "448MiB", "3664MiB", "940Mbps", " ExpectedDowntime:300ms")),
        _kubevirt(3, "Pausing the guest to allow migration to complete"),
        _kubevirt(4, "max downtime set to 900ms: stalled"),
        _kubevirt(5, "downtime tuning: max_downtime 300ms -> 150ms (ceiling=1050ms)"),
        _kubevirt(6, "forcing switchover by setting max downtime to 2000ms: stalled"),
        _kubevirt(7, "Set max downtime to 16s for vm1"),
        _kubevirt(8, _info(9000, "a", "449MiB", "200MiB", "941Mbps", last="")),
        _kubevirt(9, "starting post-copy mode"),
        _kubevirt(10, _info(11000, "a", "450MiB", "190MiB", "941Mbps")),
        _kubevirt(11, "failed to start post copy"),
        _kubevirt(12, _info(12000, "a", "451MiB", "180MiB", "941Mbps")),
        _kubevirt(13, _info(4000, "b", "470286336B", "3841982464B", "117563392B/s")),
        _kubevirt(14, "Live migration abort detected"),
        _kubevirt(15, _info(20000, "c", "2240MiB", "2000MiB", "14Mbps")),
        _kubevirt(16, _info(24000, "c", "2688MiB", "1600MiB", "15Mbps")),
        _kubevirt(17, "Migration has been completed"),
        _kubevirt(18, _info(4000, "d", "448MiB", "3664MiB", "0Mbps")),
        _kubevirt(19, _info(8000, "d", "448MiB", "3664MiB", "9Mbps")),
        _kubevirt(20, _info(12000, "d", "3000MiB", "600MiB", "9Mbps")),
        _kubevirt(21, "Migration job failed"),
        _kubevirt(
            22, _info(4000, "e", "448MiB", "3664MiB", "940Mbps", last=" Downtime:57ms DowntimeNet:31ms DiskMbps:0")
        ),
        _kubevirt(23, _info(4000, "f", "448MiB", "3664MiB", "940Mbps").replace("DataTotal:4112", "DataTotal:9112")),
        _kubevirt(24, "Migration was canceled"),
        _kubevirt(25, "Live migration is not completed after 7 seconds"),
        _kubevirt(
            26, _info(4000, "g", "448MiB", "3664MiB", "940Mbps").replace("PostcopyRequests:0", "PostcopyRequests:3")
        ),
    )
)
KUBEVIRT_IN_PLAIN_WORDS = "".join(
    f"pod-1 2024-05-12T11:57:{second:02}Z {_info(1000 * second, 'a', sent, left, '940Mbps')}\n"
    for second, sent, left in ((4, "448MiB", "3664MiB"), (8, "896MiB", "3216MiB"), (40, "4480MiB", "300MiB"))
)
KUBEVIRT_WITH_A_LIMIT = KUBEVIRT_IN_PLAIN_WORDS + _kubevirt(41, "max downtime set to 900ms: stalled")


def _proxmox(second: int, words: str) -> str:
    return f"2024-05-12 11:57:{second:02} {words}\n"


def _active(sent: str, speed: str, rest: str = "") -> str:
    return f"migration active, transferred {sent} of 12.6 GiB VM-state, {speed}/s{rest}"


_DIRTIES = ", VM dirties lots of memory: 1.2 GiB/s"
PROXMOX = "".join(
    (
        _proxmox(0, "starting migration of VM 7 to node 'n' (192.0.2.1)"),
        _proxmox(1, "migration downtime limit: 100 ms"),
        _proxmox(1, "migration speed limit: 1.0 GiB/s"),
        _proxmox(1, "set migration parameters"),
        _proxmox(2, "start migrate command to unix:/run/qemu-server/7.migrate"),
        _proxmox(5, _active("515.4 MiB", "110.0 MiB")),
        _proxmox(9, _active("1.0 GiB", "112.0 MiB", " (+ 1.5 MiB VFIO-state)")),
        _proxmox(10, "auto-increased downtime to continue migration: 200 ms"),
        _proxmox(19, _active("2.2 GiB", "110.0 MiB", _DIRTIES)),
        _proxmox(20, "auto-increased downtime to continue migration: 400.5 ms"),
        _proxmox(20, "migrate-set-parameters error: VM 7 qmp command failed"),
        _proxmox(21, "migration speed limit: 1000000"),
        _proxmox(22, "a line of another kind on migration"),
        _proxmox(39, _active("4.4 GiB", "110.0 MiB", _DIRTIES)),
        _proxmox(40, "migration status error: failed - no space left"),
        _proxmox(40, "ERROR: online migrate failure - aborting"),
        _proxmox(50, "starting migration of VM 7 to node 'n' (192.0.2.1)"),
        _proxmox(51, "migrate_set_speed: 8589934592"),
        _proxmox(51, "migrate_set_downtime: 0.25"),
        _proxmox(51, "migrate_set_downtime error: unknown command"),
        _proxmox(55, "migration status: active (transferred 133567908, remaining 930062336), total 1082789888)"),
        _proxmox(58, "migration status: active (transferred 673567908, remaining 20062336), total 1082789888) "
                 ", expected downtime 240"),
        _proxmox(59, "migration speed: 128.00 MB/s - downtime 54 ms"),
    )
)  # fmt: skip
PROXMOX_STOPPED = "".join(
    (
        _proxmox(0, "starting migration of VM 8 to node 'n' (192.0.2.1)"),
        _proxmox(1, "migration downtime limit: 100 ms"),
        _proxmox(5, _active("515.4 MiB", "110.0 MiB")),
        _proxmox(9, _active("1.0 GiB", "112.0 MiB")),
        _proxmox(10, "starting migration of VM 8 to node 'n' (192.0.2.1)"),
        _proxmox(11, "migration downtime limit: 300 ms"),
        _proxmox(15, _active("515.4 MiB", "110.0 MiB")),
        _proxmox(29, _active("2.0 GiB", "112.0 MiB", _DIRTIES)),
        _proxmox(30, "migrate-set-parameters error: VM 8 qmp command failed on migration"),
        _proxmox(31, "migrate-set-parameters error: VM 8 qmp command failed on migration"),
    )
)
PROXMOX_CANCELLED = "".join(f"task-1 {line}" for line in PROXMOX.splitlines(True)[:7]) + _proxmox(9, "migrate_cancel")

LOGS = {
    "vdsm-of-two-guests": VDSM,
    "vdsm-of-python-2": VDSM_OF_PYTHON_2,
    "vdsm-behind-names": VDSM_BEHIND_NAMES,
    "nova-of-two-guests": NOVA,
    "nova-without-times": NOVA_WITHOUT_TIMES,
    "nova-behind-names": NOVA_BEHIND_NAMES,
    "kubevirt-of-several-guests": KUBEVIRT,
    "kubevirt-in-plain-words": KUBEVIRT_IN_PLAIN_WORDS,
    "kubevirt-with-a-limit": KUBEVIRT_WITH_A_LIMIT,
    "proxmox-with-limits": PROXMOX,
    "proxmox-twice": PROXMOX_STOPPED,
    "proxmox-behind-names": PROXMOX_CANCELLED,
    "proxmox-given-up": "".join(PROXMOX.splitlines(True)[:2]) + _proxmox(9, "migrate_cancel"),
}
