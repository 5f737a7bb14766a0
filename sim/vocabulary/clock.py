"""Time: minutes since the opening instant inside, dates at every edge.

Day 0 is the opening date; minute 0 is its 00:00, local clock, no daylight saving. Appointments and
opening hours are whole minutes, and instants are compared as minutes: with days as floats,
08:00 reads as closed on every second day.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from holidays import HolidayBase

MINUTES_PER_HOUR: Final = 60
MINUTES_PER_DAY: Final = 1440
DAYS_PER_WEEK: Final = 7
DAYS_PER_MONTH: Final = 30.4375
MONTHS_PER_YEAR: Final = 12
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Span = tuple[int, int]
"""Start and end, in minutes; the end is not included."""

WHOLE_DAY: tuple[Span, ...] = ((0, MINUTES_PER_DAY),)


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

    def days_of_months(self, months: int) -> int:
        """Return how many days the first so many calendar months of the run have: 0 to one less.

        They end before the same day of the month so many months after the opening: six of a run
        that opens on 1 October with 31 March. Where that month is too short, the days run over into
        the next: six of one that opens on 31 August with 2 March (in a leap year 1 March).
        """
        years, month = divmod(self.opens.month - 1 + months, MONTHS_PER_YEAR)
        first = date(self.opens.year + years, month + 1, 1)
        return (first - self.opens).days + self.opens.day - 1

    @property
    def whole_months(self) -> int:
        """How many calendar months, as `days_of_months` has them, end within the run."""
        years, months = self.closes.year - self.opens.year, self.closes.month - self.opens.month
        most = years * MONTHS_PER_YEAR + months + 1
        return max(each for each in range(most + 1) if self.days_of_months(each) <= self.days)


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

    A span such as `22:00-06:00` ends on the next day, more than 1,440 minutes after midnight.
    Raises ValueError when an hour is impossible, a span is empty or two overlap.
    """
    spans = sorted(_span(part) for part in text.split(","))
    for (_, earlier_end), (later_start, _) in pairwise(spans):
        if later_start < earlier_end:
            message = f"the hours in {text!r} overlap"
            raise ValueError(message)
    return tuple(spans)


def overlap(spans: Iterable[Span], others: Iterable[Span]) -> tuple[Span, ...]:
    """Return the minutes that lie in both."""
    others = tuple(others)
    both = ((max(a, c), min(b, d)) for a, b in spans for c, d in others)
    return tuple((start, end) for start, end in both if start < end)


def without(spans: Iterable[Span], gone: Iterable[Span]) -> tuple[Span, ...]:
    """Return the minutes that lie in `spans` and in none of `gone`."""
    left = tuple(spans)
    for start, end in gone:
        parts = (part for a, b in left for part in ((a, min(b, start)), (max(a, end), b)))
        left = tuple((first, last) for first, last in parts if first < last)
    return left


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the minutes that lie in any of the spans, in order."""
    whole: list[Span] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1]:
            whole[-1] = whole[-1][0], max(end, whole[-1][1])
        else:
            whole.append((start, end))
    return tuple(whole)


def _span(text: str) -> Span:
    start_text, dash, end_text = text.partition("-")
    start, end = _minute(start_text), _minute(end_text)
    if not dash or start in (end, MINUTES_PER_DAY):
        message = f"{text.strip()!r} is not a span of hours such as 08:00-12:00"
        raise ValueError(message)
    return start, end if start < end else end + MINUTES_PER_DAY


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


STILL_MOVES_DAYS = 2026
"""A country whose latest make-up day known is of this year or later moves working days by notices,
a year at a time: the years after are not known yet. One whose latest is older has given it up."""

_SATURDAY, _SUNDAY = 5, 6


class CalendarLimits(NamedTuple):
    """What is not known, or not counted, of the public holidays of a country during a run.

    After `published_through` (None: no such day) not every day off and make-up day is published.
    `estimated` are the days off the library marks so, with their names. Where a
    country stands alone, `lacking` are its regions if any has days off of its own, from `fewest` to
    `most` a year.
    """

    country: str
    published_through: date | None = None
    estimated: tuple[tuple[date, str], ...] = ()
    lacking: tuple[str, ...] = ()
    fewest: int = 0
    most: int = 0

    @property
    def known_through(self) -> date | None:
        """The last day through which every day off is known, if there is one."""
        first = [day - timedelta(days=1) for day, _ in self.estimated[:1]]
        published = [self.published_through] if self.published_through else []
        return min(published + first, default=None)


class PublicCalendar:
    """Public holidays, make-up working days and weekends of a country or region over a run.

    The source is the `holidays` package. Countries that move working days (China) publish them a
    year at a time; past the last published year only the statutory holidays are known.
    """

    def __init__(self, country: str | None, clock: Clock) -> None:
        """Work out the calendar of an ISO code such as CN or GB-ENG, or of None: no holidays."""
        self._holidays: set[date] = set()
        self._make_up_days: set[date] = set()
        self._library: HolidayBase | None = None
        self.limits: CalendarLimits | None = None
        if country is None:
            return
        years = range(clock.opens.year, clock.closes.year + 1)
        self._library = _of_library(country, years)
        self._holidays = set(self._library)
        self._make_up_days = set(self._library.weekend_workdays)
        self.limits = _limits(country, years)

    def is_holiday(self, day: date) -> bool:
        """Say whether a public holiday falls on a date."""
        return day in self._holidays and day not in self._make_up_days

    def is_weekend(self, day: date) -> bool:
        """Say whether a date is of the country's weekend as it was then, and not worked."""
        if self._library is None:
            return day.weekday() in (_SATURDAY, _SUNDAY)
        return self._library.is_weekend(day) and day not in self._make_up_days

    def makes_up_for(self, day: date) -> int | None:
        """Return the weekday whose hours a make-up working day keeps, else None.

        On a make-up Saturday people keep Friday's hours, on a make-up Sunday Monday's.
        """
        if day not in self._make_up_days:
            return None
        return 4 if day.weekday() == _SATURDAY else 0


