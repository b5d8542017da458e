# SPDX-License-Identifier: GPL-2.0-or-later
"""The results of the mutants that tools/mutants.py tried: which survive, and the score of each room.

For a sample, the score of all mutants is known within an interval: Wilson's of 95 %, which is also valid for shares
close to 1 (E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
American Statistical Association 22, 1927, page 209).
"""

import fnmatch
import hashlib
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from math import sqrt
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

TOP = Path(__file__).resolve().parents[1]
MUTATED = TOP / ".mutants" / "mutants"
PACKAGE = "avocado_migdowntime"
ACCEPTED = TOP / "selftests" / "mutants.toml"
ENOUGH = 0.9
"""The score that a room must reach if FLOORS has no other."""
FLOORS = TOP / "selftests" / "floors.toml"
CONFIDENCE = 0.95
STATUS = {
    **dict.fromkeys((1, 3), "killed"),
    **dict.fromkeys((0, 5, 33), "survived"),
    **dict.fromkeys((-24, -9, 24, 36, 152), "timed out"),
}
"""By mutmut's exit codes: 5 and 33 are of functions that no test reaches. With any other code it was not tried; mutmut
takes 255, which pytest's refusal to run ends in, for a timeout.
"""
_LESS_STRICT = re.compile(r", (?:strict=(?:False|None))?(?=\)|$)")
"""What the last argument of `zip(…, strict=…)` may become."""


class Part(NamedTuple):
    """The mutants to report: those of a room or file, or all; perhaps a sample of them, chosen by a seed."""

    room: str | None = None
    sample: int | None = None
    seed: int = 1


class Change(NamedTuple):
    """A mutant's change: the function, the original line, and the changed line; empty if a test noticed it."""

    function: str
    was: str
    becomes: str


class Mutant(NamedTuple):
    """One change of one function: its name in mutmut, and its result."""

    name: str
    room: str
    status: str
    change: Change


class Tally(NamedTuple):
    """The number of a room's mutants, by result; accepted ones have survived."""

    mutants: int
    killed: int
    survived: int
    timed_out: int
    accepted: int

    @classmethod
    def of(cls, mutants: Iterable[Mutant], accepted: set[Change]) -> "Tally":
        """Count the mutants."""
        every = list(mutants)
        count = Counter(one.status for one in every)
        explained = sum(one.status == "survived" and is_accepted(one.change, accepted) for one in every)
        return cls(len(every), count["killed"], count["survived"], count["timed out"], explained)

    @property
    def not_tried(self) -> int:
        """Mutants without a result: the run ended before."""
        return self.mutants - self.killed - self.survived - self.timed_out

    @property
    def score(self) -> float:
        """The share of the tried mutants that was noticed."""
        return (self.killed + self.timed_out) / max(1, self.mutants - self.not_tried)

    @property
    def interval(self) -> tuple[float, float]:
        """The interval for the share of all mutants, of which these are a random sample."""
        return wilson(self.killed + self.timed_out, self.mutants - self.not_tried)


def wilson(hits: int, tries: int) -> tuple[float, float]:
    """The interval of CONFIDENCE for a share, given `hits` in `tries`; 0 to 1 without tries."""
    if not tries:
        return 0.0, 1.0
    z, share = NormalDist().inv_cdf((1 + CONFIDENCE) / 2), hits / tries
    middle = share + z * z / (2 * tries)
    half = z * sqrt(share * (1 - share) / tries + (z / (2 * tries)) ** 2)
    whole = 1 + z * z / tries
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


def core() -> list[str]:
    """The files of the pure core: those whose coverage is required."""
    report = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["coverage"]["report"]
    files = [str(path.relative_to(TOP)) for path in sorted(TOP.glob(f"{PACKAGE}/**/*.py"))]
    wanted = [file for file in files if any(fnmatch.fnmatch(file, pattern) for pattern in report["include"])]
    return [file for file in wanted if file not in report["omit"] and not file.endswith("__init__.py")]


def room_of(file: str) -> str:
    """The folder of the package that has a file."""
    return Path(file).parts[1]


def is_in(file: str, room: str | None) -> bool:
    """Whether a file belongs to a room, or is the one that `room` names; with None, every file does."""
    return room is None or f"{Path(file).relative_to(PACKAGE).with_suffix('')}/".startswith(f"{room}/")


