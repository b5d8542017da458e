# SPDX-License-Identifier: GPL-2.0-or-later
"""What `verify` runs, in which order, of builds that it has asked what they are."""

import shutil
from pathlib import Path

import pytest

from avocado_migdowntime.errors import UnusableBuildError, UsageError
from avocado_migdowntime.verification.builds import named
from avocado_migdowntime.verification.job import Plan

from ..support.verified_builds import old_and_new


def test_each_build_goes_first_in_turn_and_has_its_own_binary(tmp_path):
    home = old_and_new(tmp_path)
    plan = Plan(named([f"{home}/old", f"{home}/new/build/qemu-system-ppc64"]), "stop-now", ["page_sizes"], {}, 2, None)
    tests = plan.tests()
    builds = [test.identifier.partition("@")[2] for test in tests]
    assert [test.identifier.partition("@")[0] for test in tests] == ["migdowntime:stop-now"] * 8
    assert builds == [*["old", "new/build/qemu-system-ppc64"] * 2, *["new/build/qemu-system-ppc64", "old"] * 2]
    variants = [test.variant["variant_id"].rpartition("-")[0] for test in tests]
    assert variants == ["run-page-4K", "run-page-4K", "run-page-2M", "run-page-2M"] * 2
    for test, build in zip(tests, builds, strict=True):
        binary = home / ("old/build/qemu-system-ppc64" if build == "old" else build)
        assert test.default_config["migdowntime.qemu"] == str(binary)


def test_the_architecture_is_the_variants_or_else_the_builds():
    x86_64 = shutil.which("qemu-system-x86_64")
    both = named([str(Path(x86_64).parent)])
    for builds, variants, archs in (
        (named([x86_64]), ["page_sizes"], ["x86_64"] * 2),
        (both, ["page_sizes"], ["ppc64"] * 2),
        (both, ["architectures"], ["ppc64", "x86_64", "aarch64", "riscv64", "s390x", "arm"]),
    ):
        tests = Plan(builds, "expected-downtime", variants, {}, 1, None).tests()
        assert [test.default_config["migdowntime.arch"] for test in tests] == archs
        assert [Path(test.default_config["migdowntime.qemu"]).name for test in tests] == [
            f"qemu-system-{arch}" for arch in archs
        ]


def test_a_build_that_does_not_start_is_named_before_anything_is_run(tmp_path):
    x86_64 = shutil.which("qemu-system-x86_64")
    without_firmware = tmp_path / "qemu-system-x86_64"
    without_firmware.write_text(
        f'#!/bin/sh\ncase "$*" in *"-machine none"*) exec {x86_64} "$@";; esac\n'
        "echo \"qemu: could not load PC BIOS 'bios-256k.bin'\" >&2\nexit 1\n"
    )
    without_firmware.chmod(0o755)
    plan = Plan(named([x86_64, str(without_firmware)]), "expected-downtime", [], {}, None, None)
    with pytest.raises(
        UnusableBuildError, match=rf"^{without_firmware} does not start .*bios-256k.bin.*; if firmware is missing"
    ):
        plan.tests()


def test_builds_of_this_host_are_not_looked_for_on_another():
    plan = Plan(named(["/no/such/qemu"]), "expected-downtime", [], {"source_host": "lab1"}, None, None)
    with pytest.raises(
        UsageError, match=r"^the builds to verify are on this host, but source_host=lab1 names another; "
    ):
        plan.tests()


def test_repetitions_are_one_more_than_an_answer_takes(tmp_path):
    home = old_and_new(tmp_path)
    both = named([f"{home}/old", f"{home}/new"])
    assert len(Plan(both, "expected-downtime", [], {}, None, None).tests()) == 2 * 5
    assert len(Plan(both, "expected-downtime", ["page_sizes"], {}, None, None).tests()) == 2 * 2 * 6
    assert len(Plan(both[:1], "expected-downtime", [], {}, None, None).tests()) == 3
