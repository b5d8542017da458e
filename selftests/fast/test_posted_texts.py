# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands in texts as they are posted beside what a command prints: comments, remarks, commands, other units."""

import re

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.verdict.judge import judge

from ..support.documents import TOP
from ..support.posts import JOB

MIB = 1 << 20
REMARKS = (
    "   <-- does not fall",
    "  # why? 12 ms",
    " ← 一直下不去：3 MiB",
    "   (for an hour)",
    "  // big=5 MiB",
    " -- ?",
)
ENDED = """\
2024-05-12 11:57:06.546+0000: event 'job-completed' for domain 'vm1':
\toperation: 5
\ttime_elapsed: 8307
\ttime_elapsed_net: 8301
\tmemory_total: 8608202752
\tmemory_processed: 3439329411
\tmemory_remaining: 0
\tmemory_bps: 413676339
\tmemory_dirty_rate: 0
\tmemory_iteration: 3
\tdowntime: 63
\tdowntime_net: 57
\tsetup_time: 9
"""


def told(text):
    trace = parse(text.encode())
    return [*judge(trace).reasons, *advise(trace).reasons]


def limit_of(text):
    return parse(text.encode()).downtime_limit_ms


@pytest.mark.parametrize("mark", ["# ", "#   ", "// ", "> # ", "* "])
def test_a_job_in_comments_is_as_without(mark):
    (plain,), (commented,) = parse(JOB.encode()).samples, parse(
        "".join(f"{mark}{line}\n" for line in JOB.splitlines()).encode()
    ).samples  # fmt: skip
    assert commented == plain
    assert plain.ram.remaining_bytes == int(224.113 * MIB)


@pytest.mark.parametrize("remark", REMARKS)
def test_a_remark_behind_a_figure_is_none_of_it(remark):
    (sample,) = parse(JOB.replace("224.113 MiB", f"224.113 MiB{remark}").encode()).samples
    assert sample.ram.remaining_bytes == int(224.113 * MIB)


@pytest.mark.parametrize("remark", REMARKS)
@pytest.mark.parametrize("name", ["info-migrate-7.2-throttled", "info-migrate-10.1-first-pass-multifd"])
def test_a_remark_behind_any_line_of_the_monitor_is_none_of_it(name, remark):
    text = (TOP / "selftests" / "forms" / f"{name}.txt").read_text()
    plain, lines = parse(text.encode()), text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        trace = parse("".join([*lines[:at], f"{line.rstrip()}{remark}\n", *lines[at + 1 :]]).encode())
        assert (trace.readings, trace.notes) == (plain.readings, plain.notes), line


@pytest.mark.parametrize("remark", REMARKS[:2])
@pytest.mark.parametrize(
    ("shown", "status", "why"),
    [
        *((status, status, None) for status in ("cancelled", "failed", "postcopy-active", "setup")),
        ("failed (no route (to host2))", "failed", "no route (to host2)"),
        ("failed (cut off", "failed", "cut off"),
    ],
)
def test_a_remark_behind_a_status_leaves_it_as_it_is(shown, status, why, remark):
    has_end = shown[-1] != "f"
    text = f"Migration status: {shown}{remark if has_end else ''}\ntotal time: 9000 ms\nremaining ram: 900 kbytes\n"
    answer = parse(text.encode()).readings[-1].answer
    assert (answer["status"], answer.get("error-desc")) == (status, why)


@pytest.mark.parametrize("name", ["", "info-migrate-10.1-first-pass-multifd", "info-migrate-7.2-throttled"])
def test_a_text_that_is_cut_off_in_a_figure_has_no_other_one(name):
    text = (TOP / "selftests" / "forms" / f"{name}.txt").read_text() if name else JOB
    whole = parse(text.encode()).readings[-1].answer
    ends = [match.end() for match in re.finditer(r"\d\b(?=\s|$)|\d(?=\d)|\d(?=\.)", text)]
    seen = 0
    for cut in (text[:end] for end in ends):
        try:
            reading = parse(cut.encode()).readings[-1]
        except UsageError:
            continue
        shown = {**reading.answer, **(reading.answer["ram"] or {})}
        exact = {"expected-downtime", "remaining", "total", "mbps"} & shown.keys()
        exact -= {name.removeprefix("ram.") for name in reading.estimated}
        of_whole = {**whole, **whole["ram"]}
        assert all(shown[name] in (of_whole.get(name), 0) for name in exact), cut[-40:]
        seen += 1
    assert seen > 9


def test_a_dirty_rate_in_other_units_is_no_number_of_pages():
    with pytest.raises(UsageError, match=r"^Dirty rate is '20 MiB/s' where pages/s were expected: give what virsh "):
        parse(JOB.replace("20000        pages/s", "20 MiB/s").encode())


