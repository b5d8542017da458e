# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of a migration in one sample, if nothing can be concluded or advised from that sample, and why."""

from dataclasses import dataclass

from ..trace.model import GONE
from ..trace.ram import STALLED_S
from .look import Look

_INSTEAD = "give the whole text, or record the migration"
_BEGINS = "QEMU reports the downtime-limit or its initial value until it has computed something"

_ENDS_BADLY = {
    "failed": "has failed",
    "failing": "is failing",
    "cancelled": "was cancelled",
    "cancelling": "is being cancelled",
}


@dataclass(frozen=True)
class Standing:
    """A `code` of the check of the report, for programs, and the `sentence` for people."""

    code: str
    sentence: str


def standing(look: Look) -> Standing | None:
    """Why nothing about the expected downtime follows from a look; None if something may."""
    if look.no_precopy:
        return Standing("no-precopy", look.no_precopy)
    return _not_under_way(look) or _not_to_be_used(look)


def _not_under_way(look: Look) -> Standing | None:
    down = f"the guest was down for {look.down_ms:.10g} ms" if look.down_ms is not None else ""
    if down and look.stopped_early:
        down = f"the guest was stopped some time before, so it was down for more than QEMU's {look.down_ms:.10g} ms"
    if look.status in ("postcopy-paused", "postcopy-recover", "postcopy-recover-setup"):
        interruption = "postcopy is interrupted until it is recovered (migrate-recover, and migrate with resume)"
        return Standing("postcopy", f"{interruption}; the downtime-limit has no effect any more")
    if look.status.startswith("postcopy"):
        began = "postcopy has begun, and finishes whatever the downtime-limit is"
        return Standing("postcopy", f"{began}; {down}" if down else began)
    if look.status == "completed":
        return Standing("ended", f"the migration completed{f', and {down}' if down else ''}; QEMU predicts nothing now")
    if look.status in _ENDS_BADLY:
        return Standing("ended", f"the migration {_ENDS_BADLY[look.status]}; QEMU predicts nothing now")
    if look.status == "none":
        return Standing("ended", GONE)
    if look.status != "active":
        return Standing("not-active", f"the migration is {look.status}, not active; QEMU predicts nothing")
    return None


def _not_to_be_used(look: Look) -> Standing | None:
    remaining = look.remaining_bytes
    if look.too_fast:
        return Standing("too-fast", f"{look.too_fast}: nothing follows from such figures")
    if remaining is None:
        return Standing("nothing-shown", f"how much RAM is left is not shown; {_INSTEAD}")
    if look.ran_over:
        whole = f"{look.total_bytes:.3g} bytes of RAM" if look.total_bytes else "its RAM, more than a guest has"
        sentence = f"QEMU reports {remaining.low:.3g} bytes left of {whole}: one of its counters ran below 0"
        return Standing("overrun", sentence)
    if look.disk_bytes:
        disk = f"{look.disk_bytes / 1e9:.0f} GB" if look.disk_bytes >= 1e9 else f"{look.disk_bytes / 1e6:.1f} MB"
        ram = f"; sending the RAM left takes {look.left_ms.middle:.0f} ms" if look.left_ms is not None else ""
        sentence = f"a disk is migrated as well, and no downtime-limit ends the migration while {disk} of it are left"
        return Standing("disk", f"{sentence}{ram}")
    if look.still_s > STALLED_S:
        sentence = f"nothing was seen to be sent for the last {look.still_s:.0f} s, though RAM is left"
        cause = "while that lasts, no downtime-limit is large enough"
        cause += ": check the network, max-bandwidth, and whether something holds back the switchover"
        return Standing("stalled", f"{sentence}; {cause}")
    if look.in_first_pass:
        return Standing("first-pass", f"this is the first pass, which sends all of RAM: {_BEGINS}")
    if look.bytes_per_ms is not None and not look.bytes_per_ms.low:
        return Standing("no-bandwidth", "the throughput is 0: QEMU has measured nothing yet, or sends nothing now")
    if look.divisor is None:
        left = f"{remaining.middle / 1e6:.1f} MB"
        sentence = f"no throughput is shown, so it is unknown how long the {left} left now take; {_INSTEAD}"
        return Standing("nothing-shown", sentence)
    if look.in_first_pass is None and look.reported_ms is not None:
        return Standing("first-pass", f"no count of dirty syncs is shown, so this may be the first pass: {_BEGINS}")
    return None
