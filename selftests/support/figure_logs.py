# SPDX-License-Identifier: GPL-2.0-or-later
"""Long random logs of products, with other lines between and damaged lines."""

import random
from collections.abc import Callable, Iterator
from functools import partial

from . import product_logs
from .product_logs import Look

FIRST_LINES = 220
"""The number of other lines that come first."""
GUESTS = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-0000000000b2")
NOISE = "2024-05-12 11:57:06.546 7 DEBUG oslo_concurrency.lockutils [-] Lock released, held 0.123s"
BETWEEN = (
    NOISE,
    "2024-05-12 11:57:07.001 7 INFO nova.virt.libvirt.driver [-] [instance: {guest}] Increasing downtime to 317 ms "
    "after 4 sec elapsed time",
    "2024-05-12 11:57:07.001 7 INFO nova.virt.libvirt.driver [-] [instance: {guest}] Migration operation has completed",
    "2024-05-12 11:57:07,123+0000 WARN  (migmon/6c5d2a4e) [virt.vm] (vmId='{guest}') Migration stalling: remaining "
    "(400MiB) > lowmark (224MiB). (migration:830)",
    "2024-05-12 11:57:07,123+0000 INFO  (migmon/6c5d2a4e) [virt.vm] (vmId='{guest}') Setting downtime to 150",
    "2024-05-12 11:57:07,123+0000 INFO  (migmon/6c5d2a4e) [virt.vm] (vmId='{guest}') Switched to post-copy mode",
    '{{"level":"info","msg":"Set max downtime to 2s for migration","timestamp":"2024-05-12T11:57:06.546232Z"}}',
    '{{"level":"info","msg":"starting post-copy mode","timestamp":"2024-05-12T11:57:06.546232Z"}}',
    "2024-05-12 11:57:09 migration downtime limit: 100 ms",
    "2024-05-12 11:57:09 auto-increased downtime to continue migration: 400 ms",
    "2024-05-12 11:57:09 starting migration of VM 105 to node 'pve2' (10.0.0.2)",
    "2024-05-12 11:57:09 migration status: completed",
    "(qemu) info migrate",
    "Migration status: active",
    "remaining ram: 1234 kbytes",
    "=C2=A0",
    '{{"return": {{"status": "active",',
    "",
)


def log(seed: int, lines: int = 300, odd: float = 0.03) -> bytes:
    """The log of a seed: that many lines with figures and others between them, of which the share `odd` is damaged."""
    dice = random.Random(seed)
    kept = [NOISE] * FIRST_LINES + [*_lines(dice, lines, odd)]
    return dice.choice(["\n", "\n", "\n", "\r\n"]).join([*kept, ""]).encode()


def plain(form: Callable[[Look], str], count: int, put: str = "{}") -> bytes:
    """A log of that many lines of a product, 5 s apart, after other lines."""
    dice = random.Random(1)
    looks = [Look(5.0 * number, _answer(dice, number, 5.0 * number, 30_000)) for number in range(1, count + 1)]
    told = [put.format(form(look)).replace("May 12", "2024-05-12") for look in looks]
    return "\n".join([*[NOISE] * FIRST_LINES, *told, ""]).encode()


def _lines(dice: random.Random, count: int, odd: float) -> Iterator[str]:
    form, other = dice.choices(product_logs.EACH, k=2)
    guests = GUESTS[: dice.choice([1, 1, 2])]
    step_s, pages_a_second = dice.choice([0.001, 0.5, 1, 5, 5]), dice.choice([0, 9, 30_000, 3_000_000])
    few_noise = dice.choice([0.0, 0.02, 0.5])
    t_s, put = dict.fromkeys(guests, 3.0), dice.choice(["{}", "{}", "{}", "> {}", "[pod/x/compute] {}", "7:{}"])
    for number in range(count):
        guest = dice.choice(guests)
        t_s[guest] += dice.choice([step_s, step_s, step_s, 0, 3.25])
        written = other if dice.random() < odd / 3 else form
        line = put.format(written(Look(max(t_s.values()), _answer(dice, number, t_s[guest], pages_a_second))))
        line = line.replace(product_logs.GUEST, guest)
        if dice.random() < odd:
            line = dice.choice(_DAMAGES)(dice, line)
        yield line
        if dice.random() < few_noise:
            yield dice.choice(BETWEEN if dice.random() < odd else BETWEEN[:1]).format(guest=guest)
        if dice.random() < odd / 8:
            t_s[guest] = 3.0


def _answer(dice: random.Random, number: int, t_s: float, pages_a_second: int) -> dict[str, object]:
    pages = int(t_s * pages_a_second)
    left = (1 << 35) - 4096 * (pages % 8_000_000)
    ram = {
        "total": 1 << 36, "remaining": left, "page-size": 4096, "normal": pages, "duplicate": 3 * number,
        "dirty-sync-count": 1 + number // 50, "dirty-pages-rate": 5 * pages_a_second // 4,
        "mbps": pages_a_second * 0.032768, "transferred": 4096 * pages, "normal-bytes": 4096 * pages,
        "pages-per-second": pages_a_second * dice.choice([1, 1, 2]),
    }  # fmt: skip
    return {"status": "active", "total-time": int(t_s * 1000), "expected-downtime": 300, "ram": ram}


def _without_a_piece(dice: random.Random, line: str) -> str:
    begin = dice.randrange(len(line))
    return line[:begin] + line[begin + dice.choice([1, 3, 40]) :]


def _other_digit(dice: random.Random, line: str) -> str:
    places = [place for place, letter in enumerate(line) if letter.isdigit()]
    place = dice.choice(places)
    return line[:place] + dice.choice(["", "0", "9", "00", "1234567890123456", ".", "-", "5\u00a0"]) + line[place + 1 :]


def _with(text: str, dice: random.Random, line: str) -> str:
    place = dice.randrange(len(line))
    return line[:place] + text + line[place:]


_DAMAGES: tuple[Callable[[random.Random, str], str], ...] = (
    _without_a_piece,
    _other_digit,
    _other_digit,
    lambda dice, line: line[: dice.randrange(len(line))],
    lambda dice, line: line + " ",
    lambda dice, line: f"{line}\n{line}",
    *(partial(_with, text) for text in ("\n", "=3D", "&lt;", "\\", "\x1b[0m", " remaining ", "2024-05-12 12:00:00")),
)
