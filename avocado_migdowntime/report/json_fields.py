# SPDX-License-Identifier: GPL-2.0-or-later
"""What the JSON fields of verdicts, advices and the doctor mean.

A name with a dot is a field of an object or a list's.
"""

from collections.abc import Mapping

VERDICT: Mapping[str, str] = {
    "verdict": "accurate, inaccurate or inconclusive: is the reported expected-downtime what the contract says?",
    "subject": "what was migrated: release, architecture, machine, accelerator, backing",
    "passed": "true where nothing was found wrong, false where something was, null where that cannot be told",
    "contract": "the formula that QEMU is held to",
    "tolerance": "the relative error that is still accurate",
    "formula": "what QEMU was found to use: a formula, or uncomputed, frozen, stale or once-a-pass; null if unknown",
    "era": "what the formula says of the build, where it is not its release's; else empty",
    "reported_ms": "QEMU's expected-downtime, median over the passes judged",
    "expected_ms": "what the contract gives with the bytes left at each sync",
    "relative_error": "reported ÷ expected - 1, median over the passes judged",
    "relative_error_interval": "[least, most] that it can be, given sampling and whole milliseconds",
    "passes": "passes judged",
    "downtime_limit_ms": "the configured downtime-limit",
    "effective_limit_ms": "the limit that QEMU really goes by, null where its interval is wide",
    "effective_limit_interval_ms": "[least, most] that it can be",
    "limit_verdict": "respected, violated or inconclusive: do passes end where the configured limit says?",
    "downtime": "how long the guest was down, null where the migration did not complete",
    "downtime.qemu_ms": "as QEMU says",
    "downtime.events_ms": "from STOP to RESUME, by QEMU's time stamps",
    "downtime.guest_ms": "[least, most] between two beats of the guest's heart",
    "downtime.held_ms": "how long the harness held the guest to compare its memory: left out of the others",
    "downtime.silent_s": "how long its heart was waited for in vain, else null",
    "integrity": "the check of the guest's memory at the destination, null where none was made",
    "integrity.pages": "pages of 4 KiB compared with what the guest had written",
    "integrity.damaged_pages": "those that differ",
    "integrity.faults": "the first of them, in words",
    "convergence": "what limits did that were tried, null where none was",
    "convergence.judgement": "right, wrong or inconclusive",
    "convergence.needed_ms": "the limit that was needed by the oracle",
    "convergence.reported_ms": "the limit that was needed by QEMU's report",
    "convergence.limit_from": "which of the two the limit was chosen from",
    "convergence.trials": "a list, in the order of trying",
    "convergence.trials.name": "default (300 ms), below (half of what is needed) or chosen",
    "convergence.trials.limit_ms": "the downtime-limit that was set",
    "convergence.trials.passes": "passes that began under it",
    "convergence.trials.missed": "syncs at which all that was pending fitted it, and QEMU went on all the same",
    "convergence.trials.completed": "whether the migration completed",
    "convergence.trials.effective_limit_ms": "the limit by which passes ended",
    "convergence.trials.limit_verdict": "respected, violated or inconclusive",
    "convergence.reason": "why the judgement is not right, else empty",
    "promise": "the real downtime against the last report, on a link that is really slow; else null",
    "promise.judgement": "kept or broken",
    "promise.said_ms": "what QEMU reported last",
    "promise.down_ms": "what the guest was down for",
    "promise.fixed_ms": "what an idle guest was down for, for its devices",
    "promise.limit_ms": "the downtime-limit that held",
    "promise.error": "(down - fixed) ÷ said - 1",
    "promise.reason": "why it is broken, else empty",
    "ground_truth": "how long a guest was down that was stopped in mid-pass, null where none was",
    "ground_truth.down_ms": "from its STOP until the destination could run it",
    "ground_truth.number": "the pass in which it was stopped",
    "ground_truth.in_pass": "the share of that pass that was sent",
    "ground_truth.dirty_ratio": "how fast the guest dirties ÷ bandwidth",
    "ground_truth.rest_bytes": "what was left of the pass",
    "ground_truth.dirtied_bytes": "what was sent after that",
    "ground_truth.estimates": "a list",
    "ground_truth.estimates.name": "reported, a formula, or rest-and-dirtied",
    "ground_truth.estimates.ms": "what it gave just before the stop",
    "ground_truth.estimates.error": "that ÷ the truth - 1",
    "checks": "a list of all that was looked at; what a user is up against comes first",
    "checks.name": "report, limit, convergence, memory, guest, downtime or mid-pass-stop",
    "checks.outcome": "passed, failed, undecided (the run is inconclusive) or not judged (it need not be)",
    "checks.code": "why, for programs: see Codes",
    "checks.sentence": "why, for people",
    "samples_used": "samples that the verdict is based on",
    "samples_dropped": "an object: how many were dropped, by the reason",
    "reasons": "a list of sentences; the first is that for the verdict",
}
"""Of `verdict.json`, and of each object of `analyze --json`, which has `file` besides."""

ADVICE: Mapping[str, str] = {
    "finding": "found, none or unknown",
    "subject": "what is migrated",
    "downtime_limit_ms": "the limit with which it finishes at the next sync or the one after, null where none will do",
    "range_ms": "[the least that may do, the most that can be needed]",
    "steps_ms": "smaller limits that may do, up to that one; to be set for two passes each, the least first",
    "best_point": "the sync at which the least limit would have done",
    "best_point.number": "the pass that it began",
    "best_point.t_s": "when it came, seconds from the trace's begin",
    "best_point.limit_ms": "the limit that would have done there",
    "bandwidth_bytes_per_ms": "what QEMU multiplies the limit by",
    "configured_ms": "the limit that is set",
    "help": "what makes the default of 300 ms do",
    "help.bandwidth_bytes_per_ms": "so much bandwidth, null where it is not needed or not known",
    "help.throttle_percent": "or stopping the guest for so much of its time at least",
    "passes": "passes seen from end to end",
    "reasons": "a list of sentences; the first is that for the finding",
}
"""Of `advise --json`, which has `file` besides."""

DOCTOR: Mapping[str, str] = {
    "able": "true where the default test can run",
    "findings": "a list, in the order in which to fix them",
    "findings.name": "what was looked at",
    "findings.state": "ok; note: other tests lack something or verdicts may suffer; fault: the default test cannot run",
    "findings.text": "what was seen, or what is wrong",
    "findings.mend": "the command or the action that fixes it; else empty",
}
"""Of `doctor --json`."""

QEMU: Mapping[str, str] = {
    "suite": "the Debian suite, by which `--migdowntime-qemu` takes it",
    "release": "of QEMU, as it says itself, such as 7.2.22",
    "architectures": "a list of the guests' architectures that it was unpacked for",
    "size_bytes": "what it takes on disk",
    "path": "its directory",
    "binaries": "an object with the path of what starts it for each architecture",
}
"""Of `qemu add --json`, and of each in the list of `qemu list --json`."""
