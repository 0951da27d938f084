"""The plot of time series in a real browser: it opens, zooms and tells values; hostile names run nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.browser import NEEDS_BROWSER
from support.sensors import broken, readings
from typer.testing import CliRunner

from aedetect import Detector
from aedetect.cli.main import app

pytestmark = NEEDS_BROWSER

HOSTILE = '"><img src=x onerror="document.title=\'pwned\'">'


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    names = {"temp": "<script>document.title='pwned'</script>"}
    machines = {"machine": {"m0": HOSTILE}}
    normal = readings(8, 2).replace(machines).rename(columns=names)
    settings = {"series.time": "time", "series.entity": ["machine"], "series.window": 24}
    Detector({**settings, "threshold.alert_rate": 0.001}).fit(normal).save(folder / "m.aed")
    new = broken(readings(3, 2, seed=5, start="2026-02-01"), 200, 260).replace(machines)
    new.rename(columns=names).to_csv(folder / "new.csv", index=False)
    words = [str(folder / "new.csv"), "-m", str(folder / "m.aed"), "-o", str(folder / "r.html")]
    result = CliRunner().invoke(app, ["report", *words])
    assert result.exit_code == 0, result.output
    return folder / "r.html"


def view(browser: Any) -> list[float]:
    """From where to where the plot shown reaches, in parts of a thousand."""
    box = browser.execute_script(
        "return document.querySelector('.panel:not([hidden]) svg.series').getAttribute('viewBox')"
    )
    left, _, width, _ = map(float, box.split())
    return [left, left + width]


def press(browser: Any, how: str) -> None:
    browser.execute_script(f"document.querySelector('[data-zoom={how}]').click()")


def test_it_opens_without_an_error_and_runs_nothing_of_the_data(opened: Any) -> None:
    assert opened.get_log("browser") == []
    assert "pwned" not in opened.title
    shown = opened.find_elements("css selector", ".panel:not([hidden])")
    assert len(shown) == 1
    assert HOSTILE in shown[0].text


def test_buttons_and_keys_zoom_all_channels_together(opened: Any) -> None:
    assert view(opened) == [0, 1000]
    press(opened, "in")
    assert view(opened) == [250, 750]
    press(opened, "left")
    assert view(opened)[0] < 250
    boxes = opened.execute_script(
        "return new Set([...document.querySelectorAll('.panel:not([hidden]) svg.series')]"
        ".map((svg) => svg.getAttribute('viewBox'))).size"
    )
    assert boxes == 1
    panel = opened.find_element("css selector", ".panel:not([hidden])")
    panel.send_keys("\ue011")  # Home
    assert view(opened) == [0, 1000]
    panel.send_keys("+")
    assert view(opened) == [250, 750]


def test_dragging_over_a_stretch_shows_it(opened: Any) -> None:
    from selenium.webdriver import ActionChains

    svg = opened.find_elements("css selector", ".panel:not([hidden]) svg.series")[1]
    opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", svg)
    width = svg.rect["width"]
    chain = ActionChains(opened)
    chain.move_to_element_with_offset(svg, -int(0.25 * width), 0).click_and_hold()
    chain.move_to_element_with_offset(svg, 0, 0).release().perform()
    assert view(opened) == pytest.approx([250, 500], abs=5)


def test_pointing_tells_time_value_and_event(opened: Any) -> None:
    from selenium.webdriver import ActionChains

    svg = opened.find_elements("css selector", ".panel:not([hidden]) svg.series")[1]
    opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", svg)
    ActionChains(opened).move_to_element_with_offset(svg, int(0.02 * svg.rect["width"]), 0).perform()
    told = opened.find_element("id", "tip").text
    assert re.match(r"2026-02-0\d \d\d:\d0: ", told)
    assert ", expected " in told
    assert "(event 1: 2026-02-0" in told


def test_values_that_are_pointed_at_are_those_of_the_rows(opened: Any, page: Path) -> None:
    from selenium.webdriver import ActionChains

    rows = pd.read_csv(page.parent / "new.csv")
    rows = rows[rows.machine == HOSTILE].set_index("time")["load"]
    svgs = opened.find_elements("css selector", ".panel:not([hidden]) svg.series")
    names = [one.text for one in opened.find_elements("css selector", ".panel:not([hidden]) figcaption b")]
    svg = svgs[names.index("load")]
    opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", svg)
    for share in (-0.4, -0.1, 0.3):
        ActionChains(opened).move_to_element_with_offset(svg, int(share * svg.rect["width"]), 0).perform()
        told = re.match(r"(\S+ \d\d:\d\d): load (\S+), expected", opened.find_element("id", "tip").text)
        assert told
        value = float(told[2])
        digits = len(told[2].partition(".")[2])
        assert value == pytest.approx(rows[f"{told[1]}:00"], abs=0.6 * 10**-digits)


def test_an_event_is_shown_in_the_plot(opened: Any) -> None:
    opened.execute_script("document.querySelector('.event-row').open = true")
    opened.execute_script("document.querySelector('button.show').click()")
    left, right = view(opened)
    assert 0 < left < right < 1000
    first = opened.find_element("css selector", ".panel:not([hidden]) .times text")
    assert first.text.startswith("2026-02-0")


def test_a_series_is_chosen(opened: Any) -> None:
    opened.execute_script(
        "const c = document.getElementById('panel-of'); c.value = '1'; c.dispatchEvent(new Event('change'))"
    )
    assert opened.find_element("css selector", ".panel:not([hidden])").text.startswith("m1")


def times(browser: Any) -> list[str]:
    """What the axis of time says."""
    return [
        one.get_attribute("textContent")
        for one in browser.find_elements("css selector", ".panel:not([hidden]) .times text")
    ]


def test_the_axis_of_time_is_round_at_every_zoom_and_as_it_was_made(opened: Any) -> None:
    made = times(opened)
    assert made == ["2026-02-01", "12:00", "2026-02-02", "12:00", "2026-02-03", "12:00"]
    for _ in range(3):
        press(opened, "in")
    near = times(opened)
    assert 3 <= len(near) <= 7
    assert near[0].startswith("2026-02-02 ")
    assert all(time.endswith((":00", ":30")) for time in near)
    press(opened, "all")
    assert times(opened) == made
    upright = opened.execute_script(
        "return new Set([...document.querySelectorAll('.panel:not([hidden]) .overlay')]"
        ".map((one) => one.querySelectorAll('.time').length)).size"
    )
    assert upright == 1


def test_values_stand_beside_the_channels(opened: Any) -> None:
    texts = opened.execute_script(
        "return [...document.querySelectorAll('.panel:not([hidden]) .overlay')].map((one) => "
        "[...one.querySelectorAll('text')].map((text) => text.textContent))"
    )
    assert all(texts)
    assert ["false", "true"] in texts


@pytest.mark.parametrize("width", [360, 800, 1440])
def test_it_fits_the_screen(opened: Any, width: int) -> None:
    mobile = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", mobile)
    assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
