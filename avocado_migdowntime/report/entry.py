# SPDX-License-Identifier: GPL-2.0-or-later
"""One recorded migration in a report: the trace, the verdict, the picture, and its command lines."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..basics import input_file
from ..basics.printable import in_a_line, in_lines
from ..errors import UsageError
from ..forms.file import read
from ..oracle.evidence import Evidence
from ..pictures.chart import Chart
from ..pictures.chart_of_trace import chart
from ..prediction.advice import Advice
from ..prediction.advise import advise
from ..trace.model import Trace
from ..trace.ram import number
from ..verdict.judge import REPORT_TOLERANCE, judge
from ..verdict.mid_pass_stop import GroundTruth
from ..verdict.verdict import Verdict
from .verdict_sentence import answer

BUCKETS = 700
"""Number of stretches of time for each of which a picture keeps the extremes: about its width in pixels."""
_COMMANDS = ("destination", "source")
_MOST_BYTES = 1_000_000
"""The largest file read beside a trace: a command line or a verdict."""
_SET_BY_HAND = (("downtime-limit", ""), ("max-bandwidth", "B"))
"""With their units: HMP takes a bandwidth without a unit for MiB/s (QEMU: migration/migration-hmp-cmds.c)."""


@dataclass(frozen=True)
class Recorded:
    """A test of a report. `status` is Avocado's; `fault` is why the test did not reach its verdict.

    With a `fault`, the recording up to then may still have a verdict, which does not count. `commands` has the QEMU
    command line of each side; `settings` has the HMP commands that set up the migration. `advice` is how to end a
    migration that is still active.
    """

    name: str
    status: str = ""
    verdict: Verdict | None = None
    chart: Chart | None = None
    fault: str = ""
    commands: tuple[tuple[str, str], ...] = ()
    settings: tuple[str, ...] = ()
    advice: Advice | None = None

    def __post_init__(self) -> None:
        for name in ("name", "status", "fault"):
            object.__setattr__(self, name, in_a_line(getattr(self, name)))
        object.__setattr__(self, "commands", tuple((side, in_lines(text)) for side, text in self.commands))
        object.__setattr__(self, "settings", tuple(map(in_a_line, self.settings)))

    @property
    def passed(self) -> bool | None:
        """Whether it passes; None if undecided."""
        return self.verdict.passed if self.verdict is not None and not self.fault else None

    @property
    def answer(self) -> str:
        """The result, in a sentence."""
        sentence = answer(self.verdict) if self.verdict is not None else ""
        return f"{self.fault}; by what was recorded, {sentence}" if self.fault and sentence else self.fault or sentence

    @property
    def alarm(self) -> int:
        """How urgently a person should look at this test: 0 for not at all."""
        if self.passed is not None:
            return 0 if self.passed else 3
        if self.fault:
            return {"PASS": 0, "CANCEL": 1, "SKIP": 1}.get(self.status, 2)
        return 1


def summed_up(tests: Sequence[Recorded]) -> str:
    """The result of at least one test, in a sentence."""
    if len(tests) == 1:
        return _sentence(tests[0].answer)
    worst = max(tests, key=lambda test: test.alarm)
    kinds = {
        "right": sum(test.passed is True for test in tests),
        "wrong": sum(test.passed is False for test in tests),
        "undecided": sum(test.passed is None and not test.fault for test in tests),
        "without a verdict": sum(bool(test.fault) for test in tests),
    }
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
    worst_answer = f" {_sentence(f'{worst.name}: {worst.answer}')}" if worst.alarm else ""
    return f"{len(tests)} tests: {counted}.{worst_answer}"


def truths_of(tests: Sequence[Recorded]) -> list[GroundTruth]:
    """The findings about guests that were stopped in mid-pass."""
    verdicts = (test.verdict for test in tests)
    return [verdict.ground_truth for verdict in verdicts if verdict is not None and verdict.ground_truth is not None]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}{'' if text.endswith('?') else '.'}"


def recorded(file: str, name: str = "", status: str = "", fault: str = "") -> Recorded:
    """The report entry of the trace in `file` (`-`: standard input) and of the files beside it.

    It is judged with its test's formula and tolerance, if the test left its verdict. `fault` is why the test did not
    reach one. Raises UsageError if there is no such trace.
    """
    trace = read(file)
    beside = Path(file).parent if file != "-" else None
    try:
        evidence = Evidence.of(trace)
        verdict = judge(evidence, *_held_to(beside))
        picture = chart(evidence, verdict)
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None
    return Recorded(
        name=name or name_of(file),
        status=status,
        fault=fault,
        verdict=verdict,
        chart=picture.thinned(BUCKETS) if picture is not None else None,
        commands=tuple(_commands(beside)) if beside is not None else (),
        settings=tuple(_settings(trace)),
        advice=advise(evidence) if evidence.status == "active" else None,
    )


def name_of(file: str) -> str:
    """The test's name if the file is among its results; else the file's own."""
    parents = Path(file).absolute().parents
    return parents[1].name if len(parents) > 2 and parents[2].name == "test-results" else file


def _held_to(beside: Path | None) -> tuple[str, float]:
    """The formula and the tolerance of the test, from the verdict that it left."""
    try:
        verdict = json.loads(input_file.whole(str(beside / "verdict.json"), _MOST_BYTES)) if beside is not None else {}
        return str(verdict["contract"]), number(verdict, "tolerance")
    except (OSError, UsageError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return "last-sync", REPORT_TOLERANCE


def _commands(beside: Path) -> list[tuple[str, str]]:
    files = [(side, beside / f"{side}.command") for side in _COMMANDS]
    return [(side, _text(file)) for side, file in files if file.is_file() and not input_file.leads_out(file, beside)]


def _text(file: Path) -> str:
    try:
        return input_file.whole(str(file), _MOST_BYTES).decode(errors="replace").strip()
    except (OSError, UsageError) as error:
        return f"cannot be read: {error}"


def _settings(trace: Trace) -> list[str]:
    values = trace.migrate_parameters
    return [
        *(f"migrate_set_capability {name} on" for name in trace.capabilities if name != "events"),
        *(f"migrate_set_parameter {name} {values[name]}{unit}" for name, unit in _SET_BY_HAND if name in values),
    ]
