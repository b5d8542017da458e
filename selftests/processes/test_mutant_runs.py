# SPDX-License-Identifier: GPL-2.0-or-later
"""What `make mutants` does to its own process, and to those in which mutants are tried."""

import subprocess
import sys
from pathlib import Path

from tools.mutant_watch import TIMED_OUT

TOP = Path(__file__).parents[2]


def run(source: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", source], cwd=TOP, capture_output=True, text=True, check=False)


def test_a_mutant_that_sleeps_for_ever_is_given_up():
    asleep = run("""
import time
from tools import mutant_watch
mutant_watch.LOOK_S = 0.02
mutant_watch.AWAKE_S = 1.0
mutant_watch.Watch().start()
time.sleep(3600)
""")
    assert (asleep.returncode, asleep.stderr) == (TIMED_OUT, "")


def test_the_tests_import_the_package_with_the_mutants_and_not_that_of_the_checkout(tmp_path):
    package = tmp_path / "avocado_migdowntime"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "errors.py").touch()
    imported = run(f"""
import sys
from tools import mutants
mutants.forget_imports()
sys.path.insert(0, {str(tmp_path)!r})
import avocado_migdowntime.errors as errors
print(errors.__file__)
""")
    assert (imported.stdout.strip(), imported.stderr) == (str(package / "errors.py"), "")


def test_of_what_is_remembered_each_call_is_seen():
    remembered = "@lru_cache(maxsize=8)\ndef f(): ...\n\n\n@property\ndef g(): ...\n"
    shown = run(f"from tools import mutants\nprint(mutants.without_decorators({remembered!r}))")
    assert "lru_cache" not in shown.stdout and "g = property(g)" in shown.stdout
