"""The product's part of question 3: how much is wanted in which month, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from sim.report.charts import LOW, lines
from sim.report.page import P10_P50_P90, Figure, Table, figure, table_of
from sim.report.run import Run
from sim.vocabulary.words import BLANK

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


def supplied(run: Run) -> Iterator[Figure | Table]:
    """Yield each product's monthly demand, then what went wrong with all of them."""
    given = [
        product.name
        for product in run.protocol.products
        if run.measure(f"doses_{product.name}")["mean"] > 0
    ]
    yield from (_demand(run, product) for product in given)
    if given:
        yield _losses(run, given)


def _demand(run: Run, product: str) -> Figure:
    """The doses of a product, month by month, and its units and stock behind them."""
    say, unit = run.say, next(p.unit for p in run.protocol.products if p.name == product)
    doses, units, stock = (
        run.quantities("supply.csv", product=product, quantity=quantity).set_index("at")
        for quantity in ("doses", "units", "stock")
    )
    behind = doses.add_prefix("doses_").assign(mean=doses["mean"], units=units["mean"])
    columns = {"at": "day", **{f"doses_{quantile}": "count" for quantile in P10_P50_P90}}
    columns |= {"mean": "number", "units": "plain"}
    if len(stock):
        behind, columns = behind.assign(stock=stock["p10"]), columns | {"stock": "count"}
    busiest = doses["p90"].sort_values(kind="stable").index[-1]
    return figure(
        say,
        "supply",
        partial(lines, steps=True, height=LOW),
        doses.reset_index(),
        columns,
        behind=behind.reset_index(),
        product=product,
        unit=say.own(unit) or say("supply.unit"),
        month=busiest,
        high=doses["p90"][busiest],
    )


def _losses(run: Run, products: list[str]) -> Table:
    """What was wasted, late, not released, returned or out of stock; a dash where not counted."""
    known = set(run.tables["summary.csv"]["measure"])
    frame = pd.DataFrame(
        {
            "product": product,
            **{
                column: _spread(run, f"{measure}_{product}", known)
                for column, measure in LOSSES.items()
            },
        }
        for product in products
    )
    columns = {"product": "name"} | dict.fromkeys(LOSSES, "figure")
    return table_of(run.say, "losses", frame, columns)


def _spread(run: Run, name: str, known: set[str]) -> str:
    if name not in known:
        return BLANK
    mean, *ends = run.spread(name).values()
    return run.say.aside(run.say.number(mean), run.say.writer("counts")(ends))
