# SPDX-License-Identifier: GPL-2.0-or-later
"""Rewrite the lists of releases that CI installs, with hashes, for each supported Python and platform.

There is one list for each step of the set-up: what builds the wheel, what the package needs to run, libvirt's binding,
and everything but that. The binding is compiled when it is installed, so those who run only the quick tests need
neither it nor a compiler. All lists name the same releases; `uv` resolves them.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).parents[1]
BUILD, RUN, LOCKED, LIBVIRT = (TOP / "tools" / f"locked{of}.txt" for of in ("-build", "-run", "", "-libvirt"))
LISTS = (BUILD, RUN, LOCKED, LIBVIRT)
HEAD = "# SPDX-License-Identifier: GPL-2.0-or-later\n# Made by `make locked`.\n"
BUILDERS = ("setuptools", "wheel")
_UV = ("pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes")
_ALL = ("--upgrade", "--extra", "dev", "--extra", "images", "--extra", "libvirt", "setup.py")
_ONE = re.compile(r"^(?P<name>[\w.-]+)==.*(?:\n +--hash=.*)+\n", re.MULTILINE)


def main() -> int:
    """Write all lists; return uv's status if it fails."""
    try:
        everything = _compiled(*_ALL)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as same:
            same.write(everything)
            same.flush()
            run = _compiled("--constraints", same.name, "setup.py")
            build = _compiled("--constraints", same.name, "-", given="\n".join(BUILDERS))
    except subprocess.CalledProcessError as error:
        return error.returncode
    locked, libvirts = parted(everything)
    for path, text in zip(LISTS, (build, run, locked, libvirts), strict=True):
        path.write_text(HEAD + text)
    return 0


def _compiled(*words: str, given: str = "") -> str:
    """What uv chooses."""
    command = [str(Path(sys.executable).with_name("uv")), *_UV, "--no-header", "--no-annotate", *words]
    return subprocess.run(command, cwd=TOP, input=given, stdout=subprocess.PIPE, text=True, check=True).stdout


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
