# SPDX-License-Identifier: GPL-2.0-or-later
"""Long random logs of replies to query-migrate, with other lines between."""

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

FIRST_LINES = 220
"""The number of other lines that come first."""
LIBVIRT = "{at}+0000: 4242: info : qemuMonitorJSONIOProcessLine:236 : QEMU_MONITOR_RECV_REPLY: mon={guest} reply={text}"
TWICE = "{at}+0000: 4242: debug : qemuMonitorJSONIOProcessLine:191 : Line [{text}]\n" + LIBVIRT
THRICE = "{at}+0000: 4242: info : qemuMonitorIOProcess:436 : QEMU_MONITOR_IO_PROCESS: mon={guest} buf={text}\n" + TWICE
AGAIN = LIBVIRT + "\n" + LIBVIRT
AVOCADO = "{at} qmp              L0175 DEBUG| <<< {text}"
BARE = "{text}"
HEADS = (LIBVIRT, TWICE, THRICE, AGAIN, AVOCADO, BARE)
NOISE = (
    "2024-05-12 11:57:06.546+0000: 4242: debug : virThreadJobSet:93 : Thread 4242 is now running job",
    '{{"timestamp": {{"seconds": {seconds}, "microseconds": 8}}, "event": "MIGRATION_PASS", "data": {{"pass": 2}}}}',
    '{at}+0000: 4242: info : x:1 : QEMU_MONITOR_RECV_EVENT: mon={guest} event={{"event": "STOP", "timestamp": '
    '{{"seconds": {seconds}, "microseconds": 8}}}}',
    '{{"execute": "migrate-set-parameters", "arguments": {{"downtime-limit": 317}}}}',
    "(qemu) info migrate",
    "Migration status: active",
    "remaining ram: 1234 kbytes",
    "=C2=A0",
    '{{"return": {{"status": "active",',
)
ODD: tuple[Mapping[str, Any], ...] = (
    {"xbzrle-cache": {"pages": 7, "overflow": 1, "encoding-rate": 2.5}},
    {"disk": {"remaining": 77, "total": 99, "transferred": 3}},
    {"cpu-throttle-percentage": 20},
    {"remaining": 12345},
    {"status": "completed", "downtime": 12},
    {"status": "cancelled"},
    {"status": "pre-switchover"},
    {"error-desc": "migration < broken"},
    {"blocked-reasons": ["a [0] b"]},
    {"running": True},
    {"ram": {"remaining": 0}},
    {"total-time": 7},
    {"expected-downtime": None},
    {"log": "x"},
)


def log(seed: int, lines: int = 400, odd: float = 0.02) -> bytes:
    """The log of a seed: that many replies and lines between them, of which the share `odd` is damaged."""
    return "\n".join(_lines(random.Random(seed), lines, odd)).encode() + b"\n"


def _lines(dice: random.Random, count: int, odd: float) -> Iterator[str]:
    yield from [NOISE[0]] * FIRST_LINES
    heads = dice.choices(HEADS, k=dice.choice([1, 1, 2]))
    guests = ["0x7f1", "0x7f2"][: dice.choice([1, 1, 2])]
    t_ms = dict.fromkeys(guests, 1000)
    step_ms = dice.choice([0, 5, 50, 200])
    few_noise = dice.choice([0.0, 0.01, 0.1])
    for number in range(count):
        guest = dice.choice(guests)
        t_ms[guest] += dice.choice([step_ms, step_ms, 1, 60])
        at = _at(max(t_ms.values()))
        head = dice.choice(heads)
        answer = _answer(number, t_ms[guest])
        if dice.random() < odd:
            answer |= dice.choice(ODD)
        text = str({"return": answer}) if head == AVOCADO else json.dumps({"return": answer, "id": f"libvirt-{number}"})
        yield head.format(at=at, guest=guest, text=text)
        if dice.random() < few_noise:
            yield dice.choice(NOISE).format(at=at, guest=guest, seconds=1_715_515_026 + t_ms[guest] // 1000)
        if dice.random() < odd / 4:
            t_ms[guest] = 1_000


def _at(t_ms: int) -> str:
    return f"2024-05-12 12:{t_ms // 60_000 % 60:02}:{t_ms // 1000 % 60:02}.{t_ms % 1000:03}"


def _answer(number: int, t_ms: int) -> dict[str, Any]:
    ram = {
        "total": 1 << 40, "remaining": (1 << 39) - 4096 * number, "page-size": 4096, "normal": number, "duplicate": 3,
        "dirty-sync-count": 1 + number // 100, "dirty-pages-rate": 5, "mbps": 0.66, "transferred": 4096 * number,
        "normal-bytes": 4096 * number, "postcopy-requests": 0, "skipped": 0, "multifd-bytes": 0,
    }  # fmt: skip
    return {"status": "active", "total-time": t_ms, "setup-time": 1, "expected-downtime": 300, "ram": ram}
