# SPDX-License-Identifier: GPL-2.0-or-later
"""What a migration goes over: which links and rates are none."""

import pytest

from avocado_migdowntime.basics.units import parse_rate
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.parameters.table import parse


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"link": "wifi"}, "parameter link: 'wifi' is not one of unix, tcp, shaped, fd, exec, file, vsock"),
        (
            {"link_rate": "fast"},
            "parameter link_rate: 'fast' is not a rate; write bytes per second, such as 12500000 or 47.7M",
        ),
        (
            {"link_rate": "-1"},
            "parameter link_rate: '-1' is not a rate; write bytes per second, such as 12500000 or 47.7M",
        ),
        (
            {"link_rate": "1M"},
            "parameter link_rate: '1M' is not a rate from 1250000 to 1250000000 bytes per second",
        ),
        (
            {"link_rate": "2G"},
            "parameter link_rate: '2G' is not a rate from 1250000 to 1250000000 bytes per second",
        ),
    ],
)
def test_a_bad_value_is_refused(given, sentence):
    with pytest.raises(UsageError) as refusal:
        parse(given)
    assert str(refusal.value) == sentence


def test_rates_are_numbers_with_or_without_a_suffix():
    assert [parse_rate(text) for text in ("12500000", "1.5M", "47.5 MiB", "0.5g")] == [
        12_500_000,
        1_572_864,
        49_807_360,
        1 << 29,
    ]
