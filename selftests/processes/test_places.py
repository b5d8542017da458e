# SPDX-License-Identifier: GPL-2.0-or-later
"""On which hosts the two sides run: each is asked for its turn, none is taken for two, and a link is found between."""

import asyncio
import itertools
import os
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from avocado_migdowntime.agent import turn
from avocado_migdowntime.agent.turn import identity
from avocado_migdowntime.errors import HarnessError, HostRequirementError, UsageError
from avocado_migdowntime.host.resources import HostResources
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu import places as places_module
from avocado_migdowntime.qemu.far_place import FarPlace
from avocado_migdowntime.qemu.network_link import network_link
from avocado_migdowntime.qemu.place import Here
from avocado_migdowntime.qemu.places import places
from avocado_migdowntime.remote import ssh
from avocado_migdowntime.remote.ssh import Connected

from ..support.agents import sent

SIDES = ("source", "destination")
ATTEMPTS = 5
MOST_ASKED = 1000
"""So often is a turn asked for by judges of which none waits for another for ever."""
RUNS = [
    [("a", "", "b"), ("b", "", "a")],
    [("a", "", "b"), ("b", "a", "")],
    [("a", "", "b"), ("b", "", "c"), ("c", "", "a")],
    [("a", "b", "c"), ("b", "c", "a"), ("c", "a", "b"), ("a", "c", "b")],
]
"""Judges, each by the host that it is started on, and by those of its source and destination where they are others."""


@pytest.fixture(autouse=True)
def own_turn(monkeypatch, tmp_path):
    """Not the one that tests beside this one wait for."""
    monkeypatch.setattr(turn, "_NAME", f"\0migdowntime-{tmp_path.name}"[:90])


class Host:
    """What answers in the place of another host."""

    def __init__(self, name, identity, order):
        self.name = name
        self.facts = {"identity": identity, "machine": "x86_64", "page_bytes": 4096, "kvm": False, "filters": True}
        self._order = order

    async def ask(self, do, **given):
        assert do == "turn"
        self._order.append(self.name)
        return "process 7 of user 0" if self._order in ([self.name], 2 * [self.name]) else "", b""


def where(monkeypatch, tmp_path, parameters, **identities):
    """Names of both sides' hosts, the order in which turns were asked for, and what was said."""
    order, said = [], []

    @asynccontextmanager
    async def connected(address):
        yield Connected(Host(address.host, identities[address.host], order), "", "", "", "")

    async def course():
        with HostResources() as resources, ExitStack() as stack:
            async with places(parse(parameters), Here(resources, stack, tmp_path), said.append) as found:
                assert turn.take()[0] is None
                return [place.name for place in found]

    monkeypatch.setattr(ssh, "connected", connected)
    return asyncio.run(course()), order, said


@pytest.mark.parametrize("sides", [SIDES, SIDES[::-1]])
def test_turns_are_taken_in_one_order_whichever_side_is_where(monkeypatch, tmp_path, sides):
    hosts = dict(zip(sides, ("lab1", "lab2"), strict=True))
    parameters = {f"{side}_host": host for side, host in hosts.items()}
    names, order, said = where(monkeypatch, tmp_path, parameters, lab1="kernel 2", lab2="kernel 1")
    assert names == [hosts[side] for side in SIDES]
    assert order == ["lab2", "lab2", "lab2", "lab1"]
    assert said[2:] == ["waiting for another test on lab2 to end: that of process 7 of user 0"]


class Judge(Here):
    """One that is started on a host; whoever judges holds the turns of hosts by their names."""

    def __init__(self, host, turns):
        self.identity = host
        self.turns, self.asked = turns, 0

    async def take_turn(self):
        return await self.take(self.identity)

    async def take(self, host):
        """Have the turn of a host, or be told who has it."""
        self.asked += 1
        assert self.asked < MOST_ASKED, "they wait for each other"
        await asyncio.sleep(0)
        holder = self.turns.setdefault(host, self)
        return "" if holder is self else f"the judge on {holder.identity}"


class FarHost(Host):
    """A host of which this judge wants the turn."""

    def __init__(self, identity, judge):
        super().__init__(identity, identity, [])
        self._judge = judge

    async def ask(self, do, **given):
        return await self._judge.take(self.facts["identity"]), b""


@pytest.mark.parametrize("identities", list(itertools.permutations("123")), ids="".join)
@pytest.mark.parametrize("runs", RUNS, ids=["two", "from and to", "ring", "between"])
def test_no_judges_wait_for_each_other_wherever_they_are_started(monkeypatch, runs, identities):
    known = dict(zip("abc", identities, strict=True))
    turns, judged = {}, []

    async def course(host, source, destination):
        judge = Judge(known[host], turns)

        @asynccontextmanager
        async def connected(address):
            yield Connected(FarHost(known[address.host], judge), "", "", "", "")

        monkeypatch.setattr(ssh, "connected", connected)
        parameters = parse({"source_host": source, "destination_host": destination})
        async with places(parameters, judge, lambda _: None):
            wanted = {known[each] for each in (host, source, destination) if each}
            assert {each for each, holder in turns.items() if holder is judge} == wanted
            await asyncio.sleep(0)
            judged.append(judge)
            for each in wanted:
                del turns[each]

    async def together():
        await asyncio.gather(*(course(*run) for run in runs))

    monkeypatch.setattr(places_module, "_TURN_AGAIN_S", 0)
    asyncio.run(together())
    assert len(judged) == len(runs)


