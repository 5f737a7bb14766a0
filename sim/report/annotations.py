"""What lies behind the lines of a chart over time: spans that are shaded, days that are marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import accumulate, groupby
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from sim.report.charts import BLACK, BLUE, DASHES, GREY, HEIGHT, ORANGE, VERMILION, dates
from sim.report.line_names import in_lines
from sim.report.run import Run

IS_NARROW, NAME_WIDTH = "width < 400", 160
"""When a chart is narrow, as on a telephone, and how many pixels a line of a name then has."""

LONG_HOLIDAY_DAYS = 7
"""Days off in a row, one of them a public holiday, from which on they show in a chart of years."""


class _Shade(NamedTuple):
    """A time from its first to its last day, both included, and what it is called."""

    name: str
    first: date
    last: date


class Shades(NamedTuple):
    """Layers behind a chart, and what they are, a sentence a kind."""

    layers: Sequence[alt.Chart]
    said: Sequence[str]


def shades(run: Run) -> Shades:
    """Return when candidates come at another rate in grey, and long holidays in ochre."""
    say, rates = run.say, run.scenario.assumptions.recruitment.disruptions
    disruptions = [_Shade(say.title(name), each.from_, each.to) for name, each in rates.items()]
    holidays = list(_long_holidays(run))
    layers, said = [], []
    if disruptions:
        layers.append(_layer(run, disruptions, GREY))
        names = say.listing(each.name for each in disruptions)
        said.append(say("backdrop.disruptions", names=names))
    if holidays:
        layers.append(_layer(run, holidays, ORANGE))
        said.append(say("backdrop.holidays"))
    return Shades(layers, said)


def _long_holidays(run: Run) -> Iterator[_Shade]:
    """The long runs of days off around a public holiday: Spring Festival, National Day."""
    days = enumerate(run.protocol.kinds_of_day[: (run.closes - run.opens).days + 1])
    for off, stretch in groupby(days, lambda each: each[1] != "working_day"):
        kinds = list(stretch)
        if off and len(kinds) >= LONG_HOLIDAY_DAYS and any(kind == "holiday" for _, kind in kinds):
            first, last = (run.opens + timedelta(days=kinds[end][0]) for end in (0, -1))
            yield _Shade(run.say("backdrop.holiday"), first, last)


def _layer(run: Run, spans: list[_Shade], colour: str) -> alt.Chart:
    say = run.say
    table = pd.DataFrame(
        {
            "name": say.aside(span.name, say.span(say.day(span.first), say.day(span.last))),
            "at": pd.Timestamp(max(span.first, run.opens)),
            "to": pd.Timestamp(min(span.last, run.closes)) + pd.Timedelta(days=1),
        }
        for span in spans
    )
    shade = alt.Chart(table).mark_rect(color=colour, opacity=0.2, clip=True)
    layer: alt.Chart = shade.encode(x=dates(), x2="to:T", tooltip=alt.Tooltip("name:N", title=" "))
    return layer


def deadlines(run: Run) -> list[tuple[str, date]]:
    """Return the end of recruitment or of the trial, and the latest safe date of each arm."""
    say = run.say
    ends = [(say("timing.recruits_until"), run.recruits_until)]
    if run.closes > run.recruits_until:
        ends.append((say("timing.closes"), run.closes))
    return ends + [
        (say("timing.safe", arm=run.arm_title(arm.name)), run.date_of_day(arm.latest_safe_day))
        for arm in run.protocol.arms
        if arm.latest_safe_day >= 0
    ]


def marked(
    days: list[tuple[str, date]],
    since: date,
    until: date | None = None,
    pixels: int = NAME_WIDTH,
) -> list[alt.Chart]:
    """Return a rule for each named day, each dashed in its own way, named beside its top.

    Names stand one below the other, so that days close together can be told apart; those of days
    soon after the first date of the chart stand to the right, where there is room. The chart ends
    with the last of them, or at a day; so many `pixels` wide are names where it is narrow.
    """
    last = until or max(day for _, day in days)
    written = [in_lines(name, pixels) for name, _ in days]
    above = [0, *accumulate(map(len, written))]
    layers = [
        _mark(
            name, day, written[place], place, above[place], early=day - since < (last - since) / 3
        )
        for place, (name, day) in enumerate(days)
    ]
    return [layer for kind in zip(*layers, strict=True) for layer in kind]


def inked(
    steps: pd.DataFrame, name: str, dots: pd.DataFrame, since: date, until: date
) -> list[alt.Chart]:
    """Return a line in ink that holds each `value` until the next, named beside the first dot.

    Beside one in the chart's first half the name stands below, to the right.
    """
    height = alt.Y("value:Q", title=None, axis=None)
    line = alt.Chart(steps).mark_line(
        color=BLACK, interpolate="step-after", strokeWidth=2.5, clip=True
    )
    first = dots.head(1).assign(name=name)
    early = first["at"].iloc[0].date() - since < (until - since) / 2
    side: Any = {"align": "left", "dx": 6, "dy": 14} if early else {"align": "right", "dx": -6}
    named = alt.Chart(first).encode(x=dates(), y=height, text="name:N")
    side = {"fontSize": 12, "fontWeight": "bold", "dy": -9, **side}
    tips = [alt.Tooltip("at:T", title=" ", format="%Y-%m-%d"), alt.Tooltip("value:Q", title=" ")]
    dot = alt.Chart(dots).mark_point(color=BLACK, filled=True, size=60, opacity=1)
    return [
        line.encode(x=dates(), y=height),
        dot.encode(x=dates(), y=height, tooltip=tips),
        named.mark_text(**side, stroke="white", strokeWidth=4),
        named.mark_text(**side, color=BLACK),
    ]


def level(name: str, share: float, since: date) -> list[alt.Chart]:
    """Return an upright chart's level line at a share, named below its left end."""
    at = pd.DataFrame({"at": [pd.Timestamp(since)], "name": [name]})
    rule = alt.Chart(at).mark_rule(color=VERMILION, strokeDash=[6, 3]).encode(y=_height(share))
    base = alt.Chart(at).encode(x=dates(), y=_height(share), text="name:N")
    return [rule, base.mark_text(align="left", dx=6, dy=9, fontSize=11, color=VERMILION)]


