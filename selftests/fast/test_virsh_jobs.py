# SPDX-License-Identifier: GPL-2.0-or-later
"""A job as virsh shows it: of which kind it is, and in which units its figures are."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.domjobinfo import of_fields
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.trace.reading import Reading, Remark

from ..support.log_readings import readings
from ..support.recorded import RECORDINGS


def test_a_bandwidth_of_virsh_is_in_bytes_a_second_whole_ones_where_it_has_no_unit():
    fields = {"type": "Unbounded", "memory_total": "4096", "memory_bps": "125000", "memory_iteration": "3"}
    fields["memory_page_size"] = "4096"
    (raw,) = of_fields({**fields, "operation": "5"}, None, None)
    assert raw.answer["ram"]["mbps"] == pytest.approx(1)
    open_by = raw.rounding["ram.mbps"]
    assert (open_by.low, open_by.high) == pytest.approx((1, 1.000008), rel=1e-7)
    (silent,) = of_fields({name: fields[name] for name in fields if name != "memory_bps"}, None, None)
    assert (silent.answer["ram"]["mbps"], silent.answer["ram"]["dirty-pages-rate"]) == (0, 0)


@pytest.mark.parametrize("name", ["type", "Job type"])
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        *(("0", "none"), ("None", "none"), ("1", "active"), ("Bounded", "active"), ("2", "active")),
        *(("3", "completed"), ("Completed", "completed"), ("4", "failed"), ("Failed", "failed")),
        *(("5", "cancelled"), ("Cancelled", "cancelled")),
    ],
)
def test_a_job_is_of_a_kind_by_its_name_or_by_libvirts_number(name, kind, status):
    (told,) = of_fields({name: kind, "memory_total": "4096"}, None, None)
    assert told.answer["status"] == status
    with pytest.raises(UsageError, match="^Job type is '6' where one of None, "):
        list(of_fields({name: "6"}, None, None))


@pytest.mark.parametrize(("shown", "status"), [({"Total downtime": "9 ms"}, "completed"), ({"downtime": 9}, "active")])
def test_a_job_whose_kind_is_not_shown_is_over_where_virsh_shows_its_whole_downtime(shown, status):
    (told,) = of_fields({**shown, "memory_total": "4096"}, None, None)
    assert told.answer["status"] == status


@pytest.mark.parametrize("name", ["operation", "Operation"])
@pytest.mark.parametrize(
    ("operation", "job", "where"),
    [
        *(
            ("0", "Unknown", ""),
            ("2", "Save", ""),
            ("10", "Snapshot delete", ""),
            ("11", "11", ""),
            ("Save", "Save", ""),
        ),
        ("4", "Incoming migration", ": that is shown on the source host"),
        ("Incoming migration", "Incoming migration", ": that is shown on the source host"),
    ],
)
def test_another_job_than_an_outgoing_migration_is_named(name, operation, job, where):
    (told,) = of_fields({name: operation, "memory_total": "4096"}, None, 7.0)
    assert told == Remark(f"the job is {job!r} where an outgoing migration was expected{where}", arrived_s=7.0)
    assert isinstance(next(iter(of_fields({name: operation, "type": "None"}, None, None))), Reading)


@pytest.mark.parametrize("shown", [{}, {"operation": "5"}, {"Operation": "Outgoing migration"}])
def test_an_outgoing_migration_is_one_also_where_nothing_else_is_said(shown):
    (told,) = of_fields({**shown, "memory_total": "4096"}, None, None)
    assert told.answer["status"] == "active"


@pytest.mark.parametrize(("others", "jobs"), [(0, 1), (1, 1), (2, 2)])
def test_one_line_may_stand_between_the_head_of_a_job_and_its_figures(others, jobs):
    head, _, figures = (RECORDINGS / "domjobinfo-9.0.txt").read_text().partition("\n")
    assert len(readings((f"{head}\n" + "some words\n" * others + figures).encode())) == jobs


@pytest.mark.parametrize("head", ["", "2024-05-12 11:57:06 "])
def test_a_figure_that_virsh_has_not_yet_ends_no_job_and_a_limit_below_one_counts(head):
    job = (RECORDINGS / "domjobinfo-9.0.txt").read_text()
    later = job.replace("Memory remaining", "A later figure: 7\nMemory remaining")
    text = "".join(f"{head}{line}\n" for line in f"{later}downtime-limit: 317 milliseconds\n".splitlines())
    trace = parse(text.encode())
    assert trace.samples[0].ram == parse(job.encode()).samples[0].ram
    assert trace.downtime_limit_ms == 317
