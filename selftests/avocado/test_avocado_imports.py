# SPDX-License-Identifier: GPL-2.0-or-later
"""What every avocado command imports of this project's is light."""

import subprocess
import sys

from avocado_migdowntime.basics.resources import directory

HEAVY = {"numpy", "msgspec", "plotly", "matplotlib", "jinja2", "qemu"}


def imported(*lines: str) -> set[str]:
    """The heavy packages that a process has imported by these lines, beyond those that Avocado's own plugins need."""
    said = [*lines, "import sys", "print(*sys.modules)"]
    done = subprocess.run([sys.executable, "-c", "\n".join(said)], capture_output=True, text=True, check=True)
    return HEAVY & set(done.stdout.split())


def test_the_plugins_import_nothing_heavy() -> None:
    names = sorted(path.stem for path in directory("plugins").glob("*.py"))
    assert {"result", "xunit", "runner", "resolver", "options", "command"} <= set(names)
    alone = imported("import avocado.core.dispatcher")
    assert imported(*(f"import avocado_migdowntime.plugins.{name}" for name in names)) <= alone


def test_what_is_heavy_would_be_noticed() -> None:
    assert "numpy" in imported("import avocado_migdowntime.report.entry")
