# SPDX-License-Identifier: GPL-2.0-or-later
"""Credentials are made for one run, and what is not there for them is named."""

import sys

import pytest

from avocado_migdowntime.errors import HostRequirementError
from avocado_migdowntime.qemu.tls import credentials


def test_a_shared_key_is_new_for_each_run_and_nobody_elses(tmp_path):
    keys = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        made = credentials("psk", tmp_path / name)
        place = tmp_path / name / "tls"
        assert place.stat().st_mode & 0o077 == 0
        keys.append((place / "keys.psk").read_text())
        assert made.arguments_of("source") == (
            "-object",
            f"tls-creds-psk,id=tls,dir={place},endpoint=client,username=migration",
        )
        assert made.arguments_of("destination") == ("-object", f"tls-creds-psk,id=tls,dir={place},endpoint=server")
        assert made.settings["destination"] == {"tls-creds": "tls"}
    assert keys[0] != keys[1] and all(key.startswith("migration:") and len(key) == 10 + 64 + 1 for key in keys)


def test_certificates_are_for_the_name_that_the_source_asks_for(tmp_path):
    trustme = pytest.importorskip("trustme")
    assert trustme
    from cryptography import x509

    made = credentials("x509", tmp_path)
    files = sorted(path.name for path in (tmp_path / "tls").iterdir())
    assert files == ["ca-cert.pem", "client-cert.pem", "client-key.pem", "server-cert.pem", "server-key.pem"]
    server = x509.load_pem_x509_certificate((tmp_path / "tls" / "server-cert.pem").read_bytes())
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [made.settings["source"]["tls-hostname"]]


def test_nothing_is_made_where_nothing_is_encrypted(tmp_path):
    made = credentials("none", tmp_path)
    assert (made.arguments_of("source"), made.settings, list(tmp_path.iterdir())) == ((), {}, [])


def test_without_trustme_there_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(HostRequirementError, match=r"^tls=x509 takes the package trustme .*\[tls\]', or use tls=psk$"):
        credentials("x509", tmp_path)
