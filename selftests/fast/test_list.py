# SPDX-License-Identifier: GPL-2.0-or-later
"""`list` shows what there is, as it stands in the code."""

import argparse
import json
from pathlib import Path

import pytest

from avocado_migdowntime.cli import list as listing
from avocado_migdowntime.oracle.formulas import FORMULAS
from avocado_migdowntime.parameters.table import describe, parse
from avocado_migdowntime.report.listing import LISTS

TOP = Path(__file__).parents[2]


def run(*arguments):
    parser = argparse.ArgumentParser()
    listing.configure(parser)
    return listing.run(parser.parse_args(arguments))


def listed(capsys, *kinds):
    assert run("--json", *kinds) == 0
    return json.loads(capsys.readouterr().out)


def test_everything_is_listed_with_a_line_on_what_it_is(capsys):
    kinds = listed(capsys)
    assert list(kinds) == list(LISTS)
    for kind, entries in kinds.items():
        assert entries and all(entry["meaning"] and "\n" not in entry["meaning"] for entry in entries), kind
    names = {kind: [entry["name"] for entry in entries] for kind, entries in kinds.items()}
    files = {path.stem.replace("_", "-") for path in (TOP / "tests").glob("*.py")}
    assert set(names["tests"]) == {f"migdowntime:{name}" for name in files}
    assert set(names["variants"]) == {path.stem for path in (TOP / "variants").glob("*.yaml")}
    assert names["formulas"] == list(FORMULAS)


def test_names_and_defaults_are_what_a_test_takes(capsys):
    kinds = listed(capsys, "workloads", "parameters")
    assert list(kinds) == ["workloads", "parameters"]
    for entry in kinds["workloads"]:
        assert parse({"pattern": entry["name"]}).pattern == entry["name"]
    assert [(e["name"], e["default"]) for e in kinds["parameters"]] == [(row.name, row.default) for row in describe()]
    assert parse({entry["name"]: entry["default"] for entry in kinds["parameters"]}) == parse({})


def test_text_has_a_block_for_each_kind_and_defaults_where_there_are_any(capsys):
    assert run("variants", "parameters") == 0
    variants, parameters = capsys.readouterr().out.split("\n\n")
    assert "  original_ram     For hugepage-idle: the RAM of the original guest; " in variants
    assert "\n  sample_rate         100         `query-migrate` samples a second" in parameters
    assert variants.startswith("variants\n") and parameters.startswith("parameters\n")


@pytest.mark.parametrize("kind", [*LISTS, "all"])
def test_each_kind_can_be_asked_for_alone(kind, capsys):
    assert list(listed(capsys, kind)) == (list(LISTS) if kind == "all" else [kind])
