# SPDX-License-Identifier: GPL-2.0-or-later
"""An advice in a few lines for a person, and as JSON fields for a program."""

from dataclasses import asdict
from typing import Any

from ..basics.qemu_constants import DEFAULT_DOWNTIME_LIMIT_MS
from ..prediction.advice import Advice, Down, Finding, Help
from .verdict_text import table

_NO_LIMIT = {Finding.NONE: "NONE: no downtime-limit ends it", Finding.UNKNOWN: "UNKNOWN: the data cannot tell"}


def summary(advice: Advice) -> str:
    """The limit to set, its uncertainty, what helps if it is too large, and what the answer is based on."""
    return table(labelled(advice))


def labelled(advice: Advice) -> list[tuple[str, str]]:
    """The lines of the summary, each with its label."""
    limit = f"{advice.limit_ms} ms downtime-limit" if advice.limit_ms is not None else _NO_LIMIT[advice.finding]
    rows = [("set", limit)]
    if advice.subject:
        rows.append(("tested", advice.subject))
    if advice.range_ms is not None:
        rows.append(("range", f"{advice.range_ms.low:.0f} to {advice.range_ms.high:.0f} ms"))
    if advice.best_point is not None:
        best = advice.best_point
        rows.append(
            ("lowest", f"{best.limit_ms} ms would have worked, at the start of pass {best.number} ({best.t_s:.1f} s)")
        )
    if len(advice.steps_ms) > 1:
        steps = ", ".join(map(str, advice.steps_ms))
        rows.append(("or try", f"{steps} ms in turn, two passes each; one may work with a shorter downtime"))
    if advice.down is not None and advice.limit_ms is not None:
        rows.append(("downtime", down_in_words(advice.down)))
    rows += _help(advice.help)
    if advice.syncs_seen:
        rows.append(
            (
                "based on",
                f"{advice.syncs_seen} {'sync' if advice.syncs_seen == 1 else 'syncs'} with samples on both sides",
            )
        )
    rows += [("reason", reason) for reason in advice.reasons]
    return rows


def down_in_words(down: Down) -> str:
    """How long the guest is down with the advised limit."""
    here = f"about {down.ms:.0f} ms at the present bandwidth"
    if down.capped is None:
        return f"{here}; less if max-bandwidth limits it, because QEMU lifts that at the switchover"
    if not down.capped:
        return f"{here}, which max-bandwidth does not limit"
    return f"{here}; in fact less, because QEMU lifts max-bandwidth at the switchover"


def _help(needed: Help) -> list[tuple[str, str]]:
    default = f"the default of {DEFAULT_DOWNTIME_LIMIT_MS} ms"
    rows = []
    if needed.bandwidth_bytes_per_ms is not None:
        less = ""
        if needed.least_bandwidth_bytes_per_ms is not None:
            less = f"; less may be enough, but not below {needed.least_bandwidth_bytes_per_ms / 1000:.1f} MB/s"
        rows.append(("bandwidth", f"{needed.bandwidth_bytes_per_ms / 1000:.1f} MB/s is enough for {default}{less}"))
    if needed.throttle_percent is not None:
        less = ""
        if needed.least_throttle_percent:
            less = f"; less may be enough, but not below {needed.least_throttle_percent} %"
        enough = f"{needed.throttle_percent} % (auto-converge) is enough only if the guest then dirties that much less"
        rows.append(("throttle", f"{enough}{less}"))
    return rows


def fields(advice: Advice) -> dict[str, Any]:
    """The advice as plain JSON values; an interval is a list of its two ends, what is unknown is null."""
    return {
        "finding": str(advice.finding),
        "subject": advice.subject,
        "downtime_limit_ms": advice.limit_ms,
        "range_ms": [advice.range_ms.low, advice.range_ms.high] if advice.range_ms else None,
        "steps_ms": list(advice.steps_ms),
        "best_point": asdict(advice.best_point) if advice.best_point else None,
        "bandwidth_bytes_per_ms": advice.bandwidth_bytes_per_ms,
        "configured_ms": advice.configured_ms,
        "help": asdict(advice.help),
        "down": asdict(advice.down) if advice.down else None,
        "passes": advice.syncs_seen,
        "reasons": list(advice.reasons),
    }
