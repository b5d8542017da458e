# SPDX-License-Identifier: GPL-2.0-or-later
"""Credentials are made for one run, and what is not there for them is named."""

import asyncio
import sys
from contextlib import ExitStack

import pytest

from avocado_migdowntime.errors import HostRequirementError
from avocado_migdowntime.host.resources import HostResources
from avocado_migdowntime.qemu.link import TcpLink
from avocado_migdowntime.qemu.place import Here
from avocado_migdowntime.qemu.tls import credentials


def kept(made, side, directory):
    """The arguments of a side that runs on this host, and where its files are."""
    with HostResources() as resources, ExitStack() as stack:
        arguments = asyncio.run(made.arguments(side, Here(resources, stack, directory)))
    return arguments, directory / f"tls-{side}"


@pytest.mark.long
def test_a_shared_key_is_new_for_each_run_and_nobody_elses(tmp_path):
    keys = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        made = credentials("psk", "lab2")
        for side, words in (("source", "endpoint=client,username=migration"), ("destination", "endpoint=server")):
            arguments, place = kept(made, side, tmp_path / name)
            assert arguments == ("-object", f"tls-creds-psk,id=tls,{words},dir={place}")
            assert [path.stat().st_mode & 0o077 for path in (place, *place.iterdir())] == [0, 0]
            keys.append((place / "keys.psk").read_text())
            assert keys[-1][10:-1] not in repr(made)
        assert made.settings["destination"] == {"tls-creds": "tls"}
    assert keys[0] == keys[1] != keys[2] == keys[3]
    assert all(key.startswith("migration:") and len(key) == 10 + 64 + 1 for key in keys)


@pytest.mark.parametrize("name", ["destination.migration", "198.18.7.2", "2001:db8::2"])
def test_certificates_are_for_the_name_that_the_source_asks_for(tmp_path, name):
    trustme = pytest.importorskip("trustme")
    assert trustme
    from cryptography import x509

    made = credentials("x509", name)
    for side, endpoint in (("source", "client"), ("destination", "server")):
        arguments, place = kept(made, side, tmp_path)
        assert arguments == ("-object", f"tls-creds-x509,id=tls,endpoint={endpoint},dir={place}")
        files = sorted(path.name for path in place.iterdir())
        assert files == ["ca-cert.pem", f"{endpoint}-cert.pem", f"{endpoint}-key.pem"]
    server = x509.load_pem_x509_certificate((tmp_path / "tls-destination" / "server-cert.pem").read_bytes())
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each.value) for each in names] == [made.settings["source"]["tls-hostname"]] == [name]


def test_the_name_is_the_address_at_which_the_source_finds_the_destination():
    assert [TcpLink(address, {}).peer for address in ("198.18.7.2", "fe80::1%eth0")] == ["198.18.7.2", "fe80::1"]


def test_nothing_is_made_where_nothing_is_encrypted(tmp_path):
    made = credentials("none", "lab2")
    assert (kept(made, "source", tmp_path)[0], made.settings, list(tmp_path.iterdir())) == ((), {}, [])


def test_without_trustme_there_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(
        HostRequirementError, match=r"^tls=x509 needs the package trustme .*pip install 'trustme.*', or use tls=psk$"
    ):
        credentials("x509", "lab2")
