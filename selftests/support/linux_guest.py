# SPDX-License-Identifier: GPL-2.0-or-later
"""A Linux guest: an experiment with it, and its image alone."""

import asyncio

from avocado_migdowntime.basics.resources import directory
from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.host.resources import HostResources
from avocado_migdowntime.linux.image import linux_image
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu.profiles import PROFILES

SOURCES = directory("images") / "linux"
GIVEN = {
    **{"guest": "linux", "accel": "tcg", "page_size": "4K", "passes": "1", "time_limit": "400"},
    "max_bandwidth": "36M",
}
"""Linux fills some 100 MB of its RAM, all of which the first pass sends."""


def run(where, **parameters):
    told = []
    given = parse({**GIVEN, **parameters})
    return asyncio.run(expected_downtime(given, where, told.append)), told


def image(arch, told):
    with HostResources() as resources:
        return asyncio.run(linux_image(PROFILES[arch].linux.recipe, SOURCES, resources, told.append))
