"""Boxes of text joined by arrows, at places in pixels: a diagram, drawn with marks of a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import altair as alt
import pandas as pd

from sim.report.charts import BLACK, FONT, GREY

WIDTH, LINE, PAD, FIGURE, HEAD, TIP = 900, 18, 9, 56, 90, 5
"""Pixels: a diagram, a line of text, what surrounds the lines, a figure at their end, an arrow's
head (square pixels), and from its middle to its tip."""


class Line(NamedTuple):
    """A line of a box: a name from the left, shortened where it is too long, and a figure."""

    name: str
    figure: str


class Box(NamedTuple):
    """A box by its corner and its width; the first of its lines is bold."""

    left: float
    top: float
    width: float
    lines: Sequence[Line]
    least: float = 0.0
    """Its least height; a box is at least as tall as its lines."""

    @property
    def height(self) -> float:
        """From its upper edge to its lower one."""
        return max(self.least, LINE * len(self.lines) + 2 * PAD)

    @property
    def below(self) -> float:
        """Where its lower edge is."""
        return self.top + self.height

    @property
    def middle(self) -> float:
        """Half-way from left to right."""
        return self.left + self.width / 2

    @property
    def centre(self) -> float:
        """Half-way from top to bottom."""
        return self.top + self.height / 2


class Arrow(NamedTuple):
    """A line from point to point, x and y, with a head at its last."""

    points: Sequence[tuple[float, float]]


def drawn(boxes: Sequence[Box], arrows: Sequence[Arrow], message: str) -> alt.LayerChart:
    """Return the diagram; it is drawn at its own size, and a narrow page shrinks it."""
    height = max(box.below for box in boxes) + 1
    layers = [*_arrows(arrows, height), _frames(boxes, height), *_texts(boxes, height)]
    chart: alt.LayerChart = (
        alt.layer(*layers)
        .properties(width=WIDTH, height=height, description=message)
        .configure(font=FONT, background="white", padding=2)
        .configure_view(stroke=None)
    )
    return chart


def _at(x: str, y: str, height: float) -> dict[str, Any]:
    """Pixels from the left and from the top, without axes."""
    across, down = alt.Scale(domain=[0, WIDTH]), alt.Scale(domain=[height, 0])
    return {
        "x": alt.X(f"{x}:Q", axis=None, scale=across),
        "y": alt.Y(f"{y}:Q", axis=None, scale=down),
    }


def _frames(boxes: Sequence[Box], height: float) -> alt.Chart:
    table = pd.DataFrame(
        {
            "left": [box.left for box in boxes],
            "right": [box.left + box.width for box in boxes],
            "top": [box.top for box in boxes],
            "below": [box.below for box in boxes],
        }
    )
    frames: alt.Chart = (
        alt.Chart(table)
        .mark_rect(fill="white", stroke=BLACK, strokeWidth=1, cornerRadius=2)
        .encode(**_at("left", "top", height), x2="right:Q", y2="below:Q")
    )
    return frames


def _texts(boxes: Sequence[Box], height: float) -> list[alt.Chart]:
    """A layer for each width of box and weight of text, which marks cannot read from the data."""
    lines = pd.DataFrame(
        {
            "left": box.left + PAD,
            "right": box.left + box.width - PAD,
            "y": box.top + PAD + LINE * (place + 0.5),
            "name": line.name,
            "figure": line.figure,
            "width": box.width,
            "weight": "bold" if place == 0 else "normal",
        }
        for box in boxes
        for place, line in enumerate(box.lines)
    )
    layers = []
    for look_alike, ours in lines.groupby(["width", "weight"]):
        width, weight = cast("tuple[float, str]", look_alike)
        look: dict[str, Any] = {"fontWeight": weight, "fontSize": 12, "baseline": "middle"}
        base, limit = alt.Chart(ours), width - 2 * PAD - FIGURE
        name = base.mark_text(align="left", limit=limit, color=BLACK, **look)
        figure = base.mark_text(align="right", color=BLACK, **look)
        layers += [
            name.encode(**_at("left", "y", height), text="name:N", tooltip="name:N"),
            figure.encode(**_at("right", "y", height), text="figure:N"),
        ]
    return layers


def _arrows(arrows: Sequence[Arrow], height: float) -> list[alt.Chart]:
    legs = pd.DataFrame(
        [
            (*start, *end)
            for arrow in arrows
            for start, end in zip(arrow.points, arrow.points[1:], strict=False)
        ],
        columns=["x", "y", "to_x", "to_y"],
    )
    heads = pd.DataFrame(
        [
            (x, y - TIP, 180) if x == before else (x - TIP, y, 90)
            for (before, _), (x, y) in (arrow.points[-2:] for arrow in arrows)
        ],
        columns=["x", "y", "angle"],
    )
    return [
        alt.Chart(legs)
        .mark_rule(color=GREY)
        .encode(**_at("x", "y", height), x2="to_x:Q", y2="to_y:Q"),
        alt.Chart(heads)
        .mark_point(shape="triangle", filled=True, size=HEAD, color=GREY, opacity=1)
        .encode(**_at("x", "y", height), angle=alt.Angle("angle:Q", scale=None)),
    ]
