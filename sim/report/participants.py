"""Three simulated participants from the logs kept whole: who completes, who fails, who leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from sim.report.charts import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PICKED,
    PURPLE,
    SKY,
    VERMILION,
    Chart,
    layered,
    legend,
    narrowest_of,
    picked,
)
from sim.report.page import Figure, figure
from sim.report.run import Run
from sim.results import folder

THREE = {"completed": "completer", "screen_failed": "failure", "left": "leaver"}
"""The last milestone of each of the three, and what they are called."""

ABOVE, ON, BELOW = -13, 0, 13
"""Where a symbol stands beside the line of its life, in pixels."""


class Symbol(NamedTuple):
    """How something that happens is drawn."""

    shape: str
    colour: str
    lane: int


SYMBOLS = {
    "candidate": Symbol("circle", GREY, ABOVE),
    "consented": Symbol("square", PURPLE, ABOVE),
    "randomised": Symbol("diamond", BLACK, ABOVE),
    "out": Symbol("triangle-down", GREEN, ABOVE),
    "visit": Symbol("circle", BLUE, ON),
    "out_of_window": Symbol("square", SKY, ON),
    "missed": Symbol("cross", VERMILION, ON),
    "dose": Symbol("triangle-up", ORANGE, BELOW),
}
LIFE_HEIGHT = 56
"""Pixels of a life."""


class _Life(NamedTuple):
    """One of the three: a row of the participants, and what happened in order."""

    last: str
    person: pd.Series
    happened: pd.DataFrame


def lives(run: Run) -> Iterator[Figure]:
    """Yield the three timelines in one chart; nothing where none of the three is kept."""
    people = run.tables["participants.csv.gz"]
    chosen = {last: _middle(people[people["last_milestone"] == last]) for last in THREE}
    who = {last: person for last, person in chosen.items() if person is not None}
    if not who:
        return
    events = folder.read(run.place, "events.csv.gz", rows=lambda part: _is_any(part, who.values()))
    found = [
        _Life(last, person, _happened(events[_is_any(events, [person])], person["time_days"]))
        for last, person in who.items()
    ]
    say = run.say
    points = pd.concat(
        life.happened.assign(who=say.capital(say(f"lives.{THREE[life.last]}"))) for life in found
    )
    points = points.assign(
        what=points["event"].map(lambda kind: say(f"lives.{kind}")),
        detail=points["detail"].map(say.title),
    )
    named = (f"{life.person['replication']}/{life.person['participant']}" for life in found)
    yield figure(
        say,
        "lives",
        _drawn,
        points,
        {"who": "text", "at": "day", "day": "text", "what": "text", "detail": "text"},
        behind=points.assign(
            at=pd.to_datetime(points["date"]), day=[say.number(day, 0) for day in points["day"]]
        ),
        detail=say.sentences(_sentence(run, life) for life in found),
        count=people["replication"].nunique(),
        people=say.listing(named),
    )


def _middle(people: pd.DataFrame) -> pd.Series[Any] | None:
    """The participant of middle length; None where there is none."""
    if people.empty:
        return None
    length = pd.to_datetime(people["last_on"]) - pd.to_datetime(people["date"])
    place = length.sort_values(kind="stable").index[(len(people) - 1) // 2]
    person: pd.Series[Any] = people.loc[place]
    return person


def _is_any(events: pd.DataFrame, people: Iterable[pd.Series[Any]]) -> pd.Series[bool]:
    """Which events are of one of these people."""
    is_any = pd.Series(data=False, index=events.index)
    for each in people:
        same = (events[column] == each[column] for column in ("replication", "participant"))
        is_any |= next(same) & next(same)
    return is_any


def _happened(events: pd.DataFrame, came: float) -> pd.DataFrame:
    """What of a life has a symbol: day since becoming a candidate, date, kind, detail."""
    outcome = events["outcome"].where(events["event"] == "visit", "")
    kind = events["event"].mask(outcome.isin(["out_of_window", "missed"]), outcome)
    kind = kind.mask(events["event"].isin([*THREE]), "out")
    named = events["detail"].mask(events["event"] == "visit", events["visit"])
    table = events.assign(day=events["time_days"] - came, event=kind, detail=named)
    return table[table["event"].isin(SYMBOLS)][["day", "date", "event", "detail"]]


def _sentence(run: Run, life: _Life) -> str:
    """One life in one sentence."""
    say, person, happened = run.say, life.person, life.happened
    came, last, randomised = (
        date.fromisoformat(person[at]) if person[at] else ""
        for at in ("date", "last_on", "randomised_on")
    )
    return say(
        f"lives.{life.last}",
        came=came,
        last=last,
        randomised=randomised,
        arm=run.arm_title(person["arm"]) if person["arm"] else "",
        reason=happened[happened["event"] == "out"]["detail"].iloc[-1],
        visits=happened["event"].isin(["visit", "out_of_window"]).sum(),
    )


def _drawn(points: pd.DataFrame, title: str) -> Chart:
    """A line a life with three lanes of symbols: milestones above, visits on it, doses below."""
    points = points.rename(columns={"what": "series"})
    names, kinds = (
        list(dict.fromkeys(points["who"])),
        dict(zip(points["event"], points["series"], strict=True)),
    )
    seen = {kinds[kind]: symbol for kind, symbol in SYMBOLS.items() if kind in kinds}
    ends = points.groupby("who")["day"].agg(["min", "max"]).reset_index()
    y = alt.Y("who:N", sort=names, title=None, axis=alt.Axis(labelLimit=240, ticks=False))
    spans = alt.Chart(ends).mark_rule(color=GREY).encode(x="min:Q", x2="max:Q", y=y)
    shapes = alt.Scale(domain=[*seen], range=[symbol.shape for symbol in seen.values()])
    colours = alt.Scale(domain=[*seen], range=[symbol.colour for symbol in seen.values()])
    key: dict[str, Any] = {"sort": [*seen], "legend": legend([*seen], beside=names)}
    tips = [alt.Tooltip(f"{name}:N", title=" ") for name in ("series", "detail", "date")]
    lanes = [
        alt.Chart(ours.drop(columns="event"))
        .mark_point(filled=True, size=80, stroke="white", strokeWidth=0.6, yOffset=lane)
        .encode(
            x=alt.X("day:Q", title=title),
            y=y,
            shape=alt.Shape("series:N", scale=shapes, **key),
            color=alt.Color("series:N", scale=colours, **key),
            opacity=picked(),
            tooltip=tips,
        )
        for lane, ours in points.groupby(points["event"].map(lambda kind: SYMBOLS[kind].lane))
    ]
    narrowest = narrowest_of(names, [*seen])
    return layered([spans, *lanes], LIFE_HEIGHT * len(names), PICKED, narrowest=narrowest)
