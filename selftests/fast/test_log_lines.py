# SPDX-License-Identifier: GPL-2.0-or-later
"""What single lines of a monitor's session and of the logs of Nova and vdsm come to."""

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.forms.form import Line
from avocado_migdowntime.forms.monitor_parameters import MonitorParameters
from avocado_migdowntime.forms.nova import NovaLog
from avocado_migdowntime.forms.vdsm import VdsmLog
from avocado_migdowntime.trace.reading import Reading, Remark, Setting, Stamp

MIB = 1 << 20


@pytest.mark.parametrize(
    ("text", "parameters", "changed"),
    [
        ("downtime-limit: 300 milliseconds max-bandwidth: 5 bytes/second", (300, 5), False),
        ("migrate_set_parameter downtime-limit 300", (300, None), True),
        ("migrate_set_parameter max-bandwidth 3", (None, 3 * MIB), True),
        ("migrate_set_parameter max-bandwidth 3k", (None, 3 << 10), True),
        ("migrate_set_parameter max-bandwidth 3G", (None, 3 << 30), True),
        ("migrate_set_parameter max-bandwidth 364000000B", (None, 364_000_000), True),
        ("migrate_set_parameter max-bandwidth 1.5g", (None, 3 << 29), True),
        ("(qemu) migrate_set_speed 2p", (None, 2 << 50), True),
        ("(qemu) migrate_set_speed 3", (None, 3 * MIB), True),
        ("(qemu) migrate_set_speed 3T", (None, 3 << 40), True),
        ("(qemu) migrate_set_downtime 0.3", (300, None), True),
        ("(qemu) migrate_set_downtime 3s", (3000, None), True),
        ("(qemu) migrate_set_downtime 300ms", (300, None), True),
        ("(qemu) migrate_set_downtime 500us", (0.5, None), True),
    ],
)
def test_a_parameter_is_in_qmps_unit(text, parameters, changed):
    (made,) = MonitorParameters().take(Line(text, text, Stamp(5)))
    named = zip(("downtime-limit", "max-bandwidth"), parameters, strict=True)
    assert made == Setting({name: value for name, value in named if value is not None}, Stamp(5), changed=changed)


@pytest.mark.parametrize(
    ("text", "capabilities"),
    [
        ("xbzrle: off auto-converge: on events: on", {"xbzrle": False, "auto-converge": True, "events": True}),
        ("(qemu) migrate_set_capability postcopy-ram on", {"postcopy-ram": True}),
        ("(qemu) migrate_set_capability background-snapshot off", {"background-snapshot": False}),
        ("events: off", {"events": False}),
        ("lights: on", None),
        ("", None),
        ('{"events": on}', None),
    ],
)
def test_capabilities_are_told_and_whether_they_are_on(text, capabilities):
    made = MonitorParameters().take(Line(text, text))
    assert made == (None if capabilities is None else [Setting({}, capabilities=capabilities)])


class Nova:
    """A log whose lines have no time; `of` is one of its guests."""

    def __init__(self):
        self.log = NovaLog()

    def __call__(self, text, of="a-1"):
        line = f"[instance: {of}] {text}"
        return self.log.take(Line(line, line))

    def progress(self, seconds, sent, left, of="a-1"):
        memory = f"(bytes processed={sent}, remaining={left}, total=4000000)"
        (made,) = self(f"Migration running for {seconds} secs, memory 50% remaining; {memory}", of)
        return made


def test_each_guest_has_its_figures_and_its_bandwidth():
    nova = Nova()
    one, other = nova.progress(10, 1_000_000, 500_000), nova.progress(12, 7000, 6000, "b-2")
    assert (one.of, other.of) == ("instance a-1", "instance b-2")
    assert one.answer["ram"] == {"transferred": 1_000_000, "remaining": 500_000, "total": 4_000_000}
    assert (one.answer["total-time"], one.rounding["total-time"]) == (10_000, Interval(10_000, 11_000))
    later = nova.progress(20, 2_000_000, 400_000)
    open_by = later.rounding["ram.mbps"]
    assert (open_by.low, open_by.high) == pytest.approx((8 / 11, 8 / 9))


