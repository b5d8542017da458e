# SPDX-License-Identifier: GPL-2.0-or-later
"""What is installed for CI is pinned by hashes, and what is known of its vulnerabilities is told as it is."""

import os
import re
import subprocess
from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.version import Version

from tools import audit, lock, versions

from ..support.documents import TOP

ENTRY = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^ ;]+).*(?:\n +--hash=sha256:[0-9a-f]{64}( \\)?)+$", re.M)


def entries(*files):
    return [match for file in files for match in ENTRY.finditer(file.read_text())]


def pinned(*files):
    """The entry of each package; of one that differs from Python to Python, the last."""
    return {match["name"]: match for match in entries(*files)}


def wanted(text):
    """The requirements in a part of setup.py."""
    return [Requirement(line) for line in re.findall(r'^ +"([\w.-]+[=<>][^"]*)",', text, re.MULTILINE)]


def name_of(requirement):
    return requirement.name.lower().replace("_", "-").replace(".", "-")


VENV = """#!/bin/sh
for directory; do :; done
mkdir -p "$directory/bin"
printf '#!/bin/sh\\necho "$PIP_NO_INDEX${PIP_NO_INDEX:+ $PIP_FIND_LINKS}: $*"\\n' >"$directory/bin/pip"
chmod +x "$directory/bin/pip"
"""
"""A python3 whose environments have a pip that prints where it may look, and what it is asked for."""
WITHOUT_MAKE = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
SETUP = (TOP / "setup.py").read_text()
NEEDED = SETUP.split("install_requires=[")[1].split("]")[0]


def test_each_requirement_is_pinned_within_its_range_with_hashes():
    requirements = wanted(SETUP)
    assert len(requirements) > 20
    locked = pinned(lock.LOCKED, *lock.APART.values())
    for one in requirements:
        assert one.specifier.contains(Version(locked[name_of(one)]["version"])), one


def test_what_builds_the_wheel_and_what_it_needs_are_the_same_releases():
    locked = {match[0].removesuffix(" \\") for match in entries(lock.LOCKED)}
    for file in (lock.BUILD, lock.RUN):
        assert {match[0] for match in entries(file)} <= locked, file
    assert set(lock.BUILDERS) <= set(pinned(lock.BUILD))


def test_the_package_gets_what_it_needs_and_nothing_else():
    needed, new = set(), {name_of(one) for one in wanted(NEEDED)}
    while new:
        needed |= new
        required = [Requirement(line) for name in new for line in distribution(name).requires or ()]
        new = {name_of(one) for one in required if one.marker is None or one.marker.evaluate({"extra": ""})} - needed
    assert needed <= set(pinned(lock.RUN)) <= needed | {"tzdata"}


def test_every_step_of_the_set_up_installs_from_a_list_with_hashes_or_the_wheel_alone():
    targets = (".venv/installed-libvirt", ".venv/tried/installed", ".venv/installed-fuzz", "locked")
    command = ["make", "--dry-run", "--always-make", *targets]
    done = subprocess.run(command, cwd=TOP, env=WITHOUT_MAKE, capture_output=True, text=True, check=True)
    steps = {line for line in done.stdout.splitlines() if re.search(r"\bpip\b", line)}
    assert {"tools/environment", ".venv/bin/pip"} == {line.split()[0] for line in steps} and len(steps) == 7
    for line in steps:
        assert "--require-hashes" in line or "--no-deps" in line, line


def test_the_wheel_is_tried_with_nothing_but_the_releases_of_the_list(tmp_path):
    (tmp_path / "python3").write_text(VENV)
    (tmp_path / "python3").chmod(0o755)
    done = subprocess.run(
        ["tools/try-wheel", "install", tmp_path / "tried", tmp_path / "a.whl"],
        **{"cwd": TOP, "env": {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}},
        **{"capture_output": True, "text": True, "check": True},
    )
    fetched, *installed = done.stdout.splitlines()
    packages = f"{tmp_path}/tried/packages"
    assert fetched == f": download --quiet --require-hashes --requirement tools/locked-run.txt --dest {packages}"
    assert len(installed) == 3 and all(line.startswith(f"1 {packages}: install ") for line in installed)


def test_another_python_gets_the_releases_of_the_list_and_the_wheel_alone(tmp_path, monkeypatch):
    (tmp_path / ".venv" / "wheel").mkdir(parents=True)
    wheel, environment, ran = tmp_path / ".venv" / "wheel" / "a.whl", tmp_path / "environment", []
    wheel.touch()
    environment.mkdir()
    monkeypatch.setattr(versions, "TOP", tmp_path)
    monkeypatch.setattr(versions, "run", lambda command: ran.append(command) or subprocess.CompletedProcess(command, 0))
    assert versions.prepare("python3", environment) == ""
    _, *installed = ran
    assert [command[2:] for command in installed] == [
        ["--quiet", "--require-hashes", "--requirement", str(lock.LOCKED)],
        ["--quiet", "--no-deps", str(wheel)],
    ]


def test_every_line_is_a_pin_or_a_hash():
    for file in lock.LISTS:
        lines = file.read_text().removeprefix(lock.HEAD).splitlines()
        assert lines and all(
            re.match(r"[\w.-]+==\S+( ; .*)? \\$| +--hash=sha256:[0-9a-f]{64}( \\)?$", line) for line in lines
        )


def test_what_only_some_need_is_apart():
    first, last = "a==1 \\\n    --hash=sha256:1\n", "z==1 ; x \\\n    --hash=b\n"
    compiled = "libvirt-python==2 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\n"
    fuzzer, resolver = "atheris==3 \\\n    --hash=sha256:4\n", "uv==4 \\\n    --hash=sha256:5\n"
    parted = lock.parted(first + fuzzer + compiled + resolver + last)
    assert parted == {lock.LOCKED: first + last, lock.LIBVIRT: compiled, lock.FUZZ: fuzzer, lock.LOCK: resolver}


def test_without_a_database_nothing_is_claimed():
    skipped = {"name": "a", "version": "1", "skip_reason": "not found"}
    for audited in ([], [skipped]):
        (said,), status = audit.told(audited)
        assert said.startswith("not audited: no database of vulnerabilities is to be had here") and status == 0


def test_what_is_known_is_told_with_what_mends_it():
    bad = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3", "2.1"]}]}
    good, skipped = {"name": "c", "version": "1", "vulns": []}, {"name": "d", "skip_reason": "not found"}
    said, status = audit.told([bad, good, skipped])
    assert said == [
        "b 2: CVE-1, mended in 3 or 2.1; run make locked",
        "2 of 3 packages were audited, 1 vulnerabilities are known",
    ]
    assert status == 1 and audit.told([good, skipped])[1] == 0
