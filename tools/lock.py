# SPDX-License-Identifier: GPL-2.0-or-later
"""Rewrite the lists of releases that `make` installs, with hashes, for each supported Python and platform.

There is one list for each step of the set-up: what builds the wheel, what the package needs to run, libvirt's binding,
the fuzzer, `uv`, which resolves them, and everything but these three. The binding is compiled when it is installed, so
those who run only the quick tests need neither it nor a compiler. All lists name the same releases.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).parents[1]
BUILD, RUN, LOCKED, LIBVIRT, FUZZ, LOCK = (
    TOP / "tools" / f"locked{of}.txt" for of in ("-build", "-run", "", "-libvirt", "-fuzz", "-lock")
)
LISTS = (BUILD, RUN, LOCKED, LIBVIRT, FUZZ, LOCK)
APART = {"libvirt-python": LIBVIRT, "atheris": FUZZ, "uv": LOCK}
"""Packages that have a list of their own."""
HEAD = "# SPDX-License-Identifier: GPL-2.0-or-later\n# Made by `make locked`.\n"
BUILDERS = ("setuptools", "wheel")
_UV = ("pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes")
_EXTRAS = ("dev", "images", "libvirt", "fuzz", "lock")
_ALL = ("--upgrade", *(word for extra in _EXTRAS for word in ("--extra", extra)), "setup.py")
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
    for path, text in {BUILD: build, RUN: run, **parted(everything)}.items():
        path.write_text(HEAD + text)
    return 0


def _compiled(*words: str, given: str = "") -> str:
    """What uv chooses."""
    command = [str(Path(sys.executable).with_name("uv")), *_UV, "--no-header", "--no-annotate", *words]
    return subprocess.run(command, cwd=TOP, input=given, stdout=subprocess.PIPE, text=True, check=True).stdout


def parted(text: str) -> dict[Path, str]:
    """The entries of each list that takes part of `text`."""
    lists = dict.fromkeys([LOCKED, *APART.values()], "")
    for match in _ONE.finditer(text):
        lists[APART.get(match["name"], LOCKED)] += match[0]
    return lists


if __name__ == "__main__":
    sys.exit(main())
