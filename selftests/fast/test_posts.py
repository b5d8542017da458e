# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts as they are posted in trackers, chats and mails: what is read of each, and what a refusal says."""

import json

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.verdict.judge import judge

from ..support.posts import SHOWN, refusal

WITHOUT_TIMES = """\
starting VM 117 on remote node 'b'
{storage}start migrate command to unix:/run/qemu-server/117.migrate
{first} (transferred 402.0 MiB, remaining 377.0 MiB), total 1.0 GiB)
{second} (transferred 779.0 MiB, remaining 12.0 MiB), total 1.0 GiB)
"""
REPLY = {
    "expected-downtime": 740,
    "status": "active",
    "setup-time": 3,
    "total-time": 52_310,
    "ram": {
        "total": 2_164_596_736,
        "dirty-sync-count": 6,
        "page-size": 4096,
        "remaining": 64_225_280,
        "mbps": 803.4,
        "transferred": 5_243_001_211,
        "duplicate": 140_220,
        "dirty-pages-rate": 8121,
        "normal-bytes": 5_207_224_320,
        "normal": 1_271_295,
    },
}


def same(text):
    (sample,), (plain,) = parse(text.encode()).samples, parse(SHOWN.encode()).samples
    return sample == plain


@pytest.mark.parametrize("storage", ["", "starting storage migration\nscsi0: start migration to nbd:unix:/run/b\n"])
@pytest.mark.parametrize("head", ["", "… ", "[time] "])
def test_the_end_of_a_log_without_times_is_read(storage, head):
    """No line shows where the one before ends, so that none is taken for what another one goes on with."""
    log = WITHOUT_TIMES.format(storage=storage, first="migration status: active", second="migration status: active")
    text = f"{log}average migration speed: 256.0 MiB/s - downtime 37 ms\nmigration finished successfully\n"
    trace = parse("".join(f"{head}{line}\n" for line in text.splitlines()).encode())
    assert [sample.status for sample in trace.samples] == ["active", "active", "completed"]
    assert trace.samples[-1].downtime_ms == 37


def test_disks_that_are_copied_are_no_ram():
    disks = "mirror-scsi0: transferred 12.0 GiB of 80.0 GiB (15.00%) in 2m 3s\n" * 3
    for text in (disks, f"starting migration of VM 117 to node 'b' (10.0.0.2)\n{disks}"):
        assert refusal(text) == (
            "the disks are copied at the end of this text, and RAM is sent only then; take `echo 'info migrate' | "
            "qm monitor VMID` on the source host, repeatedly, while the migration is active"
        )
    log = WITHOUT_TIMES.format(storage=disks, first="migration status: active", second="migration status: active")
    for text in (log, f"{log}migration speed: 256.0 MiB/s - downtime 37 ms\n"):
        assert not any("disks are copied" in note for note in parse(text.encode()).notes)


def test_a_migration_that_was_given_up_while_disks_were_copied_has_failed():
    begin = "starting migration of VM 117 to node 'b' (10.0.0.2)\n"
    disk = "drive-scsi0: transferred 97.0 MiB of 32.0 GiB (0.30%) in 1s\n"
    end = "ERROR: online migrate failure - block job (mirror) error: interrupted by signal\nmigrate_cancel\n"
    trace = parse(f"{begin}{disk}{end}".encode())
    assert [sample.status for sample in trace.samples] == ["failed"]
    assert "the reason shown: block job (mirror) error: interrupted by signal" in trace.notes


@pytest.mark.parametrize(("speed", "is_told"), [("0.0 B", False), ("80.0 MiB", True)])
def test_that_the_guest_dirties_faster_is_not_told_while_nothing_is_sent(speed, is_told):
    text = (
        f"migration active, transferred 9.0 GiB of 8.0 GiB VM-state, {speed}/s, VM dirties lots of memory: 90.0 MiB/s\n"
    )
    assert any("the guest dirtied" in note for note in parse(text.encode()).notes) == is_told


def in_python_2(reply, head):
    """As its pprint shows it, below what a log puts before each line."""
    fields = [
        f"u'{name}': {f'u{value!r}' if isinstance(value, str) else value}" for name, value in reply["ram"].items()
    ]
    others = [
        f"u'{name}': {f'u{value!r}' if isinstance(value, str) else value}"
        for name, value in reply.items()
        if name != "ram"
    ]
    lines = [f"{{{others[0]},", *(f" {one}," for one in others[1:]), f" u'ram': {{{fields[0]},"]
    lines += [*(f"          {one}," for one in fields[1:-1]), f"          {fields[-1]}}}}}"]
    return "".join(f"{head}{line}\n" for line in lines)


@pytest.mark.parametrize("head", ["", "vm1> ", "  debug  | vm1> "])
def test_what_python_2_shows_over_several_lines_is_a_reply(head):
    (sample,), (plain,) = parse(in_python_2(REPLY, head).encode()).samples, parse(json.dumps(REPLY).encode()).samples
    assert sample == plain


def test_a_long_of_python_2_is_a_number():
    line = f"<<< {{u'return': {REPLY!r}}}".replace("2164596736", "2164596736L").replace("5207224320", "5207224320L")
    assert parse(line.encode()).readings[0].answer["ram"]["total"] == 2_164_596_736


def test_an_answer_within_the_reply_to_another_command_is_read():
    reply = {"return": {"tot_time": 3, "tot_num": 2, "info": {**REPLY, "status": "colo"}}}
    assert parse(json.dumps(reply).encode()).samples[0].status == "colo"
    assert (
        "the migration is colo, not active; QEMU predicts nothing" in advise(parse(json.dumps(reply).encode())).reasons
    )


