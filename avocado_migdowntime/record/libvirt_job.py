# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt's job statistics, converted back to the answer to query-migrate."""

from collections.abc import Mapping
from typing import Any

from ..forms.domjobinfo import of_fields
from ..trace.reading import Reading

_NONE, _UNBOUNDED, _COMPLETED = 0, 2, 3
"""Values of virDomainJobType."""
_MIGRATION_OUT = 5
"""A value of virDomainJobOperation."""


def answer_of_job(job: Mapping[str, Any], completed: bool = False) -> Mapping[str, Any]:
    """The answer to query-migrate. Its status is `none` if there is no migration, `setup` if there are no figures yet.

    libvirt's statistics of a `completed` job do not state the job's type. Raises UsageError if figures are missing.
    """
    kind = _COMPLETED if completed else job.get("type", _NONE)
    if kind == _NONE or job.get("operation", _MIGRATION_OUT) != _MIGRATION_OUT:
        return {"status": "none"}
    figures = {name: figure for name, figure in job.items() if name != "operation"}
    (reading,) = of_fields({**figures, "type": kind}, None, None)
    assert isinstance(reading, Reading)
    answer = reading.answer
    if answer["status"] == "active" and not {"ram", "expected-downtime"} <= answer.keys():
        return {"status": "setup"}
    return answer
