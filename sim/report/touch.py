"""What a reader may do with a chart: pick a series in its legend, and move and stretch its time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

FAINT = 0.08
"""What is left of the opacity of a series while another is picked."""

PICKED = alt.selection_point(name="picked", fields=["series"], bind="legend")
TIME = alt.selection_interval(
    name="time", encodings=["x"], bind="scales", zoom="wheel![event.shiftKey]"
)
"""The wheel alone scrolls the page, so that nobody is caught in a chart."""


def picked(opacity: float = 1.0) -> Any:  # noqa: ANN401  altair's own types say no more
    """The opacity of a mark, faint while another series is picked in the legend."""
    return alt.when(PICKED).then(alt.value(opacity)).otherwise(alt.value(FAINT * opacity))


def layered(layers: Sequence[alt.Chart], *, time: bool = False) -> alt.LayerChart | alt.FacetChart:
    """The layers as one chart whose legend filters and, by wish, whose time can be zoomed."""
    return alt.layer(*layers).add_params(*([PICKED, TIME] if time else [PICKED]))
