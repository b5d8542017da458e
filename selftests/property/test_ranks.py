# SPDX-License-Identifier: GPL-2.0-or-later
"""The exact test of rank sums, against published tables, counting all permutations, and itself."""

from itertools import combinations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.comparison.rank_test import min_p_value, stratified_rank_sum_test

VALUES = st.lists(st.integers(0, 4), min_size=1, max_size=5)


def counted(first, second):
    """One-sided p of greater ranks by trying each choice of runs."""
    pooled = [*first, *second]
    midranks = [sum(o < v for o in pooled) + (sum(o == v for o in pooled) + 1) / 2 for v in pooled]
    observed = sum(midranks[len(first) :])
    sums = [sum(chosen) for chosen in combinations(midranks, len(second))]
    return sum(total >= observed for total in sums) / len(sums)


@pytest.mark.parametrize(
    ("sizes", "u", "p"),
    [((4, 4), 1, 0.0286), ((5, 5), 2, 0.0159), ((6, 6), 5, 0.0206), ((5, 3), 0, 0.0179), ((8, 8), 13, 0.0249)],
)
def test_one_sided_p_is_that_of_the_tables_of_mann_and_whitney(sizes, u, p):
    first, second = sizes
    greater = u // first  # so many of the second side above all of the first, one more in between
    between = u % first
    values = [*(100 + n for n in range(greater)), *([between - 0.5] if between else [])]
    below = [-1 - n for n in range(second - len(values))]
    found = stratified_rank_sum_test([(list(range(first)), [*values, *below])])
    assert (found.u, found.pairs) == (u, first * second)
    assert found.p_smaller == pytest.approx(p, abs=5e-5)


@given(VALUES, VALUES)
def test_with_ties_it_is_what_counting_gives(first, second):
    found = stratified_rank_sum_test([(first, second)])
    assert found.p_greater == pytest.approx(counted(first, second))
    assert found.u == sum((b > a) + (b == a) / 2 for a in first for b in second)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=3))
def test_the_sides_are_treated_alike(strata):
    found, swapped = (
        stratified_rank_sum_test(strata),
        stratified_rank_sum_test([(second, first) for first, second in strata]),
    )
    assert (found.p_greater, found.p) == (pytest.approx(swapped.p_smaller), pytest.approx(swapped.p))
    assert found.u + swapped.u == found.pairs


def test_strata_add_up_their_evidence_and_nothing_can_be_surer_than_all_runs_apart():
    apart = ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    assert stratified_rank_sum_test([apart]).p == min_p_value([(3, 3)]) == pytest.approx(2 / comb(6, 3))
    assert stratified_rank_sum_test([apart, apart]).p == min_p_value([(3, 3)] * 2) == pytest.approx(2 / comb(6, 3) ** 2)


def test_runs_that_are_all_the_same_say_nothing():
    assert stratified_rank_sum_test([([1.0] * 9, [1.0] * 9)]).p == 1
