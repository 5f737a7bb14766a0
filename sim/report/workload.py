"""Question 3 of the page: who works how much, when and at what, and what participants bear."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple

import pandas as pd

from sim.report.charts import (
    BLUE,
    DASHED,
    DOTTED,
    GREEN,
    GREY,
    LOOKS,
    LOW,
    Look,
    bars,
    field,
    lines,
)
from sim.report.page import (
    MEAN_AND_QUANTILES,
    P10_P50_P90,
    Answer,
    Figure,
    Part,
    Table,
    figure,
    table_of,
)
from sim.report.run import Run
from sim.report.supply import supplied
from sim.results.measures import DESK_WORKING_DAYS
from sim.scenario.design import those_in
from sim.vocabulary.clock import WEEKDAYS

WEEKLY = {"asked": Look(BLUE), "worked": Look(GREEN, DOTTED), "available": Look(GREY, DASHED)}
BURDEN = ("site_trips", "visits", "site_hours")
ANY_YEAR = 2023

SHOWN_FROM = 0.1
"""Share of the fullest desk from which on another is drawn beside it."""

IDLE_BELOW = 1 / 3
"""Share of its hours below which a role has a row in the table and no chart."""


def workload(run: Run) -> Answer:
    """Return who works how much, and when."""
    say, title = run.say, run.say("work.title")
    roles = list(run.tables["workload.csv"]["role"].drop_duplicates())
    busy = [role for role in roles if (weeks(run, role, "asked_hours")["mean"] > 0).any()]
    never = list(_never_there(run, roles))
    if not busy:
        return Answer("work", title, say("work.nobody"), never)
    lead, *paragraphs = [*_sentences(run, busy), *never]
    by_use = sorted(busy, key=lambda role: -_used(run, role))
    tight = [role for role in by_use if _used(run, role) >= IDLE_BELOW] or by_use[:1]
    waiting, weekly = list(_waiting(run, busy)), [_week(run, role) for role in tight]
    more: list[Part] = [
        _roles(run, roles),
        *(weekly if waiting else weekly[1:]),
        *supplied(run),
        *_closer(run, [role for role in tight if role in run.scenario.design.staff]),
    ]
    return Answer("work", title, lead, paragraphs, waiting or weekly[:1], more)


def weeks(run: Run, role: str, quantity: str) -> pd.DataFrame:
    """Return one role's weeks of one quantity: at, mean, p10, p50, p90."""
    return run.quantities("workload.csv", role=role, quantity=quantity)


def _used(run: Run, role: str) -> float:
    """The share of its hours that a role works; a room, and a role without limit, comes last."""
    used = float(run.mean(f"{role}_utilisation"))
    return used if role in run.scenario.design.staff and not math.isnan(used) else -1.0


class Pile(NamedTuple):
    """The role with most desk work left waiting, its hours in the worst week, and since when.

    `since` is the first day of the week from which on the median trial has more waiting than the
    role has hours in an ordinary week; None where it never has.
    """

    role: str
    hours: float
    since: date | None


def piles_up(run: Run) -> Pile | None:
    """Return where most desk work is left waiting on average; None where none to speak of is."""
    piles = [_pile(run, role) for role in run.scenario.design.staff]
    worst = max(piles, key=lambda pile: pile.hours, default=None)
    return worst if worst is not None and worst.since is not None else None


def _pile(run: Run, role: str) -> Pile:
    waiting, there = (weeks(run, role, f"{what}_hours") for what in ("backlog", "available"))
    behind = waiting[waiting["p50"] > there["mean"].median()]
    since = None if behind.empty else behind["at"].iloc[0].date()
    return Pile(role, waiting["mean"].max() if len(waiting) else 0.0, since)


