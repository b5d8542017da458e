# SPDX-License-Identifier: GPL-2.0-or-later
"""The codes of checks, with what each means: stable, for programs and tests, where sentences are for people."""

from collections.abc import Mapping

REPORT, LIMIT, CONVERGENCE = "report", "limit", "convergence"
BANDWIDTH, CAP, SWITCHOVER, PENDING = "bandwidth", "max-bandwidth", "switchover", "pending"
THROTTLE, TRANSFERRED, BLOCKTIME = "throttle", "transferred", "postcopy-blocktime"
MEMORY, GUEST, DOWNTIME, MID_PASS_STOP = "memory", "guest", "downtime", "mid-pass-stop"
"""The names of the checks."""

CODES: Mapping[str, Mapping[str, str]] = {
    REPORT: {
        "accurate": "the report is what the expected formula gives",
        "another-formula": "the report is what another formula gives",
        "no-formula": "the report differs from the expected formula, and fits no known one",
        "uncomputed": "the report is never computed",
        "frozen": "the report is never renewed",
        "stale": "the report is that of the previous pass",
        "once-a-pass": "the report is renewed only once in a pass",
        "no-pass": "no pass could be judged",
        "scattered": "the reports of a pass scatter",
        "formulas-alike": (
            "this run cannot tell the expected formula from another, or a single sample cannot tell formulas apart"
        ),
        "wide": "what is known of the error is too wide to tell it against the tolerance",
        "not-active": "the single sample shows a migration that is not active",
        "ended": "the migration has ended: nothing is predicted any more",
        "postcopy": "postcopy has begun: it finishes without a downtime-limit",
        "overrun": "QEMU reports more left than there is: a counter ran below 0",
        "disk": "a disk is sent as well, and the report may be about it",
        "first-pass": "it is, or may be, the first pass, in which QEMU predicts nothing",
        "no-bandwidth": "a throughput of 0 is shown",
        "nothing-shown": "the single sample shows no expected downtime or no throughput",
        "nothing-computed": "QEMU computes nothing at the moment of the single sample",
        "below-what-is-left": "the single sample shows a report below what is left to send now",
        "plausible": "the report is at least what is left to send now, as it should be",
    },
    LIMIT: {
        "respected": "passes end, and QEMU switches over, where downtime-limit says",
        "ended-early": "a pass ended with more unsent than the limit allows",
        "went-on-in-a-pass": "a pass went on although what was unsent fitted the limit",
        "went-on-at-a-sync": "QEMU began passes although all that was pending fitted the limit",
        "switched-over-early": "QEMU switched over with more left to send than the limit allows",
        "not-recorded": "the downtime-limit is not recorded",
        "not-tracked": "a text shows the downtime-limit, but not whether it was changed",
        "auto-converge": (
            "auto-converge may sync in the midst of a pass of 5 s, so that such passes do not show the limit"
        ),
        "postcopy": "postcopy began, so that the last pass does not show the limit",
        "postcopy-ram": "with postcopy-ram QEMU 11.1 syncs each time it looks, so that passes do not show the limit",
        "no-end-seen": "no end of a pass was seen closely enough",
        "single-look": "a single sample shows no end of a pass",
        "cut-short": "the limit was set in mid-pass to end it",
    },
    BANDWIDTH: {
        "as-sent": "mbps is what was sent",
        "not-as-sent": "mbps is not what was sent in the same windows",
        "wide": "what is known of the error of mbps is too wide",
        "not-seen": "too few of QEMU's windows were seen from end to end",
        "disk": "a disk is sent as well, which mbps counts and transferred does not on every release",
    },
    TRANSFERRED: {
        "as-carried": "transferred is what the link carried, which counts for itself",
        "not-as-carried": "transferred is not what the link carried",
        "wide": "what is known of the error of transferred is too wide",
        "before-compression": "QEMU before 8.1 counts the pages of multifd before it compresses them",
        "not-alone": "the link carried more than QEMU transferred, which may be of what qemu_arguments add",
        "not-seen": "the migration was not seen from its beginning to its end on the link that it began on",
    },
    CAP: {
        "kept": "no more was sent than max-bandwidth allows",
        "not-kept": "more was sent than max-bandwidth allows",
        "not-tracked": "max-bandwidth is not recorded, or not whether it was changed",
        "not-seen": "nothing was seen that was sent under a max-bandwidth",
    },
    SWITCHOVER: {
        "after-a-sync": "QEMU switched over at a sync",
        "without-a-sync": "QEMU switched over without a last sync",
        "before-a-window": "all of RAM was sent before QEMU had measured a bandwidth, and it switched over then",
        "not-seen": "the last pass was not seen closely enough",
    },
    PENDING: {
        "adds-up": "what is said to be pending is what was left of RAM, and what devices have",
        "not-what-is-left": "what is said to be pending is not what was left",
    },
    THROTTLE: {
        "as-set": "auto-converge slowed the guest by cpu-throttle-initial, and then in the steps that were set",
        "another-first": "auto-converge slowed the guest by another percentage at first than cpu-throttle-initial",
        "another-step": "auto-converge slowed the guest in other steps than were set, or more than max-cpu-throttle",
        "not-slowed": "auto-converge slowed the guest by fewer steps than were due by what it dirtied",
        "sparse": "samples are too far apart to tell in which steps auto-converge slowed the guest",
        "no-step-seen": "auto-converge was not seen to slow the guest",
        "changed": "what was set of auto-converge was changed meanwhile",
        "not-tracked": "what was set of auto-converge is not recorded, or not whether it was changed",
    },
    BLOCKTIME: {
        "as-waited": "vCPUs can have waited for pages in postcopy for as long as the destination says",
        "more-than-waited": "the destination says that they waited for longer than they slept",
        "less-than-waited": "vCPUs were seen to wait for longer than the destination says",
        "without-the-break": "they were, and the channel broke: what is waited for then counts from its recovery only",
        "held": "the guest was held until its memory was compared, so that it waited for nothing; use integrity=no",
        "not-told": "the destination does not say for how long vCPUs waited",
        "not-seen": "it was not seen for how long vCPUs slept",
    },
    CONVERGENCE: {
        "right": "each limit did what it should",
        "not-tried": "no limit was tried",
        "chosen-not-tried": "the migration ended before the chosen limit was tried",
        "need-unknown": "what was needed could not be told before limits were tried",
        "too-short": "the recording ends before a sync under the limit",
        "did-not-converge": "the migration did not converge at the next sync under a sufficient limit",
        "guest-dirtied-more": "it did not converge, but the guest dirtied more than before",
        "converged-under-less": "the migration converged under an insufficient limit",
        "may-have-needed-less": "it converged under a limit that may have been sufficient",
        "limit-violated": "passes under a limit did not end where it says",
    },
    MEMORY: {
        "intact": "each page is what the guest wrote last",
        "damaged": "some pages are not",
        "half-sent": "the last write to a page arrived in part, as it may from a QEMU before 9.0 under TCG",
    },
    GUEST: {
        "went-on": "the migration completed, and nothing shows that the guest did not go on",
        "silent": "the guest did not go on at the destination",
    },
    DOWNTIME: {
        "match": "the guest was down for as long as QEMU had said",
        "not-as-reported": "the guest was down for longer or shorter than QEMU had said",
        "above-the-limit": "the guest was down for longer than the downtime-limit",
        "odd-window": "it was, but what QEMU said last is of a window that sent far more or less than the others",
    },
    MID_PASS_STOP: {
        "timed": "it was timed how long the guest was down",
        "not-stopped": "the guest was not stopped: the migration ended before",
        "no-time-stamps": "the events of the stop and of the destination's end bear no comparable time stamps",
        "too-little-seen": "too little was seen of the pass in which the guest was stopped, or of the previous one",
        "no-bandwidth": "the bandwidth before the stop, or what was sent after it, is not on record",
    },
}
"""By the name of the check."""
