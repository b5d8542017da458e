# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts that do not say whether multifd is on: whether it was shows in what they count."""

import pytest

from avocado_migdowntime.basics.qemu_constants import MULTIFD_PACKET_BYTES
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.verdict.judge import judge
from selftests.support.contradictions import real
from selftests.support.printed import FORMS

MULTIFD, PLAIN = "x86_64-tcg-qemu-11.1-multifd.jsonl.gz", "ppc64-tcg-qemu-7.2.jsonl.gz"
QUEUED = 3 * MULTIFD_PACKET_BYTES


def printed(name, form, most=150):
    """Each third of so many answers."""
    known = real(name)
    return parse(FORMS[form](known.header, known.answers[:most:3], ()).encode())


@pytest.mark.parametrize(
    ("name", "form", "queued_bytes"),
    [
        (MULTIFD, "query-migrate, lines", QUEUED),
        (MULTIFD, "info migrate to 10.0", QUEUED),
        (MULTIFD, "info migrate from 10.1", QUEUED),
        (MULTIFD, "domjobinfo", QUEUED),
        (MULTIFD, "domjobinfo --rawstats", QUEUED),
        (PLAIN, "query-migrate, lines", 0),
        (PLAIN, "info migrate to 10.0", 0),
        (PLAIN, "info migrate from 10.1", 0),
        (PLAIN, "domjobinfo", 0),
        (PLAIN, "domjobinfo --rawstats", 0),
        (PLAIN, "KubeVirt", QUEUED),  # in whole MiB no packet shows
    ],
)
def test_what_was_queued_is_told_by_what_the_text_shows(name, form, queued_bytes):
    assert printed(name, form).queued_bytes == queued_bytes


def test_no_pass_means_nothing_queued():
    assert printed(PLAIN, "Nova", 40).queued_bytes == 0


@pytest.mark.long
@pytest.mark.parametrize(("every", "phase"), [(3, 1), (5, 0), (5, 3)])
def test_pages_that_count_late_make_no_report_inaccurate(every, phase):
    """At the end of the first pass two packets were on their way: the sync seems to have found them as well."""
    known = real(MULTIFD)
    verdict = judge(parse(FORMS["domjobinfo"](known.header, known.answers[phase::every], ()).encode()))
    assert (verdict.verdict, verdict.passed) == ("inconclusive", None)


def test_pages_that_are_counted_elsewhere_are_none_that_wait():
    """With xbzrle most pages are no normal ones, of which KubeVirt's log tells nothing: K falls by 13 MB in a pass."""
    known = real("ppc64-tcg-qemu-7.2-busy-host-xbzrle.jsonl.gz")
    times = (4.133, 4.452, 4.776, 5.092, 5.415, 5.732, 6.053, 6.372)
    kept = [min(known.answers, key=lambda row: abs(row[0] - t_s)) for t_s in times]
    trace = parse(FORMS["KubeVirt"](known.header, kept, ()).encode())
    assert trace.queued_bytes == QUEUED and Evidence.of(trace).passes[-1].spread_bytes > 5e6
    assert (judge(trace).verdict, judge(trace).formula) == ("inconclusive", None)


def test_a_part_in_which_it_never_rested_has_more_on_its_way():
    """The end of a first pass: at its best sample two packets and a page had not been counted."""
    known = real("ppc64-tcg-qemu-10.0-multifd-zstd.jsonl.gz")
    hundredths = (98, 99.1, 101.1, 103.1, 104, 106.1, 108.1, 109, 110.9, 112, 114.1, 116, 117, 118.9, 120.2, 122.1, 123)
    hundredths += (125.1, 126.9, 128.1, 130.1, 131, 133, 135, 136.1, 137.4)
    kept = [min(known.answers, key=lambda row: abs(row[0] - t / 100)) for t in hundredths]
    kept += [row for row in known.answers if 1.38 < row[0] < 2.12]
    for form in ("recording", "query-migrate, lines"):
        verdict = judge(parse(FORMS[form](known.header, kept, ()).encode()))
        assert (verdict.verdict, verdict.passed) in (("accurate", True), ("inconclusive", None))
