# SPDX-License-Identifier: GPL-2.0-or-later
"""A wrong report is found whatever way the migration goes: over TLS, by multifd, by xbzrle."""

import pytest

from avocado_migdowntime.faults.catalogue import named_fault
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.recorded import altered

WAYS = ["ppc64-tcg-qemu-10.0-multifd-zstd", "x86_64-tcg-qemu-11.1-multifd", "ppc64-tcg-qemu-7.2-busy-host-xbzrle"]
NAMED = ["dirty-rate", "redirty", "live", "frozen"]
"""Faults that are told by their name even where the bandwidth of a busy host changes from pass to pass."""


def verdict_with(way, fault):
    made = named_fault(fault).make()
    return judge(altered(way, lambda answer: answer.update(made.from_qemu({"execute": "query-migrate"}, answer))))


@pytest.mark.parametrize("way", WAYS)
def test_a_correct_qemu_is_accurate(way):
    assert verdict_with(way, "none").verdict is Judgement.ACCURATE


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "fault", [*NAMED, "factor=1.1", "factor=0.98", "kb", "stale", "once-a-pass", "uncomputed", "zero", "mbps-halved"]
)
def test_a_faulty_one_is_inaccurate(way, fault):
    verdict = verdict_with(way, fault)
    assert verdict.verdict is Judgement.INACCURATE, verdict
    assert verdict.formula == fault or fault not in NAMED
    assert (verdict.bandwidth.code == "not-as-sent") is (fault == "mbps-halved")
