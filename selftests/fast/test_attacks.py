# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks of recordings and results from strangers that other tests do not make; docs/threats.md lists all."""

import re

import pytest
import yaml

from avocado_migdowntime.comparison.job_results import builds_of, traces_of
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.parameters.sources import of_variant
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.report.entry import recorded

from ..support.documents import TOP
from ..support.recorded import ACCURATE

SECRET = "a line of a file that is nobody's business"


def job(tmp_path, **links):
    """Results of a job some files of which are links."""
    directory = tmp_path / "job"
    data = directory / "test-results" / "1-x" / "data"
    data.mkdir(parents=True)
    places = {"results": directory / "results.json", "trace": data / "trace.jsonl", "command": data / "source.command"}
    for name, target in links.items():
        places[name].symlink_to(target)
    return directory


def test_links_out_of_a_job_are_not_followed(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    directory = job(tmp_path, trace=secret, results=secret)
    says = "is a link to outside of .*, which is not followed; name what it leads to instead$"
    for read in (lambda: list(traces_of([str(directory)])), lambda: builds_of([str(directory)])):
        with pytest.raises(UsageError, match=says) as caught:
            read()
        assert SECRET not in str(caught.value)


def test_links_within_a_job_and_to_a_job_are(tmp_path):
    directory = job(tmp_path, trace="elsewhere.jsonl")
    (directory / "test-results/1-x/data/elsewhere.jsonl").write_bytes(ACCURATE.read_bytes())
    (tmp_path / "latest").symlink_to(directory)
    assert list(traces_of([str(tmp_path / "latest")])) == [f"{tmp_path}/latest/test-results/1-x/data/trace.jsonl"]


def test_what_is_beside_a_trace_is_read_from_there_alone(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    data = job(tmp_path, command=secret) / "test-results/1-x/data"
    (data / "trace.jsonl").write_bytes(ACCURATE.read_bytes())
    (data / "destination.command").write_text("qemu-system-ppc64")
    assert recorded(str(data / "trace.jsonl")).commands == (("destination", "qemu-system-ppc64"),)


@pytest.mark.parametrize(
    "tagged",
    ["object/apply:os.mkdir [{}]", "object/new:os.mkdir [{}]", "object:os.PathLike {{}}", "name:os.mkdir", "module:os"],
)
def test_a_variants_file_makes_no_objects(tmp_path, tagged):
    """By the loader that Avocado has for it, which takes long to import."""
    from avocado_varianter_yaml_to_mux.varianter_yaml_to_mux import create_from_yaml

    path, made = tmp_path / "variants.yaml", tmp_path / "made"
    path.write_text(f"side: !mux\n  a:\n    arch: !!python/{tagged.format(made)}\n")
    with pytest.raises(FileNotFoundError, match="could not determine a constructor for the tag"):
        create_from_yaml([str(path)])
    assert not made.exists()


ALIASES = "n0: &n0 [x]\n" + "".join(f"n{n}: &n{n} [*n{n - 1}, *n{n - 1}]\n" for n in range(1, 41))
"""Some 1.6 kB that are 2^40 texts."""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{ALIASES}passes: *n40", r"parameter passes is \[\[.*\]\]; give a text, a number, or a list of these"),
        ("passes: &a [*a]", r"parameter passes is \[\[.*\]\]; give"),
        ("passes: [{a: 1}]", r"parameter passes is {'a': 1}; give"),
        ("passes: !!set {a, b}", r"parameter passes is {'a', 'b'}; give"),
        ("passes: !!binary aaaa", r"parameter passes is b'i\\xa6\\x9a'; give"),
        (f"passes: 0x{'f' * 5000}", "parameter passes is a number of thousands of digits; give a smaller one"),
        (f"passes: [1, 0x{'f' * 5000}]", "parameter passes is a number of thousands of digits; give a smaller one"),
        (f"passes: [[0x{'f' * 5000}]]", r"parameter passes is \[a number of thousands of digits\]; give"),
        (f"passes: {'x' * 100_000}", "parameter passes: 'x{57}...x{58}' is not a whole number from 1 to 1000"),
        (f"? {'x' * 100_000}\n: 1", "unknown parameter 'x{57}...x{58}'; known are"),
    ],
    ids=["endless", "in itself", "a map", "a set", "bytes", "a number", "in a list", "in two", "a text", "a name"],
)
def test_a_value_of_a_variants_file_that_no_parameter_has_is_refused_in_a_sentence(text, says):
    items = [("/run", name, value) for name, value in yaml.safe_load(text).items() if name[0] != "n"]
    with pytest.raises(UsageError, match=f"^{says}") as caught:
        parse(of_variant(items))
    assert len(str(caught.value)) < 4000


def test_nothing_is_written_that_a_spreadsheet_would_compute():
    sources = [path.read_text() for path in (TOP / "avocado_migdowntime").rglob("*.py")]
    assert not any(re.search(r"^ *(import|from) (csv|openpyxl|xlsxwriter)\b", text, re.MULTILINE) for text in sources)


def test_each_test_that_is_said_to_hold_something_is_there():
    heads = ("| who", "| attack", "| ---")
    lines = (TOP / "docs" / "threats.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith(heads)]
    named = [re.findall(r"`(\w+/test_\w+\.py)`", row.strip("| ").rpartition(" | ")[2]) for row in rows]
    assert len(rows) > 25 and all(named)
    assert [test for tests in named for test in tests if not (TOP / "selftests" / test).is_file()] == []
