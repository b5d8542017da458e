# SPDX-License-Identifier: GPL-2.0-or-later
"""Which lines of a long log are read: those that may tell something, wherever they are and however the bytes come."""

import pytest

from avocado_migdowntime.forms import sieve
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.sieve import Sieve, _Search

from ..support.recorded import RECORDINGS

NOISE = b"2024-05-12 11:57:06.546+0000: 4242: debug : virThreadJobSet:93 : Thread 4242 is now running a job\n"
WINDOW = _Search._WINDOW_BYTES
TEXT = (RECORDINGS / "info-migrate-7.2.txt").read_bytes()
FAR = NOISE * 6000


def lines(data, size=1 << 18, also=(), tells=lambda line: b"emain" in line):
    """The lines that are given of `data` in pieces of `size` bytes, each with the number of its last piece."""
    made, given = Sieve([b"emain"]), []
    made.look_for(also)
    for number, begin in enumerate(range(0, len(data), size)):
        for line, came in made.feed(data[begin : begin + size], number):
            given.append((line, came))
            if tells(line):
                made.mark_useful()
    return given + list(made.end(-1))


def test_the_first_lines_are_read_and_no_others():
    assert len(lines(FAR)) == sieve.FIRST_LINES
    assert {line for line, _ in lines(FAR)} == {NOISE}


@pytest.mark.long
@pytest.mark.parametrize("size", [7, 1000, 4096, 1 << 14, 1 << 18, 1 << 24])
def test_a_text_in_the_middle_is_read_whole_whatever_the_pieces_are(size):
    given = b"".join(line for line, _ in lines(FAR + TEXT + FAR, size))
    assert TEXT in given and len(given) < len(TEXT) + (sieve.FIRST_LINES + 400) * len(NOISE)


@pytest.mark.parametrize("shift", range(4))
def test_a_needle_is_found_at_any_place(shift):
    line = b"x" * shift + b"remaining\n"
    assert line in [line for line, _ in lines(FAR + line + FAR)]


def test_a_long_line_is_a_message_by_itself():
    message = b'{"remaining": 1' + b" " * sieve.SHORT_BYTES + b"}\n"
    assert len(lines(FAR + message + FAR)) == sieve.FIRST_LINES + 1


def test_what_is_rarer_is_looked_for_only_near():
    near = FAR + b"an event\n" + NOISE * 20 + b"remaining" + b" " * sieve.SHORT_BYTES + b"\n" + NOISE * 20 + b"event\n"
    found = [line for line, _ in lines(near + FAR + b"a far event\n" + FAR, also=[b"event"]) if b"event" in line]
    assert found == [b"an event\n", b"event\n"]


def test_a_line_has_the_time_at_which_its_last_byte_came():
    data = FAR + b"remaining 1\n" + FAR
    (came,) = (came for line, came in lines(data, size=1000) if b"emain" in line)
    assert came == (len(FAR) + len(b"remaining 1\n") - 1) // 1000


@pytest.mark.long
def test_no_line_is_given_twice_nor_out_of_its_order():
    numbered = b"".join(
        b"%d remaining\n" % number if number % 97 == 0 else b"%d\n" % number for number in range(50_000)
    )
    for size in (100, 5000, 1 << 18):
        numbers = [int(line.split()[0]) for line, _ in lines(numbered, size)]
        assert numbers == sorted(set(numbers)) and {*range(0, 50_000, 97)} <= {*numbers}


def test_a_line_without_an_end_is_given_up_in_time(monkeypatch):
    monkeypatch.setattr(sieve, "LONGEST_LINE_BYTES", 1000)
    assert sum(len(line) for line, _ in lines(b"x" * 5000, size=100)) <= 1000


def test_a_text_far_down_a_log_is_found_with_its_limit():
    limit = b"(qemu) info migrate_parameters\ndowntime-limit: 317 milliseconds\n"
    trace = parse(FAR + limit + FAR + TEXT + FAR)
    assert trace.downtime_limit_ms == 317 and trace.samples == parse(TEXT).samples


@pytest.mark.parametrize(("length", "before", "behind"), [(159, 42, 60), (160, 42, 60), (161, 0, 0)])
def test_around_a_short_line_others_are_read_too(length, before, behind):
    """Of NOISE 42 lines are in 4096 bytes, the first one in part."""
    line = b"remaining".ljust(length - 1) + b"\n"
    given = [one for one, _ in lines(FAR + line + FAR)]
    place = given.index(line)
    assert (place - sieve.FIRST_LINES, len(given) - place - 1) == (before, behind)


