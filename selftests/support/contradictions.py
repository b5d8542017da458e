# SPDX-License-Identifier: GPL-2.0-or-later
"""Does a part of a recording ever contradict the whole?

A recording is thinned to some period, cut somewhere, and written in one of the forms that people have. The conclusion
from that must be that of the whole, or none. Each case is determined by its seed.
"""

import gzip
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from typing import Any

import msgspec

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advice import Advice, Finding
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.updates import FROZEN, ONCE_A_PASS, STALE, UNCOMPUTED
from avocado_migdowntime.verdict.verdict import Judgement, Verdict

from .printed import FORMS, Rows
from .recorded import RECORDINGS
from .simulate import Simulation, random_writes, sweep

LEAST_PERIOD_S, GREATEST_PERIOD_S = 0.01, 60.0
FAULTS_OF_UPDATES = (UNCOMPUTED, FROZEN, STALE, ONCE_A_PASS)
CUTS = 10
"""The number of cases cut from one text."""
SINCE = {
    "ppc64-tcg-qemu-10.0-multifd-zstd.jsonl.gz": 30_000_000,
    "ppc64-tcg-qemu-7.2-cap-raised-in-a-window.jsonl.gz": 30_000_000,
    "x86_64-tcg-qemu-11.1-auto-converge.jsonl.gz": 30_000_000,
    "x86_64-tcg-qemu-11.1-multifd.jsonl.gz": 30_000_000,
    "ppc64-tcg-qemu-11.1-postcopy-recovered.jsonl.gz": 80_000_000,
    "x86_64-tcg-qemu-7.2-postcopy-recovered.jsonl.gz": 80_000_000,
    "x86_64-tcg-qemu-10.0-hugepages-ended-in-a-burst.jsonl.gz": 120_000_000,
    "x86_64-tcg-qemu-7.2-hugepages-limit-1000ms.jsonl.gz": 120_000_000,
    "x86_64-tcg-qemu-10.0-busy-host-with-once-a-pass.jsonl.gz": 140_000_000,
    "x86_64-tcg-qemu-7.2-burst-in-parts.jsonl.gz": 160_000_000,
    "ppc64-tcg-qemu-10.0-switched-over-without-a-sync.jsonl.gz": 160_000_000,
}
"""From this seed on, recordings that were added later are used as well, so that earlier seeds keep their cases."""
Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Recording:
    """A whole migration: its header, its answers with their times, its other lines, and its conclusions."""

    name: str
    header: Answer
    answers: Sequence[tuple[float, float, Answer]]
    events: Sequence[Answer]
    verdict: Verdict
    advice: Advice

    @classmethod
    def of(cls, name: str, lines: Sequence[Answer]) -> "Recording":
        """The recording in these lines of a file."""
        header, *rest = lines
        answers = [(row["t"], row["latency_ms"], row["query-migrate"]) for row in rest if "query-migrate" in row]
        events = [row for row in rest if "event" in row]
        trace = parse(b"\n".join(map(msgspec.json.encode, lines)))
        return cls(name, header, answers, events, judge(trace), advise(trace))


