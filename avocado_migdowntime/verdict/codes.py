# SPDX-License-Identifier: GPL-2.0-or-later
"""The codes of checks and their meanings. Codes are stable, for programs and tests; sentences are for people."""

from collections.abc import Mapping

REPORT, LIMIT, CONVERGENCE = "report", "limit", "convergence"
BANDWIDTH, CAP, SWITCHOVER, PENDING = "bandwidth", "max-bandwidth", "switchover", "pending"
THROTTLE, TRANSFERRED, BLOCKTIME = "throttle", "transferred", "postcopy-blocktime"
MEMORY, GUEST, DOWNTIME, MID_PASS_STOP = "memory", "guest", "downtime", "mid-pass-stop"
"""The names of the checks."""

CODES: Mapping[str, Mapping[str, str]] = {
    REPORT: {
        "accurate": "the report matches the expected formula",
        "another-formula": "the report matches another formula",
        "no-formula": "the report matches neither the expected formula nor any other known one",
        "uncomputed": "QEMU never computes the report",
        "frozen": "the report stays at one figure although the correct one changes",
        "stale": "the report is that of the previous pass",
        "once-a-pass": "QEMU updates the report only once a pass",
        "no-pass": "no pass could be judged",
        "scattered": "the reports within a pass vary too much",
        "formulas-alike": "this run, or a single sample, cannot distinguish the expected formula from another",
        "wide": "the interval of the error is too wide to compare with the tolerance",
        "not-active": "the single sample shows a migration that is not active",
        "ended": "the migration has ended, so QEMU predicts nothing any more",
        "postcopy": "postcopy has begun: it finishes without a downtime-limit",
        "overrun": "QEMU reports more left than there is: a counter ran below 0",
        "disk": "a disk is migrated as well, and the report may include it",
        "stalled": "nothing was seen to be sent for some time although RAM is left",
        "too-fast": "the figures contradict each other, or show more than any link carries or any guest dirties",
        "no-precopy": "with a capability that is on, or in this mode, there is no precopy to judge",
        "first-pass": "this is, or may be, the first pass, in which QEMU predicts nothing",
        "no-bandwidth": "the throughput is 0",
        "nothing-shown": "the single sample shows no expected downtime or no throughput",
        "nothing-computed": "QEMU computes nothing at the moment of the single sample",
        "below-what-is-left": "in the single sample, the report is below what is left to send now",
        "plausible": "in the single sample, the report is at least what is left to send now, as it should be",
    },
    LIMIT: {
        "respected": "passes end, and QEMU switches over, as downtime-limit demands",
        "ended-early": "a pass ended with more unsent than the limit allows",
        "went-on-in-a-pass": "a pass went on although everything unsent fitted the limit",
        "went-on-at-a-sync": "QEMU began passes although everything pending fitted the limit",
        "switched-over-early": "QEMU switched over with more left to send than the limit allows",
        "not-recorded": "the downtime-limit is not recorded",
        "not-tracked": "the text shows the downtime-limit, but not whether it was changed",
        "auto-converge": (
            "auto-converge may sync in mid-pass after 5 s, so passes of that length do not show the limit"
        ),
        "devices": (
            "VFIO devices are migrated as well, and QEMU may go on because of what they have left, which is not shown"
        ),
        "switchover-ack": "with switchover-ack QEMU goes on until the destination agrees, which is not recorded",
        "postcopy": "postcopy began, so the last pass does not show the limit",
        "postcopy-ram": "with postcopy-ram QEMU 11.1 syncs in every window, so passes do not show the limit",
        "no-end-seen": "no end of a pass was seen closely enough",
        "single-look": "a single sample shows no end of a pass",
        "cut-short": "the test set the limit in mid-pass, to end the pass",
    },
    BANDWIDTH: {
        "as-sent": "mbps matches the bytes sent",
        "not-as-sent": "mbps does not match the bytes sent in the same windows",
        "one-place": "mbps matches the bytes sent everywhere but in one place",
        "wide": "the interval of the error of mbps is too wide",
        "not-seen": "too few of QEMU's windows were seen from end to end",
        "devices": "VFIO devices are migrated as well: mbps includes them, but on some releases transferred does not",
        "disk": "a disk is migrated as well: mbps includes it, but on some releases transferred does not",
    },
    TRANSFERRED: {
        "as-carried": "transferred matches the link's own counters",
        "not-as-carried": "transferred does not match the link's own counters",
        "wide": "the interval of the error of transferred is too wide",
        "before-compression": "QEMU before 8.1 counts multifd pages before it compresses them",
        "not-alone": "the link carried more than QEMU transferred; additions in qemu_arguments may be the cause",
        "not-seen": "the recording does not show the whole migration on the link on which it began",
    },
    CAP: {
        "kept": "QEMU sent no more than max-bandwidth allows",
        "not-kept": "QEMU sent more than max-bandwidth allows",
        "not-tracked": "the recording does not show max-bandwidth, or not whether it was changed",
        "not-seen": "the recording shows nothing that was sent under a max-bandwidth",
    },
    SWITCHOVER: {
        "after-a-sync": "QEMU switched over at a sync",
        "without-a-sync": "QEMU switched over without a last sync",
        "before-a-window": "QEMU had sent all of RAM before it measured a bandwidth, and switched over then",
        "not-seen": "the last pass was not seen closely enough",
    },
    PENDING: {
        "adds-up": "the pending bytes that QEMU reports are those of RAM and devices",
        "not-what-is-left": "the pending bytes that QEMU reports are not what was left",
    },
    THROTTLE: {
        "as-set": "auto-converge slowed the guest by cpu-throttle-initial, and then in the configured steps",
        "another-first": "the first step of auto-converge was not cpu-throttle-initial",
        "another-step": "auto-converge slowed the guest in other steps than configured, or beyond max-cpu-throttle",
        "not-slowed": "auto-converge took fewer steps than the guest's dirtying demanded",
        "sparse": "samples are too far apart to show in which steps auto-converge slowed the guest",
        "no-step-seen": "the recording does not show that auto-converge slowed the guest",
        "changed": "the parameters of auto-converge were changed during the migration",
        "not-tracked": "the recording does not show the parameters of auto-converge, or not whether they were changed",
    },
    BLOCKTIME: {
        "as-waited": "vCPUs may have waited for pages in postcopy for as long as the destination says",
        "more-than-waited": "the destination reports a longer wait than the time that vCPUs slept",
        "less-than-waited": "vCPUs waited for longer than the destination reports",
        "without-the-break": "they did, and the channel broke: QEMU counts such a wait only from the recovery",
        "held": "the test held the guest to compare its memory, so no vCPU waited; use integrity=no",
        "not-told": "the destination does not report how long vCPUs waited",
        "not-seen": "the recording does not show how long vCPUs slept",
    },
    CONVERGENCE: {
        "right": "each limit had the expected effect",
        "not-tried": "no limit was tried",
        "chosen-not-tried": "the migration ended before the chosen limit was tried",
        "need-unknown": "the limit needed was not known before limits were tried",
        "too-short": "the recording ends before a sync under the limit",
        "did-not-converge": "the migration did not converge at the next sync under a sufficient limit",
        "guest-dirtied-more": "the migration did not converge, but the guest dirtied more than before",
        "converged-under-less": "the migration converged under an insufficient limit",
        "may-have-needed-less": "the migration converged under a limit that may have been sufficient",
        "limit-violated": "passes did not end as the limit in force demands",
    },
    MEMORY: {
        "intact": "each page arrived as the guest wrote it last",
        "damaged": "some pages did not arrive as the guest wrote them last",
        "half-sent": "the last write to a page arrived only in part, a known fault of QEMU before 9.0 under TCG",
    },
    GUEST: {
        "went-on": "the migration completed, and there is no sign that the guest did not continue",
        "silent": "the guest did not continue at the destination",
    },
    DOWNTIME: {
        "match": "the guest was down for as long as QEMU had said",
        "not-as-reported": "the guest was down for longer or shorter than QEMU had said",
        "above-the-limit": "the guest was down for longer than the downtime-limit",
        "odd-window": "it was, but the last report stems from a window that sent more or less than others",
        "dirtied-otherwise": "it was, but the guest had dirtied more or less than in the pass that the report is of",
        "stalled": "it was, but the host may have kept QEMU from running meanwhile",
    },
    MID_PASS_STOP: {
        "timed": "the downtime of the stopped guest was measured",
        "not-stopped": "the guest was not stopped: the migration ended before",
        "no-time-stamps": "the events of the stop and of the destination's end have no comparable time stamps",
        "too-little-seen": "too few samples of the pass in which the guest was stopped, or of the previous one",
        "no-bandwidth": "the recording lacks the bandwidth before the stop, or the bytes sent after it",
    },
}
"""By the name of the check."""
