"""Charts: a small tidy table in, an Altair chart out. Four shapes serve every page.

Every chart is as wide as its container and tells its series apart by dash as well as by colour
(the palette Okabe and Ito made for colour-blind readers). Series and rows keep the order in which
the table names them. Where a table has quantiles (p10, p50, p90) they are drawn as a band.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.resources import files
from typing import Any, NamedTuple, cast

import altair as alt
import pandas as pd

from sim.report.line_names import in_lines, names_at_ends, pixels_of
from sim.vocabulary.words import LEVELS_APART

BLUE, ORANGE, VERMILION, GREEN = "#0072B2", "#E69F00", "#D55E00", "#009E73"
SKY, PURPLE, GREY, BLACK = "#56B4E9", "#CC79A7", "#6B7280", "#1F2933"
SOLID, DASHED, DOTTED, DASH_DOT = [1, 0], [7, 4], [2, 3], [9, 3, 2, 3]


class Look(NamedTuple):
    """How a series is drawn."""

    colour: str
    dash: list[int] = SOLID


COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK, GREY)
DASHES = (SOLID, DASHED, DOTTED, DASH_DOT) * 2
LOOKS = list(map(Look, COLOURS, DASHES))
Looks = Sequence[Look] | Mapping[str, Look]
"""How series look: in turn, or by their names, whose order they then keep."""

HEIGHT, LOW, SMALL = 280, 190, 200
THIN, BAR, GAP_AND_BAR, ROW, CELL = 14, 18, 26, 30, 22
"""Pixels of a row: of bars side by side, with lines, stacked; of intervals; of a field's cells."""

FORMATS = {"share": ("%", ".1%"), "points": ("+d", "+.1f"), "index": ("~g", ".4~g")}
"""How figures of a unit are written on an axis and in a tip; other figures are counts or hours."""

TEXTS = ("label", "series")
SHADES = ["#F1F4F8", SKY, BLUE, "#062F4F"]
LIGHT_BELOW = 0.75
"""Up to this value black is read more easily on the blues than white: the contrast is above 4.5."""

FAINT = 0.08
"""What is left of the opacity of a series while another is picked."""

PICKED = alt.selection_point(name="picked", fields=["series"], bind="legend")
TIME = alt.selection_interval(
    name="time", encodings=["x"], bind="scales", zoom="wheel![event.shiftKey]"
)
"""The wheel alone scrolls the page, so that nobody is caught in a chart."""

ENTRY, MARGIN = 46, 70
"""Pixels: what a legend's entry has beside its name, and an axis of numbers with the chart's
margins."""

PLOT, PLOT_OF_YEAR, MOST_OF_LABEL = 220, 560, 420
"""Pixels: the least that is left for bars and intervals, and for a year; the most of a label."""

NARROW = 300
"""Pixels of a line of an axis title beneath rows whose long names leave little room."""

Chart = alt.LayerChart | alt.FacetChart
"""What `alt.layer` gives; ours are never faceted."""

MOMENT = (
    "timeFormat(datum.value, date(datum.value) > 1 ? '%m-%d' : "
    "month(datum.value) == 0 ? '%Y' : '%b')"
)
"""The label of a date on an axis: a year, a month of it or, in a chart of few weeks, a day."""


@alt.theme.register("trialsim", enable=True)
def theme() -> alt.theme.ThemeConfig:
    """Return how every chart looks: the style sheet of charts."""
    sheet = files("sim") / "templates" / "charts.json"
    return {"config": json.loads(sheet.read_text(encoding="utf-8"))}


