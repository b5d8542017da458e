# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults that tell QEMU something else than its user: what goes there, and what comes back."""

import pytest

from avocado_migdowntime.basics.qemu_constants import DEFAULT_MAX_BANDWIDTH
from avocado_migdowntime.faults.traffic import USED_INCREMENT, AutoConvergeIgnored, CapIgnored, ThrottleIgnored

ASKED = {"execute": "query-migrate-parameters"}


def sets(**arguments):
    return {
        "execute": "migrate-set-parameters",
        "arguments": {name.replace("_", "-"): arguments[name] for name in arguments},
    }


@pytest.mark.parametrize(
    ("fault", "name", "of_qemu", "before"),
    [
        (CapIgnored, "max-bandwidth", DEFAULT_MAX_BANDWIDTH, 5),
        (ThrottleIgnored, "cpu-throttle-increment", USED_INCREMENT, 10),
    ],
)
def test_qemu_has_another_parameter_than_it_says(fault, name, of_qemu, before):
    lying, answer = fault(), {name: 5, "downtime-limit": 300}
    assert lying.from_qemu(ASKED, answer) == {**answer, name: before}
    assert lying.to_qemu({**sets(**{name: 7}), "id": 1}) == {**sets(**{name: of_qemu}), "id": 1}
    assert lying.from_qemu(ASKED, answer) == {**answer, name: 7}
    assert lying.to_qemu(ASKED) == ASKED
    assert lying.from_qemu({"execute": "query-migrate"}, answer) == answer
    assert lying.to_qemu(sets(downtime_limit=9))["arguments"]["downtime-limit"] == 9
    assert lying.from_qemu(ASKED, answer) == {**answer, name: 7}


def test_qemu_is_told_of_all_capabilities_but_auto_converge():
    lying, others = AutoConvergeIgnored(), [{"capability": "events", "state": True}]
    asked = {"execute": "migrate-set-capabilities", "arguments": {"capabilities": others}}
    every = [*others, {"capability": "auto-converge", "state": True}]
    assert lying.to_qemu({**asked, "arguments": {"capabilities": every}}) == lying.to_qemu(asked) == asked
    assert lying.to_qemu(ASKED) == ASKED
