# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad usage of `list`, through Avocado."""

from avocado_migdowntime.report.listing import LISTS

from ..support.avocado_command import avocado


def test_an_unknown_kind_is_refused_with_those_there_are(tmp_path):
    done = avocado(tmp_path, "migdowntime", "list", "nonsense")
    assert done.status == 2 and all(kind in done.output for kind in LISTS)
