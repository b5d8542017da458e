# SPDX-License-Identifier: GPL-2.0-or-later
"""Credentials for an encrypted migration, created for one run and removed with it; each end gets only what it needs.

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
    """For each side: its files, the `-object` that makes QEMU read them, and its migrate parameters."""

    files: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict, repr=False)
    objects: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    async def arguments(self, side: str, place: Place) -> tuple[str, ...]:
        """The further arguments of that side's QEMU; stores the files in its place.

        Raises HarnessError if the place does not take them.
        """
        if side not in self.files:
            return ()
        return "-object", f"{self.objects[side]},dir={await place.keep_private(f'{_ID}-{side}', self.files[side])}"


def credentials(kind: str, name: str) -> Credentials:
    """Credentials of a `kind` (none, psk or x509) for a destination of that `name` or address.

    The source checks the certificate against the name, whatever address it connects to. Raises HostRequirementError.
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
