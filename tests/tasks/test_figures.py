"""What the pictures of reports and messages have in common."""

from __future__ import annotations

from typing import Any

from aedetect.tasks.figures import drawable, drawn


def test_a_picture_is_a_png_of_the_size_asked_for() -> None:
    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1])

    image = drawn(draw, (3.0, 2.0), 50)
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    assert (int.from_bytes(image[16:20]), int.from_bytes(image[20:24])) == (150, 100)


def test_text_from_data_is_drawn_as_it_stands() -> None:
    assert drawable("cost in $ and \x1b[1m$", 60) == r"cost in \$ and ?[1m\$"
    assert len(drawable("x" * 100, 44)) == 44
