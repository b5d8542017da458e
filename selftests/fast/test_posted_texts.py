# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands in texts as they are posted beside what a command prints: comments, remarks, commands, other units."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.verdict.judge import judge

MIB = 1 << 20
JOB = """\
Job type:         Unbounded
Operation:        Outgoing migration
Time elapsed:     60000        ms
Memory processed: 6.568 GiB
Memory remaining: 224.113 MiB
Memory total:     4.016 GiB
Memory bandwidth: 112.057 MiB/s
Dirty rate:       20000        pages/s
Page size:        4096         bytes
Iteration:        5
Constant pages:   600000
Normal pages:     1716000
Normal data:      6.546 GiB
Expected downtime: 3000         ms
"""
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


@pytest.mark.parametrize(
    "remark", ["   <-- does not fall", "  # why?", " ← 一直下不去", "   (for an hour)", "  // big"]
)
def test_a_remark_behind_a_figure_is_none_of_it(remark):
    (sample,) = parse(JOB.replace("224.113 MiB", f"224.113 MiB{remark}").encode()).samples
    assert sample.ram.remaining_bytes == int(224.113 * MIB)


def test_a_dirty_rate_in_other_units_is_no_number_of_pages():
    with pytest.raises(UsageError, match=r"^Dirty rate is '20 MiB/s' where pages/s were expected: give what virsh "):
        parse(JOB.replace("20000        pages/s", "20 MiB/s").encode())


def test_figures_in_columns_without_colons_are_read():
    text = "Time elapsed                 110110  ms\nMemory remaining             25.500 GiB\nIteration      3\n"
    (sample,) = parse(text.encode()).samples
    assert (sample.t_s, sample.ram.remaining_bytes) == (110.11, int(25.5 * (1 << 30)))


@pytest.mark.parametrize("head", [ENDED.splitlines()[0], ""])
def test_a_job_that_an_event_tells_of_is_over(head):
    text = "\n".join([head, *ENDED.splitlines()[1:]])
    (sample,) = parse(text.encode()).samples
    assert (sample.status, sample.downtime_ms, sample.expected_downtime_ms) == ("completed", 63, None)
    assert "the migration completed, and the guest was down for 63 ms: nothing is predicted now" in told(text)


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
    sentence = "a disk is sent as well, with 76 GB left: no downtime-limit ends it while the disk is sent"
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


@pytest.mark.parametrize(
    "words",
    [
        "you may try virsh migrate-setmaxdowntime vm1 450 when nothing else helps\n",
        "$ virsh migrate-getmaxdowntime vm1\nerror: Requested operation is not valid: domain is not running\n450\n",
        "450\n",
    ],
)
def test_no_limit_is_known_by_words_about_it(words):
    assert limit_of(f"{words}{JOB}") is None


def test_what_others_call_events_is_not_taken_for_qemu_s():
    with pytest.raises(UsageError, match="^is a log of Xen's: only QEMU's migrations can be judged"):
        parse(
            b'May 12 11:57:06 h emu-manager-1[7]: { "event" : "MIGRATION", "data": {"sent": 952320,"remaining": -1}}\n'
        )
