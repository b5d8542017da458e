# SPDX-License-Identifier: GPL-2.0-or-later
"""Rewrite the list of releases that CI installs, with hashes: tools/locked.txt, and libvirt's binding separately.

The binding is compiled when it is installed, so those who run only the quick tests need neither it nor a compiler. `uv`
resolves the releases for each supported Python and platform.
"""

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[1]
LOCKED, LIBVIRT = TOP / "tools" / "locked.txt", TOP / "tools" / "locked-libvirt.txt"
HEAD = "# SPDX-License-Identifier: GPL-2.0-or-later\n# Made by `make locked`.\n"
_UV = (
    *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes", "--upgrade"),
    *("--no-header", "--no-annotate", "--extra", "dev", "--extra", "images", "--extra", "libvirt", "setup.py"),
)
_ONE = re.compile(r"^(?P<name>[\w.-]+)==.*(?:\n +--hash=.*)+\n", re.MULTILINE)


def main() -> int:
    """Write both files; return uv's status if it fails."""
    program = Path(sys.executable).with_name("uv")
    done = subprocess.run([program, *_UV[1:]], cwd=TOP, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return done.returncode
    ours, libvirts = parted(done.stdout)
    LOCKED.write_text(HEAD + ours)
    LIBVIRT.write_text(HEAD + libvirts)
    return 0


def parted(text: str) -> tuple[str, str]:
    """The entries of all packages but libvirt's binding, and that one."""
    entries = [(match["name"], match[0]) for match in _ONE.finditer(text)]
    apart = {"libvirt-python"}
    return (
        "".join(entry for name, entry in entries if name not in apart),
        "".join(entry for name, entry in entries if name in apart),
    )


if __name__ == "__main__":
    sys.exit(main())
