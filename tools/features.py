# SPDX-License-Identifier: GPL-2.0-or-later
"""Judge each way to migrate on each QEMU that is here (`-m features`), and write docs/features.md.

The scenarios of QEMU's guestperf (`-m guestperf`) are judged on two of them. What was judged is kept in
results/features and results/guestperf, so that a run that was ended goes on where it was.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).parents[1]
PAGE = TOP / "docs" / "features.md"
FEATURES, GUESTPERF = TOP / "variants" / "features.yaml", TOP / "variants" / "guestperf.yaml"
PAUSING = TOP / "variants" / "guestperf-pause.yaml"
KEPT = TOP / "results"
ARCHITECTURES = ("ppc64", "x86_64")
TIME_LIMIT_S = 90
_FAILED = " QEMU ended with |^the migration (is|ended as) failed|^given up after "
"""What is said where nothing was lacking, and a run came to nothing all the same."""
HEAD = """# Ways to migrate, and what is judged under each

Made by `make features`: each is a migration by `-m features`, under TCG where nothing else is said, named after the
scenario of QEMU's own migration-test, judged by `expected-downtime` on this host. {run} of {all} cells were run.

`accurate` comes with the median error and the number of passes. `lacks` is cancelled, and `fails` came to nothing, each
with the reason below. Where what QEMU sends cannot be accounted for, the test says so: `cannot tell`, never PASS or
FAIL. `blocktime` is how long QEMU says that vCPUs waited for pages in postcopy, against how long they slept.

"""
OF_GUESTPERF = """
## The comparisons of QEMU's guestperf

Made by `make features` as well: each is a migration by `-m guestperf` on hugepages of 2 MiB, under TCG where nothing
else is said, and is named after a scenario of guestperf's; those that pause the guest are `stop-now`'s (`-m
guestperf-pause`). {run} of {all} cells were run.

"""


@dataclass(frozen=True)
class Feature:
    """A branch of the variants: its parameters, what its comment says, and the test that it is for."""

    name: str
    judged: str
    parameters: Mapping[str, Any]
    test: str = "expected-downtime"


@dataclass(frozen=True)
class Qemu:
    """One by its release, and as `--qemu` takes it; None is that of the PATH."""

    release: str
    suite: str | None


class _Loader(yaml.SafeLoader):
    """Takes a tree that is to be multiplexed for what it is without."""


_Loader.add_constructor("!mux", lambda loader, node: loader.construct_mapping(node, deep=True))


@dataclass(frozen=True)
class Table:
    """Ways that are judged, with the parameters common to all of them, on QEMUs of an architecture each.

    Below the `head`, `says` is what is said of each way, and headings begin with `below`.
    """

    head: str
    says: str
    below: str
    kept: Path
    common: Mapping[str, Any]
    ways: Sequence[Feature]
    columns: Sequence[tuple[Qemu, str]]

    def place(self, way: Feature, qemu: Qemu, arch: str) -> Path:
        """Where the answer is kept."""
        return self.kept / f"{way.name}-{qemu.release}-{arch}.json"


def main() -> int:
    """Judge what was not yet, print each answer as it comes, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=600.0, help="end after so long (default: %(default)g)")
    parser.add_argument("--again", default="", metavar="NAME", help="judge this way anew")
    parser.add_argument("--only", default="", metavar="PATTERN", help="only ways whose name has it")
    chosen = parser.parse_args()
    until_s = time.monotonic() + 60 * chosen.minutes
    tables = both(list(qemus()))
    for table in tables:
        table.kept.mkdir(parents=True, exist_ok=True)
        for qemu in reversed(list(dict.fromkeys(qemu for qemu, _ in table.columns))):
            for way in table.ways:
                for arch in (arch for other, arch in table.columns if other == qemu):
                    place = table.place(way, qemu, arch)
                    is_wanted = re.search(chosen.only, way.name) and (chosen.again == way.name or not place.exists())
                    if is_wanted and time.monotonic() < until_s:
                        place.write_text(json.dumps(judged(way, table.common, qemu, arch)))
                        print(way.name, qemu.release, arch, cell(place)[0], flush=True)
    PAGE.write_text("".join(map(page, tables)))
    return 0


