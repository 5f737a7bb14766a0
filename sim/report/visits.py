"""Question 2, closer up: whether visits keep their windows, and what weekends do to doses."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from sim.report.charts import BLUE, ORANGE, SKY, VERMILION, Look, bars
from sim.report.page import Figure, Table, figure, heading, table_of
from sim.report.run import Run

FATES = {
    "on_the_day": Look(BLUE),
    "moved": Look(SKY),
    "out_of_window": Look(ORANGE),
    "missed": Look(VERMILION),
    "not_reached": Look("#D1D5DB"),
}
MOVES = ("moved", "out_of_window", "missed")
"""Outcomes that have a cause."""

OFF_DAYS = ("weekend", "holiday")


def windows(run: Run) -> Figure:
    """Return what became of the visits planned, per row of the schedule."""
    say, visits = run.say, run.tables["visits.csv"]
    means = visits.pivot_table("mean", "row", "outcome", "sum", sort=False)
    means = means.reindex(columns=["planned", *FATES]).fillna(0.0)
    shares = means[[*FATES]].div(means["planned"].where(means["planned"] > 0), axis=0)
    named = {fate: heading(say, "windows", fate) for fate in FATES}
    every = means[[*FATES]].sum() / means["planned"].sum()
    kept = shares["on_the_day"] + shares["moved"]
    reasons = [_main_reason(run, visits[visits["row"] == row]) for row in means.index]
    behind = shares.assign(planned=means["planned"], main_reason=reasons).reset_index()
    return figure(
        say,
        "windows",
        partial(bars, unit="share", stacked=True, looks=list(FATES.values())),
        _long(behind.dropna().assign(label=list(map(say.heading, kept.dropna().index))), named),
        {
            "row": "name",
            "planned": "number",
            **dict.fromkeys(FATES, "share"),
            "main_reason": "text",
        },
        behind=behind,
        on_the_day=every["on_the_day"],
        moved=every["moved"],
        name=str(kept.idxmin()),
        share=kept.min(),
    )


def _main_reason(run: Run, visits: pd.DataFrame) -> str:
    """Why most of the visits of a row that went wrong, though their time came, did so."""
    wrong = visits[visits["outcome"].isin(["out_of_window", "missed"])]
    reasons = wrong.groupby("reason")["mean"].sum()
    return run.say.title(str(reasons.idxmax())) if reasons.sum() > 0 else ""


def _long(wide: pd.DataFrame, named: dict[str, str]) -> pd.DataFrame:
    """The columns that are named one below the other, as bars are drawn: label, series, value."""
    return wide.rename(columns=named).melt("label", list(named.values()), "series")


def doses(run: Run) -> Iterator[Figure]:
    """Yield a figure a product: its doses by the kind of day planned for, and their fate.

    Products share no axis: of one there may be ten times as many doses as of another.
    """
    if run.tables["dose_days.csv"].empty:
        return
    table = run.tables["dose_days.csv"].pivot_table(
        "mean", ["product", "day"], "quantity", "sum", sort=False
    )
    table = table[table[["planned", "given"]].sum(axis=1) > 0]
    for product, days in table.groupby("product", sort=False):
        yield _doses(run, str(product), days.droplevel("product"))


def _doses(run: Run, product: str, days: pd.DataFrame) -> Figure:
    """What became of the doses of a product, by the kind of day they were planned for."""
    say, off = run.say, days[days.index.isin(OFF_DAYS)].sum()
    named = {fate: heading(say, "doses", fate) for fate in ("on_the_day", "moved", "missed")}
    frame = days.assign(label=[say.heading(day) for day in days.index])
    return figure(
        say,
        "doses",
        partial(bars, stacked=True, looks=[FATES[fate] for fate in named]),
        _long(frame, named),
        {"label": "text"} | dict.fromkeys(("planned", *named, "given"), "number"),
        behind=frame,
        product=product,
        every=days["planned"].sum(),
        **{fate: off[fate] for fate in ("planned", *named)},
    )


def causes(run: Run) -> Iterator[Table]:
    """Yield what moved visits inside their window, put them outside it, or made them missed."""
    visits = run.tables["visits.csv"].query("outcome in @MOVES")
    if visits.empty:
        return
    wide = visits.pivot_table("mean", "reason", "outcome", "sum")
    wide = wide.reindex(columns=[*MOVES]).fillna(0.0)
    order = wide.sum(axis=1).sort_values(ascending=False, kind="stable").index
    columns = {"reason": "name"} | dict.fromkeys(MOVES, "number")
    yield table_of(run.say, "causes", wide.loc[order].reset_index(), columns)
