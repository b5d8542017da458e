# SPDX-License-Identifier: GPL-2.0-or-later
"""The experiment on real QEMU, and how it ends when it cannot be done."""

import asyncio
import json
import os
import platform
import subprocess
import time
from pathlib import Path

import pytest

from avocado_migdowntime.errors import HarnessError, HostRequirementError, UsageError
from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu.probe import find_binary
from avocado_migdowntime.trace.guest_progress import guest_courses
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitJudgement
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.correct_qemu import check_judged_right

pytestmark = pytest.mark.usefixtures("nothing_left")


def run(directory, **parameters):
    told = []
    verdict = asyncio.run(expected_downtime(parse({"accel": "tcg", **parameters}), directory, told.append))
    return verdict, told


@pytest.mark.alone
@pytest.mark.parametrize(
    "parameters",
    [
        {"arch": "ppc64", "page_size": "2M", "backing": "hugetlbfs"},
        {
            **{"arch": "x86_64", "page_size": "4K", "backing": "anonymous", "machine": "q35", "pattern": "random"},
            "shared_disk": "64M",
        },
        {"arch": "aarch64", "page_size": "2M", "backing": "memfd", "pattern": "hot-cold"},
        {"arch": "riscv64", "page_size": "4K", "backing": "memfd", "burst": "100/400"},
        {"arch": "s390x", "page_size": "4K", "backing": "memfd"},
        {"arch": "arm", "page_size": "4K", "backing": "memfd"},
    ],
    ids=lambda parameters: f"{parameters['arch']}-{parameters['backing']}",
)
def test_a_real_qemu_is_judged_and_what_was_seen_is_kept(parameters, tmp_path):
    verdict, told = run(tmp_path, **parameters)
    assert verdict.verdict is Judgement.ACCURATE, verdict
    assert (verdict.formula, verdict.limit_verdict) == ("last-sync", LimitJudgement.RESPECTED)
    assert verdict.passes >= 2 and verdict.expected_ms > 300
    trace = read(str(tmp_path / "trace.jsonl"))
    assert judge(trace) == verdict
    assert verdict.subject.endswith(f"tcg on {parameters['backing']} pages of {parameters['page_size']}")
    assert (trace.header["backing"], trace.header["link"]) == (parameters["backing"], "unix")
    assert trace.downtime_limit_ms == 1
    assert {e.name for e in trace.events} >= {"MIGRATION", "MIGRATION_PASS"}
    assert any(s.on == "MIGRATION_PASS" for s in trace.samples)
    wrote = {course.side for course in guest_courses(trace) if course.pages_per_s.max() > 0}
    assert ("source" in wrote) is (parameters["backing"] != "anonymous")
    assert json.loads((tmp_path / "verdict.json").read_text())["verdict"] == "accurate"
    assert "migdowntime: ready" in (tmp_path / "source.serial").read_text()
    command = (tmp_path / "destination.command").read_text()
    assert parameters["arch"] in command and ("drive=shared" in command) is ("shared_disk" in parameters)
    assert any("pass 1" in line for line in told)


@pytest.mark.alone
def test_a_qemu_that_switches_over_without_a_last_sync_is_found(tmp_path):
    """Under a limit of 0 nothing pending is not below the threshold, for which QEMU up to 11.0 leaves the sync out."""
    verdict, _ = run(tmp_path, arch="x86_64", page_size="4K", integrity="no", downtime_limit="0")
    release = read(str(tmp_path / "trace.jsonl")).header["qemu"]["qemu"]
    fixed = (release["major"], release["minor"]) >= (11, 1)
    assert (verdict.switchover.code == "without-a-sync") is not fixed, verdict
    assert fixed or verdict.passed is False


@pytest.mark.alone
def test_a_guest_started_by_its_firmware_is_judged_alike(tmp_path):
    verdict, _ = run(tmp_path, boot="firmware", passes="1")
    assert verdict.verdict is Judgement.ACCURATE, verdict
    assert "SLOF" in (tmp_path / "source.serial").read_text()


@pytest.mark.alone
def test_a_guest_that_cannot_keep_to_its_rate_is_quoted(tmp_path):
    verdict, _ = run(tmp_path, page_size="4K", rate="1000000000", passes="1")
    assert verdict.verdict is Judgement.ACCURATE, verdict
    (said,) = (reason for reason in verdict.reasons if "could not keep" in reason)
    assert said.startswith("the guest could not keep to its rate: rate=1000000000 pages=")


FIRMWARE_S = 30.0
"""A KVM that takes longer runs no guest: the test is skipped."""