def noted(text: str, day: date, share: float) -> list[alt.Chart]:
    """Return a note that ends at a day of a chart of shares, above a share."""
    base = alt.Chart(pd.DataFrame({"at": [pd.Timestamp(day)], "name": [text]}))
    base = base.encode(x=dates(), y=_height(share), text="name:N")
    side: Any = {"align": "right", "dx": -8, "dy": -8, "fontSize": 12, "fontWeight": "bold"}
    return [base.mark_text(**side, color=BLUE)]


def _height(share: float) -> Any:  # noqa: ANN401  altair's own types say no more
    """Where a share stands in a chart of shares from 0 to 1, in pixels."""
    return alt.value(HEIGHT * (1 - share))


def _mark(  # noqa: PLR0913  each says something else about one mark
    name: str, day: date, written: list[str], place: int, above: int, *, early: bool
) -> tuple[alt.Chart, ...]:
    """The rule, and the name on a white edge that keeps other rules and lines out of it.

    In a narrow chart the name has several lines, so many of other names `above` it.
    """
    dash = DASHES[(place + 1) % len(DASHES)]
    side: Any = {"align": "left", "dx": 5} if early else {"align": "right", "dx": -5}
    base = alt.Chart(pd.DataFrame({"at": [pd.Timestamp(day)], "name": [name]})).encode(x=dates())
    height = alt.ExprRef(f"{IS_NARROW} ? {10 + 13 * above} : {10 + 15 * place}")
    lines_of_name: Any = alt.value(written)
    text = alt.when(IS_NARROW).then(lines_of_name).otherwise("name:N")
    named = base.encode(y=alt.value(height), text=text)
    tips = [alt.Tooltip("name:N", title=" "), alt.Tooltip("at:T", title=" ", format="%Y-%m-%d")]
    return (
        base.mark_rule(color=BLACK, strokeDash=dash, strokeWidth=1.5, clip=True).encode(
            tooltip=tips
        ),
        named.mark_text(**side, fontSize=11, stroke="white", strokeWidth=4, clip=True),
        named.mark_text(**side, fontSize=11, color=BLACK, clip=True),
    )
