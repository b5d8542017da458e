# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts that were garbled on the way: read, judged and advised from, or refused in a sentence; never anything else."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.verdict.judge import judge

SELFTESTS = Path(__file__).parents[1]
TEXTS = [path.read_bytes() for folder in ("forms", "texts") for path in sorted((SELFTESTS / folder).glob("*.txt"))]
JUNK = (
    *(b"-1", b"1e999", b"nan", b"null", b"true", b"[]", b"{}", b'"x"', b"9" * 23, b"0", b"-0.0", b"1.5"),
    *(b"\xff", b"\0", b"{", b"}", b"[", b"'", b'"', b"\r", b"\n", b"\x1b[K", b"> ", b"(qemu) ", b" active"),
)
PLACES = st.floats(0, 1, exclude_max=True)


def into(text: bytes, place: float, junk: bytes, over: int) -> bytes:
    """The text with `junk` in the place of so many bytes."""
    begin = int(place * len(text))
    return text[:begin] + junk + text[begin + over :]


def lines_moved(text: bytes, place: float, to: float, kept: bool) -> bytes:
    """The text with one of its lines again elsewhere, or gone from where it was."""
    lines = text.split(b"\n")
    line = lines[number := int(place * len(lines))]
    if not kept:
        del lines[number]
    lines.insert(int(to * (len(lines) + 1)), line)
    return b"\n".join(lines)


@given(
    st.sampled_from(TEXTS),
    st.lists(st.tuples(PLACES, st.sampled_from(JUNK), st.integers(0, 30)), max_size=4),
    st.lists(st.tuples(PLACES, PLACES, st.booleans()), max_size=3),
    st.sampled_from([b"", *TEXTS]),
)
def test_what_is_garbled_is_read_or_refused_in_a_sentence(
    text: bytes, junk: list[tuple[float, bytes, int]], moves: list[tuple[float, float, bool]], behind: bytes
) -> None:
    for move in moves:
        text = lines_moved(text, *move)
    for edit in junk:
        text = into(text, *edit)
    try:
        trace = parse(text + behind)
        assert len(trace.samples) and judge(trace).reasons and advise(trace).reasons
    except UsageError as error:
        assert str(error) and "\n" not in str(error)
