# SPDX-License-Identifier: GPL-2.0-or-later
"""What products would have logged about a recorded migration, in their words, units and rounding.

Written after the products' sources, which are named by the readers in avocado_migdowntime/forms. A `Look` is an answer
to query-migrate and its time.
"""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from math import log
from typing import Any, NamedTuple

from avocado_migdowntime.basics.units import MIB

from .recorded import recording

BEGIN = datetime(2024, 5, 12, 11, 57, 6, 546232, UTC)
RECORDED = "x86_64-kvm-qemu-7.2-limit-700ms"
"""The recording that tests render in several products' words."""
GUEST = "00000000-0000-4000-8000-000000000001"


class Look(NamedTuple):
    """An answer to query-migrate, `t_s` seconds after the recording's zero."""

    t_s: float
    answer: Mapping[str, Any]


def looks(name: str, period_s: float) -> list[Look]:
    """The answers of a recording that have RAM figures, at most one in each period."""
    kept: list[Look] = []
    for look in _all_looks(name):
        if not kept or look.t_s >= kept[-1].t_s + period_s:
            kept.append(look)
    return kept


@cache
def _all_looks(name: str) -> list[Look]:
    lines = gzip.decompress(recording(name).read_bytes()).splitlines()
    records = ((record.get("t"), record.get("query-migrate", {})) for record in map(json.loads, lines))
    return [Look(t_s, answer) for t_s, answer in records if answer.get("status") == "active" and "ram" in answer]


def proxmox_old(look: Look, begin: datetime = BEGIN) -> str:
    """Proxmox VE from 2013 to 2021."""
    ram = look.answer["ram"]
    sizes = f"(transferred {ram['transferred']}, remaining {ram['remaining']}), total {ram['total']})"
    return f"{_at(look, begin):%b %d %H:%M:%S} migration status: active {sizes}"


def proxmox_new(look: Look, begin: datetime = BEGIN) -> str:
    """Proxmox VE since 2021."""
    ram = look.answer["ram"]
    speed, dirty = (ram[name] * ram["page-size"] for name in ("pages-per-second", "dirty-pages-rate"))
    text = f"transferred {_human(ram['transferred'])} of {_human(ram['total'])} VM-state, {_human(speed)}/s"
    text += f", VM dirties lots of memory: {_human(dirty)}/s" if dirty > speed else ""
    return f"{_at(look, begin):%Y-%m-%d %H:%M:%S} migration active, {text}"


def nova(look: Look, begin: datetime = BEGIN) -> str:
    """Nova since 2017, without disks."""
    ram = look.answer["ram"]
    percent = round(ram["remaining"] * 100 / ram["total"])
    figures = f"(bytes processed={ram['transferred']}, remaining={ram['remaining']}, total={ram['total']})"
    disk = "disk 100% remaining (bytes processed=0, remaining=0, total=0)."
    progress = f"Migration running for {int(look.t_s)} secs, memory {percent}% remaining {figures}; {disk}"
    head = f"{_at(look, begin):%Y-%m-%d %H:%M:%S}.{_at(look, begin).microsecond // 1000:03} 8 INFO"
    return f"{head} nova.virt.libvirt.driver [None req-1 - - - - - -] [instance: {GUEST}] {progress}"


def kubevirt(look: Look, begin: datetime = BEGIN, uid: str = GUEST) -> str:
    """KubeVirt since 1.2."""
    return _kubevirt(look, begin, uid, lambda size: f"{size // MIB}MiB", lambda rate: f"{rate * 8 // 1_000_000}Mbps")


def kubevirt_64th(look: Look, begin: datetime = BEGIN, uid: str = GUEST) -> str:
    """KubeVirt 1.0 and 1.1, which divided by 8 where it had to multiply."""
    return _kubevirt(look, begin, uid, lambda size: f"{size // MIB}MiB", lambda rate: f"{rate // 8 // 1_000_000}Mbps")


def kubevirt_bytes(look: Look, begin: datetime = BEGIN, uid: str = GUEST) -> str:
    """KubeVirt before August 2023."""
    return _kubevirt(look, begin, uid, lambda size: f"{size}B", lambda rate: f"{rate}B/s")


