"""What is worked out once per protocol for counting: its weeks, its months and its rosters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sim.scenario.protocol import Arm, PlannedVisit, Protocol
from sim.scenario.slots import Resource
from sim.vocabulary.clock import MINUTES_PER_DAY, MINUTES_PER_HOUR, Clock, Span

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]

KINDS_OF_DAY = ("working_day", "weekend", "holiday")


def day_numbers(minutes: Floats) -> Indices:
    """The number of the day that each moment falls on."""
    return minutes.astype(np.intp) // MINUTES_PER_DAY


class Periods:
    """Weeks or months that cover a run: the first day of each, and their edges in minutes.

    `labels` are the first days as they stand in the tables.
    The first and the last period are cut to the run; the closing instant belongs to the last.
    """

    def __init__(self, clock: Clock, first_days: Iterable[date]) -> None:
        """Take the first days in order; the first is not after the opening date."""
        _, *later = days = list(first_days)
        self.labels = [day.isoformat() for day in days]
        inner = [clock.day_of(day) * MINUTES_PER_DAY for day in later]
        self.edges: Floats = np.array([0, *inner, clock.end_minutes], np.float64)

    def __len__(self) -> int:
        return len(self.labels)

    def index(self, minutes: Floats) -> Indices:
        """The period each moment falls in."""
        return np.searchsorted(self.edges[1:-1], minutes, side="right")


class Year:
    """The days of a run laid over one year, by ISO week and weekday; years are laid on each other.

    `places` are the pairs of ISO week and weekday (Monday is 0) that occur, in order, `of_day` the
    place of each day, and `days` how many days each place holds.
    """

    def __init__(self, clock: Clock) -> None:
        """Take the days of the run, both ends included."""
        days = [clock.date_of_day(day).isocalendar() for day in range(clock.days)]
        every = [(day.week, day.weekday - 1) for day in days]
        places, of_day, self.days = np.unique(
            every, axis=0, return_inverse=True, return_counts=True
        )
        self.places: list[tuple[int, int]] = [*map(tuple, places.tolist())]
        self.of_day: Indices = of_day.ravel()


class Rosters:
    """Minutes on duty, and within the working day, of every resource up to any moment.

    A working day lasts from the start of its first shift to the end of its last: the midday break
    is inside. All resources stand one behind another on one axis, so that one interpolation serves
    rows of work of any resource.
    """

    def __init__(self, protocol: Protocol) -> None:
        """Add up the shifts of the whole run."""
        end = int(protocol.clock.end_minutes)
        self._origins = np.arange(len(protocol.resources)) * (end + MINUTES_PER_DAY)
        shifts = [_shifts(resource, end) for resource in protocol.resources]
        self._duty = self._curve(shifts, end)
        self._day = self._curve([_working_days(spans) for spans in shifts], end)

    def on_duty(self, resource: Indices, start: Floats, end: Floats) -> Floats:
        """Minutes between two moments in which the resource is on duty."""
        return self._between(self._duty, resource, start, end)

    def in_working_day(self, resource: Indices, start: Floats, end: Floats) -> Floats:
        """Minutes between two moments that are no overtime."""
        return self._between(self._day, resource, start, end)

    def _between(
        self, curve: tuple[Floats, Floats], resource: Indices, start: Floats, end: Floats
    ) -> Floats:
        origin = self._origins[resource]
        minutes: Floats = np.interp(origin + end, *curve) - np.interp(origin + start, *curve)
        return minutes

    def _curve(self, rosters: list[list[Span]], end: int) -> tuple[Floats, Floats]:
        """Knots of the cumulative minutes: rising within the spans, flat outside."""
        moments, minutes = [np.zeros(1)], [np.zeros(1)]
        for origin, spans in zip(self._origins, rosters, strict=True):
            edges = np.array([(0, 0), *spans, (end, end)], np.float64)
            lengths = edges[:, 1] - edges[:, 0]
            after = np.cumsum(lengths)
            moments.append(origin + edges.ravel())
            minutes.append(np.column_stack([after - lengths, after]).ravel())
        return np.concatenate(moments), np.concatenate(minutes)


@dataclass(frozen=True)
class Almanac:
    """A protocol with its weeks (from Mondays), months and rosters."""

    protocol: Protocol
    weeks: Periods
    months: Periods
    rosters: Rosters

    @classmethod
    def of(cls, protocol: Protocol) -> Almanac:
        """Work the almanac of a protocol out."""
        clock = protocol.clock
        days = [clock.date_of_day(day) for day in range(clock.days)]
        weeks = dict.fromkeys(day - timedelta(days=day.weekday()) for day in days)
        months = dict.fromkeys(day.replace(day=1) for day in days)
        return cls(protocol, Periods(clock, weeks), Periods(clock, months), Rosters(protocol))

    @cached_property
    def products(self) -> Sequence[str]:
        """The names of the products."""
        return [product.name for product in self.protocol.products]

    @cached_property
    def plan(self) -> Sequence[tuple[Arm, PlannedVisit]]:
        """The planned visits of all arms, one arm behind the other."""
        return [(arm, visit) for arm in self.protocol.arms for visit in arm.visits]

    @cached_property
    def place_of(self) -> Mapping[tuple[int, str, int], int]:
        """By arm, row and number the place of a visit in the `plan`."""
        keys = ((arm.index, visit.row, visit.number) for arm, visit in self.plan)
        return {key: place for place, key in enumerate(keys)}

    @cached_property
    def gives(self) -> Flags:
        """Which products (column) each visit of the `plan` (row) gives; the last row: any other."""
        gives = np.zeros((len(self.plan) + 1, len(self.protocol.products)), np.bool_)
        for place, (_, visit) in enumerate(self.plan):
            gives[place, [dose.product for dose in visit.gives]] = True
        return gives

    @cached_property
    def kinds_of_day(self) -> Indices:
        """By day number, the place of its kind in `KINDS_OF_DAY`."""
        return np.array([*map(KINDS_OF_DAY.index, self.protocol.kinds_of_day)], np.intp)

    @cached_property
    def year(self) -> Year:
        """The days of the run by ISO week and weekday."""
        return Year(self.protocol.clock)

    @cached_property
    def working_days(self) -> Indices:
        """By day number, how many days until its end were neither weekend nor public holiday."""
        return np.cumsum(self.kinds_of_day == KINDS_OF_DAY.index("working_day"), dtype=np.intp)

    @cached_property
    def available(self) -> Floats:
        """Hours of a resource (row) in a week (column), all its people; nan: unlimited."""
        resources, edges = self.protocol.resources, self.weeks.edges
        units = np.array([np.nan if r.units is None else r.units for r in resources], np.float64)
        everyone = np.arange(len(resources))[:, None]
        on_duty = self.rosters.on_duty(everyone, edges[None, :-1], edges[None, 1:])
        minutes: Floats = units[:, None] * on_duty
        for index, resource in enumerate(resources):
            if resource.levels:
                minutes[index] = self._minutes_of_levels(resource)
        return minutes / MINUTES_PER_HOUR

    def _minutes_of_levels(self, resource: Resource) -> Floats:
        """Minutes by week of a changing number, which does not change within a shift."""
        spans = _shifts(resource, int(self.protocol.clock.end_minutes))
        shifts = np.array([(0, 0), *spans], np.float64)
        begins, numbers = np.array(resource.levels, np.float64).T
        there = numbers[np.searchsorted(begins, shifts[:, 0], side="right") - 1]
        after = np.cumsum((shifts[:, 1] - shifts[:, 0]) * there)
        until = np.column_stack([np.append(0.0, after[:-1]), after])
        return np.diff(np.interp(self.weeks.edges, shifts.ravel(), until.ravel()))


def _shifts(resource: Resource, end: int) -> list[Span]:
    """The shifts within the run."""
    spans = [(0, end)] if resource.always else resource.shifts
    return [(start, min(stop, end)) for start, stop in spans if start < end]


def _working_days(shifts: list[Span]) -> list[Span]:
    """First start and last end of each day that has shifts."""
    days: dict[int, Span] = {}
    for start, end in shifts:
        day = start // MINUTES_PER_DAY
        days[day] = (days.get(day, (start, end))[0], end)
    return list(days.values())
