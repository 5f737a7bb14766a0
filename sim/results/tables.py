"""The tables of folders: each declared once, by its file, with its columns and what builds it.

A table is a DataFrame in the columns readers rely on. Floats are as computed; `never` is infinite
here and a word in the files (see folder). Dates are text, as in the files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.results import logs
from sim.results.counts import COUNTS, FAILURES, P05_TO_P95
from sim.results.fold import Results
from sim.results.tally import rank
from sim.scenario.protocol import Protocol
from sim.vocabulary.eventlog import VisitOutcome
from sim.vocabulary.intervals import of_mean, of_share


class Layout(NamedTuple):
    """A table of a folder: its columns with their kinds (text, date or number) and its builder.

    The builder gives the rows, or the table where it works out its columns. Columns that are not
    named are measures or paths of the scenario: what stands in them says its kind.
    """

    columns: Mapping[str, type] = MappingProxyType({})
    build: Callable[[Results], Iterable[Any] | pd.DataFrame] | None = None

    @property
    def texts(self) -> list[str]:
        """The columns of text, dates included."""
        return [column for column, kind in self.columns.items() if kind in (str, date)]

    def frame(self, rows: Iterable[Any] | pd.DataFrame) -> pd.DataFrame:
        """The rows as a table."""
        if isinstance(rows, pd.DataFrame):
            return rows
        return pd.DataFrame(rows, columns=list(self.columns))


def build(results: Results) -> dict[str, pd.DataFrame]:
    """Every table of a run, by the name of its file."""
    return {name: each.frame(each.build(results)) for name, each in TABLES.items() if each.build}


def _summary(results: Results) -> Iterator[tuple[str | float, ...]]:
    """Mean, sd and interval are blank where any replication is never; blanks are left out."""
    for name, values in results.measures.items():
        known = np.sort(values[~np.isnan(values)])
        finite = known if np.isfinite(known).all() else known[:0]
        mean = finite.mean() if len(finite) else math.nan
        sd = finite.std(ddof=1) if len(finite) > 1 else math.nan
        quantiles = (_quantile(known, percent) for percent in P05_TO_P95)
        unit = results.protocol.measures[name]
        yield name, unit, mean, sd, *quantiles, *of_mean(finite), len(known)


def _quantile(ordered: NDArray[np.float64], percent: int) -> float:
    return float(ordered[rank(percent, len(ordered)) - 1]) if len(ordered) else math.nan


def _targets(results: Results) -> Iterator[tuple[str | float, ...]]:
    """Met or missed only where the whole interval lies on one side of what is wanted."""
    for name, target in results.scenario.targets.items():
        times, replications = results.met(target), results.replications
        bounds = {"at least": target.at_least, "at most": target.at_most}
        needed = " and ".join(f"{word} {b:g}" for word, b in bounds.items() if b is not None)
        wanted, (low, high) = float(target.with_probability), of_share(times, replications)
        verdict = "met" if low >= wanted else "missed" if high < wanted else "undecided"
        yield name, target.measure, needed, wanted, times / replications, low, high, verdict


def _replications(results: Results) -> pd.DataFrame:
    """One row a replication; the date of the target stands beside its day."""
    table = pd.DataFrame(results.measures)
    days = table["day_of_target"]
    opens = results.protocol.clock.opens
    dates = [
        "never" if day == math.inf else "" if math.isnan(day) else str(opens + timedelta(days=day))
        for day in days
    ]
    table.insert(list(table).index("day_of_target") + 1, "date_of_target", dates)
    table.insert(0, "replication", np.arange(1, len(table) + 1))
    return table


def _counted(results: Results, name: str) -> pd.DataFrame:
    """Key columns, mean and quantiles of what a table's gauges counted."""
    counted, parts = COUNTS[name], []
    for tally in results.tallies[name]:
        quantiles = {f"p{percent:02}": tally.quantile(percent) for percent in counted.percents}
        part = pd.DataFrame(tally.cells, columns=list(counted.keys))
        parts.append(part.assign(mean=tally.mean(), **quantiles))
    table = pd.concat(parts, ignore_index=True)
    return _in_order(table, list(counted.keys), results.protocol) if counted.discovered else table


def _in_order(table: pd.DataFrame, keys: list[str], protocol: Protocol) -> pd.DataFrame:
    order: dict[str, Iterable[str]] = {
        "row": protocol.rows,
        "arm": [arm.name for arm in protocol.arms],
        "outcome": ("planned", *VisitOutcome, "not_reached"),
        "role": [resource.name for resource in protocol.resources],
    }
    places = {key: {name: at for at, name in enumerate(names)} for key, names in order.items()}
    return table.sort_values(
        keys,
        key=lambda column: column.map(places.get(str(column.name), lambda name: name)),
        ignore_index=True,
    )