def firmware_runs_under_kvm(directory):
    """Whether KVM runs a guest here at all: whether a QEMU that is started by hand gets as far as its firmware."""
    if platform.machine() != "x86_64":
        return False
    said = directory / "firmware"
    line = [find_binary(None, "x86_64"), "-accel", "kvm", "-nodefaults", "-display", "none"]
    line += ["-chardev", f"file,id=said,path={said}", "-device", "isa-debugcon,iobase=0x402,chardev=said"]
    with subprocess.Popen(line, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + FIRMWARE_S
        while not (runs := said.exists() and b"SeaBIOS" in said.read_bytes()):
            if process.poll() is not None or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        process.kill()
    return runs


@pytest.mark.alone
def test_kvm_is_judged_where_it_runs_a_guest(tmp_path):
    """Small and slow: KVM inside a virtual machine may be far slower than TCG."""
    if not firmware_runs_under_kvm(tmp_path):
        pytest.skip("KVM runs no guest here")
    small = {"ram": "64M", "page_size": "4K", "region": "2M", "max_bandwidth": "2000000", "passes": "1"}
    verdict, told = run(tmp_path, arch="x86_64", accel="kvm", **small)
    assert any("under KVM" in line for line in told)
    assert verdict.verdict is Judgement.ACCURATE, verdict


def test_kvm_that_does_not_start_the_guest_is_named(tmp_path):
    other = tmp_path / "other"
    refuses = 'case " $* " in *" -accel kvm "*) echo "no virtualisation today" >&2; exit 1;; esac'
    other.write_text(f'#!/bin/sh\n{refuses}\nexec {find_binary(None, "x86_64")} "$@"\n')
    other.chmod(0o755)
    with pytest.raises(HostRequirementError) as lacking:
        run(tmp_path, arch="x86_64", accel="kvm", qemu=str(other), page_size="4K")
    opens = platform.machine() == "x86_64" and os.access("/dev/kvm", os.R_OK | os.W_OK)
    assert str(lacking.value).startswith("KVM cannot run this guest here: ")
    assert ("no virtualisation today" in str(lacking.value)) == opens
    assert str(lacking.value).endswith("; use accel=tcg")


@pytest.mark.alone
def test_a_limit_that_lets_it_complete_is_judged_at_the_switchover(tmp_path):
    verdict, _ = run(
        tmp_path, page_size="4K", rate="1500", region="16M", max_bandwidth="12M", downtime_limit="317", passes="9"
    )
    trace = read(str(tmp_path / "trace.jsonl"))
    assert trace.samples[-1].status == "completed"
    assert verdict.limit_verdict is LimitJudgement.RESPECTED
    check_judged_right(verdict, trace.samples)


def test_a_migration_that_fails_is_the_harness_business(tmp_path):
    """The destination has another machine type, and so refuses the stream."""
    other = Path(tmp_path, "other")
    older = 'case "$word" in pseries,*) word="pseries-5.0,${word#pseries,}";; esac; set -- "$@" "$word"'
    other.write_text(f'#!/bin/sh\nfor word; do shift; {older}; done\nexec {find_binary(None, "ppc64")} "$@"\n')
    other.chmod(0o755)
    with pytest.raises(HarnessError, match="the migration ended as failed: .*: .*load of migration failed"):
        run(tmp_path, qemu_destination=str(other), page_size="4K", backing="anonymous")


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"qemu": "/no/such/qemu"}, UsageError, "/no/such/qemu does not exist"),
        ({"arch": "x86_64", "qemu": "qemu-system-ppc64"}, UsageError, "emulates ppc64, not x86_64"),
        ({"machine": "pc"}, UsageError, "'pc' is not known for ppc64"),
        ({"ram": "300M", "page_size": "4K"}, UsageError, "300M of RAM is not a multiple of 256M"),
        ({"ram": "257M"}, UsageError, "257M of RAM is not a multiple of the page size 2M"),
        ({"backing": "anonymous", "page_size": "2M"}, UsageError, "anonymous memory has the host's pages"),
        ({"page_size": "16M"}, HostRequirementError, "16M"),
        ({"accel": "kvm", "page_size": "4K"}, HostRequirementError, "KVM cannot run this guest here"),
        (
            {"capabilities": "warp-drive", "page_size": "4K"},
            UsageError,
            "capability warp-drive, and no release is known to have it",
        ),
        ({"region": "1G", "page_size": "4K"}, UsageError, "the guest refused its orders"),
        pytest.param(
            *({"time_limit": "1", "page_size": "4K"}, HarnessError, "given up after 1 s while pass 1"),
            marks=pytest.mark.alone,
        ),
        (
            *({"capabilities": "background-snapshot", "page_size": "4K"}, UsageError),
            "there is no precopy to judge; leave it out",
        ),
    ],
)
def test_what_cannot_be_done_ends_in_one_sentence(parameters, error, words, tmp_path):
    with pytest.raises(error) as caught:
        run(tmp_path, **parameters)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.alone  # On hugepages.
def test_a_cancelled_run_leaves_a_readable_trace(tmp_path):
    async def cancelled():
        task = asyncio.create_task(expected_downtime(parse({"page_size": "2M"}), tmp_path, lambda _: None))
        while not (tmp_path / "trace.jsonl").exists() or (tmp_path / "trace.jsonl").read_text().count("\n") < 20:
            await asyncio.sleep(0.05)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert len(read(str(tmp_path / "trace.jsonl")).samples) > 10
