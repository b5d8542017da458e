# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults of the figure itself: `expected-downtime` in QEMU's answers to query-migrate."""

from typing import Any

from ..basics.qemu_constants import DEFAULT_DOWNTIME_LIMIT_MS
from ..oracle.formulas import Formula
from ..oracle.reports import computes_nothing
from ..trace.sample import Sample
from .fault import Fault, Message

EXPECTED = "expected-downtime"
RENEWED_WITH_SENT = 1 / 3
"""The share of a pass that is sent before a figure that is updated once a pass, and late, is updated."""


class WrongFigure(Fault):
    """Replaces the figure in each answer that has one, and RAM figures, by what `figure` returns."""

    def from_qemu(self, command: Message, answer: Any) -> Any:
        if command.get("execute") != "query-migrate" or EXPECTED not in answer or "ram" not in answer:
            return answer
        return {**answer, EXPECTED: self.figure(answer)}

    def figure(self, answer: Message) -> int:
        """The milliseconds to show instead of those in `answer`."""
        raise NotImplementedError


class Scaled(WrongFigure):
    """The right figure times a factor, in whole milliseconds."""

    def __init__(self, factor: float) -> None:
        self._factor = factor

    def figure(self, answer: Message) -> int:
        return int(answer[EXPECTED] * self._factor)


class BandwidthHalved(WrongFigure):
    """Half of the right bandwidth and twice the right figure, so that the two agree with each other."""

    def from_qemu(self, command: Message, answer: Any) -> Any:
        doubled = super().from_qemu(command, answer)
        if doubled is answer or "mbps" not in answer["ram"]:
            return answer
        return {**doubled, "ram": {**answer["ram"], "mbps": answer["ram"]["mbps"] / 2}}

    def figure(self, answer: Message) -> int:
        doubled: int = 2 * answer[EXPECTED]
        return doubled


class Computed(WrongFigure):
    """The figure of another formula, computed from the answer.

    What was left at the last sync is computed from the right figure and the bandwidth. If QEMU computes nothing, the
    figure is unchanged.
    """

    def __init__(self, formula: Formula) -> None:
        self._formula = formula

    def figure(self, answer: Message) -> int:
        correct_ms: int = answer[EXPECTED]
        ram = Sample.from_query(0, 0, answer).ram
        if ram is None or computes_nothing(ram):
            return correct_ms
        return int(self._formula(correct_ms * ram.wire_bytes_per_ms, ram, ram.wire_bytes_per_ms))


class Frozen(WrongFigure):
    """The first figure that QEMU computed, forever; before that, its initial value."""

    def __init__(self) -> None:
        self._initial_ms: int | None = None
        self._frozen_ms: int | None = None

    def figure(self, answer: Message) -> int:
        correct_ms: int = answer[EXPECTED]
        if self._initial_ms is None:
            self._initial_ms = correct_ms
        if self._frozen_ms is None and correct_ms != self._initial_ms:
            self._frozen_ms = correct_ms
        return correct_ms if self._frozen_ms is None else self._frozen_ms


class Stale(WrongFigure):
    """What was right at the end of the previous pass."""

    def __init__(self) -> None:
        self._pass_number = 0
        self._shown_ms: int | None = None
        self._latest_ms: int | None = None

    def figure(self, answer: Message) -> int:
        number: int = answer["ram"]["dirty-sync-count"]
        if number != self._pass_number:
            self._pass_number, self._shown_ms = number, self._latest_ms
        self._latest_ms = answer[EXPECTED]
        return self._latest_ms if self._shown_ms is None else self._shown_ms


class OnceAPass(WrongFigure):
    """Updated once a pass, and late: when a third of the pass is sent."""

    def __init__(self) -> None:
        self._pass_number = 0
        self._begin_bytes = 0
        self._shown_ms: int | None = None
        self._due = True

    def figure(self, answer: Message) -> int:
        ram = answer["ram"]
        if ram["dirty-sync-count"] != self._pass_number:
            self._pass_number, self._begin_bytes, self._due = ram["dirty-sync-count"], 0, True
        # A sync raises its count before it has found what remains, so the first answer may show too little.
        self._begin_bytes = max(self._begin_bytes, ram["remaining"])
        renewed = self._due and ram["remaining"] < self._begin_bytes * (1 - RENEWED_WITH_SENT)
        if renewed or self._shown_ms is None:
            self._shown_ms = answer[EXPECTED]
            self._due = not renewed
        return self._shown_ms


class Uncomputed(WrongFigure):
    """Never computed: 0, or the configured downtime-limit, which is QEMU's initial value."""

    def __init__(self, zero: bool) -> None:
        self._shown_ms = 0 if zero else DEFAULT_DOWNTIME_LIMIT_MS
        self._zero = zero

    def to_qemu(self, command: Message) -> Message:
        arguments = command.get("arguments", {})
        if command.get("execute") == "migrate-set-parameters" and "downtime-limit" in arguments and not self._zero:
            self._shown_ms = arguments["downtime-limit"]
        return command

    def figure(self, answer: Message) -> int:
        return self._shown_ms