@pytest.mark.parametrize("size", [1000, 4096, 1 << 14, 1 << 24])
def test_the_same_lines_are_read_whatever_the_pieces_are(size):
    data = FAR + TEXT + NOISE * 100 + b"remaining 7\n" + FAR
    assert [line for line, _ in lines(data, size)] == [line for line, _ in lines(data, 1 << 18)]


def test_no_more_is_kept_than_may_be_wanted():
    made = Sieve([b"emain"])
    for number in range(300):
        assert len(list(made.feed(NOISE * 10, number))) == (10 if number < sieve.FIRST_LINES // 10 else 0)
    kept = [len(piece.text) for piece in made._cold]
    assert sum(kept) - kept[0] < sieve.NEAR_BYTES <= sum(kept)


@pytest.mark.parametrize(
    ("text", "places", "others"),
    [
        (b"needle", [0], []),
        (b"needle needles", [0, 7], []),
        (b"need needl eedle needle"[:-1], [], []),
        (b'"QMP" \'QMP\' QMP"', [], [0, 6]),
        (b'QMP" needle', [5], []),
        (b'needle "QMP"', [0], [7]),
        (b"", [], []),
        (b"x" * WINDOW + b"needle", [WINDOW], []),
        (b"x" * (WINDOW - 3) + b"needle", [WINDOW - 3], []),
    ],
)
def test_each_needle_is_found_at_its_place_and_no_other(text, places, others):
    found = _Search([b"needle", b"needle"], [b'"QMP"', b"'QMP'", b"needle"]).places(text)
    assert [*map(sorted, found)] == [places, others]


@pytest.mark.parametrize("first", range(9))
def test_needles_are_searched_from_some_byte_on(first):
    text = b"needle needle needle"
    found, _ = _Search([b"needle"]).places(text, first)
    assert sorted(found) == [place for place in (0, 7, 14) if place >= first]


LONG = [b'{"remaining": %d' % number + b" " * sieve.SHORT_BYTES + b"}\n" for number in range(9)]


@pytest.mark.parametrize("size", [1000, 4096, 1 << 14, 1 << 18, 1 << 24])
@pytest.mark.parametrize("taken", [range(9), range(1, 9, 2), (0, 1, 2, 8), ()])
@pytest.mark.parametrize("between", [b"", NOISE, NOISE * 300])
def test_lines_are_taken_or_given_each_once_and_in_their_order(size, taken, between):
    data = FAR + between.join(LONG) + FAR + b"remaining\n" + LONG[0]
    made, seen, given = Sieve([b"emain"]), [], []

    def take(text, begin, end, came_s):
        line = text[begin:end]
        if line not in [LONG[number] for number in taken]:
            return False
        seen.append((line, came_s))
        return True

    for number, begin in enumerate(range(0, len(data), size)):
        for line, came_s in made.feed(data[begin : begin + size], number):
            given.append(line)
            if b"emain" in line:
                seen.append((line, came_s))
                made.mark_useful()
                made.take = take
    assert [line for line, _ in seen] == [*LONG, b"remaining\n", LONG[0]]
    ends = [data.index(line) + len(line) for line in (*LONG, b"remaining\n")] + [len(data)]
    assert [came_s for _, came_s in seen] == [(end - 1) // size for end in ends]
    assert len(given) < sieve.FIRST_LINES + 200


def test_a_line_that_may_be_taken_is_offered_from_its_begin_on():
    offered, made = [], Sieve([b"emain"])

    def take(text, begin, end, came_s):
        offered.append(text[begin:end])
        return text.startswith(b"{", begin)

    for piece in (FAR, LONG[0], b"one\ntwo\n" + LONG[1] + NOISE + LONG[2]):
        for _ in made.feed(piece, 0):
            made.mark_useful()
            made.take = take
    assert {line.count(b"\n") for line in offered} == {1} and {*LONG[1:3]} <= {*offered}


def test_lines_that_were_kept_have_the_times_at_which_they_came():
    numbered = [b"%5d\n" % number for number in range(5000)]
    data = b"".join([*numbered, b"remaining\n"])
    came = dict(lines(data, size=1000))
    assert len(came) > sieve.FIRST_LINES + 500
    assert all(came[line] == (6 * int(line) + 5) // 1000 for line in numbered if line in came)


def test_a_line_is_as_long_as_what_came_of_it_alone(monkeypatch):
    monkeypatch.setattr(sieve, "LONGEST_LINE_BYTES", 1000)
    made = Sieve([b"emain"])
    given = [line for data in (b"x" * 900 + b"\nab", b"c" * 900, b"\n") for line, _ in made.feed(data, 0)]
    assert given == [b"x" * 900 + b"\n", b"ab" + b"c" * 900 + b"\n"]
