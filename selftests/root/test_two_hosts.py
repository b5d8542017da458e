# SPDX-License-Identifier: GPL-2.0-or-later
"""A destination on another host, over SSH: the same verdict as on one, and nothing left on either, whatever ends it."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.verdict.judge import judge

from ..support.documents import TOP
from ..support.ssh_hosts import ADDRESSES, OTHER, Hosts, two_hosts
from ..support.waiting import HANGS_S

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.network,
    pytest.mark.usefixtures("hosts", "nothing_left"),
]
WORDS = ("judge", "-p", f"destination_host={OTHER}", "-p", "arch=x86_64", "-p", "accel=tcg")
LONG = (*WORDS, "-p", "passes=1000", "-p", "time_limit=600")
UNDER_WAY = re.compile(r"migdowntime judge: pass ([2-9]|\d\d)")
ON_HUGEPAGES = pytest.mark.alone
"""The others are of small pages, and judge nothing."""
GONE_S = 60
"""What runs on a host that hears nothing waits for 10 s; this holds on a busy one, too."""


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    subprocess.run([TOP / "tools/packages", "sshd"], check=True)
    with two_hosts() as hosts:
        yield hosts


@pytest.fixture(autouse=True)
def nothing_left_there(hosts: Hosts) -> Iterator[None]:
    """Fails the test if it leaves a process, a directory or a mount on the other host."""
    yield
    until_s = time.monotonic() + GONE_S
    while (left := hosts.left_there()) and time.monotonic() < until_s:
        time.sleep(0.1)
    assert not left


@ON_HUGEPAGES
def test_two_hosts_give_the_verdict_of_one_and_say_how_their_clocks_stand(hosts: Hosts, tmp_path: Path) -> None:
    status, out = hosts.run(*WORDS, "--output", str(tmp_path / "run"))
    assert status == 0, out
    trace = read(str(tmp_path / "run" / "trace.jsonl"))
    assert (trace.header["link"], trace.header["destination_host"]) == ("tcp", OTHER)
    assert trace.header["link_bytes_per_s"] > 0 and trace.header["backing_page_size"] == 2 << 20
    verdict = judge(trace)
    assert verdict.passed and verdict.check("memory").code == "intact", out
    down = verdict.downtime
    assert down is not None and down.guest_ms is not None and down.events_ms is not None and down.qemu_ms is not None
    # Both are hosts of one machine, so that their clocks are one: the truth is 0.
    clock = trace.first_event("harness", "CLOCK", side="destination")
    assert clock is not None and clock.data["ahead_s"][0] <= 0 <= clock.data["ahead_s"][1]
    assert clock.data["readings"] > 5 and down.events_open_ms > 0
    # All three have the guest down while its last pages went over.
    assert down.events_ms + down.events_open_ms >= 0.5 * down.qemu_ms
    assert down.guest_ms.high >= 0.5 * down.qemu_ms


@ON_HUGEPAGES
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_nothing_on_either_host(hosts: Hosts, how: signal.Signals) -> None:
    with hosts.start(*LONG) as process:
        assert _under_way(process) and hosts.left_there()
        process.send_signal(how)
        process.communicate()
    assert process.returncode in (-how, 130)


@ON_HUGEPAGES
def test_a_link_that_is_cut_ends_the_run_in_a_sentence_and_the_other_host_by_itself(hosts: Hosts) -> None:
    with hosts.start(*LONG) as process:
        assert _under_way(process)
        hosts.cut()
        try:
            out, _ = process.communicate(timeout=HANGS_S)
            until_s = time.monotonic() + GONE_S
            while hosts.left_there() and time.monotonic() < until_s:
                time.sleep(0.1)
            assert hosts.left_there() == []
        finally:
            hosts.mend()
    assert process.returncode not in (0, 1), out
    assert f"the connection to {OTHER} is gone: no answer for 10 s" in out
    assert "Traceback" not in out


def test_a_host_that_is_gone_ends_the_run_in_a_sentence() -> None:
    # What it had of the hugepages would go with a host of its own; here it is of this one.
    with two_hosts() as others, others.start(*LONG, "-p", "page_size=4K") as process:
        assert _under_way(process)
        others.init.kill()
        out, _ = process.communicate(timeout=HANGS_S)
    assert process.returncode not in (0, 1) and "Traceback" not in out
    assert out.splitlines()[-1].startswith("migdowntime judge: the ")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (f"{OTHER}:23", f"the host {OTHER} cannot be reached by SSH: Connection refused"),
        (f"nobody@{ADDRESSES[1]}", f"the host nobody@{ADDRESSES[1]} cannot be reached by SSH: it accepts none of"),
        (ADDRESSES[0], f"the host {ADDRESSES[0]} cannot be reached by SSH: "),
    ],
)
def test_a_host_that_is_not_to_be_reached_is_said_to_be_lacking(hosts: Hosts, given: str, sentence: str) -> None:
    status, out = hosts.run("judge", "-p", f"destination_host={given}", "-p", "page_size=4K")
    assert status == 125, out
    assert re.search(sentence, out.splitlines()[-1]), out


def test_a_host_whose_key_is_not_known_is_not_trusted(hosts: Hosts, tmp_path: Path) -> None:
    known = hosts.home / ".ssh" / "known_hosts"
    kept = known.read_text()
    try:
        known.write_text("")
        status, out = hosts.run(*WORDS, "-p", "page_size=4K")
    finally:
        known.write_text(kept)
    assert status == 125 and "its key is not known here" in out


def test_a_qemu_that_the_other_host_lacks_is_named_with_the_host(hosts: Hosts) -> None:
    status, out = hosts.run(*WORDS, "-p", "page_size=4K", "-p", "qemu_destination=/no/such/qemu")
    assert status == 125, out
    assert f"{OTHER} has no QEMU /no/such/qemu; give with `qemu_destination`" in out


def _under_way(process: "subprocess.Popen[str]") -> bool:
    """Wait for the second pass or one after it."""
    assert process.stdout is not None
    return any(UNDER_WAY.match(line) for line in process.stdout)
