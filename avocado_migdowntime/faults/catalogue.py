# SPDX-License-Identifier: GPL-2.0-or-later
"""All faults by name, such as `frozen`, or with a value, such as `factor=1.1`."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..basics.alike import meant
from ..errors import UsageError
from ..oracle.formulas import dirty_rate, live, redirty
from .fault import Fault
from .figures import BandwidthHalved, Computed, Frozen, OnceAPass, Scaled, Stale, Uncomputed
from .traffic import (
    USED_INCREMENT,
    AutoConvergeIgnored,
    CapIgnored,
    Late,
    Missing,
    ThrottleIgnored,
    limit_ignored,
    limit_scaled,
)

KIB_AS_KB = 1000 / 1024


@dataclass(frozen=True)
class Kind:
    """A kind of fault: what it does, in a sentence, and how to make it from its value.

    `takes` names the value; it is empty if there is none.
    """

    sentence: str
    make: Callable[[str], Fault]
    takes: str = ""


@dataclass(frozen=True)
class NamedFault:
    """A fault as requested: its name in the catalogue, its value if it takes one, and its kind."""

    name: str
    value: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.name}={self.value}" if self.kind.takes else self.name

    def make(self) -> Fault:
        """A new instance of the fault: its memory must not pass from one connection to the next."""
        return self.kind.make(self.value)


def positive(text: str) -> float:
    """The finite number above 0 in `text`; raises UsageError."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise UsageError(f"{text!r} is not a number above 0")
    return number


def _field(text: str) -> str:
    if not text:
        raise UsageError("no field is named; give one such as missing=mbps")
    return text


KINDS: Mapping[str, Kind] = {
    "none": Kind("no fault: everything passes through unchanged", lambda _: Fault()),
    "dirty-rate": Kind(
        "expected-downtime is dirty-pages-rate × page-size ÷ bandwidth, as before QEMU 3.0",
        lambda _: Computed(dirty_rate),
    ),
    "redirty": Kind(
        "expected-downtime includes what the guest would dirty while the rest is sent", lambda _: Computed(redirty)
    ),
    "live": Kind("expected-downtime is the bytes left now ÷ bandwidth", lambda _: Computed(live)),
    "factor": Kind("expected-downtime is FACTOR times the correct one", lambda v: Scaled(positive(v)), "FACTOR"),
    "kb": Kind("expected-downtime confuses kB with KiB, and is 2.3 % too low", lambda _: Scaled(KIB_AS_KB)),
    "frozen": Kind("expected-downtime is computed once and never updated", lambda _: Frozen()),
    "stale": Kind("expected-downtime is that of the previous pass", lambda _: Stale()),
    "once-a-pass": Kind("expected-downtime is updated once a pass, when a third of it is sent", lambda _: OnceAPass()),
    "uncomputed": Kind("expected-downtime stays at the downtime-limit", lambda _: Uncomputed(zero=False)),
    "zero": Kind("expected-downtime stays at 0", lambda _: Uncomputed(zero=True)),
    "limit-ignored": Kind("the downtime-limit is always 300 ms, whatever is configured", lambda _: limit_ignored()),
    "limit-factor": Kind(
        "the downtime-limit is FACTOR times the configured one", lambda v: limit_scaled(positive(v)), "FACTOR"
    ),
    "mbps-halved": Kind("mbps is half of the correct one, and expected-downtime twice", lambda _: BandwidthHalved()),
    "bandwidth-cap-ignored": Kind("max-bandwidth is always 128 MiB/s, whatever is configured", lambda _: CapIgnored()),
    "auto-converge-ignored": Kind("auto-converge never slows the guest", lambda _: AutoConvergeIgnored()),
    "throttle-step-ignored": Kind(
        f"cpu-throttle-increment is {USED_INCREMENT} %, whatever is configured", lambda _: ThrottleIgnored()
    ),
    "missing": Kind(
        "FIELD is missing from the answers to query-migrate and query-migrate-parameters",
        lambda v: Missing(_field(v)),
        "FIELD",
    ),
    "late": Kind("each answer is MS milliseconds late", lambda v: Late(positive(v)), "MS"),
}


def named_fault(text: str) -> NamedFault:
    """The fault that `text` names; raises UsageError if there is none, or if its value is invalid."""
    name, equals, value = text.partition("=")
    kind = KINDS.get(name)
    if kind is None:
        raise UsageError(f"unknown fault {name!r}; {meant(name, KINDS)}")
    if bool(equals) != bool(kind.takes):
        wanted = f"takes a value: {name}={kind.takes}" if kind.takes else "takes no value"
        raise UsageError(f"the fault {text!r} cannot be used: {name} {wanted}")
    fault = NamedFault(name, value, kind)
    try:
        fault.make()
    except UsageError as error:
        raise UsageError(f"the fault {text!r} cannot be used: {error}") from None
    return fault
