# SPDX-License-Identifier: GPL-2.0-or-later
"""A listener on a socket in place of a QEMU, which speaks QMP or something else."""

import contextlib
import json
import socket
import threading

VERSION = {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""}
GREETING = {"QMP": {"version": VERSION, "capabilities": []}}
RAM = {
    "total": 1 << 28, "remaining": 1 << 20, "transferred": 1 << 24, "normal": 4096, "duplicate": 10, "mbps": 260.0,
    "dirty-pages-rate": 100, "dirty-sync-count": 2, "page-size": 4096,
}  # fmt: skip
MIGRATING = {
    "query-status": {"status": "running"},
    "query-version": VERSION,
    "query-target": {"arch": "x86_64"},
    "query-migrate": {"status": "active", "total-time": 1900, "expected-downtime": 300, "ram": RAM},
    "query-migrate-parameters": {"downtime-limit": 300},
    "query-migrate-capabilities": [],
    "query-kvm": {"enabled": False},
    "qom-get": "pc",
    "human-monitor-command": "",
}
"""The answers of a QEMU whose migration makes no progress."""


@contextlib.contextmanager
def served(path, talk):
    """Listen at `path`, and run `talk` with each client."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve():
            with contextlib.suppress(OSError), listener.accept()[0] as connection:
                talk(connection)

        server = threading.Thread(target=serve)
        server.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
    server.join()


def answering(client, answers):
    """Speak QMP with a client; each command is answered by `answers`: None means never, an error is raised as one, and
    bytes are sent as they are and end it.

    Two commands that are sent at once are not separated.
    """
    client.sendall(json.dumps(GREETING).encode() + b"\n")
    pending = ""
    while data := client.recv(1 << 16):
        pending += data.decode()
        while pending:
            try:
                asked, end = json.JSONDecoder().raw_decode(pending)
            except ValueError:
                break  # The rest of it is still to come.
            pending = pending[end:].lstrip()
            answer = answers.get(asked["execute"], {})
            if isinstance(answer, bytes):
                client.sendall(answer)
                return
            if answer is not None:
                message = answer if isinstance(answer, dict) and "error" in answer else {"return": answer}
                if "id" in asked:
                    message = {**message, "id": asked["id"]}
                client.sendall(json.dumps(message).encode() + b"\n")
