# SPDX-License-Identifier: GPL-2.0-or-later
"""Judges a Trace, or the Evidence made from it, and returns a Verdict."""

from collections.abc import Mapping
from statistics import median

from ..errors import UsageError
from ..oracle.evidence import Evidence
from ..oracle.fit import fit_passes
from ..oracle.formulas import FORMULAS
from ..oracle.releases import remark
from ..oracle.reports import ExcludedSamples
from ..oracle.segments import in_later_passes, slowed
from ..trace.cpu import CpuUse, cpu_courses
from ..trace.events import BANDWIDTH, HARNESS, LAGGING
from ..trace.model import Trace
from ..trace.samples import Samples
from .bandwidth import judge_bandwidth
from .blocktime import judge_blocktime
from .cap import judge_cap
from .carried import judge_carried
from .check import Check, Outcome
from .codes import REPORT
from .decide import decide
from .downtime import downtime, integrity
from .judged_passes import judged_passes
from .limit import judge_limit
from .mid_pass_stop import mid_pass_stop
from .pending import judge_pending
from .predicted_downtime import judge_predicted_downtime
from .snapshot import decide_without_pass, judge_snapshot, left_now_ms, reported_of
from .switchover import judge_switchover
from .throttle import judge_throttle
from .trials import judge_trials
from .verdict import Verdict

NOT_FOLLOWED = "whether the report follows another bandwidth was not seen"
"""A remark on a report that is right in each pass, if the bandwidth was changed and too little of that was seen."""
REPORT_TOLERANCE = 0.01
"""The relative error that still counts as accurate: far above the oracle's noise (0.05 %), far below wrong formulas."""


def judge(recorded: Trace | Evidence, contract: str = "last-sync", tolerance: float = REPORT_TOLERANCE) -> Verdict:
    """The verdict on a recorded migration: does QEMU follow the formula `contract` within the relative `tolerance`?

    If a trace has several migrations, the last one is judged. Raises UsageError if no formula has that name, or if the
    header or an event is malformed.
    """
    if contract not in FORMULAS:
        raise UsageError(f"unknown formula {contract!r}; known are {', '.join(FORMULAS)}")
    whole = Evidence.of(recorded)
    if whole.trace.snapshot or whole.trace.no_precopy or whole.trace.doubt:
        return judge_snapshot(whole, contract, tolerance)
    bandwidth, cap, switchover = judge_bandwidth(whole), judge_cap(whole), judge_switchover(whole)
    pending, throttle, carried = judge_pending(whole), judge_throttle(whole), judge_carried(whole)
    blocktime = judge_blocktime(whole)
    if bandwidth.code == "not-as-sent":
        whole = whole.at_sent_bandwidth
    elif bandwidth.code == "one-place":
        whole = whole.without_odd
    evidence = whole.undisturbed
    excluded = ExcludedSamples()
    segments, remarks = judged_passes(evidence, contract, tolerance, excluded)
    if not segments and whole.latest is not evidence:
        evidence, excluded = whole.latest, ExcludedSamples()
        segments, remarks = judged_passes(evidence, contract, tolerance, excluded)
    if evidence.failure and segments:
        remarks.append(evidence.failure)
    limit = judge_limit(evidence, evidence.passes, evidence.syncs)
    down, stop = downtime(whole), mid_pass_stop(whole)
    if down is not None and (stop is None or stop.truth is None):
        remarks.append(down.remark)
    fit = fit_passes(segment.fits[contract] for segment in segments) if segments else None
    look = None
    if segments:
        rest = slowed(whole, segments, tolerance)
        later = in_later_passes(whole, rest) if rest else Samples()
        formula, report = decide(evidence, segments, rest, later, contract, tolerance)
        if rest is None and report.outcome is Outcome.PASSED and whole.trace.first_event(HARNESS, BANDWIDTH):
            remarks.append(NOT_FOLLOWED)
    else:
        formula, report, look = decide_without_pass(whole.until_its_last_look, contract, tolerance)
    reported_ms = median(segment.reported_ms for segment in segments) if segments else None
    if evidence.samples.sends_a_disk and report.outcome is not Outcome.UNDECIDED:
        sentence = f"a disk was migrated as well, and the report may include it: {report.sentence}"
        formula, report = None, Check(REPORT, Outcome.UNDECIDED, "disk", sentence)
    trials = judge_trials(whole, fit.computed_ms if fit else None, reported_ms)
    if trials is not None:
        remarks.append(trials.reason)
    if lag := whole.trace.first_event(HARNESS, LAGGING):
        remarks.append(f"the guest could not keep to its rate: {lag.data.get('said', 'it says no more')}")
    predicted = judge_predicted_downtime(whole, down)
    if predicted is not None:
        remarks.append(predicted.reason)
    if stop is not None:
        remarks.append(stop.check.sentence)
    of_qemu = (bandwidth, carried, cap, switchover, pending, throttle, blocktime)
    findings = [one.check for one in of_qemu if one is not None]
    remarks += [check.sentence for check in findings if check.outcome in (Outcome.FAILED, Outcome.UNDECIDED)]
    of_formula = report.outcome is not Outcome.UNDECIDED and formula in FORMULAS
    era = remark(formula, whole.release) if of_formula else ""
    return Verdict(
        report=report,
        contract=contract,
        limit=limit,
        tolerance=tolerance,
        formula=formula,
        reported_ms=reported_of(look) if look else reported_ms,
        expected_ms=fit.computed_ms if fit else None,
        is_cap_lifted=bool(segments) and _is_cap_lifted(whole, evidence, segments[-1].bytes_per_ms),
        left_now_ms=left_now_ms(look) if look else None,
        relative_error=fit.error if fit else None,
        relative_error_interval=fit.error_interval if fit else None,
        passes=len(segments),
        downtime_limit_ms=whole.set_limit_ms if limit.is_open or evidence.limit_ms is None else evidence.limit_ms,
        samples_used=sum(len(segment.reports) for segment in segments),
        samples_dropped=excluded.counts,
        dropped_at_s=excluded.times_s,
        reasons=tuple(filter(None, (report.sentence, era, limit.reason, *remarks, *whole.trace.notes))),
        era=era,
        subject=whole.trace.subject,
        integrity=integrity(whole),
        downtime=down,
        convergence=trials,
        predicted_downtime=predicted,
        stop=stop,
        bandwidth=bandwidth,
        cap=cap,
        switchover=switchover,
        pending=pending,
        throttle=throttle,
        transferred=carried,
        blocktime=blocktime,
        cpu=_cpu(whole),
    )


def _is_cap_lifted(whole: Evidence, judged: Evidence, bytes_per_ms: float) -> bool:
    """Whether a precopy ended by a switchover, at which QEMU lifts max-bandwidth, and that limited it until then."""
    trace = whole.trace
    is_by_precopy = trace.completed and not any(one.startswith("postcopy") for one in trace.samples.statuses)
    return is_by_precopy and not trace.was_stopped_early and judged.last_cap.limits(bytes_per_ms) is True


def _cpu(evidence: Evidence) -> Mapping[str, CpuUse]:
    begin_s, end_s = float(evidence.samples.t_s[0]), min(evidence.stopped_s, float(evidence.samples.t_s[-1]))
    used = {course.side: course.used(begin_s, end_s) for course in cpu_courses(evidence.trace)}
    return {side: use for side, use in used.items() if use is not None}
