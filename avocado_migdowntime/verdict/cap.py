# SPDX-License-Identifier: GPL-2.0-or-later
"""Does QEMU keep to max-bandwidth while the guest runs? Once the guest is stopped it need not."""

from dataclasses import dataclass

from ..oracle.caps import NAME, CapUse
from ..oracle.evidence import Evidence
from .check import Check, Outcome
from .codes import CAP, CODES

_OUTCOMES = {"kept": Outcome.PASSED, "not-kept": Outcome.FAILED}


@dataclass(frozen=True)
class CapFinding:
    """Whether max-bandwidth was kept, by a `code` of the check, and where the largest share of it was used."""

    code: str
    most: CapUse | None = None

    @property
    def check(self) -> Check:
        """The check that no more was sent than max-bandwidth allows."""
        return Check(CAP, _OUTCOMES.get(self.code, Outcome.NOT_JUDGED), self.code, self.sentence)

    @property
    def sentence(self) -> str:
        """Why max-bandwidth was not kept, or why that is unknown; else empty."""
        if self.code != "not-kept" or self.most is None:
            return "" if self.code == "kept" else CODES[CAP][self.code]
        most = self.most
        return (
            f"QEMU exceeds max-bandwidth: it sent {most.sent_bytes / 1e6:.1f} MB in {most.lasted_s:.1f} s, but "
            f"{most.bytes_per_s:.0f} B/s allow at most {most.allowed_bytes / 1e6:.1f} MB"
        )


def judge_cap(evidence: Evidence) -> CapFinding:
    """Compare what was sent while the guest ran with the max-bandwidth in force."""
    if not evidence.trace.tracks(NAME):
        return CapFinding("not-tracked")
    most = evidence.most_of_cap
    if most is None:
        return CapFinding("not-seen")
    return CapFinding("not-kept" if most.used > 1 else "kept", most)
