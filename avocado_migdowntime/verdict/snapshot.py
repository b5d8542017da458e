# SPDX-License-Identifier: GPL-2.0-or-later
"""Judges a single sample of a migration, such as HMP's `info migrate`: there is no sync to compare with.

What is left now is never more than what was left at the last sync. So a report above it may be right. A report below it
may be that of the previous pass, until QEMU updates it. The bug of QEMU before 3.0 shows only if the report is exactly
what dirty-rate gives and cannot be what was left.
"""

from collections.abc import Collection

from ..oracle.evidence import Evidence
from ..oracle.last_look import last_look
from ..oracle.look import Look
from ..oracle.standing import standing
from ..trace.ram import STALLED_S
from .blind import why_so_short
from .check import Check, Outcome
from .codes import REPORT
from .downtime import downtime
from .limit import LimitFinding
from .verdict import Verdict

_OF_ONE = "a single sample is judged by what is left now, not by what was left at the last sync; record it for more"
_OF_SEVERAL = (
    "the last of {} samples is judged by what is left now: they do not tell what was left at a sync; record it for more"
)
_OF_A_TRACE = ("postcopy", "disk", "overrun", "too-fast", "stalled", "first-pass")
"""Codes that apply to a whole trace if they apply to its last sample."""
_UNLESS = "unless it was taken before the first update after a sync"


def judge_snapshot(evidence: Evidence, contract: str, tolerance: float) -> Verdict:
    """The verdict on a single sample; `passes` is 0 and the limit is not judged."""
    look = last_look(evidence)
    formula, report = decide_by_look(look, contract, tolerance)
    reported = reported_of(look)
    rate_ms = look.dirtied_ms.middle if look.dirtied_ms is not None else None
    computed_ms = (rate_ms if contract == "dirty-rate" else left_now_ms(look)) if standing(look) is None else None
    samples = len(evidence.trace.samples)
    note = _OF_ONE if samples == 1 else _OF_SEVERAL.format(samples)
    comparable = not look.estimated and report.code in (
        "accurate",
        "another-formula",
        "no-formula",
        "below-what-is-left",
    )
    return Verdict(
        report=report,
        contract=contract,
        limit=LimitFinding("single-look"),
        tolerance=tolerance,
        formula=formula,
        reported_ms=reported,
        expected_ms=computed_ms,
        left_now_ms=left_now_ms(look),
        relative_error=reported / computed_ms - 1 if comparable and reported is not None and computed_ms else None,
        downtime_limit_ms=evidence.set_limit_ms,
        downtime=downtime(evidence),
        samples_used=int(report.outcome is not Outcome.UNDECIDED),
        reasons=(report.sentence, *([note] if computed_ms is not None else []), *evidence.trace.notes),
        subject=evidence.trace.subject,
    )


def reported_of(look: Look) -> float | None:
    """QEMU's expected-downtime."""
    return look.reported_ms.low if look.reported_ms is not None else None


def left_now_ms(look: Look) -> float | None:
    """What is left now ÷ bandwidth, from the figures shown; None if it is of no use."""
    if look.left_ms is None or look.ran_over or look.ended or look.no_precopy or look.too_fast:
        return None
    if look.still_s > STALLED_S:
        return None
    return look.left_ms.middle if look.left_shown_ms is None else look.left_shown_ms


def decide_by_look(look: Look, contract: str, tolerance: float) -> tuple[str | None, Check]:
    """The formula that the report shows, if any, and the check."""
    if (now := standing(look)) is not None:
        return _open(now.code, now.sentence)
    if look.reported_ms is None:
        return _open("nothing-shown", f"no expected downtime is shown{_left_to_send(look)}")
    if look.idle or look.hardly_sent:
        why = "dirty-pages-rate is 0" if look.idle else "hardly anything is sent"
        return _open("nothing-computed", f"{why}: QEMU computes nothing{_left_to_send(look)}")
    if look.uncomputed:
        begins = f"{look.reported_ms.low:.10g} ms may be QEMU's initial value, not a computed one"
        return _open("nothing-computed", f"{begins}{_left_to_send(look)}")
    if look.estimated:
        return _by_mean_bandwidth(look, tolerance)
    fitting = look.explanations(tolerance)
    dirty_rate = "dirty-rate" in fitting and look.sharp
    if dirty_rate and len(fitting) == 1:
        gives = f"the report matches dirty-rate ({look.dirtied_ms.middle:.1f} ms)"  # type: ignore[union-attr]
        if contract == "dirty-rate":
            return contract, Check(REPORT, Outcome.PASSED, "accurate", f"the report matches {contract}")
        sentence = f"{gives}, a rate instead of an amount{_left_to_send(look)}"
        return "dirty-rate", Check(REPORT, Outcome.FAILED, "another-formula", sentence)
    if "dirty-rate" in fitting or "live" in fitting or (contract in fitting and contract != "last-sync"):
        names = " and ".join(name for name in fitting if name != "redirty" or contract == name)
        return _open(
            "formulas-alike", f"the report fits {names}, which one sample cannot distinguish{_left_to_send(look)}"
        )
    return _open(*_by_what_is_left(look, contract, fitting))


