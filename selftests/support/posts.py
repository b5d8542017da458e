# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts as they are posted, of the monitor and of virsh, and what a refusal says of one."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse

SHOWN = """\
Migration status: active
total time: 341207 ms
expected downtime: 2950 ms
setup: 8 ms
transferred ram: 11020334 kbytes
throughput: 894.12 mbps
remaining ram: 301408 kbytes
total ram: 4211528 kbytes
duplicate: 210345 pages
skipped: 0 pages
normal: 2744127 pages
normal bytes: 10976508 kbytes
dirty sync count: 11
page size: 4 kbytes
multifd bytes: 0 kbytes
pages-per-second: 27240
dirty pages rate: 26880 pages
"""
JOB = """\
Job type:         Unbounded
Operation:        Outgoing migration
Time elapsed:     60000        ms
Memory processed: 6.568 GiB
Memory remaining: 224.113 MiB
Memory total:     4.016 GiB
Memory bandwidth: 112.057 MiB/s
Dirty rate:       20000        pages/s
Page size:        4096         bytes
Iteration:        5
Constant pages:   600000
Normal pages:     1716000
Normal data:      6.546 GiB
Expected downtime: 3000         ms
"""


def refusal(text):
    with pytest.raises(UsageError) as caught:
        parse(text.encode())
    return str(caught.value)
