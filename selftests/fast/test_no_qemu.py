# SPDX-License-Identifier: GPL-2.0-or-later
"""A test that needs no QEMU is seen to start one."""

import os
import shutil
import subprocess

import pytest

from ..support.no_qemu import Watch


@pytest.fixture
def watch(tmp_path, qemu_watch):
    """One of this test alone; that of all tests forgets what was started here."""
    own = Watch(tmp_path)
    own.begin()
    yield own
    qemu_watch.begin()


def test_one_that_is_found_on_the_path_is_noted_whoever_starts_it(watch):
    environment = {**os.environ, "PATH": f"{watch.path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", "qemu-system-ppc64 -version"], env=environment, check=False)
    assert done.returncode == 97
    assert watch.end() == [f"{watch.path}/qemu-system-ppc64 -version"]


def test_one_that_is_named_by_its_path_is_noted_and_a_script_of_that_name_is_none(watch, tmp_path):
    program, script = tmp_path / "qemu-system-arm", tmp_path / "qemu-system-s390x"
    shutil.copy("/bin/true", program)
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    for each in (script, program):
        subprocess.run([each], check=True)
    (noted,) = watch.end()
    assert noted.startswith(f"{program} ")


def test_what_was_started_before_is_forgotten(watch):
    subprocess.run([watch.path / "qemu-system-arm"], check=False)
    watch.begin()
    assert watch.end() == []
