# SPDX-License-Identifier: GPL-2.0-or-later
"""What commands print as a whole is what is kept; `make golden` writes it anew, and the difference is to be read."""

import pytest

from ..support.documents import TOP
from ..support.golden import GOLDEN, OUTPUTS


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_whole_output_is_what_is_kept(name):
    assert OUTPUTS[name]() == (TOP / name).read_text(), "if that is meant: make golden"


def test_nothing_is_kept_that_nothing_makes():
    kept = {str(path.relative_to(TOP)) for path in (TOP / GOLDEN).rglob("*.*")}
    assert kept == {name for name in OUTPUTS if name.startswith(GOLDEN)}