def html_of_a_mail(text):
    lines = [f'<p class=3D"MsoNormal"><span style=3D"color:black">{line}</span></p>=\n' for line in text.splitlines()]
    return f'<html><body><p class=3D"MsoNormal">Hi,<o:p></o:p></p>=\n{"".join(lines)}</body></html>\n'


@pytest.mark.parametrize(
    "text",
    [
        html_of_a_mail(SHOWN),
        "<br>".join(SHOWN.splitlines()),
        f"<html><head><title>a paste</title></head><body><pre>{SHOWN}</pre></body></html>",
        "<ul>" + "".join(f"<li>{line}</li>" for line in SHOWN.splitlines()) + "</ul>",
        "<table>" + "".join(f"<tr><td>{line}</td></tr>" for line in SHOWN.splitlines()) + "</table>",
    ],
    ids=["a mail", "breaks", "a page", "a list", "a table"],
)
def test_a_line_of_a_web_page_ends_where_its_tags_say(text):
    assert same(text)


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"{line:<40}\u2502load average: 0.4\n" for line in SHOWN.splitlines()),
        "".join(f"{'~':<40}\u2502{line}\n" for line in SHOWN.splitlines()),
        json.dumps(dict(line.split(": ") for line in SHOWN.splitlines())),
        repr(dict(line.split(": ") for line in SHOWN.splitlines())),
        "".join(
            f"{name.replace(' ', '_')}: {figure}\n" for name, figure in (x.split(": ") for x in SHOWN.splitlines())
        ),
    ],
    ids=["the left pane", "the right pane", "JSON", "Python", "underscores"],
)
def test_what_others_made_of_the_lines_is_read(text):
    assert same(text.replace("Migration_status", "Migration status"))


def test_lines_of_a_chat_with_tabs_are_read():
    assert same("".join(f"2024-06-07 10:11:12\t@ann\t{line}\n" for line in SHOWN.splitlines()))


def test_what_was_misread_from_an_image_is_named():
    trace = parse(SHOWN.replace("2744127", "27441Z7").replace("26880", "2688O").encode())
    assert "an image was misread, correct it: dirty pages rate 2688O" in trace.notes
    trace = parse(SHOWN.replace("301408", "3Ol4O8").replace("11020334", "1lO20334").encode())
    assert "an image was misread, correct it: transferred ram 1lO20334, remaining ram 3Ol4O8" in trace.notes
    assert (trace.lacks, advise(trace).finding.value) == (("ram.remaining",), "unknown")
    shown = "Migration status: active\nremaining ram: 3Ol4O8 kbytes\n"
    assert "no remaining RAM is shown; an image was misread, correct it: remaining ram 3Ol4O8; take" in refusal(shown)


def test_a_line_of_kubevirt_that_was_set_anew_and_left_off_is_read():
    text = """\
Migration info for <uid-of-domain>:
  TimeElapsed:401200ms DataProcessed:91022MiB DataRemaining:1711MiB
  DataTotal:16403MiB MemoryProcessed:91021MiB MemoryRemaining:1711MiB
  MemoryTotal:16402MiB MemoryBandwidth:1904Mbps DirtyRate:1850Mbps
  Iteration:52 PostcopyRequests:0 ConstantPages:812033
  NormalPages:23301120 ...
"""
    (sample,) = parse(text.encode()).samples
    assert (sample.t_s, sample.ram.dirty_sync_count, sample.status) == (401.2, 52, "active")
    assert sample.ram.remaining_bytes == pytest.approx(1711 << 20, abs=1 << 20)
    trace = parse(f"{text}\nLive migration abort detected with reason: Live migration stuck for 150 sec\n".encode())
    assert trace.samples[-1].status == "cancelled"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("3120@1718000000.1:vmstate_downtime_save type=iterable idstr=ram instance_id=0 downtime=91022", "QEMU events"),
        ("{'id': 3, 'memory_processed_bytes': 123, 'memory_remaining_bytes': 456}", "`openstack server migration`"),
    ],
)
def test_what_is_refused_is_said_to_be_what_it_is(text, what):
    assert what in refusal(text)


def test_a_part_of_a_reply_alone_is_read():
    lines = [json.dumps({**REPLY["ram"], "remaining": 64_225_280 - 4096 * count}) for count in range(3)]
    trace = parse("\n".join(lines).encode())
    assert [sample.ram.remaining_bytes for sample in trace.samples] == [64_225_280, 64_221_184, 64_217_088]
    assert trace.samples[0].ram.mbps == 803.4


def test_pages_that_ran_over_are_not_said_to_be_compressed():
    text = SHOWN.replace("normal: 2744127", f"normal: {2**52 - 4}")
    assert advise(parse(text.encode())).finding.value == "unknown"
    assert not any("compressed" in reason for reason in advise(parse(text.encode())).reasons)


def test_a_report_beyond_all_of_ram_is_not_said_to_be_as_it_should_be():
    reasons = judge(parse(SHOWN.replace("2950", "9223372036854775807").encode())).reasons
    assert reasons[0].endswith("and more than all of RAM would take at this bandwidth, 38586.6 ms")
    assert judge(parse(SHOWN.encode())).reasons[0].endswith("as it should be")


def test_a_lone_pass_is_followed_by_the_next():
    text = json.dumps(REPLY) + "\n" + json.dumps({**REPLY, "total-time": 52_400})
    assert "record until the next pass" in " ".join(advise(parse(text.encode())).reasons)
    assert judge(parse(text.encode())).verdict.value == "inconclusive"
