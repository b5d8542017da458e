# SPDX-License-Identifier: GPL-2.0-or-later
"""Are the pending bytes that QEMU 11.1 reports those left of RAM plus those of devices?"""

from dataclasses import dataclass

from ..basics.interval import Interval
from ..oracle.devices import LEAST_BYTES
from ..oracle.evidence import Evidence
from .check import Check, Outcome
from .codes import PENDING

_MOST = 0.5
"""The share of looks that must be inconsistent: a single one may be torn."""
_OUTCOMES = {"adds-up": Outcome.PASSED, "not-what-is-left": Outcome.FAILED}


@dataclass(frozen=True)
class PendingFinding:
    """Whether the `remaining` of the whole answer adds up, by a `code` of the check.

    `device_bytes` is what devices have to send, as far as known; at `strange` of the `looks` it would have to differ.
    """

    code: str
    device_bytes: Interval
    strange: int
    looks: int

    @property
    def has_devices(self) -> bool:
        """Whether devices certainly have something to send."""
        return self.device_bytes.low >= LEAST_BYTES

    @property
    def check(self) -> Check:
        """The check that the reported pending bytes are what was left."""
        return Check(PENDING, _OUTCOMES[self.code], self.code, self.sentence)

    @property
    def sentence(self) -> str:
        """What is wrong with them; else empty."""
        if self.code == "adds-up":
            return ""
        return (
            f"at {self.strange} of {self.looks} updates, the pending bytes that QEMU reports are not those of RAM plus "
            "a constant amount for devices"
        )


def judge_pending(evidence: Evidence) -> PendingFinding | None:
    """Compare the pending bytes that QEMU reports with what was left; None if it reports none, as up to 11.0."""
    devices = evidence.devices
    if devices is None:
        return None
    looks = devices.at_looks.shape[1]
    strange = devices.strange_looks(LEAST_BYTES)
    code = "not-what-is-left" if strange > _MOST * looks else "adds-up"
    return PendingFinding(code, devices.likely_bytes, strange, looks)
