# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said of a text that tells too little: what it was recognised as, what is missing, what to take instead."""

import reprlib
from collections.abc import Sequence

from ..errors import UsageError
from .catalogue import FORMS
from .foreign import of_text
from .reader import Reader

EXACT = """`virsh qemu-monitor-command GUEST '{"execute":"query-migrate"}'`, again and again"""
"""What shows all that is needed, of any QEMU that libvirt runs."""


def nothing_told(reader: Reader, remarks: Sequence[str]) -> UsageError:
    """That no migration is told of."""
    if remarks:
        return UsageError(f"{remarks[-1]}; take {EXACT}, while the migration is active")
    if not reader.forms and (foreign := of_text("\n".join(reader.first_lines))):
        return UsageError(foreign.sentence)
    if not reader.forms:
        known = ", ".join(form.NAME for form in FORMS)
        line = reprlib.repr(next(iter(reader.first_lines), ""))
        return UsageError(f"{line} matches no known text; expected a recorded migration, or one of: {known}")
    form = reader.forms[-1]
    return UsageError(
        f"this is {form.NAME}, and it shows no running migration; take {_instead(reader)}, while one runs"
    )


def too_little(reader: Reader, status: str) -> UsageError:
    """That a running migration is told of without its figures."""
    form = reader.forms[-1]
    lacks = form.LACKS or "no remaining RAM"
    return UsageError(f"this is {form.NAME} with status {status}: it has {lacks}; take {_instead(reader)}")


def _instead(reader: Reader) -> str:
    return next((form.INSTEAD for form in reversed(reader.forms) if form.INSTEAD), EXACT)
