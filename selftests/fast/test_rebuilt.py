# SPDX-License-Identifier: GPL-2.0-or-later
"""How known faults are put into QEMU's own source."""

import re
import sys

import pytest

from bench import found, rebuilt_qemu

UPDATE = "#define MAX_THROTTLE 5\nstatic void migration_update_counters()\n{{\n{cap}{counted}transferred);\n}}\n"


def source(top, version):
    major = int(version.partition(".")[0])
    uses = rebuilt_qemu.CAP_USES[major][1:]
    cap = "".join(f"    {use};\n" for use in uses)
    files = {"pc-bios/meson.build": "if unpack_edk2_blobs\nendif\n", "VERSION": f"{version}\n"}
    files["migration/options.c"] = f'#include "qemu/osdep.h"\n{cap}'
    files["migration/migration.c"] = UPDATE.format(cap=cap, counted=rebuilt_qemu.COUNTED)
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return top


@pytest.mark.parametrize("version", ["7.2.22", "10.0.13"])
def test_the_faults_are_put_into_the_source_once(tmp_path, monkeypatch, version):
    built = []
    monkeypatch.setattr(rebuilt_qemu, "build", lambda *what: built.append(what))
    monkeypatch.setattr(sys, "argv", ["rebuilt_qemu", str(source(tmp_path, version))])
    assert rebuilt_qemu.main() == 0
    once = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert rebuilt_qemu.main() == 0 and built == [(tmp_path, int(version.partition(".")[0]))] * 2
    assert once == {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    text = once[tmp_path / "migration/migration.c"]
    assert text.count("    misreport(s, transferred, bandwidth);\n") == text.count('#include "rebuilt_faults.h"\n') == 1
    assert all(f"#define {name} " in text for name in ("AT_SYNC_BYTES", "DIRTY_PAGES_PER_S", "SYNCS"))
    cap_file, *uses = rebuilt_qemu.CAP_USES[int(version.partition(".")[0])]
    assert once[tmp_path / cap_file].count("kept_max_bandwidth(s->parameters.max_bandwidth)") == len(uses)


def test_a_source_that_is_another_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["rebuilt_qemu", str(tmp_path)])
    with pytest.raises(SystemExit):
        rebuilt_qemu.main()
    assert "is no source of QEMU: it has no file VERSION" in capsys.readouterr().err
    (tmp_path / "VERSION").write_text("11.1.0\n")
    with pytest.raises(SystemExit):
        rebuilt_qemu.main()
    assert "is QEMU 11; the faults are written for 7 and 10" in capsys.readouterr().err
    source(tmp_path, "10.2.2")
    (tmp_path / "migration/options.c").write_text("")
    with pytest.raises(SystemExit, match=r"options\.c has no .*; give the source of QEMU 7\.2 or 10"):
        rebuilt_qemu.main()


def test_each_fault_that_is_tried_in_messages_is_in_the_code_too():
    written = set(re.findall(r'(?:has_fault|fault_value)\("([a-z-]+)"', rebuilt_qemu.FAULTS.read_text()))
    assert written | {"none"} == {fault.partition("=")[0] for fault in found.ASKED}
