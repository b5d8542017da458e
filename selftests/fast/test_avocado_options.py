# SPDX-License-Identifier: GPL-2.0-or-later
"""A directory for results that cannot be written is refused before Avocado fails, for tests of this package only."""

import os

import pytest
from avocado.core import exit_codes

from avocado_migdowntime.plugins import options
from avocado_migdowntime.plugins.options import MigDowntimeCLI


@pytest.fixture
def run(monkeypatch):
    """Checks the configuration of `avocado run`; gives the exit status and what was said."""
    monkeypatch.setattr(options, "parse", lambda values: None)
    monkeypatch.setattr(options, "of_settings", lambda config: {})
    said = []
    monkeypatch.setattr(options.LOG_UI, "error", said.append)

    def of(directory, *references):
        said.clear()
        config = {"subcommand": "run", "resolver.references": [*references], "run.results_dir": directory}
        try:
            MigDowntimeCLI().run(config)
        except SystemExit as error:
            return error.code, said
        return 0, said

    return of


def test_a_place_below_no_directory_is_refused_in_a_sentence(run, tmp_path):
    (tmp_path / "file").touch()
    for directory in (f"{tmp_path}/file", f"{tmp_path}/file/below/it"):
        sentence = (
            f"--job-results-dir {directory}: nothing can be written to {tmp_path}/file; give a directory of your own"
        )
        assert run(directory, "migdowntime:convergence") == (exit_codes.AVOCADO_FAIL, [sentence])


def test_a_place_without_permission_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    status, said = run(f"{tmp_path}/x", "migdowntime:convergence")
    assert status == exit_codes.AVOCADO_FAIL and f"nothing can be written to {tmp_path};" in said[0]


def test_a_place_that_can_be_made_and_none_at_all_are_taken(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for directory in (None, str(tmp_path), f"{tmp_path}/new/below", "new"):
        assert run(directory, "migdowntime:convergence") == (0, [])
    assert not [*tmp_path.iterdir()]


def test_tests_of_others_are_left_to_avocado(run, tmp_path):
    (tmp_path / "file").touch()
    assert run(f"{tmp_path}/file", "/bin/true") == (0, [])
