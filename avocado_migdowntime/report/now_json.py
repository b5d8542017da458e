# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of a migration, as plain JSON values."""

from dataclasses import asdict
from typing import Any

from ..watching.now import Now
from . import advice, verdict_json


def fields(now: Now) -> dict[str, Any]:
    """All known fields; an interval is a list of its two ends, an unknown value is null."""
    ram = now.ram
    return {
        "t_s": now.t_s,
        "status": now.status,
        "pass": now.number,
        "remaining_bytes": ram.remaining_bytes if ram else None,
        "bandwidth_bytes_per_ms": ram.wire_bytes_per_ms if ram else None,
        "dirty_bytes_per_ms": now.dirty_bytes_per_ms,
        "reported_ms": now.reported_ms,
        "renewed": now.renewed,
        "expected_ms": [now.right_ms.low, now.right_ms.high] if now.right_ms else None,
        "limit_ms": now.limit_ms,
        "outlook": asdict(now.outlook) if now.outlook else None,
        "advised": asdict(now.advised) if now.advised else None,
        "advice": advice.fields(now.advice),
        "verdict": verdict_json.fields(now.verdict),
    }
