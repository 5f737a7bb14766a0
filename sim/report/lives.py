"""Three simulated participants from the logs kept whole: who completes, who fails, who leaves."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import altair as alt
import pandas as pd

from sim.report.charts import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    Chart,
    finish,
)
from sim.report.legend import legend
from sim.report.page import Figure, Row, Run, Table
from sim.report.touch import layered, picked

KINDS = {"completed": "completer", "screen_failed": "failure", "left": "leaver"}
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
ROW = 56
"""Height of a life in pixels."""


class Life(NamedTuple):
    """One of the three: a row of the participants, and what happened in order (day, what)."""

    kind: str
    person: pd.Series
    happened: pd.DataFrame


def figures(run: Run) -> list[Figure]:
    """Return the three timelines in one chart; nothing where none of the three is kept."""
    lives = [life for last in KINDS for life in _life(run, last)]
    return [_figure(run, lives)] if lives else []


def _life(run: Run, last: str) -> list[Life]:
    """The participant of middle length among those who end like this, if there are any."""
    people, events = (run.tables[f"{name}.csv.gz"] for name in ("participants", "events"))
    ours = people[people["last_milestone"] == last]
    if ours.empty:
        return []
    length = pd.to_datetime(ours["last_on"]) - pd.to_datetime(ours["date"])
    person = ours.loc[length.sort_values(kind="stable").index[(len(ours) - 1) // 2]]
    same = (events["replication"] == person["replication"]) & (
        events["participant"] == person["participant"]
    )
    return [Life(last, person, _happened(events[same], person["time_days"]))]


def _happened(events: pd.DataFrame, came: float) -> pd.DataFrame:
    """What of a life has a symbol: day since becoming a candidate, date, what, detail."""
    outcome = events["outcome"].where(events["event"] == "visit", "")
    what = events["event"].mask(outcome.isin(["out_of_window", "missed"]), outcome)
    what = what.mask(events["event"].isin([*KINDS]), "out")
    named = events["detail"].mask(events["event"] == "visit", events["visit"])
    table = events.assign(day=events["time_days"] - came, what=what, detail=named)
    return table[table["what"].isin(SYMBOLS)][["day", "date", "what", "detail"]]


def _figure(run: Run, lives: list[Life]) -> Figure:
    say, title = run.say, run.say("lives.title")
    names = {life.kind: say.capital(say(f"lives.{KINDS[life.kind]}")) for life in lives}
    points = pd.concat([life.happened.assign(label=names[life.kind]) for life in lives])
    points["series"] = points["what"].map(lambda what: say(f"lives.{what}"))
    points["named"] = points["detail"].map(say.title)
    rows = [
        Row(
            [
                row["label"],
                _day(run, row["date"]),
                say.number(row["day"], 0),
                row["series"],
                row["named"],
            ]
        )
        for row in points.to_dict("records")
    ]
    header = [
        say("lives.who"),
        say("shared.date"),
        say("lives.day"),
        say("lives.what"),
        say("lives.detail"),
    ]
    people = say.listing(
        f"{life.person['replication']}/{life.person['participant']}" for life in lives
    )
    kept = say.number(run.tables["participants.csv.gz"]["replication"].nunique(), 0)
    note = say("lives.note", count=kept, people=people)
    message = say.sentences(_sentence(run, life) for life in lives)
    chart = _drawn(run, points, list(names.values()), message)
    return Figure(title, chart, Table(title, header, rows, note, texts=5))


def _sentence(run: Run, life: Life) -> str:
    """One life in one sentence."""
    say, person, happened = run.say, life.person, life.happened

    visits = happened["what"].isin(["visit", "out_of_window"]).sum()
    out = happened[happened["what"] == "out"]["detail"]
    values = {blank: _day(run, person[at]) for blank, at in (("came", "date"), ("last", "last_on"))}
    if person["arm"]:
        values |= {
            "arm": run.arm_title(person["arm"]),
            "randomised": _day(run, person["randomised_on"]),
        }
    return say(
        f"lives.{life.kind}",
        reason=say.title(out.iloc[-1]),
        visits=say.number(visits, 0),
        **values,
    )


def _day(run: Run, written: str) -> str:
    return run.say.day(date.fromisoformat(written))


def _drawn(run: Run, points: pd.DataFrame, names: list[str], message: str) -> Chart:
    """A line a life with three lanes of symbols: milestones above, visits on it, doses below."""
    kinds = {run.say(f"lives.{what}"): symbol for what, symbol in SYMBOLS.items()}
    seen = {name: symbol for name, symbol in kinds.items() if name in set(points["series"])}
    ends = points.groupby("label")["day"].agg(["min", "max"]).reset_index()
    x = alt.X("day:Q", title=run.say("lives.axis"))
    y = alt.Y("label:N", sort=names, title=None, axis=alt.Axis(labelLimit=240, ticks=False))
    lines = alt.Chart(ends).mark_rule(color=GREY).encode(x=alt.X("min:Q"), x2="max:Q", y=y)
    key = legend([*seen], beside=names)
    shapes = alt.Scale(domain=[*seen], range=[symbol.shape for symbol in seen.values()])
    colours = alt.Scale(domain=[*seen], range=[symbol.colour for symbol in seen.values()])
    lanes = [
        alt.Chart(ours)
        .mark_point(filled=True, size=80, stroke="white", strokeWidth=0.6, yOffset=lane)
        .encode(
            x=x,
            y=y,
            shape=alt.Shape("series:N", sort=[*seen], scale=shapes, legend=key),
            color=alt.Color("series:N", sort=[*seen], scale=colours, legend=key),
            opacity=picked(),
            tooltip=[alt.Tooltip(f"{name}:N", title=" ") for name in ("series", "named", "date")],
        )
        for lane, ours in points.groupby(points["what"].map(lambda what: SYMBOLS[what].lane))
    ]
    return finish(layered([lines, *lanes]), ROW * len(names), message)