def lines(  # noqa: PLR0913  each says something else about one picture
    table: pd.DataFrame,
    title: str,
    *,
    unit: str = "",
    across: str = "",
    span: tuple[float, float] | None = None,
    steps: bool = False,
    height: int = HEIGHT,
    looks: Looks = LOOKS,
    behind: Sequence[alt.Chart] = (),
) -> Chart:
    """Return lines of `value` in bands from `low` to `high`, a colour and a dash a series.

    They run along `at`: dates, of which the time can be zoomed, or where `across` names it numbers,
    dates or words, whose points are shown. A blank value or band is not drawn. `steps` holds each
    value until the next; `span` is what the values lie between. What lies `behind` shares the axis.
    The name of a series stands beside the end of its line.
    """
    drawn = _spread(table, "p50", "at", "series")
    points, is_named = drawn.dropna(subset="value"), "series" in drawn
    hold: Any = {"clip": True, "interpolate": "step-after" if steps else "linear"}
    look, x = _styled(drawn, looks, is_line=True), _along(drawn["at"], across)
    colour, scale = look["color"], _scale(drawn, unit, span)
    value = alt.Y("value:Q", title=title, axis=_axis(unit), scale=scale)
    beside = partial(alt.Y, title=None, axis=None, scale=scale)
    line = alt.Chart(points).mark_line(strokeWidth=2, **hold).encode(x=x, y=value, **look)
    tips = [_tip("at") if across else _tip("at:T", "%Y-%m-%d"), _figure(unit)]
    tips = [_tip("series:N"), *tips] if is_named else tips
    touched = alt.Chart(points.dropna() if across else points).encode(x=x, tooltip=tips)
    dot = touched.mark_point(opacity=0, size=80, clip=True)
    if across:
        dot = touched.mark_point(filled=True, size=40).encode(color=colour)
    layers = [line, dot.encode(y=beside("value:Q"))]
    if "low" in drawn:
        band = alt.Chart(drawn.dropna(subset=["low", "high"])).mark_area(opacity=0.22, **hold)
        layers.insert(0, band.encode(x=x, color=colour, y=beside("low:Q"), y2="high:Q"))
    if is_named:
        low, high = span or (0.0, 1.0 if unit == "share" else _highest(drawn) or 1.0)
        names = names_at_ends(points, _look_of(drawn, looks), low, height / (high - low))
        named = alt.Chart(points.head(1)).mark_point(opacity=0)
        layers.append(named.encode(y=beside("value:Q", axis=names)))
    chart = layered([*layers, *behind], height, *[TIME] * (not across))
    return cast("Chart", chart.resolve_axis(y="independent"))


def bars(
    table: pd.DataFrame,
    title: str,
    *,
    unit: str = "",
    stacked: bool = False,
    looks: Looks = LOOKS,
) -> Chart:
    """Return a bar a row by `label` and series: stacked in the order of series, or side by side.

    Where the table has `low` and `high`, a line runs between them.
    """
    drawn = _spread(table, "mean", "label", "series")
    names, rows = _unique(drawn["series"]), _unique(drawn["label"])
    tips = [_figure(unit, column) for column in ("value", "low", "high") if column in drawn]
    narrowest, params = narrowest_of(rows, names), [PICKED] * _are_several(drawn)
    base = alt.Chart(drawn.assign(place=drawn["series"].map(names.index))).encode(
        y=_rows(rows, 320), tooltip=[_tip("label:N"), _tip("series:N"), *tips]
    )
    base = base.encode(color=_styled(drawn, looks, "square", rows)["color"])
    value = alt.X(
        "value:Q", title=in_lines(title, NARROW), axis=_axis(unit), scale=_scale(drawn, unit)
    )
    if stacked:
        bar = base.mark_bar(height=BAR, stroke="white", strokeWidth=0.5)
        parts = bar.encode(x=value, order="place:Q", opacity=_opacity(drawn))
        return layered([parts], GAP_AND_BAR * len(rows), *params, narrowest=narrowest)
    if len(rows) < len(drawn):
        base = base.encode(yOffset=alt.YOffset("series:N", sort=names))
    if "low" not in drawn:
        thin = base.mark_bar().encode(x=value, opacity=_opacity(drawn))
        return layered([thin], THIN * len(drawn), *params, narrowest=narrowest)
    line = base.mark_rule(strokeWidth=1.5).encode(
        x="low:Q", x2="high:Q", color=alt.ColorValue(BLACK)
    )
    bar = base.mark_bar().encode(x=value, opacity=_opacity(drawn, 0.85))
    return layered([bar, line], BAR * len(drawn), *params, narrowest=narrowest)


