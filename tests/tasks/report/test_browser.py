"""The report in a real browser: it opens, works, fits, and hostile data run nothing.

Needs Chromium and its driver (Debian: chromium, chromium-driver) and selenium; skipped without.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.browser import NEEDS_BROWSER
from support.tables import tiny_frame
from typer.testing import CliRunner

from aedetect import Detector
from aedetect.cli.main import app

pytestmark = NEEDS_BROWSER

HOSTILE = [
    "<script>document.title='pwned'</script>",
    '"><img src=x onerror="document.title=\'pwned\'">',
    "</style></script><svg onload=document.title='pwned'>",
    "{{ 7 * 7 }} javascript:alert(1)",
    "=cmd|' /C calc'!A0\x1b[31m",
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of rows whose column names and values are attacks."""
    folder = tmp_path_factory.mktemp("browser")
    names = {"load": HOSTILE[0], "site": HOSTILE[1]}
    normal = tiny_frame(400).rename(columns=names)
    normal[HOSTILE[2]] = 7
    settings = {"training.epochs": 30, "training.folds": 2, "model.width": 32}
    Detector(settings).fit(normal).save(folder / "m.aed")
    new = tiny_frame(300, seed=2).rename(columns=names)
    new[HOSTILE[2]] = 7
    new["fraud"] = (np.arange(300) % 30 == 4).astype(int)
    new.loc[new.fraud == 1, HOSTILE[0]] = 500.0
    new.loc[[8, 68], HOSTILE[1]] = HOSTILE[3:5]
    new.loc[38, HOSTILE[1]] = HOSTILE[0]
    new.loc[98, "temp"] = -80.0
    source = folder / "new<b>.csv"
    new.to_csv(source, index=False)
    words = [str(source), "-m", str(folder / "m.aed"), "-o", str(folder / "r.html"), "--label", "fraud"]
    result = CliRunner().invoke(app, ["report", *words, "--alert-rate", "0.05", "--title", HOSTILE[2]])
    assert result.exit_code == 0, result.output
    return folder / "r.html"


def shown_rows(browser: Any) -> int:
    return int(browser.execute_script("return document.querySelectorAll('.row:not([hidden])').length"))


def test_it_opens_without_an_error(opened: Any) -> None:
    assert opened.get_log("browser") == []
    assert "do not look like the training data" in opened.find_element("class name", "verdict").text
    assert shown_rows(opened) >= 5


def test_hostile_data_run_nothing_and_are_shown(opened: Any) -> None:
    assert opened.title == HOSTILE[2]
    assert opened.execute_script("return document.scripts.length") == 1
    assert opened.execute_script("return document.images.length") == 0
    text = opened.execute_script("return document.body.textContent")
    assert HOSTILE[0] in text
    assert HOSTILE[1][:40] in text
    assert "49" not in opened.find_element("tag name", "h1").text


def test_the_policy_stops_scripts_that_are_not_the_pages(opened: Any) -> None:
    opened.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.ran = 1';document.body.append(s)"
    )
    assert opened.execute_script("return window.ran") is None


def test_words_and_columns_filter_the_rows(opened: Any) -> None:
    whole = shown_rows(opened)
    opened.find_element("id", "filter-words").send_keys("-80")
    assert 1 <= shown_rows(opened) < whole
    assert opened.find_element("id", "filter-told").text.endswith("rows shown")
    opened.find_element("id", "filter-words").clear()
    opened.find_element("id", "filter-words").send_keys("no row has this")
    assert shown_rows(opened) == 0
    opened.refresh()
    choice = opened.find_element("id", "filter-column")
    choice.find_elements("tag name", "option")[1].click()
    assert 1 <= shown_rows(opened) < whole


def test_hovering_and_keys_tell_of_marks(opened: Any) -> None:
    from selenium.webdriver import ActionChains, Keys

    mark = opened.find_element("css selector", "#map circle.flagged")
    ActionChains(opened).scroll_to_element(mark).move_to_element(mark).perform()
    tip = opened.find_element("id", "tip")
    assert tip.is_displayed()
    assert tip.text.startswith("row ")
    chart = opened.find_element("css selector", "#scores svg.chart")
    opened.execute_script("arguments[0].focus()", chart)
    ActionChains(opened).send_keys(Keys.ARROW_RIGHT).perform()
    assert "rows score" in tip.text
    ActionChains(opened).send_keys(Keys.ESCAPE).perform()
    assert not tip.is_displayed()


def test_rows_open_by_key(opened: Any) -> None:
    from selenium.webdriver import Keys

    summary = opened.find_element("css selector", ".row summary")
    summary.send_keys(Keys.ENTER)
    assert opened.find_element("css selector", ".row .inner").is_displayed()


def test_the_verdict_is_one_sentence_and_each_chart_has_its_legend(opened: Any) -> None:
    assert opened.find_element("class name", "verdict").text.count(".") == 2  # that of the percentage, too
    charts = opened.find_elements("css selector", "svg.chart")
    # But for precision against recall, which has one line and axes that say it all.
    assert len(opened.find_elements("css selector", ".legend")) == len(charts) - 1 == 6


@pytest.mark.parametrize("width", [375, 1440])
def test_no_word_of_a_chart_is_cut_off_or_too_small(opened: Any, width: int) -> None:
    measures = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", measures)
    outside, smallest = opened.execute_script(
        """let outside = [], smallest = 99;
        for (const chart of document.querySelectorAll("svg.chart")) {
          const frame = chart.getBoundingClientRect(), scale = frame.width / chart.viewBox.baseVal.width;
          for (const text of chart.querySelectorAll("text")) {
            const box = text.getBoundingClientRect();
            if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1)
              outside.push(text.textContent);
            smallest = Math.min(smallest, scale * parseFloat(getComputedStyle(text).fontSize));
          }
        }
        return [outside, smallest]"""
    )
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert outside == []
    assert smallest >= 8.5


@pytest.mark.parametrize("width", [375, 1440])
def test_nothing_is_wider_than_the_window(opened: Any, width: int) -> None:
    measures = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", measures)
    opened.execute_script("for (const row of document.querySelectorAll('.row')) row.open = true")
    assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_schemes(opened: Any, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    colours = opened.execute_script(
        "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
    )
    ink, ground = (sum(map(int, colour[4:-1].split(","))) for colour in colours)
    assert (ink < ground) == (scheme == "light")
    assert abs(ink - ground) > 450
