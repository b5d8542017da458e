# SPDX-License-Identifier: GPL-2.0-or-later
"""How another host may be named."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.parameters.host_address import HostAddress, parse_host
from avocado_migdowntime.parameters.table import parse


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("lab2", HostAddress("lab2")),
        ("root@lab2.example.org", HostAddress("lab2.example.org", "root")),
        ("root@192.0.2.7:2222", HostAddress("192.0.2.7", "root", 2222)),
        ("[2001:db8::2]", HostAddress("2001:db8::2")),
        ("me@[fe80::1%eth0]:22", HostAddress("fe80::1%eth0", "me", 22)),
    ],
)
def test_a_host_is_named_as_ssh_has_it(text, address):
    assert parse_host(text) == address
    given = {"source_host": text, "destination_host": text}
    assert parse(given).other_hosts == (f"source_host={text}", f"destination_host={text}")


@pytest.mark.parametrize(
    "text", ["2001:db8::2", "a b", "me@", "@lab", "lab:0", "lab:65536", "lab:x", "-oProxy=x", "a@b@c"]
)
def test_what_names_no_host_is_refused_in_a_sentence(text):
    with pytest.raises(UsageError, match=r"^parameter destination_host: .* is not \[USER@\]HOST\[:PORT\], such as"):
        parse({"destination_host": text})
