# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors of virsh below the figures of a migration: some tell that it is over, so nothing is advised of it."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.model import GONE, SEVERAL
from avocado_migdowntime.verdict.judge import judge

from ..support.recorded import RECORDINGS
from ..support.virsh_output import ANSWERS, as_job, recorded

JOBS = [as_job(answer) for _, answer in ANSWERS[-3:]]
MONITOR = (RECORDINGS / "info-migrate-7.2.txt").read_text()
CANCELLED, FAILED = "the migration was cancelled", "the migration has failed"
ENDS = {
    "error: operation aborted: migration out job: canceled by client": CANCELLED,
    "error: operation aborted: migration out: canceled by client": CANCELLED,
    "error: operation aborted: job 'migration out' canceled by client": CANCELLED,
    "error: operation failed: Migration was cancelled by client": CANCELLED,
    "error: operation failed: migration job: unexpectedly failed": FAILED,
    "error: operation failed: job 'migration out' failed: Unable to write to socket: Broken pipe": FAILED,
    "error: internal error: qemu unexpectedly closed the monitor: qemu-kvm: load of migration failed": FAILED,
    "error: Requested operation is not valid: domain is not running": GONE,
    "error: operation failed: domain is no longer running": GONE,
    "error: failed to get domain 'vm1'": GONE,
    "error: Domain not found: no domain with matching name 'vm1'": GONE,
}
OTHERS = [
    "error: Timed out during operation: cannot acquire state change lock",
    "error: failed to connect to the hypervisor",
    "error: operation failed: disk vdb already has a job",
]


@pytest.mark.parametrize(("error", "said"), ENDS.items())
@pytest.mark.parametrize("figures", ["".join(JOBS), MONITOR])
def test_a_migration_that_an_error_ends_is_over(error, said, figures):
    trace = parse(f"{figures}\n{error}\n".encode())
    advice = advise(trace)
    assert advice.limit_ms is None and advice.reasons[0].startswith(said)
    assert any(said in reason for reason in judge(trace).reasons)


@pytest.mark.parametrize("error", [*ENDS, *OTHERS])
def test_an_error_between_figures_ends_nothing(error, tmp_path):
    first, *later = JOBS
    plain, between = (parse("".join(text).encode()) for text in (JOBS, [first, f"{error}\n\n", *later]))
    assert SEVERAL not in between.notes and between.samples.t_s.tolist() == plain.samples.t_s.tolist()
    assert advise(between).reasons == advise(plain).reasons
    piped, _ = recorded(tmp_path, [(0, first), (0.5, f"{error}\n\n"), *((1, job) for job in later)])
    assert len(piped.samples) == len(JOBS)


@pytest.mark.parametrize("error", OTHERS)
def test_other_errors_end_nothing(error):
    assert parse(f"{MONITOR}\n{error}\n".encode()).samples[-1].status == "active"


@pytest.mark.parametrize("error", ENDS)
def test_an_error_alone_is_called_one(error):
    with pytest.raises(UsageError, match="is an error of virsh or kubectl"):
        parse(f"{error}\n".encode())


def test_an_error_about_another_guest_ends_nothing():
    mine = f"# virsh domjobinfo vm1\n{JOBS[-1]}\n"
    other = "# virsh domjobinfo vm2\nerror: failed to get domain 'vm2'\n"
    assert parse(f"{mine}{other}".encode()).samples[-1].status == "active"


@pytest.mark.parametrize("end", ["error: failed to get domain 'vm1'", "Job type:         None"])
def test_a_recording_from_a_pipe_says_that_no_job_is_shown_any_more(end, tmp_path):
    trace, _ = recorded(tmp_path, [*enumerate(JOBS), (len(JOBS), f"{end}\n\n")])
    assert [sample.status for sample in trace.samples] == ["active"] * len(JOBS) + ["none"]
    assert advise(trace).reasons[0] == GONE
