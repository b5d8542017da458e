# SPDX-License-Identifier: GPL-2.0-or-later
"""A sync that QEMU shows long before it counts it: with multifd, 11.1 waits for all channels in between."""

from avocado_migdowntime.verdict.judge import judge
from selftests.support.traces import Pass, answers, made, precopy


def test_the_end_of_such_a_pass_shows_nothing_about_the_limit():
    rows = precopy(Pass(30_000), *[Pass(20_000)] * 5)
    for number in (3, 5):
        found = next(answers(rows, number + 1))["ram"]
        shown = list(answers(rows, number))
        for answer in shown[len(shown) // 3 :]:
            answer["ram"].update(remaining=found["remaining"], normal=found["normal"], duplicate=found["duplicate"])
    verdict = judge(made(rows))
    assert (verdict.verdict, verdict.limit_verdict) == ("accurate", "respected")
