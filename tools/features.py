# SPDX-License-Identifier: GPL-2.0-or-later
"""Judge each way to migrate (`-m features`) on each QEMU that is here, and write docs/features.md.

What was judged is kept in results/features, so that a run that was ended goes on where it was.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).parents[1]
PAGE = TOP / "docs" / "features.md"
FEATURES = TOP / "variants" / "features.yaml"
KEPT = TOP / "results" / "features"
ARCHITECTURES = ("ppc64", "x86_64")
TIME_LIMIT_S = 90
_FAILED = " QEMU ended with |^the migration is failed|^given up after "
"""What is said where nothing was lacking, and a run came to nothing all the same."""
HEAD = """# Ways to migrate, and what is judged under each

Made by `make features`: each is a migration by `-m features`, under TCG where nothing else is said, named after the
scenario of QEMU's own migration-test, judged by `expected-downtime` on this host. {run} of {all} cells were run.

`accurate` comes with the median error and the number of passes. `lacks` is cancelled, and `fails` came to nothing, each
with the reason below. Where what QEMU sends cannot be accounted for, the test says so: `cannot tell`, never PASS or
FAIL.

| way | what is judged | {columns} |
| --- | --- |{dashes}
"""


@dataclass(frozen=True)
class Feature:
    """A branch of the variants: its parameters, and what its comment says."""

    name: str
    judged: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Qemu:
    """One by its release, and as `--qemu` takes it; None is that of the PATH."""

    release: str
    suite: str | None


class _Loader(yaml.SafeLoader):
    """Takes a tree that is to be multiplexed for what it is without."""


_Loader.add_constructor("!mux", lambda loader, node: loader.construct_mapping(node, deep=True))


def main() -> int:
    """Judge what was not yet, print each answer as it comes, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=600.0, help="end after so long (default: %(default)g)")
    parser.add_argument("--again", default="", metavar="NAME", help="judge this way anew")
    parser.add_argument("--only", default="", metavar="PATTERN", help="only ways whose name has it")
    chosen = parser.parse_args()
    until_s = time.monotonic() + 60 * chosen.minutes
    KEPT.mkdir(parents=True, exist_ok=True)
    common, ways = features(FEATURES)
    builds = list(qemus())
    for qemu in reversed(builds):
        for way in ways:
            for arch in ARCHITECTURES:
                place = kept(way, qemu, arch)
                is_wanted = re.search(chosen.only, way.name) and (chosen.again == way.name or not place.exists())
                if is_wanted and time.monotonic() < until_s:
                    place.write_text(json.dumps(judged(way, common, qemu, arch)))
                    print(way.name, qemu.release, arch, cell(place)[0], flush=True)
    PAGE.write_text(page(ways, builds))
    return 0


def features(path: Path) -> tuple[Mapping[str, Any], list[Feature]]:
    """The parameters of all ways in a file of variants, and each."""
    text = path.read_text()
    tree = yaml.load(text, _Loader)
    said = {name: comment for comment, name in re.findall(r"^    # (.*)\n    ([\w-]+):", text, re.MULTILINE)}
    common = {name: value for name, value in tree.items() if name != "feature"}
    return common, [Feature(name, said[name], parameters) for name, parameters in tree["feature"].items()]


def qemus() -> Iterator[Qemu]:
    """Each that is here, the installed one first."""
    if found := re.search(r"version (\S+)", run(["qemu-system-x86_64", "--version"]).stdout):
        yield Qemu(found[1], None)
    listed = run([sys.executable, "-m", "avocado_migdowntime", "qemu", "list", "--json"])
    for one in json.loads(listed.stdout or "[]"):
        if set(ARCHITECTURES) <= set(one["architectures"]):
            yield Qemu(one["release"], one["suite"])


def kept(way: Feature, qemu: Qemu, arch: str) -> Path:
    """Where the answer is kept."""
    return KEPT / f"{way.name}-{qemu.release}-{arch}.json"


def judged(way: Feature, common: Mapping[str, Any], qemu: Qemu, arch: str) -> dict[str, Any]:
    """What one run says, whole."""
    parameters = {"accel": "tcg", "time_limit": TIME_LIMIT_S, **common, **way.parameters}
    given = [f"{name}={text(value)}" for name, value in parameters.items()]
    words = [sys.executable, "-m", "avocado_migdowntime", "judge", "--json", "--quiet", "--arch", arch]
    words += [word for parameter in given for word in ("-p", parameter)]
    words += ["--qemu", qemu.suite] if qemu.suite else []
    with tempfile.TemporaryDirectory(prefix="features-of-migdowntime-") as directory:
        done = run([*words, "--output", f"{directory}/run"])
    return {
        "status": done.returncode,
        "verdict": json.loads(done.stdout) if done.stdout.startswith("{") else None,
        "said": done.stderr.strip().splitlines()[-1:],
    }


def text(value: object) -> str:
    """A value of YAML's as a parameter has it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def cell(place: Path) -> tuple[str, str]:
    """What stands in the table, and the reason that goes below it, if there is one."""
    if not place.exists():
        return "not run", ""
    answer = json.loads(place.read_text())
    verdict, said = answer["verdict"], " ".join(answer["said"])
    if verdict is None:
        said = re.sub(r"^migdowntime judge: |; (what was recorded is|files) in \S+$", "", said)
        is_lacking = answer["status"] == 125 and not re.search(_FAILED, said)
        return ("lacks" if is_lacking else "fails"), said
    checks = {check["name"]: check for check in verdict["checks"]}
    faults = [check for check in verdict["checks"] if check["outcome"] == "failed"]
    report = checks["report"]
    if faults and report["outcome"] == "passed":
        return f"accurate, but {faults[0]['name']}: {faults[0]['code']}", faults[0]["sentence"]
    if report["outcome"] == "passed":
        return f"accurate, {verdict['relative_error']:+.2%}, {verdict['passes']}", ""
    if report["outcome"] == "failed":
        return f"{report['code']}, {verdict['relative_error']:+.2%}", report["sentence"]
    why = re.sub("; the migration completed, and .*; QEMU predicts nothing now$", "", report["sentence"])
    return f"cannot tell: {report['code']}", "; ".join([why, *(fault["sentence"] for fault in faults)])


def page(ways: list[Feature], builds: list[Qemu]) -> str:
    """The whole page."""
    columns = [(qemu, arch) for qemu in builds for arch in ARCHITECTURES]
    rows, have = [], 0
    reasons: dict[tuple[str, str], list[str]] = {}
    for way in ways:
        cells = []
        for qemu, arch in columns:
            shown, reason = cell(kept(way, qemu, arch))
            have += shown != "not run"
            cells.append(shown)
            if reason:
                reasons.setdefault((way.name, reason), []).append(f"{qemu.release} {arch}")
        rows.append(f"| `{way.name}` | {way.judged} | {' | '.join(cells)} |\n")
    head = HEAD.format(
        run=have,
        all=len(ways) * len(columns),
        columns=" | ".join(f"{qemu.release} {arch}" for qemu, arch in columns),
        dashes=" --- |" * len(columns),
    )
    why = [f"- `{name}`, {', '.join(where)}: {reason}\n" for (name, reason), where in reasons.items()]
    return head + "".join(rows) + "\n## Why not\n\n" + "".join(why)


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run it to its end, with what it prints."""
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
