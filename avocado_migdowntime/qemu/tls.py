# SPDX-License-Identifier: GPL-2.0-or-later
"""Credentials for an encrypted migration, made for one run and gone with it: each end gets what it needs, no more.

Source: docs/system/tls.rst and crypto/tlscreds*.c of QEMU.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import HostRequirementError
from .place import Place

_ID, _USER = "tls", "migration"
_ENDPOINTS = {"source": "client", "destination": "server"}
_KEY_BYTES = 32


@dataclass(frozen=True)
class Credentials:
    """The files of each side, the object by which its QEMU reads them, and the migrate parameters that it is given."""

    files: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict, repr=False)
    objects: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    async def arguments(self, side: str, place: Place) -> tuple[str, ...]:
        """Further arguments of the QEMU of that side, whose files are in its place from now on.

        Raises HarnessError where that does not take them.
        """
        if side not in self.files:
            return ()
        return "-object", f"{self.objects[side]},dir={await place.keep_private(f'{_ID}-{side}', self.files[side])}"


def credentials(kind: str, name: str) -> Credentials:
    """Those of a `kind`, none, psk or x509, for a destination of that `name` or address; raises HostRequirementError.

    The source asks for the name, wherever it connects to.
    """
    if kind == "none":
        return Credentials()
    if kind == "psk":
        key = f"{_USER}:{secrets.token_hex(_KEY_BYTES)}\n".encode()
        files, more = {side: {"keys.psk": key} for side in _ENDPOINTS}, {"source": f",username={_USER}"}
    else:
        files, more = _certificates(name), {}
    return Credentials(
        files,
        {
            side: f"tls-creds-{kind},id={_ID},endpoint={endpoint}{more.get(side, '')}"
            for side, endpoint in _ENDPOINTS.items()
        },
        {"source": {"tls-creds": _ID, "tls-hostname": name}, "destination": {"tls-creds": _ID}},
    )


def _certificates(name: str) -> dict[str, dict[str, bytes]]:
    try:
        import trustme
    except ImportError as error:
        raise HostRequirementError(
            f"tls=x509 needs the package trustme ({error}); install it with pip install 'trustme==1.*', or use tls=psk"
        ) from None
    authority = trustme.CA()
    files = {}
    for side, endpoint in _ENDPOINTS.items():
        issued = authority.issue_cert(name)
        files[side] = {
            "ca-cert.pem": authority.cert_pem.bytes(),
            f"{endpoint}-cert.pem": issued.cert_chain_pems[0].bytes(),
            f"{endpoint}-key.pem": issued.private_key_pem.bytes(),
        }
    return files
