# SPDX-License-Identifier: GPL-2.0-or-later
"""What evidence is made of takes little memory beside the samples, however many there are."""

import tracemalloc
from dataclasses import replace

import numpy as np

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.trace.samples import Samples

from ..support.traces import Pass, made, precopy


def test_many_samples_are_not_copied():
    trace = made(precopy(Pass(30_000), Pass(20_000)), header={"capabilities": []})
    table = np.repeat(trace.samples.table, 2000, axis=1)
    many = replace(trace, samples=Samples(table, trace.samples.labels))
    tracemalloc.start()
    try:
        assert Evidence.of(many).trace.doubt == ""
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 0.25 * table.nbytes
