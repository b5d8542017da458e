# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/what-you-have.md is true: what it says is said, what it shows is in the texts, its commands are those told."""

import re

import pytest

from avocado_migdowntime.forms.catalogue import FORMS
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.foreign_texts import BARE_TEXTS, TEXTS, of_text
from avocado_migdowntime.forms.kubevirt import KubevirtLog
from avocado_migdowntime.forms.nova import DEFAULT_GREATEST_MS, NovaLog
from avocado_migdowntime.forms.proxmox import ProxmoxLog
from avocado_migdowntime.forms.vdsm import VdsmLog

from ..support.documents import TOP

PAGE = (TOP / "docs" / "what-you-have.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
TEXT_FILES = {path.name: path for path in (TOP / "selftests" / "texts").glob("*.txt")}
PRODUCTS = (ProxmoxLog, NovaLog, KubevirtLog, VdsmLog)


def test_what_it_shows_of_a_log_is_in_that_log():
    [shown] = [block for block in BLOCKS if "migration status" in block]
    log = TEXT_FILES["proxmox-2014.txt"].read_text().splitlines()
    assert set(shown.splitlines()) <= set(log)


@pytest.mark.parametrize("name", ["proxmox-2014.txt", "nova-2018.txt"])
def test_what_it_says_of_a_log_is_said_of_it(name):
    said = [block.strip() for block in BLOCKS if block.startswith("at the last line")]
    assert len(said) == 2
    assert [note for note in parse(TEXT_FILES[name].read_bytes()).notes if note in said] != []


def test_what_it_says_of_a_web_page_is_said_of_one():
    assert of_text("<html>").sentence in [block.strip() for block in BLOCKS]


@pytest.mark.parametrize("form", PRODUCTS, ids=lambda form: form.__name__)
def test_it_has_the_command_that_a_refusal_names(form):
    command = re.match(r"`[^`]+`", form.INSTEAD)[0]
    assert form in FORMS
    assert command in PAGE.replace(r"\|", "|")


def test_the_default_of_nova_is_the_one_that_is_compared_with():
    assert f"to `live_migration_downtime`, {DEFAULT_GREATEST_MS:g} ms" in PAGE


def test_each_thing_that_is_refused_is_on_it():
    named = " ".join(PAGE.partition("## What is refused")[2].lower().split())
    words = {
        *("virsh migrate --verbose", "libvirt's", "guest's qemu", "virt-manager", "xen", "vmware", "hyper-v"),
        *("cloud hypervisor", "xml", "yaml", "web pages", "openstack server migration show", "error", "help"),
        *(
            "cloudstack",
            "opennebula",
            "gnt-instance migrate",
            "incus",
            "igvm",
            "virsh event",
            "virsh domstats",
            "virsh dominfo",
            "qemu's events",
        ),
        *("libvirt's and kubevirt's metrics", "kubevirt's metrics", "side by side", "jobinfo()"),
        *(
            "traceback",
            "in another language",
            "without a running guest",
            "nova, ovirt and kubevirt",
            "in prose",
            "base64",
        ),
    }
    assert {word for word in words if word not in named} == set()
    assert len(words) == len(TEXTS) + len(BARE_TEXTS) - 2
