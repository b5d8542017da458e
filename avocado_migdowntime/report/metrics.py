# SPDX-License-Identifier: GPL-2.0-or-later
"""The current state of a migration as metrics in OpenMetrics' text format, in a file or over HTTP.

All are gauges, so that the file is also valid in Prometheus's older text format, which names counters differently and
has no state sets.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from ..basics import whole_file
from ..basics.printable import in_a_line, shortened
from ..errors import HostRequirementError, UsageError
from ..verdict.verdict import Judgement
from ..watching.now import Now
from .metric_names import METRICS

PREFIX = "migdowntime_"
_LOOPBACK, _GREATEST_PORT = "127.0.0.1", 65535
_PORT = re.compile(r"[0-9]{1,5}")


def figures(now: Now) -> Iterator[tuple[str, Mapping[str, str], float]]:
    """Each metric that has a value, with its labels other than the source."""
    yield "status", {"status": now.status}, 1
    if now.number is not None:
        yield "pass", {}, now.number
    if now.ram is not None:
        yield "remaining_bytes", {}, now.ram.remaining_bytes
        yield "bandwidth_bytes_per_second", {}, now.ram.wire_bytes_per_ms * 1000
    if now.dirty_bytes_per_ms is not None:
        yield "dirtied_bytes_per_second", {}, now.dirty_bytes_per_ms * 1000
    if now.reported_ms is not None and now.renewed:
        yield "reported_downtime_seconds", {}, now.reported_ms / 1000
    if now.right_ms is not None:
        yield "right_downtime_seconds", {"bound": "least"}, now.right_ms.low / 1000
        yield "right_downtime_seconds", {"bound": "greatest"}, now.right_ms.high / 1000
    if now.verdict.verdict is not Judgement.INCONCLUSIVE:
        yield "report_accurate", {}, float(now.verdict.verdict is Judgement.ACCURATE)
    if now.limit_ms is not None:
        yield "limit_seconds", {}, now.limit_ms / 1000
    if now.outlook is not None:
        yield "limit_ends_it", {}, float(now.outlook.likely)
        if now.outlook.in_ms is not None and now.outlook.down_ms is not None:
            yield "end_seconds", {}, now.outlook.in_ms / 1000
            yield "downtime_at_end_seconds", {}, now.outlook.down_ms / 1000
    if now.advice.limit_ms is not None:
        yield "least_limit_seconds", {}, now.advice.limit_ms / 1000
    if now.verdict.downtime is not None and now.verdict.downtime.qemu_ms is not None:
        yield "downtime_seconds", {}, now.verdict.downtime.qemu_ms / 1000


class Metrics:
    """The metrics of the migration at `source`; `show` updates them.

    `where` is a file, which is replaced as a whole, or a port, open to this host only. Raises UsageError if the port
    cannot be opened or the file cannot be written, HostRequirementError if prometheus_client is missing.
    """

    def __init__(self, where: str, source: str) -> None:
        try:
            import prometheus_client
            from prometheus_client.core import GaugeMetricFamily
            from prometheus_client.openmetrics import exposition
        except ImportError as error:
            raise HostRequirementError(
                f"metrics need the package prometheus_client ({error}); install it with pip install prometheus_client"
            ) from None
        self._source = in_a_line(source)
        self._now: Now | None = None
        self._file = None if where.isdecimal() else where
        port = int(where) if _PORT.fullmatch(where) else 0
        if self._file is None and not 0 < port <= _GREATEST_PORT:
            raise UsageError(
                f"{shortened(where)} is not a port; give one from 1 to {_GREATEST_PORT}, or the name of a file"
            )
        self._family: Any = GaugeMetricFamily
        self._server: Any = None
        registry = prometheus_client.CollectorRegistry()
        registry.register(self)
        generate: Any = exposition.generate_latest
        self._text: Callable[[], bytes] = partial(generate, registry)
        if self._file is None:
            try:
                self._server, _ = prometheus_client.start_http_server(port, addr=_LOOPBACK, registry=registry)
            except OSError as error:
                raise UsageError(
                    f"the port {where} of {_LOOPBACK} cannot be opened: {error}; give another one"
                ) from None

    def show(self, now: Now) -> None:
        """Serve this state from now on."""
        self._now = now
        if self._file is not None:
            whole_file.write(self._file, self._text())

    def end(self) -> None:
        """Stop serving; a file stays."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def collect(self) -> Iterator[Any]:
        """The metric families, as prometheus_client asks for them."""
        all_figures = list(figures(self._now)) if self._now is not None else []
        for name, meaning in METRICS.items():
            values = [(labels, value) for told_name, labels, value in all_figures if told_name == name]
            if values:
                labels = ["source", *values[0][0]]
                family = self._family(PREFIX + name, meaning, labels=labels)
                for own, value in values:
                    family.add_metric([self._source, *map(in_a_line, own.values())], value)
                yield family
