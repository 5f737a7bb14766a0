"""The tables of folders: each declared once, by its file, with its columns and what builds it.

A table is a DataFrame in the columns readers rely on. Floats are as computed; `never` is infinite
here and a word in the files (see folder). Dates are text, as in the files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from itertools import groupby, islice
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.results import forecast
from sim.results.attainment import sample_size, triggers
from sim.results.counts import COUNTS, FAILURES, P05_TO_P95, stages_of
from sim.results.fold import Found, Results
from sim.results.ignorance import sensitivity
from sim.results.tally import Tally, rank
from sim.scenario.protocol import Protocol
from sim.vocabulary.clock import MINUTES_PER_DAY, MINUTES_PER_HOUR
from sim.vocabulary.eventlog import NOBODY, EventLog, Milestone, Moment, VisitOutcome
from sim.vocabulary.intervals import effective_number, of_mean, of_met

PART_OF_A_LOG = 20_000

_Row = tuple[Any, ...]
"""What stands in the columns of a table, in their order."""

_NO_VISIT = ("", math.nan, "", "", "", "", math.nan)
"""In the last columns of an event that is no visit."""


class Layout(NamedTuple):
    """A table of a folder: its columns with their kinds (text, date or number) and its builder.

    It may be one of forecasts alone, or of what is no forecast.

    The builder gives the rows, or the table where it works out its columns, of a long one in parts.
    Columns that are not named are measures or paths of the scenario: what stands in them says its
    kind.
    """

    columns: Mapping[str, type] = MappingProxyType({})
    build: Callable[[Results], Iterable[Any] | pd.DataFrame] | None = None
    is_long: bool = False
    is_of_forecast: bool | None = None

    def is_of(self, results: Results) -> bool:
        """Whether these results have such a table."""
        is_forecast = results.log is not None
        return self.build is not None and self.is_of_forecast in {None, is_forecast}

    def parts(self, results: Results) -> Iterator[pd.DataFrame]:
        """Yield the table, or its rows part after part."""
        if self.build is None:
            return
        built = self.build(results)
        empty = True
        for part in cast("Iterable[pd.DataFrame]", built) if self.is_long else [built]:
            empty = False
            yield self.frame(part)
        if empty:
            yield self.frame([])

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
    return {
        name: pd.concat(each.parts(results), ignore_index=True)
        for name, each in TABLES.items()
        if each.is_of(results)
    }


def in_parts(results: Results) -> dict[str, Iterator[pd.DataFrame]]:
    """Every table of a run, each worked out as it is gone through, long ones part after part."""
    return {name: each.parts(results) for name, each in TABLES.items() if each.is_of(results)}


def _summary(results: Results) -> Iterator[tuple[str | float, ...]]:
    """Mean, sd and interval are blank where any replication is never; blanks are left out."""
    draws = results.draws
    for name, unit in results.protocol.measures.items():
        values = results.values(name)
        is_known = ~np.isnan(values)
        ours = None if draws is None else draws[is_known]
        known = np.sort(values[is_known])
        finite = values[is_known] if np.isfinite(known).all() else known[:0]
        mean = finite.mean() if len(finite) else math.nan
        sd = finite.std(ddof=1) if len(finite) > 1 else math.nan
        quantiles = (_quantile(known, percent) for percent in P05_TO_P95)
        number = effective_number(finite, ours)
        yield name, unit, mean, sd, *quantiles, *of_mean(finite, ours), len(known), number


def _quantile(ordered: NDArray[np.float64], percent: int) -> float:
    return float(ordered[rank(percent, len(ordered)) - 1]) if len(ordered) else math.nan


def _targets(results: Results) -> Iterator[tuple[str | float, ...]]:
    """Met or missed only where the whole interval lies on one side of what is wanted."""
    draws = results.draws
    for name, target in results.scenario.targets.items():
        met = results.met(target)
        bounds = {"at least": target.at_least, "at most": target.at_most}
        needed = " and ".join(f"{word} {b:g}" for word, b in bounds.items() if b is not None)
        wanted, (low, high) = float(target.with_probability), of_met(met, draws)
        verdict = "met" if low >= wanted else "missed" if high < wanted else "undecided"
        number = effective_number(met.astype(np.float64), draws)
        yield name, target.measure, needed, wanted, met.mean(), low, high, verdict, number


def _replications(found: Found) -> Iterator[pd.DataFrame]:
    """One row a replication; the date of the target stands beside its day."""
    opens, first, draws = found.protocol.clock.opens, 1, found.draws
    for block in found.blocks():
        table = pd.DataFrame(block)
        dates = [
            "never" if day == math.inf else "" if math.isnan(day) else str(opens + timedelta(day))
            for day in table["day_of_target"]
        ]
        table.insert(list(table).index("day_of_target") + 1, "date_of_target", dates)
        numbers = np.arange(first, first + len(table))
        table.insert(0, "draw", math.nan if draws is None else draws[numbers - 1])
        table.insert(0, "replication", numbers)
        first += len(table)
        yield table


def _counted(results: Results, name: str, tallies: Sequence[Tally] | None = None) -> pd.DataFrame:
    """Key columns, mean and quantiles of what a table's gauges counted, or other ones like them."""
    counted, parts = COUNTS[name], []
    for tally in results.tallies[name] if tallies is None else tallies:
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


