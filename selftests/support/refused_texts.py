# SPDX-License-Identifier: GPL-2.0-or-later
"""Files and texts that cannot be read, and the error message for each."""

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.foreign import MAGIC

FOREIGN = {
    "a web page": "<!DOCTYPE html>\n<html><head><title>paste</title></head>",
    "the output of `virsh migrate --verbose`": "Migration: [ 97 %]",
    "a log of libvirt's daemon": (
        "2024-05-12 11:57:06.546+0000: 1234: info : libvirt version: 9.0.0, package: 4+deb12u1 (Debian)\n"
        "2024-05-12 11:57:06.546+0000: 1235: error : virNetSocketReadWire:1805 : End of file while reading data"
    ),
    "the log of a guest's QEMU": (
        "2024-05-12 11:57:06.546+0000: starting up libvirt version: 9.0.0, qemu version: 7.2.9, hostname: host1\n"
        "LC_ALL=C \\\nPATH=/usr/bin \\\n/usr/bin/qemu-system-x86_64 \\\n-name guest=vm1,debug-threads=on \\\n"
    ),
    "a Xen log": (
        "migration target: Ready to receive domain.\nSaving to migration stream new xl format (info 0x3/0x0/1444)\n"
        "xc: info: Saving domain 6, type x86 PV"
    ),
    "a VMware log": "2024-05-12T11:57:06.546Z| vmx| I125: VMotion: 1234: starting pre-copy",
    "a Hyper-V log": "Microsoft-Windows-Hyper-V-VMMS 20415 Live migration of 'vm1' succeeded. Blackout: 0.8 s",
    "a Cloud Hypervisor log": (
        "cloud-hypervisor:  12.702682s: <vmm> DEBUG:vmm/src/lib.rs:1313 -- Precopy: iter=0 total=6144MiB"
    ),
    "a virt-manager log": "[Sun, 12 May 2024 11:57:06 virt-manager 1234] DEBUG (migrate:567) Migrating vm1",
    "the help of QEMU's monitor": (
        "(qemu) help migrate\nmigrate [-d] [-r] uri -- migrate to URI (using -d to not wait for completion)"
    ),
    "a guest's definition in XML": "<domain type='kvm' id='3'>\n  <name>vm1</name>",
    "a KubeVirt object": "apiVersion: kubevirt.io/v1\nkind: VirtualMachineInstanceMigration\nmetadata:",
    "the output of `openstack server migration`": "| memory_remaining_bytes | 831111168 |",
    "the output of Ganeti's `gnt-instance migrate`": (
        "Sun May 12 11:57:06 2024 * starting memory transfer\n"
        "Sun May 12 11:57:16 2024 * memory transfer progress: 107.13 %"
    ),
    "the output of igvm": "INFO: igvm.kvm: Migration progress: disk 100% 12319/12319MiB, memory 5% 191/3585MiB, ",
    "a log of CloudStack's agent": (
        "2024-05-12 11:57:06,546 INFO  [resource.wrapper.LibvirtMigrateCommandWrapper] (agentRequest-Handler-1:null) "
        "Waiting for migration of i-2-7-VM to complete, waited 10000ms"
    ),
    "an OpenNebula log": "Sun May 12 11:57:06 2024 [Z0][VM][I]: New LCM state is MIGRATE",
    "the output of Incus or LXD": "Transferring instance: Live migration: 1.23GB (110.20MB/s)",
    "a log of QEMU events": (
        "1234@1715515026.546232:migrate_pending_estimate estimate pending size 73728 (pre = 73728 post=0)"
    ),
    "the output of `virsh event`": (
        "2024-05-12 11:57:06.546+0000: event 'migration-iteration' for domain 'vm1': iteration: '2'"
    ),
    "the output of `virsh domstats --dirtyrate`": "Domain: 'vm1'\n  dirtyrate.calc_status=2",
    "a text in base64": "MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\nSGkKCmdsb2JhbHM6CnN0b3JlLWdsb2JhbC1z",
    "a scrape of libvirt's metrics": 'libvirt_domain_job_info_memory_remaining_bytes{domain="vm1"} 1.57e+08',
    "the output of libvirt's jobInfo()": ">>> dom.jobInfo()\n[2, 60000, 0, 4312604672, 4200000000, 78536704]",
    "a text that names figures of a migration": "The remaining ram was about 370 MB when I looked, and it grew.\n",
    "a scrape of KubeVirt's metrics": 'kubevirt_vmi_migration_data_remaining_bytes{name="vm1",namespace="d"} 8.31e+08',
    "a table of several migrations side by side": (
        "total time:      9576 ms      10461 ms    +9.2%\nremaining ram:   0 kbytes     0 kbytes"
    ),
    "an error of virsh or kubectl": "error: failed to get domain 'vm2'",
    "the output of `virsh domjobinfo` in another language than English": (
        "Aufgabentyp:      Unbegrenzt  \nAbgelaufene Zeit: 60000        ms\nVerbleibende Daten: 224,113 MiB\n"
        "Daten gesamt:     4,016 GiB"
    ),
    "the output of `virsh dominfo`": (
        "Name:           vm1\nMax memory:     4194304 KiB\nUsed memory:    4194304 KiB\nPersistent:     yes\n"
        "Autostart:      disable"
    ),
    "a task log of Proxmox VE": (
        "2024-05-12 11:57:06 ERROR: migration aborted (duration 00:00:00): no such node\nTASK ERROR: migration aborted"
    ),
    "a Nova log": "2024-05-12 11:57:06.546 7 ERROR nova.conductor.manager [req-1] No valid host found",
    "an oVirt log": (
        "2024-05-12 11:57:06,546+0000 INFO  (jsonrpc/3) [vdsm.api] START migrate(params={'incomingLimit': 2}) (api:48)"
    ),
    "a KubeVirt log": '{"component":"virt-handler","level":"info","msg":"target pod is ready"}',
    "a Python traceback": 'Traceback (most recent call last):\n  File "x.py", line 1',
}
"""Texts about something else, by name."""
_ERROR = '{"error": {"class": "GenericError", "desc": "Device is busy"}}'
_JOB = "Operation:        Outgoing migration"
TOO_LITTLE = {
    "nothing": "\n \n",
    "a line of something": "My guest has been migrating for hours, what should I do about it? It is a big one, it "
    "writes to its memory all the time, and the network between the two hosts is as slow as it was in the last century",
    "an error of QEMU's": _ERROR,
    "an error of QEMU's without words": '{"error": {"class": "GenericError"}}',
    "a reply of another command": '{"return": {"running": true, "singlestep": false, "status": "running"}}',
    "a guest that cannot be migrated": "(qemu) info migrate\nglobals:\nstore-global-state: on\n"
    "Outgoing migration blocked:\n  the device 'nvme' is not migratable\n",
    "a guest that cannot be migrated, by QMP": '{"return": {"blocked-reasons": ["nvme", "a mounted 9p share"]}}',
    "a migration that is set up": "Migration status: setup\ntotal time: 3 ms\n",
    "a migration without its RAM": "Migration status: active\ntotal time: 3000 ms\nexpected downtime: 7 ms\n",
    "the same by QMP": '{"return": {"status": "active", "total-time": 3000, "expected-downtime": 7}}',
    "a job that is none": f"Job type:         None\n{_JOB}\n",
    "a job at the destination": "Job type:         Bounded\nOperation:        Incoming migration\n",
    "a job by its number": "Job type:         Unbounded\nOperation:        9\nMemory total: 4.000 GiB\n",
    "a job by a number of tomorrow": "Job type:         Unbounded\nOperation:        11\nMemory total: 4.000 GiB\n",
    "a job of another kind": f"Job type:         Unbegrenzt\n{_JOB}\nMemory remaining: 4.000 GiB\n",
    "a job with words": f"Job type:         Unbounded\n{_JOB}\nMemory remaining: viele\n",
    "a job without memory": f"Job type:         Unbounded\n{_JOB}\nTime elapsed:     2540 ms\n",
    "parameters": "downtime-limit: 300 milliseconds\nmax-bandwidth: 134217728 bytes/second\n",
    "a log of vdsm without figures": "2024-05-12 11:57:06,546+0000 INFO  (migmon/1) [virt.vm] (vmId='00000000-0000') "
    "Migration Progress: 10 seconds elapsed, 12% of data processed (migration:867)\n",
    "a log of Nova's without figures": "2024-05-12 11:57:06.546 8 INFO nova.virt.libvirt.driver [instance: 7] "
    "Increasing downtime to 50 ms after 0 sec elapsed time\n",
    "a task log without figures": "2024-05-12 11:57:06 starting migration of VM 7 to node 'n' (192.0.2.1)\n"
    "2024-05-12 11:57:07 migration downtime limit: 100 ms\n",
}
"""Texts of known forms that show too little, by what they are."""


def refusals() -> str:
    """The messages for each of these, and for each file that is no text."""
    files = {f"a file that begins with {magic!r}": magic + b" and so on" for magic, _ in MAGIC}
    texts = {name: text.encode() for name, text in (*FOREIGN.items(), *TOO_LITTLE.items())}
    return "".join(f"{name}: {_refusal(data)}\n" for name, data in (*files.items(), *texts.items()))


def _refusal(data: bytes) -> str:
    try:
        parse(data)
    except UsageError as error:
        return str(error)
    raise AssertionError(f"{data!r} is read")
