# SPDX-License-Identifier: GPL-2.0-or-later
"""Is a build of QEMU equal to another, better or worse, judged by the runs of both?

Worse means a difference that a user would notice and that chance would hardly cause: the errors of its runs rank above
the other's (exact rank sum test, over all variants and in each), and they are greater by a quarter of the tolerance, or
its verdicts have changed. Equal is more than a lack of proof: if the builds differed that much in any variant, such
runs would be unlikely (two one-sided tests; D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15,
1987).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from statistics import median

from ..errors import UsageError
from .outcome import RunOutcome
from .rank_test import RankTest, min_p_value, stratified_rank_sum_test

ALPHA = 0.05
"""The probability of a false alarm, shared among all tests: of several builds, over all variants and in each."""
MIN_EFFECT = 0.25
"""The share of the tolerance by which the median error must differ."""
ENOUGH = 20
"""The number of repetitions beyond which no more are asked for."""


class Answer(StrEnum):
    """What a build is, compared with the reference."""

    WORSE = "worse"
    BETTER = "better"
    EQUAL = "equal"
    UNDECIDED = "not enough runs to tell"


@dataclass(frozen=True)
class Contrast:
    """Runs of the reference and of a build in the same variants, and what they say together.

    `variant` is empty for all variants; `strata` are the decisive runs of both sides in each variant.
    """

    variant: str
    strata: tuple[tuple[Sequence[RunOutcome], Sequence[RunOutcome]], ...]
    alpha: float
    equivalence_margin: float

    @property
    def runs(self) -> tuple[int, int]:
        """The number of runs of the reference, and of the build."""
        return sum(len(before) for before, _ in self.strata), sum(len(after) for _, after in self.strata)

    @property
    def failed(self) -> tuple[int, int]:
        """The number of failed runs on each side."""
        first, second = (sum(not run.passed for stratum in self.strata for run in stratum[side]) for side in (0, 1))
        return first, second

    @property
    def hodges_lehmann_shift(self) -> float:
        """How much greater the build's |relative error| is: the median over all pairs of runs of the same variant.

        J. L. Hodges and E. L. Lehmann, Annals of Mathematical Statistics 34 (1963).
        """
        pairs = ((a, b) for before, after in self.abs_errors() for a in before for b in after)
        return median(b - a for a, b in pairs)

    @property
    def direction(self) -> int:
        """1 if the build is worse by `equivalence_margin`, -1 if better, else 0; it may be so by chance."""
        before, after = (2 * failed > runs for failed, runs in zip(self.failed, self.runs, strict=True))
        if before != after:
            return 1 if after else -1
        shift = self.hodges_lehmann_shift
        return 0 if abs(shift) < self.equivalence_margin else 1 if shift > 0 else -1

    @property
    def test(self) -> RankTest:
        """The rank test of the two sides' |relative error|."""
        return stratified_rank_sum_test(self.abs_errors())

    @property
    def significant_direction(self) -> int:
        """`direction` if it is statistically significant, else 0."""
        test = self.test
        same_way = (test.p_greater < test.p_smaller) == (self.direction > 0)
        return self.direction if test.p <= self.alpha and same_way else 0

    @property
    def tost_p(self) -> float:
        """The probability of such runs if the builds differ by `equivalence_margin` or more."""
        above = stratified_rank_sum_test(self.abs_errors(raised_before=self.equivalence_margin)).p_smaller
        return max(above, stratified_rank_sum_test(self.abs_errors(raised_after=self.equivalence_margin)).p_greater)

    def abs_errors(self, raised_before: float = 0, raised_after: float = 0) -> list[tuple[list[float], list[float]]]:
        """The |relative errors| of both sides in each variant, each side raised by the given amount."""
        return [
            ([_abs_error(run) + raised_before for run in before], [_abs_error(run) + raised_after for run in after])
            for before, after in self.strata
        ]


@dataclass(frozen=True)
class Comparison:
    """The answer for one build, and the contrast that it is based on; `needed` repetitions may decide if these do not.

    `untold` names a variant in which one side has no decisive run, and why. `contrast` is None if that is so in all
    variants; for equal builds it is that of the least certain variant. `unlike` says what else differed besides the
    build.
    """

    build: str
    reference: str
    answer: Answer
    contrast: Contrast | None
    needed: int | None = None
    untold: str = ""
    unlike: str = ""


