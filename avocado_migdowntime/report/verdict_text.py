# SPDX-License-Identifier: GPL-2.0-or-later
"""A verdict in a few lines for a person."""

from collections.abc import Iterable, Sequence

from ..basics.interval import Interval
from ..basics.printable import in_a_line
from ..verdict.bandwidth import BandwidthFinding
from ..verdict.blocktime import BlocktimeFinding
from ..verdict.check import Outcome
from ..verdict.downtime import Downtime
from ..verdict.limit_at_switchover import BURST_MS
from ..verdict.mid_pass_stop import GroundTruth
from ..verdict.predicted_downtime import PredictedDowntime
from ..verdict.trials import Convergence, ConvergenceJudgement, Trial
from ..verdict.verdict import Verdict
from .verdict_json import PROMISE
from .verdict_sentence import is_left_now

_LABEL_WIDTH = 10
_EXPECTED = {ConvergenceJudgement.RIGHT: "as expected", ConvergenceJudgement.WRONG: "not as expected"}
"""What a person reads for these; programs read the codes."""


def summary(verdict: Verdict) -> str:
    """The summary: QEMU's figure, the expected one, the error, the formula, and the basis of the answer."""
    return table(labelled(verdict))


def labelled(verdict: Verdict) -> list[tuple[str, str]]:
    """The lines of the summary, each with its label."""
    rows = [("verdict", verdict.verdict.upper())]
    if verdict.subject:
        rows.append(("tested", verdict.subject))
    if verdict.reported_ms is not None:
        rows.append(("QEMU said", f"{verdict.reported_ms:.0f} ms expected-downtime"))
    if verdict.left_now_ms is not None:
        rows.append(("left now", f"{verdict.left_now_ms:.1f} ms (bytes left now ÷ bandwidth)"))
    if verdict.expected_ms is not None and not is_left_now(verdict):
        rows.append(("expected", f"{verdict.expected_ms:.1f} ms ({_basis(verdict)})"))
    if verdict.relative_error is not None:
        rows.append(("error", f"{verdict.relative_error:+z.2%}{_between(verdict.relative_error_interval)}"))
    if verdict.reported_ms is not None and (formula := _formula(verdict)):
        rows.append(("formula", formula))
    rows.append(("limit", _limit(verdict)))
    if verdict.bandwidth is not None and verdict.bandwidth.error is not None:
        rows.append(("bandwidth", _bandwidth(verdict.bandwidth)))
    if verdict.transferred is not None and verdict.transferred.error_interval is not None:
        rows.append(("carried", f"the error of transferred, compared with the link, is {verdict.transferred.between}"))
    if verdict.pending is not None and verdict.pending.has_devices:
        rows.append(("devices", f"have {verdict.pending.device_bytes.low / 1e6:.3f} MB to send besides RAM"))
    if verdict.throttle is not None and verdict.throttle.percents:
        rows.append(("throttle", f"auto-converge slowed the guest by {_listed(verdict.throttle.percents)} %"))
    if verdict.blocktime is not None and verdict.blocktime.waits:
        rows.append(("blocktime", _blocktime(verdict.blocktime)))
    if verdict.convergence is not None:
        rows.append(("converges", _convergence(verdict.convergence)))
    if verdict.downtime is not None:
        rows.append(("downtime", f"{_downtime(verdict.downtime)}{_lifted(verdict)}"))
    if verdict.predicted_downtime is not None:
        rows.append(("promise", _predicted_downtime(verdict.predicted_downtime)))
    if verdict.ground_truth is not None:
        rows.append(("stopped", _stopped(verdict.ground_truth)))
        rows += [("estimate", f"{one.ms:.0f} ms, {one.error:+z.1%}: {one.name}") for one in verdict.ground_truth.ranked]
    if verdict.integrity is not None:
        rows.append(("memory", str(verdict.integrity)))
    if verdict.passes:
        rows.append(("based on", f"{_count(verdict.passes, 'pass', 'passes')}, {verdict.samples_used} samples used"))
    rows += [("dropped", f"{count}: {reason}") for reason, count in verdict.samples_dropped.items()]
    rows += [("reason", reason) for reason in verdict.reasons]
    return rows


