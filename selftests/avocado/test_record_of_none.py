# SPDX-License-Identifier: GPL-2.0-or-later
"""`record` on sockets that are none of a QEMU."""

import asyncio

import pytest

from avocado_migdowntime.record import attached
from avocado_migdowntime.record.observed_qemu import page_size_of

from ..support.made_up_monitor import answering, served
from ..support.record_command import recorded


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (b"hello\n", "does not speak QMP"),
        (b"\xff\xfe\n", "does not speak QMP"),
        (b'{"QMP":"\xff"}\n', "does not speak QMP"),
        (b'{"a": 1}\n', "does not speak QMP"),
        (b"", "sends no QMP greeting within"),
    ],
)
def test_a_socket_that_is_none_of_qmp_is_refused(words, expected, sockets, monkeypatch):
    monkeypatch.setattr(attached, "_GREETING_S", 0.5)

    async def attach():
        async with attached.AttachedQemu(str(sockets / "other"), print):
            raise AssertionError("this is no QEMU")

    def talk(connection):
        connection.sendall(words)
        connection.recv(1 << 16)

    with served(sockets / "other", talk), pytest.raises(attached.UsageError, match=expected) as caught:
        asyncio.run(attach())
    assert "\n" not in str(caught.value)


RUNNING = {"query-status": {"status": "running"}}


@pytest.mark.parametrize(
    ("answers", "command"),
    [
        ({}, "query-status"),
        ({"query-status": []}, "query-status"),
        ({**RUNNING, "query-migrate": {"status": ["active"]}}, "query-migrate"),
        ({**RUNNING, "query-migrate": {"status": "active"}}, "query-version"),
    ],
)
def test_what_speaks_qmp_and_is_no_qemu_is_refused(answers, command, sockets, tmp_path):
    with served(sockets / "other", lambda client: answering(client, answers)):
        status, said = recorded(tmp_path, sockets / "other", "--wait", "1")
    assert (status, said.count("\n")) == (125, 1) and not (tmp_path / "trace.jsonl").exists()
    assert f"{sockets / 'other'} answers {command} with " in said and "which no QEMU does" in said


@pytest.mark.parametrize("source", ["nowhere", "trace", "127.0.0.1:1", "127.0.0.1:65536", "/tmp/" + "x" * 120])
def test_where_nobody_listens_it_is_said(source, tmp_path):
    (tmp_path / "trace").touch()
    status, said = recorded(tmp_path, source)
    assert (status, said.count("\n")) == (2, 1)
    assert f"{source}: " in said and "expected the QMP socket of a running QEMU, PATH or HOST:PORT" in said


def test_the_page_size_is_that_of_the_largest_block():
    blocks = """              Block Name    PSize              Offset               Used              Total
                     ram    2 MiB  0x0000000000000000 0x0000000010000000 0x0000000010000000
    0000:00:02.0/vga.vram    4 KiB  0x0000000010000000 0x0000000001000000 0x0000000001000000
"""
    assert page_size_of(blocks) == 2 << 20
    for none in (
        "no blocks\n",
        f"ram  {'9' * 6000} GiB 0x0 0x1\n",
        "ram 2 MiB 0x0 0xzz\n",
        f"ram 2 MiB 0x0 0x{'f' * 6000}\n",
    ):
        assert page_size_of(none) is None
