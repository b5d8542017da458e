# SPDX-License-Identifier: GPL-2.0-or-later
"""What logs put before each line of a text as it is posted; and lines of others that look like those of a migration."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse

from ..support.documents import TOP

HEADS = [
    "DEBUG:root:", "INFO     ", "INFO - ", "2024-01-01 12:00:00,123 - root - INFO - ", "2024-01-01 12:00:00 INFO ",
    "Jan 1 12:00:00 host1 prog: ", "stdout: ", "12  ", "L12: ", "#12 0.123 ", "$ ", "01.01.2024 12:00:00 ",
    "Mon Jan  1 12:00:00 UTC 2024 ", "1704110400 ", "20240101T120000Z ", "12:00:00 PM ", "E   ", "\u2502 ", "\u2013 ",
]  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(
    "name",
    ["info-migrate-7.2-throttled", "info-migrate-10.1-postcopy", "info-migrate-2025-in-kb", "domjobinfo-postcopy"],
)
def test_what_logs_put_before_each_line_does_not_matter(name, head):
    text = (TOP / "selftests" / "forms" / f"{name}.txt").read_text().replace("\n>", "\n").removeprefix(">")
    headed = "".join(f"{head}{line}\n" for line in text.splitlines())
    assert [*parse(headed.encode()).samples] == [*parse(text.encode()).samples]


@pytest.mark.parametrize(
    "head", ["[2024-05-12T11:57:06.123Z] ", "11:57:06  ", "2024-05-12 11:57:06.546 | controller | "]
)
def test_parameters_are_read_behind_the_heads_of_logs_too(head):
    text = (TOP / "selftests" / "forms" / "info-migrate-2.12-below-parameters.txt").read_text()
    headed = "".join(f"{head}{line}\n" for line in text.splitlines())
    assert parse(headed.encode()).downtime_limit_ms == 300


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(("end", "status"), [("Migration status: failed", "failed"), ("Status: failed", "active")])
def test_how_it_ended_is_known_behind_its_figures_and_what_else_ended_is_not(head, end, status):
    text = (TOP / "selftests" / "forms" / "info-migrate-7.2-throttled.txt").read_text()
    headed = "".join(f"{head}{line}\n" for line in [*text.splitlines(), end])
    assert parse(headed.encode()).samples[-1].status == status


@pytest.mark.parametrize(
    "text",
    [
        "INFO - Status: completed\nINFO - 3 of 3 done\n",
        "2024-01-01 12:00:00 worker: Status: failed\n",
        "INFO - Status: failed (timed out)\n",
        "INFO - of the whole: downtime: 7 ms\n",
        "the whole downtime: 7 ms and the total time: 8 ms were measured\n",
    ],
)
def test_what_others_log_is_no_migration(text):
    with pytest.raises(UsageError):
        parse(text.encode())
