# SPDX-License-Identifier: GPL-2.0-or-later
"""A counter of pages that jumps for good at one place puts the figures in doubt, if fewer bytes were sent."""

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.verdict.judge import judge

from ..support.growing import differences, grown
from ..support.recorded import RECORDINGS
from ..support.traces import PAGE_BYTES, Pass, made, precopy

SAYS = "bytes were sent: a counter of pages jumped"
PASSES = [Pass(30_000), Pass(20_000), Pass(25_000), Pass(20_000), Pass(22_000)]
BEGINS = 151, 252, 378
"""The first samples of later passes."""


def recorded(rows, capabilities=(), **more):
    """A recording that says which capabilities were on."""
    return made(rows, header={"capabilities": list(capabilities)}, **more)


def jumped(name, pages, at, bytes_each=PAGE_BYTES + 8, beside=()):
    """Five passes that send this many bytes for each page; from sample `at` on, the counter `name` is greater."""
    rows = precopy(*PASSES)
    for number, answer in enumerate(row["query-migrate"]["ram"] for row in rows):
        answer["transferred"] = answer["precopy-bytes"] = answer["normal"] * bytes_each
        if number >= at:
            answer[name] += pages
        for other in beside:
            answer.pop(other, None)
    return rows


@pytest.mark.parametrize("at", [*BEGINS, 200])
@pytest.mark.parametrize(("name", "pages"), [("normal", 100), ("normal", 30_000), ("duplicate", 40_000)])
def test_nothing_follows_if_the_bytes_sent_are_fewer(name, pages, at):
    trace = recorded(jumped(name, pages, at))
    verdict, advice = judge(trace), advise(trace)
    assert (verdict.passed, advice.limit_ms) == (None, None)
    assert any(SAYS in reason for reason in verdict.reasons)
    assert any(SAYS in reason for reason in advice.reasons)
    assert differences(grown(trace), trace) == []


def test_it_says_where_and_how_much():
    doubt = Evidence.of(recorded(jumped("normal", 30_000, 252))).trace.doubt
    assert doubt == (
        "between 5.00 and 5.00 s, pages of 1.23e+08 bytes were counted as sent, but only 0 bytes were sent: "
        "a counter of pages jumped"
    )


@pytest.mark.parametrize(("name", "few", "many"), [("normal", 63, 65), ("duplicate", 30_000, 40_000)])
def test_bytes_may_be_counted_late_by_a_buffer(name, few, many):
    assert not Evidence.of(recorded(jumped(name, few, 252))).trace.doubt
    assert Evidence.of(recorded(jumped(name, many, 252))).trace.doubt


def test_once_the_guest_is_stopped_precopy_bytes_shows_nothing():
    rows = jumped("normal", 0, 0)
    for row in rows[252:]:
        row["query-migrate"]["ram"]["precopy-bytes"] = rows[251]["query-migrate"]["ram"]["precopy-bytes"]
    assert not Evidence.of(recorded(rows)).trace.doubt


@pytest.mark.parametrize(("pages", "is_doubtful"), [(95, False), (105, True)])
def test_a_jump_by_a_thousandth_of_what_is_left_is_none(pages, is_doubtful):
    rows = precopy(Pass(100_000), Pass(100_000))
    for number, row in enumerate(rows):
        ram = row["query-migrate"]["ram"]
        ram["transferred"] = ram["normal"] * (PAGE_BYTES + 8)
        ram["normal"] += pages * (number > len(rows) // 2)
    assert bool(Evidence.of(recorded(rows)).trace.doubt) == is_doubtful


def test_where_pages_are_compressed_more_of_them_prove_nothing():
    assert not Evidence.of(recorded(jumped("normal", 30_000, 252, bytes_each=1000))).trace.doubt


@pytest.mark.parametrize("name", ["xbzrle", "compress", "mapped-ram"])
def test_with_a_capability_that_makes_pages_cheap_they_prove_nothing(name):
    assert not Evidence.of(recorded(jumped("normal", 30_000, 252), [name])).trace.doubt


def test_nor_do_they_if_the_capabilities_are_not_known():
    assert not Evidence.of(made(jumped("normal", 30_000, 252))).trace.doubt


@pytest.mark.parametrize(("compression", "is_doubtful"), [("none", True), ("zstd", False)])
def test_nor_does_multifd_that_compresses(compression, is_doubtful):
    parameters = {"multifd-compression": compression}
    trace = recorded(jumped("normal", 30_000, 252), ["multifd"], parameters=parameters)
    assert bool(Evidence.of(trace).trace.doubt) == is_doubtful


def test_a_second_jump_is_no_lone_one():
    rows = jumped("normal", 30_000, 252)
    for row in rows[300:]:
        row["query-migrate"]["ram"]["normal"] += 30_000
    assert not Evidence.of(recorded(rows)).trace.doubt


def test_of_few_samples_it_is_not_known_what_a_page_costs():
    rows = jumped("normal", 30_000, 252)
    assert not Evidence.of(recorded(rows[246:257])).trace.doubt
    assert Evidence.of(recorded(rows[246:258])).trace.doubt


def test_of_multifd_packets_are_counted_before_their_bytes():
    rows = jumped("normal", 700, 252)
    assert Evidence.of(recorded(rows)).trace.doubt
    assert not Evidence.of(recorded(rows, ["multifd"])).trace.doubt


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("*.jsonl.gz")), ids=lambda path: path.name)
def test_no_real_recording_is_in_doubt(path):
    assert not Evidence.of(parse(path.read_bytes())).trace.doubt
