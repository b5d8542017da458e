# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs of several builds as one table and one sentence for a person, and as JSON fields for a program."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from ..comparison.compare import Answer, Comparison, Contrast, by_variant
from ..comparison.outcome import ANOTHER_FAULT, RunOutcome
from .verdict_text import columns

_HEADS = ("build", "variant", "verdict", "formula", "error, %", "least", "most", "limit", "converges", "downtime, ms")


def summary(builds: Sequence[Sequence[RunOutcome]], width: int | None = None) -> str:
    """A row for each build and variant, with the results of its runs and their counts; blocks if wider than `width`."""
    rows = [_row(runs) for build in builds for runs in by_variant(build).values()]
    return columns([_HEADS, *rows], labels=2, width=width)


def subjects(builds: Sequence[Sequence[RunOutcome]]) -> list[tuple[str, str]]:
    """For each build, the QEMU and the guests that its verdicts name."""
    return [(runs[0].build, "; ".join(dict.fromkeys(_subject(run) for run in runs if run.guest))) for runs in builds]


def _subject(run: RunOutcome) -> str:
    return f"QEMU {run.release} {run.guest}" if run.release else run.guest


def errors(builds: Sequence[Sequence[RunOutcome]]) -> str:
    """Each build's median error, and the tolerance; empty if a build has no error, or the tolerances differ."""
    off = {
        runs[0].build: [abs(run.relative_error) for run in runs if run.relative_error is not None] for runs in builds
    }
    allowed = {run.tolerance for runs in builds for run in runs if run.tolerance is not None}
    if not all(off.values()) or len(allowed) != 1:
        return ""
    each = ", ".join(f"{median(figures):.2%} on {name}" for name, figures in off.items())
    return f"Median |error|: {each}; {100 * allowed.pop():g}% is allowed."


def sentence(comparisons: Sequence[Comparison]) -> str:
    """All answers, with their basis, and what to do if one is undecided."""
    return "; ".join(part for one in comparisons for part in (_clause(one), one.unlike) if part) + "."


def fields(builds: Sequence[Sequence[RunOutcome]], comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """The runs and the answers as plain JSON values; what is unknown is null."""
    return {
        "answers": [_answer(one) for one in comparisons],
        "runs": [asdict(run) for build in builds for run in build],
    }


def _row(runs: Sequence[RunOutcome]) -> tuple[str, ...]:
    errors = [100 * run.relative_error for run in runs if run.relative_error is not None]
    down = [run.downtime_ms for run in runs if run.downtime_ms is not None]
    figures = (median(errors), min(errors), max(errors)) if errors else ()
    return (
        runs[0].build,
        runs[0].variant,
        _counted([run.verdict or run.status for run in runs]),
        _counted([run.formula or "unknown" for run in runs if run.verdict]),
        *(f"{figure:+z.2f}" for figure in figures),
        *("-" for _ in range(3 - len(figures))),
        _counted([run.limit_verdict for run in runs if run.verdict]),
        _counted([run.convergence for run in runs if run.convergence]),
        f"{median(down):.0f}" if down else "-",
    )


def _counted(words: Sequence[str]) -> str:
    counts = Counter(words)
    if len(counts) == 1:
        return f"{words[0]} {len(words)}×" if len(words) > 1 else words[0]
    return ", ".join(f"{word} {n}×" for word, n in counts.most_common()) or "-"


def _clause(one: Comparison) -> str:
    contrast = one.contrast
    if contrast is None:
        return f"{Answer.UNDECIDED} whether {one.build} differs from {one.reference}: {one.untold}"
    where = f" in {contrast.variant}" if contrast.variant else ""
    test, (before, after) = contrast.test, contrast.runs
    rests_on = f"U = {test.u:g} of {test.pairs}, p = {{p:.2g}}, {before} + {after} runs"
    failed = "".join(
        f"{n} of {runs} failed on {name}, "
        for n, runs, name in zip(contrast.failed, contrast.runs, (one.reference, one.build), strict=True)
        if any(contrast.failed)
    )
    if one.answer is Answer.EQUAL:
        apart = f"|error| within ±{contrast.equivalence_margin:.2%}, {failed}two one-sided tests"
        least_sure = f" of {contrast.variant}, the least sure" if contrast.variant else ""
        return f"{one.build} is equal to {one.reference}: {apart} {rests_on.format(p=contrast.tost_p)}{least_sure}"
    tested = f"rank test {rests_on.format(p=test.p)}"
    if one.answer is Answer.UNDECIDED:
        needed = f"; {one.needed} repetitions may be enough" if one.needed and not one.untold else ""
        untold = f"; {one.untold}" if one.untold else ""
        return f"{Answer.UNDECIDED} whether {one.build} differs from {one.reference}{where}: {tested}{needed}{untold}"
    size = (
        "a fault other than the report"
        if _of_another_fault(contrast)
        else f"|error| {contrast.hodges_lehmann_shift:+z.2%}"
    )
    return f"{one.build} is {one.answer} than {one.reference}{where}: {size}, {failed}{tested}"


def _of_another_fault(contrast: Contrast) -> bool:
    return abs(contrast.hodges_lehmann_shift) > ANOTHER_FAULT / 2


def _answer(one: Comparison) -> dict[str, Any]:
    contrast = one.contrast
    answer: dict[str, Any] = {"build": one.build, "reference": one.reference, "answer": str(one.answer)}
    answer |= {"needed": one.needed, "untold": one.untold or None, "unlike": one.unlike or None, "contrast": None}
    if contrast is None:
        return answer
    test = contrast.test
    return answer | {
        "contrast": {
            "variant": contrast.variant or None,
            "shift": None if _of_another_fault(contrast) else contrast.hodges_lehmann_shift,
            "margin": contrast.equivalence_margin,
            "u": test.u,
            "pairs": test.pairs,
            "p": contrast.tost_p if one.answer is Answer.EQUAL else test.p,
            "runs": contrast.runs,
            "failed": contrast.failed,
        }
    }
