# SPDX-License-Identifier: GPL-2.0-or-later
"""Which QEMU releases compute expected-downtime by which formula, and what it means if a build does not.

A build with the formula of other releases lacks a commit or has an additional one: a backport, a revert, a patch.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_DEVELOPMENT = 50
"""QEMU numbers versions between two releases from MAJOR.MINOR.50 on, and release candidates from 90 on."""
_FAR = 1000
"""No part of a version is this large."""
_PACKAGE = re.compile(r"[\x20-\x7e]{1,80}")
"""A distribution's name for its package, as query-version shows it; anything else is not repeated."""


@dataclass(frozen=True)
class Release:
    """What a QEMU says it is: the version in query-version, and the `package` name of its distribution."""

    major: int
    minor: int
    micro: int = 0
    package: str = ""

    def __str__(self) -> str:
        number = f"{self.major}.{self.minor}.{self.micro}"
        return f"{number} ({self.package})" if self.package else number


@dataclass(frozen=True)
class Change:
    """A QEMU commit that changed how expected-downtime is computed, and the first release with it."""

    commit: str
    release: str
    what: str


@dataclass(frozen=True)
class Era:
    """The releases that compute expected-downtime by `formula`: (MAJOR, MINOR) of the `first` and the `last` one.

    `last` is None for QEMU's newest formula. The first of the `changes` began the era.
    """

    formula: str
    first: tuple[int, int]
    last: tuple[int, int] | None
    changes: tuple[Change, ...]

    @property
    def releases(self) -> str:
        """The releases in words: `1.5 to 2.12`."""
        first, last = (f"{major}.{minor}" for major, minor in (self.first, self.last or self.first))
        return f"{first} to {last}" if self.last else f"{first} and later"

    def holds(self, release: Release) -> bool:
        """Whether `release` is one of these. A development version between two eras, such as 2.12.50, is in neither."""
        version = (release.major, release.minor)
        stable_of_last = version == self.last and release.micro < _DEVELOPMENT
        return self.first <= version and (self.last is None or version < self.last or stable_of_last)


ERAS = (
    Era("dirty-rate", (1, 5), (2, 12), (Change("90f8ae724a57", "1.5", "dirty rate ÷ bandwidth"),)),
    Era(
        "last-sync",
        (3, 0),
        None,
        (
            Change("650af8907bd5", "3.0", "what remained at the last dirty sync in place of the dirty rate"),
            Change("8b2395970aa3", "8.2", "divides by avail-switchover-bandwidth where that is set"),
            Change("dd4fe8844b52", "11.1", "is computed when it is queried"),
            Change("54a814cc0947", "11.1", "counts what devices have to send"),
        ),
    ),
)
"""Read in migration/migration.c at 650af8907bd5 (next to `max-postcopy-bandwidth`, new in 3.0) and at 8b2395970aa3
(next to its documentation, "since 8.2"), and in a 1.7, which has the dirty rate. That 90f8ae724a57 came with 1.5, and
the last two with 11.1, is inferred from when they were posted or merged (February 2013; May 2026) and from a recorded
11.1.
"""


def era(formula: str | None) -> Era | None:
    """The era of a formula; None if no release of QEMU uses it."""
    return next((one for one in ERAS if one.formula == formula), None)


def release_of(header: Mapping[str, Any]) -> Release | None:
    """The release in a trace's header under `qemu` (the answer to query-version); None if there is none."""
    answer = header.get("qemu")
    if not isinstance(answer, Mapping) or not isinstance(version := answer.get("qemu"), Mapping):
        return None
    major, minor, micro = (_part(version, name) for name in ("major", "minor", "micro"))
    if major is None or minor is None or micro is None:
        return None
    package = answer.get("package")
    match = isinstance(package, str) and _PACKAGE.fullmatch(package.strip())
    return Release(major, minor, micro, match[0] if match else "")


def remark(formula: str | None, release: Release | None) -> str:
    """What is odd about a QEMU of that `release` that uses that `formula`; '' if nothing is, or if it is unknown."""
    if formula is None or release is None:
        return ""
    own = era(formula)
    if own is None:
        return f"no QEMU release computes {formula}, but this build, which reports {release}, does: is it patched?"
    due = next((one for one in ERAS if one.holds(release)), None)
    if due is None or own is due:
        return ""
    oddity = f"{formula} is how QEMU {own.releases} compute it, but this build reports {release}"
    if own.first < due.first:
        return f"{oddity}: is {due.changes[0].commit} (QEMU {due.changes[0].release}) missing or reverted?"
    return f"{oddity}: was {own.changes[0].commit} (QEMU {own.changes[0].release}) backported?"


def _part(version: Mapping[str, Any], name: str) -> int | None:
    part = version.get(name)
    return part if isinstance(part, int) and not isinstance(part, bool) and 0 <= part < _FAR else None
