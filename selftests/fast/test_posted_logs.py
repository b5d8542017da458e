# SPDX-License-Identifier: GPL-2.0-or-later
"""How migrations end in products' logs as they are posted, and what is remarked of them."""

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.verdict.judge import judge


def told(text):
    trace = parse(text.encode())
    return [*judge(trace).reasons, *advise(trace).reasons]


PROXMOX = """\
2023-11-02 08:15:21 starting migration of VM 105 to node 'pve2' (192.0.2.2)
2023-11-02 08:15:22 migration active, transferred 5.6 GiB of 16.0 GiB VM-state, 112.9 MiB/s
2023-11-02 08:15:23 migration active, transferred 5.7 GiB of 16.0 GiB VM-state, 113.1 MiB/sDIRTIES
"""


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("ERROR: online migrate failure - too many query migrate failures - aborting", "has failed"),
        ("ERROR: online migrate failure - unable to parse migration status 'x' - aborting", "has failed"),
        ("ERROR: online migrate failure - interrupted by signal", "was cancelled"),
        ("ERROR: online migrate failure - aborting", "has failed"),
        ("migrate_cancel", "was cancelled"),
    ],
)
def test_a_task_that_gives_up_has_failed_unless_it_was_told_to(end, status):
    text = f"{PROXMOX.replace('DIRTIES', '')}2023-11-02 08:15:30 {end}\n2023-11-02 08:15:30 migrate_cancel\n"
    said = told(text)
    assert f"the migration {status}; QEMU predicts nothing now" in said
    why = end.partition("failure - ")[2].removesuffix("aborting").removesuffix(" - ")
    assert (f"the reason shown: {why}" in said) == (status == "has failed" and why != "")
    assert why or not any("the reason shown" in one for one in said)


@pytest.mark.parametrize(("rate", "is_more"), [("113.1", False), ("113.3", True), ("500.0", True)])
def test_a_guest_that_dirties_more_pages_than_are_sent_is_said_to(rate, is_more):
    said = [
        one
        for one in told(PROXMOX.replace("DIRTIES", f", VM dirties lots of memory: {rate} MiB/s"))
        if "dirtied" in one
    ]
    assert len(said) == 2 * is_more
    where = ", but 119 MB/s of pages were sent, zero pages included: while this continues, no pass is shorter than"
    assert all(where in one for one in said) or rate == "500.0"


@pytest.mark.parametrize("end", ["has completed", "has aborted"])
def test_that_a_migration_completed_after_nova_s_time_was_over_is_said(end):
    head = "2021-06-11 02:14:52.547 7 INFO nova.virt.libvirt.driver [req-a] [instance: 4a4ffbd1] "
    text = (
        f"{head}Migration running for 800 secs, memory 7% remaining (bytes processed=6912344832, remaining=612344832, "
        f"total=8599183360)\n{head}Live migration not completed after 800 sec\n{head}Migration operation {end}\n"
    )
    forced = [one for one in told(text) if one.startswith("it completed all the same: Nova may have paused the guest")]
    assert len(forced) == 2 * (end == "has completed")


def test_what_is_remarked_of_a_migration_is_not_told_of_the_next_one():
    head = "2021-06-11 02:14:{:02}.547 7 INFO nova.virt.libvirt.driver [req-a] [instance: 4a4ffbd1] "

    def running(second, elapsed_s):
        told = f"Migration running for {elapsed_s} secs, memory 7% remaining (bytes processed={elapsed_s * 10**8}, "
        return f"{head.format(second)}{told}remaining=612344832, total=8599183360)\n"

    begins = running(10, 800) + running(20, 810)
    gave_up = f"{head.format(21)}Live migration not completed after 810 sec\n"
    ended = f"{head.format(22)}Migration operation was cancelled\n"
    later = running(30, 0) + running(40, 10)
    alone = told(later)
    assert any("Nova gave up this migration after 810 s" in one for one in told(begins + gave_up))
    assert any(one.startswith("at the last line before that 612 MB were left") for one in told(begins + ended))
    for one in (gave_up, ended, gave_up + ended):
        assert [said for said in told(begins + one + later) if "several migrations" not in said] == alone
    completed = f"{head.format(50)}Migration operation has completed\n"
    assert any(one.startswith("it completed all the same") for one in told(begins + gave_up + completed))
    assert not any("it completed all the same" in one for one in told(begins + gave_up + later + completed))


