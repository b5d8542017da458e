# SPDX-License-Identifier: GPL-2.0-or-later
"""The documents and their commands, including those with their own test."""

import re
from pathlib import Path

TOP = Path(__file__).parents[2]
README = TOP / "README.md"
DOCUMENTS = [README, *sorted(TOP.glob("docs/*.md"))]
MATRIX = "avocado run migdowntime:expected-downtime -m default"
QUICK = (
    "avocado run migdowntime: --filter-by-tags quick -m quick --tap-include-logs --job-results-dir results "
    "--xunit results/results.xml"
)
CONVERGENCE = "avocado run migdowntime:convergence"
DOWNTIME = "avocado run migdowntime:downtime"
HUGEPAGE_IDLE = "avocado run migdowntime:hugepage-idle"
STOP_NOW = "avocado run migdowntime:stop-now"
VARIANTS = "avocado run migdowntime:expected-downtime -m docs/example_variants.yaml"
SELFTEST = "avocado migdowntime selftest dirty-rate limit-ignored"
EXPECTED_DOWNTIME = "avocado run migdowntime:expected-downtime"
COMPARE = "avocado migdowntime compare old new"
VERIFY = "avocado migdowntime verify --qemu old/build --qemu new/build -p page_size=4K"
BISECT = (
    "git bisect start bad good",
    "git bisect run sh -c 'make -C build qemu-system-ppc64 || exit 125; "
    "avocado migdowntime verify --qemu build -p page_size=4K'",
)
BISECT_QUICKLY = (
    BISECT[0],
    "git bisect run sh -c 'make -C build qemu-system-ppc64 || exit 125; "
    "avocado migdowntime judge --quiet --qemu build -p page_size=4K'",
)
BUILDS = (
    "avocado migdowntime qemu add trixie-backports",
    "avocado run migdowntime:expected-downtime --migdowntime-qemu trixie-backports",
    "avocado migdowntime qemu list",
    "avocado migdowntime qemu remove trixie-backports",
)
"""One after the other, because each needs the one before it."""
RUN_ELSEWHERE = {
    *("make demo", "make check", "pip install .", EXPECTED_DOWNTIME),
    *(MATRIX, COMPARE, QUICK, VERIFY, *BISECT, *BISECT_QUICKLY, *BUILDS),
}
"""Commands that .ci/run, a step of `make check` or another test runs."""

FINDS_A_FAULT = "avocado migdowntime analyze selftests/recordings/ppc64-tcg-qemu-7.2-with-dirty-rate-formula.jsonl.gz"
"""The command that ends with status 1 for that."""


def commands():
    blocks = [block for text in DOCUMENTS for block in re.findall(r"```console\n(.*?)```", text.read_text(), re.DOTALL)]
    return list(dict.fromkeys(line.removeprefix("$ ") for block in blocks for line in block.splitlines()))
