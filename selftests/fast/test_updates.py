# SPDX-License-Identifier: GPL-2.0-or-later
"""How a wrong report is renewed: each name with its sentence, and both sides of what tells it from the others."""

import pytest

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.verdict.judge import judge
from selftests.support.recorded import recording
from selftests.support.traces import MBPS, PAGE_BYTES, Pass, answers, event, made, precopy

FIRST = Pass(30_000)
NO_FORMULA = "it fits no known formula"


def named(*passes, limit_ms=1, slowed=False, alter=None, parameters=None):
    """The verdict, the name, and the last words of the sentence."""
    rows = precopy(FIRST, *passes, limit_ms=limit_ms)
    if alter:
        alter(rows)
    events = []
    if slowed:
        changed_s = rows[-1]["t"] - 1
        for one in rows:
            if one["t"] > changed_s:
                one["query-migrate"]["ram"]["mbps"] = MBPS / 2
        events = [event(changed_s, "harness", "BANDWIDTH")]
    verdict = judge(made(rows, events, limit_ms, parameters=parameters))
    return verdict.verdict, verdict.formula, verdict.reasons[0].split("; ")[-1]


def wrong(name, words):
    return "inaccurate", name, words


def says(pages, *, until_ms=0.0, before=0.0, ms=None):
    """A pass that says `ms`, or what is right, and until then `before`."""
    then = pages / 10 if ms is None else ms
    return Pass(pages, expected_ms=lambda into_ms: before if into_ms < until_ms else then)


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ((0, 0), "it is never computed, and stays at 0 ms"),
        ((300, 300), "it is never computed, and stays at 300 ms"),
        ((0, 300), "it is never computed, and stays at 0 ms or 300 ms"),
    ],
)
def test_uncomputed_is_what_stays_as_it_began(figures, words):
    """At 0 or at the downtime-limit; the dirty rate gives something else than either."""
    passes = [Pass(20_000, expected_ms=ms, rate=9000) for ms in figures]
    assert named(*passes, limit_ms=300) == wrong("uncomputed", words)


@pytest.mark.parametrize(
    ("pages", "figures", "found"),
    [
        (22_100, (777, 777), wrong("frozen", "it stays at 777 ms, although the correct figure changed")),
        (22_000, (777, 777), wrong(None, NO_FORMULA)),
        (21_900, (777, 777), wrong(None, NO_FORMULA)),  # What is right has hardly moved.
        (22_100, (777, 778), wrong(None, NO_FORMULA)),
        (22_100, (1, 777), wrong(None, NO_FORMULA)),
    ],
)
def test_frozen_is_one_figure_while_what_is_right_moves_by_a_tenth(pages, figures, found):
    assert named(Pass(20_000, expected_ms=figures[0]), Pass(pages, expected_ms=figures[1])) == found


STALE = wrong("stale", "it is that of the previous pass")


def test_stale_is_what_was_right_in_the_pass_before():
    rising = [says(20_000, ms=1), says(25_000, ms=2000), says(30_000, ms=2500)]
    assert named(*rising) == STALE
    assert named(*rising[:2], says(30_000, ms=2700)) == wrong(None, NO_FORMULA)
    assert named(says(20_000, ms=2), *rising[1:]) == wrong(None, NO_FORMULA)  # No such figure was shown before.
    assert named(says(20_000, ms=1800))[1] is None  # Of one pass it cannot be told.
    twice = says(20_000, until_ms=1500, before=1, ms=5)
    assert named(twice, *rising[1:]) == wrong(None, NO_FORMULA)  # It does not keep what it began with.


@pytest.mark.parametrize(("first", "second", "found"), [(1, 0, STALE), (777, 777, STALE), (777, 778, None)])
def test_in_the_second_pass_stale_is_what_qemu_began_with_or_said_last_in_the_first(first, second, found):
    def says_first(rows):
        for answer in answers(rows, 1):
            answer["expected-downtime"] = first

    passes = says(20_000, before=first, ms=second), says(25_000, ms=2000)
    assert named(*passes, alter=says_first) == (found or wrong(None, NO_FORMULA))


@pytest.mark.parametrize(("ms", "then", "stale"), [(4000, 25, 1), (3970, 25, 1), (3950, 25, 0), (4000, 10, 0)])
def test_in_the_second_pass_stale_may_be_what_is_right_for_all_of_ram_unless_one_factor_explains_all(ms, then, stale):
    def of_all(rows):
        [row["query-migrate"]["ram"].update(total=40_000 * PAGE_BYTES) for row in rows]

    passes = says(20_000, until_ms=900, before=ms, ms=ms - 1), says(1000 * then, ms=2000)
    assert named(*passes, alter=of_all) == (STALE if stale else wrong(None, NO_FORMULA))


def test_what_was_said_last_in_the_pass_before_is_that_of_its_last_sample_even_if_it_does_not_count():
    def ends_with(rows, figure):
        last = list(answers(rows, 2))[-1]
        last["expected-downtime"], last["ram"]["mbps"] = figure, 0.999 * MBPS

    passes = says(20_000), says(25_000, until_ms=1500, before=1990)
    assert named(*passes, alter=lambda rows: ends_with(rows, 1990)) == LATE
    assert named(*passes, alter=lambda rows: ends_with(rows, 1991)) == wrong(None, NO_FORMULA)


