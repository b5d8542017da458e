# SPDX-License-Identifier: GPL-2.0-or-later
"""Judge the downtime that QEMU predicts while it migrates a guest.

Scripts may rely on the names in `__all__`; docs/python.md says what stays the same. All modules below this one are
internal: they change without notice.

>>> from avocado_migdowntime import advise, judge, read
>>> trace = read("selftests/recordings/ppc64-tcg-qemu-7.2-with-dirty-rate-formula.jsonl.gz")
>>> verdict = judge(trace)
>>> verdict.passed, verdict.formula, verdict.report.code
(False, 'dirty-rate', 'another-formula')
>>> print(f"QEMU said {verdict.reported_ms:.0f} ms, expected {verdict.expected_ms:.0f} ms")
QEMU said 980 ms, expected 5495 ms
>>> advise(trace).limit_ms > verdict.expected_ms
True

Importing this module is cheap: a name is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import HarnessError, HostRequirementError, MigDowntimeError, UsageError
    from .forms.file import read
    from .oracle.evidence import Evidence
    from .oracle.growing import GrowingEvidence
    from .prediction.advice import Advice
    from .prediction.advise import advise
    from .trace.events import Event
    from .trace.model import Trace
    from .trace.sample import Sample
    from .verdict.check import Check, Outcome
    from .verdict.judge import judge
    from .verdict.verdict import Verdict
else:
    _MODULES = {
        "HarnessError": "errors",
        "HostRequirementError": "errors",
        "MigDowntimeError": "errors",
        "UsageError": "errors",
        "Evidence": "oracle.evidence",
        "GrowingEvidence": "oracle.growing",
        "Advice": "prediction.advice",
        "advise": "prediction.advise",
        "Event": "trace.events",
        "read": "forms.file",
        "Trace": "trace.model",
        "Sample": "trace.samples",
        "Check": "verdict.check",
        "Outcome": "verdict.check",
        "judge": "verdict.judge",
        "Verdict": "verdict.verdict",
    }

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = [
    "Advice",
    "Check",
    "Event",
    "Evidence",
    "GrowingEvidence",
    "HarnessError",
    "HostRequirementError",
    "MigDowntimeError",
    "Outcome",
    "Sample",
    "Trace",
    "UsageError",
    "Verdict",
    "advise",
    "judge",
    "read",
]