def _sentences(run: Run, busy: list[str]) -> Iterator[str]:
    """Which role is the tightest, if any role's hours are limited, and how the desks keep up."""
    say, staff = run.say, [role for role in busy if role in run.scenario.design.staff]
    tightest = max(staff, key=lambda role: _used(run, role), default=None)
    if tightest is not None and _used(run, tightest) >= 0:
        if piled := piles_up(run):
            yield say("work.piles_up", role=piled.role, since=piled.since)
        else:
            yield say("work.keeps_up")
        yield say("work.backlog", **run.spread("desk_backlog_peak_hours"))
        busiest = run.spread(f"{tightest}_asked_hours_busiest_week")
        used = _used(run, tightest)
        yield say("work.busiest_week", role=tightest, utilisation=used, **busiest)
    else:
        yield say("work.lead_free")
        yield say("work.backlog", **run.spread("desk_backlog_peak_hours"))
    in_time, oldest = run.mean("desk_share_in_time"), run.spread("desk_oldest_days")
    if not math.isnan(in_time):
        yield say("work.desk", share=in_time, days=DESK_WORKING_DAYS, **oldest)


def _never_there(run: Run, roles: list[str]) -> Iterator[str]:
    """Whom tasks ask for without a single hour of theirs in the whole trial."""
    teams = run.scenario.design.teams.values()
    asked = {name for team in teams for member in team for name in those_in(member)}
    absent = [
        run.say.title(role)
        for role in roles
        if role in asked and (weeks(run, role, "available_hours")["mean"] == 0).all()
    ]
    if absent:
        yield run.say("work.never_there", roles=run.say.listing(absent))


def _roles(run: Run, roles: list[str]) -> Table:
    """Hours of each role over the whole run."""
    frame = pd.DataFrame({"role": role, **_row(run, role)} for role in roles)
    columns = {"role": "name", **dict.fromkeys(frame.columns[1:], "figure")}
    return table_of(run.say, "roles", frame, columns)


def _row(run: Run, role: str) -> dict[str, str]:
    say, there = run.say, weeks(run, role, "available_hours")["mean"]
    every, in_vain = (run.mean(f"{role}_{what}") for what in ("hours", "hours_never_randomised"))
    is_limited = len(there) and there.notna().all()
    return {
        "available": say.number(there.sum(), 0) if is_limited else say("work.unlimited"),
        "worked": run.mean_within(f"{role}_hours", 0),
        "utilisation": say.percent(run.mean(f"{role}_utilisation")),
        "busiest": run.mean_within(f"{role}_asked_hours_busiest_week"),
        "overtime": run.mean_within(f"{role}_overtime_hours"),
        # To people who are never randomised.
        "in_vain": say.percent(in_vain / every if every else math.nan),
    }


def _week(run: Run, role: str) -> Figure:
    """The hours asked of a role and worked by it, week by week, under the hours available."""
    say = run.say
    asked, worked, available = (weeks(run, role, f"{what}_hours") for what in WEEKLY)
    single = [worked[["at", "p50"]], available[["at", "mean"]].rename(columns={"mean": "p50"})]
    drawn = pd.concat(
        each.assign(series=say(f"week_series.{what}"))
        for what, each in zip(WEEKLY, (asked, *single), strict=True)
    )
    behind = asked.set_index("at")[[*P10_P50_P90]].add_prefix("asked_")
    behind = behind.assign(
        worked=worked.set_index("at")["p50"], available=available.set_index("at")["mean"]
    )
    peak = run.mean(f"{role}_asked_hours_busiest_week")
    ordinary = available["mean"].median()
    return figure(
        say,
        "week",
        partial(lines, steps=True, height=LOW, looks=list(WEEKLY.values())),
        drawn,
        {"at": "day", **dict.fromkeys(behind.columns, "number")},
        behind=behind.reset_index(),
        message=say("week.message_free", peak=peak) if math.isnan(ordinary) else "",
        role=role,
        peak=peak,
        available=ordinary,
    )


def _waiting(run: Run, roles: Sequence[str]) -> Iterator[Figure]:
    """The desk work left waiting, for the roles that ever have any."""
    say, waited = run.say, [(role, weeks(run, role, "backlog_hours")) for role in roles]
    backlogs = {role: each for role, each in waited if (each["p90"] > 0).any()}
    if not backlogs:
        return
    highest = pd.DataFrame(
        {"role": role, **each[[*P10_P50_P90]].max().add_prefix("highest_")}
        for role, each in backlogs.items()
    )
    # Beside a desk that is full, one where hardly anything lies shows nothing.
    most = highest["highest_p90"].max()
    backlogs = {
        role: each for role, each in backlogs.items() if each["p90"].max() >= SHOWN_FROM * most
    }
    worst, piled = highest.iloc[int(highest["highest_p90"].argmax())], piles_up(run)
    drawn = pd.concat(each.assign(series=say.title(role)) for role, each in backlogs.items())
    yield figure(
        say,
        "waiting",
        lines,
        drawn,
        {"role": "name", **dict.fromkeys(highest.columns[1:], "number")},
        behind=highest,
        message="" if piled else say("waiting.message_none", peak=worst["highest_p90"]),
        role=worst["role"] if piled is None else piled.role,
        since=run.opens if piled is None else piled.since,
        peak=worst["highest_p90"],
    )


