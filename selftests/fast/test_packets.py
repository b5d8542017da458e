# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts that do not say whether multifd is on: whether it was shows in what they count."""

import pytest

from avocado_migdowntime.basics.qemu_constants import MULTIFD_PACKET_BYTES
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.verdict.judge import judge
from selftests.support.contradictions import real
from selftests.support.printed import FORMS

MULTIFD, PLAIN = "x86_64-tcg-qemu-11.1-multifd.jsonl.gz", "ppc64-tcg-qemu-7.2.jsonl.gz"
QUEUED = 3 * MULTIFD_PACKET_BYTES


def printed(name, form, most=150, begin=0):
    known = real(name)
    return parse(FORMS[form](known.header, known.answers[begin : begin + most], ()).encode())


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


@pytest.mark.parametrize(("every", "phase"), [(3, 1), (5, 0), (5, 3)])
def test_pages_that_count_late_make_no_report_inaccurate(every, phase):
    """At the end of the first pass two packets were on their way: the sync seems to have found them as well."""
    known = real(MULTIFD)
    verdict = judge(parse(FORMS["domjobinfo"](known.header, known.answers[phase::every], ()).encode()))
    assert (verdict.verdict, verdict.passed) == ("inconclusive", None)
