# SPDX-License-Identifier: GPL-2.0-or-later
"""A copy of the checkout has what belongs to it, and nothing that others make there meanwhile."""

import pytest

from ..support import checkout
from ..support.checkout import copied

KEPT = ("tools/lock.py", "docs/builds.md", "avocado_migdowntime/cli/judge.py")
PASSING = (
    *(".venv/bin/python", "results/features/x", "build/lib/x.py", "avocado_framework_plugin_migdowntime.egg-info/x"),
    *("avocado_framework_plugin_migdowntime-0.2.0/setup.py", ".coverage.host.7.x", "tools/__pycache__/x.pyc"),
)


@pytest.fixture
def top(tmp_path, monkeypatch):
    for name in (*KEPT, *PASSING):
        path = tmp_path / "top" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.setattr(checkout, "TOP", tmp_path / "top")


@pytest.mark.usefixtures("top")
@pytest.mark.parametrize(("names", "kept"), [((), KEPT), (("tools", "docs"), KEPT[:2])])
def test_a_copy_has_what_is_the_checkouts_own(tmp_path, names, kept):
    to = copied(tmp_path / "to", *names)
    assert sorted(str(path.relative_to(to)) for path in to.rglob("*") if path.is_file()) == sorted(kept)
