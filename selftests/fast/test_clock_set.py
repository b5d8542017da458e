# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs without a zone, during which summer time begins or ends, or the zone changes: the order and the bandwidth."""

from datetime import UTC, datetime, timedelta

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.trace.model import SEVERAL

from ..support.product_logs import RECORDED, looks, nova, proxmox_old

BEGIN = datetime(2024, 10, 27, 2, 59, 57, tzinfo=UTC)
SHOWN = looks(RECORDED, 1.0)


def dated(look, begin):
    """As Proxmox VE logged it, in a task log of later years."""
    figures = proxmox_old(look, begin).partition(" migration")[2]
    return f"{begin + timedelta(seconds=look.t_s):%Y-%m-%d %H:%M:%S} migration{figures}"


def of(form, lines, set_s=0.0, after=3):
    """The trace of a log with some of the recording's lines, all but the first ones after the clock was set."""
    begins = [BEGIN + timedelta(seconds=set_s * (number >= after)) for number in range(len(lines))]
    return parse("".join(f"{form(look, begin)}\n" for look, begin in zip(lines, begins, strict=True)).encode())


@pytest.mark.parametrize("set_s", [-3600, 3600, 7200])
@pytest.mark.parametrize("form", [proxmox_old, dated, nova])
def test_its_last_line_stays_the_last_and_its_bandwidth_is_that_since(form, set_s):
    plain, moved = of(form, SHOWN), of(form, SHOWN, set_s)
    assert len(moved.samples) == len(plain.samples) and SEVERAL not in moved.notes
    last, before = moved.readings[-1], plain.readings[-1]
    assert last.answer["ram"]["transferred"] == before.answer["ram"]["transferred"]
    assert last.rounding["ram.mbps"].meets(before.rounding["ram.mbps"])
    assert last.answer["ram"]["mbps"] == pytest.approx(before.answer["ram"]["mbps"], rel=0.1)


@pytest.mark.parametrize("form", [proxmox_old, dated, nova])
def test_just_after_it_was_set_forward_the_bandwidth_is_open(form):
    last = of(form, SHOWN[:4], 3600).readings[-1]
    true = of(form, SHOWN[:4]).readings[-1].rounding["ram.mbps"]
    assert last.rounding["ram.mbps"].low < true.low and last.rounding["ram.mbps"].high > true.low


def test_files_that_were_joined_in_another_order_are_two_parts():
    lines = [dated(look, BEGIN) for look in SHOWN]
    trace = parse("\n".join([*lines[3:], *lines[:3]]).encode())
    assert list(trace.samples) == list(parse("\n".join(lines).encode()).samples)
