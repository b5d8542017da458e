# SPDX-License-Identifier: GPL-2.0-or-later
"""The errors of many runs as dots in rows: of estimators compared with ground truth, or of builds compared."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from ..comparison.compare import by_variant
from ..comparison.estimator_score import PARTS, errors, scores
from ..comparison.outcome import RunOutcome
from ..verdict.mid_pass_stop import GroundTruth

_RATIOS = {"slow": "dirties slower than QEMU sends", "fast": "dirties faster than QEMU sends"}
_POINTS = {"early": ("early in", -0.2), "middle": ("in the middle of", 0.0), "late": ("late in", 0.2)}
_SPREAD = 0.3
"""How far from the middle of its row a dot may be moved to stay visible beside others; a row is 1 high."""
MOST_ROWS = 60
"""The most rows in a picture that a browser draws at once."""


@dataclass(frozen=True)
class Dots:
    """Dots of one kind: for each, its share (0.01 is 1 %) and the height of its row, 0 for the topmost.

    `colour` and `shape` count from 0; kinds with the same number share that colour or shape.
    """

    name: str
    shares: tuple[float, ...]
    heights: tuple[float, ...]
    colour: int
    shape: int = 0


@dataclass(frozen=True)
class Strip:
    """A picture of dots; `axis` says what the shares are; a run within ±`within`, if set, is accurate."""

    title: str
    axis: str
    rows: tuple[str, ...]
    kinds: tuple[Dots, ...]
    within: float | None = None


def strips(truths: Sequence[GroundTruth], builds: Sequence[Sequence[RunOutcome]]) -> list[Strip]:
    """The pictures that have something to show: one of stopped guests, one of several builds."""
    strips_of_truths = [of_truths(truths)] if truths else []
    strip_of_builds = of_builds(builds) if len(builds) > 1 else None
    return [*strips_of_truths, strip_of_builds] if strip_of_builds is not None else strips_of_truths


def of_truths(truths: Sequence[GroundTruth]) -> Strip:
    """The errors of each estimator over at least one guest stopped in mid-pass, the best estimator on top."""
    ranked = scores(truths)
    kinds = []
    for colour, (ratio, label) in enumerate(_RATIOS.items()):
        for shape, (point, (where, shift)) in enumerate(_POINTS.items()):
            part = [truth for truth in truths if PARTS[ratio](truth) and PARTS[point](truth)]
            dots = [(error, row + shift) for row, score in enumerate(ranked) for error in errors(score.name, part)]
            kinds.append(_dots(f"{label}, stopped {where} the pass", dots, colour, shape))
    return Strip(
        title=f"{len(truths)} {'guest' if len(truths) == 1 else 'guests'} stopped in mid-pass",
        axis="estimate ÷ time from the stop until the destination could run - 1",
        rows=tuple(f"{score.name}: {score.median:.1%} median, {score.ninetieth:.1%} at 90 %" for score in ranked),
        kinds=tuple(kind for kind in kinds if kind.shares),
    )


def of_builds(builds: Sequence[Sequence[RunOutcome]]) -> Strip | None:
    """The errors of the runs of each build, by variant; None if no run has an error.

    If there are too many variants, those with the largest errors of a build are shown.
    """
    all_variants = list(dict.fromkeys(run.variant for build in builds for run in build))
    variants = _furthest_off(all_variants, builds, max(1, MOST_ROWS // len(builds)))
    left_out = len(all_variants) - len(variants)
    names = [build[0].build for build in builds]
    rows = [(variant, name) for variant in variants for name in names]
    kinds, medians = [], {}
    for colour, build in enumerate(builds):
        dots = []
        for variant, runs in by_variant(build).items():
            if variant not in variants:
                continue
            run_errors = [run.relative_error for run in runs if run.relative_error is not None]
            row = rows.index((variant, names[colour]))
            dots += [(error, row + shift) for error, shift in zip(run_errors, _beside(len(run_errors)), strict=True)]
            medians[row] = f", {median(run_errors):+z.2%} median" if run_errors else ""
        kinds.append(_dots(names[colour], dots, colour, colour))
    if not any(kind.shares for kind in kinds):
        return None
    return Strip(
        title=f"{sum(map(len, builds))} runs on {len(builds)} builds"
        + (f", the {len(variants)} of {len(all_variants)} variants that are furthest off" if left_out else ""),
        axis="expected-downtime ÷ the expected value - 1",
        rows=tuple(f"{variant} on {name}{medians.get(row, '')}" for row, (variant, name) in enumerate(rows)),
        kinds=tuple(kinds),
        within=next((run.tolerance for build in builds for run in build if run.tolerance), None),
    )


def _furthest_off(variants: Sequence[str], builds: Sequence[Sequence[RunOutcome]], most: int) -> list[str]:
    """At most `most` of the variants, in their original order."""
    off: dict[str, float] = {}
    for build in builds:
        for variant, runs in by_variant(build).items():
            errors_of_it = [run.relative_error for run in runs if run.relative_error is not None]
            off[variant] = max(off.get(variant, 0.0), abs(median(errors_of_it)) if errors_of_it else 0.0)
    worst = set(sorted(variants, key=lambda variant: -off[variant])[:most])
    return [variant for variant in variants if variant in worst]


def _dots(name: str, dots: Iterable[tuple[float, float]], colour: int, shape: int) -> Dots:
    every = tuple(dots)
    return Dots(name, tuple(share for share, _ in every), tuple(height for _, height in every), colour, shape)


def _beside(count: int) -> list[float]:
    """Where in their row to put this many dots."""
    return [_SPREAD * (2 * (number + 0.5) / count - 1) for number in range(count)]
