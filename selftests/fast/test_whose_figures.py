# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks at several guests in one paste are not one migration: by the commands above them, and by what only grows."""

import json
import re

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.reader import Reader
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.reading import Reading
from avocado_migdowntime.verdict.judge import judge


def job(elapsed_ms, iteration, sent_gib, zero=600_000, normal=1_716_000, left_mib=224.113):
    return (
        "Job type:         Unbounded\nOperation:        Outgoing migration\n"
        f"Time elapsed:     {elapsed_ms} ms\n"
        f"Memory processed: {sent_gib:.3f} GiB\nMemory remaining: {left_mib} MiB\n"
        "Memory total:     4.016 GiB\nMemory bandwidth: 112.057 MiB/s\nDirty rate:       20000 pages/s\n"
        f"Page size:        4096 bytes\nIteration:        {iteration}\n"
        f"Constant pages:   {zero}\nNormal pages:     {normal}\n"
        "Expected downtime: 3000 ms\n"
    )


FIRST, SECOND = job(60000, 5, 6.568), job(61000, 6, 6.668, 600_100, 1_746_000, 300.1)


def text_of(told):
    trace = parse(told.encode())
    return trace, [*judge(trace).reasons, *advise(trace).reasons]


@pytest.mark.parametrize(
    "asked",
    [
        "# virsh domjobinfo {}\n",
        "$ sudo virsh -c qemu:///system domjobinfo --domain {}\n",
        "virsh # domjobinfo {} --rawstats\n",
        "[root@h ~]# virsh domjobinfo '{}'; date\n",
    ],
)
def test_a_command_names_the_guest_that_it_shows(asked):
    trace, said = text_of(f"{asked.format('vm1')}{FIRST}\n{asked.format('vm2')}{SECOND}")
    assert [sample.t_s for sample in trace.samples] == [61]
    assert said.count("2 guests are migrated in this text: vm2 is judged") == 2
    trace, said = text_of(f"{asked.format('vm1')}{FIRST}\n{asked.format('vm1')}{SECOND}")
    assert [sample.t_s for sample in trace.samples] == [60, 61]
    assert not any("guests" in reason for reason in said)


def test_guests_by_turns_are_two_traces():
    turns = [("vm1", FIRST), ("vm2", FIRST), ("vm1", SECOND), ("vm2", SECOND)]
    trace, _ = text_of("".join(f"# virsh domjobinfo {name}\n{shown}\n" for name, shown in turns))
    assert [sample.t_s for sample in trace.samples] == [60, 61]


def test_monitors_of_two_guests_are_told_apart():
    asked = """$ virsh qemu-monitor-command {} '{{"execute":"query-migrate"}}'\n"""
    ram = {"total": 1 << 30, "remaining": 1 << 20, "transferred": 1 << 28, "mbps": 100.0}
    replies = [json.dumps({"return": {"status": "active", "total-time": at, "ram": ram}}) for at in (1000, 2000)]
    trace, _ = text_of(f"{asked.format('vm1')}{replies[0]}\n{asked.format('vm2')}{replies[1]}\n")
    assert [sample.t_s for sample in trace.samples] == [2]


@pytest.mark.parametrize("of", ["7", "0f3c8a2e-1111-4222-8333-0123456789ab"])
def test_one_guest_may_have_a_name_a_number_and_a_uuid(of):
    trace, _ = text_of(f"# virsh domjobinfo vm1\n{FIRST}\n# virsh domjobinfo {of}\n{SECOND}")
    assert len(trace.samples) == 2


def test_figures_above_the_first_command_are_of_the_guest_that_it_names():
    trace, said = text_of(f"{FIRST}\n# virsh domjobinfo vm1\n{SECOND}")
    assert len(trace.samples) == 2 and not any("guests" in reason for reason in said)


def test_a_limit_that_is_set_for_one_guest_is_not_that_of_another():
    limit = "# virsh migrate-setmaxdowntime vm1 450\n\n"
    assert parse(f"{limit}# virsh domjobinfo vm2\n{FIRST}".encode()).downtime_limit_ms is None
    assert parse(f"{limit}# virsh domjobinfo vm1\n{FIRST}".encode()).downtime_limit_ms == 450
    assert parse(f"{limit}{FIRST}".encode()).downtime_limit_ms == 450


@pytest.mark.parametrize(
    "second",
    [
        job(61000, 4, 6.668, 600_100, 1_746_000),
        job(61000, 6, 6.566, 600_100, 1_746_000),
        job(61000, 6, 6.668, 599_999, 1_746_000),
        job(61000, 6, 6.668, 600_100, 1_715_999),
    ],
)
def test_what_counts_less_than_before_is_another_migration(second):
    trace, said = text_of(f"{FIRST}\n{second}")
    assert [sample.t_s for sample in trace.samples] == [61]
    assert "several migrations are recorded: the last one is judged" in said


def test_what_rounding_leaves_open_is_no_less():
    trace, _ = text_of(f"{FIRST}\n{job(61000, 5, 6.567)}")
    assert len(trace.samples) == 2


