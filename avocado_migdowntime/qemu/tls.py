# SPDX-License-Identifier: GPL-2.0-or-later
"""Credentials for an encrypted migration, made for one run and gone with its directory.

Source: docs/system/tls.rst and crypto/tlscreds*.c of QEMU.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import HostRequirementError

_ID, _USER, _HOST = "tls", "migration", "destination.migration"
_KEY_BYTES = 32


@dataclass(frozen=True)
class Credentials:
    """What each end of a migration is started with, and the migrate parameters that each is given, by the side."""

    arguments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def arguments_of(self, side: str) -> tuple[str, ...]:
        """Further arguments of the QEMU of that side."""
        return self.arguments.get(side, ())


def credentials(kind: str, directory: Path) -> Credentials:
    """Those of a `kind`, none, psk or x509, in a private `directory`; raises HostRequirementError."""
    if kind == "none":
        return Credentials()
    place = directory / _ID
    place.mkdir(mode=0o700)
    if kind == "psk":
        (place / "keys.psk").write_text(f"{_USER}:{secrets.token_hex(_KEY_BYTES)}\n")
        beside = f",username={_USER}"
    else:
        _certificates(place)
        beside = ""
    creds = f"tls-creds-{kind},id={_ID},dir={place}"
    return Credentials(
        {
            "source": ("-object", f"{creds},endpoint=client{beside}"),
            "destination": ("-object", f"{creds},endpoint=server"),
        },
        {"source": {"tls-creds": _ID, "tls-hostname": _HOST}, "destination": {"tls-creds": _ID}},
    )


def _certificates(place: Path) -> None:
    try:
        import trustme
    except ImportError as error:
        raise HostRequirementError(
            f"tls=x509 takes the package trustme ({error}); install it by pip install "
            "'avocado-framework-plugin-migdowntime[tls]', or use tls=psk"
        ) from None
    authority = trustme.CA()
    authority.cert_pem.write_to_path(place / "ca-cert.pem")
    for endpoint in ("server", "client"):
        issued = authority.issue_cert(_HOST)
        issued.cert_chain_pems[0].write_to_path(place / f"{endpoint}-cert.pem")
        issued.private_key_pem.write_to_path(place / f"{endpoint}-key.pem")
