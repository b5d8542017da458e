# SPDX-License-Identifier: GPL-2.0-or-later
"""A run that was given up because nothing was sent any more says so."""

import pytest

from avocado_migdowntime.experiments.stalled import why_stalled
from avocado_migdowntime.trace.ram import Ram
from avocado_migdowntime.trace.sample import Sample
from avocado_migdowntime.trace.samples import Samples


def samples(*sent_bytes):
    """One each second, with what QEMU says that it has transferred."""
    rams = [Ram(1 << 20, 4096, 0, 0, 1, 0, 100.0, None, sent) for sent in sent_bytes]
    return Samples.of([Sample(float(number), 0.0, "active", None, ram) for number, ram in enumerate(rams)])


@pytest.mark.parametrize(
    ("sent_bytes", "says"),
    [
        ([10, 20, 30, *7 * [40]], "the source QEMU has sent nothing for 6 s: look at the link"),
        ([10, 20, 30, *5 * [40]], ""),
        ([*9 * [10], 20], ""),
        ([10, *8 * [None]], ""),
        ([None, None], ""),
        ([], ""),
    ],
)
def test_for_how_long_nothing_was_sent(sent_bytes, says):
    assert why_stalled(samples(*sent_bytes)) == says
