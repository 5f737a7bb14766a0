"""The log of a trial that runs: who was referred, asked, randomised, and what became of them.

It is the screening and enrolment log that trials keep anyway, a row a person, as CSV or Excel.
Columns that are not known are not read: names and initials get nowhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sim.scenario.errors import closest, listed
from sim.scenario.log_checks import contradictions_in
from sim.scenario.log_names import LogNames
from sim.scenario.logged_person import DATES, LoggedPerson, LoggedRow
from sim.scenario.schema import Scenario
from sim.scenario.sheet import (
    A_DAY,
    Sheet,
    SheetRow,
    day_of,
    in_brief,
    letters,
    read_sheet,
)
from sim.scenario.yaml_source import Problem, ScenarioError

__all__ = ["DATES", "EnrolmentLog", "Level", "LoggedPerson", "read_log"]

Level = Literal["dates", "consent", "full"]
"""How much a log tells: who was randomised, who consented as well, or all who were referred."""

LEVELS: tuple[tuple[str, Level], ...] = (
    ("referred", "full"),
    ("consented", "consent"),
    ("randomised", "dates"),
)
"""What a log has to have the days of for its level, the highest first."""

_MOST_DOSES = 10_000

ENDED, WHY_ENDED = "ended", "ended_reason"
"""One day of the end for everybody, whatever it is the end of, and why."""

_DAY_OF = {
    "reason": {"ended_screening", ENDED},
    "left_reason": {"left", ENDED},
    WHY_ENDED: {"ended_screening", "left", "completed", ENDED},
    "arm": {"randomised"},
    "doses": {"randomised"},
}
"""What is said of something that has a day: without its day it is not known when to count it."""


class EnrolmentLog(NamedTuple):
    """A log as it stood on a day.

    `people` are in an order that the order of rows does not change. `unused` are the heads of the
    columns that are not read; `sha256` is of the file. A forecast says of the days `ahead` how many
    are randomised by then.
    """

    people: tuple[LoggedPerson, ...]
    level: Level
    as_of: dt.date
    unused: tuple[str, ...]
    encoding: str
    sha256: str
    ahead: tuple[dt.date, ...] = ()


def last_day(path: Path, scenario: Scenario) -> dt.date | None:
    """Return the last day of which a log says anything; None if it says nothing.

    Raises UnreadableFile where it cannot be opened.
    """
    return _reader(path, scenario, dt.date.max).last


def read_log(path: Path, scenario: Scenario, as_of: dt.date) -> EnrolmentLog:
    """Return what a log says of the days through `as_of`.

    Raises UnreadableFile where it cannot be opened, ScenarioError for everything wrong in it.
    """
    reader = _reader(path, scenario, as_of)
    sheet = reader.sheet
    entries = [entry for row in sheet.rows if (entry := reader.entry(row))]
    kept = reader.kept
    problems = [*reader.problems, *reader.repeated()]
    problems += [
        sheet.problem(each.line, each.column, each.what, each.allowed)
        for each in contradictions_in(entries, scenario, as_of, kept)
    ]
    level = next((level for head, level in LEVELS if head in kept), None)
    if level is None:
        wanted = " or ".join(name for name, _ in LEVELS)
        meant = next((each for name, _ in LEVELS if (each := closest(name, sheet.heads.cells))), "")
        what = f"no column says on which day people were {wanted}"
        problems.append(sheet.problem(sheet.heads.line, 0, what, wanted, in_brief(meant)))
    if problems or level is None:
        raise ScenarioError(problems)
    people = sorted((entry.person for entry in entries), key=_order)
    return EnrolmentLog(tuple(people), level, as_of, reader.unused, sheet.encoding, sheet.sha256)


def _reader(path: Path, scenario: Scenario, as_of: dt.date) -> _Reader:
    names = LogNames(scenario)
    return _Reader(read_sheet(path, lambda head: letters(head) in names.heads), names, as_of)


def _order(person: LoggedPerson) -> tuple[object, ...]:
    dates = [getattr(person, name) or dt.date.max for name in DATES]
    said = (person.reason, person.arm, str(person.doses), person.left_reason)
    return min(dates), dates, said, sorted(person.strata.items()), person.id


@dataclass
class _Reader:
    """Reads the rows of one sheet; goes on after a problem, so that all are found at once."""

    sheet: Sheet
    names: LogNames
    as_of: dt.date
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def columns(self) -> Mapping[str, int]:
        """The column of each field that the sheet has."""
        found: dict[str, int] = {}
        heads = self.sheet.heads
        for column, head in enumerate(heads.cells):
            name = self.names.heads.get(letters(head), "")
            if name and found.setdefault(name, column) != column:
                other = in_brief(heads.cell(found[name]))
                self.refuse(heads, column, f"{other} says the same", "one column of them")
        return found

    @property
    def unused(self) -> tuple[str, ...]:
        """The heads of the columns that are not read."""
        read = set(self.columns.values())
        return tuple(
            sorted(
                in_brief(head) or f"column {column + 1}"
                for column, head in enumerate(self.sheet.heads.cells)
                if column not in read and any(row.cell(column) for row in self.sheet.every)
            )
        )

    @cached_property
    def kept(self) -> frozenset[str]:
        """The fields that the log keeps: filled in any row; where there are no rows, all."""
        rows = self.sheet.rows
        filled = {
            name for name, n in self.columns.items() if any(self.said(row, name) for row in rows)
        }
        return frozenset(filled if rows else self.columns)

    @cached_property
    def goes_on(self) -> bool:
        """Whether the log was kept for longer than through the as-of day."""
        return self.last is not None and self.last > self.as_of

    @property
    def last(self) -> dt.date | None:
        """The last day of which the log says anything."""
        return max((day for row in self.sheet.rows for day in self._days(row)), default=None)

    def _days(self, row: SheetRow) -> Iterator[dt.date]:
        for name in (*DATES, ENDED):
            try:
                yield day_of(self.said(row, name))
            except ValueError:
                continue

    def said(self, row: SheetRow, name: str) -> str:
        """Return what a row says of a field: nothing where a cell says that it is not known."""
        column = self.columns.get(name)
        text = "" if column is None else row.cell(column)
        plain = letters(text)
        return "" if not plain or plain in self.names.blanks else text

    def entry(self, row: SheetRow) -> LoggedRow | None:
        """Return what a row says of the time through the as-of day: None if nothing."""
        days = {name: day for name in (*DATES, ENDED) if (day := self.day(row, name))}
        later = {name for name, day in days.items() if day > self.as_of}
        dates = {name: day for name, day in days.items() if name not in later}
        columns = {name: column for name, column in self.columns.items() if self.said(row, name)}
        self.undated(row, columns)
        names = self.read_names(row, later)
        if ended := dates.pop(ENDED, None):
            name = self.end_of(row, names)
            columns.setdefault(name, columns[ENDED])
            if dates.setdefault(name, ended) != ended:
                self.refuse(row, columns[ENDED], f"another day than that of {name}", "one of them")
        if not dates:
            return None
        known: dict[str, Any] = {"id": self.said(row, "id"), **dates}
        if "ended_screening" in dates:
            known["reason"] = names["reason"]
        if "left" in dates:
            known["left_reason"] = names["left_reason"]
        if "randomised" in dates:
            known |= self.of_participant(row, names["arm"], dates)
        return LoggedRow(LoggedPerson(**known), row.line, columns)

    def undated(self, row: SheetRow, columns: Mapping[str, int]) -> None:
        """Look for what is said of something of which the row has no day."""
        for name in _DAY_OF.keys() & columns.keys():
            if not columns.keys() & _DAY_OF[name]:
                wanted = " or ".join(sorted(_DAY_OF[name] - {ENDED} or {ENDED}))
                self.refuse(row, columns[name], "nothing says on which day", f"a date in {wanted}")
        is_randomised = "randomised" in columns
        for name, of in (("reason", "screening"), ("left_reason", "the trial")):
            if name in columns and is_randomised == (name == "reason"):
                who = "randomised" if is_randomised else "never randomised"
                what = f"{in_brief(self.said(row, name))} is why {of} ended, and they were {who}"
                self.refuse(row, columns[name], what, "a blank cell")

    def end_of(self, row: SheetRow, names: Mapping[str, str]) -> str:
        """Return what a day of the end is the end of."""
        if not self.said(row, "randomised"):
            return "ended_screening"
        return "left" if names["left_reason"] else "completed"

    def read_names(self, row: SheetRow, later: AbstractSet[str]) -> dict[str, str]:
        """Return the arm, why screening ended and why the person left, if by the as-of day."""
        end = "completed" if self.said(row, "randomised") else "reason"
        kinds = {"reason": "reason", "left_reason": "left_reason", WHY_ENDED: end, "arm": "arm"}
        found = {
            name: "" if later & _DAY_OF[name] else self.name(row, name, kind)
            for name, kind in kinds.items()
        }
        why = found.pop(WHY_ENDED)
        if why and why != "completed":
            instead = "left_reason" if end == "completed" else "reason"
            found[instead] = found[instead] or why
        return found

    def of_participant(
        self, row: SheetRow, arm: str, dates: Mapping[str, dt.date]
    ) -> dict[str, Any]:
        """Return what is known of whoever is randomised.

        A number of doses has no day: it is that of the day on which the log was last written.
        """
        doses = self.number(row, "doses")
        strata = {factor: self.level(row, factor) for factor in self.names.levels}
        is_over = "left" in dates or "completed" in dates
        return {
            "arm": arm,
            "doses": doses if is_over or not self.goes_on else None,
            "strata": {factor: level for factor, level in strata.items() if level},
        }

    def day(self, row: SheetRow, name: str) -> dt.date | None:
        """Return a day, which lies within the trial unless it comes after the as-of day."""
        text = self.said(row, name)
        if not text:
            return None
        try:
            day = day_of(text)
        except ValueError as error:
            self.refuse(row, self.columns[name], str(error), A_DAY)
            return None
        trial = self.names.scenario.design.trial
        last = trial.recruits_until if name == "randomised" else trial.closes
        if day <= self.as_of and not trial.opens <= day <= last:
            what = f"{day} is before the trial opens"
            if day > last:
                what = f"{day} is after the last day on which this can be"
            allowed = f"{trial.opens} to {last}, as in the scenario"
            self.refuse(row, self.columns[name], what, allowed)
        return day

    def name(self, row: SheetRow, column: str, kind: str) -> str:
        """Return the name that a cell means, or nothing."""
        text, known = self.said(row, column), self.names.texts[kind]
        if not text:
            return ""
        if (found := known.get(letters(text))) is not None:
            return found
        allowed = listed(dict.fromkeys(known.values()))
        if kind != "arm":
            allowed += "; or what it means under observed: {reasons: {…}} in the scenario"
        meant = known.get(closest(letters(text), known), "")
        what = f"{in_brief(text)} is not known here"
        self.refuse(row, self.columns[column], what, allowed, meant)
        return ""

    def number(self, row: SheetRow, name: str) -> int | None:
        """Return the whole number of a cell."""
        text = self.said(row, name)
        if not text:
            return None
        if not (text.isascii() and text.isdecimal() and int(text) < _MOST_DOSES):
            what = f"{in_brief(text)} is not a number of doses"
            self.refuse(row, self.columns[name], what, "a whole number")
            return None
        return int(text)

    def level(self, row: SheetRow, factor: str) -> str:
        """Return the level of a factor, or nothing."""
        text = self.said(row, factor)
        level = self.names.level(factor, text) if text else ""
        if level is None:
            what = f"{in_brief(text)} is no level of {factor}"
            self.refuse(row, self.columns[factor], what, listed(self.names.levels[factor]))
        return level or ""

    def repeated(self) -> Iterator[Problem]:
        """Look for ids of several rows."""
        met: dict[str, int] = {}
        for row in self.sheet.rows:
            said = self.said(row, "id")
            if said and met.setdefault(said, row.line) != row.line:
                what = f"{in_brief(said)} stands on line {met[said]} too"
                yield self.sheet.problem(row.line, self.columns["id"], what, "each id once")

    def refuse(self, row: SheetRow, column: int, what: str, allowed: str, meant: str = "") -> None:
        self.problems.append(self.sheet.problem(row.line, column, what, allowed, meant))
