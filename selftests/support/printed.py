# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers to query-migrate as programs print them: the forms that people have, each with its rounding."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from . import avocado_vt

Answer = Mapping[str, Any]
Rows = Sequence[tuple[float, float, Answer]]
"""For each answer: when it was requested (s), how long it took (ms), and the answer."""
Printed = Callable[[Answer, Rows, Sequence[Answer]], str]
"""What a program prints for a recording, given its header, answers and events."""

_BEGIN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
_IDENTITY = "00000000-0000-4000-8000-000000000001"
_ENDED = {"completed": "Completed", "failed": "Failed", "cancelled": "Cancelled"}


def recording(header: Answer, rows: Rows, events: Sequence[Answer]) -> str:
    """As this package records it."""
    lines = [header, *({"t": t, "latency_ms": ms, "query-migrate": answer} for t, ms, answer in rows), *events]
    return "\n".join(map(json.dumps, lines)) + "\n"


def replies(header: Answer, rows: Rows, events: Sequence[Answer]) -> str:
    """QMP's answers, one a line."""
    return "".join(json.dumps({"return": answer, "id": f"libvirt-{n}"}) + "\n" for n, (_, _, answer) in enumerate(rows))


def array(header: Answer, rows: Rows, events: Sequence[Answer]) -> str:
    """The same as one array, with the parameters before it."""
    return json.dumps([{"return": header["migrate-parameters"]}, *({"return": answer} for *_, answer in rows)])


def monitor_lines(header: Answer, rows: Rows, events: Sequence[Answer]) -> str:
    """`info migrate` up to QEMU 10.0: a line for each figure, bytes >> 10 as kbytes."""
    return "".join(_monitor_lines(answer) for *_, answer in rows)


def monitor_lines_with_parameters(header: Answer, rows: Rows, events: Sequence[Answer]) -> str:
    """The same after `info migrate_parameters`."""
    limit = header["migrate-parameters"].get("downtime-limit")
    parameters = (
        f"(qemu) info migrate_parameters\ndowntime-limit: {limit:g} milliseconds\n" if limit is not None else ""
    )
    return parameters + monitor_lines(header, rows, events)


def monitor_groups(header: Answer, rows: Rows, events: Sequence[Answer]) -> str:
    """`info migrate` since QEMU 10.1: lines of several figures, sizes with three digits."""
    return "".join(_monitor_groups(answer) for *_, answer in rows)


def job(header: Answer, rows: Rows, events: Sequence[Answer]) -> str:
    """`virsh domjobinfo`: sizes with three decimals in binary units."""
    return "".join(f"$ virsh domjobinfo vm1\n{_job(answer)}\n" for *_, answer in rows)


def raw_job(header: Answer, rows: Rows, events: Sequence[Answer]) -> str:
    """`virsh domjobinfo --rawstats`."""
    return "".join(_raw_job(answer) for *_, answer in rows)


def proxmox(header: Answer, rows: Rows, events: Sequence[Answer]) -> str:
    """The task log of Proxmox VE."""
    lines = []
    limit_ms = header["migrate-parameters"].get("downtime-limit", 300)
    lines.append((0.0, f"migrate_set_downtime: {limit_ms / 1000:g}"))
    for t_s, _, answer in rows:
        ram = answer.get("ram")
        if answer["status"] == "active" and ram is not None:
            sizes = f"transferred {ram['transferred']}, remaining {ram['remaining']}), total {ram['total']}"
            lines.append((t_s, f"migration status: active ({sizes})"))
        elif answer["status"] == "completed":
            lines.append((t_s, f"migration speed: 64.00 MB/s - downtime {answer.get('downtime', 0)} ms"))
            lines.append((t_s, "migration status: completed"))
    return "".join(f"{_at(t_s):%b %d %H:%M:%S} {text}\n" for t_s, text in lines)


def nova(header: Answer, rows: Rows, events: Sequence[Answer]) -> str:
    """The log of nova-compute."""
    head = f"INFO nova.virt.libvirt.driver [-] [instance: {_IDENTITY}] Migration running for"
    return "".join(
        f"{_at(t_s):%Y-%m-%d %H:%M:%S.%f}"[:-3]
        + f" 1 {head} {int(t_s)} secs, memory {100 * ram['remaining'] // max(ram['total'], 1)}% remaining; "
        f"(bytes processed={ram['transferred']}, remaining={ram['remaining']}, total={ram['total']})\n"
        for t_s, _, answer in rows
        if answer["status"] == "active" and (ram := answer.get("ram")) is not None
    )


def kubevirt(header: Answer, rows: Rows, events: Sequence[Answer]) -> str:
    """The log of KubeVirt's virt-launcher: whole MiB and Mbps."""
    return "".join(
        json.dumps({"component": "virt-launcher", "level": "info", "msg": _launcher(answer), "timestamp": _stamp(t_s)})
        + "\n"
        for t_s, _, answer in rows
        if answer["status"] == "active" and answer.get("ram") is not None
    )