def compare(reference: Sequence[RunOutcome], build: Sequence[RunOutcome], builds: int = 2) -> Comparison:
    """Compare a build's runs with those of another; `builds` is the number of builds compared in all.

    Raises UsageError if the two have no variant in common, or were judged differently.
    """
    names = (build[0].build, reference[0].build)
    variants = [name for name in by_variant(reference) if name in by_variant(build)]
    if not variants:
        raise UsageError(f"{names[0]} and {names[1]} have no variant in common; run the same test and variants on both")
    margin = MIN_EFFECT * _tolerance([*reference, *build])
    both = {name: (by_variant(reference)[name], by_variant(build)[name]) for name in variants}
    decisive = {name: (_decisive(before), _decisive(after)) for name, (before, after) in both.items()}
    strata = {name: sides for name, sides in decisive.items() if all(sides)}
    untold = next((_why(name, *both[name]) for name in variants if name not in strata), "")
    conclude = partial(Comparison, *names, untold=untold, unlike=_unlike(both))
    if not strata:
        return conclude(Answer.UNDECIDED, None)
    over_all, each = _alphas(len(strata), builds)
    whole = Contrast("", tuple(strata.values()), over_all, margin)
    parts = [Contrast(name, (sides,), each, margin) for name, sides in strata.items()] if len(strata) > 1 else []
    for answer, way in ((Answer.WORSE, 1), (Answer.BETTER, -1)):
        significant = [contrast for contrast in (whole, *parts) if contrast.significant_direction == way]
        if significant:
            return conclude(answer, significant[0])
    differing = [contrast for contrast in (*parts, whole) if contrast.direction]
    least_sure = max(parts or [whole], key=lambda contrast: contrast.tost_p)
    if not differing and not untold and least_sure.tost_p <= ALPHA / (builds - 1):
        return conclude(Answer.EQUAL, least_sure)
    least = repetitions(len(strata), builds)
    fewest = min(len(side) for sides in strata.values() for side in sides)
    needed = least if least > fewest else min(2 * fewest, ENOUGH)
    return conclude(Answer.UNDECIDED, differing[0] if differing else whole, needed)


def repetitions(variants: int, builds: int) -> int:
    """The fewest repetitions that can prove a difference in one of several variants, or over all of them."""
    alpha = _alphas(variants, builds)[1]
    return next(runs for runs in range(1, ENOUGH) if min_p_value([(runs, runs)]) <= alpha)


def by_variant(runs: Sequence[RunOutcome]) -> dict[str, list[RunOutcome]]:
    """The runs of each variant, in order."""
    runs_of: dict[str, list[RunOutcome]] = {}
    for run in runs:
        runs_of.setdefault(run.variant, []).append(run)
    return runs_of


def _alphas(variants: int, builds: int) -> tuple[float, float]:
    """The significance levels over all variants, and in each of them (C. E. Bonferroni)."""
    alpha = ALPHA / (builds - 1)
    return (alpha, alpha) if variants == 1 else (alpha / 2, alpha / 2 / variants)


def _abs_error(run: RunOutcome) -> float:
    assert run.abs_error is not None
    return run.abs_error


def _decisive(runs: Sequence[RunOutcome]) -> list[RunOutcome]:
    return [run for run in runs if run.abs_error is not None]


def _why(variant: str, *sides: Sequence[RunOutcome]) -> str:
    run = next(runs[0] for runs in sides if not _decisive(runs))
    return f"no run of {variant} on {run.build} came to a verdict ({run.reason})"


def _unlike(both: Mapping[str, tuple[Sequence[RunOutcome], Sequence[RunOutcome]]]) -> str:
    """What was migrated on either side, in the first variant in which that differs."""
    for variant, sides in both.items():
        guests = [sorted({run.guest for run in runs if run.guest}) for runs in sides]
        if all(guests) and guests[0] != guests[1]:
            on = [f"{' and '.join(names)} on {runs[0].build}" for names, runs in zip(guests, sides, strict=True)]
            return f"not only the build differs: {variant} was {', and '.join(on)}"
    return ""


def _tolerance(runs: Sequence[RunOutcome]) -> float:
    contracts = {(run.contract, run.tolerance) for run in runs if run.verdict}
    if len(contracts) > 1:
        names = " and ".join(f"{contract} ±{tolerance:.2%}" for contract, tolerance in sorted(contracts))
        raise UsageError(f"the runs were judged by {names}; compare runs judged by one formula and tolerance")
    return next((tolerance for _, tolerance in contracts), None) or 0.0
