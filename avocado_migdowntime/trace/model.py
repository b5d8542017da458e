# SPDX-License-Identifier: GPL-2.0-or-later
"""A recorded migration: what QEMU answered to query-migrate, when, and the events in between.

Everything that judges starts from a Trace; nothing here knows where a trace came from.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf
from typing import Any

import numpy as np

from ..basics.printable import in_a_line, printable, quoted
from ..basics.qemu_constants import DEFAULT_MULTIFD_CHANNELS, MULTIFD_PACKET_BYTES, NO_PRECOPY, NO_RAM
from ..basics.units import MIB, format_size
from ..errors import UsageError
from .begins import last_migration
from .events import Event
from .packets import went_in_packets
from .ram import optional_number
from .reading import Reading
from .rounding import rounded
from .sample import STOPPED, Sample
from .samples import Samples

_LEAST_GRANULE = 4096
_DIRTIER = "dirtier"
"""Value in the header for this package's guest without an operating system (images/README.md)."""
_HOST_PAGES_BESIDE = 8
"""The most host pages that it writes outside its region: program, stack, telemetry, and unaligned edges."""
_COMMIT = re.compile(r"v\d[\w.-]{1,60}", re.ASCII)
"""A commit as `git describe` names it: the package name of a QEMU that was built in its git tree."""
_RELEASE_PARTS = ("major", "minor", "micro")
_GREATEST_PART = 999
_COUNTS_LATE = 8
"""From this release on, pages of multifd may be counted as sent later than they are queued."""
_NAMES = ("arch", "machine", "accelerator", "guest", "backing")
"""Text fields that say what was migrated."""
_LONGEST_NAME = 200
DESTINATION = "qemu_destination"
"""Header key: the destination's answer to query-version, if that is another QEMU."""
TRACKED = "tracked"
"""Header key: the migrate parameters of which every change is recorded."""
LIMITS_LOGGED = "limits-logged"
"""Header key of a trace from a text that logs each downtime-limit that is set."""
FROM_A_PIPE = "from a pipe"
"""Value of the header's `recorded` for a recording of a text that came through a pipe."""
GONE = (
    "at the end no job is shown: the migration is over, unless that is another guest's or host's; how it ended is not "
    "shown"
)
"""The note on a trace whose last sample found no migration any more."""
SEVERAL = "several migrations are recorded: the last one is judged"
"""The note on a trace that is the last of several."""


