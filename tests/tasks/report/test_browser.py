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
    assert opened.find_element("id", "filter-told").text.endswith(" shown")
    opened.find_element("id", "filter-words").clear()
    opened.find_element("id", "filter-words").send_keys("no row has this")
    assert shown_rows(opened) == 0
    opened.refresh()
    choice = opened.find_element("id", "filter-column")
    choice.find_elements("tag name", "option")[1].click()
    assert 1 <= shown_rows(opened) < whole


def test_hovering_and_keys_tell_of_marks(opened: Any) -> None:
    from selenium.webdriver import ActionChains, Keys

    mark = opened.find_element("css selector", "#map circle.hit")
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
    assert len(charts) == 7
    # But for precision against recall, which has one line and axes that say it all.
    without = opened.execute_script(
        """return [...document.querySelectorAll("svg.chart")].filter((chart) => !chart.previousElementSibling
          || !chart.previousElementSibling.matches(".legend")).map((one) => one.getAttribute("aria-label"))"""
    )
    assert without == ["Precision and recall: precision by recall"]
    assert opened.execute_script(
        "return [...document.querySelectorAll('svg')].every((one) => one.getAttribute('aria-hidden') || "
        "one.getAttribute('role') === 'img' && one.getAttribute('aria-label'))"
    )


def test_outcomes_filter_the_rows_and_open_what_was_folded(opened: Any) -> None:
    whole = shown_rows(opened)
    choice = opened.find_element("id", "filter-outcome")
    kinds = [option.get_attribute("value") for option in choice.find_elements("tag name", "option")]
    assert kinds == ["", "flagged", "hit", "false-alarm"]
    misses = opened.execute_script("return document.querySelectorAll('#misses .row').length")
    for place, kind in ((2, "hit"), (3, "false-alarm")):
        choice.find_elements("tag name", "option")[place].click()
        expected = len(opened.find_elements("css selector", f"#rows [data-outcome={kind}]"))
        assert shown_rows(opened) - misses == expected < whole
        rows = opened.find_elements("css selector", "#rows .row:not([hidden])")
        assert all(row.is_displayed() for row in rows)
    choice.find_elements("tag name", "option")[0].click()
    assert shown_rows(opened) == whole
    assert opened.execute_script("return document.querySelectorAll('.more[open]').length") == 0


@pytest.mark.parametrize("width", [360, 800, 1440])
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


@pytest.mark.parametrize("width", [360, 800, 1440])
def test_nothing_is_wider_than_the_window(opened: Any, width: int) -> None:
    measures = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", measures)
    opened.execute_script("for (const row of document.querySelectorAll('details')) row.open = true")
    # What is too wide scrolls in a box of its own, which the keyboard can reach.
    assert opened.execute_script(
        "return [...document.querySelectorAll('#rows .scroll')].every((one) => one.tabIndex === 0)"
    )
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


def luminance(colour: tuple[float, ...]) -> float:
    """Of a colour as WCAG 2 defines it."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted(
        (
            luminance(tuple(map(float, colour[colour.index("(") + 1 : -1].split(",")[:3])))
            for colour in (one, other)
        ),
        reverse=True,
    )
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_both_schemes(opened: Any, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    ground = opened.execute_script(
        "return getComputedStyle(document.querySelector('section')).backgroundColor"
    )
    texts = opened.execute_script(
        """const found = {};
        for (const one of document.querySelectorAll("h1,h2,h3,.note,.badge,.score,.where,.why,a,th,td," +
            ".legend,footer,.facts b,.facts li,.more>summary,svg.chart text")) {
          const style = getComputedStyle(one);
          found[one.closest("svg") ? style.fill : style.color] = one.outerHTML.slice(0, 60);
        }
        return found"""
    )
    assert len(texts) >= 5
    for colour, name in texts.items():
        assert contrast(colour, ground) >= 4.5, (name, colour)
    marks = opened.execute_script(
        """const marks = ".chart .hit,.chart .miss,.chart .false-alarm,.chart .flagged," +
          ".chart .line,.chart .limit";
        return [...new Set([...document.querySelectorAll(marks)].map((one) => {
          const style = getComputedStyle(one);
          return style.fill === "none" || one.tagName === "line" ? style.stroke : style.fill;
        }))]"""
    )
    for colour in marks:
        assert contrast(colour, ground) >= 3, colour
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_paper_is_white_and_cuts_nothing_off(opened: Any) -> None:
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": dark})
    measures = {"width": 680, "height": 960, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", measures)
    opened.execute_script("dispatchEvent(new Event('beforeprint'))")
    colours = opened.execute_script(
        "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
    )
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    wide = opened.execute_script(
        "return [...document.querySelectorAll('.scroll')]"
        ".filter((one) => one.scrollWidth > one.clientWidth + 1).length"
    )
    assert wide == 0
    assert opened.execute_script("return document.documentElement.scrollWidth") <= 680
    assert opened.execute_script("return document.querySelectorAll('.row[open]').length") >= 5
    for hidden in ("nav", ".controls", ".more > summary"):
        assert not any(one.is_displayed() for one in opened.find_elements("css selector", hidden))
    opened.execute_script("dispatchEvent(new Event('afterprint'))")
    assert opened.execute_script("return document.querySelectorAll('.row[open]').length") == 0
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
