"""The product's part of question 3: how much is wanted in which month, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from sim.report import charts
from sim.report.charts import BLUE, SOLID, Frame, Series
from sim.report.page import Figure, Row, Run, Table
from sim.vocabulary.words import BLANK

LOW = 190
LOSSES = {
    "wasted": "doses_wasted",
    "late": "doses_late",
    "failed_release": "releases_failed",
    "vials": "vials",
    "returned": "vials_returned",
    "lost": "vials_lost",
    "stockouts": "stockouts",
    "empty": "stockout_days",
}
"""The columns of the table of what went wrong, and their measures."""


def parts(run: Run) -> Iterator[Figure | Table]:
    """Each product's monthly demand, then what went wrong with all of them."""
    given = [
        product.name
        for product in run.protocol.products
        if run.measure(f"doses_{product.name}")["mean"] > 0
    ]
    yield from (_demand(run, product) for product in given)
    if given:
        yield _losses(run, given)


def _demand(run: Run, product: str) -> Figure:
    """The doses of a product, month by month."""
    say, title = run.say, run.say("supply.title", product=run.say.heading(product))
    doses = _monthly(run, product, "doses")
    one = Series(say("supply.series"), BLUE, SOLID)
    points = doses.rename(columns=charts.BAND).assign(series=one.name)
    busiest = doses.sort_values("p90", kind="stable").iloc[-1]
    message = say(
        "supply.message", month=say.month(busiest["date"]), high=say.number(busiest["p90"], 0)
    )
    frame = Frame(say("supply.axis"), message, steps=True, height=LOW)
    chart = charts.over_time(points, points, [one], frame)
    return Figure(title, chart, _months(run, title, product, doses))


def _months(run: Run, title: str, product: str, doses: pd.DataFrame) -> Table:
    """The months behind a chart: doses and units, and what is in stock where there is a stock."""
    say, unit = run.say, next(p.unit for p in run.protocol.products if p.name == product)
    whole = partial(say.number, digits=0)
    columns = [doses[quantile].map(whole) for quantile in ("p10", "p50", "p90")]
    columns += [
        doses["mean"].map(say.number),
        _monthly(run, product, "units")["mean"].map(say.plain),
    ]
    header = [say("supply.month"), *(f"{say('supply.doses')} {q}" for q in ("P10", "P50", "P90"))]
    header += [say("supply.mean"), say("supply.units", unit=say.own(unit) or say("supply.unit"))]
    stock = _monthly(run, product, "stock")
    if len(stock):
        columns.append(stock["p10"].map(whole))
        header.append(say("supply.stock"))
    cells = zip(doses["date"].map(say.day), *columns, strict=True)
    return Table(title, header, [Row(row) for row in cells])


def _losses(run: Run, products: list[str]) -> Table:
    """What was wasted, late, not released, returned or out of stock; a dash where not counted."""
    say, known = run.say, set(run.tables["summary.csv"]["measure"])
    names = {product: [f"{m}_{product}" for m in LOSSES.values()] for product in products}
    rows = [
        Row(
            [
                say.heading(product),
                *(_spread(run, name) if name in known else BLANK for name in each),
            ]
        )
        for product, each in names.items()
    ]
    header = [say("supply.product"), *(say(f"supply.{column}") for column in LOSSES)]
    return Table(say("supply.losses"), header, rows, say("supply.losses_note"))


def _spread(run: Run, name: str) -> str:
    measure = run.measure(name)
    span = run.say.span(*(run.say.number(measure[end], 0) for end in ("p10", "p90")))
    return run.say.aside(run.say.number(measure["mean"]), span)


def _monthly(run: Run, product: str, quantity: str) -> pd.DataFrame:
    """One product's months of one quantity: date, mean, p10, p50, p90."""
    table = run.tables["supply.csv"]
    ours = table[(table["product"] == product) & (table["quantity"] == quantity)]
    return ours.assign(date=pd.to_datetime(ours["month"])).sort_values("date")
