"""What lies behind the lines of a chart over time: spans that are shaded, days that are marked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from sim.report.charts import BLACK, DASH_DOT, DASHED, DOTTED, GREY, ORANGE, SOLID, dates
from sim.report.page import Run

LONG_HOLIDAY_DAYS = 7
"""Days off in a row, one of them a public holiday, from which on they show in a chart of years."""

DASHES = (DASHED, DOTTED, DASH_DOT, SOLID)


class Span(NamedTuple):
    """A time from its first to its last day, both included, and what it is called."""

    name: str
    first: date
    last: date


def disruptions(run: Run) -> list[Span]:
    """Return the times the scenario says candidates come at another rate."""
    said = run.scenario.assumptions.recruitment.disruptions
    return [Span(run.say.title(name), each.from_, each.to) for name, each in said.items()]


def long_holidays(run: Run) -> list[Span]:
    """Return the long runs of days off around a public holiday: Spring Festival, National Day."""
    return list(_long_holidays(run))


def _long_holidays(run: Run) -> Iterator[Span]:
    days = enumerate(run.protocol.kinds_of_day[: (run.closes - run.opens).days + 1])
    for off, stretch in groupby(days, lambda each: each[1] != "working_day"):
        kinds = list(stretch)
        if off and len(kinds) >= LONG_HOLIDAY_DAYS and any(kind == "holiday" for _, kind in kinds):
            first, last = (run.opens + timedelta(days=kinds[end][0]) for end in (0, -1))
            yield Span(run.say("backdrop.holiday"), first, last)


def shades(run: Run) -> list[alt.Chart]:
    """Return the run's disruptions in grey and its long holidays in ochre, as layers."""
    kinds = ((disruptions(run), GREY), (long_holidays(run), ORANGE))
    return [_shade(run, spans, colour) for spans, colour in kinds if spans]


def legend(run: Run) -> Iterator[str]:
    """Yield what the shades are, a sentence a kind; nothing where there are none."""
    say, disturbed = run.say, disruptions(run)
    if disturbed:
        yield say("backdrop.disruptions", names=say.listing(span.name for span in disturbed))
    if long_holidays(run):
        yield say("backdrop.holidays")


def _shade(run: Run, spans: list[Span], colour: str) -> alt.Chart:
    table = pd.DataFrame(
        {
            "name": [run.say.aside(span.name, _days(run, span)) for span in spans],
            "date": [pd.Timestamp(max(span.first, run.opens)) for span in spans],
            "to": [
                pd.Timestamp(min(span.last, run.closes)) + pd.Timedelta(days=1) for span in spans
            ],
        }
    )
    chart: alt.Chart = (
        alt.Chart(table)
        .mark_rect(color=colour, opacity=0.2, clip=True)
        .encode(x=dates(), x2="to:T", tooltip=alt.Tooltip("name:N", title=" "))
    )
    return chart


def _days(run: Run, span: Span) -> str:
    return run.say.span(run.say.day(span.first), run.say.day(span.last))


def marked(days: list[tuple[str, date]], since: date) -> list[alt.Chart]:
    """Return a rule for each named day, each dashed in its own way, named beside its top.

    Names stand one below the other, so that days close together can be told apart; those of days
    soon after the first date of the chart stand to the right, where there is room.
    """
    last = max(day for _, day in days)
    layers = [
        _mark(name, day, place, early=day - since < (last - since) / 3)
        for place, (name, day) in enumerate(days)
    ]
    return [layer for kind in zip(*layers, strict=True) for layer in kind]


def _mark(name: str, day: date, place: int, *, early: bool) -> tuple[alt.Chart, ...]:
    """The rule, and the name on a white edge that keeps other rules and lines out of it."""
    dash = DASHES[place % len(DASHES)]
    side: Any = {"align": "left", "dx": 5} if early else {"align": "right", "dx": -5}
    base = alt.Chart(pd.DataFrame({"date": [pd.Timestamp(day)], "name": [name]})).encode(x=dates())
    named = base.encode(y=alt.value(10 + 15 * place), text="name:N")
    return (
        base.mark_rule(color=BLACK, strokeDash=dash, strokeWidth=1.5, clip=True).encode(
            tooltip=[
                alt.Tooltip("name:N", title=" "),
                alt.Tooltip("date:T", title=" ", format="%Y-%m-%d"),
            ]
        ),
        named.mark_text(**side, fontSize=11, stroke="white", strokeWidth=4, clip=True),
        named.mark_text(**side, fontSize=11, color=BLACK, clip=True),
    )
