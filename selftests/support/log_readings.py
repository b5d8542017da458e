# SPDX-License-Identifier: GPL-2.0-or-later
"""What is read from a product's log, by kind."""

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.trace.reading import Reading, Remark, Setting

from .documents import TOP
from .product_logs import items

TEXTS = TOP / "selftests" / "texts"


def text(name):
    return (TEXTS / name).read_bytes()


def of(kind, data):
    return [item for item in items(data) if isinstance(item, kind)]


def readings(data):
    return of(Reading, data)


def remarks(data):
    return [remark.text for remark in of(Remark, data)]


def limits(data):
    return [(s.parameters["downtime-limit"], s.changed) for s in of(Setting, data) if "downtime-limit" in s.parameters]


def left_ms(reading):
    mbps = reading.rounding.get("ram.mbps") or Interval(*[reading.answer["ram"]["mbps"]] * 2)
    remaining = reading.answer["ram"]["remaining"]
    return Interval(remaining / mbps.high / 125, remaining / mbps.low / 125)