def intervals(  # noqa: PLR0913  each says something else about one picture
    table: pd.DataFrame,
    title: str,
    *,
    unit: str = "",
    across: str = "",
    span: tuple[float, float] | None = None,
    looks: Looks = LOOKS,
) -> Chart:
    """Return a point `value` on its line from `low` to `high` a row: by label and, if any, series.

    Where `across` names them, numbers `at` take the place of labels: a small chart beside others,
    of the same `span` of values.
    """
    drawn = table[[name for name in (*TEXTS, "at", "value", "low", "high") if name in table]]
    rows = [] if across else _unique(drawn["label"])
    named = [name for name in TEXTS if name in drawn]
    tips = [_tip("at:Q")] if across else [_tip(f"{name}:N") for name in named]
    tips += [_figure(unit, name) for name in ("value", "low", "high") if name in drawn]
    look = _styled(drawn, looks, beside=rows)["color"]
    base = alt.Chart(drawn).encode(color=look, opacity=_opacity(drawn), tooltip=tips)
    params = [PICKED] * _are_several(drawn)
    axis, scale = _axis(unit), _scale(drawn, unit, span)
    if across:
        x = _along(drawn["at"], across.split(LEVELS_APART), alt.Axis(tickCount=4))
        base = base.encode(x=x)
        low = alt.Y("low:Q", title=title, axis=axis, scale=scale)
        line = base.mark_rule(opacity=0.25).encode(y=low, y2="high:Q")
        point = base.mark_point(filled=True, size=30, opacity=0.7).encode(y="value:Q")
        return layered([line, point], SMALL)
    base = base.encode(y=_rows(rows, MOST_OF_LABEL))
    left = alt.X("low:Q", title=in_lines(title, NARROW), axis=axis, scale=scale)
    height, zero = ROW * len(rows), alt.Chart(pd.DataFrame({"at": [0]})).mark_rule(color=GREY)
    line = base.mark_rule(strokeWidth=2).encode(x=left, x2="high:Q")
    point = base.mark_point(filled=True, size=80, opacity=1).encode(x="value:Q")
    layers = [line, point] if unit == "share" else [line, point, zero.encode(x="at:Q")]
    names = _unique(drawn["series"]) if "series" in drawn else []
    return layered(layers, height, *params, narrowest=narrowest_of(rows, names))


def field(  # noqa: PLR0913  each says something else about one picture
    table: pd.DataFrame,
    title: str,
    *,
    across: str,
    down: str = "",
    named: Mapping[int, str] = {},
    highest: float | None = None,
) -> Chart:
    """Return a cell a pair of `across` and `down`, the darker the higher its `value`.

    Shares, of which `down` names the pair's other side, carry their figures; a year of hours a day
    has a cell a week and weekday, and beneath the weeks that are `named` their number and name. Its
    darkest shade stands for the `highest` value, that of several fields where they share a scale.
    """
    days, weeks = _unique(table["down"]), _unique(table["across"])
    tips = [_tip("across"), _tip("down"), _figure("share" if down else "")]
    cells = alt.Chart(table[["across", "down", "value"]]).encode(tooltip=tips)
    if not down:
        names = ",".join(f"'{week}':'{name}'" for week, name in named.items())
        bare: Any = {"ticks": False, "domain": False, "labelOverlap": False, "labelAngle": 0}
        month = f"[datum.label, {{{names}}}[datum.label]]"
        below = alt.Axis(values=list(named), labelExpr=month, **bare)
        key = alt.Legend(title=title, gradientLength=220, tickCount=4, format="~r")
        most = alt.Undefined if highest is None else highest
        shades = alt.Scale(range=SHADES, domainMin=0, domainMax=most)
        year = cells.mark_rect(stroke="white", strokeWidth=1).encode(
            x=alt.X("across:O", title=across, axis=below),
            y=alt.Y("down:N", title=None, sort=days, axis=alt.Axis(**bare)),
            color=alt.Color("value:Q", scale=shades, legend=key),
        )
        return layered([year], CELL * len(days), narrowest=PLOT_OF_YEAR)
    flat, shares = alt.Axis(labelAngle=0), alt.Scale(domain=[0, 1], scheme="blues")
    cells = cells.encode(
        x=alt.X("across:N", title=across, sort=weeks, axis=flat),
        y=alt.Y("down:N", title=down, sort=days[::-1]),
    )
    colour = alt.Color("value:Q", scale=shares, legend=alt.Legend(format="%"))
    dark: Any = {"test": f"datum.value > {LIGHT_BELOW}", "value": "white"}
    ink = alt.ColorValue("black", condition=dark)
    figures = cells.mark_text().encode(text=alt.Text("value:Q", format=".0%"), color=ink)
    squares = cells.mark_rect().encode(color=colour)
    height, narrowest = max(HEIGHT, ROW * len(days)), MARGIN + pixels_of(across)
    return layered([squares, figures], height, narrowest=narrowest)


