# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian suite, such as bookworm, on a host of any other suite."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from ..errors import HostRequirementError, UsageError
from .apt import Apt

SUITES = ("bullseye", "bookworm", "trixie", "forky", "sid")
"""Suites with a QEMU that works."""
_POCKETS = ("", "-updates", "-security")
"""The parts of a suite; all but the first have newer packages. They have these names since bullseye."""

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""From the package debian-archive-keyring; without it, apt uses the keys that it trusts for all sources."""

_INDEX = re.compile(r"'(?P<uri>\S+)/dists/(?P<release>[^\s/]+)/main/binary-")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9-]+)?")


@dataclass(frozen=True)
class Download:
    """The number of packages that apt would download, and their size."""

    packages: int
    size_bytes: int


def is_name(text: str) -> bool:
    """Whether this can be the name of a suite."""
    return _NAME.fullmatch(text) is not None


def sources(indices: str, suite: str, keyring: Path | None) -> str:
    """A sources.list(5) of `suite`, from each place where the host gets packages of its own suite.

    `indices` are lines of `'URI' FILE …`, as `apt-get update --print-uris` prints them. For a suite such as
    trixie-backports, trixie is added, which it depends on.
    """
    base, dash, _ = suite.partition("-")
    places: dict[tuple[str, str], None] = {}
    for line in indices.splitlines():
        if match := _INDEX.match(line):
            pocket = match["release"].removeprefix(match["release"].partition("-")[0])
            if pocket in _POCKETS:
                places[match["uri"], base + pocket] = None
            if dash and not pocket:
                places[match["uri"], suite] = None
    # Only the list of packages, not the further indices that a host may want, such as the files of packages.
    options = f"signed-by={keyring} target=Packages" if keyring else "target=Packages"
    return "".join(f"deb [{options}] {uri} {release} main\n" for uri, release in places)


def download(uris: str) -> Download:
    """What `apt-get --print-uris` says would be downloaded: lines of `'URI' FILE BYTES HASH`."""
    sizes = [int(shlex.split(line)[2]) for line in uris.splitlines() if line.startswith("'")]
    return Download(len(sizes), sum(sizes))


async def opened(suite: str, directory: Path, what: str, otherwise: str) -> Apt:
    """An apt that knows only the packages of `suite` and of the suites below it, with their signatures verified.

    No package counts as installed. Raises UsageError if there is no such suite, HostRequirementError if it cannot be
    downloaded.
    """
    host = Apt(directory, what, otherwise)
    indices = await host.apt("apt-get", "update", "--print-uris", "--quiet=0")
    listed = sources(indices, suite, _KEYRING if _KEYRING.exists() else None)
    if not listed:
        raise HostRequirementError(f"this host's apt has no package source with {what}; {otherwise}")
    (directory / "sources.list").write_text(listed)
    options = [
        f"Dir::Etc::sourcelist={directory}/sources.list",
        *(f"Dir::Etc::{part}=/dev/null" for part in ("sourceparts", "preferences", "preferencesparts")),
        "APT::Update::Error-Mode=any",
        "APT::Install-Recommends=false",
    ]
    if "-" in suite:  # apt prefers the suite that it depends on, unless told otherwise.
        options.append(f"APT::Default-Release={suite}")
    apt = Apt(directory, what, otherwise, options)
    try:
        await apt.apt("apt-get", "update")
    except HostRequirementError as failure:
        # A suite may lack some of these: sid has no updates.
        if not any((directory / "state" / "lists").glob(f"*_dists_{suite}_*Release")):
            if f" {suite} Release' does not have a Release file" in str(failure):
                raise UsageError(
                    f"Debian has no suite {suite} in this host's package sources; suites with a QEMU are "
                    "bullseye (5.2), bookworm (7.2), trixie (10.0) and trixie-backports"
                ) from None
            raise
    return apt