def test_of_many_replies_those_that_count_less_are_of_another_guest():
    def replies(begin_ms, normal):
        return "".join(
            f'{{"return": {{"status": "active", "total-time": {begin_ms + 1000 * at}, "ram": {{"total": {4 << 30}, '
            f'"transferred": {at * 10**8}, "remaining": {10**9}, "page-size": 4096, "normal": {normal + at}, '
            f'"mbps": 1, "duplicate": 0, "dirty-pages-rate": 0, "dirty-sync-count": 2}}}}}}\n'
            for at in range(1, 301)
        )

    trace = parse((replies(0, 10**6) + replies(400_000, 10**5)).encode())
    assert (trace.samples[0].t_s, len(trace.samples)) == (401, 300)


def test_a_destination_that_waits_is_no_migration_of_the_source():
    waits = "(qemu) info migrate\nStatus: setup\nSockets: [\n        tcp:0.0.0.0:12345\n]\n"
    trace, _ = text_of(f"{FIRST}\n{waits}")
    assert [sample.status for sample in trace.samples] == ["active"]


ENDED = (
    "(qemu) info migrate\nMigration status: completed\ntotal time: 61000 ms\ndowntime: 30 ms\n"
    "transferred ram: 9999 kbytes\nremaining ram: 0 kbytes\ntotal ram: 4211528 kbytes\n\n"
)


@pytest.mark.parametrize(
    "waits",
    [
        "(qemu) info migrate\nStatus: setup\nSockets: [\n        tcp:0.0.0.0:12345\n]\n",
        '{"return": {"status": "setup", "socket-address": [{"port": "1", "host": "::", "type": "inet"}]}}\n',
    ],
)
def test_a_destination_that_waits_is_no_other_migration_after_one_that_ended(waits):
    assert [sample.status for sample in parse(f"{ENDED}{waits}".encode()).samples] == ["completed"]


def test_a_migration_that_is_set_up_after_one_that_ended_is_another_one():
    with pytest.raises(UsageError, match="the status is setup, and no remaining RAM is shown"):
        parse(f"{ENDED}(qemu) info migrate\nStatus: setup\n".encode())


def test_what_two_commands_show_comes_in_the_order_of_the_text():
    monitor = (
        "(qemu) info migrate\nMigration status: active\ntotal time: 61000 ms\nexpected downtime: 3000 ms\n"
        "transferred ram: 6999999 kbytes\nremaining ram: 229492 kbytes\ntotal ram: 4211528 kbytes\n"
        "throughput: 940.00 mbps\n"
    )
    for told, times in ((f"{FIRST}\n{monitor}", [60, 61]), (f"{monitor}\n{job(62000, 7, 6.768)}", [61, 62])):
        assert [sample.t_s for sample in text_of(told)[0].samples] == times


def test_several_looks_that_tell_no_pass_are_not_called_a_single_one():
    shown = [re.sub("(?:Constant|Normal).*\n", "", job(60000 + at, 5, 6.568 + at / 10000)) for at in (0, 500, 900)]
    trace, said = text_of("\n".join(shown))
    told = "they do not tell what was left at a sync; record it for more"
    assert len(trace.samples) == 3 and f"the last of 3 samples is judged by what is left now: {told}" in said


def test_who_is_asked_for_is_told_as_it_comes_too():
    reader = Reader()
    fed = [*reader.feed(f"# virsh domjobinfo vm1\n{FIRST}# virsh domjobinfo vm2\n{SECOND}".encode()), *reader.end()]
    assert [item.of for item in fed if isinstance(item, Reading)] == ["vm1", "vm2"]


def reply_of(number, total_bytes, **beside):
    ram = {"total": total_bytes, "remaining": 10**8 - 10**6 * number, "mbps": 940.5, "page-size": 4096}
    counted = {"normal": 10**6 + 250 * number, "duplicate": 5000, "dirty-sync-count": 3, "dirty-pages-rate": 12000}
    answer = {"status": "active", "total-time": 40_000 + 500 * number, "expected-downtime": 1200}
    return {**beside, "return": {**answer, "ram": {**ram, **counted, "transferred": 4 * 10**9 + 10**6 * number}}}


@pytest.mark.parametrize("is_first", [True, False])
def test_a_program_may_name_the_guest_beside_the_reply(is_first):
    lines = []
    for number in range(24):
        guest, total_bytes = (("a", 1 << 32), ("b", 1 << 33))[number % 2]
        reply = reply_of(number, total_bytes, vm=guest)
        lines.append(json.dumps(reply if is_first else dict(reversed(reply.items()))))
    trace = parse("\n".join([*lines, ""]).encode())
    assert len(trace.samples) == 12 and "2 guests are migrated in this text: b is judged" in trace.notes


def test_a_bandwidth_may_be_a_string_where_other_figures_are_numbers():
    """As Perl writes JSON."""
    plain, perl = reply_of(1, 1 << 32), reply_of(1, 1 << 32)
    perl["return"]["ram"]["mbps"] = "940.5"
    assert [*parse(json.dumps(perl).encode()).samples] == [*parse(json.dumps(plain).encode()).samples]