def layered(
    layers: Sequence[alt.Chart], height: int, *params: alt.Parameter, narrowest: int = 0
) -> Chart:
    """Return layers as a chart as wide as its container, of a height in pixels.

    Its params are what a reader may do with it: pick a series in the legend, move and zoom time.
    In a container that is less than the `narrowest` pixels wide the page lets readers scroll it.
    """
    first, *others = layers
    more: Any = {"usermeta": {"narrowest": narrowest}} if narrowest else {}
    shown = first.add_params(*params)
    return alt.layer(shown, *others, width="container", height=height, **more)


def narrowest_of(rows: Sequence[str], names: Sequence[str]) -> int:
    """Return the least width of a chart whose rows have labels, with a legend above the rest."""
    labels = min(max(map(pixels_of, rows), default=0), MOST_OF_LABEL)
    return MARGIN + labels + max(PLOT, ENTRY + max(map(pixels_of, names), default=0))


def picked(opacity: float = 1.0) -> alt.OpacityValue:
    """Return the opacity of a mark, faint while another series is picked in the legend.

    Altair's own types, here and elsewhere, are made at once: what `when` and `value` give is
    searched for its type every time, which took a fifth of the making of a page.
    """
    full: Any = {"param": PICKED.name, "value": opacity}
    return alt.OpacityValue(FAINT * opacity, condition=full)


def dates(column: str = "at") -> alt.X:
    """Return the axis of a column of dates."""
    axis = alt.Axis(grid=False, labelOverlap=True, labelExpr=MOMENT)
    return alt.X(f"{column}:T", title=None, axis=axis)


def legend(names: Sequence[str], symbol: str = "", beside: Sequence[str] = ()) -> alt.Legend:
    """Return a legend in as many columns as there is room for, `beside` labels of an axis."""
    entry = ENTRY + max(map(pixels_of, names), default=0)
    axis = MARGIN + max(map(pixels_of, beside), default=0)
    # The room is that of the container: the chart's own width is worked out from its legend. It
    # stands here all the same, for that the columns are counted again whenever it changes.
    columns = alt.expr(f"max(1, floor((0 * width + containerSize()[0] - {axis}) / {entry}))")
    if not symbol:
        return alt.Legend(columns=columns)
    return alt.Legend(columns=columns, symbolType=symbol, symbolOpacity=1)


def _spread(table: pd.DataFrame, middle: str, *named: str) -> pd.DataFrame:
    """What is drawn of a table: of quantiles the middle and the span from P10 to P90."""
    if "value" not in table:
        table = table.rename(columns={middle: "value", "p10": "low", "p90": "high"})
    drawn = table[[name for name in (*named, "value", "low", "high") if name in table]]
    return drawn.dropna(subset=[name for name in ("value", "low") if name in drawn], how="all")


