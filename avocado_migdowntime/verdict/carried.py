# SPDX-License-Identifier: GPL-2.0-or-later
"""Did the link carry what QEMU says it transferred? All QEMU bandwidth figures are checked against that counter."""

from dataclasses import dataclass

import numpy as np

from ..basics.interval import Interval, span
from ..basics.qemu_constants import MOST_UNCOUNTED_BYTES
from ..basics.units import MIB
from ..oracle.evidence import Evidence
from ..trace.events import BROKEN, CARRIED, HARNESS, Event
from ..trace.ram import number, optional_number
from .check import Check, Outcome
from .codes import CODES, TRANSFERRED
from .error_bounds import NARROW, between

TRANSFERRED_TOLERANCE = 0.05
"""The tolerance: encryption adds some bytes, and what a socket resends is carried twice."""
_MOST_HEADER_BYTES = 134
"""Headers of a packet: 14 bytes for Ethernet, and up to 60 each for IP and TCP (RFC 791, RFC 9293)."""
_COUNTS_WHAT_GOES = (8, 1)
"""From this release on multifd counts the bytes it sent; before, it counted the size of the pages
(migration/multifd.c).
"""
_COUNT_NO_TABLE, _RAM_PER_TABLE = 8, 128
"""Releases up to 8 do not count the hash table. Its size is 1/128 of RAM rounded up to a power of two (hw/ppc/spapr.c:
spapr_hpt_shift_for_ramsize).
"""
_OUTCOMES = {"as-carried": Outcome.PASSED, "not-as-carried": Outcome.FAILED}


@dataclass(frozen=True)
class CarriedFinding:
    """Whether the link carried QEMU's `transferred`, by a `code` of the check.

    `error_interval` is what transferred ÷ carried - 1 may be.
    """

    code: str
    error_interval: Interval | None = None

    @property
    def check(self) -> Check:
        """The check that QEMU transferred as much as it says."""
        return Check(TRANSFERRED, _OUTCOMES.get(self.code, Outcome.NOT_JUDGED), self.code, self.sentence)

    @property
    def sentence(self) -> str:
        """The finding, for people; empty if it is as it should be."""
        if self.code == "not-as-carried":
            return f"the error of transferred, compared with the link, is {self.between}"
        if self.code == "wide":
            return f"the error of transferred, compared with the link, is {self.between}, too wide to decide"
        return "" if self.code == "as-carried" else CODES[TRANSFERRED][self.code]

    @property
    def between(self) -> str:
        """The error's interval, in words."""
        return between(self.error_interval)


def judge_carried(evidence: Evidence) -> CarriedFinding | None:
    """Compare QEMU's `transferred` with what its link carried; None if the link's counters were not recorded.

    The link never carried more than QEMU had passed to the system before, and in the end it carried at least all of it.
    The first bounds how much too low QEMU's figure can be, while the guest ran and no device was sent; the second
    bounds how much too high. If QEMU was given extra arguments, what they add may also send over the link, which QEMU
    does not count; and old releases count pages before they compress them. Raises UsageError if an event of the harness
    is malformed.
    """
    trace = evidence.trace
    looks = [event for event in trace.events if (event.side, event.name) == (HARNESS, CARRIED)]
    if not looks:
        return None
    samples = trace.samples
    tell = np.flatnonzero(~np.isnan(samples.transferred_bytes))
    asked_s, transferred_bytes = samples.t_s[tell], samples.transferred_bytes[tell]
    # A look was before the stop if an answer after it arrived before the stop, however late the stop was noticed.
    running_s = asked_s[samples.answered_s[tell] < trace.switchover_s]
    while_it_ran = [look for look in looks if look.t_s <= max(running_s, default=-np.inf)]
    begin, end = looks[0], looks[-1]
    start = trace.first_event("source", "MIGRATION", status="setup")
    is_whole = start and begin.t_s < start.t_s and trace.completed and samples.t_s[-1] < end.t_s
    if not is_whole or len(while_it_ran) < 2 or trace.first_event(HARNESS, BROKEN):
        return CarriedFinding("not-seen")
    last = while_it_ran[-1]
    payload = _between(begin, last, "bytes") - _MOST_HEADER_BYTES * _between(begin, last, "packets")
    carried = _between(begin, end, "bytes")
    if min(payload, carried) <= 0:
        return CarriedFinding("not-seen")
    uncounted = trace.queued_bytes + MOST_UNCOUNTED_BYTES + _hash_table_bytes(evidence)
    most = (float(transferred_bytes[asked_s.searchsorted(last.t_s)]) + uncounted) / payload - 1
    least = float(transferred_bytes[-1]) / carried - 1
    error = span((least, most))
    if least > TRANSFERRED_TOLERANCE:
        return CarriedFinding("before-compression" if _counts_whole_pages(evidence) else "not-as-carried", error)
    if most < -TRANSFERRED_TOLERANCE:
        return CarriedFinding("not-alone" if trace.header.get("qemu_arguments") else "not-as-carried", error)
    return CarriedFinding("as-carried" if error.within(NARROW) else "wide", error)


def _counts_whole_pages(evidence: Evidence) -> bool:
    """Whether QEMU may count pages by their size before it compresses them, as old releases do with multifd."""
    compression = evidence.trace.migrate_parameters.get("multifd-compression", "none")
    release = evidence.release
    is_old = release is None or (release.major, release.minor) < _COUNTS_WHAT_GOES
    return is_old and "multifd" in evidence.trace.capabilities and compression != "none"


def _hash_table_bytes(evidence: Evidence) -> int:
    """The largest hash table of a pseries, which is sent while the guest runs and which old releases do not count."""
    header, release = evidence.trace.header, evidence.release
    ram_mib = optional_number(header, "ram_mib")
    if header.get("arch") != "ppc64" or not ram_mib or (release is not None and release.major > _COUNT_NO_TABLE):
        return 0
    return int((1 << (int(ram_mib * MIB) - 1).bit_length()) // _RAM_PER_TABLE)


def _between(earlier: Event, later: Event, name: str) -> float:
    return number(later.data, name) - number(earlier.data, name)
