# SPDX-License-Identifier: GPL-2.0-or-later
"""Items that are worked out together, and given back in their order."""

from avocado_migdowntime.basics.batches import FIGURES, ITEMS, batches, by_length


def test_batches_hold_all_items_in_their_order_up_to_so_many_each():
    assert [[*batch] for batch in batches(range(2 * ITEMS + 1))] == [
        [*range(ITEMS)],
        [*range(ITEMS, 2 * ITEMS)],
        [2 * ITEMS],
    ]
    assert [*batches([])] == []


def test_those_of_one_length_are_worked_out_together_and_come_back_in_their_order():
    seen = []

    def work(alike):
        seen.append(alike)
        return map(str.upper, alike)

    assert by_length(["a", "bc", "d", "ef", ""], len, work) == ["A", "BC", "D", "EF", ""]
    assert seen == [["a", "d"], ["bc", "ef"], [""]]


def test_no_more_of_them_than_their_figures_allow():
    counts = []

    def work(alike):
        counts.append(len(alike))
        return alike

    each = FIGURES // 2
    assert by_length([each] * 5 + [FIGURES + 1] * 2, int, work) == [each] * 5 + [FIGURES + 1] * 2
    assert counts == [2, 2, 1, 1, 1]
