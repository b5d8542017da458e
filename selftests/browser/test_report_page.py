# SPDX-License-Identifier: GPL-2.0-or-later
"""The page in a real browser: it draws, it loads nothing, its controls work, by keyboard as well."""

import shutil
from contextlib import contextmanager

import numpy as np
import pytest
from matplotlib.image import imread
from playwright.sync_api import expect, sync_playwright

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.pictures.chart_of_trace import chart
from avocado_migdowntime.pictures.strip_plot import of_truths
from avocado_migdowntime.report.entry import recorded
from avocado_migdowntime.report.html.page import OPEN_TESTS, page
from avocado_migdowntime.verdict.judge import judge
from bench.report import write

from ..support.pages import EVIL, figures, renamed
from ..support.recorded import ACCURATE, STOPPED, WRONG

TRACES = (WRONG, ACCURATE, STOPPED)
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "this test needs a browser: tools/packages chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(page("Migration downtime", [recorded(str(trace)) for trace in TRACES]))
    return path


@contextmanager
def opened(browser, path, viewport=WIDE, scheme="light"):
    """The page, whose first picture is drawn; nothing may be said on the console, and nothing but it be loaded."""
    context = browser.new_context(viewport=viewport, color_scheme=scheme)
    tab = context.new_page()
    said, loaded = [], []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: request.url.startswith("blob:") or loaded.append(request.url))
    tab.goto(path.as_uri())
    tab.locator(".plot").first.scroll_into_view_if_needed()
    tab.wait_for_selector(".plot .main-svg")
    yield tab
    assert said == [] and loaded == [path.as_uri()]
    context.close()


def shown_s(tab, number=0):
    """The stretch of time that a picture shows."""
    return tab.locator(".plot").nth(number).evaluate("plot => plot.layout.xaxis.range.map(Number)")


def draw_all(tab):
    for number in range(len(TRACES)):
        tab.locator(".plot").nth(number).scroll_into_view_if_needed()
        tab.locator(".plot").nth(number).locator(".main-svg").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_picture_is_drawn_within_the_screen(browser, report, viewport, scheme):
    with opened(browser, report, viewport, scheme) as tab:
        draw_all(tab)
        assert tab.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        for number in range(len(TRACES)):
            drawn = tab.locator(".plot").nth(number)
            traces = drawn.evaluate("plot => plot.data.filter(trace => trace.meta.unit).length")
            assert drawn.locator(".trace.scatter").count() >= traces
            assert drawn.bounding_box()["width"] <= viewport["width"]


def test_text_stands_out_from_its_ground_in_the_light_and_in_the_dark(browser, report):
    ratio = """() => {
        const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
        const light = (colour) => {
            probe.fillStyle = colour;
            probe.fillRect(0, 0, 1, 1);
            const parts = [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3).map((byte) => {
                const share = byte / 255;
                return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
        };
        const style = getComputedStyle(document.documentElement);
        const ground = light(style.getPropertyValue("--ground"));
        const names = ["ink", "faint", "link", "good", "bad", "open", "reported", "contract"];
        return Object.fromEntries(names.map((name) => {
            const [a, b] = [light(style.getPropertyValue(`--${name}`)), ground].sort((x, y) => y - x);
            return [name, (a + 0.05) / (b + 0.05)];
        }));
    }"""
    for scheme in ("light", "dark"):
        with opened(browser, report, scheme=scheme) as tab:
            found = tab.evaluate(ratio)
            lines = {found.pop("reported"), found.pop("contract")}
            # WCAG 2.2: 4.5 for text, 3 for what is drawn.
            assert min(found.values()) >= 4.5 and min(lines) >= 3, (scheme, found, lines)


def test_the_picture_follows_the_change_to_the_dark_and_keeps_what_is_shown(browser, report):
    with opened(browser, report) as tab:
        ground = "plot => plot.querySelector('.main-svg').style.background"
        tab.get_by_role("button", name="Zoom in").first.click()
        before, was = tab.locator(".plot").first.evaluate(ground), shown_s(tab)
        tab.emulate_media(color_scheme="dark")
        tab.wait_for_function(f"was => ({ground})(document.querySelector('.plot')) !== was", arg=before)
        assert shown_s(tab) == was


