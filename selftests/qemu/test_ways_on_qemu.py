# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways to migrate other than one socket in the clear: encrypted, over several connections, compressed, by a pipe."""

import asyncio

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.parameters.table import parse
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


def test_a_value_that_qemu_does_not_take_is_refused_before_a_guest_is_launched(tmp_path):
    with pytest.raises(UsageError, match=r"refuses migrate parameter multifd-channels=0: .*; give another value$"):
        run(tmp_path, capabilities="multifd", migrate_parameters="multifd-channels=0")
    assert not (tmp_path / "source.command").exists()
