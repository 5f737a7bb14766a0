"""The names of lines, each beside the end of its line: an axis on the right of a chart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any, Protocol
from unicodedata import east_asian_width

import altair as alt
import pandas as pd

LETTER, SIGN = 7, 12
"""Pixels: a letter of a label, and one of Chinese."""

NAME, LINE, APART = 120, 14, 2
"""Pixels: how wide a name is at most, how high a line of it, and what lies between two names."""

INK = "#1F2933"


class Style(Protocol):
    """How a line is drawn."""

    @property
    def colour(self) -> str:
        """Its colour."""

    @property
    def dash(self) -> list[int]:
        """Its dashes."""


def pixels_of(text: str) -> int:
    """Return how wide a text is, about."""
    return sum(SIGN if east_asian_width(letter) in "WF" else LETTER for letter in text)


def in_lines(text: str, pixels: int) -> list[str]:
    """Return a text in lines of at most so many pixels, about."""
    letters = max(pixels * len(text) // max(pixels_of(text), 1), 1)
    return wrap(text, letters, break_on_hyphens=False)


def names_at_ends(
    points: pd.DataFrame, looks: Mapping[str, Style], floor: float, pixels: float
) -> alt.Axis:
    """Return an axis whose labels are the names of the lines of these points, by `series`.

    A piece of its line leads to a name. Names that would lie one on the other are moved apart, and
    none stands below the `floor`; there are so many `pixels` for 1.
    """
    ends = points.groupby("series", sort=False)["value"].last()
    ends = ends.sort_values(ascending=False, kind="stable")
    written = [in_lines(name, NAME) for name in ends.index]
    rooms = [(LINE * len(each) + APART) / pixels for each in written]
    places, shown = (
        _apart(ends.tolist(), rooms, floor, LINE / pixels),
        [looks[name] for name in ends.index],
    )
    named = zip(map(_is, places), map(json.dumps, written), strict=True)
    return alt.Axis(
        title=None,
        orient="right",
        values=places,
        labelExpr="".join(f"{test} ? {name} : " for test, name in named) + "''",
        labelLimit=0,
        labelOverlap=False,
        labelColor=INK,
        grid=False,
        domain=False,
        ticks=True,
        tickSize=14,
        tickWidth=2,
        tickColor=_tick_by_tick(places, [look.colour for look in shown], INK),
        tickDash=_tick_by_tick(places, [look.dash for look in shown], []),
    )


def _is(place: float) -> str:
    return f"datum.value == {json.dumps(place)}"


def _tick_by_tick(places: Sequence[float], values: Sequence[Any], other: Any) -> Any:  # noqa: ANN401  altair's own types say no more
    each = zip(map(_is, places), values, strict=True)
    return {"condition": [{"test": test, "value": value} for test, value in each], "value": other}


def _apart(
    wanted: Sequence[float], rooms: Sequence[float], floor: float, line: float
) -> list[float]:
    """Where the first lines of names stand that want to be at these heights, the highest first.

    Each has its room, of which `line` is that of one line.
    """
    places: list[float] = []
    for index, want in enumerate(wanted):
        places.append(min(want, places[-1] - rooms[index - 1]) if places else want)
    least = floor + line / 2
    for index in reversed(range(len(places))):
        least += rooms[index] - line * (index == len(places) - 1)
        places[index] = least = round(max(places[index], least), 9)
    return places
