# SPDX-License-Identifier: GPL-2.0-or-later
"""How well a formula explains reports: of one pass, and of several together."""

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.oracle.fit import Fit, fit_passes, fit_reports, share_within
from avocado_migdowntime.oracle.reports import ExcludedSamples, Reports, usable_reports
from avocado_migdowntime.trace.figures import Column
from avocado_migdowntime.trace.samples import Samples
from avocado_migdowntime.verdict.judge import judge
from selftests.support.traces import MBPS, Pass, answers, made, precopy


def fitted(rows, formula="last-sync", tolerance=0.01):
    (sync,) = Evidence.of(made(rows)).syncs
    reports = usable_reports(sync.after, ExcludedSamples())
    fit = fit_reports(sync, reports, formula, tolerance)
    assert fit.share == share_within(sync, reports, formula, tolerance)
    return fit


@pytest.mark.parametrize(("share", "agrees"), [(0.49, False), (0.5, False), (0.51, True), (1, True)])
def test_most_reports_have_to_be_those_of_a_formula(share, agrees):
    assert Fit(1.0, 0.0, Interval(0, 0), share).agrees is agrees


def test_of_several_passes_each_figure_is_the_median_but_the_share_is_the_mean():
    fits = [
        Fit(1000.0, -0.5, Interval(-0.6, 0.5), 1.0),
        Fit(2000.0, 0.25, Interval(-0.5, 0.75), 0.5),
        Fit(4000.0, 0.75, Interval(0.5, 1.5), 0.0),
    ]
    assert fit_passes(iter(fits)) == Fit(2000.0, 0.25, Interval(-0.5, 0.75), 0.5)


@pytest.mark.parametrize(("tolerance", "share"), [(0.1249, 0), (0.125, 1), (0.5, 1)])
@pytest.mark.parametrize("reported_ms", [2250, 1749])
def test_a_report_within_the_tolerance_to_the_bit_is_within_it(reported_ms, tolerance, share):
    """An eighth off 2000 ms, at its least or at its most; what is shown as 1749 ms may be all but 1750."""
    assert fitted(precopy(Pass(30_000), Pass(20_000, expected_ms=reported_ms)), tolerance=tolerance).share == share


@pytest.mark.parametrize(
    ("formula", "of_mbps", "share"),
    [
        ("last-sync", 0.1, 0.1),
        ("dirty-rate", 0.1, 0.1 + 0.02),
        ("redirty", 0.1, 0.1 + 0.1 + 0.02),
        ("live", 0.1, 0.1 + 0.05),
        ("last-sync", 1.5, 0.9),
    ],
)
def test_what_a_text_rounds_leaves_the_error_as_much_more_open(formula, of_mbps, share):
    """By a share of the bandwidth, 0.02 of the dirty rate and 0.05 of what is left, as far as a formula has them."""
    (sync,) = Evidence.of(made(precopy(Pass(30_000), Pass(20_000)))).syncs
    exact = usable_reports(sync.after, ExcludedSamples())
    table = exact.samples.table.copy()
    table[Column.OPEN_MBPS] = of_mbps * table[Column.MBPS]
    table[Column.OPEN_RATE] = 0.02 * table[Column.DIRTY_RATE]
    table[Column.OPEN_BYTES] = 0.05 * table[Column.REMAINING]
    rounded = Reports(Samples(table, exact.samples.labels), exact.rows)
    before, now = (fit_reports(sync, reports, formula, 0.01).error_interval for reports in (exact, rounded))
    assert 1 + before.low == pytest.approx((1 + now.low) * (1 + share))
    assert 1 + before.high == pytest.approx((1 + now.high) * (1 - share))


def test_each_report_is_divided_by_the_bandwidth_beside_it():
    """It changes from window to window, and so does what is right."""
    rows = precopy(Pass(30_000), Pass(20_000))
    for number, answer in enumerate(answers(rows, 2)):
        factor = 1.25 if number // 8 % 2 else 1.0
        answer["ram"]["mbps"] = MBPS * factor
        answer["expected-downtime"] = int(2000 / factor)
    verdict = judge(made(rows))
    assert (verdict.report.code, fitted(rows).share) == ("accurate", 1)
    assert fitted(rows).computed_ms in (1600, 2000)