def test_a_percentage_is_no_size():
    text = JOB.replace("224.113 MiB", "13 %").replace("6.568 GiB", "87%")
    answer = parse(text.encode()).readings[-1].answer
    assert answer["ram"] is None and "how much RAM is left is not shown" in " ".join(told(text))


def test_what_is_cut_off_in_english_is_no_other_language():
    assert parse(JOB.replace("224.113 MiB", "224.1").encode()).lacks == ("ram.remaining",)


def test_figures_in_columns_without_colons_are_read():
    text = "Time elapsed                 110110  ms\nMemory remaining             25.500 GiB\nIteration      3\n"
    (sample,) = parse(text.encode()).samples
    assert (sample.t_s, sample.ram.remaining_bytes) == (110.11, int(25.5 * (1 << 30)))


@pytest.mark.parametrize("head", [ENDED.splitlines()[0], ""])
def test_a_job_that_an_event_tells_of_is_over(head):
    text = "\n".join([head, *ENDED.splitlines()[1:]])
    (sample,) = parse(text.encode()).samples
    assert (sample.status, sample.downtime_ms, sample.expected_downtime_ms) == ("completed", 63, None)
    assert "the migration completed, and the guest was down for 63 ms; QEMU predicts nothing now" in told(text)


@pytest.mark.parametrize("success", ["no", "0"])
def test_a_job_of_an_event_that_was_no_success_has_failed(success):
    text = f"{ENDED}\tsuccess: {success}\n\terrmsg: connection reset\n"
    (sample,) = parse(text.encode()).samples
    assert sample.status == "failed"
    assert "the reason shown: connection reset" in told(text)


@pytest.mark.parametrize(
    "memory", ["", "Memory processed: 0.000 B\nMemory remaining: 0.000 B\nMemory total: 0.000 B\n"]
)
def test_while_disks_are_sent_first_no_limit_ends_it(memory):
    text = (
        f"Job type:         Unbounded\nOperation:        Outgoing migration\nTime elapsed:     154307 ms\n{memory}"
        "File processed:   33.203 GiB\nFile remaining:   70.612 GiB\nFile total:       103.815 GiB\n"
    )
    assert advise(parse(text.encode())).finding.value == "none"
    sentence = "a disk is migrated as well, and no downtime-limit ends the migration while 76 GB of it are left"
    assert told(text).count(sentence) == 2


@pytest.mark.parametrize(
    "command",
    [
        "$ virsh migrate-getmaxdowntime vm1\n450\n\n",
        "[root@host1 ~]# virsh -c qemu:///system migrate-getmaxdowntime --domain vm1\n\n450\n\n",
        "virsh # migrate-getmaxdowntime vm1\n450\n\n",
        "# sudo virsh migrate-setmaxdowntime vm1 450\n",
        "root@h:~# virsh migrate-setmaxdowntime vm1 --downtime 450  # enough?\n\n",
    ],
)
def test_the_limit_that_virsh_tells_or_sets_is_known(command):
    assert limit_of(f"{command}$ virsh domjobinfo vm1\n{JOB}") == 450


def test_a_limit_that_virsh_sets_meanwhile_holds_from_then_on():
    later = JOB.replace("60000", "61000")
    trace = parse(f"{JOB}\n$ virsh migrate-setmaxdowntime vm1 450\n\n{later}\n".encode())
    assert [event.data for event in trace.events] == [{"downtime-limit": 450}]
    assert trace.events[0].t_s == 60
    refused = parse(f"{JOB}\n$ virsh migrate-setmaxdowntime vm1 450\nerror: no\n{later}\n".encode())
    assert refused.events == () and len(refused.samples) == 2


@pytest.mark.parametrize(
    "words",
    [
        "you may try virsh migrate-setmaxdowntime vm1 450 when nothing else helps\n",
        "$ virsh migrate-getmaxdowntime vm1\nerror: Requested operation is not valid: domain is not running\n450\n",
        "450\n",
        "# virsh migrate-setmaxdowntime vm1 450\nerror: Requested operation is not valid: domain is not running\n",
        "$ virsh migrate-setmaxdowntime vm1 450\n\nerror: failed to connect to the hypervisor\n\n",
    ],
)
def test_no_limit_is_known_by_words_about_it(words):
    assert limit_of(f"{words}{JOB}") is None


def test_what_others_call_events_is_not_taken_for_qemu_s():
    with pytest.raises(UsageError, match="^is a Xen log: this tool judges only migrations of QEMU"):
        parse(
            b'May 12 11:57:06 h emu-manager-1[7]: { "event" : "MIGRATION", "data": {"sent": 952320,"remaining": -1}}\n'
        )