def _unique(column: pd.Series[Any]) -> list[Any]:
    return list(dict.fromkeys(column))


def _opacity(drawn: pd.DataFrame, opacity: float = 1.0) -> alt.OpacityValue:
    return picked(opacity) if _are_several(drawn) else alt.OpacityValue(opacity)


def _are_several(drawn: pd.DataFrame) -> bool:
    """Whether there are several series: of one there is nothing to pick, and no legend."""
    return "series" in drawn and len(_unique(drawn["series"])) > 1


def _look_of(drawn: pd.DataFrame, looks: Looks) -> dict[str, Look]:
    """How each series looks, in their order."""
    names = _unique(drawn["series"])
    if isinstance(looks, Mapping):
        return {name: look for name, look in looks.items() if name in names}
    return {name: looks[place % len(looks)] for place, name in enumerate(names)}


def _styled(
    drawn: pd.DataFrame,
    looks: Looks,
    symbol: str = "",
    beside: Sequence[str] = (),
    *,
    is_line: bool = False,
) -> dict[str, Any]:
    """The colours of the series, with their legend; of lines, which have none, also the dashes.

    One colour where there are no series.
    """
    if "series" not in drawn:
        return {"color": alt.ColorValue(BLUE)}
    shown = _look_of(drawn, looks)
    names, key = [*shown], None
    if not is_line and len(names) > 1:
        key = legend(names, symbol, beside)
    colours = alt.Scale(domain=names, range=[look.colour for look in shown.values()])
    look: dict[str, Any] = {"color": alt.Color("series:N", sort=names, scale=colours, legend=key)}
    if is_line:
        dashes = alt.Scale(domain=names, range=[look.dash for look in shown.values()])
        look["strokeDash"] = alt.StrokeDash("series:N", sort=names, scale=dashes, legend=None)
    return look


def _along(values: pd.Series[Any], across: str | list[str], axis: Any = alt.Undefined) -> alt.X:  # noqa: ANN401
    """The axis of what lines run along, by what it is: dates, numbers or words."""
    if not across:
        return dates()
    if pd.api.types.is_datetime64_any_dtype(values):
        return alt.X("at:T", title=across, scale=alt.Scale(nice=False))
    if pd.api.types.is_numeric_dtype(values):
        return alt.X("at:Q", title=across, scale=alt.Scale(zero=False), axis=axis)
    return alt.X("at:N", title=across, sort=_unique(values))


def _rows(labels: Sequence[str], limit: int) -> alt.Y:
    axis = alt.Axis(labelLimit=limit, ticks=False)
    return alt.Y("label:N", sort=list(labels), title=None, axis=axis)


def _axis(unit: str) -> alt.Axis:
    return alt.Axis(format=FORMATS.get(unit, ("~r",))[0], tickCount=5)


def _scale(
    drawn: pd.DataFrame, unit: str, span: tuple[float, float] | None = None
) -> alt.Scale | alt.typing.Optional[Any]:
    """From 0 to 1 where values are shares, or where none is above 0: an axis has an end."""
    if span is not None:
        return alt.Scale(domain=list(span), zero=False)
    if unit in {"points", "index"}:
        return alt.Undefined
    is_whole = unit == "share" or not _highest(drawn) > 0
    return alt.Scale(domain=[0, 1]) if is_whole else alt.Scale(zero=True)


def _highest(drawn: pd.DataFrame) -> float:
    return max(float(drawn[end].max()) for end in ("value", "high") if end in drawn)


def _tip(column: str, form: str = "") -> alt.Tooltip:
    return alt.Tooltip(column, title=" ", format=form) if form else alt.Tooltip(column, title=" ")


def _figure(unit: str, column: str = "value") -> alt.Tooltip:
    return alt.Tooltip(f"{column}:Q", title=" ", format=FORMATS.get(unit, ("", ".1f"))[1])
