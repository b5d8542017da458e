# SPDX-License-Identifier: GPL-2.0-or-later
"""Judging one look at a migration, such as HMP's `info migrate`: there is no sync to compare with.

What is left now is never more than what was left at the last sync, so a report below it cannot be right; and a
report that is just what dirty-rate gives shows that formula. Anything else stays open.
"""

from ..basics.interval import Interval
from ..oracle.evidence import Evidence
from ..oracle.formulas import dirty_rate, live
from ..oracle.reports import computes_nothing
from ..trace.samples import Sample
from .check import Check, Outcome
from .codes import REPORT
from .limit import LimitFinding
from .verdict import Verdict

ROUNDED_MBPS = 0.005
"""HMP prints mbps with two digits."""


def judge_snapshot(evidence: Evidence, contract: str, tolerance: float) -> Verdict:
    """The verdict on a single sample; `passes` is 0 and the limit is not judged."""
    sample = evidence.samples[-1]
    formula, report = _decide(sample, contract, tolerance)
    reported, now_ms = sample.expected_downtime_ms, _computed_ms(sample, contract)
    return Verdict(
        report=report,
        contract=contract,
        limit=LimitFinding("single-look"),
        tolerance=tolerance,
        formula=formula,
        reported_ms=reported,
        expected_ms=now_ms,
        relative_error=reported / now_ms - 1 if reported is not None and now_ms else None,
        downtime_limit_ms=evidence.trace.downtime_limit_ms,
        samples_used=int(report.outcome is not Outcome.UNDECIDED),
        reasons=(
            report.sentence,
            "a single snapshot is judged by what is left now, not by what was left at the last sync",
        ),
    )


def _decide(sample: Sample, contract: str, tolerance: float) -> tuple[str | None, Check]:
    """The formula that the report shows, if it does, and what it comes to."""
    reported, ram, now_ms = sample.expected_downtime_ms, sample.ram, _live_ms(sample)
    if sample.status != "active":
        return _open("not-active", f"the migration is {sample.status}, not active: nothing is predicted")
    if reported is None or ram is None or now_ms is None:
        return _open("nothing-shown", "no expected downtime or no throughput is shown")
    if idle := computes_nothing(ram):
        return _open("nothing-computed", idle)
    rate_ms = dirty_rate(0, ram, ram.wire_bytes_per_ms)
    shown = Interval(reported, reported + 1)
    fitting = [name for name, ms in (("dirty-rate", rate_ms), ("live", now_ms)) if shown.meets(_rounded(ms, ram.mbps))]
    if contract in fitting:
        return contract, Check(REPORT, Outcome.PASSED, "accurate", f"the report is what {contract} gives")
    if "dirty-rate" in fitting:
        sentence = f"the report is what dirty-rate gives ({rate_ms:.1f} ms): a rate over a bandwidth, not an amount"
        return "dirty-rate", Check(REPORT, Outcome.FAILED, "another-formula", sentence)
    if shown.high < now_ms * (1 - tolerance):
        below = f"the report is below the {now_ms:.1f} ms that are left to send even now"
        unless = "unless it was taken within 0.2 s of a sync, or avail-switchover-bandwidth is set"
        return None, Check(REPORT, Outcome.FAILED, "below-what-is-left", f"{below} ({unless})")
    if contract == "dirty-rate":
        return None, Check(REPORT, Outcome.FAILED, "no-formula", "the report is not what dirty-rate gives")
    return _open("plausible", f"the report is not below the {now_ms:.1f} ms that are left to send now")


def _open(code: str, sentence: str) -> tuple[None, Check]:
    return None, Check(REPORT, Outcome.UNDECIDED, code, sentence)


def _computed_ms(sample: Sample, contract: str) -> float | None:
    """What the report is held against: dirty-rate where that is the contract, else what is left now."""
    if contract == "dirty-rate" and sample.ram and sample.ram.mbps > 0:
        return float(dirty_rate(0, sample.ram, sample.ram.wire_bytes_per_ms))
    return _live_ms(sample)


def _live_ms(sample: Sample) -> float | None:
    ram = sample.ram
    return float(live(0, ram, ram.wire_bytes_per_ms)) if ram and ram.mbps > 0 else None


def _rounded(value_ms: float, mbps: float) -> Interval:
    """What `value_ms` may be, given that the bandwidth it was divided by was shown with two digits.

    Below 0.8 Mbps QEMU computes nothing, so that this is not asked.
    """
    return Interval(value_ms * mbps / (mbps + ROUNDED_MBPS), value_ms * mbps / (mbps - ROUNDED_MBPS))
