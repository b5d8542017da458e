# SPDX-License-Identifier: GPL-2.0-or-later
"""How much is taken of what is read, to the byte: lines, blanks, and what a compressed file makes."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.trace.bounds import LONGEST_LINE_BYTES, Counted, in_bounds, inflated_in_bounds

MIB = b"x" * (1 << 20)
LINE = LONGEST_LINE_BYTES


def refusal(chunks):
    """What is said of `chunks`, "" where all are handed on as they are."""
    handed_on = []
    try:
        handed_on.extend(in_bounds(iter(chunks)))
    except UsageError as error:
        return str(error)
    assert handed_on == chunks
    return ""


@pytest.mark.parametrize(
    ("chunks", "more"),
    [
        ([MIB] * 4, b"x"),
        ([MIB] * 4 + [b"\n"] + [MIB] * 4, b"x\n"),
        ([b"abc\n" + MIB, MIB, MIB, MIB], b"x\n"),
        ([b"abc\nde\n" + MIB, MIB[1:], MIB, MIB, b"x\nabc" + MIB[:-3], MIB, MIB, MIB], b"x"),
        ([MIB + b"\n", MIB, MIB, MIB, MIB, b"\n"], None),
    ],
)
def test_a_line_is_taken_up_to_4_mib_however_it_comes_in_chunks(chunks, more):
    assert refusal(chunks) == ""
    if more is not None:
        assert refusal([*chunks, more]).startswith("holds a line of more than 4 MiB; expected")


def test_blanks_are_taken_up_to_4_mib_in_a_row():
    blank, lines = b" " * (LINE // 4 - 1) + b"\n", b"\n" * (LINE // 4)
    assert refusal([blank] * 4) == refusal([lines] * 4) == refusal([lines] * 4 + [b"x\n"] + [lines] * 4) == ""
    assert refusal([*[lines] * 4, b"\n"]).startswith("holds more than 4 MiB of nothing but blanks; expected")
    assert refusal([b"x\n", *[lines] * 4, b"\n"]).startswith("holds more than 4 MiB of nothing but blanks")


@pytest.mark.parametrize(
    ("chunks", "more", "figures"),
    [
        ([MIB] * 64 + [MIB[:1000]], b"x", "67 MB with 0 lines"),
        ([b"\n" * 125_000] * 2 + [b"x\n"], b"\n", "0 MB with 250002 lines"),
    ],
)
def test_a_small_file_may_make_so_much_and_each_byte_of_it_so_much_more(chunks, more, figures):
    """Ten bytes: 64 MiB and 100 bytes for each of them, 250 000 lines and one for six of them."""
    packed = Counted([b"123456", b"7890"])
    assert (list(packed), packed.size_bytes) == ([b"123456", b"7890"], 10)
    handed_on = []
    with pytest.raises(UsageError) as refused:
        for chunk in inflated_in_bounds([*chunks, more], packed):
            handed_on.append(chunk)
    assert handed_on == chunks
    first = "decompresses to more than recordings hold: its first 10 bytes make"
    assert str(refused.value) == f"{first} {figures}; decompress it yourself if you trust it"
