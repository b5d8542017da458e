# SPDX-License-Identifier: GPL-2.0-or-later
"""What the JSON fields of verdicts, advices and the doctor mean.

A name with a dot is a field of an object or a list's.
"""

from collections.abc import Mapping

VERDICT: Mapping[str, str] = {
    "verdict": "accurate, inaccurate or inconclusive: is the reported expected-downtime what the contract gives?",
    "subject": "what was migrated: release, architecture, machine, accelerator, backing",
    "passed": "true if nothing is wrong, false if something is, null if the data cannot decide",
    "contract": "the formula that QEMU should use",
    "tolerance": "the largest relative error that counts as accurate",
    "formula": "the formula that QEMU used, or uncomputed, frozen, stale or once-a-pass; null if unknown",
    "era": "a sentence, if the formula is not that of the release that QEMU reports; else empty",
    "reported_ms": "QEMU's expected-downtime: median over the passes judged",
    "expected_ms": "what the contract gives, from the bytes left at each sync; for a single sample: from the bytes "
    "left now",
    "left_now_ms": "for a single sample: bytes left now ÷ bandwidth, a lower bound of the expected figure; else null",
    "relative_error": "reported ÷ expected - 1: median over the passes judged",
    "relative_error_interval": "[least, most] that the error may be, given sampling and whole milliseconds",
    "passes": "number of passes judged",
    "downtime_limit_ms": "the configured downtime-limit",
    "effective_limit_ms": "the limit that QEMU really applies; null if its interval is wide",
    "effective_limit_interval_ms": "[least, most] that this limit may be",
    "limit_verdict": "respected, violated or inconclusive: do passes end as the configured limit demands?",
    "bandwidth_error": "most likely value of QEMU's mbps ÷ bytes sent in the same windows - 1; null if not seen",
    "bandwidth_error_interval": "[least, most] that this error may be; beyond ±1 % the bytes sent replace mbps "
    "everywhere",
    "transferred_error_interval": "[least, most] that transferred ÷ bytes carried by the link - 1 may be; else null",
    "device_bytes": "[least, most] that devices have to send besides RAM, as QEMU 11.1 shows it; else null",
    "throttle_percents": "the steps in which auto-converge slowed the guest; else null",
    "downtime": "how long the guest was down; null if the migration did not complete",
    "downtime.qemu_ms": "according to QEMU",
    "downtime.events_ms": "from STOP to RESUME, by the time stamps of QEMU's events",
    "downtime.events_open_ms": "uncertainty (±) of events_ms, from the clocks of two hosts",
    "downtime.guest_ms": "[least, most] between two heartbeats of the guest",
    "downtime.held_ms": "how long the test held the guest to compare its memory; the other figures exclude this",
    "downtime.silent_s": "how long the test waited in vain for a heartbeat; else null",
    "integrity": "the check of the guest's memory at the destination; null if none was made",
    "integrity.pages": "number of 4 KiB pages compared with what the guest wrote",
    "integrity.damaged_pages": "number of pages that differ",
    "integrity.faults": "the first differences, as sentences",
    "integrity.half_sent": "number of pages whose last write arrived only in part; counted on a QEMU with this known "
    "fault",
    "convergence": "the effect of the limits that were tried; null if none was",
    "convergence.judgement": "right, wrong or inconclusive",
    "convergence.needed_ms": "the limit needed, according to the oracle",
    "convergence.reported_ms": "the limit needed, according to QEMU's report",
    "convergence.limit_from": "the figure that the chosen limit is based on: oracle or reported",
    "convergence.trials": "a list, in the order of the trials",
    "convergence.trials.name": "default (300 ms), below (half of the limit needed) or chosen",
    "convergence.trials.limit_ms": "the downtime-limit tried",
    "convergence.trials.passes": "passes that began under this limit",
    "convergence.trials.missed": "syncs at which everything pending fitted the limit, but QEMU went on",
    "convergence.trials.completed": "whether the migration completed",
    "convergence.trials.effective_limit_ms": "the limit that QEMU really applied",
    "convergence.trials.limit_verdict": "respected, violated or inconclusive",
    "convergence.reason": "why the judgement is not right; else empty",
    "promise": "the real downtime compared with the last report, on a link that really is slow; else null",
    "promise.judgement": "kept, broken or undecided",
    "promise.said_ms": "QEMU's last report",
    "promise.down_ms": "the real downtime",
    "promise.fixed_ms": "the downtime of an idle guest, caused by its devices",
    "promise.limit_ms": "the downtime-limit in force",
    "promise.error": "(down - fixed) ÷ said - 1",
    "promise.reason": "why the promise is not kept; else empty",
    "ground_truth": "how long a guest stopped in mid-pass was down; null if none was stopped",
    "ground_truth.down_ms": "from the guest's STOP until the destination could run it",
    "ground_truth.number": "the pass in which it was stopped",
    "ground_truth.in_pass": "the share of that pass that had been sent",
    "ground_truth.dirty_ratio": "the rate at which the guest dirties memory ÷ bandwidth",
    "ground_truth.rest_bytes": "the bytes of that pass that were left",
    "ground_truth.dirtied_bytes": "the bytes sent after them",
    "ground_truth.estimates": "a list",
    "ground_truth.estimates.name": "reported, a formula, or rest-and-dirtied",
    "ground_truth.estimates.ms": "the estimate just before the stop",
    "ground_truth.estimates.error": "estimate ÷ down_ms - 1",
    "checks": "a list of all checks; the most important ones come first",
    "checks.name": "such as report or limit; a code in the list of codes is this name and the code",
    "checks.outcome": "passed, failed, undecided (which makes the run inconclusive) or not judged (which does not)",
    "checks.code": "the reason, for programs: see Codes",
    "checks.sentence": "the reason, for people",
    "cpu": "host CPUs that each side's QEMU used until the guest was stopped; `{}` if not recorded",
    "cpu.SIDE": "`source` or `destination`",
    "cpu.SIDE.qemu": "average number of CPUs that QEMU kept busy",
    "cpu.SIDE.vcpus": "those of them that its vCPUs kept busy; null if not known",
    "samples_used": "samples that the verdict is based on",
    "samples_dropped": "an object: the number of dropped samples by reason",
    "reasons": "a list of sentences; the first explains the verdict",
}
"""Of `verdict.json`, and of each object of `analyze --json`, which has `file` besides."""

