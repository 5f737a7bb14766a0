"""The tables of a run: what was folded, laid out as DataFrames in the columns readers rely on.

Floats are as computed; `never` is infinite here and a word in the files (see folder). Dates are
text, as in the files.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.results import logs
from sim.results.counts import FAILURES
from sim.results.fold import Results
from sim.results.tally import rank
from sim.scenario.schema import Target
from sim.vocabulary.eventlog import VisitOutcome
from sim.vocabulary.intervals import of_mean, of_share

SUMMARY_PERCENTS = (5, 10, 50, 90, 95)
OUTCOMES = ("planned", *VisitOutcome, "not_reached")


def build(results: Results) -> dict[str, pd.DataFrame]:
    """Every table of a run, by the name of its file."""
    return {
        "summary.csv": _summary(results),
        "targets.csv": _targets(results),
        "replications.csv": _replications(results),
        "enrolment.csv": _counted(results, "enrolment", ["month", "stage"], SUMMARY_PERCENTS),
        "funnel.csv": _funnel(results),
        "flow.csv": _counted(results, "flow", ["box", "arm", "reason"], (10, 90)),
        "visits.csv": _visits(results),
        "workload.csv": _counted(results, "workload", ["week", "role", "quantity"], (10, 50, 90)),
        "load.csv": _counted(results, "load", ["iso_week", "weekday", "role"], (10, 50, 90)),
        "activity.csv": _activity(results),
        "dose_days.csv": _counted(
            results, "dose_days", ["product", "day", "quantity"], (10, 50, 90)
        ),
        "supply.csv": _counted(results, "supply", ["month", "product", "quantity"], (10, 50, 90)),
        "participants.csv.gz": logs.participants(results.protocol, results.logs),
        "events.csv.gz": logs.events(results.protocol, results.logs),
        "work.csv.gz": logs.work(results.protocol, results.logs),
    }


def _summary(results: Results) -> pd.DataFrame:
    """Mean, sd and interval are blank where any replication is never; blanks are left out."""
    rows = []
    for name, values in results.measures.items():
        known = np.sort(values[~np.isnan(values)])
        finite = known if np.isfinite(known).all() else known[:0]
        rows.append(
            {
                "measure": name,
                "unit": results.protocol.measures[name],
                "mean": finite.mean() if len(finite) else math.nan,
                "sd": finite.std(ddof=1) if len(finite) > 1 else math.nan,
                **{f"p{percent:02}": _quantile(known, percent) for percent in SUMMARY_PERCENTS},
                **dict(zip(("ci_low", "ci_high"), of_mean(finite), strict=True)),
                "replications": len(known),
            }
        )
    return pd.DataFrame(rows)


def _quantile(ordered: NDArray[np.float64], percent: int) -> float:
    return float(ordered[rank(percent, len(ordered)) - 1]) if len(ordered) else math.nan


def _targets(results: Results) -> pd.DataFrame:
    columns = ["target", "measure", "needed", "with_probability", "probability"]
    columns += ["ci_low", "ci_high", "verdict"]
    rows = [
        (name, *_judged(target, results.met(target), results.replications))
        for name, target in results.scenario.targets.items()
    ]
    return pd.DataFrame(rows, columns=columns)


def _judged(target: Target, times: int, replications: int) -> tuple[str | float, ...]:
    """Met or missed only where the whole interval lies on one side of what is wanted."""
    bounds = {"at least": target.at_least, "at most": target.at_most}
    needed = " and ".join(f"{word} {b:g}" for word, b in bounds.items() if b is not None)
    wanted, (low, high) = float(target.with_probability), of_share(times, replications)
    verdict = "met" if low >= wanted else "missed" if high < wanted else "undecided"
    return target.measure, needed, wanted, times / replications, low, high, verdict


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


def _counted(results: Results, name: str, keys: list[str], percents: Sequence[int]) -> pd.DataFrame:
    """Key columns, mean and quantiles of all tallies of a table."""
    parts = []
    for table, tally in results.tallies:
        if table == name:
            part = pd.DataFrame(tally.cells, columns=keys)
            part["mean"] = tally.mean()
            for percent in percents:
                part[f"p{percent:02}"] = tally.quantile(percent)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _funnel(results: Results) -> pd.DataFrame:
    """Means per replication of how many reached each step and failed there."""
    counts = _counted(results, "funnel", ["step", "failure"], ())
    table = counts.pivot(index="step", columns="failure", values="mean")  # noqa: PD010  no aggregation is meant
    table = table.loc[counts["step"].unique(), list(FAILURES)].rename_axis(columns=None)
    table["share_failing"] = table["failed_any"] / table["reached"]
    return table.reset_index()


def _activity(results: Results) -> pd.DataFrame:
    """In the order of the roles; the tasks of each by name."""
    places = {each.name: place for place, each in enumerate(results.protocol.resources)}
    return _counted(results, "activity", ["role", "task"], (10, 50, 90)).sort_values(
        ["role", "task"],
        key=lambda column: column.map(places) if column.name == "role" else column,
        ignore_index=True,
    )


def _visits(results: Results) -> pd.DataFrame:
    """In the order of the schedule: the cells appear in whatever order they first occurred."""
    protocol = results.protocol
    places = {
        "row": {row: place for place, row in enumerate(protocol.rows)},
        "arm": {arm.name: place for place, arm in enumerate(protocol.arms)},
        "outcome": {outcome: place for place, outcome in enumerate(OUTCOMES)},
    }
    table = _counted(results, "visits", ["row", "number", "arm", "outcome", "reason"], (10, 50, 90))
    return table.sort_values(
        ["row", "number", "arm", "outcome", "reason"],
        key=lambda column: column.map(places.get(str(column.name), lambda name: name)),
        ignore_index=True,
    )
