# SPDX-License-Identifier: GPL-2.0-or-later
"""What is too much, or does not come, is refused in a sentence, in time."""

import os

import pytest

from avocado_migdowntime.basics import input_file
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse, read

HEADER = b'{"qemu":{},"migrate-parameters":{"downtime-limit":300}}\n'
SAMPLE = b'{"t":0,"latency_ms":0,"query-migrate":{}}\n'


def test_a_line_may_be_as_long_as_its_limit_and_no_longer():
    for size, taken in ((4 << 20, True), ((4 << 20) + 1, False)):
        line = b'{"t":0,"latency_ms":0,"query-migrate":{"x":"' + b"x" * (size - 47) + b'"}}'
        assert len(line) == size
        if taken:
            assert len(parse(HEADER + line + b"\n" + SAMPLE).samples) == 2
        else:
            with pytest.raises(UsageError, match="^holds a line of more than 4 MiB; expected"):
                parse(HEADER + line + b"\n" + SAMPLE)


def test_more_events_than_any_migration_has_are_refused():
    event = b'{"t":0,"event":{"event":"A","data":{"a":"' + b"x" * 1000 + b'"}}}\n'
    assert len(parse(HEADER + SAMPLE + event * 5_900).events) == 5_900
    with pytest.raises(UsageError, match=r"^line \d+: is one event too many: a recording holds at most 6 MiB of them$"):
        parse(HEADER + SAMPLE + event * 6_200)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom", "/dev/null"])
def test_a_device_is_not_read(device):
    with pytest.raises(UsageError, match=f"^{device}: is a device where a file was expected$"):
        read(device)


def test_what_is_called_a_file_and_waits_for_more_ends_with_what_is_there(tmp_path, monkeypatch):
    """As /proc/kmsg does for root; here a pipe that is called a file."""
    os.mkfifo(tmp_path / "file")
    both = os.open(tmp_path / "file", os.O_RDWR)
    os.write(both, HEADER + SAMPLE)
    monkeypatch.setattr(input_file.stat, "S_ISFIFO", lambda mode: False)
    monkeypatch.setattr(input_file.stat, "S_ISREG", lambda mode: True)
    assert len(read(str(tmp_path / "file")).samples) == 1
    os.close(both)


def test_a_file_is_read_whole_up_to_a_limit(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 1000)
    assert input_file.whole(str(tmp_path / "file"), 1000) == b"x" * 1000
    with pytest.raises(UsageError, match="^holds more than 0 MB"):
        input_file.whole(str(tmp_path / "file"), 999)
    with pytest.raises(FileNotFoundError):
        input_file.whole(str(tmp_path / "none"), 1)
    with pytest.raises(IsADirectoryError):
        input_file.whole(str(tmp_path), 1)
