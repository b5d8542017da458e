# SPDX-License-Identifier: GPL-2.0-or-later
"""The advice from a single sample. It seldom has a limit, because no sync was seen.

What was pending at the last sync is at least what is left now. It is also what QEMU reports, if QEMU computes its
report as releases since 3.0 do. So if the report can be nothing else, a limit just above it is a guess.
"""

from math import floor

from ..basics.interval import Interval
from ..basics.qemu_constants import GREATEST_DOWNTIME_LIMIT_MS
from ..basics.units import rate_in_words
from ..oracle.evidence import Evidence
from ..oracle.last_look import last_look
from ..oracle.look import Look
from ..oracle.standing import standing
from ..trace.events import CAP_CHANGED, DIVISOR_CHANGED
from ..trace.model import Trace
from .advice import BEYOND, POSTCOPY, Advice, Finding, megabytes
from .observed import PAUSE_S

_OF_NO_USE = ("disk", "no-precopy", "too-fast", "stalled")
"""What is left, or how long that takes, tells nothing then."""
STOPPED = (
    "the guest is stopped and dirties nothing, so the migration ends once what is left is sent, whatever the "
    "downtime-limit is"
)
_PAUSED = (
    "the guest is stopped for the switchover, and QEMU waits for migrate-continue, which libvirt sends by itself: no "
    "downtime-limit matters"
)
_OLD = ", as neither a release nor a figure shows that this QEMU is 3.0 or newer"
_TOO_LARGE = "QEMU accepts no limit that large"
_OF_BANDWIDTH = {CAP_CHANGED: "max-bandwidth", DIVISOR_CHANGED: "avail-switchover-bandwidth"}
_BETTER = "record the migration for a better answer"


def advise_from_a_look(evidence: Evidence) -> Advice:
    """Advise from the last answer of `evidence` alone."""
    look = last_look(evidence)
    now = standing(look)
    if now is not None:
        is_of_use = look.left_ms is not None and not look.ran_over and now.code not in _OF_NO_USE
        ram_left = _left_now(look) if is_of_use else ""
        finding = Finding.NONE if now.code == "disk" else Finding.UNKNOWN
        return Advice(finding, reasons=(now.sentence, *([ram_left] if ram_left and not look.ended else [])))
    if evidence.trace.is_stopped:
        return Advice(Finding.UNKNOWN, reasons=(why_stopped(evidence.trace),))
    left_ms, bytes_per_ms = look.left_ms, look.divisor
    assert left_ms is not None and bytes_per_ms is not None
    is_shown = look.usual and not look.estimated and not look.hardly_sent
    if left_ms.low >= GREATEST_DOWNTIME_LIMIT_MS and is_shown and look.in_first_pass is False:
        reason = f"{_left_now(look)}{BEYOND}"
        return Advice(Finding.NONE, bandwidth_bytes_per_ms=bytes_per_ms.middle, reasons=(reason, POSTCOPY))
    pending_ms, doubt = _pending(look)
    if name := _set_after(evidence):
        doubt = doubt or f"{name} was set after these figures were taken"
    if pending_ms is None or doubt or pending_ms.high > GREATEST_DOWNTIME_LIMIT_MS:
        least = f"{_left_now(look)}, so ending it now needs a limit of at least {floor(left_ms.low) + 1} ms"
        doubts = (doubt or _TOO_LARGE, f"no sync was seen: {_BETTER}")
        return Advice(Finding.UNKNOWN, bandwidth_bytes_per_ms=bytes_per_ms.middle, reasons=(least, *doubts))
    limit_ms = max(floor(pending_ms.high), floor(left_ms.low) + 1)
    assert look.dirtied_ms is not None
    dirtied_ms = left_ms.high * look.dirtied_ms.high / 1000
    if look.total_bytes:
        dirtied_ms = min(dirtied_ms, look.total_bytes / bytes_per_ms.low)
    return Advice(
        Finding.FOUND,
        limit_ms=limit_ms,
        range_ms=Interval(floor(left_ms.low) + 1, max(limit_ms, floor(left_ms.high + dirtied_ms) + 1)),
        bandwidth_bytes_per_ms=bytes_per_ms.middle,
        reasons=(
            f"QEMU found {pending_ms.low:.0f} ms pending at the last sync, and {left_ms.middle:.0f} ms of them are "
            "left",
            "no sync was seen, so this is a guess; while the rest is sent, the guest dirties another "
            f"{dirtied_ms:.0f} ms' worth; {_BETTER}",
            *_of_the_present(evidence.set_limit_ms, limit_ms),
        ),
    )


