# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole outputs in selftests/golden, and pages generated from the code; `make golden` rewrites all of them."""

import argparse
import contextlib
import io
import os
from collections.abc import Callable
from functools import partial

from avocado_migdowntime.cli import main as subcommands
from bench import found
from tools import features

from . import fault_runs
from .commands_page import commands_page
from .documents import TOP
from .made_up_host import GOOD, SHORT_OF_PAGES, told
from .read_texts import examples, what_is_read
from .recorded import RECORDINGS
from .reference import reference
from .refused_texts import refusals

GOLDEN = "selftests/golden"
_TRACES = sorted(path for path in RECORDINGS.glob("*.*") if path.name.endswith((".jsonl.gz", ".txt")))
_READ = [path for path in _TRACES if "domjobinfo" not in path.name]


def _printed(*words: str) -> Callable[[], str]:
    """The output of this command, and its exit status; run at the top of the checkout, so that names are relative."""

    def run() -> str:
        parser = argparse.ArgumentParser(prog="avocado migdowntime")
        subcommands.add_to(parser)
        with contextlib.chdir(TOP), contextlib.redirect_stdout(io.StringIO()) as shown:
            status = subcommands.run(parser.parse_args(words))
        return f"$ avocado migdowntime {' '.join(words)}\n{shown.getvalue()}exit status {status}\n"

    return run


def _of_recordings() -> dict[str, Callable[[], str]]:
    made = {}
    for path in _READ:
        name, file = path.name.split(".jsonl")[0].removesuffix(".txt"), os.path.relpath(path, TOP)
        for command in ("analyze", "advise"):
            made[f"{command}/{name}.txt"] = _printed(command, file)
            made[f"{command}/{name}.json"] = _printed(command, "--json", file)
    return made


_STOPPED = f"{os.path.relpath(RECORDINGS, TOP)}/ppc64-tcg-qemu-7.2-stopped-in-mid-pass.jsonl.gz"
OUTPUTS = {
    "docs/reference.md": reference,
    "docs/commands.md": commands_page,
    "docs/faults.md": fault_runs.page,
    "docs/features.md": features.both_pages,
    "docs/found.md": found.page,
    **{
        f"{GOLDEN}/{name}": made
        for name, made in {
            **_of_recordings(),
            **{f"read/{name}.txt": partial(what_is_read, example) for name, example in examples().items()},
            "refused.txt": refusals,
            "score.txt": _printed("score", _STOPPED),
            "score.json": _printed("score", "--json", _STOPPED),
            "list.txt": _printed("list"),
            "faulty-list.txt": _printed("faulty", "--list"),
            "doctor/able.txt": lambda: told(GOOD),
            "doctor/short-of-pages.txt": lambda: told(SHORT_OF_PAGES),
        }.items()
    },
}
"""The expected content of each file, by its path from the top of the checkout."""


def write() -> None:
    """Write each file as the code makes it now, and remove those that nothing makes."""
    for file in (TOP / GOLDEN).rglob("*.*"):
        if str(file.relative_to(TOP)) not in OUTPUTS:
            file.unlink()
    for name, made in OUTPUTS.items():
        (TOP / name).parent.mkdir(parents=True, exist_ok=True)
        (TOP / name).write_text(made())


if __name__ == "__main__":
    write()