def _funnel(results: Results) -> pd.DataFrame:
    """Means per replication of how many reached each step and failed there."""
    counts = _counted(results, "funnel")
    table = counts.pivot(index="step", columns="failure", values="mean")  # noqa: PD010  no aggregation is meant
    table = table.loc[counts["step"].unique(), list(FAILURES)].rename_axis(columns=None)
    table["share_failing"] = table["failed_any"] / table["reached"]
    return table.reset_index()


def _logged(rows: Callable[..., Iterable[dict[str, Any]]]) -> Callable[[Results], Iterable[Any]]:
    """What builds a table of the logs kept whole from the rows of one log."""
    return lambda results: (
        {"replication": replication, **row}
        for replication, log in enumerate(results.logs, 1)
        for row in rows(results.protocol, log)
    )


def differences(replications: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return compare.csv: every scenario's measures against those of the first scenario.

    `replications` holds each scenario's replications.csv, all of one seed and length. The
    difference is scenario minus baseline, its 95 % interval that of the mean of the pairs'
    differences. Only measures of both are compared, over the pairs in which both are known; mean,
    difference and interval are blank where any of these is never. `chance_higher` is the share of
    pairs in which the scenario's value is higher, never counting as later than every day;
    `variance_ratio` is by how much the variance of an unpaired comparison exceeds that of the
    pairs (Law 2015, Simulation Modeling and Analysis, section 11.2), blank where no pair differs.
    """
    baseline, *others = replications
    rows = [
        (measure, other, *_compared(replications[baseline][measure], replications[other][measure]))
        for measure in map(str, replications[baseline])
        if measure not in TABLES["replications.csv"].columns
        for other in others
        if measure in replications[other]
    ]
    return TABLES["compare.csv"].frame(rows)


def _compared(*sides: pd.Series) -> tuple[float, ...]:
    ours, theirs = (
        pd.to_numeric(side.replace("never", math.inf)).to_numpy(np.float64) for side in sides
    )
    known = ~(np.isnan(ours) | np.isnan(theirs))
    ours, theirs = ours[known], theirs[known]
    if not len(ours):
        return (math.nan,) * 6
    higher = float((theirs > ours).mean())
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return math.nan, math.nan, math.nan, math.nan, higher, math.nan
    apart = theirs - ours
    low, high = of_mean(apart)
    ratio = math.nan
    if len(apart) > 1 and apart.var(ddof=1) > 0:
        ratio = float((ours.var(ddof=1) + theirs.var(ddof=1)) / apart.var(ddof=1))
    return float(ours.mean()), float(apart.mean()), low, high, higher, ratio


QUANTILES = {f"p{percent:02}": float for percent in P05_TO_P95}
INTERVAL = {"ci_low": float, "ci_high": float}
SUMMARY = {"measure": str, "unit": str, "mean": float, "sd": float, **QUANTILES, **INTERVAL}
TARGET = {"target": str, "measure": str, "needed": str, "with_probability": float}
PAIRED = {"measure": str, "scenario": str, "baseline_mean": float, "difference": float, **INTERVAL}
TABLES = {
    "summary.csv": Layout(SUMMARY | {"replications": int}, _summary),
    "targets.csv": Layout(TARGET | {"probability": float, **INTERVAL, "verdict": str}, _targets),
    "replications.csv": Layout({"replication": int, "date_of_target": date}, _replications),
    **{
        f"{name}.csv": Layout(counted.keys, partial(_counted, name=name))
        for name, counted in COUNTS.items()
    },
    "funnel.csv": Layout({"step": str}, _funnel),  # one of those above, laid out in its own way
    "participants.csv.gz": Layout(logs.PARTICIPANT_COLUMNS, _logged(logs.participants)),
    "events.csv.gz": Layout(logs.EVENT_COLUMNS, _logged(logs.events)),
    "work.csv.gz": Layout(logs.WORK_COLUMNS, _logged(logs.work)),
    "compare.csv": Layout(PAIRED | {"chance_higher": float, "variance_ratio": float}),
    "planned.csv": Layout(),
    "points.csv": Layout({"point": int, "digest": str, "status": str}),
    "sensitivity.csv": Layout(
        {"path": str, "measure": str, "index": str, "value": float} | INTERVAL
    ),
    "solve.csv": Layout({"path": str, "target": str, "verdict": str}),
}
