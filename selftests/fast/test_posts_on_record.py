# SPDX-License-Identifier: GPL-2.0-or-later
"""What `record -` makes of texts as they are posted, from a file."""

import json
import os

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.record.new_trace import NewTrace
from avocado_migdowntime.record.piped import record

from ..support.posts import SHOWN, refusal


def recorded(tmp_path, text):
    """What `record` makes of a text in a file, and the trace of that."""
    new_trace = NewTrace(str(tmp_path / "trace.jsonl"))
    (tmp_path / "text").write_text(text)
    pipe = os.open(tmp_path / "text", os.O_RDONLY)
    try:
        record(pipe, new_trace, 1.0, None, lambda sample: None)
    finally:
        os.close(pipe)
    return new_trace, parse((tmp_path / "trace.jsonl").read_bytes())


@pytest.mark.parametrize("ending", ["", "migration status: completed\n", "migrate_cancel\n"])
def test_what_a_log_of_proxmox_shows_is_read_again_from_the_recording_of_it(tmp_path, ending):
    log = "2025-03-04 10:00:0{0} migration active, transferred {1}.0 GiB of 12.0 GiB VM-state, 400.0 MiB/s\n"
    text = "".join(log.format(second, second + 1) for second in range(4)) + ending
    new_trace, trace = recorded(tmp_path, text)
    whole = parse(text.encode())
    assert new_trace.samples == len(trace.samples) == len(whole.samples)
    assert trace.readings[-1].answer == whole.readings[-1].answer
    assert trace.lacks == whole.lacks
    assert advise(trace).reasons[0] == advise(whole).reasons[0]


def test_of_ram_whose_rest_is_not_shown_what_is_shown_is_on_record(tmp_path):
    text = "2025-03-04 10:00:01 migration active, transferred 2.0 GiB of 12.0 GiB VM-state, 400.0 MiB/s\n"
    recorded(tmp_path, text)
    answer = json.loads((tmp_path / "trace.jsonl").read_text().splitlines()[1])["query-migrate"]
    assert (answer["ram"]["total"], "remaining" in answer["ram"]) == (12 << 30, False)


def test_that_another_migration_follows_the_one_on_record_is_known(tmp_path):
    again = SHOWN.replace("341207", "420111").replace("4211528", "8405832")
    new_trace, trace = recorded(tmp_path, SHOWN + "\n" + again)
    assert (new_trace.is_followed, new_trace.samples) == (True, 1)
    assert trace.samples[0].ram.transferred_bytes == 11_020_334 << 10


def test_that_nothing_follows_it_is_known_as_well(tmp_path):
    assert not recorded(tmp_path, SHOWN)[0].is_followed


@pytest.mark.parametrize(
    "text",
    [
        "Job type:         None        \n",
        SHOWN.replace("active", "none"),
        '{"return": {"status": "none"}}\n',
    ],
)
def test_that_nothing_migrates_is_said(text, tmp_path):
    words = "no migration runs where this was taken: it is over, or of another guest, or on another host; take `"
    assert refusal(text).startswith(words)
    with pytest.raises(UsageError, match=f"^{words}"):
        recorded(tmp_path, text)
