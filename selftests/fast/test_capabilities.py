# SPDX-License-Identifier: GPL-2.0-or-later
"""Migration capabilities that no run can be judged with are refused by what was given, before anything is launched."""

import asyncio
from dataclasses import replace

import pytest

from avocado_migdowntime.errors import HostRequirementError, UsageError
from avocado_migdowntime.parameters.capabilities import CAPABILITIES
from avocado_migdowntime.parameters.table import Parameters, parse
from avocado_migdowntime.qemu.planning import check, check_among_themselves
from avocado_migdowntime.qemu.probe import probe

from ..support.made_up_qemu import made_up_qemu
from ..support.refused import refusal

REFUSED = {name for name, capability in CAPABILITIES.items() if capability.refused}
UNUSABLE = {
    "zero-copy-send": r"zero-copy-send needs multifd; give zero-copy-send,multifd, or leave it out",
    "postcopy-preempt": r"postcopy-preempt needs postcopy-ram; give postcopy-preempt,postcopy-ram, or leave it out",
    "switchover-ack": r"switchover-ack needs return-path; give switchover-ack,return-path, or leave it out",
}


def test_those_are_refused_that_are_no_precopy_or_cannot_be_had_here():
    assert {"background-snapshot", "x-colo"} <= REFUSED
    assert not REFUSED & {"xbzrle", "multifd", "auto-converge", "postcopy-ram", "return-path", "mapped-ram"}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refusal_says_what_was_given_and_why_and_what_to_try(name):
    with pytest.raises(UsageError) as caught:
        parse({"capabilities": f"xbzrle, {name}"})
    said = str(caught.value)
    assert said.startswith(f"parameter capabilities: {name} ") and "\n" not in said
    assert said.endswith(("leave it out", "instead")) and "; " in said


@pytest.mark.parametrize("name", sorted(UNUSABLE))
def test_what_only_needs_another_is_told_which(name):
    with pytest.raises(UsageError, match=f"^parameter capabilities: {UNUSABLE[name]}$"):
        parse({"capabilities": name})
    needed = ",".join((name, *CAPABILITIES[name].needs))
    assert parse({"capabilities": needed}).capabilities == tuple(needed.split(","))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"capabilities": "multifd,zero-copy-send"},
            "with link=unix: it sends pages without copying them; use link=tcp or shaped, or leave",
        ),
        ({"capabilities": "multifd,zero-copy-send", "link": "tcp", "tls": "psk"}, "; use tls=none, or leave"),
        ({"capabilities": "mapped-ram"}, "; use link=file, or leave the capability out"),
        (
            {"capabilities": "multifd", "link": "exec"},
            "with link=exec: it sends pages over several connections; use link=unix or tcp or shaped or vsock or file",
        ),
        (
            {"capabilities": "return-path", "link": "file"},
            "with link=file: it lets the destination answer the source; use link=unix or tcp or shaped or",
        ),
        ({"capabilities": "dirty-limit"}, "; use accel=kvm, or leave the capability"),
        (
            {"capabilities": "x-ignore-shared"},
            "with backing=memfd: it skips shared memory; use backing=anonymous, or leave the capability out",
        ),
        (
            {"capabilities": "x-ignore-shared", "backing": "hugetlbfs"},
            "with backing=hugetlbfs: it skips shared memory; use backing=anonymous",
        ),
    ],
)
def test_what_does_not_go_with_another_parameter_is_told_before_anything_is_launched(given, words, tmp_path):
    said = refusal(given, tmp_path)
    assert words in said and said.startswith("capability ")


@pytest.mark.parametrize("name", sorted(set(CAPABILITIES) - REFUSED))
def test_with_what_it_needs_each_other_one_is_taken(name):
    needed = {name: allowed[0] for name, allowed in CAPABILITIES[name].settings.items()}
    given = parse({"capabilities": ",".join((name, *CAPABILITIES[name].needs)), **needed})
    check_among_themselves(given)


def test_one_that_is_not_known_is_for_qemu_to_refuse():
    given = replace(Parameters(), capabilities=parse({"capabilities": "warp-drive"}).capabilities)
    check_among_themselves(given)
    assert given.capabilities == ("warp-drive",)


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("xbzrle", HostRequirementError, "; see what query-migrate-capabilities shows, or give another `qemu`"),
        ("xbrzle", UsageError, ", and no release is known to have it; did you mean xbzrle?"),
        ("event", UsageError, ", and no release is known to have it; did you mean events?"),
    ],
)
def test_what_a_qemu_lacks_is_told_from_what_is_none(name, kind, says, tmp_path, sockets):
    info = asyncio.run(probe(made_up_qemu(tmp_path / "qemu"), tmp_path, sockets))
    with pytest.raises(kind) as caught:
        check(info, parse({"arch": "x86_64", "capabilities": f"events,{name}"}))
    assert str(caught.value) == f"QEMU 7.2.0 has no migration capability {name}{says}"
