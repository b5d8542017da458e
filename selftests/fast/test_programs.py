# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's programs are found where an ordinary user's PATH does not lead, too."""

from avocado_migdowntime.basics import programs
from avocado_migdowntime.basics.programs import find_program


def made(directory, name):
    directory.mkdir(exist_ok=True)
    (directory / name).write_text("#!/bin/sh\n")
    (directory / name).chmod(0o755)
    return str(directory / name)


def test_a_program_is_looked_for_on_the_path_and_then_among_those_of_administrators(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(programs, "_ADMINISTRATORS", (str(tmp_path / "sbin"),))
    assert find_program("tc") is None
    behind = made(tmp_path / "sbin", "tc")
    assert find_program("tc") == behind
    assert find_program("tc") != made(tmp_path / "bin", "ip")
    assert find_program("ip") == str(tmp_path / "bin" / "ip")
    before = made(tmp_path / "bin", "tc")
    assert find_program("tc") == before


def test_the_usual_places_of_administrators_are_among_them():
    assert {"/usr/sbin", "/sbin"} <= set(programs._ADMINISTRATORS)
