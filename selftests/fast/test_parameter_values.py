# SPDX-License-Identifier: GPL-2.0-or-later
"""Sizes and bandwidths that a parameter takes: above 0, and no more than QEMU can count."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.parameters.table import parse


@pytest.mark.parametrize("name", ["region", "granule", "ram", "max_bandwidth"])
def test_a_size_is_above_0_and_at_most_a_pib(name):
    assert getattr(parse({name: "1"}), name) == 1
    assert getattr(parse({name: "1048576G"}), name) == 1 << 50
    for text in ("0", "0K", "1125899906842625", "9999999999999999999G"):
        with pytest.raises(UsageError) as caught:
            parse({name: text})
        assert str(caught.value) == (
            f"parameter {name}: {text!r} is not a usable size; give one above 0 and up to 1048576G, such as 64M"
        )


@pytest.mark.parametrize(
    ("name", "text"), [("tolerance", "0_1"), ("tolerance", "٠.١"), ("passes", "1_0"), ("passes", "٣")]
)
def test_a_number_has_only_the_digits_that_it_seems_to_have(name, text):
    with pytest.raises(UsageError, match=rf"^parameter {name}: '{text}' is not a (whole )?number from "):
        parse({name: text})
    assert getattr(parse({name: "1"}), name) == 1