def test_series_are_switched_off_and_on(browser, report):
    with opened(browser, report) as tab:
        box = tab.get_by_label("QEMU's expected-downtime").first
        lines = tab.locator(".plot").first.locator(".trace.scatter")
        every = lines.count()
        box.focus()
        tab.keyboard.press("Space")
        expect(lines).to_have_count(every - 1)
        tab.keyboard.press("Space")
        expect(lines).to_have_count(every)


def test_the_buttons_zoom_and_move(browser, report):
    with opened(browser, report) as tab:
        whole = shown_s(tab)
        press = lambda name: tab.get_by_role("button", name=name).first.click()  # noqa: E731
        press("Zoom in")
        from_s, to_s = shown_s(tab)
        assert to_s - from_s == pytest.approx((whole[1] - whole[0]) / 2)
        press("Later")
        assert shown_s(tab)[0] == pytest.approx(from_s + (to_s - from_s) / 4)
        press("Earlier")
        assert shown_s(tab)[0] == pytest.approx(from_s)
        press("Zoom out")
        assert shown_s(tab) == pytest.approx(whole)
        press("Next pass")
        press("Next pass")
        # By the recording's own events: MIGRATION_PASS 2 and 3.
        assert shown_s(tab) == pytest.approx((5.71, 11.22), abs=0.03)
        top = "plot => plot.layout.yaxis.range[1]"
        low = tab.locator(".plot").first.evaluate(top)
        press("Whole height")
        assert tab.locator(".plot").first.evaluate(top) > 2 * low
        press("Reset")
        assert shown_s(tab) == whole and tab.locator(".plot").first.evaluate(top) == low


def test_the_keyboard_reads_the_picture(browser, report):
    with opened(browser, report) as tab:
        tab.locator(".plot").first.focus()
        tab.keyboard.press("n")
        tab.keyboard.press("n")
        for _ in range(30):
            tab.keyboard.press("ArrowRight")
        reading = tab.locator(".reading").first
        expect(reading).to_contain_text("QEMU's expected-downtime 962.0 ms, last-sync, computed 5496.")
        at_s = float(reading.inner_text().split()[0])
        tab.keyboard.press("ArrowLeft")
        assert 5.7 < float(reading.inner_text().split()[0]) < at_s < 7
        tab.keyboard.press("Home")
        assert shown_s(tab)[0] == 0
        for _ in range(20):
            tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.type") == "checkbox"


def test_dots_of_many_runs_are_drawn_and_switched(browser, tmp_path):
    path = tmp_path / "report.html"
    test = recorded(str(STOPPED))
    path.write_bytes(page("dots", [test], [of_truths([test.verdict.ground_truth])]))
    with opened(browser, path, NARROW) as tab:
        dots = tab.locator(".plot").first.locator(".trace.scatter .point")
        expect(dots).to_have_count(6)
        tab.get_by_label("dirties faster than QEMU sends").uncheck()
        expect(dots).to_have_count(0)
        assert tab.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_a_picture_is_not_sent_anywhere(browser, report):
    with opened(browser, report) as tab:
        tools = tab.locator(".modebar").first.locator("[data-title]")
        titles = [tool.get_attribute("data-title") for tool in tools.all()]
        assert titles == [
            "Download plot as a PNG", "Zoom", "Pan", "Zoom in", "Zoom out", "Autoscale", "Reset axes",
        ]  # fmt: skip


def test_a_picture_can_be_kept_as_a_file(browser, report, tmp_path):
    with opened(browser, report) as tab:
        tab.locator(".plot").first.hover()
        with tab.expect_download() as download:
            tab.locator(".modebar").first.locator("[data-title^=Download]").click()
        download.value.save_as(tmp_path / "kept.png")
        assert imread(tmp_path / "kept.png").std() > 0.05


def test_hovering_names_each_curve_once_with_its_unit(browser, report):
    with opened(browser, report) as tab:
        box = tab.locator(".plot").first.bounding_box()
        tab.locator(".plot").first.scroll_into_view_if_needed()
        box = tab.locator(".plot").first.bounding_box()
        tab.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
        tab.wait_for_selector(".hoverlayer .legendtext")
        texts = tab.locator(".hoverlayer .legendtext").all_text_contents()
        assert any(text.startswith("remaining now: ") and text.endswith(" MB") for text in texts), texts
        assert len([text for text in texts if text.startswith("QEMU's expected-downtime: ")]) == 1