def test_what_is_left_besides_of_the_guest_just_told_of_is_a_disk():
    nova = Nova()
    nova.progress(10, 1_000_000, 500_000)
    assert nova("Data remaining 900000 bytes, low watermark 5 bytes", "b-2") == []
    nova.progress(11, 1_000_000, 500_000)
    (told,) = nova("Data remaining 900000 bytes, low watermark 5 bytes")
    assert isinstance(told, Reading) and told.answer["disk"] == {"remaining": 400_000}
    assert nova("Data remaining 900000 bytes, low watermark 5 bytes") == []
    nova.progress(12, 1_000_000, 500_000)
    assert nova("Data remaining 500000 bytes, low watermark 5 bytes") == []


def test_a_line_of_another_guest_between_does_not_hide_what_is_left_besides():
    nova = Nova()
    nova.progress(10, 1_000_000, 500_000)
    assert nova("Live migration of another kind", "b-2") is None
    (told,) = nova("Data remaining 900000 bytes, low watermark 5 bytes")
    assert told.answer["disk"] == {"remaining": 400_000}


def test_a_limit_that_could_not_be_set_leaves_the_one_before():
    nova = Nova()
    assert nova("Increasing downtime to 50 ms after 0 sec elapsed time") == [
        Setting({"downtime-limit": 50}, Stamp(0, 1), changed=True, of="instance a-1")
    ]
    nova("Increasing downtime to 110 ms after 75 sec elapsed time")
    nova("Increasing downtime to 70 ms after 75 sec elapsed time", "b-2")
    (before,) = nova("Unable to increase max downtime to 110ms: error")
    assert (before.parameters, before.changed, before.of) == ({"downtime-limit": 50}, True, "instance a-1")
    assert nova("Unable to increase max downtime to 70 ms: error", "b-2") == [
        Remark("the downtime-limit of 70 ms could not be set", "instance b-2")
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Live migration not completed after 800 sec", "Nova gave up this migration after 800 s"),
        ("Live migration stuck for 150 sec", "Nova saw no more progress and gave up after 150 s"),
    ],
)
def test_why_nova_gave_up_is_told(text, what):
    assert Nova()(text) == [Remark(f"{what}, unless live_migration_timeout_action is force_complete", "instance a-1")]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Migration operation has completed", "completed"),
        ("Migration operation has aborted", "failed"),
        ("Migration operation was cancelled", "cancelled"),
        ("Live Migration failure: no", "failed"),
        ("Switching to post-copy migration mode", "postcopy-active"),
    ],
)
def test_what_became_of_a_migration_is_told_once(text, status):
    nova = Nova()
    (told,) = nova(text)
    assert (told.answer["status"], told.of) == (status, "instance a-1")
    assert len(nova(text)) == (status == "postcopy-active")


def test_a_line_of_something_else_is_none_of_novas():
    nova = Nova()
    assert nova("Took 3 seconds to build") is nova("Migration running") is None


@pytest.mark.parametrize(
    ("elapsed", "total_ms", "between"), [("10", 10_000, Interval(10_000, 11_000)), ("10.5", 10_500, None)]
)
def test_the_seconds_of_vdsm_are_whole_ones_cut_off_unless_they_have_digits(elapsed, total_ms, between):
    figures = "total data: 4096MB, processed data: 10MB, remaining data: 5MB, transfer speed 5MBps"
    line = f'vmId="12345678" Migration Progress: {elapsed} seconds elapsed, 50% of data processed, {figures}'
    (told,) = VdsmLog().take(Line(line, line, Stamp(5)))
    assert (told.answer["total-time"], told.rounding.get("total-time")) == (total_ms, between)
    assert told.rounding["ram.remaining"] == Interval(5 * MIB, 6 * MIB)
