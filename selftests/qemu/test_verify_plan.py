# SPDX-License-Identifier: GPL-2.0-or-later
"""What `verify` runs, in which order, of builds that it has asked what they are."""

import shutil
from pathlib import Path

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


def test_repetitions_are_one_more_than_an_answer_takes(tmp_path):
    home = old_and_new(tmp_path)
    both = named([f"{home}/old", f"{home}/new"])
    assert len(Plan(both, "expected-downtime", [], {}, None, None).tests()) == 2 * 5
    assert len(Plan(both, "expected-downtime", ["page_sizes"], {}, None, None).tests()) == 2 * 2 * 6
    assert len(Plan(both[:1], "expected-downtime", [], {}, None, None).tests()) == 3
