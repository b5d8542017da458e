# SPDX-License-Identifier: GPL-2.0-or-later
"""What the page says of running a migration again by hand is done as it says, on real QEMUs."""

import asyncio
import re
import subprocess
import time
from html import unescape

import pytest

from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.report.entry import recorded
from avocado_migdowntime.report.html.page import page

from ..support.waiting import HANGS_S

pytestmark = pytest.mark.usefixtures("nothing_left")
SOCKET = "unix:/tmp/migration.sock"


def test_the_page_tells_how_to_run_it_again(tmp_path):
    asked = {"accel": "tcg", "arch": "ppc64", "page_size": "4K", "capabilities": "auto-converge"}
    asyncio.run(expected_downtime(parse(asked), tmp_path, lambda line: None))
    shown = page("by hand", [recorded(str(tmp_path / "trace.jsonl"))]).decode()
    told = unescape(shown[shown.index("Run it again by hand") : shown.index("</details>", shown.index("Run it again"))])
    begin, in_place = re.findall(r"<code>(.*?)</code>", told)
    destination, source, lines = re.findall(r"<pre[^>]*>\s*(.*?)</pre>", told, re.DOTALL)
    monitors = {}
    try:
        for side, command in (("destination", destination), ("source", source)):
            by_hand = f"exec {command.partition(begin)[0]}{in_place}"
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
            monitors[side] = subprocess.Popen(by_hand, shell=True, cwd=tmp_path, **pipes)
        for line in [*lines.splitlines(), "(source) info migrate_parameters", "(source) info migrate_capabilities"]:
            side, _, text = line[1:].partition(") ")
            own = text.replace(SOCKET, f"unix:{tmp_path}/migration.sock")
            monitors[side].stdin.write(f"{own}\n".encode())
            monitors[side].stdin.flush()
            time.sleep(0.2)
        said = monitors["source"].communicate(b"quit\n", timeout=HANGS_S)[0].decode()
    finally:
        for monitor in monitors.values():
            monitor.kill()
            monitor.wait()
    assert "Migration status: active" in said, said
    assert f"max-bandwidth: {parse(asked).bytes_per_s} bytes/second" in said and "downtime-limit: 1 ms" in said
    assert "auto-converge: on" in said
