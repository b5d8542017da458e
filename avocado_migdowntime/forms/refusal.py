# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages about a text that shows too little: what it was recognised as, what is missing, and what to take instead."""

from collections.abc import Sequence

from ..basics.printable import quoted
from ..errors import UsageError
from .catalogue import FORMS
from .domjobinfo import DomJobInfo
from .foreign_texts import ANOTHER_LANGUAGE, is_of_others, of_text
from .reader import Reader
from .table import Table

EXACT = """`virsh qemu-monitor-command GUEST '{"execute":"query-migrate"}'`, repeatedly"""
"""What shows all that is needed, for any QEMU run by libvirt."""

_HOST = "on the source host"


def nothing_told(reader: Reader, remarks: Sequence[str]) -> UsageError:
    """The error to raise if the text shows no migration."""
    if remarks:
        return UsageError(f"{remarks[-1]}; take {_there(reader)} while the migration is active")
    as_it_is = b"".join(reader.first_bytes).decode(errors="replace")
    foreign = of_text("\n".join(reader.first_lines)) or of_text(as_it_is)
    if foreign is not None and (not reader.forms or is_of_others(foreign)):
        return UsageError(foreign.sentence)
    if not reader.forms:
        names = ", ".join(form.NAME for form in FORMS)
        line = quoted(next(iter(reader.first_lines), ""))
        return UsageError(f"{line} matches no known text; expected a recording, or one of: {names}")
    form = reader.forms[-1]
    return UsageError(
        f"this is {form.NAME} without figures of a migration; take {_instead(reader)}, while a migration runs"
    )


def too_little(reader: Reader, status: str, remarks: Sequence[str]) -> UsageError:
    """The error to raise if the text shows a running migration but not its figures."""
    form = reader.forms[-1]
    what = f"this is {form.NAME}: the status is {status}, and no remaining RAM is shown"
    what = "; ".join([what, *remarks])
    return UsageError(f"{what}; take {_there(reader)} while the status is active")


def in_another_language(reader: Reader) -> UsageError | None:
    """The error to raise if most of virsh's output is in another language; None if it is in English.

    Some lines are in English in any language.
    """
    if not any(isinstance(form, DomJobInfo) for form in reader.forms):
        return None
    foreign = of_text("\n".join(reader.first_lines))
    return UsageError(foreign.sentence) if foreign is not None and foreign.what == ANOTHER_LANGUAGE else None


def table_of_other_units(reader: Reader) -> UsageError | None:
    """The error to raise if a text is only a table and some row of it visibly has other units; else None.

    The figures of its other rows may look right by chance.
    """
    wrong = [form.of_other_units if isinstance(form, Table) else "" for form in reader.forms]
    return (
        UsageError(f"{wrong[0]}; take {_there(reader)} while the migration is active") if wrong and all(wrong) else None
    )


def lacking(reader: Reader) -> str:
    """What to take instead, to follow what a product's log does not show; '' for other forms."""
    form = reader.forms[-1]
    return f"; {form.NAME} has {form.LACKS}: take {form.INSTEAD}" if form.LACKS and form.INSTEAD else ""


def _there(reader: Reader) -> str:
    """What to take instead, and that it is taken on the source host."""
    instead = _instead(reader)
    where = "," if _HOST in instead else f", {_HOST}"
    return instead + where


def _instead(reader: Reader) -> str:
    return next((form.INSTEAD for form in reversed(reader.forms) if form.INSTEAD), EXACT)
