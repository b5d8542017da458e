# SPDX-License-Identifier: GPL-2.0-or-later
"""The messages between a process and its reaper, one per packet: ``{"number": 3, "kind": "release", …}``.

A reply has the number of its request. docs/host.md shows the order of the messages, and why.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from ..errors import HarnessError, HostRequirementError, MigDowntimeError, NotPermittedError, UsageError
from .records import MalformedRecordError, Record, by_kind, from_json, to_json

PACKET_BYTES = 1 << 16
"""Room for the longest packet."""

_QUOTED_CHARACTERS = 80

UNNUMBERED = 0
"""The number of the final report, and of a reply to a request whose own number could not be read."""


@dataclass(frozen=True)
class AcquireDirectory:
    """Make a private directory in the directory `within`; the reply is a DirectoryGrant."""

    kind: ClassVar[str] = "acquire-directory"
    within: str


@dataclass(frozen=True)
class AcquireHugetlbfs:
    """Mount a private hugetlbfs with pages of this size; the reply is a DirectoryGrant."""

    kind: ClassVar[str] = "acquire-hugetlbfs"
    page_size_bytes: int


@dataclass(frozen=True)
class AcquireHugepages:
    """Hold `count` free hugepages, growing the pool if `allowed`; the reply is a HugepagesGrant."""

    kind: ClassVar[str] = "acquire-hugepages"
    page_size_bytes: int
    count: int
    allowed: bool


@dataclass(frozen=True)
class ReleaseLeases:
    """Release leases by number, in this order; skip those already released. The reply is a Confirmation."""

    kind: ClassVar[str] = "release"
    leases: tuple[int, ...]


@dataclass(frozen=True)
class DirectoryGrant:
    """A directory at `path` that exists until its `leases` are released, in this order."""

    kind: ClassVar[str] = "directory-grant"
    path: str
    leases: tuple[int, ...]


@dataclass(frozen=True)
class HugepagesGrant:
    """Hugepages kept until `leases` are released, in this order; the pool was grown by `added` of them.

    `hold`, one of the leases, keeps everybody from taking the pages, even this process: release it to take them.
    """

    kind: ClassVar[str] = "hugepages-grant"
    added: int
    hold: int
    leases: tuple[int, ...]


@dataclass(frozen=True)
class Confirmation:
    """A release was tried; if it failed, the final report says so."""

    kind: ClassVar[str] = "confirmation"


@dataclass(frozen=True)
class Refusal:
    """Nothing was acquired. `message` is the sentence for the user, `error` the kind of exception to raise."""

    kind: ClassVar[str] = "refusal"
    error: str
    message: str

    @classmethod
    def of(cls, error: MigDowntimeError) -> "Refusal":
        """The refusal for an error; `exception` gives back an error of the same branch of the errors' tree."""
        kinds = (kind for kind, branch in _ERRORS.items() if isinstance(error, branch))
        return cls(next(kinds, "harness"), str(error))

    def exception(self) -> MigDowntimeError:
        """The exception that the process is to raise; HarnessError for an unknown kind."""
        return _ERRORS.get(self.error, HarnessError)(self.message)


@dataclass(frozen=True)
class FinalReport:
    """All leases have ended; `failures` has a sentence for each that could not be released."""

    kind: ClassVar[str] = "final-report"
    failures: tuple[str, ...]


Acquire = AcquireDirectory | AcquireHugetlbfs | AcquireHugepages
Grant = DirectoryGrant | HugepagesGrant
Request = Acquire | ReleaseLeases
Reply = Grant | Confirmation | Refusal | FinalReport

_ACQUIRE: tuple[type[Acquire], ...] = (AcquireDirectory, AcquireHugetlbfs, AcquireHugepages)
REQUESTS: Mapping[str, type[Request]] = by_kind((*_ACQUIRE, ReleaseLeases))
"""Requests by kind."""
REPLIES: Mapping[str, type[Reply]] = by_kind((DirectoryGrant, HugepagesGrant, Confirmation, Refusal, FinalReport))
"""Replies by kind."""

_ERRORS: Mapping[str, type[MigDowntimeError]] = {
    "usage": UsageError,
    "not-permitted": NotPermittedError,
    "host-requirement": HostRequirementError,
    "harness": HarnessError,
}

M = TypeVar("M", bound=Record)


class ProtocolError(HarnessError):
    """A packet is no message of this release; `number` is its number, or UNNUMBERED."""

    def __init__(self, packet: bytes, reason: str, number: int = UNNUMBERED) -> None:
        text = packet[:_QUOTED_CHARACTERS].decode(errors="replace")
        super().__init__(
            f"the message {text!r} between this process and the reaper, which releases host resources, cannot be "
            f"understood ({reason}); start again, as the package may have been replaced meanwhile"
        )
        self.number = number


def encode(number: int, message: Request | Reply) -> bytes:
    """The packet of a message."""
    return json.dumps({"number": number, **to_json(message)}).encode()


def decode_request(packet: bytes) -> tuple[int, Request]:
    """A request and its number; raises ProtocolError."""
    return _decode(packet, REQUESTS)


def decode_reply(packet: bytes) -> tuple[int, Reply]:
    """A reply and the number of its request, or UNNUMBERED; raises ProtocolError."""
    return _decode(packet, REPLIES)


def _decode(packet: bytes, kinds: Mapping[str, type[M]]) -> tuple[int, M]:
    try:
        content = json.loads(packet)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(packet, f"it is not JSON: {error}") from None
    if not isinstance(content, dict) or type(number := content.pop("number", None)) is not int:
        raise ProtocolError(packet, "it has no number")
    try:
        return number, from_json(content, kinds)
    except MalformedRecordError as error:
        raise ProtocolError(packet, str(error), number) from None
