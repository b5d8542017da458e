# SPDX-License-Identifier: GPL-2.0-or-later
"""The cost of reading a long log, compared with reading its lines: `python -m bench.texts`.

Each figure is of a whole process; figures that are divided by each other were measured one right after the other.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import options
from bench.core import print_head, print_row
from bench.cost import Cost, cost
from selftests.support import product_logs
from selftests.support.product_logs import Look

LINES = """
import sys
for line in open(sys.argv[1]):
    pass
"""
DECODE = """
import json, sys
for line in open(sys.argv[1]):
    json.loads(line)
"""
NUMBERS = """
import re, sys
find = re.compile(r"[0-9]+(?:[.][0-9]+)?").findall
for line in open(sys.argv[1]):
    [*map(float, find(line))]
"""
READ = """
import sys
from avocado_migdowntime import read
print(len(read(sys.argv[1]).samples))
"""
START = """
from avocado_migdowntime import read
import avocado_migdowntime.forms.file, avocado_migdowntime.forms.gathering, avocado_migdowntime.forms.order
import avocado_migdowntime.forms.readings, avocado_migdowntime.forms.replies
"""
NOTHING = "pass"
BETWEEN = "2024-05-12 11:57:06.546+0000: 4242: debug : virThreadJobSet:93 : Thread 4242 is now running job %d\n"
AT = "2024-05-12 11:57:06.546+0000: 4242: "
LIBVIRTS = AT + "info : qemuMonitorJSONIOProcessLine:240 : QEMU_MONITOR_RECV_REPLY: mon=0x7f reply={0}\n"
TWICE = AT + "debug : qemuMonitorJSONIOProcessLine:208 : Line [{0}]\n" + LIBVIRTS
AVOCADOS = "2019-09-17 03:15:34,798 qmp              L0175 DEBUG| <<< {0}\n"


def main() -> None:
    """Print the table."""
    parser = options.parser("bench.texts", __doc__)
    parser.add_argument("--runs", type=options.count, default=3, help="runs of each (default: %(default)s)")
    options.may_match(parser, "only logs whose name matches")
    parser.add_argument("--megabytes", type=options.count, default=300, help="of each log (default: %(default)s)")
    chosen = parser.parse_args()
    names = options.matching(parser, chosen.match, LOGS)
    with tempfile.TemporaryDirectory() as directory:
        for name in names:
            lines = LOGS[name]
            path = Path(directory) / "log"
            write(path, lines, chosen.megabytes * 1_000_000)
            programs = {"lines": LINES, "read": READ, "start": START, "nothing": NOTHING}
            plainly, program = "reading", None
            if lines in DENSE:
                plainly, program = DENSE[lines]
                programs[plainly] = program
            rounds = [measured(path, programs) for _ in range(chosen.runs)]
            path.unlink()
            print_head(name)
            print_row("reading its lines, s of the processor", [one["lines"].cpu_s for one in rounds])
            ratios = [spent(one, "read") / spent(one, plainly if program else "lines") for one in rounds]
            print_row(f"reading it ÷ {plainly} its lines", ratios)
            print_row("peak of memory, MB", [one["read"].peak_mb for one in rounds], "{:.0f}")


def spent(costs: dict[str, Cost], what: str) -> float:
    """CPU time beyond that of a process that does nothing with the same imports."""
    return costs[what].cpu_s - costs["start" if what == "read" else "nothing"].cpu_s


def measured(path: Path, programs: Mapping[str, str]) -> dict[str, Cost]:
    """The cost of each process, alternating."""
    return {name: cost([sys.executable, "-c", program, str(path)]) for name, program in programs.items()}


def write(path: Path, lines: Callable[[int], Iterator[str]], size: int) -> None:
    """Write a log of about `size` bytes."""
    written = number = 0
    with path.open("w") as file:
        while written < size:
            for line in lines(number):
                written += file.write(line)
            number += 1


def answer(number: int) -> dict[str, Any]:
    """A reply to query-migrate, one every 50 ms."""
    ram = {
        "total": 1 << 40, "remaining": (1 << 39) - 4096 * number, "page-size": 4096, "normal": number, "duplicate": 0,
        "dirty-sync-count": 1, "dirty-pages-rate": 0, "mbps": 0.66, "transferred": 4096 * number, "normal-bytes": 4096,
    }  # fmt: skip
    shown = {"status": "active", "total-time": 50 * number, "setup-time": 1, "expected-downtime": 300, "ram": ram}
    return {"return": shown, "id": f"libvirt-{number}"}


def log(head: str, lines: int, written: Callable[[Any], str] = json.dumps) -> Callable[[int], Iterator[str]]:
    """A log with a reply after a prefix, once in that many lines."""

    def made(number: int) -> Iterator[str]:
        if number % lines == 0:
            yield head.format(written(answer(number)))
        yield BETWEEN % number

    return made


def nothing_else(number: int) -> Iterator[str]:
    """A reply on each line."""
    yield json.dumps(answer(number)) + "\n"


def shown(number: int) -> Look:
    """The same 5 s apart, from a guest that dirties 20 000 pages a second."""
    t_s, pages = 5.0 * (number + 1), 100_000 * (number + 1)
    ram = {
        "total": 1 << 36, "remaining": (1 << 35) - 4096 * (pages % 8_000_000), "page-size": 4096, "normal": pages,
        "duplicate": number, "dirty-sync-count": 1 + number // 50, "dirty-pages-rate": 20_000, "mbps": 655.36,
        "transferred": 4096 * pages, "normal-bytes": 4096 * pages, "pages-per-second": 20_000,
    }  # fmt: skip
    return Look(t_s, {"total-time": round(t_s * 1000), "expected-downtime": 300, "ram": ram})


def sparse(line: Callable[[Look], str], between: str) -> Callable[[int], Iterator[str]]:
    """A product's log with figures in one line out of 100."""

    def made(number: int) -> Iterator[str]:
        if number % 100 == 0:
            yield f"{line(shown(number // 100))}\n"
        yield between % number

    return made


