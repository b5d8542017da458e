# SPDX-License-Identifier: GPL-2.0-or-later
"""The expected content of docs/reference.md."""

from avocado_migdowntime.report.listing import LISTS

HEADINGS = {
    "tests": "Tests, for `avocado run`",
    "variants": "Variants, for `-m`",
    "workloads": "Workloads, for `pattern`",
    "formulas": "Formulas, for `formula`",
    "texts": "Texts that `analyze`, `advise`, `report` and `record -` read",
    "parameters": "Parameters: `--migdowntime-NAME`, `-p NAME=VALUE`, in variants and in section `migdowntime`",
    "capabilities": "Migration capabilities, for `capabilities`",
    "migrate-parameters": "Migrate parameters, for `migrate_parameters`",
    "verdict-fields": "JSON fields of a verdict: `verdict.json`, `analyze --json`, `judge --json`",
    "codes": "Codes of a verdict's checks: stable, for programs",
    "advice-fields": "JSON fields of `advise --json`",
    "watch-fields": "JSON fields of `watch --once --json`",
    "doctor-fields": "JSON fields of `doctor --json`",
    "metrics": "Metrics of `watch --metrics`, with the prefix `migdowntime_` and the label `source`",
    "qemu-fields": "JSON fields of `qemu add --json`, and of each entry of `qemu list --json`",
}


def reference() -> str:
    """The page, generated from the code."""
    blocks = ["# Reference\n\nGenerated from the code. `avocado migdowntime list` prints the same."]
    for kind, heading in HEADINGS.items():
        entries = LISTS[kind]()
        defaults = any(entry.default is not None for entry in entries)
        rows = (
            ["| name | default | meaning |", "| --- | --- | --- |"]
            if defaults
            else ["| name | meaning |", "| --- | --- |"]
        )
        for entry in entries:
            default = f" {f'`{entry.default}`' if entry.default else ''} |" if defaults else ""
            rows.append(f"| `{entry.name}` |{default} {entry.meaning} |")
        blocks.append(f"## {heading}\n\n" + "\n".join(rows))
    return "\n\n".join(blocks) + "\n"
