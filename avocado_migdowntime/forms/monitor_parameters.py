# SPDX-License-Identifier: GPL-2.0-or-later
"""The monitor's `info migrate_parameters` and `info migrate_capabilities`, and the commands that change them.

Sources: those of `monitor_text`, and tools/virsh-domain.c of libvirt for virsh's commands. Since 2.10 each parameter
has its own line; before, all were on one.
"""

import re
from collections.abc import Iterable, Sequence

from ..trace.reading import Item, Setting
from .form import Form, Line

_PARAMETER = re.compile(
    r"(?<![\w\"'-])(downtime-limit|max-bandwidth|avail-switchover-bandwidth):\s*'?(\d+)'?"
    r"(?:\s*(?:ms|milliseconds|bytes/second|bytes))?(?=\s|$)"
)
_SIZE = r"(\d{1,30}(?:\.\d+)?)([bkmgtpe]?)(?![\w.])"
_SET = re.compile(
    rf"\bmigrate_set_parameter\s+(downtime-limit|max-bandwidth|avail-switchover-bandwidth)\s+{_SIZE}", re.IGNORECASE
)
_SET_DOWNTIME = re.compile(r"\(qemu\)\s*migrate_set_downtime\s+(\d+(?:\.\d+)?)(ms|us|s)?")
_SET_SPEED = re.compile(rf"\(qemu\)\s*migrate_set_speed\s+{_SIZE}", re.IGNORECASE)
_BY_VIRSH = r"(?:.*[#$%>]\s*)?(?:sudo\s+)?virsh\s+(?:#\s*|(?:-\S+\s+)?(?:qemu\S*://\S+\s+)?)"
_VIRSH_SETS = re.compile(
    rf"{_BY_VIRSH}migrate-setmaxdowntime\s+(?:--domain\s+)?\S+\s+(?:--downtime\s+)?(\d{{1,9}})\s*(?:#.*)?"
)
_VIRSH_ASKS = re.compile(rf"{_BY_VIRSH}migrate-getmaxdowntime\s+\S.*")
_CAPABILITIES = frozenset(
    (
        *("xbzrle", "rdma-pin-all", "x-rdma-pin-all", "auto-converge", "zero-blocks", "compress", "events", "block"),
        *("postcopy-ram", "x-colo", "release-ram", "return-path", "pause-before-switchover", "multifd", "x-multifd"),
        *("dirty-bitmaps", "postcopy-blocktime", "late-block-activate", "x-ignore-shared", "validate-uuid"),
        *("background-snapshot", "zero-copy-send", "postcopy-preempt", "switchover-ack", "dirty-limit", "mapped-ram"),
    )
)
"""QEMU's MigrationCapability, qapi/migration.json."""
_SWITCHED = re.compile(r"(?<![\w-])([a-z][a-z-]+):\s*(on|off)(?![\w-])")
_STATE = re.compile(r":\s*o(?:n|ff)(?![\w-])")
_SWITCH = re.compile(r"\(qemu\)\s*migrate_set_capability\s+([a-z-]+)\s+(on|off)")
_MODE = re.compile(r"mode: (normal|cpr-[a-z]+)")
_WORDS = ("migrate_set_", "downtime-limit", "bandwidth")
_FACTORS = {"": 1 << 20, "b": 1, **{unit: 1 << 10 * power for power, unit in enumerate("kmgtpe", 1)}}
"""If the monitor expects a size, it takes a plain number as MiB."""
_MS = {None: 1000.0, "s": 1000.0, "ms": 1.0, "us": 0.001}


class MonitorParameters(Form):
    """Reads the parameters that limit a migration, and its capabilities."""

    NAME = "the output of `info migrate_parameters`"
    NEEDLES = (b"owntime",)
    ALSO = (b"max-bandwidth", b"switchover-bandwidth", b"migrate_set_")

    def __init__(self) -> None:
        super().__init__()
        self._is_asked = False
        self._setting: Setting | None = None
        """What virsh was told to set; an error below the command cancels it."""

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        text = line.text
        if not text:
            return None
        if self._setting is not None:
            settings = self.settle()
            return [] if text.startswith("error: ") else [*settings, line]
        if self._is_asked or "maxdowntime" in text:
            return self._of_virsh(line)
        if text[0] in "{[\"'":
            text = line.message  # A time may be in brackets.
        if not text or text[0] in "{[\"'":
            return None
        if not any(words in text for words in _WORDS):
            # To find nothing, searching for words takes a fraction of the time that patterns take.
            return self._capabilities(line)
        if pairs := _PARAMETER.findall(text):
            return [Setting({name: int(value) for name, value in pairs}, line.stamp)]
        if match := _SET.search(text):
            name = match[1].lower()
            factor = 1 if name == "downtime-limit" else _FACTORS[match[3].lower()]
            return [Setting({name: int(float(match[2]) * factor)}, line.stamp, changed=True)]
        if match := _SET_DOWNTIME.search(text):
            return [Setting({"downtime-limit": float(match[1]) * _MS[match[2]]}, line.stamp, changed=True)]
        if match := _SET_SPEED.search(text):
            bandwidth = int(float(match[1]) * _FACTORS[match[2].lower()])
            return [Setting({"max-bandwidth": bandwidth}, line.stamp, changed=True)]
        return self._capabilities(line)

    def _of_virsh(self, line: Line) -> Sequence[Item | Line] | None:
        is_asked, self._is_asked = self._is_asked, False
        if is_asked and line.text.isdecimal() and len(line.text) < 10:
            return [Setting({"downtime-limit": int(line.text)}, line.stamp)]
        if match := _VIRSH_SETS.fullmatch(line.text):
            self._setting = Setting({"downtime-limit": int(match[1])}, line.stamp, changed=True)
            return []
        self._is_asked = _VIRSH_ASKS.fullmatch(line.text) is not None
        return [] if self._is_asked else None

    def end(self) -> Iterable[Item]:
        return self.settle()

    def settle(self) -> Sequence[Item]:
        setting, self._setting = self._setting, None
        return [] if setting is None else [setting]

    def _capabilities(self, line: Line) -> Sequence[Item | Line] | None:
        if match := _MODE.fullmatch(line.text):
            return [Setting({"mode": match[1]}, line.stamp)]
        if _STATE.search(line.text) is None and "migrate_set_capability" not in line.text:
            return None
        pairs = [*_SWITCHED.findall(line.text), *_SWITCH.findall(line.text)]
        switched = [(name, state) for name, state in pairs if name in _CAPABILITIES]
        if not switched:
            return None
        return [Setting({}, line.stamp, capabilities={name: state == "on" for name, state in switched})]