@dataclass(frozen=True)
class Trace:
    """Samples and events of one migration in the order of their time.

    `header` is what was known at the beginning: `qemu` (query-version), `arch`, `accelerator`, `migrate-parameters`
    (query-migrate-parameters), `capabilities` (the enabled ones) …; `notes` are remarks from reading it. A `snapshot`
    is a single answer without a history, or several that do not make a pass: its last sample counts. Texts are made
    printable. `samples` may also be a sequence of Sample.

    If the trace was read from a text, `readings` has what the text shows for each of the last samples, in their order,
    with the interval that rounding allows and with derived figures. `lacks` names what the last of them does not show,
    in QMP's spelling; the sample has 0 for it. If that one has no figures of RAM, `lacks` is about the last that has.
    `doubt` says why nothing follows from the figures, if they cannot belong together.
    """

    samples: Samples
    events: tuple[Event, ...] = ()
    header: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    snapshot: bool = False
    readings: tuple[Reading, ...] = ()
    lacks: tuple[str, ...] = ()
    doubt: str = ""

    def __post_init__(self) -> None:
        rows: Sequence[Sample] = self.samples
        if not isinstance(rows, Samples):
            object.__setattr__(self, "samples", Samples.of(rows))
        labels = tuple(map(in_a_line, self.samples.labels))
        if labels != self.samples.labels:
            object.__setattr__(self, "samples", Samples(self.samples.table, labels))
        object.__setattr__(self, "header", printable(self.header))
        if any(reading.rounding for reading in self.readings) and not np.any(self.samples.open_bytes):
            object.__setattr__(self, "samples", rounded(self.samples, self.readings))

    @property
    def downtime_limit_ms(self) -> float | None:
        """The configured downtime-limit in milliseconds, if known."""
        return optional_number(self.migrate_parameters, "downtime-limit")

    @property
    def switchover_bytes_per_ms(self) -> float | None:
        """avail-switchover-bandwidth, if set: QEMU 8.2 and later divide by it instead of by mbps."""
        bandwidth = optional_number(self.migrate_parameters, "avail-switchover-bandwidth")
        return bandwidth / 1000 if bandwidth else None

    def tracks(self, parameter: str) -> bool:
        """Whether the recording shows this parameter's value at all times."""
        tracked = self.header.get(TRACKED)
        return parameter in self.migrate_parameters and isinstance(tracked, list) and parameter in tracked

    @cached_property
    def queued_bytes(self) -> float:
        """The most bytes that can be queued but not yet counted as sent; 0 if they are counted at once.

        QEMU 7.2 counts the pages of multifd when it queues them (migration/ram.c: ram_save_multifd_page), 9.0 and later
        when a channel takes them; one packet more than there are channels can wait. For a text that does not list the
        capabilities, its figures may show whether multifd was on.
        """
        release = self.header.get("qemu", {}).get("qemu") or {}
        by_multifd = "multifd" in self.capabilities
        if self.readings and "capabilities" not in self.header:
            by_multifd = went_in_packets(self.samples, self.readings)
        if not by_multifd or release.get("major", _COUNTS_LATE) < _COUNTS_LATE:
            return 0.0
        channels = optional_number(self.migrate_parameters, "multifd-channels") or DEFAULT_MULTIFD_CHANNELS
        return (channels + 1) * MULTIFD_PACKET_BYTES

    @property
    def migrate_parameters(self) -> Mapping[str, Any]:
        """query-migrate-parameters as recorded; empty if it was not."""
        parameters = self.header.get("migrate-parameters")
        return parameters if isinstance(parameters, Mapping) else {}

    @property
    def capabilities(self) -> tuple[str, ...]:
        """Migration capabilities that were switched on, if the recording says so."""
        return tuple(self.header.get("capabilities", ()))

    @property
    def no_precopy(self) -> str:
        """Why no precopy is to be judged with these capabilities and in this mode; '' if one may be."""
        mode = self.migrate_parameters.get("mode", "normal")
        if mode != "normal":
            return f"the migration's mode is {mode}, not normal: {NO_RAM}"
        return next((f"{name} {NO_PRECOPY[name]}" for name in self.capabilities if name in NO_PRECOPY), "")

    @property
    def subject(self) -> str:
        """What was migrated, as far as recorded: QEMU's release, the guest, and the backing of its RAM."""
        words = [
            _named(self.header.get("qemu", {})),
            *(str(self.header[name]) for name in ("arch", "machine", "accelerator") if name in self.header),
        ]
        if str(self.header.get("guest")).startswith("Linux"):
            words.append(f"with {self.header['guest']}")
        if its := _named(self.header.get(DESTINATION, {})):
            words.append(f"to {its}")
        if "backing" in self.header:
            of = f" of {format_size(int(self.host_page_bytes))}" if self.host_page_bytes else ""
            words.append(f"on {self.header['backing']} pages{of}")
        if (granule := optional_number(self.header, "granule") or 0) > _LEAST_GRANULE:
            words.append(f"in granules of {format_size(int(granule))} that the guest itself writes whole")
        return " ".join(filter(None, words))

    @property
    def host_page_bytes(self) -> float:
        """The page size of the guest RAM's backing, if recorded (`backing_page_size`), else 0."""
        return optional_number(self.header, "backing_page_size") or 0

    @property
    def ram_bytes(self) -> float:
        """The size of the guest's RAM, if recorded (`ram_mib`), else 0."""
        return (optional_number(self.header, "ram_mib") or 0) * MIB

    @property
    def most_host_pages(self) -> float:
        """An upper bound of the host pages that the guest dirties; infinite if not known.

        It is known for this package's own guest, which writes to its region and to a few other pages.
        """
        region_mib = optional_number(self.header, "dirtied_mib")
        if self.header.get("guest") != _DIRTIER or not region_mib or not self.host_page_bytes:
            return inf
        return region_mib * MIB / self.host_page_bytes + _HOST_PAGES_BESIDE

    def last_migration(self) -> "Trace":
        """The trace itself; or, if it holds several migrations, the part from the last one's begin, with a note.

        A limit that was set before that becomes the configured one. A sample of a recording whose counters do not fit
        those around it is left out, with a note.
        """
        rows, left_out = last_migration(self.samples, by_counters=not self.readings)
        begin = int(rows[0]) if len(rows) else 0
        if not begin and not len(left_out):
            return self
        samples = self.samples.take(rows)
        earlier, events = parted(self.events, float(samples.t_s[0])) if begin else ([], self.events)
        return replace(
            self,
            samples=samples,
            events=tuple(events),
            header=header_after(self.header, earlier),
            notes=(*self.notes, *([SEVERAL] if begin else []), *on_left_out(self.samples.t_s[left_out].tolist())),
            readings=self.readings[-len(samples) :],
        )

    @property
    def is_bare_text(self) -> bool:
        """Whether it was read from a text whose limit may have been changed before or after it was shown."""
        return bool(self.readings) and not self.header.keys() & {"recorded", LIMITS_LOGGED}

    @property
    def completed(self) -> bool:
        """Whether the migration completed."""
        return self.samples[-1].status == "completed"

    @property
    def switchover_s(self) -> float:
        """When the source stopped the guest to complete the migration; infinite if not known."""
        stop = self.switchover_stop
        return stop.t_s if stop else np.inf

    @property
    def switchover_stop(self) -> Event | None:
        """The source's last STOP, if the migration completed after it."""
        return self._last_stop if self.completed else None

    @property
    def stopped_at_the_end_s(self) -> float:
        """When the source's guest was stopped, perhaps for the switchover, if no sample was requested after it.

        Infinite if not known.
        """
        stop = self._last_stop
        return stop.t_s if stop and stop.t_s > float(self.samples.t_s[-1]) else np.inf

    @property
    def is_stopped(self) -> bool:
        """Whether a migration goes on whose guest was stopped before the last sample, perhaps for the switchover."""
        if self.samples[-1].status in STOPPED:
            return True
        stop = self._last_stop
        return stop is not None and self.samples[-1].status == "active" and stop.t_s <= float(self.samples.t_s[-1])

    @property
    def was_stopped_early(self) -> bool:
        """Whether the guest of a precopy that completed was stopped not for the switchover, but some time before it.

        A single sync follows the stop for the switchover, which is not where the migration begins.
        """
        if self.switchover_s <= 0:
            return True
        last = self.samples[-1].ram
        after = self.samples.t_s > self.switchover_s
        syncs = self.samples.dirty_sync_count[after & self.samples.has_ram & self.samples.are("active")]
        if last is None or not len(syncs) or np.any(self.samples.are("postcopy-active")):
            return False
        return bool(0 < syncs[0] < last.dirty_sync_count - 1)

    @property
    def _last_stop(self) -> Event | None:
        """The source's last STOP, unless its guest was resumed after it."""
        last = next((e for e in reversed(self.events) if e.side == "source" and e.name in ("STOP", "RESUME")), None)
        return last if last and last.name == "STOP" else None

    def first_event(self, side: str, name: str, /, **data: str) -> Event | None:
        """The first event of this side and name whose data contain all of `data`."""
        wanted = data.items()
        return next((e for e in self.events if (e.side, e.name) == (side, name) and wanted <= e.data.items()), None)


