# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of which faults are found with which migration feature."""

import re

import pytest

from bench import found
from bench.rows import TRIED, add

ROW = {"fault": "stale", "way": "TLS", "release": "6.0.0", "arch": "ppc64", "came": "accurate"}


def test_the_last_result_of_a_run_counts_whatever_qemus_are_here(tmp_path):
    path = tmp_path / "found.jsonl"
    for row in ({"found": False}, {"arch": "x86_64", "found": False}, {"found": True}):
        add(path, {**ROW, **row})
    text = found.page(path, tmp_path / "none")
    assert "\n| `stale` | 1 of 2 | not tried | not tried |\n" in text
    assert "; 1 had the right result, 1 of them only when they were made again.\n" in text
    assert "- `stale`, TLS, 6.0.0 x86_64: accurate\n" in text and "6.0.0 ppc64: accurate" not in text


def test_runs_that_were_right_at_once_are_not_called_made_again(tmp_path):
    add(tmp_path / "found.jsonl", {**ROW, "found": True})
    assert "; 1 had the right result.\n" in found.page(tmp_path / "found.jsonl", tmp_path / "none")


def test_faults_in_the_code_of_qemu_are_counted_by_themselves(tmp_path):
    for number, is_found in enumerate((True, False)):
        add(tmp_path / "rebuilt.jsonl", {**ROW, "arch": f"{number}", "found": is_found})
    messages, code = found.page(tmp_path / "none", tmp_path / "rebuilt.jsonl").split("## Faults in QEMU's own code")
    assert " 0 were made so far" in messages and "| `stale` | not tried |" in messages
    assert " 2 were made, " in code and "| `stale` | 1 of 2 | not tried |" in code
    assert "- `stale`, TLS, 6.0.0 1, in QEMU's code: accurate\n" in code


@pytest.mark.parametrize("path", sorted(TRIED.glob("*.jsonl")), ids=lambda path: path.stem)
def test_what_is_kept_names_no_file_of_a_host(path):
    assert not re.search(r'[\s"](/\w+){2}', path.read_text())
