# SPDX-License-Identifier: GPL-2.0-or-later
"""Two QEMUs migrate on a machine that is the same in both: an alias is another one in each release."""

from types import SimpleNamespace

import pytest

from avocado_migdowntime.errors import HostRequirementError, UsageError
from avocado_migdowntime.qemu.guest import machine_of_both
from avocado_migdowntime.trace.model import Trace, checked_header
from avocado_migdowntime.trace.samples import Samples


def qemu(release, machine, *others, backed=True):
    """One in which pc stands for `machine`; virt is no alias of anything."""
    names = frozenset({"pc", "virt", machine, *others})
    return SimpleNamespace(
        release_text=release, aliases={"pc": machine}, machines=names, backed_machines=names if backed else frozenset()
    )


OLD = qemu("7.2.22", "pc-i440fx-7.2", "pc-i440fx-6.2")
NEW = qemu("10.0.13", "pc-i440fx-10.0", "pc-i440fx-7.2", "pc-i440fx-6.2")
NEWEST = qemu("20.0.0", "pc-i440fx-20.0")


@pytest.mark.parametrize(
    ("machine", "source", "destination", "same"),
    [
        ("pc", OLD, OLD, "pc"),
        ("pc", OLD, NEW, "pc-i440fx-7.2"),
        ("pc", NEW, OLD, "pc-i440fx-7.2"),
        ("pc-i440fx-6.2", NEW, OLD, "pc-i440fx-6.2"),
        ("virt", NEW, OLD, "virt"),
    ],
)
def test_it_is_called_by_a_name_that_is_the_same_in_both(machine, source, destination, same):
    assert machine_of_both(machine, source, destination) == same


@pytest.mark.parametrize(
    ("machine", "source", "destination", "named"),
    [
        ("pc", OLD, NEWEST, "(pc-i440fx-7.2 and pc-i440fx-20.0)"),
        ("pc-i440fx-7.2", OLD, NEWEST, "(pc-i440fx-7.2 and pc-i440fx-7.2)"),
        ("pc", OLD, qemu("5.0.0", "pc-i440fx-7.2", backed=False), "(pc-i440fx-7.2 and pc-i440fx-7.2)"),
    ],
)
def test_where_there_is_none_both_are_named(machine, source, destination, named):
    with pytest.raises(HostRequirementError) as raised:
        machine_of_both(machine, source, destination)
    assert str(raised.value).startswith(
        f"QEMU 7.2.22 and QEMU {destination.release_text} have no machine {machine} in common {named}; name one"
    )


def header(its):
    number = {"major": 10, "minor": 0, "micro": 13}
    return {"qemu": {"qemu": number}, "migrate-parameters": {}, "arch": "ppc64", "qemu_destination": its}


def test_what_was_migrated_names_both_releases():
    known = checked_header(header({"qemu": {"major": 11, "minor": 1, "micro": 3}}))
    assert Trace(Samples(), header=known).subject == "QEMU 10.0.13 ppc64 to QEMU 11.1.3"


@pytest.mark.parametrize("its", ["11.1", {"qemu": 11}, {"qemu": {"major": -1}}])
def test_a_header_that_says_nonsense_of_the_other_is_refused(its):
    with pytest.raises(UsageError, match="was expected"):
        checked_header(header(its))