def on_left_out(times_s: Sequence[float]) -> tuple[str, ...]:
    """The note on samples of these times that are left out; none if there are none."""
    if not times_s:
        return ()
    which = f"the sample at {times_s[0]:.2f} s is left out: a counter in it does"
    if len(times_s) > 1:
        which = f"{len(times_s)} samples, from {times_s[0]:.2f} s, are left out: a counter in each does"
    return (f"{which} not fit those of the samples around it",)


def parted(events: Iterable[Event], begin_s: float) -> tuple[list[Event], list[Event]]:
    """Split events: those before a migration whose first sample was requested at `begin_s`, and those that belong to
    it.
    """
    parts: tuple[list[Event], list[Event]] = [], []
    for event in events:
        parts[event.t_s >= begin_s].append(event)
    return parts


def header_after(header: Mapping[str, Any], earlier: Iterable[Event]) -> Mapping[str, Any]:
    """The header of a migration that began after the `earlier` events."""
    later: dict[str, float] = {}
    for event in earlier:
        changed = {
            "downtime-limit": event.limit_ms,
            "max-bandwidth": event.cap_bytes_per_s,
            "avail-switchover-bandwidth": event.divisor_bytes_per_s,
        }
        later |= {name: value for name, value in changed.items() if value is not None}
    if not later:
        return header
    parameters = Trace(Samples(), header=header).migrate_parameters
    return {**header, "migrate-parameters": {**parameters, **later}}


