# SPDX-License-Identifier: GPL-2.0-or-later
"""Made-up outcomes of runs with known truth: of builds, and of stopped guests."""

from dataclasses import replace

from avocado_migdowntime.comparison.outcome import RunOutcome
from avocado_migdowntime.verdict.mid_pass_stop import Estimate, GroundTruth

TOLERANCE = 0.01
NOISE = 0.0003
"""Several times the variation of 20 runs in a row, see bench/README.md."""


def run(build, error, variant="ppc64", tolerance=TOLERANCE):
    passed = abs(error) <= tolerance
    verdict = "accurate" if passed else "inaccurate"
    formula = "last-sync" if passed else None
    return RunOutcome(
        build, variant, "PASS", "", passed, verdict, formula, error, "respected", "", 20, "last-sync", tolerance
    )


def untold(build, variant="ppc64"):
    return RunOutcome(build, variant, "ERROR", "QEMU ended with status 1")


def broken(build):
    return replace(run(build, -0.0005), passed=False, status="FAIL", limit_verdict="violated")


def runs(random, build, bias=0.0, repeat=4, variants=("ppc64",)):
    """Realistic runs: truncation makes the report slightly low, noise is small, and now and then a run is off."""
    return [
        run(build, bias - 0.0005 + random.gauss(0, NOISE) + (random.random() < 0.02) * random.gauss(0, 0.003), variant)
        for variant in variants
        for _ in range(repeat)
    ]


def truth(name="some", error=0.0, in_pass=0.5, ratio=2.0):
    return GroundTruth(1000.0, 3, in_pass, ratio, 1, 1, (Estimate(name, 1000 * (1 + error), error),))