def vdsm(header: Answer, rows: Rows, events: Sequence[Answer]) -> str:
    """The log of oVirt's vdsm."""
    head = f"INFO  (migmon/00000000) [virt.vm] (vmId='{_IDENTITY}') Migration Progress:"
    return "".join(
        f"{_at(t_s):%Y-%m-%d %H:%M:%S},000+0000 {head} {answer.get('total-time', 0) // 1000} seconds elapsed, "
        f"{100 - 100 * ram['remaining'] // max(ram['total'], 1)}% of data processed, total data: "
        f"{ram['total'] >> 20}MB, "
        f"processed data: {ram['transferred'] >> 20}MB, remaining data: {ram['remaining'] >> 20}MB, "
        f"transfer speed {int(ram['mbps'] * 125_000) >> 20}MBps, zero pages: {ram['duplicate']}MB, compressed: 0MB, "
        f"dirty rate: {ram['dirty-pages-rate']}, memory iteration: {ram['dirty-sync-count']} (migration:847)\n"
        for t_s, _, answer in rows
        if answer["status"] == "active" and (ram := answer.get("ram")) is not None
    )


FORMS: Mapping[str, Printed] = {
    "recording": recording,
    "query-migrate, lines": replies,
    "query-migrate, array": array,
    "info migrate to 10.0": monitor_lines,
    "with parameters": monitor_lines_with_parameters,
    "info migrate from 10.1": monitor_groups,
    "domjobinfo": job,
    "domjobinfo --rawstats": raw_job,
    "Proxmox VE": proxmox,
    "Nova": nova,
    "KubeVirt": kubevirt,
    "vdsm": vdsm,
    "Avocado-VT": avocado_vt.log,
}
"""By name."""


def _monitor_lines(answer: Answer) -> str:
    ram = answer.get("ram")
    lines = ["(qemu) info migrate", "globals:", "store-global-state: on", f"Migration status: {answer['status']}"]
    lines.append(f"total time: {answer.get('total-time', 0)} ms")
    for name, label in (("downtime", "downtime"), ("expected-downtime", "expected downtime")):
        if name in answer:
            lines.append(f"{label}: {answer[name]} ms")
    lines.append(f"setup: {answer.get('setup-time', 0)} ms")
    if ram is not None:
        lines += [
            f"transferred ram: {ram['transferred'] >> 10} kbytes",
            f"throughput: {ram['mbps']:.2f} mbps",
            f"remaining ram: {ram['remaining'] >> 10} kbytes",
            f"total ram: {ram['total'] >> 10} kbytes",
            f"duplicate: {ram['duplicate']} pages",
            "skipped: 0 pages",
            f"normal: {ram['normal']} pages",
            f"normal bytes: {ram['normal'] * ram['page-size'] >> 10} kbytes",
            f"dirty sync count: {ram['dirty-sync-count']}",
            f"page size: {ram['page-size'] >> 10} kbytes",
            f"multifd bytes: {ram.get('multifd-bytes', 0) >> 10} kbytes",
            f"pages-per-second: {ram.get('pages-per-second', 0)}",
        ]
        if ram["dirty-pages-rate"]:
            lines.append(f"dirty pages rate: {ram['dirty-pages-rate']} pages")
    return "\n".join(lines) + "\n"


def _monitor_groups(answer: Answer) -> str:
    ram = answer.get("ram")
    times = f"total={answer.get('total-time', 0)}, setup={answer.get('setup-time', 0)}"
    for name, label in (("expected-downtime", "exp_down"), ("downtime", "down")):
        if name in answer:
            times += f", {label}={answer[name]}"
    lines = ["(qemu) info migrate", f"Status: \t\t{answer['status']}", f"Time (ms): \t\t{times}"]
    if ram is not None:
        rate = f", dirty={ram['dirty-pages-rate']}" if ram["dirty-pages-rate"] else ""
        sent = _three_digits(ram["transferred"])
        lines += [
            "RAM info:",
            f"  Throughput (Mbps): \t{ram['mbps']:.2f}",
            f"  Sizes: \t\tpagesize={_three_digits(ram['page-size'])}, total={_three_digits(ram['total'])}",
            f"  Transfers: \t\ttransferred={sent}, remain={_three_digits(ram['remaining'])}",
            f"    Channels: \t\tprecopy={sent}, multifd={_three_digits(ram.get('multifd-bytes', 0))}, postcopy=0 B",
            f"    Page Types: \tnormal={ram['normal']}, zero={ram['duplicate']}",
            f"  Page Rates (pps): \ttransfer={ram.get('pages-per-second', 0)}{rate}",
            f"  Others: \t\tdirty_syncs={ram['dirty-sync-count']}",
        ]
    return "\n".join(lines) + "\n"


