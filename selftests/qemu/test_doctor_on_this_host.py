# SPDX-License-Identifier: GPL-2.0-or-later
"""`doctor` on the real host, and on one whose QEMUs do not answer."""

import argparse
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from avocado_migdowntime.cli import doctor
from avocado_migdowntime.qemu.profiles import PROFILES

from ..support.avocado_command import avocado, command
from ..support.waiting import HANGS_S


def run(*arguments):
    parser = argparse.ArgumentParser()
    doctor.configure(parser)
    return doctor.run(parser.parse_args(arguments))


@pytest.mark.usefixtures("nothing_left")
def test_the_real_host_is_told_through_avocado(tmp_path):
    done = avocado(tmp_path, "migdowntime", "doctor", "--json", "--quiet")
    told = json.loads(done.output)
    names = [finding["name"] for finding in told["findings"]]
    assert names.count("hugepages 2M") == 1 and {f"qemu {arch}" for arch in PROFILES} <= set(names)
    assert done.status == (0 if told["able"] else 1)
    assert told["able"] is all(finding["state"] != "fault" for finding in told["findings"])
    (ppc,) = (finding for finding in told["findings"] if finding["name"] == "qemu ppc64")
    said = subprocess.run(["qemu-system-ppc64", "--version"], capture_output=True, text=True, check=True).stdout
    assert ppc["state"] == "ok" and f"version {ppc['text'].split()[0]}" in said


def test_what_the_default_run_takes_follows_the_settings(tmp_path):
    settings = tmp_path / "settings"
    settings.write_text("[migdowntime]\nram = 512M\nqemu = /nowhere\n")
    told = json.loads(avocado(tmp_path, "--config", str(settings), "migdowntime", "doctor", "--json", "--quiet").output)
    found = {finding["name"]: finding for finding in told["findings"]}
    assert told["able"] is False and "/nowhere does not exist" in found["qemu ppc64"]["text"]
    assert "the default run needs 512" in found["hugepages 2M"]["text"]
    settings.write_text("[migdowntime]\nram = nonsense\n")
    done = avocado(tmp_path, "--config", str(settings), "migdowntime", "doctor")
    assert done.status == 2 and "migdowntime doctor: parameter ram: 'nonsense' is not a size" in done.output


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ("machine = pseries-1.0", "has no machine pseries-1.0"),
        ("machine = nonsense", "machine 'nonsense' is not known for ppc64"),
        ("capabilities = nonsense", "has no migration capability nonsense"),
        ("qemu_destination = /nowhere", "/nowhere does not exist"),
        ("arch = ppc64\nqemu = /usr/bin/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64 emulates x86_64, not ppc64"),
    ],
)
def test_what_the_settings_ask_of_qemu_is_asked(settings, why, tmp_path):
    (tmp_path / "settings").write_text(f"[migdowntime]\n{settings}\n")
    done = avocado(tmp_path, "--config", str(tmp_path / "settings"), "migdowntime", "doctor", "--json", "--quiet")
    told = json.loads(done.output)
    others = {finding["state"] for finding in told["findings"] if finding["name"].startswith("qemu ")}
    (ppc,) = (finding for finding in told["findings"] if finding["name"] == "qemu ppc64")
    assert done.status == 1 and told["able"] is False
    assert ppc["state"] == "fault" and why in ppc["text"] and ppc["mend"] == "" and "note" not in others


@pytest.mark.usefixtures("nothing_left")
def test_ctrl_c_ends_it_without_a_word(tmp_path):
    slow = tmp_path / "qemu-system-ppc64"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    line, environment = command(tmp_path, "migdowntime", "doctor")
    environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    with subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert "2 s so far" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=HANGS_S)
    assert (process.returncode, out) == (130, "") and "Error" not in err and "never" not in err


@pytest.mark.usefixtures("nothing_left")
def test_a_host_without_qemu_is_told_what_to_install(monkeypatch, capsys, tmp_path):
    for program in ("ip", "tc"):
        (tmp_path / program).symlink_to(Path("/usr/bin/true"))
    (tmp_path / "qemu-system-arm").write_text("#!/bin/sh\necho I am none; exit 3\n")
    (tmp_path / "qemu-system-arm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run() == 1
    text = capsys.readouterr().out
    assert "qemu ppc64    fault  no qemu-system-ppc64 is on the PATH" in text
    assert "fix:   apt-get install --no-install-recommends qemu-system-ppc (or: dnf" in text
    assert f"qemu arm      note   {tmp_path}/qemu-system-arm did not answer as a QEMU does" in text
    assert "default test  fault  cannot run" in text


def test_progress_is_told_after_two_seconds_unless_quiet(monkeypatch, capsys, tmp_path):
    slow = tmp_path / "qemu-system-ppc64"
    slow.write_text("#!/bin/sh\nsleep 2.5\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert run() == 1
    assert "migdowntime doctor: asking each QEMU what it can do, 2 s so far\n" in capsys.readouterr().err
    assert run("--quiet") == 1
    assert capsys.readouterr().err == ""
