# SPDX-License-Identifier: GPL-2.0-or-later
"""The allowed verdicts on a correct QEMU: accurate, or undecided for a reason that its figures show."""

from collections import defaultdict
from collections.abc import Iterable

from avocado_migdowntime.trace.sample import Sample
from avocado_migdowntime.verdict.verdict import Judgement, Verdict

LEAST_SAMPLES, LEAST_S = 40, 0.6
"""After another such pass, a pass with this many samples over this time can be judged, even if samples are torn."""


def check_judged_right(verdict: Verdict, samples: Iterable[Sample]) -> None:
    """Fail if a correct QEMU was called inaccurate, or left undecided without reason; `samples` are what was judged."""
    if verdict.verdict is Judgement.ACCURATE:
        return
    assert verdict.verdict is Judgement.INCONCLUSIVE, verdict
    passes, error, reason = _passes(samples), verdict.relative_error_interval, verdict.reasons[0]
    if error is None:
        assert reason.startswith("no pass could be judged: "), verdict
        assert not any(
            number - 1 in passes and _well(passes, number - 1) and _well(passes, number) for number in passes
        )
        return
    assert error.low <= 0.002 and error.high >= -0.002, verdict
    if reason.startswith(("the reports vary too much: ", "this run cannot distinguish last-sync from ")):
        # With few samples, a torn one is a large share, and they may agree with another formula by chance.
        assert any(len(t_s) < LEAST_SAMPLES for number, t_s in passes.items() if number > 1), verdict
    else:
        assert reason.startswith("the error lies between "), verdict
        assert error.low < -verdict.tolerance or error.high > verdict.tolerance, verdict


def _passes(samples: Iterable[Sample]) -> dict[int, list[float]]:
    """When each pass was seen."""
    times_s: dict[int, list[float]] = defaultdict(list)
    for sample in samples:
        if sample.status == "active" and sample.ram is not None:
            times_s[sample.ram.dirty_sync_count].append(sample.t_s)
    return dict(times_s)


def _well(passes: dict[int, list[float]], number: int) -> bool:
    t_s = passes[number]
    return len(t_s) >= LEAST_SAMPLES and t_s[-1] - t_s[0] >= LEAST_S
