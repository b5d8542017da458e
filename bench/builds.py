# SPDX-License-Identifier: GPL-2.0-or-later
"""The same test on each QEMU that `avocado migdowntime qemu list` has: `python -m bench.builds`."""

from statistics import median

from avocado_migdowntime.builds.suite_qemu import suite_qemus
from avocado_migdowntime.parameters.table import ARCHITECTURES
from bench import options
from bench.run import run


def main() -> None:
    """Print a row for each QEMU and architecture."""
    parser = options.parser("bench.builds", __doc__)
    parser.add_argument("--runs", type=options.count, default=1, help="runs of each (default: %(default)s)")
    parser.add_argument("--passes", type=options.count, default=10, help="passes of each run (default: %(default)s)")
    parser.add_argument("--arch", action="append", choices=ARCHITECTURES, help="only this one; can be given again")
    chosen = parser.parse_args()
    print("| QEMU | suite | guest | accurate | passes | median error |")
    print("| --- | --- | --- | --- | --- | --- |")
    for build in sorted(suite_qemus(), key=lambda build: tuple(map(int, build.release.split(".")))):
        for arch in chosen.arch or build.architectures:
            verdicts = [
                run({"qemu": build.suite, "arch": arch, "passes": str(chosen.passes)})[1] for _ in range(chosen.runs)
            ]
            accurate = sum(verdict["verdict"] == "accurate" for verdict in verdicts)
            errors = [abs(verdict["relative_error"]) for verdict in verdicts if verdict["relative_error"] is not None]
            passes = sum(verdict["passes"] for verdict in verdicts)
            cells = [build.release, build.suite, arch, f"{accurate} of {len(verdicts)}"]
            cells += [str(passes), f"{median(errors):.3%}" if errors else ""]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    options.run(main)