def drawn(names: Iterable[str], number: int, seed: int) -> list[str]:
    """`number` of the names, chosen at random: the same for a seed, and a superset of those for a smaller number."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())[:number]


def mutants(part: Part) -> Iterator[Mutant]:
    """The mutants of the part, with their results."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    files = {file: MUTATED / f"{file}.meta" for file in core() if is_in(file, part.room)}
    codes = {file: json.loads(path.read_bytes())["exit_code_by_key"] for file, path in files.items() if path.exists()}
    every = [(file, name, code) for file, found in codes.items() for name, code in found.items()]
    names = {name for _, name, _ in every}
    wanted = names if part.sample is None else set(drawn(names, part.sample, part.seed))
    for file, name, code in every:
        if name in wanted:
            status = STATUS.get(code, "not tried")
            was, becomes = _changed(get_diff_for_mutant(name, path=file)) if status == "survived" else ("", "")
            yield Mutant(name, room_of(file), status, Change(_readable(name), was, becomes))


def _changed(diff: str) -> tuple[str, str]:
    lines = diff.splitlines()[3:]
    was, becomes = ([line[1:].strip() for line in lines if line[:1] == sign] for sign in "-+")
    return " ".join(was), " ".join(becomes)


def _readable(name: str) -> str:
    """mutmut's spelling of a name converted to `comparison.compare.Contrast.shift`."""
    module, _, mangled = name.partition("__mutmut_")[0].rpartition(".")
    function = mangled[2:].replace("ǁ", ".")
    return f"{module.removeprefix(f'{PACKAGE}.')}.{function}"


def report(part: Part) -> int:
    """Print the table and the survivors; return the exit status."""
    every, entries = list(mutants(part)), accepted()
    survivors = {mutant.change for mutant in every if mutant.status == "survived"}
    for change in [mutant.change for mutant in every if mutant.status == "survived"]:
        if not is_accepted(change, entries):
            print(f"{change.function}\n  - {change.was}\n  + {change.becomes}")
    rooms = sorted({mutant.room for mutant in every})
    tallies = {room: Tally.of([mutant for mutant in every if mutant.room == room], entries) for room in rooms}
    if len(rooms) > 1:
        tallies["all"] = Tally.of(every, entries)
    print(*table(tallies, of_a_sample=part.sample is not None), sep="\n")
    wrong = [too_low(name, tallies[name], of_a_sample=part.sample is not None) for name in rooms]
    if part.sample is None:
        wrong += [
            f"{ACCEPTED.name}: of {entry.function} none survives that becomes {entry.becomes}"
            for entry in sorted(entries - survivors)
            if is_in(f"{PACKAGE}/{entry.function.replace('.', '/')}", part.room)
        ]
    if lost := sum(tallies[name].not_tried for name in rooms):
        wrong.append(f"{lost} could not be tried: pytest ended otherwise than by its tests")
    sentences = [sentence for sentence in wrong if sentence]
    print(*sentences, sep="\n", end="\n" if sentences else "")
    return 1 if sentences else 0


def table(tallies: dict[str, Tally], *, of_a_sample: bool) -> Iterator[str]:
    """A line for each room, with the interval if only a sample was tried; rooms that are quick to try come first."""
    yield f"\n{'room':14}{'mutants':>9}{'killed':>9}{'survived':>10}{'timed out':>11}{'accepted':>10}{'score':>9}"
    for name, one in tallies.items():
        figures = f"{one.mutants:9}{one.killed:9}{one.survived:10}{one.timed_out:11}{one.accepted:10}{one.score:9.1%}"
        low, high = one.interval
        known = f"  of all {low:.1%} to {high:.1%}" if of_a_sample and not one.not_tried else ""
        yield f"{name:14}{figures}{known}" + (f"  {one.not_tried} not tried" if one.not_tried else "")


def too_low(room: str, tally: Tally, *, of_a_sample: bool) -> str | None:
    """What to say if a room's score is below its floor; for a sample, only if its interval is."""
    if (tally.interval[1] if of_a_sample else tally.score) >= floor(room):
        return None
    return f"{room}: fewer than {floor(room):.0%} of the mutants are killed"


def floor(room: str) -> float:
    """The score that a room had, and must not fall below."""
    return float(tomllib.loads(FLOORS.read_text())["mutants"].get(room, 100 * ENOUGH)) / 100


def is_accepted(change: Change, entries: set[Change]) -> bool:
    """Whether a change may survive: one of the entries; or that `zip` no longer asserts that two have one length."""
    stricter = [_LESS_STRICT.sub(f", strict={value}", change.becomes) for value in (True, False)]
    return change in entries or ("zip(" in change.was and change.was in stricter)


def accepted() -> set[Change]:
    """The changes that no test can notice, or none needs to, as listed with reasons."""
    return {
        Change(entry["function"], entry["was"], becomes)
        for entry in tomllib.loads(ACCEPTED.read_text())["accepted"]
        for becomes in entry["becomes"]
    }