def test_what_is_in_a_trace_runs_nothing(browser, tmp_path):
    trace = renamed(tmp_path, EVIL) / "test-results/1-some/data/trace.jsonl"
    path = tmp_path / "report.html"
    path.write_bytes(page(EVIL, [recorded(str(trace), name=EVIL)]))
    with opened(browser, path) as tab:
        assert tab.title() == EVIL
        assert tab.locator("h2 b, h1 b, td b").count() == 0
        assert EVIL in tab.locator("h2").first.inner_text()


def test_a_page_of_many_tests_shows_a_table_and_each_picture_when_it_is_opened(browser, tmp_path):
    path = tmp_path / "report.html"
    trace = renamed(tmp_path, EVIL) / "test-results/1-some/data/trace.jsonl"
    tests = [recorded(str(trace), name=EVIL), *(recorded(str(ACCURATE), name=f"test {n}") for n in range(OPEN_TESTS))]
    path.write_bytes(page("many", tests))
    tab = browser.new_page()
    said, loaded = [], []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: loaded.append(request.url))
    tab.goto(path.as_uri())
    expect(tab.locator("tbody tr")).to_have_count(len(tests))
    assert tab.locator(".plot").count() == 0 and tab.evaluate("typeof Plotly") == "undefined"
    tab.get_by_role("link", name="test 30").click()
    tab.locator("#test-32 .plot .main-svg").first.wait_for()
    expect(tab.locator("#test-32 .labelled").first).to_contain_text("last-sync")
    assert tab.locator(".plot").count() == 1
    # By the keyboard, and what a stranger named.
    tab.locator("#test-1 summary").first.focus()
    tab.keyboard.press("Enter")
    tab.locator("#test-1 .plot .main-svg").first.wait_for()
    assert EVIL in tab.locator("#test-1 pre").first.text_content()
    assert tab.title() == "many" and tab.locator("main script:not([type='application/octet-stream'])").count() == 0
    assert said == [] and loaded == [path.as_uri()]
    tab.goto(f"{path.as_uri()}#test-3")
    tab.reload()
    tab.locator("#test-3 .plot .main-svg").first.wait_for()
    tab.close()


def test_a_script_that_is_not_the_pages_own_does_not_run(browser, report, tmp_path):
    path = tmp_path / "foreign.html"
    path.write_text(report.read_text().replace("</main>", "<script>document.title = 'broken into'</script></main>"))
    tab = browser.new_page()
    tab.goto(path.as_uri())
    tab.wait_for_selector(".plot .main-svg")
    assert tab.title() == "Migration downtime"
    tab.close()


def test_a_long_migration_makes_a_small_page_with_all_of_its_extremes(browser, tmp_path):
    trace, path = tmp_path / "trace.jsonl", tmp_path / "report.html"
    assert write(trace, 600_000) > 40_000
    path.write_bytes(page("long", [recorded(str(trace))]))
    whole = read(str(trace))
    every = {series.name: series for panel in chart(whole, judge(whole)).panels for series in panel.series}
    (drawn,) = figures(path.read_text())
    shown = {one["meta"]["name"]: one["y"] for one in drawn["data"] if one["meta"]["unit"]}
    assert shown.keys() == every.keys()
    for name, values in shown.items():
        wanted = every[name].values
        assert (np.nanmin(values), np.nanmax(values)) == pytest.approx((np.nanmin(wanted), np.nanmax(wanted)), rel=1e-6)
    assert sum(map(len, shown.values())) < sum(len(series.values) for series in every.values()) / 5
    # A longer one is not larger: each curve has its number of points. What is left is plotly's own script.
    assert path.stat().st_size < 2.5e6
    with opened(browser, path) as tab:
        lines = tab.locator(".plot .trace.scatter")
        drawn_at_first = lines.count()
        assert drawn_at_first >= len(shown)
        # Where more than a hundred passes begin would be a wall of lines.
        begins = tab.get_by_label("where a pass begins")
        expect(begins).not_to_be_checked()
        begins.check()
        expect(lines).to_have_count(drawn_at_first + 1)
