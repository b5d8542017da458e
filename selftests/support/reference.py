# SPDX-License-Identifier: GPL-2.0-or-later
"""What docs/reference.md has to be."""

from avocado_migdowntime.report.listing import LISTS

HEADINGS = {
    "tests": "Tests, for `avocado run`",
    "variants": "Variants, for `-m`",
    "workloads": "Workloads, for `pattern`",
    "formulas": "Formulas, for `formula`",
    "texts": "Texts that are read beside recordings, by `analyze`, `advise`, `report` and `record -`",
    "parameters": "Parameters, as `--migdowntime-NAME`, in variants, with `-p` and in section `migdowntime`",
    "capabilities": "Migration capabilities, for `capabilities`, and what they do to a run",
    "migrate-parameters": "Migrate parameters, for `migrate_parameters`, and what they do to a run",
    "verdict-fields": "JSON fields of a verdict: `verdict.json`, `analyze --json`, `judge --json`",
    "codes": "Codes of a verdict's checks: stable, for programs",
    "advice-fields": "JSON fields of `advise --json`",
    "watch-fields": "JSON fields of `watch --once --json`",
    "doctor-fields": "JSON fields of `doctor --json`",
    "metrics": "Metrics of `watch --metrics`, each behind `migdowntime_` and with the label `source`",
    "qemu-fields": "JSON fields of `qemu add --json`, and of each in the list of `qemu list --json`",
}


def reference() -> str:
    """The page, made from the code."""
    blocks = ["# Reference\n\nMade from the code, as `avocado migdowntime list` has it too."]
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
