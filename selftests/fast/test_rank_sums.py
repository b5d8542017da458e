# SPDX-License-Identifier: GPL-2.0-or-later
"""The exact test of rank sums on values few enough to count by hand."""

import pytest

from avocado_migdowntime.comparison.rank_test import RankTest, min_p_value, stratified_rank_sum_test


def test_two_against_two_apart():
    found = stratified_rank_sum_test([([1.0, 2.0], [3.0, 4.0])])
    assert found == RankTest(u=4.0, pairs=4, p_greater=1 / 6, p_smaller=1.0)
    assert found.p == 2 / 6


def test_a_tie_counts_for_a_half():
    found = stratified_rank_sum_test([([1.0, 2.0], [2.0])])
    assert (found.u, found.pairs) == (1.5, 2)
    assert (found.p_greater, found.p_smaller) == pytest.approx((2 / 3, 1.0))


def test_each_stratum_is_ranked_by_itself():
    found = stratified_rank_sum_test([([1.0], [2.0]), ([20.0, 10.0], [0.0])])
    assert (found.u, found.pairs) == (1.0, 3)  # 1 of 1 pair, 0 of 2.
    assert found.p_greater == pytest.approx(5 / 6)  # Only 0 + 0 of the six sums of 0, 1 and 0, 1, 2 is smaller.
    assert found.p_smaller == pytest.approx(3 / 6)


def test_sides_of_unlike_size():
    found = stratified_rank_sum_test([([1.0, 3.0, 5.0], [2.0, 6.0])])
    assert (found.u, found.pairs) == (4.0, 6)
    assert found.p_greater == pytest.approx(4 / 10)  # 2 + 5 or more, of ranks 1 to 5: 25, 34, 35 and 45.
    assert found.p_smaller == pytest.approx(8 / 10)


def test_nothing_is_surer_than_one():
    alike = stratified_rank_sum_test([([1.0], [1.0])])
    assert alike == RankTest(0.5, 1, 1.0, 1.0) and alike.p == 1.0
    assert stratified_rank_sum_test([]) == RankTest(0.0, 0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("sizes", "p"),
    [([], 1.0), ([(0, 3)], 1.0), ([(1, 1)], 1.0), ([(1, 2)], 2 / 3), ([(2, 2)], 1 / 3), ([(4, 3), (1, 1)], 1 / 35)],
)
def test_the_min_p_value_is_twice_that_of_one_order_of_all(sizes, p):
    assert min_p_value(sizes) == pytest.approx(p)
