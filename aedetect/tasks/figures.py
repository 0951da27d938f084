"""Charts as PNG images: of reports, of messages."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from aedetect.tasks.explain.format import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CALM_COLOUR, FLAG_COLOUR = "#7a95ad", "#c8442b"


def drawn(draw: Callable[[Axes], None], size: tuple[float, float], dots: int) -> bytes:
    """A PNG of what `draw` draws, `size` inches wide and high, of so many dots an inch."""
    # Without pyplot: no window system is touched, and nothing is left behind in global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=dots, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    draw(axes)
    axes.spines[["top", "right"]].set_visible(False)
    data = io.BytesIO()
    figure.savefig(data, format="png", metadata={"Software": None})
    return data.getvalue()


def drawable(text: str, most: int) -> str:
    """Text from data: a dollar sign would start a formula, and controls have no glyph."""
    safe = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown(safe, most).replace("$", r"\$")
