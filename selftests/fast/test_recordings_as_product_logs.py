# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings in the words of products' logs: what is read holds what was recorded, whatever is put before a line."""

import pytest

from avocado_migdowntime.basics.interval import Interval

from ..support import product_logs
from ..support.log_readings import limits, readings, remarks, text
from ..support.product_logs import RECORDED, Look, logged, looks

NAMES = [form.__name__ for form in product_logs.EACH]


@pytest.mark.parametrize("form", product_logs.EACH, ids=NAMES)
@pytest.mark.parametrize("period_s", [0.5, 4.0])
def test_what_is_read_holds_what_was_recorded(form, period_s):
    recorded = looks(RECORDED, period_s)
    read = [one for one in readings(logged(form, recorded)) if one.answer["status"] == "active"]
    assert len(read) == len(recorded) > 2
    for look, reading in zip(recorded, read, strict=True):
        ram, truth = reading.answer["ram"], look.answer["ram"]
        for name in (
            "transferred",
            "remaining",
            "total",
            "dirty-sync-count",
            "dirty-pages-rate",
            "normal",
            "duplicate",
        ):
            if name in ram:
                _holds(reading, f"ram.{name}", truth[name])
        if "mbps" in ram and "ram.mbps" not in reading.estimated:
            _holds(reading, "ram.mbps", truth["mbps"])
        assert ram.get("page-size", 4096) == truth["page-size"]
        assert (
            reading.answer.get("expected-downtime", look.answer["expected-downtime"])
            == (look.answer["expected-downtime"])
        )
        since_s = reading.stamp.t_s - read[0].stamp.t_s
        assert abs(since_s - (look.t_s - recorded[0].t_s)) <= reading.stamp.tick_s + 1e-6


def _holds(reading, name, value):
    part, _, field = name.partition(".")
    known = reading.rounding.get(name)
    shown = reading.answer[part][field]
    # libvirt cuts bytes a second before anything else is cut.
    known = known or Interval(shown, shown)
    assert known.low - 1e-4 <= value <= known.high + 1e-4


@pytest.mark.parametrize("form", [product_logs.proxmox_old, product_logs.nova], ids=["proxmox", "nova"])
def test_the_bandwidth_that_is_worked_out_holds_what_was_sent_meanwhile(form):
    recorded = looks(RECORDED, 2)
    read = readings(logged(form, recorded))
    for look, reading in list(zip(recorded, read, strict=True))[3:]:
        window = [one for one in recorded if one.t_s < look.t_s]
        rates = [
            (look.answer["ram"]["transferred"] - one.answer["ram"]["transferred"]) / (look.t_s - one.t_s) / 125_000
            for one in window
        ]
        assert any(reading.rounding["ram.mbps"].low <= rate <= reading.rounding["ram.mbps"].high for rate in rates)


def test_mbps_of_kubevirt_1_1_are_64_times_too_little_which_is_told():
    recorded = looks(RECORDED, 4)
    data = logged(product_logs.kubevirt_64th, recorded)
    assert [text for text in remarks(data) if "64 times" in text] == [
        "this KubeVirt logs Mbps that are 64 times too little; they are multiplied"
    ]
    assert not any("64" in text for text in remarks(logged(product_logs.kubevirt, recorded)))


def test_mbps_of_kubevirt_are_right_where_the_bandwidth_was_64_times_as_much_before():
    recorded = [look for look in looks(RECORDED, 0.1) if look.t_s > 2]
    first = recorded[0].answer
    before = int(64 * first["ram"]["mbps"] * 125 * first["total-time"])
    answers = [
        {**look.answer, "ram": {**look.answer["ram"], "transferred": look.answer["ram"]["transferred"] + before}}
        for look in recorded
    ]
    data = logged(
        product_logs.kubevirt, [Look(look.t_s, answer) for look, answer in zip(recorded, answers, strict=True)]
    )
    assert not any("64" in text for text in remarks(data))
    shown = [(one, answer) for one, answer in zip(readings(data), answers, strict=True) if "mbps" in one.answer["ram"]]
    assert len(answers) > 20 and len(answers) - 1 >= len(shown) > len(answers) - 20
    for reading, answer in shown:
        _holds(reading, "ram.mbps", answer["ram"]["mbps"])


PREFIXES = {
    "kubectl --timestamps": "2024-05-12T11:57:06.546232123Z ",
    "kubectl --prefix": "[pod/virt-launcher-vm1-x7k2p/compute] ",
    "docker compose": "compute-1  | ",
    "journal": "May 12 11:57:06 host1 virt-launcher[4711]: ",
    "quoted": "> ",
}


@pytest.mark.parametrize("form", product_logs.EACH, ids=NAMES)
@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES.keys())
def test_what_collects_logs_may_put_something_before_each_line(form, prefix):
    recorded = looks(RECORDED, 2)[:4]
    plain, within = (readings(logged(line, recorded)) for line in (form, lambda look: prefix + form(look)))
    shown = [[one.answer["ram"].get(name) for name in ("transferred", "remaining", "normal")] for one in plain]
    assert [[one.answer["ram"].get(name) for name in ("transferred", "remaining", "normal")] for one in within] == shown


@pytest.mark.parametrize("form", [form for form in product_logs.EACH if form is not product_logs.proxmox_new])
def test_lines_far_apart_in_a_long_log_are_found(form):
    # Proxmox VE's newer lines have no word that is searched for: a task log is of one migration and has no other lines.
    noise = "2024-05-12 11:57:06,546+0000 INFO  (jsonrpc/1) [api.host] FINISH getStats return={'status': {'code': 0}}\n"
    recorded = looks(RECORDED, 4)
    long = (3000 * noise).join(f"{form(look)}\n" for look in recorded).encode()
    assert [one.answer for one in readings(long)] == [one.answer for one in readings(logged(form, recorded))]


def test_limits_far_from_figures_are_found_and_the_end_near_them():
    noise = "2018-05-03 12:00:00.123 8 DEBUG oslo_concurrency.lockutils [-] Lock released, held 0.123s\n" * 3000
    head = "2018-05-03 12:00:00.123 8 INFO nova.virt.libvirt [-] [instance: 0-0]"
    told = [
        f"{head} Increasing downtime to 50 ms after 0 sec elapsed time\n",
        text("nova-2018.txt").decode().splitlines(True)[2],
        f"{head} Increasing downtime to 95 ms after 1200 sec elapsed time\n",
        f"{head} Migration operation has completed\n",
    ]
    data = (noise + noise.join(told[:-1]) + noise[:9000] + told[-1] + noise).encode()
    assert limits(data) == [(50, True), (95, True)]
    assert readings(data)[-1].answer["status"] == "completed"


@pytest.mark.parametrize(
    "wrapped",
    ['   {"n": 5, "t": "%s"},', "│  5 │ %s │", "proxmox-7: %s", "[pod/x/compute] %s"],
    ids=["pvesh as JSON", "pvesh as a table", "a name", "a pod"],
)
def test_a_log_s_own_time_is_found_behind_what_was_put_before_it(wrapped):
    recorded = looks(RECORDED, 2)[:4]
    plain, within = (
        readings("\n".join(put % product_logs.proxmox_new(look) for look in recorded).encode())
        for put in ("%s", wrapped)
    )
    assert [one.stamp.t_s for one in within] == [one.stamp.t_s for one in plain]
    assert len(plain) == 4
