# SPDX-License-Identifier: GPL-2.0-or-later
"""How long the guest is down once a limit ends the migration, and whether max-bandwidth is what makes it so long."""

from functools import cache

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise

from ..support.migrations import with_header
from ..support.recorded import recording

SENT_BYTES_PER_S = 12_024_900


@cache
def recorded():
    return parse(recording("ppc64-tcg-qemu-7.2").read_bytes())


@pytest.mark.parametrize(
    ("cap", "capped"),
    [
        (12_000_000, True),
        (round(SENT_BYTES_PER_S / 0.899), False),
        (round(SENT_BYTES_PER_S / 0.901), True),
        (120_000_000, False),
        (0, False),
        (None, None),
    ],
)
def test_max_bandwidth_limits_it_where_about_so_much_is_sent(cap, capped):
    others = {name: value for name, value in recorded().migrate_parameters.items() if name != "max-bandwidth"}
    parameters = others if cap is None else {**others, "max-bandwidth": cap}
    advice = advise(with_header(recorded(), **{"migrate-parameters": parameters}))
    assert (advice.down.capped, round(advice.down.ms)) == (capped, 5496)
    assert advice.bandwidth_bytes_per_ms * 1000 == pytest.approx(SENT_BYTES_PER_S)