def decide_without_pass(evidence: Evidence, contract: str, tolerance: float) -> tuple[str | None, Check, Look]:
    """The same by the last sample of a trace without a pass to judge; also returns that sample's look."""
    look = last_look(evidence)
    formula, report = decide_by_look(look, contract, tolerance)
    if report.outcome is Outcome.UNDECIDED:
        needed = f"two passes in a row with samples are needed, the second with reports{why_so_short(evidence)}"
        code = report.code if report.code in _OF_A_TRACE else "no-pass"
        report = Check(REPORT, report.outcome, code, f"no pass could be judged: {needed}; {report.sentence}")
    return formula, report, look


def _by_what_is_left(look: Look, contract: str, fitting: Collection[str]) -> tuple[str, str]:
    assert look.left_ms is not None
    left_now = f"the {left_now_ms(look):.1f} ms left to send now"
    if contract != "last-sync":
        return "no-formula", f"the report does not match {contract}, {_unless(look)}{_left_to_send(look)}"
    if "last-sync" in fitting and look.reported_ms is not None:
        if look.reported_ms.high < look.left_ms.low:
            return "plausible", f"QEMU's figure is below {left_now}, but within the tolerance"
        if look.all_ms is not None and look.reported_ms.low > look.all_ms:
            beyond = f"more than all of RAM would take at this bandwidth, {look.all_ms:.1f} ms"
            return "plausible", f"QEMU's figure is at least {left_now}, and {beyond}"
        return "plausible", f"QEMU's figure is at least {left_now}, as it should be"
    return "below-what-is-left", f"QEMU's figure is below {left_now}, so it is wrong {_unless(look)}"


def _unless(look: Look) -> str:
    others = [] if look.switchover_bytes_per_ms else ["avail-switchover-bandwidth is set"]
    if look.dirty_bytes_per_ms is None:
        others.append("the guest dirties nothing, so that QEMU computes nothing")
    return ", or ".join([_UNLESS, *others])


def _by_mean_bandwidth(look: Look, tolerance: float) -> tuple[None, Check]:
    """Decide without a shown bandwidth: name bandwidths that would explain the report, and use the mean one."""
    left_ms, dirtied_ms, reported_ms, mean = look.left_ms, look.dirtied_ms, look.reported_ms, look.divisor
    assert left_ms is not None and reported_ms is not None and mean is not None
    fits = [("what is left now", left_ms), *([("dirty-rate", dirtied_ms)] if dirtied_ms is not None else [])]
    at = [
        f"{name} at {mean.middle * ms.middle / max(reported_ms.middle, 0.5) / 1000:.0f} MB/s"
        for name, ms in reversed(fits)
    ]
    sentence = (
        f"no bandwidth is shown: {reported_ms.low:.10g} ms fit {' or '.join(at)}; at the mean of "
        f"{mean.middle / 1000:.0f} MB/s, {left_ms.middle / 1000:.1f} s are left"
    )
    below = reported_ms.high < left_ms.low * (1 - tolerance)
    return _open("below-what-is-left" if below else "plausible", sentence)


def _left_to_send(look: Look) -> str:
    return f"; {left_ms:.1f} ms are left to send now" if (left_ms := left_now_ms(look)) is not None else ""


def _open(code: str, sentence: str) -> tuple[None, Check]:
    return None, Check(REPORT, Outcome.UNDECIDED, code, sentence)
