# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts without figures of QEMU, recognised by a line that only they have, so that a message can say what to take
instead.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from ..basics.printable import quoted
from .foreign import DOMJOBINFO, Foreign

_LOOKED_AT = 1 << 18
"""Only this many characters are searched: a text shows early what it is, and each pattern takes time."""
_KVM_ONLY = "this tool judges only migrations of QEMU"
_QEMU_FIGURES = "it has no figures of QEMU"
ANOTHER_LANGUAGE = "the output of `virsh domjobinfo` in another language than English"
_Rows = tuple[tuple[str, str, str, str], ...]
"""A pattern, and the fields of Foreign for a text that contains it."""
_ROWS_OF_TEXTS: _Rows = (
    (
        r"(?i)\A\s*(?:<!doctype html|<html\b)",
        "a web page",
        "",
        "copy the text out of it, or use the paste's `raw` link",
    ),
    (
        r"^\s*Migration: \[ *\d+(?:\.\d+)? ?%\]",
        "the output of `virsh migrate --verbose`",
        "it shows only the percentage done",
        f"take {DOMJOBINFO}",
    ),
    (
        r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d{4}: \d+: (?:debug|info|warning|error) : ",
        "a log of libvirt's daemon",
        "it has no replies to query-migrate",
        'log them with `virt-admin daemon-log-outputs "1:file:/var/log/libvirt/libvirtd.log"` and '
        '`virt-admin daemon-log-filters "1:qemu.qemu_monitor"` while the migration runs, or take ' + DOMJOBINFO,
    ),
    (
        r"starting up libvirt version: |^char device redirected to |^-name guest="
        r"|^(?:\d{4}-\S+Z )?\S*qemu(?:-system-\w+|-kvm): ",
        "the log of a guest's QEMU",
        "QEMU logs no figures of a migration",
        f"take {DOMJOBINFO}",
    ),
    (
        r"(?:\bxc: (?:info|detail|error|progress|Frames|Memory:)\b|^migration (?:target|sender): |new xl format"
        r"|\blibxl: |\bXendCheckpoint\b|\bxenopsd\b|\bemu-manager\b|\bxenguest\b)",
        "a Xen log",
        _KVM_ONLY,
        "give a recording or a log of one",
    ),
    (
        r"(?:\bvmx\b.{0,99}\||\bVMotion|\bvMotion|\bvmkernel: )",
        "a VMware log",
        _KVM_ONLY,
        "give a recording or a log of one",
    ),
    (r"\bHyper-V\b", "a Hyper-V log", _KVM_ONLY, "give a recording or a log of one"),
    (
        r"^cloud-hypervisor: +[\d.]+m?s: ",
        "a Cloud Hypervisor log",
        _KVM_ONLY,
        "give a recording or a log of one",
    ),
    (
        r"\[\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d virt-manager \d+\]",
        "a virt-manager log",
        _QEMU_FIGURES,
        f"take {DOMJOBINFO}",
    ),
    (
        r"^(?:info )?migrate(?:_\w+)?\b.* -- |^info migrate\s+--",
        "the help of QEMU's monitor",
        "it describes commands, not a migration",
        "take the output of `info migrate` while the migration runs",
    ),
    (
        r"\A\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<(?:domain|domstatus|domainsnapshot)\b",
        "a guest's definition in XML",
        "it has no figures of a migration",
        f"take {DOMJOBINFO}",
    ),
    (
        r"^ *(?:(?:apiVersion|API Version): +kubevirt\.io/|[kK]ind: +VirtualMachineInstance|[mM]igration ?State:)"
        r"|\"apiVersion\": *\"kubevirt\.io/",
        "a KubeVirt object",
        _QEMU_FIGURES,
        "take `kubectl logs POD -c compute` of the source's virt-launcher pod, or `kubectl exec POD -c compute -- "
        "virsh -r domjobinfo 1`, repeatedly",
    ),
    (
        r"(?i)\bmemory[_ ]remaining[_ ]bytes[\"']? *[|:]|^\W*\bSource Node +\| *Dest Node|\| Source Node *\| Dest Node",
        "the output of `openstack server migration`",
        "it shows neither time nor bandwidth",
        f"take the log of nova-compute on the source host, or {DOMJOBINFO}",
    ),
    (
        r"\* memory transfer progress: \d|\* starting memory transfer$",
        "the output of Ganeti's `gnt-instance migrate`",
        "it shows the share of RAM that was sent, but not what is left",
        "take `echo info migrate | socat - UNIX:/run/ganeti/kvm-hypervisor/ctrl/INSTANCE.monitor` on the primary node, "
        "repeatedly, while the migration runs",
    ),
    (
        r"\bMigration progress: disk \d+% \d+/\d+MiB, memory \d+%",
        "the output of igvm",
        "it shows the share of RAM that was sent, but not what is left",
        f"take {DOMJOBINFO}, repeatedly",
    ),
    (
        r"\bLibvirtMigrateCommandWrapper\b",
        "a log of CloudStack's agent",
        _QEMU_FIGURES,
        f"take {DOMJOBINFO}, repeatedly",
    ),
    (
        r"\[Z\d+\]\[(?:VMM|LCM|VM)\]\[[IEWD]\]: ",
        "an OpenNebula log",
        _QEMU_FIGURES,
        "take the output of `virsh domjobinfo one-ID`, on the source host while the migration runs, repeatedly",
    ),
    (
        r"\b(?:Transferring (?:the )?instance|Live migration): .{0,99}\(\d[\d.]{0,20}[kMG]?B/s\)"
        r"|\binstanceType=virtual-mach",
        "the output of Incus or LXD",
        "it shows neither expected-downtime nor the dirty rate",
        "take `query-migrate` over the guest's monitor, qemu.monitor in its directory below /run/incus or "
        "/var/snap/lxd/common/lxd/logs, while no other client holds it",
    ),
    (
        r"(?i)^Content-Transfer-Encoding: *base64|\A\s*(?:[A-Za-z0-9+/]{60,76}\n){2,}[A-Za-z0-9+/]*={0,2}\s*\Z",
        "a text in base64",
        "",
        "copy the text out of the mail program, or decode it with `base64 -d`",
    ),
    (
        r"\b(?:migrate_pending_(?:exact|estimate)|migrate_transferred transferred|migrate_set_state|"
        r"migration_bitmap_sync_end|savevm_state_iterate|migration_completion_\w+|vmstate_downtime_\w+) ?",
        "a log of QEMU events",
        "it shows what was pending, but neither expected-downtime nor page counts",
        "take `info migrate` repeatedly while the migration runs, or `avocado migdowntime record SOCKET`",
    ),
    (
        r"\bevent '[a-z-]+' for domain ",
        "the output of `virsh event`",
        "it has no event of a job that ended",
        f"take {DOMJOBINFO}, repeatedly",
    ),
    (
        r"^ *dirtyrate\.\w+=",
        "the output of `virsh domstats --dirtyrate`",
        "it shows the guest's dirty rate, but nothing of a migration",
        f"take {DOMJOBINFO}, repeatedly",
    ),
    (
        r"\bkubevirt_(?:vmi_migration|migrate_vmi)_\w+",
        "a scrape of KubeVirt's metrics",
        "they show neither the time of the migration nor expected-downtime",
        "take `kubectl logs POD -c compute` of the source's virt-launcher pod, or `kubectl exec POD -c compute -- "
        "virsh -r domjobinfo 1`, repeatedly",
    ),
    (
        r"\blibvirt_domain_\w+[{\"]",
        "a scrape of libvirt's metrics",
        _QEMU_FIGURES,
        f"take {DOMJOBINFO}, repeatedly",
    ),
    (
        r"\bjobInfo\(\)|\bvirDomainGetJobInfo\b",
        "the output of libvirt's jobInfo()",
        "it has no bandwidth and no report",
        f"take what jobStats() returns, or {DOMJOBINFO}, repeatedly",
    ),
    (
        r"^\W*(?:total time|transferred ram|remaining ram)\b\W+\d+ ?(?:ms|milliseconds|kbytes)[\s|]+\d+ ?(?:ms|kb)"
        r"|^\W*(?:Time elapsed|Memory remaining)\b\W+[\d.]+ ?(?:ms|[KMG]iB)\s*[|\t,;]\s*[\d.]+ ?(?:ms|[KMG]iB)"
        r"|^\W*(?:total-time|(?:ram\.)?remaining|memory_remaining)\b\W+\d+\s*[|\t,;]\s*\d",
        "a table of several migrations side by side",
        "",
        "give each one separately, as it was printed",
    ),
    (
        r"^(?P<why>(?:error: |Error from server |Fehler: |erreur ?: |错误：|エラー: |ошибка: ).*)",
        "an error of virsh or kubectl",
        "",
        f"fix that, and take {DOMJOBINFO}",
    ),
    (r"^Traceback \(most recent call last\):", "a Python traceback", _QEMU_FIGURES, f"take {DOMJOBINFO}"),
)
_ENGLISH = (
    r"(?i:[^:\n]*(?:\b|_)(?:remaining|processed|elapsed|transferred|bandwidth|expected|throughput|setup|total|normal"
    r"|memory|downtime|capacity|allocation|physical)(?:\b|_))"
)
_NAMED = rf"^(?!{_ENGLISH})[^:\n：]+[:：][ \t]*"
_SIZE_LINE = rf"{_NAMED}\d+[.,]\d{{3}}[ \t]+(?:[KMGT]i)?[Bo][ \t]*$\n?"
_FIGURE_LINE = rf"{_NAMED}\d+(?:[.,]\d+)?[ \t]+(?:(?:[KMGT]i)?[Bo]|ms)[ \t]*$\n?"
"""A line with a figure as virsh prints it, though not in English. Of a size it prints three decimals."""
_ROWS_OF_BARE_TEXTS: _Rows = (
    (
        rf"{_SIZE_LINE}{_FIGURE_LINE}|{_FIGURE_LINE}{_SIZE_LINE}",
        ANOTHER_LANGUAGE,
        "",
        "run `LC_ALL=C virsh domjobinfo GUEST`",
    ),
    (
        r"^(?:Autostart|Managed save|Security DOI): ",
        "the output of `virsh dominfo`",
        "it describes the guest, not a migration",
        f"take {DOMJOBINFO}",
    ),
    (
        r"^TASK (?:OK|ERROR)|\b(?:starting migration of CT|migration (?:aborted|finished) \S+ ?\()",
        "a task log of Proxmox VE",
        "it shows no migration of a running guest",
        "take `echo 'info migrate' | qm monitor VMID` on the source host, repeatedly, while a migration runs",
    ),
    (
        r"\bnova[.-](?:compute|virt|conductor|scheduler|api)\b",
        "a Nova log",
        "it has no figures of a migration",
        "take nova-compute's log of the source host, or `virsh domjobinfo INSTANCE` there, repeatedly",
    ),
    (
        r"\[vdsm\.|\[virt\.vm\]|\bvdsm\b.{0,99}::|\borg\.ovirt\.engine\b",
        "an oVirt log",
        "it has no figures of a migration",
        "take vdsm.log of the source host, or `virsh -r domjobinfo VM` there, repeatedly",
    ),
    (
        r"\bvirt-(?:handler|controller|launcher|api|operator)\b",
        "a KubeVirt log",
        "it has no figures of a migration",
        "take `kubectl logs POD -c compute` of the source's virt-launcher pod",
    ),
    (
        r"(?i)\b(?:(?:transferred|remaining)[ _-]?ram|mem(?:ory)?[ _-]?remaining|dirty[ _-]?sync[ _-]?count"
        r"|expected[ _-]?downtime)\b",
        "a text that names figures of a migration",
        "no line of it shows them as QEMU or virsh prints them",
        "copy the lines as they are printed, each `NAME: FIGURE UNIT`",
    ),
)
TEXTS, BARE_TEXTS = (
    tuple((re.compile(pattern, re.MULTILINE), Foreign(*rest)) for pattern, *rest in rows)
    for rows in (_ROWS_OF_TEXTS, _ROWS_OF_BARE_TEXTS)
)
"""A line that a text has, and what the text is; the first match counts. The second table is for texts that are read if
they have figures, so it applies only if no form was recognised.
"""

