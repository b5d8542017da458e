# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a downtime-limit ends a recorded migration."""

from dataclasses import dataclass

from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..errors import UsageError
from ..oracle.evidence import Evidence
from ..oracle.syncs import Sync
from ..trace.model import Trace
from .observed import ObservedPrecopy, observe
from .precopy import Course

_ENDING = frozenset({"auto-converge", "dirty-limit", "postcopy-ram"})
"""Capabilities that may end a migration that would not end by itself: they slow the guest, or move it first."""


@dataclass(frozen=True)
class ConvergencePrediction:
    """Whether a limit ends the migration: True or False if that is certain for a steady guest, else None.

    `course` is the likely one; it starts at the sync that began pass `first_pass`.
    """

    converges: bool | None
    course: Course
    first_pass: int


def predict_convergence(recorded: Trace | Evidence, limit_ms: float) -> ConvergencePrediction:
    """Predict whether the recorded migration would have finished under this downtime-limit, from the first sync seen
    on.

    Raises UsageError if the recording does not show enough to predict that.
    """
    precopy = observe(Evidence.of(recorded).undisturbed)
    if precopy is None or not precopy.wire_bytes_per_ms:
        raise UsageError("shows no pass from end to end, or nothing was sent; record until the second pass")
    return predict(precopy, limit_ms, precopy.syncs[0])


def predict(precopy: ObservedPrecopy, limit_ms: float, begin: Sync) -> ConvergencePrediction:
    """Predict whether it would have finished under this limit, from the sync `begin` on."""
    curve = precopy.curve
    least, most = (precopy.course(pending, limit_ms, begin) for pending in (curve.least_pending, curve.most_pending))
    is_open = least.converges or not precopy.timed or what_may_end(precopy.evidence.trace)
    sure = True if most.converges else None if is_open else False
    return ConvergencePrediction(sure, precopy.course(curve.likely_pending, limit_ms, begin), begin.after.number)


def what_may_end(trace: Trace) -> list[str]:
    """The enabled capabilities that may end a migration that would not end by itself, in order."""
    return sorted(_ENDING.intersection(trace.capabilities))


def surely_never(precopy: ObservedPrecopy, limit_ms: float, least: Course) -> bool:
    """Whether it is certain that a limit never ends a migration whose course is `least` if the guest dirties as little
    as possible in QEMU's bursts.

    It is not if a capability may end it, or capabilities are not known; nor if no pass was seen from its start, so that
    it is not known how long one lasts. Under a limit below the 100 ms window in which QEMU sends, passes may be shorter
    than is known.
    """
    trace = precopy.evidence.trace
    known = "capabilities" in trace.header and not what_may_end(trace) and bool(precopy.timed)
    return known and limit_ms >= BUFFER_DELAY_MS and not least.converges