def test_counters_that_ran_over_are_judged_as_others():
    text = (TOP / "selftests" / "forms" / "info-migrate-7.2-throttled.txt").read_text()
    absurd = re.sub(r"dirty sync count: \d+", f"dirty sync count: {2**64 - 1}", text)
    later = absurd.replace("total time: ", "total time: 9")
    assert any("pass 18446744073709551616" in reason for reason in judge(parse(f"{absurd}\n{later}".encode())).reasons)


def test_where_it_listens_does_not_end_a_text():
    text = (TOP / "selftests" / "forms" / "info-migrate-10.1-first-pass-multifd.txt").read_text()
    amid = text.replace("RAM info:", "Sockets: [\n\ttcp:10.0.0.1:4444\n\tunix:/run/m.sock\n]\nRAM info:")
    assert [*parse(amid.encode()).samples] == [*parse(text.encode()).samples]


def test_a_mail_s_lines_may_end_in_carriage_returns():
    text = (TOP / "selftests" / "forms" / "info-migrate-7.0-trimmed.txt").read_text()
    mailed = text.replace("\n", "=0D\n")
    assert [*parse(mailed.encode()).samples] == [*parse(text.encode()).samples]


def test_what_the_destination_says_is_no_other_migration():
    source = (TOP / "selftests" / "forms" / "info-migrate-7.2-throttled.txt").read_text()
    destination = "Migration status: active\ntotal time: 0 ms\nsocket address: [\n\ttcp:0.0.0.0:4444\n]\n"
    for text in (f"{source}(qemu) info migrate\n{destination}", f"{destination}(qemu) info migrate\n{source}"):
        assert [*parse(text.encode()).samples] == [*parse(source.encode()).samples]
    with pytest.raises(UsageError, match="the status is active, and no remaining RAM is shown"):
        parse(destination.encode())


def test_where_a_later_look_finds_no_job_nothing_is_advised():
    said = "at the end no job is shown: the migration is over, unless that is another guest's"
    gone = f"{JOB}\n$ virsh domjobinfo vm1\nJob type:         None\n"
    advice = advise(parse(gone.encode()))
    assert advice.limit_ms is None and advice.reasons[0].startswith(said)
    assert any(reason.startswith(said) for reason in judge(parse(gone.encode())).reasons)
    again = f"{gone}\n$ virsh domjobinfo vm1\n{JOB.replace('60000', '50000')}"
    assert [sample.t_s for sample in parse(again.encode()).samples] == [50]
    assert not any(reason.startswith(said) for reason in advise(parse(again.encode())).reasons)


def test_another_guest_s_ram_is_another_migration():
    other = JOB.replace("4.016 GiB", "8.016 GiB").replace("60000", "61000")
    (sample,) = parse(f"{JOB}\n{other}".encode()).samples
    assert sample.t_s == 61
    assert any("several migrations are recorded" in reason for reason in told(f"{JOB}\n{other}"))


def test_of_many_replies_those_of_another_guest_s_ram_are_another_migration():
    def replies(total, begin_ms):
        return "".join(
            f'{{"return": {{"status": "active", "total-time": {begin_ms + 1000 * at}, "ram": {{"total": {total}, '
            f'"transferred": {at * 10**8}, "remaining": {10**9 - at * 10**7}, "dirty-sync-count": {at}}}}}}}\n'
            for at in range(1, 41)
        )

    trace = parse((replies(4 << 30, 0) + replies(8 << 30, 100000)).encode())
    assert [trace.samples[0].t_s, trace.samples[-1].t_s, len(trace.samples)] == [101, 140, 40]


def test_a_bandwidth_that_was_filtered_out_is_not_0():
    filtered = re.sub("(?:Memory bandwidth|Dirty rate|Page size): .*\n", "", JOB)
    trace = parse(filtered.encode())
    assert trace.lacks == ("ram.dirty-pages-rate",)
    assert trace.samples[0].ram.mbps == pytest.approx(6.568 * 1024 * MIB / 60000 / 125)
    idle = parse(re.sub("(?:Memory bandwidth|Dirty rate): .*\n", "", JOB).encode())
    assert (idle.lacks, idle.samples[0].ram.mbps) == ((), 0)


def test_events_that_virsh_prints_are_qemu_s():
    events = "".join(
        f'event MIGRATION at 171550789{second}.546232 for domain \'vm1\': {{"status":"{status}"}}\n'
        for second, status in enumerate(("device", "completed"))
    )
    trace = parse(f"{JOB}\n{events}events received: 2\n".encode())
    assert trace.samples[-1].status == "completed"
