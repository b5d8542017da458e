# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of a migration at one moment."""

from dataclasses import dataclass, field

from ..basics.interval import Interval, span
from ..oracle.evidence import Evidence
from ..oracle.formulas import last_sync
from ..oracle.last_look import last_look
from ..oracle.passes import Pass
from ..oracle.reports import computes_nothing, settling
from ..prediction.advice import Advice
from ..prediction.advise import advise
from ..prediction.observed import PAUSE_S
from ..prediction.outlook import Outlook, outlook
from ..trace.ram import Ram
from ..trace.sample import ENDED
from ..verdict.judge import judge
from ..verdict.verdict import Verdict
from .histories import Histories


@dataclass(frozen=True)
class Now:
    """A migration's state at `t_s` on its trace's clock.

    `number` is the current pass, None if no count is shown; `ram` has the last sample's figures. `reported_ms` is
    QEMU's report; `renewed` says whether QEMU has computed it in this pass, None if the start of the pass was not seen.
    `right_ms` is the expected value, from what was left at the last sync, if that was seen. `limit_ms` is the
    configured downtime-limit and `outlook` its effect; `advice` says which limit to set and `advised` is that one's
    effect. While the migration is active, these are based on what was seen since the limit was last changed, or on what
    came before until there is enough. `verdict` is on QEMU's report; once the migration has completed, it has the real
    downtime.
    """

    t_s: float
    status: str
    subject: str
    number: int | None
    ram: Ram | None
    reported_ms: float | None
    renewed: bool | None
    right_ms: Interval | None
    limit_ms: float | None
    outlook: Outlook | None
    advice: Advice
    advised: Outlook | None
    verdict: Verdict
    histories: Histories = field(default_factory=Histories)

    @property
    def ended(self) -> bool:
        """Whether the migration has ended, successfully or not."""
        return self.status in ENDED

    @property
    def dirty_bytes_per_ms(self) -> float | None:
        """The guest's dirty rate that is shown; None if none is, as in a log that counts no passes either."""
        if self.ram is None or (self.number is None and not self.ram.dirty_bytes_per_ms):
            return None
        return self.ram.dirty_bytes_per_ms


def now(whole: Evidence, learnt: Evidence | None = None, histories: Histories | None = None) -> Now:
    """The state at the last moment of `whole`; the guest's dirtying and QEMU's reports are learnt from `learnt`."""
    learnt = learnt or whole
    sample = whole.samples[-1]
    active = sample.status == "active" and sample.ram is not None
    ram = sample.ram if active else None
    number = (ram.dirty_sync_count or None) if ram else None
    sync = whole.syncs[-1] if whole.syncs and whole.syncs[-1].after.number == number else None
    under_way = sync.after if sync is not None else None
    limit_ms = whole.limits.at(sample.t_s)
    right_ms = None
    is_divisor_known = whole.divisor_changed_s > sample.t_s
    if sync is not None and ram is not None and ram.mbps > 0 and is_divisor_known:
        bytes_per_ms = float(sync.divisor_of(whole.samples[-1:])[0])
        ends = (sync.at_sync_bytes.low, sync.at_sync_bytes.high)
        right_ms = span(float(last_sync(end, ram, bytes_per_ms)) for end in ends)
    is_still = last_look(whole).still_s > PAUSE_S
    # If a limit was set meanwhile, what was learnt may not show this.
    limit_decides = not (whole.trace.is_stopped or sample.disk_bytes or is_still)
    advice = advise(learnt if limit_decides and sample.status not in ENDED else whole)
    return Now(
        t_s=sample.t_s,
        status=sample.status,
        subject=whole.trace.subject,
        number=number,
        ram=ram,
        reported_ms=sample.expected_downtime_ms if active else None,
        renewed=_renewed(ram, under_way),
        right_ms=right_ms,
        limit_ms=limit_ms,
        outlook=_outlook(learnt, limit_ms, under_way) if limit_decides and is_divisor_known else None,
        advice=advice,
        advised=_outlook(learnt, advice.limit_ms, under_way),
        verdict=judge(whole if sample.status in ENDED else learnt),
        histories=histories or Histories(),
    )


def _renewed(ram: Ram | None, under_way: Pass | None) -> bool | None:
    if ram is None or computes_nothing(ram) or ram.dirty_sync_count == 1:
        return False
    return None if under_way is None else not settling(under_way)[-1]


def _outlook(learnt: Evidence, limit_ms: float | None, under_way: Pass | None) -> Outlook | None:
    return None if limit_ms is None or under_way is None else outlook(learnt, limit_ms, under_way)
