# SPDX-License-Identifier: GPL-2.0-or-later
"""A text that shows that the guest was stopped: what is left ends the migration then, and QEMU's downtime is too short.

The first log is of a `virsh save`, as posted on qemu-devel in March 2022.
"""

import json

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.prediction.from_a_look import STOPPED

from ..support.recorded import RECORDINGS
from ..support.virsh_output import recorded

LOG = (
    "2022-03-07 10:47:{:06.3f}+0000: 134386: info : qemuMonitorJSONIOProcessLine:235 : QEMU_MONITOR_RECV_{}: mon=0x7fa4"
)
MONITOR = (RECORDINGS / "info-migrate-7.2.txt").read_text()
LONGER = "the guest was stopped some time before, so it was down for more than QEMU's {} ms"


def event(name, at_s, **data):
    message = {"timestamp": {"seconds": 1646650000 + int(at_s), "microseconds": 0}, "event": name, "data": data}
    return f"{LOG.format(at_s, 'EVENT')} event={json.dumps(message)}"


def reply(at_s, total_ms, status="active", **more):
    ram = {"total": 32213049344, "dirty-sync-count": 1, "page-size": 4096, "remaining": 31357165568, "mbps": 70.6}
    counted = {"transferred": 28723376, "duplicate": 202401, "normal": 6555, "dirty-pages-rate": 0}
    answer = {"status": status, "setup-time": 121, "total-time": total_ms, "ram": {**ram, **counted}, **more}
    return f"{LOG.format(at_s, 'REPLY')} reply={json.dumps({'return': answer})}"


SETUP = event("MIGRATION", 8.33, status="setup")
ACTIVE = reply(8.809, 481, **{"expected-downtime": 300})
COMPLETED = reply(21.145, 12815, "completed", downtime=79)
SAVED = [event("STOP", 7), SETUP, ACTIVE, COMPLETED]


def text(*lines):
    return "\n".join([*lines, ""]).encode()


def test_a_guest_that_was_stopped_before_it_was_saved_was_down_for_longer_than_qemu_says():
    assert LONGER.format(79) in advise(parse(text(*SAVED))).reasons[0]
    ran = [event("STOP", 6), event("RESUME", 7), SETUP, ACTIVE, COMPLETED]
    assert advise(parse(text(*ran))).reasons[0].startswith("the migration completed, and the guest was down for 79 ms")


def test_what_came_before_the_first_sample_is_recorded_from_a_pipe_as_well(tmp_path):
    trace, _ = recorded(tmp_path, [(0, text(*SAVED).decode())])
    assert [one.name for one in trace.events] == ["STOP", "MIGRATION"]
    assert LONGER.format(79) in advise(trace).reasons[0]


@pytest.mark.parametrize("more", [[], [ACTIVE.replace("481", "900")]])
def test_no_limit_is_advised_of_a_guest_that_was_stopped_before_the_figures(more):
    later = [line.replace('"dirty-sync-count": 1', '"dirty-sync-count": 3') for line in (ACTIVE, *more)]
    for stop in ([event("STOP", 7), SETUP], [SETUP, event("STOP", 8.5)], [event("STOP", 7)]):
        assert STOPPED in advise(parse(text(*stop, *later))).reasons


def test_the_stop_that_ended_a_migration_is_not_one_before_it():
    ended = [event("STOP", 20), event("MIGRATION", 21, status="completed"), COMPLETED]
    assert (
        advise(parse(text(*ended))).reasons[0].startswith("the migration completed, and the guest was down for 79 ms")
    )
    again = [event("STOP", 5), event("MIGRATION", 6, status="completed"), SETUP, ACTIVE, COMPLETED]
    assert "STOP" not in [one.name for one in parse(text(*again)).events]


@pytest.mark.parametrize(
    ("above", "is_stopped"),
    [
        ("(qemu) info status\nVM status: paused\n", True),
        ("(qemu) info status\nVM status: paused (io-error)\n", True),
        ("(qemu) info status\nVM status: paused (postmigrate)\n", False),
        ("VM status: paused\n(qemu) cont\n(qemu) info status\nVM status: running (single step mode)\n", False),
        ("(qemu) info status\nVM status: running\n", False),
        ("(qemu) info status\nVM status: paused (inmigrate)\n", False),
        ('{"execute": "query-status"}\n{"return": {"status": "paused", "running": false}}\n', True),
        ('{"execute": "query-status"}\n{"return": {"status": "inmigrate", "running": false}}\n', False),
        ('{"return": {"status": "io-error", "running": false}}\n', True),
        ("# virsh suspend vm1\nDomain 'vm1' suspended\n\n", True),
        ("# virsh suspend vm1\nDomain vm1 suspended\n\n# virsh resume vm1\nDomain vm1 resumed\n", False),
        ("# virsh domstate --reason vm1\npaused (user)\n\n", True),
        ("# virsh domstate --reason vm1\npaused (migrating)\n\n", False),
        ("# while :; do virsh domstate vm1; sleep 1; done\nrunning\n\npaused\n\n", True),
        ("# virsh domstate vm1\npaused\n\n# virsh domstate --reason vm1\nrunning (unpaused)\n\n", False),
        ("# virsh domstate vm1\nrunning\n\n", False),
        ("event 'lifecycle' for domain 'vm1': Suspended Paused\n", True),
        ("2024-05-01 10:00:00.100+0000: event 'lifecycle' for domain 'vm1': Suspended Paused\n", True),
        (
            "event 'lifecycle' for domain vm1: Suspended Paused\nevent 'lifecycle' for domain vm1: Resumed Unpaused\n",
            False,
        ),
    ],
)
def test_the_state_of_the_guest_may_be_shown_above_the_figures(above, is_stopped):
    prompt = "# virsh qemu-monitor-command vm1 --hmp info migrate\n" if "virsh" in above else ""
    trace = parse((above + prompt + MONITOR).encode())
    assert trace.is_stopped == is_stopped
    assert (STOPPED in advise(trace).reasons) == is_stopped
    below = parse((MONITOR + above).encode())
    assert below.is_stopped == is_stopped


def test_the_state_of_a_guest_is_not_that_of_another_one():
    mine = "# virsh qemu-monitor-command vm1 --hmp info migrate\n" + MONITOR
    assert not parse(("# virsh suspend vm2\nDomain 'vm2' suspended\n\n" + mine).encode()).is_stopped
