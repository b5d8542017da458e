# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages that go out encoded count as sent: zero pages, xbzrle's, compressed ones. Else bytes do not add up."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.verdict.judge import judge
from selftests.support.traces import PAGE_BYTES, Pass, made, precopy

SINCE_5_1 = {"encoding-rate": 2.5}
"""QEMU 5.1 brought this field, and counts overflows among xbzrle's pages from then on."""


def rows(share, encoded):
    """Passes of which a share of the pages goes out encoded; `encoded(pages)` are the fields that tell of them."""
    told = precopy(Pass(30_000), Pass(20_000), Pass(20_000))
    for one in told:
        answer = one["query-migrate"]
        pages = int(answer["ram"]["normal"] * share)
        answer["ram"]["normal"] -= pages
        answer.update(encoded(pages))
    return told


def xbzrle(pages, overflow=0, **more):
    return {"xbzrle-cache": {"cache-size": 1 << 26, "bytes": 1 << 20, "pages": pages, "overflow": overflow, **more}}


def compression(pages):
    return {"compression": {"pages": pages, "busy": 1, "compressed-size": 1 << 20, "compression-rate": 3.0}}


def overflowing(**more):
    """xbzrle counts as many pages again, which it then sent as they are."""
    return lambda pages: xbzrle(2 * pages, pages, **more)


def adds_up(told):
    """Whether the verdict is that of a clean QEMU; else because bytes do not add up."""
    verdict = judge(made(told))
    if verdict.passes == 2:
        assert verdict.verdict == "accurate"
        return True
    assert any("remaining and sent bytes do not add up in pass 2" in reason for reason in verdict.reasons)
    return False


@pytest.mark.parametrize(
    "encoded",
    [
        xbzrle,
        lambda pages: xbzrle(pages, 77),
        lambda pages: xbzrle(pages, **SINCE_5_1),
        overflowing(**SINCE_5_1),
        compression,
        lambda pages: {**xbzrle(pages - pages // 3, pages // 5), **compression(pages // 3)},
    ],
)
@pytest.mark.parametrize("share", [0.05, 0.5])
def test_encoded_pages_are_among_those_sent(encoded, share):
    assert adds_up(rows(share, encoded))


@pytest.mark.parametrize(
    "encoded",
    [lambda pages: {}, overflowing(), lambda pages: xbzrle(pages, pages, **SINCE_5_1), lambda p: compression(0)],
)
def test_pages_that_are_counted_twice_or_not_at_all_do_not_add_up(encoded):
    assert not adds_up(rows(0.5, encoded))


def test_zero_pages_are_among_those_sent():
    told = rows(0.5, lambda pages: {})
    for one, whole in zip(told, rows(0, lambda pages: {}), strict=True):
        ram = one["query-migrate"]["ram"]
        ram["duplicate"] = whole["query-migrate"]["ram"]["normal"] - ram["normal"]
    assert adds_up(told)


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        ({"xbzrle-cache": {"overflow": 1}}, "'pages' is missing where a number from 0 up was expected"),
        ({"xbzrle-cache": {"pages": 1, **SINCE_5_1}}, "'overflow' is missing where a number from 0 up was expected"),
        ({"compression": [1]}, "'compression' is \\[1\\] where an object was expected"),
    ],
)
def test_encodings_that_are_not_as_qemu_tells_them_are_refused(encoded, message):
    with pytest.raises(UsageError, match=message):
        made(rows(0.5, lambda pages: encoded))


def test_pages_are_of_the_size_that_the_target_has():
    told = rows(0, lambda pages: {})
    for one in told:
        ram = one["query-migrate"]["ram"]
        ram["page-size"], ram["remaining"] = 2 * PAGE_BYTES, 2 * ram["remaining"]
        ram["mbps"] *= 2
        ram["dirty-pages-rate"] *= 0.5
    assert adds_up(told)