@pytest.mark.parametrize(("off", "found"), [(0, STALE), (1, wrong(None, NO_FORMULA))])
def test_stale_is_what_most_reports_of_a_pass_show(off, found):
    """Of the third one's 116 that count one less, or all but half of them, are of the second."""

    def half(rows):
        for answer in list(answers(rows, 3))[10 : 10 + 57 + off]:
            answer["expected-downtime"] = 1

    assert named(says(20_000, ms=1), says(25_000, ms=2000), alter=half) == found


def test_a_limit_that_is_shown_in_the_second_pass_until_the_bandwidth_changes_is_not_stale():
    def changes(rows):
        for answer in list(answers(rows, 2))[-50:]:
            answer["expected-downtime"] = 777

    assert named(says(20_000, ms=1), slowed=True, alter=changes) == wrong(None, NO_FORMULA)


@pytest.mark.parametrize(("pages", "found"), [(20_900, wrong(None, NO_FORMULA)), (21_200, STALE)])
def test_what_is_right_to_a_twentieth_in_each_pass_is_not_stale(pages, found):
    """The second pass is by the downtime-limit, which is what is right there."""
    assert named(says(20_000, ms=2000), says(pages, ms=2000), says(20_000, ms=pages / 10), limit_ms=2000) == found


@pytest.mark.parametrize(
    ("figure_ms", "found"),
    [(1910, STALE), (2090, STALE), (1880, wrong(None, NO_FORMULA)), (2120, wrong(None, NO_FORMULA))],
)
def test_a_stale_figure_that_is_kept_may_be_of_another_window(figure_ms, found):
    """By a twentieth of the bandwidth; 2000 ms had been right."""
    assert named(says(20_000, ms=1), says(30_000, ms=figure_ms)) == found


LATE = wrong("once-a-pass", "it is updated once a pass, and late")


def test_late_is_what_stands_at_the_figure_of_the_pass_before_and_then_changes_once():
    assert named(says(20_000), says(25_000, until_ms=1500, before=2000), says(25_000)) == LATE


def test_a_late_figure_may_be_of_a_window_that_one_sample_alone_shows():
    """All 130 ms: at 1560 ms into the pass the bandwidth is that by which 2450 ms are right; 2500 are by the others."""

    def other_window(rows):
        list(answers(rows, 3))[12]["ram"]["mbps"] *= 2500 / 2450

    slow = Pass(25_000, period_ms=130, expected_ms=lambda ms: 2000 if ms < 1500 else 2450)
    assert named(says(20_000), slow, says(25_000), alter=other_window) == LATE
    assert named(says(20_000), slow, says(25_000)) == wrong(None, NO_FORMULA)


def test_a_report_that_is_right_in_the_middle_is_off_in_a_part_of_a_pass():
    rows = precopy(FIRST, says(20_000), says(25_000, until_ms=900, before=2000), says(25_000))
    words = "the report is off last-sync in a part of a pass; it is updated once a pass, and late"
    assert judge(made(rows)).reasons[0] == words


def late(stands_ms, alter=None):
    """A figure that stands for so long in the last pass, and for most of the pass before."""
    return named(
        says(20_000),
        says(25_000, until_ms=1500, before=2000),
        says(20_000, until_ms=stands_ms, before=2500),
        alter=alter,
    )


@pytest.mark.parametrize(("stands_ms", "is_late"), [(390, True), (370, False)])
def test_a_figure_stands_where_three_windows_were_sent_without_a_renewal(stands_ms, is_late):
    """From 320 ms on of a pass with a sample all 20 ms; three reports have to stand after that."""
    found = late(stands_ms)
    assert found == (LATE if is_late else wrong(None, NO_FORMULA))


@pytest.mark.parametrize(("stands_ms", "is_late"), [(250, True), (230, False)])
def test_a_bandwidth_that_was_renewed_shows_that_the_report_could_have_been(stands_ms, is_late):
    def renewed_at_once(rows):
        next(answers(rows, 4))["ram"]["mbps"] = 0.999 * MBPS

    found = late(stands_ms, renewed_at_once)
    assert found == (LATE if is_late else wrong(None, NO_FORMULA))


@pytest.mark.parametrize(("pages", "is_late"), [(3_300, True), (2_990, False)])
def test_in_a_pass_of_less_than_three_windows_no_figure_is_late(pages, is_late):
    changes_ms = pages / 10 - 15
    short = Pass(pages, period_ms=2, expected_ms=lambda ms: 2500 if ms < changes_ms else pages / 10)
    found = named(says(20_000), says(25_000, until_ms=1500, before=2000), short)
    assert found == (LATE if is_late else wrong(None, NO_FORMULA))


