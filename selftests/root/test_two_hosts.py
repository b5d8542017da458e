# SPDX-License-Identifier: GPL-2.0-or-later
"""Sides on other hosts, over SSH: the same verdict as on one, and hosts that cannot be used are named."""

import json
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.verdict.judge import judge

from ..support.documents import TOP
from ..support.namespace_hosts import ADDRESSES
from ..support.ssh_hosts import OTHER, THIRD, Hosts
from ..support.two_hosts import FROM_OTHER, FROM_OTHER_TO_THIRD, LONG, ON_TCG, SMALL, TO_OTHER, under_way

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.network,
    pytest.mark.usefixtures("nothing_left_there", "nothing_left"),
]
WORDS = ("judge", *TO_OTHER, *ON_TCG)
LATE_S = 0.03
SECRETS = """
cd /tmp/migdowntime-*/tls-* 2>/dev/null || exit 0
stat -c "%a ${PWD##*-}" .
stat -c "%a %n" *
"""
PEMS = {"source": ["client-cert.pem", "client-key.pem"], "destination": ["server-cert.pem", "server-key.pem"]}


@pytest.mark.alone
@pytest.mark.parametrize(
    ("sides", "named"),
    [
        (TO_OTHER, {"destination": OTHER}),
        ((*FROM_OTHER, "-p", "tls=x509"), {"source": OTHER}),
        (FROM_OTHER_TO_THIRD, {"source": OTHER, "destination": THIRD}),
    ],
    ids=["to", "from", "between"],
)
def test_hosts_give_the_verdict_of_one_and_say_how_their_clocks_stand(
    hosts: Hosts, tmp_path: Path, sides: Sequence[str], named: Mapping[str, str]
) -> None:
    status, out = hosts.run("judge", *sides, *ON_TCG, "--output", str(tmp_path / "run"))
    assert status == 0, out
    trace = read(str(tmp_path / "run" / "trace.jsonl"))
    at = {side: trace.header.get(f"{side}_host") for side in ("source", "destination")}
    assert trace.header["link"] == "tcp" and {side: host for side, host in at.items() if host} == named
    assert trace.header["link_bytes_per_s"] > 0 and trace.header["backing_page_size"] == 2 << 20
    if trace.header["tls"] == "x509":
        assert trace.header["migrate-parameters"]["tls-hostname"] == ADDRESSES[0]
    verdict = judge(trace)
    assert verdict.passed and verdict.check("memory").code == "intact", out
    down = verdict.downtime
    assert down is not None and down.guest_ms is not None and down.events_ms is not None and down.qemu_ms is not None
    for side, host in at.items():
        # All are hosts of one machine, so that their clocks are one: the truth is 0.
        clock = trace.first_event("harness", "CLOCK", side=side)
        assert (clock is not None) == (host is not None)
        if clock is not None:
            assert clock.data["ahead_s"][0] <= 0 <= clock.data["ahead_s"][1] and clock.data["readings"] > 5
    assert down.events_open_ms > 0
    assert verdict.cpu.keys() == {"source", "destination"}
    assert 0 < verdict.cpu["source"].vcpus <= verdict.cpu["source"].qemu < 16
    # All three have the guest down while its last pages went over.
    assert down.events_ms + down.events_open_ms >= 0.5 * down.qemu_ms
    assert down.guest_ms.high >= 0.5 * down.qemu_ms


def test_a_long_way_to_the_hosts_makes_samples_long_and_no_answer_wrong(hosts: Hosts, tmp_path: Path) -> None:
    way = f"ProxyCommand {sys.executable} {TOP}/selftests/support/long_way.py %h %p {LATE_S}"
    configuration = hosts.home / ".ssh" / "config"
    configuration.write_text(f"Host {ADDRESSES[1]} {ADDRESSES[2]}\n    {way}\n")
    try:
        _, out = hosts.run("judge", *FROM_OTHER_TO_THIRD, *ON_TCG, *SMALL, "--output", str(tmp_path / "run"))
    finally:
        configuration.unlink()
    trace = read(str(tmp_path / "run" / "trace.jsonl"))
    assert trace.completed and min(trace.samples.answered_s - trace.samples.t_s) >= 2 * LATE_S, out
    verdict = judge(trace)
    assert verdict.passed is not False and verdict.check("memory").code == "intact", out
    for side in ("source", "destination"):
        clock = trace.first_event("harness", "CLOCK", side=side)
        assert clock is not None
        # Either way may have taken all of the time.
        assert clock.data["ahead_s"][0] <= -LATE_S and clock.data["ahead_s"][1] >= LATE_S
    assert verdict.downtime is not None and verdict.downtime.events_open_ms >= 2000 * LATE_S


@pytest.mark.parametrize(("tls", "sides"), [("psk", TO_OTHER), ("x509", FROM_OTHER_TO_THIRD)])
def test_what_encrypts_a_migration_is_where_it_is_needed_and_for_nobody_else(
    hosts: Hosts, tmp_path: Path, tls: str, sides: Sequence[str]
) -> None:
    output = str(tmp_path / "run")
    with hosts.start("judge", *sides, *ON_TCG, *SMALL, *LONG, "-p", f"tls={tls}", "--output", output) as process:
        assert under_way(process)
        kept = {address: hosts.there(address, SECRETS) for address in hosts.inits}
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 130
    trace = read(f"{output}/trace.jsonl")
    assert (trace.header["tls"], trace.header["migrate-parameters"]["tls-creds"]) == (tls, "tls")
    files = {side: ["keys.psk"] if tls == "psk" else ["ca-cert.pem", *PEMS[side]] for side in PEMS}
    for side in PEMS:
        address = trace.header.get(f"{side}_host", "").partition("@")[2]
        if address:
            assert kept.pop(address).splitlines() == [f"700 {side}", *(f"600 {name}" for name in files[side])]
        if tls == "x509" and side == "destination":
            assert trace.header["migrate-parameters"]["tls-hostname"] == address
    assert not any(kept.values())


