"""The legend of a chart: its names in as many columns as the page has room for."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import east_asian_width

import altair as alt

LETTER, SIGN, ENTRY, AXIS = 7, 12, 46, 70
"""Pixels: a letter of a label, one of Chinese, what a legend's entry has beside its name, and an
axis of numbers with the chart's margins."""


def legend(names: Sequence[str], symbol: str = "", beside: Sequence[str] = ()) -> alt.Legend:
    """A legend in as many columns as there is room for, `beside` the labels of an axis of names."""
    entry = ENTRY + max(map(_pixels, names), default=0)
    axis = AXIS + max(map(_pixels, beside), default=0)
    # The room is that of the container: the chart's own width is worked out from its legend. It
    # stands here all the same, for that the columns are counted again whenever it changes.
    columns = alt.expr(f"max(1, floor((0 * width + containerSize()[0] - {axis}) / {entry}))")
    if not symbol:
        return alt.Legend(columns=columns)
    return alt.Legend(columns=columns, symbolType=symbol, symbolOpacity=1)


def _pixels(text: str) -> int:
    return sum(SIGN if east_asian_width(letter) in "WF" else LETTER for letter in text)
