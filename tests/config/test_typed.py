"""Numbers as people type them. How settings take them: see tests/test_config.py."""

from __future__ import annotations

import pytest

from aedetect.config.typed import is_whole, number, share, whole


@pytest.mark.parametrize(
    "text", ["2690", "2,690", "2 690", "2_690", "2'690", "#2690", "#2,690", " 2690 ", "2\u00a0690"]
)
def test_whole_numbers_are_read_as_outputs_and_people_write_them(text: str) -> None:
    assert (is_whole(text), whole(text)) == (True, 2690)


@pytest.mark.parametrize("text", ["2,69", "0,003", "2.690", "26,90", "2,6900", "2,690.5", "1e3", "two", ""])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="^not a whole number; write it like 20 or 2,000$"):
        whole(text)


def test_what_is_no_text_passes_through_but_for_booleans() -> None:
    assert (whole(3), share(0.5), number(2)) == (3, 0.5, 2)
    for read in (whole, share, number):
        with pytest.raises(ValueError, match="^not a"):
            read(True)


@pytest.mark.parametrize(
    ("text", "value"), [("1%", 0.01), ("0.7%", 0.007), ("5 ‰", 0.005), ("1e-3", 0.001), ("100%", 1.0)]
)
def test_shares(text: str, value: float) -> None:
    assert share(text) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0,003", "has a decimal comma; write 0.003 or 0.3%"),
        ("0,3%", "has a decimal comma; write 0.3%"),
        ("1%%", "not a share; write it like 0.01 or 1%"),
        ("%", "not a share; write it like 0.01 or 1%"),
        ("1,000,5", "not a share; write it like 0.01 or 1%"),
        ("inf", "must be a finite number"),
    ],
)
def test_what_is_no_share_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        share(text)
    assert str(caught.value) == said
