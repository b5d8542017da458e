# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of a migration now, as metrics."""

import socket
import sys
import urllib.request
from dataclasses import replace

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from avocado_migdowntime.errors import HostRequirementError, UsageError
from avocado_migdowntime.prediction.outlook import Outlook
from avocado_migdowntime.report.metrics import METRICS, PREFIX, Metrics, figures

from ..support.recorded import parse, recording
from ..support.waiting import HANGS_S
from ..support.watching import at

TRACE = parse(recording("ppc64-tcg-qemu-7.2").read_bytes())
NOW = at(TRACE, 14.0)
COMPLETED = parse(recording("ppc64-tcg-qemu-7.2-busy-host-convergence").read_bytes())


def families(text):
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_a_file_holds_what_is_known_in_base_units(tmp_path):
    file = tmp_path / "migration.prom"
    metrics = Metrics(str(file), 'guest "\x1b" at\nhome')
    metrics.show(replace(NOW, outlook=Outlook(1, None, True, 1500.0, 250.0)))
    told = {name: family.samples for name, family in families(file.read_text()).items()}
    value = {name.removeprefix(PREFIX): samples[0].value for name, samples in told.items()}
    assert value["remaining_bytes"] == NOW.ram.remaining_bytes and value["pass"] == NOW.number
    assert value["bandwidth_bytes_per_second"] == pytest.approx(12e6, rel=0.01)
    assert value["reported_downtime_seconds"] == pytest.approx(NOW.reported_ms / 1000)
    assert value["limit_seconds"] == 0.001 and value["least_limit_seconds"] == NOW.advice.limit_ms / 1000
    assert (value["limit_ends_it"], value["end_seconds"], value["downtime_at_end_seconds"]) == (1, 1.5, 0.25)
    assert value["report_accurate"] == 1 and "downtime_seconds" not in value
    bounds = {sample.labels["bound"]: sample.value for sample in told[f"{PREFIX}right_downtime_seconds"]}
    assert bounds == {"least": NOW.right_ms.low / 1000, "greatest": NOW.right_ms.high / 1000}
    assert told[f"{PREFIX}status"][0].labels == {"source": 'guest "\\x1b" at\\nhome', "status": "active"}
    assert file.read_text().endswith("# EOF\n") and [*tmp_path.iterdir()] == [file]


def test_a_status_that_is_more_than_a_word_is_one_line_that_can_be_written(tmp_path):
    hostile = 'active"} 1\n# HELP x \x1b[2J\udcff'
    Metrics(str(tmp_path / "m"), "-").show(replace(NOW, status=hostile))
    (sample,) = families((tmp_path / "m").read_text())[f"{PREFIX}status"].samples
    assert sample.labels["status"] == 'active"} 1\\n# HELP x \\x1b[2J\\udcff'


def test_an_older_reader_understands_the_file_too(tmp_path):
    Metrics(str(tmp_path / "m"), "-").show(NOW)
    names = {family.name for family in parser.text_string_to_metric_families((tmp_path / "m").read_text())}
    assert names == set(families((tmp_path / "m").read_text()))


def test_each_metric_that_is_documented_is_told_and_no_other():
    ended = at(COMPLETED, float(COMPLETED.samples.t_s[-1]))
    shown = (NOW, replace(NOW, outlook=Outlook(1, True, True, 1.0, 1.0)), ended)
    assert {name for now in shown for name, _, _ in figures(now)} == set(METRICS)
    assert {name: value for name, _, value in figures(ended)}["downtime_seconds"] > 0
    unknown = {name for name, _, _ in figures(replace(NOW, renewed=False, outlook=None, right_ms=None))}
    assert not unknown & {"reported_downtime_seconds", "limit_ends_it", "right_downtime_seconds"}


def a_free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.long
def test_a_port_answers_this_host_in_the_format_that_it_is_asked_for():
    port = a_free_port()
    metrics = Metrics(str(port), "-")
    try:
        metrics.show(NOW)
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/metrics", headers={"Accept": "application/openmetrics-text"}
        )
        with urllib.request.urlopen(request, timeout=HANGS_S) as answer:
            assert "openmetrics" in answer.headers["Content-Type"]
            assert f"{PREFIX}remaining_bytes" in families(answer.read().decode())
        with pytest.raises(UsageError, match=rf"the port {port} of 127.0.0.1 cannot be opened: .*; give another one"):
            Metrics(str(port), "-")
    finally:
        metrics.end()
    with pytest.raises(OSError):
        urllib.request.urlopen(request, timeout=HANGS_S)


@pytest.mark.parametrize("port", ["0", "65536", "٣", "9" * 5000])
def test_what_is_no_port_is_told(port):
    with pytest.raises(
        UsageError, match=f"^{port[:240]}(...)? is not a port; give one from 1 to 65535, or the name of a file"
    ):
        Metrics(port, "-")


def test_without_the_package_there_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(
        HostRequirementError,
        match=r"metrics need the package prometheus_client .*; install it with pip install prometheus_client$",
    ):
        Metrics("file", "-")


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        Metrics(str(tmp_path / "nowhere" / "file"), "-").show(NOW)
