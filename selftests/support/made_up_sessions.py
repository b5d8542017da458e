# SPDX-License-Identifier: GPL-2.0-or-later
"""Made-up sessions with QEMU's monitors that contain each kind of message and of line."""

import json
from typing import Any


def _answer(total_ms: int, remaining: int, **others: Any) -> dict[str, Any]:
    ram = {
        "total": 268435456, "remaining": remaining, "page-size": 4096, "normal": 10451, "duplicate": 59380,
        "mbps": 96.5, "dirty-sync-count": 2, "dirty-pages-rate": 2894, "transferred": 43424768,
        "normal-bytes": 42807296,
    }  # fmt: skip
    shown = {"status": "active", "expected-downtime": 300, "total-time": total_ms, "setup-time": 1, "ram": ram}
    return {**shown, **others}


def _event(name: str, seconds: int, microseconds: int = 0, **data: Any) -> dict[str, Any]:
    return {"timestamp": {"seconds": seconds, "microseconds": microseconds}, "event": name, "data": data}


def _command(name: str, **arguments: Any) -> dict[str, Any]:
    return {"execute": name, "arguments": arguments}


_MESSAGES: tuple[Any, ...] = (
    {"QMP": {"version": {"qemu": {"major": 9, "minor": 1, "micro": 2}, "package": ""}, "capabilities": []}},
    {"execute": "qmp_capabilities"},
    {"return": {}},
    {"return": [{"capability": "xbzrle", "state": False}, {"capability": "multifd", "state": True}]},
    {"capability": "events", "state": True},
    {"return": {"downtime-limit": 317, "max-bandwidth": 50000000, "tls-creds": None}},
    _command("migrate-set-parameters", **{"avail-switchover-bandwidth": 7, "multifd-channels": 4}),
    _command("migrate-set-parameters", **{"multifd-channels": 4}),
    _command("migrate_set_speed", value=33554432),
    _command("migrate_set_downtime", value=0.0306),
    _command("migrate_set_downtime", value="soon"),
    {"execute": "migrate_set_downtime"},
    {"error": {"class": "GenericError", "desc": "Device is busy"}},
    {"error": {"class": "CommandNotFound"}},
    {"error": "none of QMP's"},
    {"return": {"status": "running", "running": True, "singlestep": False}},
    {"return": {"blocked-reasons": ["nvme", 7]}},
    _event("STOP", 990),
    _event("MIGRATION", 1000, status="setup"),
    _event("MIGRATION_PASS", 1000, 2000, **{"pass": 1}),
    {"return": _answer(1000, 81920000)},
    _event("MIGRATION_PASS", 1001, 500000, **{"pass": 2}),
    [{"return": _answer(2000, 40960000)}, {"return": {"qemu": {"major": 9, "minor": 1, "micro": 3}, "package": "p"}}],
    _command("migrate-set-parameters", **{"downtime-limit": 900}),
    {"return": {**_answer(2500, 30960000), "xbzrle-cache": {"pages": None, "bytes": 7}, "vfio": {"transferred": 7}}},
    {"return": {**_answer(2600, 20960000, **{"cpu-throttle-percentage": 20})}, "id": "libvirt-7"},
    _event("STOP", 1003, 250000),
    {"return": {"status": "completed", "total-time": 3300, "downtime": 40, "ram": {"remaining": 0, "transferred": 5}}},
    {"return": {"status": "active", "total-time": 7, "colour": "blue"}},
)
_JOB = {
    "type": 2, "operation": 5, "time_elapsed": 1500, "memory_total": 4096000, "memory_remaining": 409600,
    "memory_processed": 3000000, "memory_bps": 125000, "memory_iteration": 3, "memory_dirty_rate": 7,
    "memory_page_size": 4096, "memory_normal": 5, "memory_constant": 6, "memory_postcopy_requests": 0, "downtime": 9,
}  # fmt: skip
_RECORDED: tuple[Any, ...] = (
    {
        "qemu": {"qemu": {"major": 9, "minor": 1, "micro": 2}, "package": ""},
        "migrate-parameters": {"downtime-limit": 317},
        "capabilities": ["multifd", "events"],
    },
    {"t": 0.5, "latency_ms": 2, "query-migrate": _answer(500, 81920000)},
    {"t": 0.7, "event": _event("MIGRATION_PASS", 1000), "side": "source"},
    {"t": 0.8, "event": _event("RESUME", 1000), "side": "destination"},
    {"t": 0.9, "event": {"event": "FINISH", "data": {"downtime-limit": 30}}},
    {"t": "1", "query-migrate": _answer(1000, 4096)},
    {"t": 1.5, "query-migrate": {"status": "completed", "total-time": 1500, "downtime": 40}},
)
_XBZRLE = """(qemu) migrate_set_capability xbzrle on
(qemu) migrate_set_parameter downtime-limit 250
(qemu) info migrate
Status: \t\tactive
Time (ms): \t\ttotal=6092, setup=21, exp_down=300
Remaining: \t\t278 MiB
RAM info:
  Throughput (Mbps): \t1169.84
  Sizes: \t\tpagesize=4 KiB, total=8.51 GiB
  Transfers: \t\ttransferred=845 MiB, remain=278 MiB
    Channels: \t\tprecopy=845 MiB, multifd=7 B, postcopy=0 B, vfio=1.5 KiB
    Page Types: \tnormal=215000, zero=2010000
  Page Rates (pps): \ttransfer=35700, dirty=1.5e+04
  Others: \t\tdirty_syncs=2, postcopy_req=3, downtime_bytes=12 B
XBZRLE: size=67108864, transferred=7424, pages=70, miss=9
 miss_rate=0.25, encode_rate=-nan, overflow=3
CPU Throttle (%): \t20
(qemu) info status
VM status: running
"""
_OF_2012 = """(qemu) info migrate
capabilities: xbzrle: on rdma-pin-all: off
Migration status: active
total time: 1500 milliseconds
expected downtime: 40 milliseconds
transferred ram: 1000 kbytes
remaining ram: -4 kbytes
total ram: 4200 kbytes
duplicate: 7 pages
normal: 200 pages
normal bytes: 800 kbytes
cache size: 67108864 bytes
xbzrle transferred: 5 kbytes
xbzrle pages: 6 pages
xbzrle cache miss: 7
xbzrle cache miss rate: 0.25
xbzrle overflow : 8
throughput: nan mbps
remaining disk: 44 kbytes
dirty pages rate: -5 pages
(qemu) info migrate
Migration status: failed (no such file)
total time: 1600 milliseconds
(qemu) info migrate
Outgoing migration blocked:
  the 'nvme' device is not migratable
(qemu) info migrate
Migration status: unheard-of
(qemu) info migrate
Migration status: cancelled
total time: 0 ms
"""
_JOB_IN_A_LOG = """{0} Job type:         Unbounded
{0} Operation:        Outgoing migration
{0} Time elapsed:     {1}         ms
{0} Memory processed: 44.083 MiB
{0} Memory remaining: 36.965 MiB
{0} Memory total:     256.000 MiB
{0} A later figure:   7
{0} Iteration:        2
{0} Error message:    operation failed
"""
_IN_KIB = """Status: active
Time (ms): total=7, setup=1, exp_down=300
Sizes (KiB): pagesize=4, total=262144
Transfers (KiB): transferred=46083, remain=3717
Page Types: normal=11372, zero=59380
Others: dirty_syncs=2
Status: active
Time (ms): total=9, setup=1, exp_down=301
Transfers (KiB): transferred=46084, remain=3716
"""
_CODE = "Some words {of a kind}\n"
SESSIONS = {
    "qmp": "".join(f"{json.dumps(message)}\n" for message in _MESSAGES),
    "qmp-in-one-line": " ".join(json.dumps(message) for message in _MESSAGES[:21]),
    "qmp-pretty": "".join(f"{json.dumps(message, indent=2)}\n" for message in _MESSAGES),
    "qmp-by-python": "".join(f"12.345: <<< {message!r}\n" for message in _MESSAGES),
    "qmp-within-another-program": f"config = {{\n{json.dumps({'return': _answer(1000, 4096)})}\n{_CODE}",
    "libvirts-dict": f"{_JOB!r}\n{ {**_JOB, 'time_elapsed': 2500, 'memory_remaining': 4096}!r}\n",
    "libvirts-dict-of-an-end": f"{ {**_JOB, 'type': 3, 'success': True}!r}\n",
    "libvirts-dict-without-a-kind": f"{ {name: _JOB[name] for name in _JOB if name not in ('type', 'operation')}!r}\n",
    "info-migrate-without-a-status": "(qemu) info migrate\ntotal time: 12 ms\ndowntime: 7 ms\nremaining ram: 0 kbytes",
    "libvirts-dict-of-nothing-yet": f"{ {**_JOB, 'memory_total': 0, 'errmsg': 'no such host'}!r}\n",
    "domjobinfo-in-a-log": "".join(
        _JOB_IN_A_LOG.format(f"2024-05-12 11:57:{second:02}", 1000 * second) for second in (6, 8)
    ),
    "domjobinfo-and-info-migrate-twice": _JOB_IN_A_LOG.format("", 2000) + _IN_KIB,
    "lines-of-a-recording": "".join(f"{json.dumps(one)}\n" for one in _RECORDED),
    "info-migrate-with-xbzrle": _XBZRLE,
    "info-migrate-of-2012": _OF_2012,
}
