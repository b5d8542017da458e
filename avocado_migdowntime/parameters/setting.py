# SPDX-License-Identifier: GPL-2.0-or-later
"""How a migration capability or a migrate parameter affects a precopy migration that is to be judged."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from ..errors import HostRequirementError, UsageError


@dataclass(frozen=True)
class Setting:
    """The effect of a capability or a migrate parameter on a run.

    `needs` are capabilities that must also be enabled; `settings` are the values that other parameters must have, by
    name. `refused` says why a run with it cannot be judged, and what to do instead; `lacking` says why such a run is
    not available here. Both are empty otherwise.
    """

    meaning: str
    needs: tuple[str, ...] = ()
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: str = ""
    lacking: str = ""

    def __str__(self) -> str:
        if self.refused:
            return f"refused: it {self.refused}"
        if self.lacking:
            return f"{self.meaning}; cancelled: {self.lacking}"
        needs = [*self.needs, *(f"{name}={' or '.join(allowed)}" for name, allowed in self.settings.items())]
        return f"{self.meaning}; needs {' and '.join(needs)}" if needs else self.meaning


def only(meaning: str, instead: str) -> Setting:
    """A setting with which no run can be judged."""
    return Setting(meaning, refused=f"{meaning}; {instead}")


def given_of(names: Collection[str], table: Mapping[str, Setting]) -> Iterator[tuple[str, Setting]]:
    """Those of the names that the table has; raises UsageError at one with which no run can be judged."""
    for name in names:
        setting = table.get(name)
        if setting is None:
            continue
        if setting.refused:
            raise UsageError(f"{name} {setting.refused}")
        yield name, setting


def check_had(names: Collection[str], table: Mapping[str, Setting]) -> None:
    """Raise HostRequirementError at a name for which no run is available here."""
    for name, setting in given_of(names, table):
        if setting.lacking:
            raise HostRequirementError(f"{name} {setting.meaning}: {setting.lacking}")


def check_settings(kind: str, names: Collection[str], table: Mapping[str, Setting], parameters: object) -> None:
    """Raise UsageError if one of these names, of a `kind`, conflicts with another of the `parameters`."""
    for name, setting in given_of(names, table):
        for parameter, allowed in setting.settings.items():
            if (value := getattr(parameters, parameter)) not in allowed:
                what, _, _ = setting.meaning.partition(";")
                raise UsageError(
                    f"{kind} {name} does not go with {parameter}={value}: it {what}; "
                    f"use {parameter}={' or '.join(allowed)}, or leave the {kind} out"
                )