ONLY_WITH: Mapping[str, tuple[str, ...]] = {
    "the output of `virsh migrate --verbose`": ("Migration: [",),
    "the log of a guest's QEMU": ("starting up libvirt version", "char device redirected", "-name guest=", "qemu"),
    "a Xen log": (
        *("xc: ", "migration target: ", "migration sender: ", "new xl format", "libxl: ", "XendCheckpoint"),
        *("xenopsd", "emu-manager", "xenguest"),
    ),
    "a VMware log": ("vmx", "VMotion", "vMotion", "vmkernel: "),
    "a Hyper-V log": ("Hyper-V",),
    "a Cloud Hypervisor log": ("cloud-hypervisor: ",),
    "the help of QEMU's monitor": ("migrate",),
    "a KubeVirt object": ("kubevirt.io/", "VirtualMachineInstance", "igrationState:", "igration State:"),
    "a log of CloudStack's agent": ("LibvirtMigrateCommandWrapper",),
    "the output of Incus or LXD": ("Transferring ", "Live migration: ", "instanceType=virtual-mach"),
    "a log of QEMU events": (
        *("migrate_pending_", "migrate_transferred", "migrate_set_state", "migration_bitmap_sync_end"),
        *("savevm_state_iterate", "migration_completion_", "vmstate_downtime_"),
    ),
    "the output of `virsh event`": ("event '",),
    "the output of `virsh domstats --dirtyrate`": ("dirtyrate.",),
    "a scrape of KubeVirt's metrics": ("kubevirt_vmi_migration_", "kubevirt_migrate_vmi_"),
    "a table of several migrations side by side": (
        *("total time", "transferred ram", "remaining ram", "Time elapsed", "Memory remaining", "total-time"),
        *("remaining", "memory_remaining"),
    ),
    "a Python traceback": ("Traceback (",),
    "a task log of Proxmox VE": ("TASK ", "starting migration of CT", "migration aborted", "migration finished"),
    "an oVirt log": ("vdsm", "[virt.vm]", "org.ovirt.engine"),
    "a KubeVirt log": ("virt-",),
}
"""Each text that matches the pattern has one of these words; searching for words is much faster."""


def of_text(text: str) -> Foreign | None:
    """What a `text` is in which no form was recognised; with the line that says why, if it has one."""
    beginning = text[:_LOOKED_AT]
    for pattern, foreign in (*TEXTS, *BARE_TEXTS):
        words = ONLY_WITH.get(foreign.what)
        if words and not any(map(beginning.__contains__, words)):
            continue
        if match := pattern.search(beginning):
            why = match.groupdict().get("why")
            return foreign if why is None else replace(foreign, why=quoted(why))
    return None


def is_of_others(foreign: Foreign) -> bool:
    """Whether a text is about software other than QEMU, whatever else it looks like."""
    return foreign.why == _KVM_ONLY
