# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a downtime-limit ends a recorded migration."""

from dataclasses import dataclass

from ..errors import UsageError
from ..oracle.evidence import Evidence
from ..oracle.syncs import Sync
from ..trace.model import Trace
from .observed import ObservedPrecopy, observe
from .precopy import Course


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
    sure = least.converges if least.converges == most.converges else None
    return ConvergencePrediction(sure, precopy.course(curve.likely_pending, limit_ms, begin), begin.after.number)