def _census(results: Results) -> pd.DataFrame:
    """How many are at each stage on the day of the forecast, and how many of them get further."""
    table, protocol = _counted(results, "census"), results.protocol
    if protocol.informed is None:
        return table
    now = stages_of(protocol.informed.history.people)
    table.insert(2, "people_now", [*now.values()])
    return table


def _logged(
    rows: Callable[[Protocol, EventLog], Iterable[_Row]],
) -> Callable[[Results], Iterator[list[_Row]]]:
    """What builds a table of the logs kept whole in parts, from the rows of one log."""

    def build_parts(results: Results) -> Iterator[list[_Row]]:
        for replication, log in enumerate(results.logs, 1):
            ours = ((replication, *row) for row in rows(results.protocol, log))
            while part := list(islice(ours, PART_OF_A_LOG)):
                yield part

    return build_parts


def _logged_events(results: Results) -> Iterator[list[_Row]]:
    """As `_logged`; where some supplies have no units all are text, in every log alike."""
    is_text = any(
        each.person != NOBODY and not results.protocol.products[each.product].units_per_vial
        for log in results.logs
        for each in log.supplies
    )
    for rows in _logged(events)(results):
        yield [_with_units(row, is_text=is_text) for row in rows]


def _with_units(row: _Row, *, is_text: bool) -> _Row:
    units = row[UNITS_COLUMN]
    if not is_text or units != units:  # noqa: PLR0124  nan stays blank
        return row
    return (*row[:UNITS_COLUMN], str(units), *row[UNITS_COLUMN + 1 :])


def _participants(protocol: Protocol, log: EventLog) -> Iterator[_Row]:
    """Everyone who came, when, and the last milestone they met before the end."""
    in_order = sorted(log.moments, key=attrgetter("person", "time"))
    for person, group in groupby(in_order, attrgetter("person")):
        moments = list(group)
        on = {each.milestone: str(protocol.clock.date_of(each.time)) for each in moments}
        detail = {each.milestone: each.detail for each in moments}
        last = moments[-1].milestone
        arm = detail.get(Milestone.RANDOMISED)
        yield (
            *_when(protocol, person, moments[0].time),
            "" if arm is None else protocol.arms[arm].name,
            *(on.get(milestone, "") for milestone in (Milestone.RANDOMISED, Milestone.DAY_1)),
            *(last.name.lower(), on[last], detail.get(Milestone.LEFT, "")),
        )


def events(protocol: Protocol, log: EventLog) -> list[_Row]:
    """Every moment, every visit and what became of anyone's product, in the order of time."""
    return sorted(_unordered_events(protocol, log), key=itemgetter(1))


def _unordered_events(protocol: Protocol, log: EventLog) -> Iterator[_Row]:
    for moment in log.moments:
        name, when = moment.milestone.name.lower(), _when(protocol, moment.person, moment.time)
        yield (*when, name, *_detail(protocol, moment), *_NO_VISIT)
    for visit in log.visits:
        when = _when(protocol, visit.person, visit.time)
        wait_hours = math.nan if visit.is_missed else visit.wait / MINUTES_PER_HOUR
        planned, happened = (visit.row, visit.number, visit.visit), (visit.outcome, visit.reason)
        yield (*when, "visit", "", math.nan, *planned, visit.place, *happened, wait_hours)
    for each in log.supplies:
        if each.person != NOBODY:
            product, when = protocol.products[each.product], _when(protocol, each.person, each.time)
            units = each.vials * product.units_per_vial if product.units_per_vial else ""
            yield (*when, each.movement.name.lower(), product.name, units, *_NO_VISIT)


def _detail(protocol: Protocol, moment: Moment) -> _Row:
    """A moment's detail in names (the criteria failed, the arm …), and the units of a dose."""
    detail = moment.detail
    match moment.milestone:
        case Milestone.JUDGED:
            return " ".join(protocol.criteria[index].name for index in detail[1]), math.nan
        case Milestone.SCREEN_FAILED:
            return protocol.criteria[detail].name, math.nan
        case Milestone.RANDOMISED:
            return protocol.arms[detail].name, math.nan
        case Milestone.DOSE:
            return protocol.products[detail[0]].name, detail[1]
        case _:
            return detail or "", math.nan


