"""The files that the page is made of."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from aedetect.data.series.timestamps import span
from aedetect.tasks.explain.format import shown
from aedetect.tasks.report import charts

if TYPE_CHECKING:
    from jinja2 import Template


def asset(name: str) -> str:
    """The text of a template, a style or a script of the page."""
    return files("aedetect.tasks.report").joinpath("assets", name).read_text(encoding="utf-8")


@cache
def template(name: str) -> Template:
    """A template that escapes all text from data and fails on a name it does not know."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"number": charts.number, "bar": charts.bar, "span": span, "short": shown}
    return environment.from_string(asset(name))
