"""Time: minutes since the opening instant inside, dates at every edge.

Day 0 is the opening date; minute 0 is its 00:00, local clock, no daylight saving. Appointments and
opening hours are whole minutes, and instants are compared as minutes: with days as floats,
08:00 reads as closed on every second day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise

MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 1440
DAYS_PER_WEEK = 7
DAYS_PER_MONTH = 30.4375
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Span = tuple[int, int]
"""Start and end, in minutes; the end is not included."""


@dataclass(frozen=True)
class Clock:
    """The run's first and last day, both included."""

    opens: date
    closes: date

    @property
    def days(self) -> int:
        """Number of days of the run."""
        return (self.closes - self.opens).days + 1

    @property
    def end_minutes(self) -> float:
        """The closing instant, 24:00 of the last day."""
        return float(self.days * MINUTES_PER_DAY)

    def day_of(self, day: date) -> int:
        """Return the day number of a date (negative before the opening)."""
        return (day - self.opens).days

    def date_of(self, minutes: float) -> date:
        """Return the date on which an instant falls; 24:00 of the last day is still that day."""
        return self.date_of_day(min(int(minutes // MINUTES_PER_DAY), self.days - 1))

    def date_of_day(self, day: int) -> date:
        """Return the date of a day number."""
        return self.opens + timedelta(days=day)


def weekday_numbers(text: str) -> tuple[int, ...]:
    """Return the weekdays named by `mon` or `mon-fri` (which may wrap: `sat-mon`), Monday is 0.

    Raises ValueError when a name is unknown.
    """
    first, _, last = (part.strip() for part in text.partition("-"))
    start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    length = (end - start) % DAYS_PER_WEEK + 1
    return tuple((start + step) % DAYS_PER_WEEK for step in range(length))


def day_spans(text: str) -> tuple[Span, ...]:
    """Return the spans of `08:00-12:00, 14:00-17:30` in minutes of the day, in order.

    Raises ValueError when an hour is impossible, a span is empty or two overlap.
    """
    spans = sorted(_span(part) for part in text.split(","))
    for (_, earlier_end), (later_start, _) in pairwise(spans):
        if later_start < earlier_end:
            message = f"the hours in {text!r} overlap"
            raise ValueError(message)
    return tuple(spans)


def _span(text: str) -> Span:
    start_text, dash, end_text = text.partition("-")
    start, end = _minute(start_text), _minute(end_text)
    if not dash or start >= end:
        message = f"{text.strip()!r} is not a span of hours such as 08:00-12:00"
        raise ValueError(message)
    return start, end


def _minute(text: str) -> int:
    hours, _, minutes = text.strip().partition(":")
    if not (hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()):
        message = f"{text.strip()!r} is not an hour such as 08:00"
        raise ValueError(message)
    minute = int(hours) * MINUTES_PER_HOUR + int(minutes)
    if len(minutes) != 2 or int(minutes) >= MINUTES_PER_HOUR or minute > MINUTES_PER_DAY:  # noqa: PLR2004
        message = f"{text.strip()!r} is not an hour between 00:00 and 24:00"
        raise ValueError(message)
    return minute


class PublicCalendar:
    """Public holidays and make-up working days of one country over a run.

    The source is the `holidays` package. Countries that move working days (China) publish them a
    year at a time; past the last published year only the statutory holidays are known, and
    `known_through` says until when the calendar can be trusted (None: no such limit).
    """

    def __init__(self, country: str | None, clock: Clock) -> None:
        """Work out the calendar of an ISO country code, or of None, which has no holidays."""
        self._holidays: set[date] = set()
        self._make_up_days: set[date] = set()
        self.known_through: date | None = None
        if country is None:
            return
        import holidays  # noqa: PLC0415 -- a run without a country need not pay for it

        years = range(clock.opens.year, clock.closes.year + 1)
        self._holidays = set(holidays.country_holidays(country, years=years))
        self._make_up_days = set(holidays.country_holidays(country, years=years).weekend_workdays)
        published = holidays.country_holidays(country, years=range(2000, 2100)).weekend_workdays
        if published:
            self.known_through = date(max(day.year for day in published), 12, 31)

    def is_holiday(self, day: date) -> bool:
        """Say whether a public holiday falls on a date."""
        return day in self._holidays and day not in self._make_up_days

    def makes_up_for(self, day: date) -> int | None:
        """Return the weekday whose hours a make-up working day keeps, else None.

        On a make-up Saturday people keep Friday's hours, on a make-up Sunday Monday's.
        """
        if day not in self._make_up_days:
            return None
        saturday = 5
        return 4 if day.weekday() == saturday else 0


class Roster:
    """When a role or room is there: spans of minutes since the opening instant, or always."""

    def __init__(self, shifts: Sequence[Span], *, always: bool = False) -> None:
        """Take the shifts in order; `always` means around the clock."""
        self.always = always
        self.shifts = tuple(shifts)
        self._starts = [start for start, _ in shifts]

    @cached_property
    def by_day(self) -> Mapping[int, tuple[Span, ...]]:
        """Return the shifts of each day that has any, in minutes of that day."""
        days: dict[int, list[Span]] = {}
        for start, end in self.shifts:
            day = start // MINUTES_PER_DAY
            midnight = day * MINUTES_PER_DAY
            days.setdefault(day, []).append((start - midnight, end - midnight))
        return {day: tuple(spans) for day, spans in days.items()}

    def on_day(self, day: int) -> tuple[Span, ...]:
        """Return the shifts of one day, in minutes of that day."""
        return ((0, MINUTES_PER_DAY),) if self.always else self.by_day.get(day, ())

    def next_duty(self, moment: float) -> tuple[float, float]:
        """Return the first instant on duty at or after `moment`, and when that shift ends.

        Both are infinite when no shift is left.
        """
        if self.always:
            return moment, float("inf")
        index = bisect_right(self._starts, moment) - 1
        if index >= 0 and moment < self.shifts[index][1]:
            return moment, self.shifts[index][1]
        if index + 1 < len(self.shifts):
            return self.shifts[index + 1]
        return float("inf"), float("inf")


def shifts_of(days: Iterable[tuple[Span, ...]]) -> list[Span]:
    """Turn the spans of day 0, 1, 2 … into shifts in minutes since the opening instant."""
    return [
        (day * MINUTES_PER_DAY + start, day * MINUTES_PER_DAY + end)
        for day, spans in enumerate(days)
        for start, end in spans
    ]
