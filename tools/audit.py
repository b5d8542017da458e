# SPDX-License-Identifier: GPL-2.0-or-later
"""Does tools/locked.txt name packages with known vulnerabilities? pip-audit asks the package index.

Reports if the database is not available, for all packages or some, and does not fail then.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCKED = Path(__file__).parent / "locked.txt"
_AUDIT = ("-m", "pip_audit", "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")
_LONGEST_S = 60


def main() -> int:
    """Print the known vulnerabilities; return 1 if there is one."""
    command = [sys.executable, *_AUDIT, "--requirement", str(LOCKED)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
        audited = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        audited = []
    said, status = told(audited)
    print("\n".join(said))
    return status


def told(audited: list[dict[str, Any]]) -> tuple[list[str], int]:
    """Sentences about pip-audit's findings, and the exit status."""
    known = [one for one in audited if "vulns" in one]
    if not known:
        return ["not audited: no database of vulnerabilities is to be had here; run make audit where one is"], 0
    said = [
        f"{one['name']} {one['version']}: {vulnerability['id']}, mended in "
        f"{' or '.join(vulnerability['fix_versions']) or 'no release'}; run make locked"
        for one in known
        for vulnerability in one["vulns"]
    ]
    status = 1 if said else 0
    said.append(f"{len(known)} of {len(audited)} packages were audited, {len(said)} vulnerabilities are known")
    return said, status


if __name__ == "__main__":
    sys.exit(main())