def figures(verdict: Verdict) -> str:
    """QEMU's figure and the expected one in one line, for a place with little room."""
    parts = []
    if verdict.reported_ms is not None and verdict.expected_ms is not None:
        right = "left now:" if is_left_now(verdict) else "expected"
        parts.append(f"QEMU said {verdict.reported_ms:.0f} ms, {right} {verdict.expected_ms:.1f} ms")
    if verdict.relative_error is not None:
        parts.append(f"error {verdict.relative_error:+z.2%}")
    if verdict.reported_ms is not None and (formula := _formula(verdict)):
        parts.append(f"formula {formula}")
    parts.append(f"limit {verdict.limit_verdict}")
    return "; ".join(parts)


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Lines of a label and its text, with the texts aligned."""
    return "\n".join(f"{label:<{_LABEL_WIDTH}} {in_a_line(text)}" for label, text in rows)


def _formula(verdict: Verdict) -> str:
    """The formula that QEMU uses, or that it is unknown; '' if the data cannot decide."""
    if verdict.formula is None and verdict.report.outcome is Outcome.UNDECIDED:
        return ""
    return verdict.formula or "unknown: not one that QEMU has ever used"


def columns(rows: Sequence[Sequence[str]], labels: int = 1, width: int | None = None) -> str:
    """Lines of aligned cells: the first `labels` columns to the left, the others to the right.

    The first row has the heads. If a line would be longer than `width`, each row becomes a block of its own.
    """
    rows = [tuple(map(in_a_line, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if width is not None and sum(widths) + 2 * (len(widths) - 1) > width:
        return _blocks(*rows)
    return "\n".join(
        "  ".join([*map(str.ljust, row[:labels], widths), *map(str.rjust, row[labels:], widths[labels:])])
        for row in rows
    )


def _blocks(heads: Sequence[str], *rows: Sequence[str]) -> str:
    most = max(map(len, heads))
    return "\n\n".join(
        "\n".join(f"{head:<{most}}  {cell}" for head, cell in zip(heads, row, strict=True)) for row in rows
    )


def _basis(verdict: Verdict) -> str:
    if verdict.contract == "last-sync":
        return "last-sync: the bytes left at the dirty sync ÷ bandwidth"
    return f"by the formula {verdict.contract}"


def _between(interval: Interval | None) -> str:
    return f", between {interval.low:+z.2%} and {interval.high:+z.2%}" if interval else ""


def _limit(verdict: Verdict) -> str:
    if verdict.downtime_limit_ms is None:
        return f"downtime-limit not recorded, {verdict.limit_verdict}"
    text = f"downtime-limit {verdict.downtime_limit_ms:.10g} ms, {verdict.limit_verdict}"
    if verdict.limit.effective_limit_ms is not None:
        return f"{text}: effective limit {verdict.limit.effective_limit_ms:.0f} ms"
    unsent_ms = verdict.limit.unsent_ms
    if unsent_ms is not None and unsent_ms.width <= max(verdict.downtime_limit_ms, BURST_MS):
        left = f"at most {unsent_ms.high:.0f} ms left"
        if unsent_ms.high > verdict.downtime_limit_ms:
            left = f"{unsent_ms.low:.0f} to {unsent_ms.high:.0f} ms left, as far as the samples show"
        return f"{text}: closely observed passes ended with {left}"
    return text


def _bandwidth(finding: BandwidthFinding) -> str:
    if finding.code == "wide":
        return f"the error of mbps, compared with the bytes sent, is {finding.between}"
    return f"mbps is {finding.error:+z.2%} off the bytes sent, {finding.between}"


def _blocktime(finding: BlocktimeFinding) -> str:
    return f"{'; '.join(map(str, finding.waits))}; postcopy took {finding.postcopy_ms:.0f} ms"


def _convergence(convergence: Convergence) -> str:
    judged = _EXPECTED.get(convergence.judgement, str(convergence.judgement))
    parts = [f"with {trial.limit_ms:.10g} ms it {_did(trial)}" for trial in convergence.trials]
    return f"{judged}: {'; '.join(parts)}" if parts else judged


def _did(trial: Trial) -> str:
    if trial.completed:
        when = f"after {_count(trial.passes, 'more pass', 'more passes')}" if trial.passes else "at the next sync"
        return f"ended {when}"
    return f"did not end within {_count(trial.passes, 'pass', 'passes')}"


def _downtime(down: Downtime) -> str:
    parts = []
    if down.qemu_ms is not None:
        parts.append(f"QEMU {down.qemu_ms:.0f} ms")
    if down.events_ms is not None:
        clocks = f" ± {down.events_open_ms:.1f} ms" if down.events_open_ms else ""
        parts.append(f"STOP to RESUME {down.events_ms:.0f} ms{clocks}")
    if down.guest_ms is not None:
        parts.append(f"seen by the guest {down.guest_ms.low:.0f} to {down.guest_ms.high:.0f} ms")
    if down.silent_s is not None:
        parts.append("the guest did not continue")
    return ", ".join(parts) or "unknown"


def _lifted(verdict: Verdict) -> str:
    """Why a downtime far below the prediction is not a fault, or ''."""
    down = verdict.downtime.qemu_ms if verdict.downtime is not None else None
    if down is None or verdict.expected_ms is None or verdict.predicted_downtime is not None:
        return ""
    is_cause = verdict.is_cap_lifted and down < verdict.expected_ms / 2
    return "; QEMU lifts max-bandwidth at the switchover" if is_cause else ""


def _predicted_downtime(predicted: PredictedDowntime) -> str:
    return (
        f"{PROMISE[predicted.judgement]}: last report {predicted.predicted_ms:.0f} ms, downtime "
        f"{predicted.down_ms:.0f} ms with {predicted.fixed_ms:.0f} ms for devices, error {predicted.error:+z.1%}"
    )


def _stopped(truth: GroundTruth) -> str:
    return (
        f"after {truth.in_pass:.0%} of pass {truth.number} for {truth.down_ms:.0f} ms, to send "
        f"{truth.rest_bytes / 1e6:.1f} MB of the pass and {truth.dirtied_bytes / 1e6:.1f} MB dirtied since its sync"
    )


def _listed(percents: Iterable[float]) -> str:
    return ", ".join(f"{percent:g}" for percent in percents)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