def test_two_runs_each_to_the_host_of_the_other_go_one_after_the_other(hosts: Hosts, tmp_path: Path) -> None:
    ways = {ADDRESSES[1]: THIRD, ADDRESSES[2]: OTHER}
    outputs = {at: str(tmp_path / at) for at in ways}
    words = {at: ("judge", "-p", f"destination_host={to}", "--output", outputs[at]) for at, to in ways.items()}
    started = [hosts.start(*words[at], *ON_TCG, *SMALL, at=at) for at in ways]
    said = [process.communicate()[0] for process in started]
    traces = [read(f"{output}/trace.jsonl") for output in outputs.values()]
    assert all(trace.completed and judge(trace).passed is not False for trace in traces), said
    # All are hosts of one machine, so that their clocks are one.
    stamps = [[event.stamp_s for event in trace.events if event.stamp_s is not None] for trace in traces]
    earlier, later = sorted(stamps)
    assert max(earlier) < min(later), said


def test_the_doctor_looks_at_the_hosts_that_a_run_would_use(hosts: Hosts) -> None:
    status, found = _doctor(hosts, arch="x86_64", accel="tcg", page_size="4K", source_host=OTHER)
    assert status == 0, found
    mine = {name: finding for name, finding in found.items() if name.endswith(f" of {OTHER}")}
    told = ("access", "qemu x86_64", "memory", "cpu governor", "cpu load", "host lock")
    assert list(mine) == [f"{name} of {OTHER}" for name in told]
    assert all(finding["state"] != "fault" for finding in mine.values())
    assert float(found["network"]["text"].split()[0]) > 0
    # What is there is asked there: here is such a program.
    lacking = {"source_host": OTHER, "destination_host": f"{THIRD}:23", "qemu": f"{TOP}/tools/apart"}
    status, found = _doctor(hosts, arch="x86_64", page_size="4K", **lacking)
    assert status == 1 and "network" not in found, found
    faults = {name: finding["text"] for name, finding in found.items() if finding["state"] == "fault"}
    assert faults.keys() == {f"qemu x86_64 of {OTHER}", f"access of {THIRD}:23"}
    assert f"{OTHER} has no QEMU {TOP}/tools/apart; give with `qemu`" in faults[f"qemu x86_64 of {OTHER}"]
    assert "cannot be reached by SSH: Connection refused" in faults[f"access of {THIRD}:23"]


def test_two_names_of_one_host_are_seen_to_be_one(hosts: Hosts) -> None:
    configuration = hosts.home / ".ssh" / "config"
    configuration.write_text(f"Host elsewhere\n    HostName {ADDRESSES[1]}\n    User root\n")
    try:
        status, out = hosts.run("judge", *FROM_OTHER, "-p", "destination_host=elsewhere", *SMALL)
    finally:
        configuration.unlink()
    assert status == 129, out
    assert f"is the same host as source_host={OTHER}; leave it out, or name another host" in out


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (f"{OTHER}:23", f"the host {OTHER} cannot be reached by SSH: Connection refused"),
        (f"nobody@{ADDRESSES[1]}", f"the host nobody@{ADDRESSES[1]} cannot be reached by SSH: it accepts none of"),
        (ADDRESSES[0], f"the host {ADDRESSES[0]} cannot be reached by SSH: "),
    ],
)
def test_a_host_that_is_not_to_be_reached_is_said_to_be_lacking(hosts: Hosts, given: str, sentence: str) -> None:
    status, out = hosts.run("judge", "-p", f"destination_host={given}", *SMALL)
    assert status == 125, out
    assert re.search(sentence, out.splitlines()[-1]), out


def test_a_host_whose_key_is_not_known_is_not_trusted(hosts: Hosts, tmp_path: Path) -> None:
    known = hosts.home / ".ssh" / "known_hosts"
    kept = known.read_text()
    try:
        known.write_text("")
        status, out = hosts.run(*WORDS, *SMALL)
    finally:
        known.write_text(kept)
    assert status == 125 and "its key is not known here" in out


def test_a_qemu_that_the_other_host_lacks_is_named_with_the_host(hosts: Hosts) -> None:
    status, out = hosts.run(*WORDS, *SMALL, "-p", "qemu_destination=/no/such/qemu")
    assert status == 125, out
    assert f"{OTHER} has no QEMU /no/such/qemu; give with `qemu_destination`" in out


def _doctor(hosts: Hosts, **settings: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit status of `doctor` with these settings, and its findings by name."""
    script = f"""
import argparse, sys
from avocado_migdowntime.cli import doctor
parser = argparse.ArgumentParser()
doctor.configure(parser)
arguments = parser.parse_args(["--json", "--quiet"])
vars(arguments).update({ {f"migdowntime.{name}": value for name, value in settings.items()} })
sys.exit(doctor.run(arguments))
"""
    with hosts.start_python("-c", script) as process:
        out, _ = process.communicate()
    return process.returncode, {finding["name"]: finding for finding in json.loads(out)["findings"]}