def _job(answer: Answer) -> str:
    ended = _ENDED.get(answer["status"])
    ram = answer.get("ram")
    lines = [("Job type:", ended or "Unbounded"), ("Operation:", "Outgoing migration")]
    lines.append(("Time elapsed:", f"{answer.get('total-time', 0):<12} ms"))
    if ram is not None:
        for what in ("Data", "Memory"):
            lines += [
                (f"{what} processed:", _pretty(ram["transferred"])),
                (f"{what} remaining:", _pretty(ram["remaining"])),
                (f"{what} total:", _pretty(ram["total"])),
            ]
        lines += [
            ("Memory bandwidth:", f"{_pretty(int(ram['mbps'] * 1000 * 125))}/s"),
            ("Dirty rate:", f"{ram['dirty-pages-rate']:<12} pages/s"),
            ("Page size:", f"{ram['page-size']:<12} bytes"),
            ("Iteration:", f"{ram['dirty-sync-count']:<12}"),
            ("Constant pages:", f"{ram['duplicate']:<12}"),
            ("Normal pages:", f"{ram['normal']:<12}"),
            ("Normal data:", _pretty(ram["normal"] * ram["page-size"])),
        ]
    if answer["status"] == "completed":
        lines.append(("Total downtime:", f"{answer.get('downtime', 0):<12} ms"))
    elif "expected-downtime" in answer:
        lines.append(("Expected downtime:", f"{answer['expected-downtime']:<12} ms"))
    lines.append(("Setup time:", f"{answer.get('setup-time', 0):<12} ms"))
    return "".join(f"{label:<17} {value}\n" for label, value in lines)


def _raw_job(answer: Answer) -> str:
    ram = answer.get("ram")
    figures: dict[str, Any] = {"operation": 5, "time_elapsed": answer.get("total-time", 0)}
    if answer["status"] == "completed":
        figures["downtime"] = answer.get("downtime", 0)
    elif "expected-downtime" in answer:
        figures["downtime"] = answer["expected-downtime"]
    figures["setup_time"] = answer.get("setup-time", 0)
    if ram is not None:
        figures |= {
            "data_total": ram["total"],
            "data_processed": ram["transferred"],
            "data_remaining": ram["remaining"],
            "memory_total": ram["total"],
            "memory_processed": ram["transferred"],
            "memory_remaining": ram["remaining"],
            "memory_bps": int(ram["mbps"] * 1000 * 125),
            "memory_constant": ram["duplicate"],
            "memory_normal": ram["normal"],
            "memory_normal_bytes": ram["normal"] * ram["page-size"],
            "memory_dirty_rate": ram["dirty-pages-rate"],
            "memory_iteration": ram["dirty-sync-count"],
            "memory_page_size": ram["page-size"],
        }
    kind = {"completed": 3, "failed": 4, "cancelled": 5}.get(answer["status"], 2)
    return f"Job type: {kind}\n\n" + "".join(f"{name}: {value}\n" for name, value in figures.items()) + "\n"


def _launcher(answer: Answer) -> str:
    ram = answer["ram"]
    sent, left, whole = (ram[name] >> 20 for name in ("transferred", "remaining", "total"))
    return (
        f"Migration info for {_IDENTITY}: TimeElapsed:{answer.get('total-time', 0)}ms DataProcessed:{sent}MiB "
        f"DataRemaining:{left}MiB DataTotal:{whole}MiB MemoryProcessed:{sent}MiB MemoryRemaining:{left}MiB "
        f"MemoryTotal:{whole}MiB MemoryBandwidth:{int(ram['mbps'])}Mbps "
        f"DirtyRate:{int(ram['dirty-pages-rate'] * ram['page-size'] * 8 / 1e6)}Mbps "
        f"Iteration:{ram['dirty-sync-count']} PostcopyRequests:0 ConstantPages:{ram['duplicate']} "
        f"NormalPages:{ram['normal']} NormalData:{ram['normal'] * ram['page-size'] >> 20}MiB "
        f"ExpectedDowntime:{answer.get('expected-downtime', 0)}ms DiskMbps:0"
    )


def _three_digits(size: float) -> str:
    """As QEMU's util/cutils.c:size_to_str prints it."""
    power = max(0, (math.frexp(size / (1000.0 / 1024))[1] - 1) // 10) if size else 0
    return f"{size / (1 << 10 * power):.3g} {('', 'Ki', 'Mi', 'Gi', 'Ti')[power]}B"


def _pretty(size: int) -> str:
    """As libvirt's tools/vsh.c:vshPrettyCapacity prints it."""
    power = 0
    while size >> 10 * (power + 1) and power < 4:
        power += 1
    if not power:
        return f"{size:.3f} B"
    return f"{size / (1 << 10 * power):.3f} {('', 'Ki', 'Mi', 'Gi', 'Ti')[power]}B"


def _at(t_s: float) -> datetime:
    return _BEGIN + timedelta(seconds=t_s)


def _stamp(t_s: float) -> str:
    return f"{_at(t_s):%Y-%m-%dT%H:%M:%S.%f}Z"