def _closer(run: Run, staff: Sequence[str]) -> Iterator[Figure]:
    """Each role's year, what its hours go to, and the burden per participant."""
    loads = run.tables["load.csv"].query("role in @staff")
    highest = loads["mean"].max()
    for role in staff:
        load = loads[loads["role"] == role]
        if load["mean"].sum() > 0:
            yield _year(run, role, load, highest)
    tasks = run.tables["activity.csv"].query("role in @staff and mean > 0")
    if len(tasks):
        yield _activities(run, tasks, staff)
    if run.anybody_randomised:
        yield _burden(run)


def _year(run: Run, role: str, load: pd.DataFrame, highest: float) -> Figure:
    """The hours of a role by ISO week and weekday, the shades up to the highest of all roles."""
    say = run.say
    hours = load.pivot_table("mean", "iso_week", "weekday").reindex(columns=list(WEEKDAYS))
    by_day, by_week = hours.mean(), hours.sum(axis=1)
    cells = load.assign(order=load["weekday"].map(WEEKDAYS.index)).sort_values(
        ["order", "iso_week"]
    )
    # The week in which a month begins, or that follows.
    months = {
        date(ANY_YEAR, month, 4).isocalendar().week: name
        for month, name in enumerate(say.lists["months_short"], 1)
    }
    return figure(
        say,
        "load",
        partial(field, across=say("load.across"), named=months, highest=highest),
        pd.DataFrame(
            {
                "across": cells["iso_week"],
                "down": cells["weekday"].map(say.heading),
                "value": cells["mean"],
            }
        ),
        {"iso_week": "text", **dict.fromkeys(WEEKDAYS, "number")},
        behind=hours.reset_index(),
        role=role,
        weekday=str(by_day.idxmax()),
        day_hours=by_day.max(),
        week=by_week.idxmax(),
        week_hours=by_week.max(),
    )


def _activities(run: Run, tasks: pd.DataFrame, staff: Sequence[str]) -> Figure:
    """The hours of each role by task, the most first."""
    say = run.say
    ours = tasks.assign(order=tasks["role"].map(staff.index)).sort_values(
        ["order", "mean"], ascending=[True, False], kind="stable"
    )
    roles, named = ours["role"].map(say.heading), ours["task"].map(say.title)
    share = ours["mean"] / ours.groupby("role")["mean"].transform("sum")
    frame = ours.assign(label=list(map(say.part, roles, named)), series=roles, share=share)
    most = frame.iloc[int(frame["mean"].argmax())]
    return figure(
        say,
        "activity",
        partial(bars, looks=[LOOKS[place % len(LOOKS)] for place in ours["order"].unique()]),
        frame,
        {"label": "text", **MEAN_AND_QUANTILES, "share": "share"},
        task=most["task"],
        role=most["role"],
        hours=most["mean"],
        share=most["share"],
    )


def _burden(run: Run) -> Figure:
    """Trips, visits and hours at the site of a participant, by arm."""
    say = run.say
    frame = pd.DataFrame(
        {
            "quantity": quantity,
            "label": say(f"burden.{quantity}"),
            "series": run.arm_title(arm.name),
            "arm": run.arm_title(arm.name),
            **run.measure(f"{quantity}_per_participant_{arm.name}")[[*MEAN_AND_QUANTILES]],
        }
        for quantity in BURDEN
        for arm in run.protocol.arms
    ).dropna(subset="mean")
    means = frame.pivot_table("mean", "series", "quantity")
    most = means.iloc[int(means["site_trips"].argmax())]
    return figure(
        say,
        "burden",
        bars,
        frame,
        {"label": "text", "arm": "text", **MEAN_AND_QUANTILES},
        arm=most.name,
        trips=most["site_trips"],
        hours=most["site_hours"],
    )
