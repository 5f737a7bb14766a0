"""Question 2, closer up: whether visits keep their windows, and what weekends do to doses."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sim.report.bars import stacked_bars
from sim.report.charts import BLUE, ORANGE, SKY, SOLID, VERMILION, Frame, Series
from sim.report.page import Figure, Row, Run, Table

PALE = "#D1D5DB"
FATES = {
    "on_the_day": BLUE,
    "moved": SKY,
    "out_of_window": ORANGE,
    "missed": VERMILION,
    "not_reached": PALE,
}
OF_DOSES = {
    "on_the_day": "finished.on_the_day",
    "moved": "doses.moved",
    "missed": "finished.missed",
}
"""What becomes of a dose, and its text: a dose may be moved beyond its window as well."""

OFF_DAYS = ("weekend", "holiday")


def figures(run: Run) -> Iterator[Figure]:
    """What becomes of the visits planned, and of the doses by the kind of day planned for."""
    yield _windows(run)
    if run.tables["dose_days.csv"]["mean"].sum() > 0:
        yield _doses(run)


def _windows(run: Run) -> Figure:
    """What became of the visits planned, per row of the schedule."""
    say, title, means = run.say, run.say("finished.visits"), _fates(run.tables["visits.csv"])
    shares = means[list(FATES)].div(means["planned"].where(means["planned"] > 0), axis=0)
    series = [Series(say(f"finished.{fate}"), colour, SOLID) for fate, colour in FATES.items()]
    bars = pd.concat(
        [
            pd.DataFrame(
                {"label": list(map(say.heading, shares.index)), "series": one.name, "value": share}
            )
            for one, (_, share) in zip(series, shares.items(), strict=True)
        ]
    ).dropna()
    every = means[list(FATES)].sum() / means["planned"].sum()
    kept = shares["on_the_day"] + shares["moved"]
    message = say(
        "finished.visits_message",
        on_the_day=say.percent(every["on_the_day"]),
        moved=say.percent(every["moved"]),
        name=say.heading(str(kept.idxmin())),
        share=say.percent(kept.min()),
    )
    chart = stacked_bars(bars, series, Frame(say("finished.visits_axis"), message, share=True))
    rows = [
        Row(
            [
                say.heading(row),
                say.number(means["planned"][row]),
                *map(say.percent, shares.loc[row]),
                _main_reason(run, row),
            ]
        )
        for row in map(str, means.index)
    ]
    header = [say(f"finished.{name}") for name in ("visit", "planned", *FATES, "main_reason")]
    return Figure(title, chart, Table(title, header, rows, say("finished.visits_note")))


def _fates(visits: pd.DataFrame) -> pd.DataFrame:
    """Means per row of the schedule: planned, and each fate; in the order of the schedule."""
    means = visits.pivot_table("mean", "row", "outcome", "sum", sort=False)
    return means.reindex(columns=["planned", *FATES]).fillna(0.0)


def _main_reason(run: Run, row: str) -> str:
    """Why most of the visits of a row that went wrong, though their time came, did so."""
    visits = run.tables["visits.csv"]
    wrong = visits[(visits["row"] == row) & visits["outcome"].isin(["out_of_window", "missed"])]
    reasons = wrong.groupby("reason")["mean"].sum()
    return run.say.title(str(reasons.idxmax())) if reasons.sum() > 0 else ""


def _doses(run: Run) -> Figure:
    """Doses by the kind of day they were planned for, and what became of them."""
    say, title = run.say, run.say("doses.title")
    doses = run.tables["dose_days.csv"].pivot_table(
        "mean", ["product", "day"], "quantity", "sum", sort=False
    )
    doses = doses[doses[["planned", "given"]].sum(axis=1) > 0]
    labels = [say.part(say.heading(product), say.title(day)) for product, day in doses.index]
    series = [Series(say(key), FATES[fate], SOLID) for fate, key in OF_DOSES.items()]
    bars = pd.concat(
        [
            pd.DataFrame({"label": labels, "series": one.name, "value": list(doses[fate])})
            for one, fate in zip(series, OF_DOSES, strict=True)
        ]
    )
    off = doses[doses.index.isin(OFF_DAYS, level="day")].sum()
    message = say(
        "doses.message",
        planned=say.number(off["planned"]),
        every=say.number(doses["planned"].sum()),
        **{fate: say.number(off[fate]) for fate in OF_DOSES},
    )
    chart = stacked_bars(bars, series, Frame(say("doses.axis"), message))
    columns = ["planned", *OF_DOSES, "given"]
    rows = [
        Row([label, *map(say.number, figures)])
        for label, figures in zip(labels, doses[columns].to_numpy(), strict=True)
    ]
    header = [say("doses.day"), say("finished.planned")]
    header += [*(one.name for one in series), say("doses.given")]
    return Figure(title, chart, Table(title, header, rows, say("doses.note")))
