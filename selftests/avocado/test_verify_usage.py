# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad usage of `verify`, through Avocado."""

import pytest

from ..support.verified_builds import avocado


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--qemu"], ["--qemu", "x", "--repeat", "many"]])
def test_bad_usage_ends_a_bisection(arguments, tmp_path):
    done = avocado(tmp_path, "migdowntime", "verify", "--qemu", "x", *arguments)
    assert done.returncode == 129
    assert "usage: avocado migdowntime verify" in done.stderr and "error: " in done.stderr
