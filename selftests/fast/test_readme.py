# SPDX-License-Identifier: GPL-2.0-or-later
"""README and docs are true: their commands run, their links lead somewhere."""

import re

import pytest

from ..support.documents import DOCUMENTS, EXPECTED_DOWNTIME, README, RUN_ELSEWHERE, TOP, commands


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_links_to_is_there(document):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_what_is_run_elsewhere_is():
    assert set(commands()) >= RUN_ELSEWHERE
    tests = {
        "MATRIX": "matrix",
        "COMPARE": "compare",
        "QUICK": "ci",
        "VERIFY": "verify_on_qemu",
        "BISECT": "bisect",
        "BISECT_QUICKLY": "bisect",
        "BUILDS": "builds_of_debian",
    }
    for name, test in tests.items():
        (path,) = TOP.glob(f"selftests/*/test_{test}.py")
        assert re.search(rf"support.documents import .*\b{name}\b", path.read_text())
    for command in ("make demo", "make check"):
        assert command in (TOP / ".ci/run").read_text()
    assert EXPECTED_DOWNTIME in (TOP / "tools/try-wheel").read_text()


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) <= 155
