# SPDX-License-Identifier: GPL-2.0-or-later
"""The command `judge` with experiments that need no QEMU: each leaves a recording, or raises an error."""

import argparse
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from avocado_migdowntime.cli import main as subcommands
from avocado_migdowntime.experiments import catalogue
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.host import one_at_a_time
from avocado_migdowntime.parameters.table import Parameters
from avocado_migdowntime.qemu import probe
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Verdict

TEST = "expected-downtime"


@dataclass
class MadeUp:
    """An experiment that leaves a recording in its directory, or raises an error; `given` are the parameters it got."""

    recording: Path | None = None
    error: BaseException | None = None
    given: list[Parameters] = field(default_factory=list)

    async def __call__(self, parameters: Parameters, directory: Path, progress: Callable[[str], None]) -> Verdict:
        self.given.append(parameters)
        progress("under way")
        (directory / "source.stderr").write_text("a word of QEMU's")
        if self.error is not None:
            raise self.error
        assert self.recording is not None
        shutil.copy(self.recording, directory / "trace.jsonl")
        return judge(read(str(directory / "trace.jsonl")), parameters.formula, parameters.tolerance)


def made_up(monkeypatch: Any, recording: Path | None = None, error: BaseException | None = None) -> MadeUp:
    """Replace each experiment by this one; hosts are not checked for other runs."""
    experiment = MadeUp(recording, error)
    for name, real in catalogue.EXPERIMENTS.items():
        monkeypatch.setitem(catalogue.EXPERIMENTS, name, catalogue.Experiment(experiment, real.defaults))
    monkeypatch.setattr(probe, "find_binary", lambda given, arch: given)
    monkeypatch.setattr(one_at_a_time, "alone_on_host", lambda say, within_s, on_others: nullcontext())
    return experiment


def judged(*words: str, **settings: str) -> int:
    """The exit status of `judge` with these words and Avocado settings."""
    parser = argparse.ArgumentParser(prog="avocado migdowntime")
    subcommands.add_to(parser)
    try:
        arguments = parser.parse_args(["judge", *words])
    except SystemExit as ended:
        return int(ended.code or 0)
    vars(arguments).update({f"migdowntime.{name}": value for name, value in settings.items()})
    return subcommands.run(arguments)
