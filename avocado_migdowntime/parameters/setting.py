# SPDX-License-Identifier: GPL-2.0-or-later
"""What a migration capability, or a migrate parameter, makes of a precopy migration that is to be judged."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from ..errors import HostRequirementError, UsageError


@dataclass(frozen=True)
class Setting:
    """What a capability or a migrate parameter does to a run.

    `needs` are capabilities that have to be on as well, `settings` the values that other parameters have to have, by
    their names. `refused` says why a run with it cannot be judged, and what to do instead, `lacking` why there is none
    here; they are empty where there is one that can.
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
    """One that no run can be judged with."""
    return Setting(meaning, refused=f"{meaning}; {instead}")


def given_of(names: Collection[str], table: Mapping[str, Setting]) -> Iterator[tuple[str, Setting]]:
    """Those of the names that the table knows; raises UsageError at one that no run can be judged with."""
    for name in names:
        setting = table.get(name)
        if setting is None:
            continue
        if setting.refused:
            raise UsageError(f"{name} {setting.refused}")
        yield name, setting


def check_had(names: Collection[str], table: Mapping[str, Setting]) -> None:
    """Raise HostRequirementError at one of the names with which there is no run here."""
    for name, setting in given_of(names, table):
        if setting.lacking:
            raise HostRequirementError(f"{name} {setting.meaning}: {setting.lacking}")


def check_settings(kind: str, names: Collection[str], table: Mapping[str, Setting], parameters: object) -> None:
    """Raise UsageError where one of these names, of a `kind`, does not go with another of the `parameters`."""
    for name, setting in given_of(names, table):
        for parameter, allowed in setting.settings.items():
            if (value := getattr(parameters, parameter)) not in allowed:
                raise UsageError(
                    f"{kind} {name} {setting.meaning}, which does not go with {parameter}={value}; "
                    f"use {parameter}={' or '.join(allowed)}, or leave the {kind} out"
                )