def _work(protocol: Protocol, log: EventLog) -> Iterator[_Row]:
    """Every piece of work, by the moment it fell due."""
    for each in sorted(log.work, key=attrgetter("due")):
        when, role = _when(protocol, each.person, each.due), protocol.resources[each.resource].name
        days = (each.started / MINUTES_PER_DAY, each.ended / MINUTES_PER_DAY)
        yield (*when, role, each.visit, each.task, int(each.is_desk), each.minutes, *days)


def _when(protocol: Protocol, person: int, time: float) -> _Row:
    return person, time / MINUTES_PER_DAY, protocol.clock.date_of(time).isoformat()


PERCENTS_OF_RECORD = {"p025": 2.5, "p10": 10, "p50": 50, "p90": 90, "p975": 97.5}
QUANTILES = {f"p{percent:02}": float for percent in P05_TO_P95}
INTERVAL = {"ci_low": float, "ci_high": float}
EFFECTIVE = {"effective_replications": int}
SUMMARY = {"measure": str, "unit": str, "mean": float, "sd": float, **QUANTILES, **INTERVAL}
TARGET = {"target": str, "measure": str, "needed": str, "with_probability": float}
TRIGGER = {"target": str, "below": float, "month": int, "until": date, "fewer_than": int}
TRIGGER |= {**INTERVAL, "stopped": float, "stopped_of_met": float}
PAIRED = {"measure": str, "scenario": str, "baseline_mean": float, "difference": float, **INTERVAL}
REPLICATION = {"replication": int, "draw": int, "date_of_target": date}
WHO_AND_WHEN = {"replication": int, "participant": int, "time_days": float, "date": date}
PARTICIPANT = {"arm": str, "randomised_on": date, "first_dose_on": date}
PARTICIPANT |= {"last_milestone": str, "last_on": date, "reason": str}
EVENT = {"event": str, "detail": str, "units": float, "row": str, "number": int, "visit": str}
EVENT |= {"place": str, "outcome": str, "reason": str, "wait_hours": float}
PIECE_OF_WORK = {"role": str, "visit": str, "task": str, "desk": int, "minutes": float}
PIECE_OF_WORK |= {"started_days": float, "ended_days": float}
RECORDED = {"as_of": date, "on": date, "target": str, "measure": str, "probability": float}
RECORDED |= {**INTERVAL, **dict.fromkeys(PERCENTS_OF_RECORD, float), "came": float}
RECORDED |= {"in_80": str, "in_95": str}
UNITS_COLUMN = [*WHO_AND_WHEN, *EVENT].index("units")
TABLES = {
    "summary.csv": Layout(SUMMARY | {"replications": int} | EFFECTIVE, _summary),
    "targets.csv": Layout(
        TARGET | {"probability": float, **INTERVAL, "verdict": str} | EFFECTIVE, _targets
    ),
    "sample_size.csv": Layout({"at_least": int, "probability": float, **INTERVAL}, sample_size),
    "triggers.csv": Layout(TRIGGER, triggers),
    "replications.csv": Layout(REPLICATION, _replications, is_long=True),
    **{
        name: Layout(
            REPLICATION,
            lambda results: _replications(results.beside),
            is_long=True,
            is_of_forecast=is_of_forecast,
        )
        for name, is_of_forecast in (("rate_known.csv", False), ("as_planned.csv", True))
    },
    **{
        f"{name}.csv": Layout(counted.keys, partial(_counted, name=name))
        for name, counted in COUNTS.items()
    },
    "enrolment_as_planned.csv": Layout(
        COUNTS["enrolment"].keys,
        lambda results: _counted(results, "enrolment", results.enrolment_beside),
        is_of_forecast=True,
    ),
    "census.csv": Layout(COUNTS["census"].keys, _census, is_of_forecast=True),
    "observed.csv": Layout(
        forecast.OBSERVED, lambda results: forecast.observed(results.log), is_of_forecast=True
    ),
    "beliefs.csv": Layout(forecast.BELIEF, forecast.believed, is_of_forecast=True),
    "fit.csv": Layout(forecast.FIT, forecast.fit, is_of_forecast=True),
    "funnel.csv": Layout({"step": str}, _funnel),  # one of those above, laid out in its own way
    "participants.csv.gz": Layout(WHO_AND_WHEN | PARTICIPANT, _logged(_participants), is_long=True),
    "events.csv.gz": Layout(WHO_AND_WHEN | EVENT, _logged_events, is_long=True),
    "work.csv.gz": Layout(WHO_AND_WHEN | PIECE_OF_WORK, _logged(_work), is_long=True),
    "compare.csv": Layout(PAIRED | {"chance_higher": float, "variance_ratio": float}),
    "record.csv": Layout(RECORDED),
    "planned.csv": Layout(),
    "points.csv": Layout({"point": int, "digest": str, "status": str}),
    "sensitivity.csv": Layout(
        {"path": str, "measure": str, "index": str, "value": float} | INTERVAL, sensitivity
    ),
    "solve.csv": Layout({"path": str, "target": str, "verdict": str}),
}
