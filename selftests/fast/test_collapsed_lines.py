# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines that became one where a text was copied, or that another program put into a string."""

import re

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.lines import Lines

from ..support.documents import TOP

TASKS = ["proxmox-2014", "proxmox-2018-limit-raised", "proxmox-2024-dirties-faster", "proxmox-2024-failed"]


def lines_of(text):
    return [line.text for line in Lines().of(text.encode(), 0.0)]


@pytest.mark.parametrize(
    "name", ["info-migrate-1.6", "info-migrate-7.2-active-then-completed", "info-migrate-10.1-postcopy",
             "info-migrate-10.1-first-pass-multifd", "info-migrate-2025-in-kb", "info-migrate-7.2-throttled",
             "domjobinfo-postcopy"],
)  # fmt: skip
@pytest.mark.parametrize("between", [" ", "; ", ", ", " | "])
def test_a_text_whose_lines_became_one_is_read_as_it_was(name, between):
    text = (TOP / "selftests" / "forms" / f"{name}.txt").read_text().replace("\n> ", "\n")
    whole, collapsed = (
        parse(text.encode()),
        parse(between.join(" ".join(line.split()) for line in text.splitlines()).encode()),
    )
    assert [*collapsed.samples] == [*whole.samples]
    assert collapsed.lacks == whole.lacks


@pytest.mark.parametrize("name", ["proxmox-2014", "proxmox-2025-11", "nova-2018", "vdsm-2024-aborted", "kubevirt-2024"])
def test_a_log_whose_lines_became_one_is_read_as_it_was(name):
    text = (TOP / "selftests" / "texts" / f"{name}.txt").read_text().strip()
    whole, collapsed = parse(text.encode()), parse(text.replace("\n", " ").encode())
    assert [*collapsed.samples] == [*whole.samples]
    assert (collapsed.downtime_limit_ms, collapsed.notes) == (whole.downtime_limit_ms, whole.notes)


@pytest.mark.parametrize("between", [" ", ""])
@pytest.mark.parametrize("name", [*TASKS, "proxmox-cancelled"])
def test_a_task_log_without_times_whose_lines_became_one_is_read_as_it_was(name, between):
    text = (TOP / "selftests" / "texts" / f"{name}.txt").read_text().strip()
    text = re.sub(
        r"^(?:\[date removed\]|[A-Z][a-z]{2} \d\d|\d{4}-\d\d-\d\d)(?: \d\d:\d\d:\d\d)? ", "", text, flags=re.MULTILINE
    )
    whole, collapsed = parse(text.encode()), parse(text.replace("\n", between).encode())
    assert [*collapsed.samples] == [*whole.samples]
    assert (collapsed.downtime_limit_ms, collapsed.notes) == (whole.downtime_limit_ms, whole.notes)


@pytest.mark.parametrize("time", ["", "2024-05-12 11:57:06 "])
def test_one_line_with_figures_is_told_from_others_that_it_became_one_with(time):
    shown = "migration active, transferred 1.2 GiB of 4.0 GiB VM-state, 112.1 MiB/s"
    ended = "average migration speed: 409.6 MiB/s - downtime 61 ms"
    lines = [f"{time}{line}" for line in ("start migrate command to tcp:10.0.0.1:60000", shown, ended)]
    assert lines_of(" ".join(lines)) == lines
    (_, last) = parse(" ".join(lines).encode()).samples
    assert (last.status, last.downtime_ms) == ("completed", 61)


def test_lines_of_a_log_without_times_are_told_by_their_level():
    one = "INFO nova.virt.libvirt.driver [-] [instance: a-1] Migration running for {} secs, memory 5% remaining; {}"
    first, second = one.format(60, "(bytes processed=1, remaining=2, total=3)"), one.format(70, "(bytes processed=2,")
    assert lines_of(f"{first} {second}") == [first, second]


@pytest.mark.parametrize(
    "text",
    [
        '{"return": "transferred ram: 7 kbytes\\r\\nremaining ram: 5 kbytes\\r\\ntotal ram: 9 kbytes\\r\\nand so on"}',
        "Jun 11 02:14:52 h nova[7]: 2018-06-11 02:14:52 INFO nova.virt.libvirt.driver [-] Migration running for 7",
        "what is called transferred ram: is counted, remaining ram: is not, and nobody has asked for the total",
    ],
)
def test_a_line_that_was_one_stays_one(text):
    assert lines_of(text) == [text]


@pytest.mark.parametrize("text", ["INFO: b'{}'", "out = '{}' (rc 0)"])
def test_lines_in_a_string_of_python_s_are_lines(text):
    assert lines_of(text.format(r"Migration status: active\r\ntotal time: 7 ms\n")) == [
        "Migration status: active", "total time: 7 ms",
    ]  # fmt: skip
