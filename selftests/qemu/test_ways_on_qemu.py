# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways to migrate other than one socket in the clear: encrypted, over several connections, compressed, by a pipe."""

import asyncio
from dataclasses import replace

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement

pytestmark = [pytest.mark.usefixtures("nothing_left"), pytest.mark.alone]
MULTIFD = {"capabilities": "multifd", "migrate_parameters": "multifd-channels=4,multifd-compression=zstd"}


def run(directory, **parameters):
    given = parse({"accel": "tcg", "arch": "x86_64", "page_size": "4K", "passes": "1", **parameters})
    return asyncio.run(expected_downtime(given, directory, lambda _: None))


NUMA = {"numa_nodes": "2", "ram": "512M"}


@pytest.mark.parametrize(
    "way",
    [{"link": "tcp", "tls": "psk", **MULTIFD}, {"link": "fd", "tls": "x509", "vcpus": "3"}, {"link": "exec", **NUMA}],
    ids=str,
)
def test_a_report_is_judged_whatever_way_it_goes(way, tmp_path):
    verdict = run(tmp_path, **way)
    assert verdict.verdict is Judgement.ACCURATE, verdict
    assert verdict.integrity.damaged_pages == 0 and verdict.integrity.pages > 1000
    header = read(str(tmp_path / "trace.jsonl")).header
    assert (header["link"], header["tls"]) == (way["link"], way.get("tls", "none"))
    assert (header["migrate-parameters"]["tls-creds"] == "tls") == ("tls" in way)
    assert header["orders"].endswith(f" start={246 << 20}") == ("numa_nodes" in way)
    vcpus = int(way.get("vcpus", 1))
    assert header["orders"].endswith(f" vcpus={vcpus}") == (vcpus > 1)
    for side in ("source", "destination"):
        assert (f" -smp {vcpus} " in (tmp_path / f"{side}.command").read_text()) == (vcpus > 1)
    if "capabilities" in way:
        assert header["migrate-parameters"]["multifd-channels"] == 4
        assert header["migrate-parameters"]["multifd-compression"] == "zstd"


ENDS = [("yes", ["POSTCOPY"]), ("recovery", ["POSTCOPY", "BROKEN", "RECOVERED"])]


@pytest.mark.parametrize(("postcopy", "events"), ENDS)
def test_postcopy_ends_a_run_that_was_judged_before_it(postcopy, events, tmp_path):
    verdict = run(tmp_path, capabilities="postcopy-ram", postcopy=postcopy, qemu_arguments="-smp 2")
    assert verdict.verdict is Judgement.ACCURATE, verdict
    assert verdict.integrity.damaged_pages == 0 and verdict.integrity.pages > 1000
    trace = read(str(tmp_path / "trace.jsonl"))
    assert [event.name for event in trace.events if event.name in {"POSTCOPY", "BROKEN", "RECOVERED"}] == events
    assert any(status.startswith("postcopy-") for status in trace.samples.statuses) and trace.completed
    assert all(" -smp 2 " in (tmp_path / f"{side}.command").read_text() for side in ("source", "destination"))


def test_for_how_long_a_vcpu_waited_for_pages_is_judged_by_how_long_it_was_seen_to(tmp_path):
    """The channel is broken for half a second, in which no page comes."""
    run(tmp_path, capabilities="postcopy-ram,postcopy-blocktime", postcopy="recovery", integrity="no")
    trace = read(str(tmp_path / "trace.jsonl"))
    found = judge(trace).blocktime
    every, wait = found.waits
    assert found.code in ("as-waited", "without-the-break") and found.postcopy_ms > 500, found
    assert every.can_ms == wait.can_ms and 0 < wait.can_ms.low < wait.can_ms.high < found.postcopy_ms + 100
    # Had QEMU said that it waited for longer than postcopy took, that would have been found.
    told = trace.first_event("harness", "BLOCKTIME")
    longer = {**told.data, "postcopy-vcpu-blocktime": [2 * found.postcopy_ms]}
    others = tuple(event for event in trace.events if event is not told)
    judged = judge(replace(trace, events=(*others, replace(told, data=longer))))
    assert judged.blocktime.code == "more-than-waited" and judged.passed is False


def test_a_value_that_qemu_does_not_take_is_refused_before_a_guest_is_launched(tmp_path):
    with pytest.raises(UsageError, match=r"refuses migrate_parameters=multifd-channels=0: .*; give another value$"):
        run(tmp_path, capabilities="multifd", migrate_parameters="multifd-channels=0")
    assert not (tmp_path / "source.command").exists()
