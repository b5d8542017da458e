# SPDX-License-Identifier: GPL-2.0-or-later
"""The names of packages that a host may lack in distributions, for messages; tools/packages installs them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Package:
    """The names of one package for apt (Debian), dnf (Fedora, RHEL) and zypper (openSUSE)."""

    apt: str
    dnf: str
    zypper: str

    @property
    def install(self) -> str:
        """The commands that install it."""
        return (
            f"apt-get install --no-install-recommends {self.apt} (or: dnf install {self.dnf}; "
            f"zypper install {self.zypper})"
        )

    @property
    def reinstall(self) -> str:
        """The commands that restore the files of an installed one."""
        return (
            f"apt-get install --reinstall {self.apt} (or: dnf reinstall {self.dnf}; "
            f"zypper install --force {self.zypper})"
        )


IPROUTE2 = Package("iproute2", "iproute-tc", "iproute2")
"""Provides `tc`; on Fedora `ip` is in a package that this one requires."""