def checked_header(header: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the `header` unchanged; raises UsageError if it is no header of a recording, or has invalid values."""
    if not isinstance(header.get("qemu"), Mapping) or not isinstance(header.get("migrate-parameters"), Mapping):
        lacks = "has no 'qemu' and 'migrate-parameters' objects; this is not the header of a recording"
        raise UsageError(lacks)
    trace = Trace(Samples(), header=header)
    trace.downtime_limit_ms  # noqa: B018 - raises on a wrong type
    if not isinstance(header["qemu"].get("qemu", {}), Mapping):
        raise UsageError(f"'qemu' is {quoted(header['qemu'])} where the answer to query-version was expected")
    trace.most_host_pages  # noqa: B018 - raises on a wrong type
    trace.ram_bytes  # noqa: B018 - raises on a wrong type
    _check_parts(header["qemu"].get("qemu", {}))
    its = header.get(DESTINATION, {})
    if not isinstance(its, Mapping) or not isinstance(its.get("qemu", {}), Mapping):
        raise UsageError(f"{DESTINATION!r} is {quoted(its)} where the answer to query-version was expected")
    _check_parts(its.get("qemu", {}))
    _check_names(header, _NAMES)
    _check_names(header["migrate-parameters"], ("mode",))
    trace.host_page_bytes  # noqa: B018 - raises on a wrong type
    capabilities = header.get("capabilities", [])
    if not isinstance(capabilities, list) or not all(isinstance(name, str) for name in capabilities):
        raise UsageError(f"'capabilities' is {quoted(capabilities)} where a list of names was expected")
    return header


def _named(version: Mapping[str, Any]) -> str:
    """The QEMU in an answer to query-version, in words; empty if the answer does not say."""
    release, package = version.get("qemu"), version.get("package")
    if not release:
        return ""
    words = f"QEMU {'.'.join(str(release.get(part, '?')) for part in _RELEASE_PARTS)}"
    return f"{words} ({package})" if isinstance(package, str) and _COMMIT.fullmatch(package) else words


def _check_parts(release: Mapping[str, Any]) -> None:
    for name in filter(release.__contains__, _RELEASE_PARTS):
        part = release[name]
        if isinstance(part, bool) or not isinstance(part, int) or not 0 <= part <= _GREATEST_PART:
            text = quoted(part)
            raise UsageError(f"{name!r} of QEMU's release is {text} where a number up to {_GREATEST_PART} was expected")


def _check_names(fields: Mapping[str, Any], names: Iterable[str]) -> None:
    for name in filter(fields.__contains__, names):
        if not isinstance(fields[name], str) or len(fields[name]) > _LONGEST_NAME:
            raise UsageError(f"{name!r} is {quoted(fields[name])} where a name was expected")
