# SPDX-License-Identifier: GPL-2.0-or-later
"""Each reader on the examples that `make fuzz` begins from, and on what it has found."""

import asyncio
import json
import struct
from random import Random

import pytest

from avocado_migdowntime.errors import HarnessError
from avocado_migdowntime.faulty.framing import Framing
from avocado_migdowntime.qemu.guest import telemetry_address
from avocado_migdowntime.qemu.guest_ram import SharedRam
from bench import fuzz
from bench.rows import rows

from ..support.fuzz_mutations import with_another_value
from ..support.fuzzed import readers

READERS = readers()
_PAGE = READERS["telemetry"].seeds[1]


def telemetry(**words):
    """The page of a guest whose words of these indices are others."""
    changed = bytearray(_PAGE)
    for index, value in words.items():
        struct.pack_into("<Q", changed, 8 * int(index.removeprefix("word_")), value)
    return bytes(changed)


FOUND = [
    ("telemetry", telemetry(word_8=0)),  # A region without a page.
    ("telemetry", telemetry(word_8=1 << 62)),  # More than the host's memory.
    ("telemetry", telemetry(word_9=0)),  # A granule without a page.
    ("telemetry", telemetry(word_13=(1 << 64) - 1)),
    ("telemetry", telemetry(word_27=16)),  # Each with one page of the region.
    ("telemetry", telemetry(word_27=1 << 63)),
    ("telemetry", _PAGE[:100]),
    ("QMP answers", b"\0" + b"[" * 200_000),
    ("QMP answers, recorded", b'{"\\ud800ram": {}}'),
]


@pytest.mark.long
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_attack_is_read(name):
    reader = READERS[name]
    assert reader.seeds and all(isinstance(seed, bytes) for seed in reader.seeds)
    for seed in reader.seeds[:3]:
        reader.read(seed)


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_found_is_a_sentence(name, data):
    READERS[name](data)


def test_a_message_nested_without_end_is_handed_on_as_no_message():
    nested = b"[" * 200_000 + b"\n"
    assert list(Framing().feed(nested)) == [(nested, None)]


@pytest.mark.parametrize(
    "line", ["migdowntime: ready", "migdowntime: ready telemetry=", "migdowntime: ready telemetry=z"]
)
def test_a_guest_that_does_not_say_where_its_page_lies_is_named(line):
    class Qemu:
        async def line(self, *beginnings):
            return line

    with pytest.raises(HarnessError, match=f"^the guest printed '{line}', but not the address of its telemetry page$"):
        asyncio.run(telemetry_address(Qemu()))


@pytest.mark.parametrize("address", [-1, 1 << 62, 1 << 64])
def test_what_is_outside_of_the_ram_is_not_read(tmp_path, address):
    class Guest:
        class profile:
            ram_start = 0

    path = tmp_path / "ram"
    path.write_bytes(bytes(100))
    with path.open("rb") as file:
        assert SharedRam(file.fileno(), Guest).now(40, 8) == bytes(8)
        with pytest.raises(HarnessError, match=r"^the guest has no RAM from -?0x\w+ to 0x\w+$"):
            SharedRam(file.fileno(), Guest).now(address, 8)


@pytest.mark.parametrize("name", [name for name, reader in READERS.items() if reader.is_lines])
def test_a_fuzzed_line_is_mostly_still_a_line(name):
    reader, longest_bytes = READERS[name], 1024
    shortest = min(reader.seeds, key=len)
    made = {reader.mutate(shortest, longest_bytes, seed, lambda data, most: data[:most]) for seed in range(300)}
    assert len(made) > 40 and max(map(len, made)) <= longest_bytes
    lines = [line for one in made for line in one[reader.apart_bytes :].splitlines()]
    assert sum(map(is_json, lines)) > 0.9 * len(lines)


def is_json(line):
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("line", [b"", b"7", b"{}", b"[]", b'{"a":', b"[" * 200_000, b"\xff"])
def test_a_line_without_a_value_stays(line):
    assert with_another_value(line, Random(1)) == line


def test_each_value_of_a_line_is_changed_and_left_out():
    made = [json.loads(with_another_value(b'{"a":{"b":[1]},"c":"d"}', Random(seed))) for seed in range(3000)]
    for kept in ({"a": {"b": [1]}}, {"c": "d"}, {"a": {"b": []}, "c": "d"}, {"a": {}, "c": "d"}):
        assert kept in made
    assert {"a": {"b": [1]}, "c": ""} in made and {"a": {"b": [1000]}, "c": "d"} in made


def test_the_counts_of_inputs_are_of_readers_that_there_are():
    assert {row["reader"] for row in rows(fuzz.KEPT)} <= set(READERS)


def test_the_count_of_a_run_is_added_once(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz, "KEPT", tmp_path / "fuzz.jsonl")
    monkeypatch.setattr(fuzz, "CORPORA", tmp_path)
    for counted in (70, 5):
        (tmp_path / "QMP-answers.256-tried").write_text(str(counted))
        fuzz.keep_count("QMP answers", 256)
        fuzz.keep_count("QMP answers", 256)
    assert fuzz.tried("QMP answers", 256) == 75 and fuzz.tried("QMP answers", 1024) == 0
    assert [row["inputs"] for row in rows(fuzz.KEPT)] == [70, 5]