@pytest.mark.parametrize(
    "passes",
    [
        (says(20_000), says(25_000, until_ms=1500, before=2001)),  # It is not what was said before.
        (says(20_000), says(25_000, until_ms=1500, before=2000, ms=2600)),  # Nor right in the end,
        (
            says(20_000),
            Pass(25_000, expected_ms=lambda ms: 2000 if ms < 1500 else 2499 + int(ms) % 40 / 20),
        ),  # or kept.
        (
            says(20_000),
            says(25_000, until_ms=1500, before=2000),
            Pass(20_000, expected_ms=lambda ms: 2500 if ms < 800 else 2400 if ms < 900 else 2000),  # In each pass.
        ),
        (says(20_100), says(20_000, until_ms=1500, before=2010), says(30_000, ms=2000)),  # It was right all the while.
    ],
)
def test_what_changes_otherwise_is_not_late(passes):
    assert named(*passes)[1] is None


EARLY = wrong("once-a-pass", "it is updated once a pass, at its beginning")


@pytest.mark.parametrize(
    ("share", "found"),
    [(1, EARLY), (0.96, EARLY), (1.04, EARLY), (0.94, wrong(None, NO_FORMULA)), (1.06, wrong(None, NO_FORMULA))],
)
def test_early_is_what_was_right_as_each_pass_began_whatever_becomes_of_the_bandwidth(share, found):
    """It is of one window there, whose bandwidth may be a twentieth off that of others."""
    assert named(says(20_000, ms=2000 * share), says(30_000, ms=3000 * share), slowed=True) == found


def test_without_another_bandwidth_early_is_not_told_from_a_report_that_is_off():
    assert named(says(20_000, ms=1920), says(30_000, ms=2880)) == wrong(None, NO_FORMULA)


@pytest.mark.parametrize("samples", [50, 20])
def test_a_report_that_changes_with_the_bandwidth_is_not_early(samples):
    def follows_halfway(rows):
        for answer in list(answers(rows, 3))[-samples:]:
            answer["expected-downtime"] = 4000

    found = named(says(20_000), says(30_000), slowed=True, alter=follows_halfway)
    assert found == wrong(None, NO_FORMULA)


def kept(*, later_ms=None, later_passes=1):
    """The words about 2000 ms in two passes that are alike, the second at half the bandwidth from its middle on, and
    about `later_ms` in those after it.
    """
    rows = precopy(FIRST, says(20_000), says(20_000), *[says(20_000, ms=later_ms)] * later_passes)
    changed_s = 1 + min(one["t"] for one in rows if one["query-migrate"]["ram"]["dirty-sync-count"] == 3)
    for one in rows:
        if one["t"] > changed_s:
            one["query-migrate"]["ram"]["mbps"] = MBPS / 2
    verdict = judge(made(rows, [event(changed_s, "harness", "BANDWIDTH")]))
    return verdict.formula, verdict.reasons[0].split("; ")[-1]


def test_where_passes_are_alike_a_later_one_shows_whether_a_report_is_renewed_once_a_pass():
    stays = "it stays at 2000 ms, although the correct figure changed"
    unseen = f"{stays} within a pass: no later pass shows whether it is updated once a pass"
    assert kept(later_passes=0) == ("frozen", unseen)
    assert kept(later_ms=2000) == ("frozen", unseen)
    assert kept(later_ms=2000, later_passes=2) == ("frozen", stays)
    assert kept(later_ms=4000) == ("once-a-pass", "it is updated once a pass, but not within a pass")


def windows(*figures, share=0.8, parameters=None):
    """The name of reports that are kept in each pass, of which the second half has another bandwidth."""

    def others(rows):
        for number in (2, 3):
            later = list(answers(rows, number))
            for answer in later[len(later) // 2 :]:
                answer["ram"]["mbps"] *= share

    return named(*(says(20_000, ms=ms) for ms in figures), alter=others, parameters=parameters)


def test_what_was_right_in_a_window_of_each_pass_and_is_kept_is_updated_once_a_pass():
    words = "it is updated once a pass, although the bandwidth changes more often"
    assert windows(2500, 2000) == wrong("once-a-pass", words)
    assert windows(2500, 2300) == wrong(None, NO_FORMULA)  # It was right in no window of the second.
    assert windows(2500, 2000, share=0.97)[1] is None  # What is right has hardly moved.


def test_on_a_busy_host_the_bandwidth_of_its_windows_shows_that_it_is_updated_once_a_pass():
    verdict = judge(read(str(recording("x86_64-tcg-qemu-10.0-busy-host-with-once-a-pass"))))
    words = "it is updated once a pass, although the bandwidth changes more often"
    assert (verdict.verdict, verdict.formula, verdict.reasons[0].split("; ")[-1]) == wrong("once-a-pass", words)


def test_one_figure_that_is_kept_while_the_bandwidth_changes_is_frozen():
    assert windows(2300, 2300) == wrong("frozen", "it stays at 2300 ms, although the correct figure changed")
    divided_by = {"avail-switchover-bandwidth": 40_960_000}  # The bandwidth is none that QEMU divides by.
    assert windows(2300, 2300, parameters=divided_by) == wrong(None, NO_FORMULA)
