# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that a job leaves among its results, beside the results of Avocado's own plugins."""

import json
import re

import pytest

from ..support.avocado_command import avocado, write_tests
from ..support.recorded import ACCURATE, STOPPED, WRONG

TESTS = f"""
import gzip

def left_by(recording, **verdict):
    async def experiment(parameters, directory, progress):
        (directory / "trace.jsonl").write_bytes(gzip.decompress(Path(recording).read_bytes()))
        (directory / "source.command").write_text("qemu-system-ppc64 -nodefaults\\n")
        (directory / "verdict.json").write_text(json.dumps(verdict))
        return ACCURATE
    return experiment

async def cut_off(parameters, directory, progress):
    (directory / "trace.jsonl").write_text("{{}}")
    raise HarnessError("QEMU ended with status 1")

async def lost(parameters, directory, progress):
    await left_by({str(ACCURATE)!r})(parameters, directory, progress)
    raise HarnessError("the guest was lost")

async def lacking(parameters, directory, progress):
    raise HostRequirementError("2 hugepages are missing")

class Right(MigrationTest):
    def test(self):
        self.judge(left_by({str(ACCURATE)!r}))

class Wrong(MigrationTest):
    def test(self):
        self.judge(left_by({str(WRONG)!r}))

class HeldToAnother(MigrationTest):
    def test(self):
        self.judge(left_by({str(WRONG)!r}, contract="dirty-rate", tolerance=0.02))

class Stopped(MigrationTest):
    def test(self):
        self.judge(left_by({str(STOPPED)!r}))

class CutOff(MigrationTest):
    def test(self):
        self.judge(cut_off)

class Lost(MigrationTest):
    def test(self):
        self.judge(lost)

class Lacking(MigrationTest):
    def test(self):
        self.judge(lacking)
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    directory = tmp_path_factory.mktemp("page")
    write_tests(directory, TESTS)
    return avocado(directory, "run", "made_up.py", "--disable-sysinfo")


def rows(finished):
    page = (finished.results / "latest" / "migdowntime.html").read_text()
    found = re.findall(r'<a href="#test-\d+">(.*?)</a></th>(.*?)</tr>', page, re.DOTALL)
    return {
        name.partition(":")[2].partition(".")[0]: re.findall(r"<td[^>]*>(?:<span[^>]*>)?([^<]*)", row)
        for name, row in found
    }


def test_each_test_of_the_job_has_its_row(finished):
    found = rows(finished)
    assert list(found) == ["Right", "Wrong", "HeldToAnother", "Stopped", "CutOff", "Lost", "Lacking"]
    assert found["Right"][:3] == ["PASS", "2075 ms", "2069.8 ms"]
    assert found["Wrong"][:3] == ["PASS", "980 ms", "5495.3 ms"]
    assert found["CutOff"][0] == "ERROR" and found["CutOff"][-1].startswith("QEMU ended with status 1; ")
    assert found["Lost"][0] == "ERROR" and found["Lost"][-1].startswith(
        "the guest was lost; by what was recorded, expected-downtime is accurate: "
    )
    assert found["Lacking"][0] == "CANCEL" and "2 hugepages are missing" in found["Lacking"][-1]


def test_a_test_is_judged_as_it_was_in_its_run(finished):
    assert rows(finished)["HeldToAnother"][-1].startswith("expected-downtime is accurate")


def test_the_page_is_named_and_has_the_command_lines(finished):
    path = finished.results / "latest" / "migdowntime.html"
    assert f"JOB PAGE   : {path.parent.resolve() / path.name}" in finished.output
    page = path.read_text()
    assert "7 tests: 3 right, 1 wrong, 3 without a verdict. 2-" in page
    assert page.count("qemu-system-ppc64 -nodefaults</pre>") == 5
    assert "<h2>1 guest stopped in mid-pass</h2>" in page


def test_the_pages_of_other_plugins_are_there_as_well(finished):
    latest = finished.results / "latest"
    assert {"results.html", "results.json", "results.xml", "migdowntime.html"} <= {one.name for one in latest.iterdir()}
    assert "Wrong" in (latest / "results.html").read_text()
    assert not list(latest.glob(".migdowntime-*"))


def test_a_job_without_a_migration_gets_no_page(tmp_path):
    write_tests(tmp_path, TESTS)
    done = avocado(tmp_path, "run", "made_up.py:Lacking", "--disable-sysinfo")
    assert "JOB PAGE" not in done.output
    assert (done.results / "latest/results.json").exists()
    assert not (done.results / "latest/migdowntime.html").exists()


def test_results_on_standard_output_are_not_spoilt(tmp_path):
    write_tests(tmp_path, TESTS)
    alone = avocado(tmp_path, "run", "made_up.py:Right", "--disable-sysinfo", "--json", "-")
    assert json.loads(alone.output)["pass"] == 1 and (alone.results / "latest/migdowntime.html").exists()


def test_the_page_can_be_done_without(tmp_path):
    write_tests(tmp_path, TESTS)
    (tmp_path / "avocado.conf").write_text("[plugins]\ndisable = ['result.migdowntime']\n")
    done = avocado(tmp_path, "--config", "avocado.conf", "run", "made_up.py:Right", "--disable-sysinfo")
    assert done.status == 0 and not (done.results / "latest/migdowntime.html").exists()
