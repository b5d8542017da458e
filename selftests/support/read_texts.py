# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything that is read from each example text of a form: item by item, and the resulting trace."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from functools import partial
from itertools import chain
from typing import Any

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.gathering import trace_of
from avocado_migdowntime.forms.many import Many
from avocado_migdowntime.forms.order import items_in_order
from avocado_migdowntime.forms.reader import Reader
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.trace.reading import Item, Stamp

from . import product_logs
from .documents import TOP
from .made_up_logs import LOGS
from .made_up_sessions import SESSIONS
from .product_logs import RECORDED, Look, logged, looks

_FOLDERS = ("forms", "texts", "recordings")
_MADE = (
    *(product_logs.proxmox_old, product_logs.proxmox_new, product_logs.nova, product_logs.vdsm_mbps),
    *(product_logs.vdsm_mib, product_logs.kubevirt, product_logs.kubevirt_64th, product_logs.kubevirt_bytes),
)
_PERIOD_S = 3.0


def examples() -> Mapping[str, Callable[[], bytes]]:
    """The texts, by name: files, a recording in the words of each product, and made-up logs."""
    files = chain.from_iterable(sorted((TOP / "selftests" / folder).glob("*.txt")) for folder in _FOLDERS)
    made = {f"as-{form.__name__}": partial(_as_logged, form) for form in _MADE}
    written = {f"made-up-{name}": text.encode for name, text in (LOGS | SESSIONS).items()}
    return {path.stem: path.read_bytes for path in files} | made | written


def _as_logged(form: Callable[[Look], str]) -> bytes:
    return logged(form, looks(RECORDED, _PERIOD_S))


def what_is_read(example: Callable[[], bytes]) -> str:
    """What is read from a text, a line for each figure."""
    reader = Reader()
    made = items_in_order(reader, iter([example()]))
    items = [item for one in made for item in (one.readings() if isinstance(one, Many) else (one,))]
    lines = [f"forms: {', '.join(form.NAME for form in reader.forms)}", *chain.from_iterable(map(_item, items))]
    try:
        lines += _trace(trace_of(items, reader))
    except UsageError as error:
        lines.append(f"refused: {error}")
    return "".join(f"{line}\n" for line in lines)


def _item(item: Item) -> Iterator[str]:
    yield f"{type(item).__name__}:"
    for field in fields(item):
        value = getattr(item, field.name)
        if value not in (None, "", {}):
            yield from _shown(field.name, value)


def _shown(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner, one in value.items():
            yield from _shown(f"{name}.{inner}", one)
    elif isinstance(value, Interval):
        yield f"  {name}: {value.low!r} to {value.high!r}"
    elif isinstance(value, Stamp):
        again = f", again after {value.period_s!r} s" if value.period_s else ""
        since = ", since the begin" if value.from_begin else ""
        above = ", by a line above" if value.is_above else ""
        yield f"  {name}: {value.t_s!r} s and up to {value.tick_s!r} s more{again}{since}{above}"
    else:
        yield f"  {name}: {value!r}"


def _trace(trace: Trace) -> Iterator[str]:
    yield "Trace:"
    for name in ("header", "notes", "snapshot", "lacks"):
        yield from _shown(name, getattr(trace, name))
    for one in (*trace.samples, *trace.events):
        shown = ((field.name, getattr(one, field.name)) for field in fields(one))
        yield f"  {type(one).__name__}: {', '.join(f'{name} {value!r}' for name, value in shown if value is not None)}"
    for number, reading in enumerate(trace.readings, 1):
        yield from _shown(f"derived of {number}", reading.derived)
        yield from _shown(f"estimated of {number}", reading.estimated)
