# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing is judged or advised of a migration that is no precopy, by the capabilities and the mode that are shown."""

import gzip
import json
from dataclasses import replace

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.parameters.capabilities import CAPABILITIES
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.watching.now import now

from ..support.recorded import ACCURATE, RECORDINGS

TEXT = (RECORDINGS / "info-migrate-7.2.txt").read_text()
SNAPSHOT = (
    "background-snapshot sends a snapshot of the guest's memory, not what the guest writes later; there is no precopy "
    "to judge"
)
LISTED = '{"return": [{"state": true, "capability": "background-snapshot"}, {"state": false, "capability": "events"}]}'
MODE = "the migration's mode is cpr-reboot, not normal: QEMU then sends no RAM and predicts nothing"
SHOWN = [
    ("xbzrle: off\nbackground-snapshot: on\n", SNAPSHOT),
    ("(qemu) migrate_set_capability background-snapshot on\n", SNAPSHOT),
    (f"{LISTED}\n", SNAPSHOT),
    ("x-colo: on\n", "x-colo replicates the guest continuously and never completes"),
    ("mode: cpr-reboot\n", MODE),
    ('{"return": {"downtime-limit": 300, "max-bandwidth": 0, "mode": "cpr-reboot"}}\n', MODE),
    ('{"execute": "migrate-set-parameters", "arguments": {"mode": "cpr-reboot"}}\n', MODE),
]
OTHERS = [
    "x-ignore-shared: on\nzero-copy-send: on\nmultifd: on\n",
    "background-snapshot: off\nmode: normal\n",
    "(qemu) migrate_set_capability background-snapshot on\n(qemu) migrate_set_capability background-snapshot off\n",
]


def answers(trace):
    verdict, advice = judge(trace), advise(trace)
    return verdict.report.code, verdict.report.sentence, verdict.left_now_ms, advice.limit_ms, advice.reasons[0]


@pytest.mark.parametrize(("shown", "sentence"), SHOWN)
def test_the_text_says_that_it_is_none(shown, sentence):
    for text in (shown + TEXT, *([] if "set" in shown else [TEXT + shown])):
        assert answers(parse(text.encode())) == ("no-precopy", sentence, None, None, sentence)


@pytest.mark.parametrize("shown", OTHERS)
def test_other_capabilities_change_nothing(shown):
    assert answers(parse((shown + TEXT).encode())) == answers(parse(TEXT.encode()))


def test_a_recording_says_that_it_is_none():
    header, *rows = gzip.decompress(ACCURATE.read_bytes()).decode().splitlines()
    altered = json.dumps({**json.loads(header), "capabilities": ["xbzrle", "background-snapshot"]})
    trace = parse("\n".join([altered, *rows]).encode())
    assert answers(trace) == ("no-precopy", SNAPSHOT, None, None, SNAPSHOT)
    active = replace(trace, samples=trace.samples[: len(trace.samples) // 2])
    assert now(Evidence.of(active)).outlook is None and answers(active)[0] == "no-precopy"


def test_the_sentence_is_the_one_with_which_runs_are_refused():
    assert CAPABILITIES["background-snapshot"].refused.startswith(SNAPSHOT.partition(" ")[2])
