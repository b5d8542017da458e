# SPDX-License-Identifier: GPL-2.0-or-later
"""What is installed for CI is pinned by hashes, and what is known of its vulnerabilities is told as it is."""

import re

from packaging.requirements import Requirement
from packaging.version import Version

from tools import audit, lock

from ..support.documents import TOP

LOCKED = {
    match["name"]: match
    for file in (lock.LOCKED, lock.LIBVIRT)
    for match in re.finditer(
        r"^(?P<name>[\w.-]+)==(?P<version>[^ ;]+).*(?:\n +--hash=sha256:[0-9a-f]{64}( \\)?)+$", file.read_text(), re.M
    )
}


def wanted():
    """The requirements of setup.py, by whose they are."""
    text = (TOP / "setup.py").read_text()
    for line in re.findall(r'^ +"([\w.-]+[=<>][^"]*)",', text, re.MULTILINE):
        yield Requirement(line)


def test_each_requirement_is_pinned_within_its_range_with_hashes():
    requirements = [one for one in wanted() if one.name not in ("atheris", "uv")]
    assert len(requirements) > 20
    for one in requirements:
        pinned = LOCKED[one.name.lower().replace("_", "-")]
        assert one.specifier.contains(Version(pinned["version"])), one


def test_every_line_is_a_pin_or_a_hash():
    for file in (lock.LOCKED, lock.LIBVIRT):
        lines = file.read_text().removeprefix(lock.HEAD).splitlines()
        assert lines and all(
            re.match(r"[\w.-]+==\S+( ; .*)? \\$| +--hash=sha256:[0-9a-f]{64}( \\)?$", line) for line in lines
        )


def test_what_is_compiled_is_apart():
    first, last = "a==1 \\\n    --hash=sha256:1\n", "z==1 ; x \\\n    --hash=b\n"
    compiled = "libvirt-python==2 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\n"
    assert lock.parted(first + compiled + last) == (first + last, compiled)


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