def dense(line: Callable[[Look], str]) -> Callable[[int], Iterator[str]]:
    """A product's log with figures in every line."""

    def made(number: int) -> Iterator[str]:
        yield f"{line(shown(number))}\n"

    return made


LOGS: dict[str, Callable[[int], Iterator[str]]] = {
    "libvirt's, a reply in 20 000 lines": log(LIBVIRTS, 20_000),
    "libvirt's, a reply in 100 lines": log(LIBVIRTS, 100),
    "the same, each told twice": log(TWICE, 100),
    "Avocado's, a reply in 100 lines": log(AVOCADOS, 100, str),
    "a QMP session's, a reply in 100 lines": log("{0}\n", 100),
    "nova-compute's, a line with figures in 100": sparse(
        product_logs.nova, '2024-05-12 12:00:00.123 7 DEBUG oslo_concurrency.lockutils [-] Lock "abc" released %d\n'
    ),
    "virt-launcher's, a line with figures in 100": sparse(
        product_logs.kubevirt,
        '{"component":"virt-launcher","level":"info","msg":"Synced vmi %d","name":"vm1","namespace":"default",'
        '"pos":"server.go:208","timestamp":"2024-05-12T11:57:06.546232Z"}\n',
    ),
    "vdsm's, a line with figures in 100": sparse(
        product_logs.vdsm_mbps,
        "2024-05-12 11:57:06,546+0000 INFO  (jsonrpc/1) [jsonrpc.JsonRpcServer] RPC call Host.getStats succeeded in "
        "0.00 seconds (__init__:%d)\n",
    ),
    "a reply a line": nothing_else,
    "nova-compute's lines with figures": dense(product_logs.nova),
    "virt-launcher's lines with figures": dense(product_logs.kubevirt),
    "vdsm's lines with figures": dense(product_logs.vdsm_mbps),
    "a task log of Proxmox VE": dense(product_logs.proxmox_new),
}
DENSE: dict[Callable[[int], Iterator[str]], tuple[str, str]] = {
    nothing_else: ("decoding", DECODE),
    **{lines: ("finding the numbers in", NUMBERS) for name, lines in [*LOGS.items()][-4:]},
}
"""Logs in which each line is useful: reading them is compared with the plainest way to extract the figures."""

if __name__ == "__main__":
    options.run(main)
