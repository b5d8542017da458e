# SPDX-License-Identifier: GPL-2.0-or-later
"""What the text of `info migrate` comes to, in both layouts, and what is said of one that lacks figures."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.trace.info_migrate import looks_like_info_migrate, parse_info_migrate
from avocado_migdowntime.trace.ram import Ram
from avocado_migdowntime.trace.samples import Sample

from ..support.recorded import RECORDINGS, SNAPSHOT

KNOWN = {
    "power8": (1475.0, Ram(376_892 << 10, 4096, 0, 0, 6, 39_044, 866.83)),
    "7.2": (2086.0, Ram(7404 << 10, 4096, 0, 0, 2, 2894, 96.53)),
    "11.1": (1955.0, Ram(int(3.63 * (1 << 20)), 4096, 0, 0, 2, 3161, 103.0)),
}


def text_of(release):
    return (RECORDINGS / f"info-migrate-{release}.txt").read_text()


def read(text):
    """The one sample that a text makes."""
    trace = parse_info_migrate(text)
    assert trace.snapshot and len(trace.samples) == 1 and not trace.events
    return trace.samples[0]


@pytest.mark.parametrize("release", KNOWN)
def test_each_figure_is_read(release):
    expected_ms, ram = KNOWN[release]
    assert read(text_of(release)) == Sample(0, 0, "active", expected_ms, ram=ram)


@pytest.mark.parametrize(
    ("size", "size_bytes"),
    [
        ("7 B", 7),
        ("4 KiB", 4096),
        ("1.5 MiB", 1572864),
        ("3 GiB", 3 << 30),
        ("2.25 TiB", 9 << 38),
        ("12 kbytes", 12288),
        ("12", 12288),
    ],
)
def test_sizes_are_read_in_each_unit(size, size_bytes):
    assert read(text_of("power8").replace("376892 kbytes", size)).ram.remaining_bytes == size_bytes
    assert read(text_of("11.1").replace("3.63 MiB", size)).ram.remaining_bytes == size_bytes


@pytest.mark.parametrize(
    ("line", "lacking"),
    [
        ("expected downtime: 1475 milliseconds\n", {"expected_downtime_ms": None}),
        ("dirty sync count: 6\n", {"dirty_sync_count": 0}),
        ("dirty pages rate: 39044 pages\n", {"dirty_pages_per_s": 0}),
    ],
)
def test_what_a_verdict_can_do_without_may_be_lacking(line, lacking):
    sample = read(SNAPSHOT.read_text().replace(line, ""))
    assert {name: getattr(sample, name, getattr(sample.ram, name, "")) for name in lacking} == lacking


def test_an_expected_downtime_of_0_is_one():
    assert read(SNAPSHOT.read_text().replace("1475", "0")).expected_downtime_ms == 0


def refusal(text):
    with pytest.raises(UsageError) as caught:
        parse_info_migrate(text)
    return str(caught.value)


def test_a_text_that_lacks_what_is_needed_is_refused_with_all_that_it_lacks():
    assert refusal("Migration status: completed\n") == (
        "`info migrate` with status completed has no remaining ram, throughput, page size; "
        "take the text while the migration is active"
    )


def test_a_page_size_of_0_is_refused():
    assert refusal(SNAPSHOT.read_text().replace("4 kbytes\ndirty", "0 kbytes\ndirty")) == (
        "`info migrate` shows a page size of 0; take the text from QEMU as it is"
    )


@pytest.mark.parametrize("many", [2, 3])
def test_several_texts_are_refused_with_their_number(many):
    assert refusal(many * SNAPSHOT.read_text()) == f"holds {many} `info migrate` snapshots; give one at a time"


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("Migration status: active", True),
        ("globals:\n  Status: \t\tpostcopy-active\n", True),
        ("Status:\n", False),
        ("its Status: active", False),
        ("", False),
    ],
)
def test_it_is_known_by_its_line_of_the_status(text, looks):
    assert looks_like_info_migrate(text) is looks
