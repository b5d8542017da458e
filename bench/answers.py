# SPDX-License-Identifier: GPL-2.0-or-later
"""The answers of `verify` for builds whose difference is known, over simulated runs: `python -m bench.answers`."""

from collections import Counter
from random import Random

from avocado_migdowntime.comparison.compare import Answer, compare
from bench import options
from selftests.support.outcomes import runs

BIASES = (0, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006)
PLANS = {"1 variant, 4 runs": (("a",), 4), "2 variants, 3 runs": (("a", "b"), 3), "2 variants, 5 runs": (("a", "b"), 5)}


def main() -> None:
    """Print a table: how many pairs of builds with a given bias got each answer."""
    parser = options.parser("bench.answers", __doc__)
    parser.add_argument("--pairs", type=options.count, default=1000, help="(default: %(default)s)")
    pairs = parser.parse_args().pairs
    print("| plan | bias |", " | ".join(Answer), "|")
    for plan, (variants, repeat) in PLANS.items():
        for bias in BIASES:
            random = Random(1)
            found = Counter(
                compare(runs(random, "old", 0, repeat, variants), runs(random, "new", -bias, repeat, variants)).answer
                for _ in range(pairs)
            )
            print(f"| {plan} | {bias:.1%} |", " | ".join(str(found[answer]) for answer in Answer), "|")


if __name__ == "__main__":
    options.run(main)
