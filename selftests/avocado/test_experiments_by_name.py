# SPDX-License-Identifier: GPL-2.0-or-later
"""What `judge` does by the name of a test is what that test does in a job."""

import runpy
from types import SimpleNamespace

import pytest

from avocado_migdowntime.avocado_test import MigrationTest
from avocado_migdowntime.basics.resources import packaged_tests
from avocado_migdowntime.experiments.catalogue import EXPERIMENTS


@pytest.mark.parametrize(("name", "path"), packaged_tests().items())
def test_the_experiment_and_its_parameters_are_those_of_the_test(name, path):
    done = []
    classes = [one for one in runpy.run_path(str(path)).values() if isinstance(one, type)]
    [test] = [one for one in classes if issubclass(one, MigrationTest) and one is not MigrationTest]
    test.test(SimpleNamespace(judge=done.append))
    assert done == [EXPERIMENTS[name].run] and test.defaults == EXPERIMENTS[name].defaults
