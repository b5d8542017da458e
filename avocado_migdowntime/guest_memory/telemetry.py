# SPDX-License-Identifier: GPL-2.0-or-later
"""The page in which the guest reports what it has done (images/README.md: Telemetry)."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from ..errors import HarnessError

PAGE_BYTES = 4096
"""The unit of the guest's writes, and the size of the telemetry page itself."""
PATTERN_NAMES = ("sequential", "random", "idle", "hot-cold")
"""By their numbers in the page."""
HEARTBEAT_COUNT_OFFSET = 48
_MAGIC = b"MIGDOWNT"
_FIELDS = 28
MOST_VCPUS = 16
"""The most vCPUs that can dirty, each a share of the region."""
_OF_VCPU = 9
"""Words in which each further vCPU reports its progress, after the fields; the first is its count of pages."""
_MOST_WRITES = 1 << 62
"""More than any guest writes, and few enough for 64 bits."""


@dataclass(frozen=True)
class Telemetry:
    """The guest's orders and its progress; addresses are guest-physical.

    `byte_order` is `<` or `>`. `region_start` is 0 if the pages of the region are scattered over the RAM.
    `pages_written` is what the first vCPU has written in its share of the region; `others_written` has the same for
    each further vCPU.
    """

    byte_order: str
    heartbeat_count: int
    region_start: int
    region_bytes: int
    granule_bytes: int
    rate_pages_per_s: int
    pattern: str
    seed: int
    pages_written: int
    hot_percent: int
    share_percent: int
    others_written: tuple[int, ...] = ()

    @classmethod
    def parse(cls, page: bytes) -> "Telemetry":
        """Parse the bytes of the page; raises HarnessError if they are not of a running guest."""
        if page[:8] not in (_MAGIC, _MAGIC[::-1]):
            raise HarnessError(f"the guest's telemetry page begins with {page[:8].hex()}, not with its magic number")
        byte_order = ">" if page[:8] == _MAGIC else "<"
        if len(page) < 8 * _FIELDS:
            raise HarnessError(f"the guest's telemetry page ends after {len(page)} bytes")
        words = struct.unpack_from(f"{byte_order}{_FIELDS}Q", page)
        if words[11] >= len(PATTERN_NAMES):
            raise HarnessError(f"the guest's telemetry page names pattern {words[11]}, which is unknown")
        vcpus = words[27]
        if not 1 <= vcpus <= MOST_VCPUS:
            raise HarnessError(f"the guest's telemetry page names {vcpus} vCPUs, expected 1 to {MOST_VCPUS}")
        others = struct.Struct(f"{byte_order}{_OF_VCPU * (vcpus - 1)}Q")
        if len(page) < 8 * _FIELDS + others.size:
            raise HarnessError(f"the guest's telemetry page ends after {len(page)} bytes")
        return cls(
            byte_order=byte_order,
            heartbeat_count=words[6],
            region_start=words[7],
            region_bytes=words[8],
            granule_bytes=words[9],
            rate_pages_per_s=words[10],
            pattern=PATTERN_NAMES[words[11]],
            seed=words[12],
            pages_written=words[13],
            hot_percent=words[22],
            share_percent=words[23],
            others_written=others.unpack_from(page, 8 * _FIELDS)[::_OF_VCPU],
        )

    def held_to(self, ordered: Mapping[str, int | str]) -> "Telemetry":
        """Return this if it agrees with what the guest was `ordered`, by field names.

        Raises HarnessError if a field differs, or if it reports more writes than there can be.
        """
        for name, wanted in ordered.items():
            if (value := getattr(self, name)) != wanted:
                raise HarnessError(
                    f"the guest's telemetry page has {value} as its {name}, expected {wanted}; so it is unknown what "
                    "the guest wrote"
                )
        if (most := max((self.pages_written, *self.others_written))) > _MOST_WRITES:
            raise HarnessError(f"the guest's telemetry page counts {most} writes, which is impossible")
        return self

    @property
    def pages(self) -> int:
        """The number of 4 KiB pages in the region."""
        return self.region_bytes // PAGE_BYTES

    @property
    def all_written(self) -> int:
        """The pages that all vCPUs have written."""
        return self.pages_written + sum(self.others_written)

    @property
    def vcpus(self) -> int:
        """The number of vCPUs that dirty, each a share of the region."""
        return 1 + len(self.others_written)

    @property
    def shares(self) -> tuple["Telemetry", ...]:
        """The telemetry of each vCPU as if it were the only one: with its share of the region and its writes."""
        granules = self.region_bytes // self.granule_bytes
        begins = [granules * vcpu // self.vcpus * self.granule_bytes for vcpu in range(self.vcpus + 1)]
        return tuple(
            replace(self, region_bytes=end - begin, pages_written=pages_written, others_written=())
            for (begin, end), pages_written in zip(
                pairwise(begins), (self.pages_written, *self.others_written), strict=True
            )
        )

    @property
    def finished(self) -> bool:
        """Whether the guest has written everything it ever will."""
        ends = self.pattern == "idle" and not self.rate_pages_per_s
        return ends and all(share.pages_written >= share.pages for share in self.shares)
