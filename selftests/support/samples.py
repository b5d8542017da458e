# SPDX-License-Identifier: GPL-2.0-or-later
"""Samples made by hand, one by one."""

from avocado_migdowntime.trace.ram import Ram
from avocado_migdowntime.trace.samples import Sample

PAGE = 4096


def sample(t_s, number=2, remaining=100, sent=0, mbps=8.0, status="active", latency_ms=0.0, zeros=0):
    """One with so many pages left and sent, at 1000 bytes a millisecond."""
    ram = Ram(remaining * PAGE, PAGE, sent, zeros, number, 0, mbps)
    return Sample(t_s, latency_ms, status, None, ram)
