# SPDX-License-Identifier: GPL-2.0-or-later
"""The recordings of real migrations, unchanged and as a faulty QEMU would have answered."""

import gzip
from pathlib import Path

import msgspec

from avocado_migdowntime.forms.file import parse

RECORDINGS = Path(__file__).parents[1] / "recordings"
CLEAN = ["ppc64-tcg-qemu-5.2", "ppc64-tcg-qemu-7.2", "ppc64-tcg-qemu-11.1", "x86_64-kvm-qemu-7.2"]
WITH_LIMIT_700 = "x86_64-kvm-qemu-7.2-limit-700ms"
ACCURATE = RECORDINGS / f"{WITH_LIMIT_700}.jsonl.gz"
WRONG = RECORDINGS / "ppc64-tcg-qemu-7.2-with-dirty-rate-formula.jsonl.gz"
STOPPED = RECORDINGS / "ppc64-tcg-qemu-7.2-stopped-in-mid-pass.jsonl.gz"
SNAPSHOT = RECORDINGS / "info-migrate-power8.txt"


def recording(name):
    return RECORDINGS / f"{name}.jsonl.gz"


def altered(name, alter):
    """The recording with each answer to query-migrate passed through `alter`, as a faulty QEMU would have answered."""
    records = msgspec.json.Decoder().decode_lines(gzip.decompress(recording(name).read_bytes()))
    for record in records:
        if "expected-downtime" in record.get("query-migrate", {}):
            alter(record["query-migrate"])
    return parse(b"\n".join(map(msgspec.json.encode, records)))
