# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs with sides on other hosts, over SSH, that are ended, cut off or left alone: nothing is left on any host."""

import signal
from collections.abc import Sequence

import pytest

from ..support.namespace_hosts import ADDRESSES
from ..support.ssh_hosts import OTHER, Hosts, other_hosts
from ..support.two_hosts import FROM_OTHER, FROM_OTHER_TO_THIRD, LONG, ON_TCG, SMALL, TO_OTHER, left, under_way
from ..support.waiting import HANGS_S

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.network,
    pytest.mark.usefixtures("nothing_left_there", "nothing_left"),
]


@pytest.mark.hugepages
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_nothing_on_any_host(hosts: Hosts, how: signal.Signals) -> None:
    with hosts.start("judge", *FROM_OTHER_TO_THIRD, *ON_TCG, *LONG) as process:
        assert under_way(process) and all(hosts.left(name) for name in hosts.names)
        process.send_signal(how)
        process.communicate()
    assert process.returncode in (-how, 130)


@pytest.mark.hugepages
@pytest.mark.parametrize("sides", [TO_OTHER, FROM_OTHER_TO_THIRD], ids=["destination", "source"])
def test_a_link_that_is_cut_ends_the_run_in_a_sentence_and_the_other_host_by_itself(
    hosts: Hosts, sides: Sequence[str]
) -> None:
    with hosts.start("judge", *sides, *ON_TCG, *LONG) as process:
        assert under_way(process)
        hosts.cut(ADDRESSES[1])
        try:
            out, _ = process.communicate(timeout=HANGS_S)
            assert not left(hosts)
        finally:
            hosts.mend(ADDRESSES[1])
    assert process.returncode not in (0, 1), out
    assert f"the connection to {OTHER} is gone: no answer for 10 s" in out
    assert "Traceback" not in out


@pytest.mark.parametrize("sides", [TO_OTHER, FROM_OTHER], ids=["destination", "source"])
def test_a_host_that_is_gone_ends_the_run_in_a_sentence(sides: Sequence[str]) -> None:
    # What it had of the hugepages would go with a host of its own; here it is of this one.
    with other_hosts(1) as others, others.start("judge", *sides, *ON_TCG, *SMALL, *LONG) as process:
        assert under_way(process)
        others.kill(ADDRESSES[1])
        out, _ = process.communicate(timeout=HANGS_S)
    assert process.returncode not in (0, 1) and "Traceback" not in out
    assert out.splitlines()[-1].startswith("migdowntime judge: the ")