def vdsm_mbps(look: Look, begin: datetime = BEGIN) -> str:
    """vdsm since August 2020."""
    ram = look.answer["ram"]
    return _vdsm(look, begin, f"{look.answer['total-time'] / 1000}", f"{int(_wire(ram) * 8 // MIB)}Mbps")


def vdsm_mib(look: Look, begin: datetime = BEGIN) -> str:
    """vdsm from 2016 to August 2020, on Python 2."""
    ram = look.answer["ram"]
    return _vdsm(look, begin, f"{look.answer['total-time'] // 1000}", f"{int(_wire(ram) // MIB)}MBps")


EACH: tuple[Callable[[Look], str], ...] = (
    proxmox_old,
    proxmox_new,
    nova,
    kubevirt,
    kubevirt_64th,
    kubevirt_bytes,
    vdsm_mbps,
    vdsm_mib,
)
"""What each product writes about a look, by its releases."""


def logged(lines: Callable[[Look], str], of: Iterable[Look]) -> bytes:
    """A log of all of these."""
    return "".join(f"{lines(look)}\n" for look in of).encode()


def _kubevirt(look: Look, begin: datetime, uid: str, size: Callable[[int], str], rate: Callable[[int], str]) -> str:
    answer, ram = look.answer, look.answer["ram"]
    figures = (
        f"TimeElapsed:{answer['total-time']}ms DataProcessed:{size(ram['transferred'])} "
        f"DataRemaining:{size(ram['remaining'])} DataTotal:{size(ram['total'])} "
        f"MemoryProcessed:{size(ram['transferred'])} MemoryRemaining:{size(ram['remaining'])} "
        f"MemoryTotal:{size(ram['total'])} MemoryBandwidth:{rate(_wire(ram))} "
        f"DirtyRate:{rate(ram['dirty-pages-rate'] * ram['page-size'])} Iteration:{ram['dirty-sync-count']} "
        f"PostcopyRequests:0 ConstantPages:{ram['duplicate']} NormalPages:{ram['normal']} "
        f"NormalData:{size(ram['normal-bytes'])} ExpectedDowntime:{answer.get('expected-downtime', 0)}ms DiskMbps:0"
    )
    record = {
        "component": "virt-launcher",
        "kind": "",
        "level": "info",
        "msg": f"Migration info for {uid}: {figures}",
        "name": "vm1",
        "namespace": "default",
        "pos": "live-migration-source.go:900",
        "timestamp": f"{_at(look, begin):%Y-%m-%dT%H:%M:%S.%fZ}",
        "uid": "",
    }
    return json.dumps(record, separators=(",", ":"))


def _vdsm(look: Look, begin: datetime, elapsed: str, speed: str) -> str:
    ram = look.answer["ram"]
    percent = 100 - 100 * ram["remaining"] // ram["total"]
    at = f"{_at(look, begin):%Y-%m-%d %H:%M:%S},{_at(look, begin).microsecond // 1000:03}+0000"
    progress = (
        f"Migration Progress: {elapsed} seconds elapsed, {percent}% of data processed, "
        f"total data: {ram['total'] // MIB}MB, processed data: {ram['transferred'] // MIB}MB, "
        f"remaining data: {ram['remaining'] // MIB}MB, transfer speed {speed}, zero pages: {ram['duplicate']}MB, "
        f"compressed: 0MB, dirty rate: {ram['dirty-pages-rate']}, memory iteration: {ram['dirty-sync-count']}"
    )
    return f"{at} INFO  (migmon/{GUEST[:8]}) [virt.vm] (vmId='{GUEST}') {progress} (migration:867)"


def _wire(ram: Mapping[str, Any]) -> int:
    """libvirt's memory_bps."""
    return int(ram["mbps"] * 125_000)


def _at(look: Look, begin: datetime) -> datetime:
    return begin + timedelta(seconds=look.t_s)


def _human(size: float) -> str:
    unit = int(log(size) / log(1024)) if size > 1023 else 0
    return f"{size / 1024**unit:.1f} {['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'][unit]}"


def items(data: bytes) -> Iterator[Any]:
    """What is read from a text."""
    from avocado_migdowntime.forms.reader import Reader

    reader = Reader()
    yield from reader.feed(data)
    yield from reader.end()
