# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody sets a limit between two looks at a migration: what follows tells as much as what precedes."""

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.verdict.judge import judge

from ..support.posts import SHOWN

HALF_KIB = 54_572
"""What the shown bandwidth sends in half a second."""
OF_A_PASS = 8
PENDING_KIB = OF_A_PASS * HALF_KIB
SET = "(qemu) migrate_set_parameter downtime-limit 450\n"


def looks(passes):
    """Two outputs a second of passes of 4 s, each of which leaves nothing and finds as much again."""
    texts = []
    for number in range(passes * OF_A_PASS):
        sent_kib = number * HALF_KIB
        figures = {"341207": 341_207 + 500 * number, "11020334": 11_020_334 + sent_kib, "2950": 3999}
        figures |= {"301408": PENDING_KIB - number % OF_A_PASS * HALF_KIB}
        figures |= {"2744127": 2_744_127 + sent_kib // 4, "10976508": 10_976_508 + sent_kib}
        figures |= {"count: 11": f"count: {11 + number // OF_A_PASS}"}
        text = SHOWN
        for before, after in figures.items():
            text = text.replace(before, str(after))
        texts.append(f"(qemu) info migrate\n{text}")
    return texts


@pytest.mark.long
@pytest.mark.parametrize("begin", [1, 5, 12, 30])
def test_a_limit_that_was_set_hides_no_passes(begin):
    texts = looks(5)
    trace = parse("".join([*texts[:begin], SET, *texts[begin:]]).encode())
    whole = parse("".join(texts).encode())
    advice, verdict = advise(trace), judge(trace)
    assert advice.limit_ms == pytest.approx(advise(whole).limit_ms, rel=0.05)
    assert advice.limit_ms == pytest.approx(4000, rel=0.1)
    assert verdict.passes > 0 and verdict.relative_error == pytest.approx(judge(whole).relative_error, abs=0.1)
    assert not any("no sync was seen" in one for one in advice.reasons)
    assert (advice.configured_ms, trace.events[0].limit_ms) == (450, 450)
