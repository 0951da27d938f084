"""The section of the page that only time series have: events, and a plot of the channels to zoom into."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from aedetect.data.series.timestamps import span
from aedetect.tasks.report import charts
from aedetect.tasks.report.series import SeriesPart
from aedetect.tasks.report.tracks import drawn, place, ticks

if TYPE_CHECKING:
    from jinja2 import Template

_COLUMNS_SHOWN = 12


def section(part: SeriesPart) -> Markup:
    """The section as HTML; all text from data is escaped."""
    guilty = {one.columns[0].column for one in part.told if one.columns}
    places = [
        (number, place(part.panels[number], mark.start), place(part.panels[number], mark.end))
        if number >= 0
        else None
        for number, mark in part.places
    ]
    text = _template().render(
        part=part,
        places=places,
        guilty=sorted(guilty),
        number=charts.number,
        bar=charts.bar,
        span=span,
        drawn=drawn,
        ticks=ticks,
        columns_shown=_COLUMNS_SHOWN,
    )
    return Markup(text)


def asset(name: str) -> str:
    """The style or the script that the section needs: 'series.css' or 'series.js'."""
    return files("aedetect.tasks.report").joinpath("assets", name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(asset("series.html"))