@dataclass(frozen=True)
class Case:
    """One part of one recording in one form; `trace` is None if the form's reader refuses it."""

    seed: int
    recording: Recording
    period_s: float
    form: str
    trace: Trace | None

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict on the part, which must have been read."""
        assert self.trace is not None
        return judge(self.trace)

    @cached_property
    def advice(self) -> Advice:
        """The advice from the part alone."""
        assert self.trace is not None
        return advise(self.trace)


def case(seed: int) -> Case:
    """The case of `seed`.

    CUTS consecutive seeds cut the same text: the first cuts it before it is read, the others cut the trace.
    """
    group, cut = divmod(seed, CUTS)
    recording, period_s, form, kept = _text(group)
    dice = random.Random(seed)
    if not cut:
        begin, end = _cut(len(kept), dice)
        trace = _read(FORMS[form](recording.header, kept[begin:end], recording.events))
    elif (trace := _whole(group)) is not None:
        begin, end = _cut(len(trace.samples), dice)
        without = len(trace.samples) - len(trace.readings)
        readings = trace.readings[max(0, begin - without) : max(0, end - without)]
        single = end - begin == 1 and bool(trace.readings)
        trace = replace(trace, samples=trace.samples[begin:end], readings=readings, snapshot=trace.snapshot or single)
    return Case(seed, recording, period_s, form, trace)


@lru_cache(maxsize=2)
def _text(group: int) -> tuple[Recording, float, str, Rows]:
    """A recording thinned to some period, and the form that it is put into."""
    dice = random.Random(f"text {group}")
    names = sorted(path.name for path in RECORDINGS.glob("*.gz") if group * CUTS >= SINCE.get(path.name, 0))
    recording = real(dice.choice(names)) if dice.randrange(4) else simulated(dice.randrange(500))
    period_s = math.exp(dice.uniform(math.log(LEAST_PERIOD_S), math.log(GREATEST_PERIOD_S)))
    form = dice.choice(sorted(FORMS))
    kept = _thinned(recording.answers, period_s, dice)
    return recording, period_s, form, kept


@lru_cache(maxsize=2)
def _whole(group: int) -> Trace | None:
    """What is read from that text."""
    recording, _, form, kept = _text(group)
    return _read(FORMS[form](recording.header, kept, recording.events))


def _read(text: str) -> Trace | None:
    try:
        return parse(text.encode())
    except UsageError:
        return None


def _cut(count: int, dice: random.Random) -> tuple[int, int]:
    begin = dice.choice([0, dice.randrange(count)])
    return begin, dice.choice([count, dice.randrange(begin, count) + 1])


def contradictions(one: Case) -> list[str]:
    """What the part says that contradicts the whole."""
    if one.trace is None:
        return []
    whole, verdict = one.recording.verdict, one.verdict
    found = []
    if verdict.verdict not in (Judgement.INCONCLUSIVE, whole.verdict):
        found.append(f"{verdict.verdict} ({verdict.report.code}) where the whole is {whole.verdict}")
    # How a report is updated, a part need not show: it may fit a formula, or look like another fault of updates.
    if verdict.formula not in (None, whole.formula) and whole.formula not in FAULTS_OF_UPDATES:
        found.append(f"{verdict.formula} where the whole shows {whole.formula}")
    if verdict.passed not in (None, whole.passed):
        found.append(f"passed is {verdict.passed} where that of the whole is {whole.passed}")
    advice, of_whole = one.advice, one.recording.advice
    if advice.finding is not Finding.UNKNOWN and advice.finding is not of_whole.finding:
        found.append(f"limit {advice.finding} where that of the whole is {of_whole.finding}")
    elif advice.limit_ms is not None and of_whole.range_ms is not None:
        low, high = of_whole.range_ms.low, of_whole.range_ms.high
        if not low <= advice.limit_ms <= high:
            found.append(f"a limit of {advice.limit_ms} ms where that of the whole is {low:.0f} to {high:.0f} ms")
    return found


@cache
def real(name: str) -> Recording:
    """One of the recordings next to the tests."""
    return Recording.of(name, msgspec.json.Decoder().decode_lines(gzip.decompress((RECORDINGS / name).read_bytes())))


@cache
def simulated(seed: int) -> Recording:
    """A simulated migration: any guest, bandwidth, limit and formula."""
    dice = random.Random(seed)
    bytes_per_ms = math.exp(dice.uniform(math.log(3_000), math.log(120_000)))
    pages = int(dice.uniform(300, 4_000) * bytes_per_ms / 4096)
    kind = dice.choice([random_writes, sweep])
    estimate = dice.choice([Simulation.estimate, Simulation.estimate, *_OTHERS])
    simulation = Simulation(
        [pages + dice.randrange(1 + pages)],
        bytes_per_ms,
        dice.choice([1, 5, 50, 150, 300, 700]),
        estimate=estimate,
        noise=dice.choice([0.0, 0.0, 0.02, 0.1]),
        workload=kind(pages, dice.uniform(0.3, 5) * bytes_per_ms / 4096),
        duration_ms=dice.randrange(4_000, 30_000),
    )
    header = {"qemu": {}, "migrate-parameters": {"downtime-limit": simulation.limit_ms}}
    rows: list[Answer] = [header]
    transferred = 0.0
    before = 0.0
    for ms, answer in simulation.run(range(1, simulation.duration_ms, 20)):
        ram = answer.get("ram")
        if ram is not None:
            transferred += max(0.0, ram["normal"] - before) * 4096
            before = ram["normal"]
            ram = {**ram, "transferred": int(transferred), "normal-bytes": ram["normal"] * 4096}
            answer = {**answer, "ram": ram, "total-time": ms, "setup-time": 1}
        rows.append({"t": ms / 1000, "latency_ms": 0.5, "query-migrate": answer})
    return Recording.of(f"simulated {seed}", rows)


_OTHERS = (
    lambda sync, live, rate, bw: rate / bw * 1000,
    lambda sync, live, rate, bw: sync / bw * (1 + rate / bw),
)
"""dirty-rate and redirty."""


def _thinned(
    answers: Sequence[tuple[float, float, Answer]], period_s: float, dice: random.Random
) -> list[tuple[float, float, Answer]]:
    """The answers nearest to multiples of the period, from some phase on; the last one with an even chance."""
    next_s = answers[0][0] + dice.uniform(0, min(period_s, answers[-1][0] - answers[0][0]))
    kept = []
    for row in answers:
        if row[0] >= next_s:
            kept.append(row)
            next_s = max(next_s + period_s, row[0])
    if dice.random() < 0.5 and (not kept or kept[-1] is not answers[-1]):
        kept.append(answers[-1])
    return kept or [answers[-1]]
