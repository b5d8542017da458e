# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers that are no figure of QEMU: too long, too large, too small, or of other digits."""

import json
import warnings

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.parameters import values

from ..support.fuzzed import readers

READERS = readers()
LONG = [
    "9" * 300,
    "9" * 400,
    "9" * 5000,
    "9" + ",999" * 2000,
    "9" + ".999" * 2000,
    "1e308",
    "1e999",
    "5e-324",
    "\u00b2",
]
RAM = {
    **{"total": 9 << 30, "remaining": 90_000_000, "page-size": 4096, "normal": 20_000, "duplicate": 0},
    **{"dirty-sync-count": 2, "dirty-pages-rate": 12_000, "mbps": 400},
}
REPLY = json.dumps({"status": "active", "expected-downtime": 2000, "ram": RAM})
MONITOR, VIRSH, VT = "Migration status: active\n", "Job type:         Unbounded\n", "(monitor q)    "
TEXTS = {
    "the monitor": MONITOR
    + "total time: @ ms\nexpected downtime: @ ms\ntransferred ram: @ kbytes\nremaining ram: @ kbytes\n"
    + "total ram: @ kbytes\nthroughput: @ mbps\ndirty pages rate: @ pages\ncpu throttle percentage: @\n",
    "the throttling since 11.1": MONITOR + "CPU Throttle (%): @\n",
    "virsh": VIRSH
    + "Time elapsed: @ ms\nMemory remaining: @ MiB\nMemory total: @ GiB\nMemory bandwidth: @ MiB/s\n"
    + "Dirty rate: @ pages/s\nExpected downtime: @ ms\n",
    "the number of a job": "Job type: @\nOperation: @\nMemory remaining: 5 MiB\nExpected downtime: 5 ms\n",
    "Avocado-VT": "(monitor q) Response to 'query-migrate' (re-formated)\n"
    + "".join(f"{VT}{line}\n" for line in ("status: active", "total-time: @", "ram: "))
    + "".join(f"{VT}    {name}: @\n" for name in RAM),
    "the time of a reply": f'{{"return":{{"status":"active","total-time":@,"ram":{json.dumps(RAM)}}}}}\n',
    "a table": "time,status,remaining,total,mbps\n@,active,@,@,@\n2,active,@,900,5\n",
    "records without a header": f'{{"t":@,"latency_ms":1,"query-migrate":{REPLY}}}\n'
    + f'{{"t":1,"latency_ms":@,"query-migrate":{REPLY}}}\n'
    + '{"t":@,"event":{"event":"MIGRATION","data":{"status":"completed"}}}\n',
    "an event": '{"timestamp":{"seconds":@,"microseconds":@},"event":"MIGRATION","data":{"status":"active"}}\n'
    + f'{{"return":{REPLY}}}\n',
    "the journal": json.dumps({"__REALTIME_TIMESTAMP": "@", "MESSAGE": f'{{"return":{REPLY}}}'}) + "\n",
}


@pytest.mark.parametrize("number", LONG, ids=[f"{one[:6]}-{len(one)}" for one in LONG])
@pytest.mark.parametrize("name", TEXTS)
def test_no_number_of_a_text_ends_in_a_traceback(name, number):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for reader in ("recording", "recording, to its page"):
            READERS[reader](TEXTS[name].replace("@", number).encode())


def a_recording(t=0.0, **ram):
    header = {"qemu": {}, "migrate-parameters": {}}
    answers = [{"status": "active", "expected-downtime": 2000, "ram": {**RAM, **one}} for one in (ram, {})]
    lines = [{"t": t + 2 * n, "latency_ms": 1, "query-migrate": answer} for n, answer in enumerate(answers)]
    return "".join(json.dumps(line) + "\n" for line in (header, *lines)).encode()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"mbps": 5e-324}, "line 2: 'mbps' is 5e-324 where 0 or a number from 5.4e-20 up was expected"),
        ({"mbps": 1e-20}, "line 2: 'mbps' is 1e-20 where 0 or a number from 5.4e-20 up was expected"),
        ({"t": 5e-324}, "line 2: 't' is 5e-324 where 0 or a number from 5.4e-20 up was expected"),
        ({"page-size": 0.5}, "line 2: 'page-size' is 0.5 where that of the target was expected"),
    ],
)
def test_what_nothing_can_be_divided_by_is_refused(fields, sentence):
    with pytest.raises(UsageError, match=f"^{sentence}$"):
        parse(a_recording(**fields))


@pytest.mark.parametrize("mbps", [0, 1e-19, 1e-3, 5_000_000])
def test_any_other_bandwidth_is_read(mbps):
    data = a_recording(mbps=mbps)
    assert parse(data).samples.mbps.tolist() == [mbps, 400]
    READERS["recording"](data)


@pytest.mark.parametrize("value", ["9" * 5000 + "/1", "1/" + "9" * 5000])
def test_a_burst_of_too_many_digits_is_a_sentence(value):
    with pytest.raises(UsageError, match="is not WRITE/REST in ms"):
        values.burst(value)