ADVICE: Mapping[str, str] = {
    "finding": "found, none or unknown",
    "subject": "the QEMU and guest that are migrated",
    "downtime_limit_ms": "with this limit the migration finishes at the next sync or the one after it; null if no "
    "limit ends it",
    "range_ms": "[the smallest limit that may be enough, the largest that may be needed]",
    "steps_ms": "limits up to that one; try them in ascending order, each for two passes",
    "best_point": "the sync at which the smallest limit would have been enough",
    "best_point.number": "the number of the pass that began there",
    "best_point.t_s": "the time of this sync, seconds since the recording began",
    "best_point.limit_ms": "the limit that would have been enough there",
    "bandwidth_bytes_per_ms": "the bandwidth by which QEMU multiplies the limit",
    "configured_ms": "the configured downtime-limit",
    "help": "what makes the default limit of 300 ms sufficient",
    "help.bandwidth_bytes_per_ms": "this bandwidth is enough; null if not needed or not known",
    "help.throttle_percent": "throttling by this is enough, if passes then dirty that much less; null if not known",
    "help.least_bandwidth_bytes_per_ms": "with less bandwidth the migration cannot finish; in between it may",
    "help.least_throttle_percent": "with less throttling the migration cannot finish; in between it may",
    "down": "how long the guest will be down for its RAM under that limit",
    "down.ms": "at the present bandwidth",
    "down.capped": "whether max-bandwidth, which QEMU lifts at the switchover, limits that bandwidth; null if unknown",
    "passes": "number of passes seen from end to end",
    "reasons": "a list of sentences; the first explains the finding",
}
"""Of `advise --json`, which has `file` besides."""

WATCH: Mapping[str, str] = {
    "t_s": "time of the last sample, seconds since the migration began",
    "status": "QEMU's status of the migration",
    "pass": "the number of the current pass; null if there is none",
    "remaining_bytes": "the bytes left to send",
    "bandwidth_bytes_per_ms": "the bandwidth that QEMU shows",
    "dirty_bytes_per_ms": "the guest's dirty rate that QEMU shows",
    "reported_ms": "QEMU's expected-downtime",
    "renewed": "whether QEMU has computed expected-downtime in this pass",
    "expected_ms": "[least, most] of the expected value: bytes left at the last sync ÷ bandwidth",
    "limit_ms": "the configured downtime-limit",
    "outlook": "the predicted effect of that limit",
    "outlook.limit_ms": "the limit",
    "outlook.converges": "whether it ends the migration; null if not certain",
    "outlook.likely": "whether it probably ends the migration",
    "outlook.in_ms": "time until the guest is stopped",
    "outlook.down_ms": "how long the guest is then down, at the present bandwidth",
    "advised": "the same for the advised limit",
    "advice": "the fields of `advise --json`",
    "verdict": "the fields of `analyze --json`",
}
"""Of `watch --once --json`, which has `source` besides."""

DOCTOR: Mapping[str, str] = {
    "able": "true if the default test can run",
    "findings": "a list, in the order in which to fix them",
    "findings.name": "what was examined",
    "findings.state": "ok; note: other tests lack something, verdicts may suffer or files were left; fault: the "
    "default test cannot run",
    "findings.text": "what was found",
    "findings.mend": "the command or action that fixes it; else empty",
}
"""Of `doctor --json`."""

QEMU: Mapping[str, str] = {
    "suite": "the Debian suite, which is also the value for `--migdowntime-qemu`",
    "release": "the release that QEMU reports, such as 7.2.22",
    "architectures": "a list of the guest architectures that were unpacked",
    "size_bytes": "its size on disk",
    "path": "its directory",
    "binaries": "an object: for each architecture the path of the program to start",
}
"""Of `qemu add --json`, and of each in the list of `qemu list --json`."""
