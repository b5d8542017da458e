# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines that a terminal or a mail program has broken in words and between them, wherever the blanks went."""

from itertools import product

import pytest

from avocado_migdowntime.forms.wrapped import MOST_AT_ANY_PLACE, _as_broken, _joined

from ..support.log_readings import readings

WHOLE = "one two three"


@pytest.mark.parametrize("places", list(product(range(1, 12), repeat=2)))
def test_a_line_is_among_what_its_pieces_may_come_to_wherever_it_was_broken(places):
    first, second = sorted(places)
    pieces = [WHOLE[:first].strip(), WHOLE[first:second].strip(), WHOLE[second:].strip()]
    assert WHOLE in _joined([piece for piece in pieces if piece])


def test_pieces_that_are_too_many_to_try_all_places_are_tried_between_words_and_at_one_width():
    pieces = [*("word" for _ in range(MOST_AT_ANY_PLACE)), "end"]
    assert len(set(_joined(pieces[1:]))) == 2 ** (MOST_AT_ANY_PLACE - 1)
    assert list(_joined(pieces)) == list(_as_broken(pieces)) == [" ".join(pieces), "".join(pieces)]


@pytest.mark.parametrize("cut", range(42, 79))
def test_a_line_of_a_log_that_is_broken_anywhere_is_one(cut):
    line = "2024-05-12 11:57:06 migration active, transferred 515.4 MiB of 12.6 GiB VM-state, 110.0 MiB/s"
    assert readings(f"{line[:cut]}\n{line[cut:]}\n\n".encode()) == readings(f"{line}\n".encode()) != []


def test_a_line_that_is_broken_before_a_word_by_which_it_is_known_is_one():
    line = "2024-05-12 11:57:06 migration active, transferred 515.4 MiB of 12.6 GiB VM-state, 110.0 MiB/s"
    broken = line.replace("migration ", "migration\n").replace("of ", "of\n")
    assert readings(f"{broken}\n\n".encode()) == readings(f"{line}\n".encode()) != []


def test_a_long_line_that_is_broken_once_before_a_word_by_which_it_is_known_is_one():
    line = "2024-05-12 11:57:06 pve1 migration: migration active, transferred 515.4 MiB of 9.6 GiB VM-state, 11.0 MiB/s"
    broken = line.replace("migration active", "migration\nactive")
    assert readings(f"{broken}\n\n".encode()) == readings(f"{line}\n".encode()) != []