def test_what_is_remarked_when_one_is_over_is_of_the_next_one():
    ended = "2023-11-02 08:15:25 migration status: completed\n"
    refused = (
        "2023-11-02 08:15:26 migrate_set_downtime: 0.25\n2023-11-02 08:15:26 migrate_set_downtime error: unknown\n"
    )
    text = f"{PROXMOX}{ended}{PROXMOX.partition(chr(10))[0]}\n{refused}{PROXMOX.partition(chr(10))[2]}"
    said = told(text.replace("DIRTIES", ""))
    assert sum(one.startswith("QEMU refused the downtime-limit of 250 ms") for one in said) == 2
    assert any(one.startswith("several migrations are recorded") for one in said)


ACTIVE = "2025-11-14 21:47:{:02} migration active, transferred {} of 12.6 GiB VM-state, 0.0 B/s\n"


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_the_end_that_proxmox_tells_with_what_was_sent_is_one(status):
    text = f"{ACTIVE.format(43, '515.4 MiB')}2025-11-14 21:47:45 migration {status}, transferred 738.0 MiB VM-state\n"
    assert parse(text.encode()).samples[-1].status == status


@pytest.mark.parametrize(
    ("sent", "seconds", "rests"), [("515.4 MiB", 14, True), ("515.4 MiB", 9, False), ("5.1 GiB", 14, False)]
)
def test_a_task_log_without_what_is_left_shows_that_a_migration_rests(sent, seconds, rests):
    """A tenth of a GiB may hide much that was sent."""
    text = "".join(ACTIVE.format(20 + number, sent) for number in range(seconds))
    text = f"{ACTIVE.format(19, '408.0 MiB')}{text}"
    said_so = [one for one in told(text) if one.startswith("nothing was seen to be sent for the last ")]
    assert bool(said_so) == rests
    assert not any("nothing was seen" in one for one in told(text + ACTIVE.format(50, "5.3 GiB")))


NOVA = (
    "2023-02-01 12:{:02}:31.123 7 INFO nova.virt.libvirt.driver [req-a] [instance: 4a4ffbd1] Migration running for {} "
    "secs, memory 7% remaining (bytes processed={}, remaining={}, total=4312604672)\n"
)


def test_what_is_left_of_a_counter_below_0_takes_no_time():
    text = NOVA.format(0, 30, 3_600_000_000, 310_000_000) + NOVA.format(1, 90, 10_800_000_000, 2**64 - 4096)
    assert not any("were left" in one for one in told(text))


@pytest.mark.parametrize("heads", [("nova-compute.log:", "nova-compute.log.1:"), ("log/a.log-", "log/a.log-20230201-")])
def test_what_grep_finds_in_rotated_logs_is_put_in_order(heads):
    older, newer = NOVA.format(0, 30, 3_600_000_000, 310_000_000), NOVA.format(1, 90, 10_800_000_000, 300_000_000)
    newest = NOVA.format(2, 150, 18_000_000_000, 290_000_000)
    trace = parse(f"{heads[0]}{newer}{heads[0]}{newest}{heads[1]}{older}".encode())
    assert [*trace.samples] == [*parse((older + newer + newest).encode()).samples]


@pytest.mark.parametrize(("sent", "may_be_first"), [(720_000_000, True), (7_200_000_000, False)])
def test_that_it_may_be_the_first_pass_is_said(sent, may_be_first):
    text = NOVA.format(0, 30, sent // 2, 3_952_604_672) + NOVA.format(1, 90, sent, 3_592_604_672)
    assert any(
        one.startswith("no expected downtime is shown, and this may be the first pass") for one in told(text)
    ) == (may_be_first)
