# SPDX-License-Identifier: GPL-2.0-or-later
"""Sizes and rates, as they are read and written."""

import re

import pytest

from avocado_migdowntime.basics.units import format_size, parse_rate, parse_size, rate_in_words
from avocado_migdowntime.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0", 0),
        ("4096", 4096),
        ("4K", 4096),
        ("4k", 4096),
        ("4 KiB", 4096),
        ("4kib", 4096),
        ("4KB", 4096),
        ("4 B", 4),
        (" 2M ", 2 << 20),
        ("3G", 3 << 30),
        ("3g", 3 << 30),
        ("9" * 19, 10**19 - 1),
    ],
)
def test_a_size_is_a_whole_number_of_powers_of_1024(text, size_bytes):
    assert parse_size(text) == size_bytes
    assert parse_rate(text) == pytest.approx(size_bytes, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "bytes_per_s"),
    [("47.7M", round(47.7 * 1048576)), ("1.5k", 1536), ("0.5", 0), ("1.5", 2), ("0.25 GiB", 1 << 28), ("2.0B", 2)],
)
def test_a_rate_may_have_a_fraction(text, bytes_per_s):
    assert parse_rate(text) == bytes_per_s


@pytest.mark.parametrize(
    "text", ["", "K", "-1", "1.5M", "1T", "4KX", "x4K", "4Ki", "1e6", "0x10", "1" * 20, "1 2", "1,5M", "4KBB"]
)
def test_what_is_no_size_is_said_with_an_example(text):
    says = f"{text!r} is not a size; write a whole number followed by K, M or G, such as 64M"
    with pytest.raises(UsageError, match=f"^{re.escape(says)}$"):
        parse_size(text)


@pytest.mark.parametrize("text", ["", "M", "-1", "1.M", ".5M", "1.5T", "4KX", "x4K", "1.5Mi", "1e6", "1." + "5" * 20])
def test_what_is_no_rate_is_said_with_an_example(text):
    says = f"{text!r} is not a rate; write bytes per second, such as 12500000 or 47.7M"
    with pytest.raises(UsageError, match=f"^{re.escape(says)}$"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0"),
        (1, "1"),
        (1023, "1023"),
        (1024, "1K"),
        (1536, "1536"),
        (2 << 20, "2M"),
        ((2 << 20) + 1024, "2049K"),
        (3 << 30, "3G"),
        (1 << 40, "1024G"),
    ],
)
def test_a_size_is_written_in_the_largest_unit_that_divides_it(size_bytes, text):
    assert format_size(size_bytes) == text
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize(
    ("bytes_per_ms", "words"),
    [(0, "0.0 MB/s"), (22.68, "22.7 kB/s"), (99.96, "100.0 kB/s"), (100, "0.1 MB/s"), (117_250, "117.2 MB/s")],
)
def test_a_small_bandwidth_does_not_look_like_0(bytes_per_ms, words):
    assert rate_in_words(bytes_per_ms) == words
