# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages that `report` makes of recordings, and what stands in them."""

import argparse
import gzip
import json
import re

from avocado_migdowntime.cli import report

from .recorded import WRONG

EVIL = "<script>document.title='broken into'</script><b>&amp;$\\frac{1}{$"


def run(*arguments):
    parser = argparse.ArgumentParser()
    report.configure(parser)
    return report.run(parser.parse_args(list(map(str, arguments))))


def page_of(tmp_path, *places):
    assert run(*places, "--output", tmp_path / "report.html") == 0
    return (tmp_path / "report.html").read_text()


def figures(page):
    return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', page)]


def renamed(tmp_path, name):
    """A recording whose every text of the header is `name`, among a test's results and with its command lines."""
    header, *lines = gzip.decompress(WRONG.read_bytes()).splitlines()
    told = {**json.loads(header), "arch": name, "machine": name, "accelerator": name, "capabilities": [name]}
    data = tmp_path / "job" / "test-results" / "1-some" / "data"
    data.mkdir(parents=True)
    (data / "trace.jsonl").write_bytes(b"\n".join([json.dumps(told).encode(), *lines]))
    (data / "source.command").write_text(f"qemu-system-x86_64 -append '{name}'\n")
    return tmp_path / "job"
