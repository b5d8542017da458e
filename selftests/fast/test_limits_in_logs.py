# SPDX-License-Identifier: GPL-2.0-or-later
"""The downtime-limit in force in a log from which lines are missing: the last one known by then, or none."""

import pytest

from avocado_migdowntime.forms.file import parse, read
from avocado_migdowntime.forms.reader import Reader
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.record.new_trace import NewTrace
from avocado_migdowntime.record.piped import consume, whole
from avocado_migdowntime.verdict.judge import judge

INSTANCE = "[instance: 00000000-0000-4000-8000-000000000001]"
AT = "2024-05-12 12:{:02}:{:02}.123 7 {} nova.virt.libvirt.migration [-] " + INSTANCE + " "
RAISED = "Increasing downtime to {} ms after {} sec elapsed time"
STEPS = "Current {} elapsed {} steps [(0, 50), (120, 275), (240, {})]"


def line(after_s, text, level="INFO"):
    return AT.format(after_s // 60, after_s % 60, level) + text


def look(after_s, left):
    sent = 120_000_000 * after_s
    memory = f"(bytes processed={sent}, remaining={left}, total=17184923648)"
    return line(after_s, f"Migration running for {after_s} secs, memory 52% remaining; {memory}")


LOOKS = [look(60, 9_001_529_344), look(120, 1_801_529_344), look(180, 831_111_168)]
FIRST, SECOND, THIRD = (line(at, RAISED.format(ms, at)) for at, ms in ((0, 50), (130, 275), (190, 500)))


def limits(lines):
    """At each look, and the one that is shown as set."""
    trace = parse("\n".join(lines).encode())
    evidence = Evidence.of(trace)
    shown = judge(trace).downtime_limit_ms
    assert advise(trace).configured_ms == shown
    return [evidence.limits.at(t_s) for t_s in trace.samples.t_s.tolist()], shown


@pytest.mark.parametrize(
    ("lines", "at_looks", "shown"),
    [
        ([FIRST, *LOOKS[:2], SECOND, LOOKS[2], THIRD], [50, 50, 275], 500),
        ([FIRST, *LOOKS, THIRD], [50, 50, 50], 500),
        ([*LOOKS[:2], SECOND, LOOKS[2]], [None, None, 275], 275),
        (LOOKS, [None] * 3, None),
        ([*LOOKS[:2], line(179, STEPS.format(275, 179, 500), "DEBUG"), LOOKS[2]], [None, None, 275], 275),
        ([FIRST, *LOOKS[:2], line(179, STEPS.format(275, 179, 500), "DEBUG"), LOOKS[2]], [50, 50, 275], 275),
        ([line(1, STEPS.format(None, 1, 500), "DEBUG"), *LOOKS], [None] * 3, None),
        # Nova repeats a limit that could not be set.
        (
            [
                *(FIRST, LOOKS[0], SECOND, line(130, "Unable to increase max downtime to 275 ms: error", "WARNING")),
                *(LOOKS[1], line(179, STEPS.format(275, 179, 500), "DEBUG"), LOOKS[2]),
            ],
            [50, 50, 50],
            50,
        ),
    ],
)
def test_the_last_limit_known_by_then_counts(lines, at_looks, shown):
    assert limits(lines) == (at_looks, shown)


def test_a_recording_of_the_log_shows_the_same(tmp_path):
    lines = [FIRST, *LOOKS[:2], SECOND, LOOKS[2], THIRD]
    path = tmp_path / "trace.jsonl"
    new_trace = NewTrace(str(path))
    consume(whole(Reader(), "\n".join(lines).encode()), new_trace, None, lambda sample: None)
    new_trace.close()
    assert judge(read(str(path))).downtime_limit_ms == 500


def compared(*lines):
    (note,) = [note for note in parse("\n".join(lines).encode()).notes if "at the last line" in note]
    return note


def test_what_is_left_is_compared_with_the_highest_step_if_the_log_shows_a_higher_one_than_the_default():
    assert compared(*LOOKS).endswith("far above the 500 ms that Nova ends with by default (live_migration_downtime)")
    assert compared(FIRST, *LOOKS).endswith("by default (live_migration_downtime)")
    raised = "far above the 2000 ms that Nova raises the downtime-limit to"
    assert compared(line(60, RAISED.format(2000, 60)), *LOOKS).endswith(raised)
    assert compared(line(60, STEPS.format(50, 60, 2000), "DEBUG"), *LOOKS).endswith(raised)