def why_stopped(trace: Trace) -> str:
    """What ends the migration of a guest that is stopped."""
    return _PAUSED if trace.samples[-1].status == "pre-switchover" else STOPPED


def _set_after(evidence: Evidence) -> str:
    """The parameter of the bandwidth that somebody set below the last figures of a text; '' if nobody did."""
    if not evidence.trace.readings:
        return ""
    events = (one for one in evidence.trace.events if one.t_s >= float(evidence.samples.t_s[-1]))
    return next((_OF_BANDWIDTH[one.name] for one in events if one.name in _OF_BANDWIDTH), "")


def _of_the_present(configured_ms: float | None, limit_ms: int) -> list[str]:
    """That the downtime-limit that is shown would be enough, if it is."""
    if configured_ms is None or configured_ms < limit_ms:
        return []
    return [
        f"the downtime-limit of {configured_ms:.10g} ms that is shown is more: unless it was changed, wait for a sync"
    ]


def _pending(look: Look) -> tuple[Interval | None, str]:
    """What was pending at the last sync in ms, according to the report, and why the report may be something else, or
    ''.
    """
    if look.reported_ms is None:
        first = ", and this may be the first pass, which sends all of RAM" if look.in_first_pass is None else ""
        also = "what the guest dirtied since the last sync has to be sent as well"
        return None, f"no expected downtime is shown{first}; {also}"
    if look.still_s > PAUSE_S:
        return None, f"nothing was seen to be sent for the last {look.still_s:.1f} s"
    report = f"the report of {look.reported_ms.low:.10g} ms"
    if look.estimated:
        return None, f"no bandwidth is shown, so the amount behind {report} is unknown"
    if look.idle or look.hardly_sent or look.uncomputed:
        return None, f"{report} may be QEMU's initial value, not a computed one"
    if look.with_vfio:
        doubt = "may exclude the state of VFIO devices, and nothing shows how fast that changes"
        return None, f"{report} {doubt}"
    if look.packed and look.data_bytes and look.sent_bytes:
        went = f"{megabytes(look.data_bytes)} of pages were sent as {megabytes(look.sent_bytes)}, encoded or compressed"
        return None, f"{went}: sending what is left takes less time than QEMU's size ÷ bandwidth"
    fitting = look.explanations(0.0)
    if "last-sync" not in fitting:
        what = (
            "that of dirty-rate, a rate instead of an amount" if "dirty-rate" in fitting else "below what is left now"
        )
        return None, f"{report} is {what}: what the guest dirtied since the last sync has to be sent as well"
    if look.was_below:
        return None, f"{report} is below what was left earlier in this pass, so it belongs to another pass or is wrong"
    others = [name for name in fitting if name != "last-sync"]
    of_before = [name for name, ms in look.of_second_pass.items() if ms.meets(look.reported_ms)]
    others += [f"{name} of pass 2" for name in of_before if name not in others]
    if others or look.dirtied_ms is None or look.may_report_rate:
        pending = fitting["last-sync"]
        fits = f"fits {' and '.join(others)} as well as" if others else "may fit another formula than"
        unseen = ", because no dirty rate is shown" if look.dirtied_ms is None else _OLD
        unseen = "" if others else unseen
        limit_ms = floor(pending.high) if pending is not None else 0
        limit = f"the limit is {limit_ms} ms" if limit_ms <= GREATEST_DOWNTIME_LIMIT_MS else _TOO_LARGE
        return (
            pending,
            f"{report} {fits} last-sync{unseen}; if this QEMU uses the formula of QEMU 3.0 and later, {limit}",
        )
    if not look.usual:
        return None, "the bandwidth at this moment may differ from that of the whole migration"
    if look.found_unusually_much:
        return None, f"{report} may be of an unusual pass: until now they took {look.mean_pass_ms:.0f} ms on average"
    return fitting["last-sync"], ""


def _left_now(look: Look) -> str:
    assert look.left_ms is not None and look.divisor is not None
    left_ms = look.left_ms.middle if look.left_shown_ms is None else look.left_shown_ms
    takes = f"{left_ms:.0f} ms at {rate_in_words(look.divisor.middle)}"
    size = look.remaining_bytes
    return f"{megabytes(size.middle)} are left now ({takes})" if size is not None else f"{takes} are left now"
