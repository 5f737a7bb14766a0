"""On which days and at which minutes a visit can be held, in plain loops; see `textbook`.

It takes the scenario as written out, and of the model's protocol what each visit asks of whom.
Holidays and make-up days are those of `chinese_calendar`: no calendar, roster or possible start of
the model is read. Everything is worked out once, before the first replication.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from functools import cache
from math import inf
from operator import itemgetter
from typing import Any, NamedTuple

import chinese_calendar
import numpy as np
from numpy.typing import NDArray
from ruamel.yaml import YAML

from sim.scenario.interpret import interpret
from sim.scenario.load import dump
from sim.scenario.protocol import PlannedVisit
from sim.scenario.schema import Scenario
from sim.scenario.slots import Slots, VisitType

NEVER, NEVER_DAY = inf, 1 << 30

_DAY, _WEEKDAYS = 1440, ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FRIDAY, _SATURDAY, _MONDAY = 4, 5, 0
_BEYOND_THE_END = 31
"""Days after the last one for which a visit may still be wanted."""

Span = tuple[int, int]
Minutes = NDArray[np.bool_]
"""By day and minute of the day, or of a day."""

_NEVER_OPEN: Minutes = np.zeros(_DAY, dtype=bool)


class Held(NamedTuple):
    """A visit at a place; paperwork has none ("")."""

    visit: VisitType
    place: str


class Times:
    """The minutes of each day at which a visit can begin at a place."""

    def __init__(self, held: Held, minutes: Minutes) -> None:
        self.visit, self.place = held
        self.spans: list[list[Span]] = [[] for _ in minutes]
        for moment, end in _spans(minutes):
            day, begin = divmod(moment, _DAY)
            self.spans[day].append((begin, end - day * _DAY))
        self.next_day = [NEVER_DAY] * len(minutes)
        for day in reversed(range(len(minutes))):
            later = self.next_day[day + 1] if day + 1 < len(minutes) else NEVER_DAY
            self.next_day[day] = day if self.spans[day] else later

    def next_on_or_after(self, day: int) -> int:
        """Return the first possible day at or after `day`, or NEVER_DAY."""
        return self.next_day[day] if day < len(self.next_day) else NEVER_DAY

    def start_on(self, day: int, moment: float) -> float:
        """Return the first start of `day` at or after `moment`, or NEVER."""
        for begin, end in self.spans[day]:
            if moment < day * _DAY + end:
                return max(moment, float(day * _DAY + begin))
        return NEVER

    def start_after(self, moment: float) -> float:
        """Return the first start on any day at or after `moment`, or NEVER."""
        if not self.visit.tasks:
            return moment
        day = self.next_on_or_after(int(moment // _DAY))
        while day != NEVER_DAY and (start := self.start_on(day, moment)) == NEVER:
            day = self.next_on_or_after(day + 1)
        return NEVER if day == NEVER_DAY else start

    def coming(self, day: int, hour: float, earliest: float) -> float:
        """Return when somebody comes who likes each start of the day as well, by `hour` in 0..1.

        Who cannot be there by then comes at the first start after `earliest`, or NEVER.
        """
        if not self.visit.tasks and earliest >= day * _DAY:
            return earliest
        left = int(hour * sum(end - begin for begin, end in self.spans[day]))
        for begin, end in self.spans[day]:
            if left < end - begin:
                wish = float(day * _DAY + begin + left)
                return wish if wish >= earliest else self.start_on(day, earliest)
            left -= end - begin
        return NEVER


class Choice:
    """The places where a visit may be held, the preferred one first."""

    def __init__(self, places: Sequence[Times]) -> None:
        self.places = places

    def on(self, day: int) -> Times:
        """Return the preferred place of those that have the day."""
        return next(each for each in self.places if each.next_on_or_after(day) == day)

    def next_on_or_after(self, day: int) -> int:
        """Return the first day possible anywhere at or after `day`, or NEVER_DAY."""
        return min(each.next_on_or_after(day) for each in self.places)

    def nearest(self, wanted: int, first: int, last: int) -> int | None:
        """Return the possible day in first..last nearest to `wanted`, of two the later, or None."""
        possible = (day for day in range(first, last + 1) if self.next_on_or_after(day) == day)
        return min(possible, key=lambda day: (abs(day - wanted), -day), default=None)


class Agenda:
    """A scenario as the textbook reads it: the protocol, with days and hours of its own."""

    def __init__(self, scenario: Scenario) -> None:
        self.protocol = interpret(scenario)
        self.design = YAML(typ="safe").load(dump(scenario))["design"]
        trial = self.design["trial"]
        length = (trial["closes"] - trial["opens"]).days + 1 + _BEYOND_THE_END
        self.dates = [trial["opens"] + timedelta(day) for day in range(length)]
        everyone = self.design["staff"] | self.design["rooms"]
        self.on_duty = [self._on_duty(name, entry) for name, entry in everyone.items()]
        self.shifts = [[*_spans(grid.reshape(1, -1))] for grid in self.on_duty]
        self._times: dict[tuple[str, str], Times] = {}
        self._choices: dict[int, Choice] = {}

    def times(self, slots: Slots) -> Times:
        """Return when a visit can be held at its place if nobody else comes."""
        return self._held(Held(slots.visit, slots.place))

    def choice(self, planned: PlannedVisit) -> Choice:
        """Return where a visit of the schedule or beside it may be held."""
        return self._choices.setdefault(
            planned.row_order, Choice([self.times(each) for each in planned.offer.choices])
        )

    def both(self, first: Times, second: Times) -> Times:
        """Return when two visits can be held one after the other on one trip."""
        name = f"{first.visit.name} then {second.visit.name}"
        return self._held(
            Held(VisitType(name, first.visit.tasks + second.visit.tasks, ()), first.place)
        )

    def next_duty(self, member: int, moment: float) -> tuple[float, float]:
        """Return the first instant on duty at or after `moment`, and when that shift ends."""
        shifts = self.shifts[member]
        index = bisect_right(shifts, moment, key=itemgetter(1))
        if index == len(shifts):
            return NEVER, NEVER
        begin, end = shifts[index]
        return max(moment, float(begin)), float(end)

    def _held(self, held: Held) -> Times:
        key = (held.visit.name, held.place)
        if key not in self._times:
            self._times[key] = Times(held, self._minutes(held))
        return self._times[key]

    def _minutes(self, held: Held) -> Minutes:
        """Ask of every minute whether each task, of typical length, would find its team there."""
        minutes = np.ones((len(self.dates), _DAY), dtype=bool)
        not_shut = minutes.copy()
        if held.place:
            place = self.design["places"][held.place]
            minutes = np.array([_opens(place, day) for day in self.dates])
            not_shut = minutes | ~minutes.any(axis=1, keepdims=True)
        begins, moments = 0.0, minutes.ravel()
        everybody = {member for task in held.visit.tasks for member in task.team}
        together = np.all([np.ones_like(minutes), *(self.on_duty[each] for each in everybody)], 0)
        without = np.cumsum(~together)
        before_midnight = np.repeat(without[_DAY - 1 :: _DAY], _DAY)
        for task in held.visit.tasks:
            shift = int(begins)
            stay = without[shift:] == before_midnight[: moments.size - shift]
            is_today = np.arange(moments.size - shift) % _DAY + shift < _DAY
            for there in (not_shut, *(self.on_duty[member] for member in task.team)):
                moments[: moments.size - shift] &= there.ravel()[shift:]
                moments[moments.size - shift :] = False
            if task.team:
                moments[: moments.size - shift] &= is_today | stay
            begins += task.typical_minutes
        return minutes

    def _on_duty(self, name: str, entry: dict[str, Any]) -> Minutes:
        """Ask of every minute whether a role or room is there."""
        grid = np.zeros((len(self.dates), _DAY), dtype=bool)
        places = [self.design["places"][place] for place in self._needed_at(name)]
        is_chinese = any(place["country"] == "CN" for place in self.design["places"].values())
        for number, day in enumerate(self.dates):
            hours = _hours(entry, day)
            weekday = day.weekday()
            if is_chinese and hours != "always":
                weekday = _kept(day)
                needed = np.any([_NEVER_OPEN, *(_opens(each, day) for each in places)], axis=0)
                if _is_holiday(day) and not needed.all():
                    for begin, end in _on(hours, weekday):
                        grid[number, begin:end] |= needed[begin:end]
                    continue
            for begin, end in _on(hours, weekday):
                grid.ravel()[number * _DAY + begin : number * _DAY + end] = True
            left = _there(entry, day)[0] - sum(
                np.where(_minutes_of(absence), _number(absence, inf), 0.0)
                for absence in _absences(entry, day)
                if "hours" in absence
            )
            grid[number] &= left > 0
        return grid

    def _needed_at(self, name: str) -> Iterator[str]:
        """Yield the places of all visits with a task for a role or room that cannot wait."""
        rows = [*self.design["schedule"].values(), *self.design["unscheduled"].values()]
        offered = [pair for row in rows for pair in row["at"].items()]
        for place, visit in [(next(iter(self.design["places"])), "screening_visit"), *offered]:
            for step in self.design["visits"][visit]:
                if isinstance(step, str) and name in self.design["tasks"][step]:
                    yield place


def _opens(place: dict[str, Any], day: date) -> Minutes:
    """Ask of every minute of a day whether a place is open."""
    minutes = np.full(_DAY, _is_open(place, day))
    for key, is_open in (("openings", True), ("closures", False)):
        for span in place[key]:
            if _covers(span, day):
                minutes[_minutes_of(span)] = is_open
    return minutes


def _minutes_of(span: dict[str, Any]) -> Minutes:
    """Ask of every minute of a day whether it is meant: those of the hours named, or all."""
    minutes = np.full(_DAY, "hours" not in span)
    for begin, end in _on({"mon": span["hours"]}, 0) if "hours" in span else ():
        minutes[begin:end] = True
    return minutes


def _is_open(place: dict[str, Any], day: date) -> bool:
    is_chinese = place["country"] == "CN"
    weekday = _kept(day) if is_chinese else day.weekday()
    return _WEEKDAYS[weekday] in place["days"] and not (is_chinese and _is_holiday(day))


@cache
def _is_holiday(day: date) -> bool:
    is_off, holiday = chinese_calendar.get_holiday_detail(day)
    return is_off and (holiday is not None or day.weekday() < _SATURDAY)


@cache
def _kept(day: date) -> int:
    """Return whose hours a day keeps: a made-up Saturday Friday's, a made-up Sunday Monday's."""
    if day.weekday() < _SATURDAY or not chinese_calendar.is_workday(day):
        return day.weekday()
    return _FRIDAY if day.weekday() == _SATURDAY else _MONDAY


def _covers(span: dict[str, date], day: date) -> bool:
    return span["from"] <= day <= span["to"]


def _absences(entry: dict[str, Any], day: date) -> list[dict[str, Any]]:
    every = entry["away"] if "away" in entry else entry["closures"]
    return [absence for absence in every if _covers(absence, day)]


def _hours(entry: dict[str, Any], day: date) -> Any:  # noqa: ANN401 -- as written
    """Return the hours that hold on a day: "always", a number, or days with hours."""
    number, hours = _there(entry, day)
    return hours if number > 0 else {}


def _there(entry: dict[str, Any], day: date) -> tuple[float, Any]:
    """Return how many are there on a day, those away for hours among them, and the hours."""
    number, hours = _number(entry), entry["hours"]
    for change in entry["changes"]:
        if change["from"] <= day:
            number = _number(change, number)
            hours = change.get("hours", hours)
    whole_days = (each for each in _absences(entry, day) if "hours" not in each)
    return number - sum(_number(absence, inf) for absence in whole_days), hours


def _number(entry: dict[str, Any], otherwise: float = NEVER) -> float:
    """Return how many people or spaces an entry names."""
    number = entry.get("people", entry.get("spaces", otherwise))
    return inf if number == "unlimited" else _value(number)


def _value(written: Any) -> float:  # noqa: ANN401 -- a number, or what is known about one
    return float(written["value"] if isinstance(written, dict) else written)


def _on(hours: Any, weekday: int) -> Iterator[Span]:  # noqa: ANN401 -- as written
    """Yield the hours that begin on a day of the week, in minutes of the day."""
    if hours == "always":
        yield 0, _DAY
    elif isinstance(hours, dict) and "value" not in hours:
        for days, text in hours.items():
            first, _, last = days.partition("-")
            length = (_WEEKDAYS.index(last or first) - _WEEKDAYS.index(first)) % 7
            if (weekday - _WEEKDAYS.index(first)) % 7 <= length:
                for span in text.split(","):
                    begin, end = (time.fromisoformat(each.strip()) for each in span.split("-"))
                    opens, shuts = (each.hour * 60 + each.minute for each in (begin, end))
                    yield opens, shuts if opens < shuts else shuts + _DAY
    elif weekday < _SATURDAY:
        each, left = divmod(round(_value(hours) * 60), 5)
        yield 480, 480 + each + (weekday < left)


def _spans(minutes: Minutes) -> Iterator[Span]:
    """Yield the stretches of each row's minutes that are true, in minutes of the run."""
    rows, edges = np.nonzero(np.diff(minutes, axis=1, prepend=False, append=False))
    moments = (rows * minutes.shape[1] + edges).tolist()
    yield from zip(moments[::2], moments[1::2], strict=True)
