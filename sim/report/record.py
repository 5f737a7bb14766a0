"""The page of a record: what forecasts of a trial said of days that have come, and what came."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd

from sim.report.annotations import inked
from sim.report.charts import lines
from sim.report.forecast import from_then_on, steps_observed
from sim.report.page import (
    P10_P50_P90,
    PAGE,
    Answer,
    Figure,
    Listing,
    Page,
    figure,
    percent_within,
    table_of,
)
from sim.report.recruitment import growth
from sim.report.run import Run
from sim.results.pairs import as_numbers
from sim.results.tables import PERCENTS_OF_RECORD

WITHIN = {"in_80": 0.8, "in_95": 0.95}
"""The intervals by the columns that say whether what came lies in them."""


class Record(Run):
    """Forecasts of one trial on several days, held against its log."""

    @cached_property
    def forecasts(self) -> Mapping[date, Run]:
        """The forecasts by their days."""
        days = self.manifest["forecasts"]
        return {date.fromisoformat(day): Run(self.place / day, self.language) for day in days}

    @cached_property
    def rows(self) -> pd.DataFrame:
        """What was forecast, and what came; a day that is never is infinite."""
        table = self.tables["record.csv"]
        numbers = {name: as_numbers(table[name]) for name in PERCENTS_OF_RECORD}
        return table.assign(as_of=table["as_of"].map(date.fromisoformat), **numbers)

    @cached_property
    def numbers(self) -> pd.DataFrame:
        """The rows of how many are randomised by a later day, `then` on the day of the forecast."""
        rows = self.rows[self.rows["target"] == ""]
        then = [self.steps(day)["value"].iloc[-1] for day in rows["as_of"]]
        days = rows["on"].map(date.fromisoformat)
        return rows.assign(on=days, at=pd.to_datetime(days), then=then)

    @property
    def targets(self) -> list[dict[str, Any]]:
        """The rows of targets, one target after the other."""
        rows = self.rows[self.rows["target"] != ""].sort_values("target", kind="stable")
        found: Any = rows.to_dict("records")
        return list(found)

    @property
    def known_until(self) -> date:
        """The last day of the log."""
        return date.fromisoformat(self.manifest["known_until"])

    def steps(self, until: date) -> pd.DataFrame:
        """How many were randomised by each day until one; see `steps_observed`."""
        log = self.tables["observed.csv"]
        return steps_observed(log[log["randomised"] <= str(until)], self.opens, until)


def record_page(place: Path, language: str) -> Page:
    """Return the page of a record."""
    record = Record(place, language)
    say, days = record.say, record.forecasts
    pages = [(say("record.page", day=day), f"{day}/{PAGE}") for day in days]
    return Page(
        record,
        title=say("record.title"),
        verdict=_coverage(record, "record.headline"),
        note=say("record.until", day=record.known_until, days=len(days), **record.counts),
        answers=lambda: [
            _numbers(record),
            *_targets(record),
            Answer("pages", say("record.pages"), parts=[Listing("", pages)], in_contents=False),
            record.origin(),
        ],
        lines=partial(_lines, record),
    )


def _coverage(record: Record, key: str) -> str:
    """How many numbers came within the intervals, and of how many that is to be expected."""
    numbers = record.numbers
    met = {name: int((numbers[name] == "yes").sum()) for name in WITHIN}
    due = {f"due_{name}": share * len(numbers) for name, share in WITHIN.items()}
    return record.say(key, count=len(numbers), days=len(record.forecasts), **met, **due)


def _numbers(record: Record) -> Answer:
    """How many were forecast to be randomised by later days, and how many were."""
    say = record.say
    said = [_coverage(record, "record.due"), say("record.few")]
    columns = {"as_of": "day", "on": "day", "then": "count", "p50": "count", "within_80": "counts"}
    columns |= {"within_95": "counts", "came": "count", "verdict": "figure"}
    table = table_of(say, "numbers", _told(record), columns)
    title, lead = say("record.numbers"), _coverage(record, "record.lead")
    return Answer("numbers", title, lead, said, [_chart(record), table])


def _chart(record: Record) -> Figure:
    """Those observed in ink, and the fan of each forecast until the last day of the log."""
    say, numbers, until = record.say, record.numbers, record.known_until
    fans = [
        _fan(record, day, run).assign(series=say("record.from", day=day))
        for day, run in record.forecasts.items()
    ]
    came = numbers.drop_duplicates("on")[["at", "came"]].rename(columns={"came": "value"})
    first = next(iter(record.forecasts))
    dots = pd.concat([record.steps(first).tail(1), came])
    seen, drawn = record.steps(until), pd.concat(fans)
    ink = inked(seen, say("fan.observed"), dots, record.opens, until)
    columns = {"series": "text", "at": "day"} | dict.fromkeys(P10_P50_P90, "count")
    ends = numbers[numbers["on"] == until][[*P10_P50_P90, "came"]].iloc[0]
    top = float(max(seen["value"].max(), drawn["p90"].max(), 1))
    shape = partial(lines, span=(0, top), behind=ink)
    told = {"until": until, "day": first, **ends}
    return figure(say, "record", shape, drawn, columns, **told)


def _fan(record: Record, day: date, run: Run) -> pd.DataFrame:
    """A forecast by month, and on the days of which it is known what came."""
    ours = record.numbers[record.numbers["as_of"] == day]
    both = pd.concat([each[["at", *P10_P50_P90]] for each in (ours, growth(run, "randomised"))])
    known = both[both["at"] <= pd.Timestamp(record.known_until)]
    in_order = known.drop_duplicates("at").sort_values("at")
    return from_then_on(in_order, record.steps(day))


def _told(record: Record) -> pd.DataFrame:
    """The numbers forecast as a page shows them, a row a forecast and later day."""
    say, numbers = record.say, record.numbers
    is_in = numbers[[*WITHIN]] == "yes"
    words = is_in["in_80"].map({True: "in_80", False: "in_95"}).where(is_in["in_95"], "outside")
    kinds = words.map({"in_80": "met", "in_95": "undecided", "outside": "missed"})
    return numbers.assign(
        within_80=list(numbers[["p10", "p90"]].to_numpy()),
        within_95=list(numbers[["p025", "p975"]].to_numpy()),
        verdict=[say(f"record.{word}") for word in words],
        kind="target " + kinds,
    )


def _targets(record: Record) -> Iterator[Answer]:
    """How probable each target was on each day, and by how much the days of it were off."""
    say, rows = record.say, record.targets
    if not rows:
        return
    chances = [[row[name] for name in ("probability", "ci_low", "ci_high")] for row in rows]
    frame = pd.DataFrame(rows).assign(
        chance=[percent_within(say, *each) for each in chances],
        **{name: [_when(record, row[name]) for row in rows] for name in P10_P50_P90},
        off=[_off(record, row) for row in rows],
        kind="target",
    )
    units = {"target": "name", "as_of": "day"}
    units |= dict.fromkeys(("chance", *P10_P50_P90, "off"), "figure")
    table = table_of(say, "chances", frame, units)
    yield Answer("targets", say("record.targets"), "", list(_days_of(record)), [table])


def _when(record: Record, day: float) -> str:
    """The date of a day number, or later than the end; blank of a target that has no day."""
    if math.isnan(day):
        return ""
    if math.isinf(day):
        return record.say("record.later", day=record.closes)
    return record.say.day(record.date_of_day(day))


def _off(record: Record, row: Mapping[str, Any]) -> str:
    """By how many days the median was late or early, where the day is known."""
    if math.isnan(row["came"]) or not math.isfinite(row["p50"]):
        return ""
    if row["came"] <= (row["as_of"] - record.opens).days:
        return record.say("record.known")
    days = int(row["p50"] - row["came"])
    word = "late" if days > 0 else "early" if days < 0 else "right"
    return record.say(f"record.{word}", days=abs(days))


def _days_of(record: Record) -> Iterator[str]:
    """On which day each target that has one came, or that it has not."""
    dated = (row for row in record.targets if not math.isnan(row["p50"]))
    for row in {row["target"]: row for row in dated}.values():
        day = _when(record, row["came"])
        said = {"target": row["target"], "day": day or record.say.day(record.known_until)}
        yield record.say("record.is_met" if day else "record.not_yet", **said)


def _lines(record: Record) -> Iterator[str]:
    """What each forecast said of the last day of the log, for a terminal, and of the targets."""
    say, until = record.say, record.known_until
    yield _coverage(record, "record.due")
    yield say("record.few")
    told: Any = _told(record)
    for row in told[told["on"] == until].to_dict("records"):
        yield "  " + say("record.line", **row)
    yield from _days_of(record)
    for row in record.targets:
        line = say("record.target_line", **row)
        median, *ends = (_when(record, row[name]) for name in ("p50", "p10", "p90"))
        if median:
            line += say("record.when", median=median, span=say.span(*ends))
        off = _off(record, row)
        yield "  " + (say.part(line, off) if off else line)
