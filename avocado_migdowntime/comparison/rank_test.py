# SPDX-License-Identifier: GPL-2.0-or-later
"""The exact rank sum test, in one or several strata: valid for a handful of runs, with or without ties.

F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (1945); H. B. Mann and D. R. Whitney,
"On a test of whether one of two random variables is stochastically larger than the other", Annals of Mathematical
Statistics 18 (1947); midranks for ties and the permutation distribution given them: E. L. Lehmann, "Nonparametrics"
(1975), section 1.4.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb, prod

Stratum = tuple[Sequence[float], Sequence[float]]
"""Measurements without and with a change, under otherwise equal conditions."""


@dataclass(frozen=True)
class RankTest:
    """How often chance alone would make the second sides as great, or as small, as they are.

    `u` counts the pairs in which the second side is greater, a tie as a half, out of `pairs`. `p_greater` and
    `p_smaller` are one-sided and exact, given the observed values.
    """

    u: float
    pairs: int
    p_greater: float
    p_smaller: float

    @property
    def p(self) -> float:
        """The two-sided p value."""
        return min(1.0, 2 * min(self.p_greater, self.p_smaller))


def stratified_rank_sum_test(strata: Sequence[Stratum]) -> RankTest:
    """Test whether the second sides are greater or smaller, ranking within each stratum; U is summed over them."""
    doubled_u, pairs, ways = 0, 0, Counter({0: 1})
    for first, second in strata:
        ranks = _doubled_midranks([*first, *second])
        least = len(second) * (len(second) + 1)
        doubled_u += sum(ranks[len(first) :]) - least
        pairs += len(first) * len(second)
        sums = _subsets(tuple(sorted(ranks)), len(second))
        ways = _sums(ways, Counter({total - least: n for total, n in sums.items()}))
    all_ways = sum(ways.values())
    return RankTest(
        u=doubled_u / 2,
        pairs=pairs,
        p_greater=sum(n for u, n in ways.items() if u >= doubled_u) / all_ways,
        p_smaller=sum(n for u, n in ways.items() if u <= doubled_u) / all_ways,
    )


def min_p_value(sizes: Sequence[tuple[int, int]]) -> float:
    """The smallest two-sided p that these numbers of runs allow, however far apart the runs are."""
    return min(1.0, 2 / prod(comb(first + second, second) for first, second in sizes))


def _doubled_midranks(values: Sequence[float]) -> list[int]:
    return [sum(other < value for other in values) + sum(other <= value for other in values) + 1 for value in values]


@lru_cache(maxsize=64)
def _subsets(ranks: tuple[int, ...], size: int) -> Mapping[int, int]:
    """The number of ways in which `size` of `ranks` give each sum; without ties, equally many runs have equal ranks."""
    by_size: list[Counter[int]] = [Counter({0: 1}), *(Counter[int]() for _ in range(size))]
    for rank in ranks:
        for count in range(size, 0, -1):
            for total, n in by_size[count - 1].items():
                by_size[count][total + rank] += n
    return by_size[size]


def _sums(first: Counter[int], second: Counter[int]) -> Counter[int]:
    sums: Counter[int] = Counter()
    for left, n in first.items():
        for right, m in second.items():
            sums[left + right] += n * m
    return sums
