# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages that `report` makes from recordings, and their content."""

import argparse
import base64
import gzip
import json
import re
import zlib

import numpy as np

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


def unpacked(text):
    return zlib.decompress(base64.b64decode(text, validate=True))


def figures(page):
    """The input of plotly for each picture, with the numbers of its curves."""
    within = re.sub(r'<details class="later">.*?</details>', "", page, flags=re.DOTALL)
    return [_figure(unpacked(text)) for text in re.findall(r'<script type="application/octet-stream">([^<]*)<', within)]


def _figure(data):
    length = int.from_bytes(data[:4], "little")
    numbers = np.frombuffer(data[4 + length :], "<f4")

    def revived(part):
        if part.keys() != {"floats"}:
            return part
        at, count, width = part["floats"]
        found = numbers[at : at + count]
        return found.reshape(-1, width) if width else found

    return json.loads(data[4 : 4 + length], object_hook=revived)


def opened_later(page):
    """What a page of many tests shows of each test when it is opened."""
    found = re.findall(r'<details class="later">\s*<summary>[^<]*</summary>\s*<script [^>]*>([^<]*)<', page)
    return [unpacked(text).decode() for text in found]


def renamed(tmp_path, name):
    """A recording in which every text of the header is `name`, among a test's results and with its command lines."""
    header, *lines = gzip.decompress(WRONG.read_bytes()).splitlines()
    told = {**json.loads(header), "arch": name, "machine": name, "accelerator": name, "capabilities": [name]}
    data = tmp_path / "job" / "test-results" / "1-some" / "data"
    data.mkdir(parents=True)
    (data / "trace.jsonl").write_bytes(b"\n".join([json.dumps(told).encode(), *lines]))
    (data / "source.command").write_text(f"qemu-system-x86_64 -append '{name}'\n")
    return tmp_path / "job"