def test_the_turn_of_this_host_is_taken_too_and_comes_back(monkeypatch, tmp_path):
    held, _ = turn.take()
    with held:
        monkeypatch.setattr(places_module, "_TURN_AGAIN_S", 0)
        monkeypatch.setattr(turn, "_holder", lambda: held.close() or "process 7 of user 0")
        _, _, said = where(monkeypatch, tmp_path, {"source_host": "lab1"}, lab1="")
    assert said[1:3] == [
        "waiting for another test on lab1 to end: that of process 7 of user 0",
        "waiting for another test on this host to end: that of process 7 of user 0",
    ]
    again, _ = turn.take()
    again.close()


def test_who_has_the_turn_is_told_without_taking_it(monkeypatch):
    assert turn.holder() == turn.holder() == ""
    lock, _ = turn.take()
    with lock:
        assert turn.holder() == f"process {os.getpid()} of user {os.geteuid()}" == turn.take()[1]
        # The kernel's word for one of another namespace of processes.
        monkeypatch.setattr(turn, "_CREDENTIALS", SimpleNamespace(size=12, unpack=lambda found: (0, 7, 0)))
        assert turn.holder() == "a process of user 7 that cannot be seen"
    assert turn.holder() == ""


@pytest.mark.parametrize("side", SIDES)
def test_the_other_side_stays_here(monkeypatch, tmp_path, side):
    names, order, _ = where(monkeypatch, tmp_path, {f"{side}_host": "lab1"}, lab1="kernel 1")
    assert dict(zip(SIDES, names, strict=True)) == {**dict.fromkeys(SIDES, ""), side: "lab1"}
    assert set(order) == {"lab1"}


def test_one_host_is_not_taken_for_two(monkeypatch, tmp_path):
    both = {"source_host": "lab1", "destination_host": "lab2"}
    with pytest.raises(UsageError, match="^destination_host=lab2 is the same host as source_host=lab1; leave it out, "):
        where(monkeypatch, tmp_path, both, lab1="kernel 1", lab2="kernel 1")
    with pytest.raises(UsageError, match="^source_host=lab1 is this host; leave it out, or name another host$"):
        where(monkeypatch, tmp_path, both, lab1=identity(), lab2="kernel 1")


def test_hosts_that_do_not_tell_who_they_are_are_not_taken_for_one(monkeypatch, tmp_path):
    names, _, _ = where(monkeypatch, tmp_path, {"source_host": "a", "destination_host": "b"}, a="", b="")
    assert names == ["a", "b"]


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        (
            None,
            HostRequirementError,
            "on far: no qemu-system-arm is on the PATH that a command over SSH has; install one ",
        ),
        ("/no/such", UsageError, "far has no QEMU /no/such; give with `qemu` the path of a qemu-system-* there"),
    ],
)
def test_a_qemu_that_another_host_lacks_is_told_with_what_brings_it(monkeypatch, tmp_path, given, error, says):
    async def course():
        async with sent() as (conversation, _):
            await FarPlace(Connected(conversation, *4 * [""]), "source", "qemu").binary(given, "arm")

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(error) as refusal:
        asyncio.run(course())
    assert str(refusal.value).startswith(says)


class Reached(FarPlace):
    """Another host that is reached at one of its addresses only."""

    def __init__(self, name, reached_at="", its="203.0.113.9", own="10.0.0.9"):
        connection = Connected(Host(name, name, []), its, own, "203.0.113.1", "10.0.0.1")
        super().__init__(connection, "destination", "qemu_destination")
        self._reached_at = reached_at
        self.listened = []

    async def listen(self, address):
        self.listened.append(address)
        return 4444

    async def receive(self):
        return 5e7

    async def send(self, address, port):
        assert port == 4444
        if address != self._reached_at:
            raise HarnessError("Connection refused")


def link(source, destination):
    return asyncio.run(network_link(source, destination, lambda _: None))


@pytest.mark.parametrize("reached_at", ["10.0.0.9", "203.0.113.9"])
def test_two_other_hosts_find_each_other_inside_their_network_or_from_outside(reached_at):
    destination = Reached("lab2")
    found = link(Reached("lab1", reached_at), destination)
    assert found.peer == reached_at and found.bytes_per_s == 5e7 and set(destination.listened) == {"10.0.0.9"}
    header = {"link": "tcp", "link_bytes_per_s": 50_000_000, "source_host": "lab1", "destination_host": "lab2"}
    assert found.header == header


def test_a_link_that_nothing_gets_over_is_told_with_each_way_that_was_tried():
    with pytest.raises(HostRequirementError) as refusal:
        link(Reached("lab1"), Reached("lab2"))
    assert str(refusal.value) == (
        "no TCP connection gets from lab1 to lab2 at 10.0.0.9: Connection refused; at 203.0.113.9: "
        "Connection refused; allow TCP connections to any port there"
    )


async def measured(source, destination):
    """The link between them, at one of some looks: a busy host may stop one end for as long as the other waits."""
    for _ in range(ATTEMPTS):
        with suppress(HostRequirementError):
            return await network_link(source, destination, lambda _: None)
    pytest.fail("nothing gets from one end of this host's loopback to the other")


def test_an_agent_keeps_secrets_and_measures_what_lies_between(tmp_path):
    async def course():
        async with sent() as (conversation, _):
            assert conversation.facts["identity"] == identity()
            far = FarPlace(Connected(conversation, *4 * ["127.0.0.1"]), "source", "qemu")
            directory = Path(await far.keep_private("tls-source", {"key": b"secret", "empty": b""}))
            assert {path.name: path.read_bytes() for path in directory.iterdir()} == {"key": b"secret", "empty": b""}
            modes = [path.stat().st_mode & 0o777 for path in (directory.parent, directory, *directory.iterdir())]
            assert modes == [0o700, 0o700, 0o600, 0o600]
            with HostResources() as resources, ExitStack() as stack:
                here = Here(resources, stack, tmp_path)
                assert (await measured(far, here)).bytes_per_s > 0
        assert not directory.exists()

    asyncio.run(course())