def both(builds: Sequence[Qemu]) -> tuple[Table, Table]:
    """The ways to migrate, and guestperf's scenarios: these on the installed QEMU, and on the newest of those here."""
    everywhere = [(qemu, arch) for qemu in builds for arch in ARCHITECTURES]
    newest = max(builds, key=lambda qemu: [int(part) for part in re.findall(r"\d+", qemu.release)])
    two = list(zip(dict.fromkeys((builds[0], newest)), ARCHITECTURES, strict=False))
    return (
        Table(HEAD, "what is judged", "##", KEPT / "features", *features(FEATURES), everywhere),
        Table(OF_GUESTPERF, "comparison", "###", KEPT / "guestperf", {}, scenarios(), two),
    )


def features(path: Path) -> tuple[Mapping[str, Any], list[Feature]]:
    """The parameters of all ways in a file of variants, and each."""
    text = path.read_text()
    tree = yaml.load(text, _Loader)
    said = {name: comment for comment, name in re.findall(r"^    # (.*)\n    ([\w-]+):", text, re.MULTILINE)}
    common = {name: value for name, value in tree.items() if name != "feature"}
    return common, [Feature(name, said[name], parameters) for name, parameters in tree["feature"].items()]


def scenarios() -> list[Feature]:
    """Those of guestperf's comparisons, each with the name of its comparison; those that pause come last."""
    return [
        Feature(name, comparison, given, test)
        for path, test in ((GUESTPERF, "expected-downtime"), (PAUSING, "stop-now"))
        for comparison, ways in yaml.load(path.read_text(), _Loader)["comparison"].items()
        for name, given in ways.items()
    ]


def qemus() -> Iterator[Qemu]:
    """Each that is here, the installed one first."""
    if found := re.search(r"version (\S+)", run(["qemu-system-x86_64", "--version"]).stdout):
        yield Qemu(found[1], None)
    listed = run([sys.executable, "-m", "avocado_migdowntime", "qemu", "list", "--json"])
    for one in json.loads(listed.stdout or "[]"):
        if set(ARCHITECTURES) <= set(one["architectures"]):
            yield Qemu(one["release"], one["suite"])


def judged(way: Feature, common: Mapping[str, Any], qemu: Qemu, arch: str) -> dict[str, Any]:
    """What one run says, whole."""
    parameters = {"accel": "tcg", "time_limit": TIME_LIMIT_S, **common, **way.parameters}
    given = [f"{name}={text(value)}" for name, value in parameters.items()]
    words = [sys.executable, "-m", "avocado_migdowntime", "judge", "--json", "--quiet", "--test", way.test]
    words += ["--arch", arch]
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
    shown, reason = _came(answer)
    waits = ((answer["verdict"] or {}).get("blocktime") or {"waits": []})["waits"]
    told = [f"{wait['told_ms']:.0f} of {wait['can_ms'][0]:.0f} to {wait['can_ms'][1]:.0f} ms" for wait in waits[:1]]
    return "; blocktime ".join([shown, *told]), reason


def _came(answer: Mapping[str, Any]) -> tuple[str, str]:
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
    why = re.sub("; the migration completed, and .*: nothing is predicted now$", "", report["sentence"])
    return f"cannot tell: {report['code']}", "; ".join([why, *(fault["sentence"] for fault in faults)])


def page(table: Table) -> str:
    """A table with its head, and below it why not all is judged."""
    rows, have = [], 0
    reasons: dict[tuple[str, str], list[str]] = {}
    for way in table.ways:
        cells = []
        for qemu, arch in table.columns:
            shown, reason = cell(table.place(way, qemu, arch))
            have += shown != "not run"
            cells.append(shown)
            if reason:
                reasons.setdefault((way.name, reason), []).append(f"{qemu.release} {arch}")
        rows.append(f"| `{way.name}` | {way.judged} | {' | '.join(cells)} |\n")
    columns = " | ".join(f"{qemu.release} {arch}" for qemu, arch in table.columns)
    heads = f"| way | {table.says} | {columns} |\n| --- | --- |{' --- |' * len(table.columns)}\n"
    head = table.head.format(run=have, all=len(table.ways) * len(table.columns))
    why = [f"- `{name}`, {', '.join(where)}: {reason}\n" for (name, reason), where in reasons.items()]
    return head + heads + "".join(rows) + f"\n{table.below} Why not\n\n" + "".join(why)


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run it to its end, with what it prints."""
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