@cache
def countries() -> frozenset[str]:
    """Return the codes of the countries whose public holidays are known."""
    from holidays.registry import EntityLoader  # noqa: PLC0415 -- as below

    return frozenset(EntityLoader.get_country_codes())  # to list them loads the rules of each


@cache
def regions(country: str) -> Mapping[str, str]:
    """Return the codes of a country's regions, by code and by names: GB-England is GB-ENG."""
    calendar = _of_library(country, range(0))
    aliases = calendar.get_subdivision_aliases()
    return {
        f"{country}-{name}": f"{country}-{region}"
        for region in calendar.subdivisions
        for name in (region, *aliases.get(region, ()))
    }


def _of_library(country: str, years: range) -> HolidayBase:
    import holidays  # noqa: PLC0415 -- a run without a country need not pay for it

    code, _, region = country.partition("-")
    return holidays.country_holidays(code, region or None, years=years, language="en_US")


@cache
def _limits(country: str, years: range) -> CalendarLimits:
    """Return what is not known of the holidays of a country in these years, or not counted."""
    calendar = _of_library(country, years)
    latest = max(_of_library(country, range(2000, 2100)).weekend_workdays, default=date.min).year
    published = date(latest, 12, 31) if latest >= STILL_MOVES_DAYS else None
    estimated = tuple((day, name) for day in sorted(calendar) for name in _estimates(calendar, day))
    own = {
        region: round(len(_of_library(region, years).keys() - calendar.keys()) / len(years))
        for region in dict.fromkeys(() if "-" in country else regions(country).values())
    }
    if not any(own.values()):
        return CalendarLimits(country, published, estimated)
    return CalendarLimits(
        country, published, estimated, tuple(own), min(own.values()), max(own.values())
    )


def _estimates(calendar: HolidayBase, day: date) -> Iterator[str]:
    """Yield the names of the holidays of a date that the library labels as estimated."""
    labels = [getattr(calendar, key, "") for key in ("estimated_label", "observed_estimated_label")]
    forms = [re.escape(calendar.tr(label)).replace("%s", "(.+)") for label in labels if label]
    for name in calendar.get_list(day):
        found = next(filter(None, (re.fullmatch(form, name) for form in forms)), None)
        if found:
            yield found[1]


class Roster:
    """When a role or room is there: spans of minutes since the opening instant, or always."""

    def __init__(self, shifts: Sequence[Span], *, always: bool = False) -> None:
        """Take the shifts in order; `always` means around the clock."""
        self.always = always
        self.shifts = tuple(shifts)
        self._starts = [start for start, _ in shifts]

    def is_there_on(self, day: int) -> bool:
        """Say whether there is any duty on a day, be it the end of a night that began before."""
        return self.next_duty(day * MINUTES_PER_DAY)[0] < (day + 1) * MINUTES_PER_DAY

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


def whenever(rosters: Sequence[Roster]) -> Roster:
    """Return when somebody of several is there."""
    if any(each.always for each in rosters):
        return Roster((), always=True)
    shifts: list[Span] = []
    for start, end in sorted(shift for each in rosters for shift in each.shifts):
        if shifts and start <= shifts[-1][1]:
            shifts[-1] = shifts[-1][0], max(shifts[-1][1], end)
        else:
            shifts.append((start, end))
    return Roster(shifts)


def shifts_of(days: Iterable[tuple[Span, ...]]) -> list[Span]:
    """Turn the spans of day 0, 1, 2 … into shifts in minutes since the opening instant.

    Who works through the night begins the next day's hours once it is over: shifts never overlap.
    """
    shifts: list[Span] = []
    over = 0
    for day, spans in enumerate(days):
        midnight = day * MINUTES_PER_DAY
        for start, end in spans:
            if midnight + end > over:
                shifts.append((max(midnight + start, over), midnight + end))
                over = midnight + end
    return shifts
