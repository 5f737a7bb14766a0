"""On which days places are open and people at work: weekdays, public holidays, closures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from itertools import chain, groupby
from operator import itemgetter

from sim.scenario.capacity import ALWAYS, Role, Room, Week, less
from sim.scenario.places import Place
from sim.scenario.slots import PlaceDays
from sim.vocabulary.clock import (
    MINUTES_PER_DAY,
    WEEKDAYS,
    WHOLE_DAY,
    CalendarLimits,
    Clock,
    PublicCalendar,
    Span,
    joined,
    overlap,
    shifts_of,
    without,
)

_DAYS_BEYOND_THE_END = 31
"""A visit planned just after the end may have its nearest possible day before it, so days are
worked out a little beyond."""

_NO_MORE = 1 << 40
"""A minute after the end of every shift."""


class Calendars:
    """The days of a trial's places and of those who work there."""

    def __init__(self, clock: Clock, places: Mapping[str, Place]) -> None:
        """Work out the public calendar of every country named."""
        self._clock = clock
        self._places = places
        self._of_country = {
            place.country: PublicCalendar(place.country, clock) for place in places.values()
        }
        self.dates = [clock.date_of_day(day) for day in range(clock.days + _DAYS_BEYOND_THE_END)]

    @property
    def limits(self) -> tuple[CalendarLimits, ...]:
        """What is not known, or not counted, of the public holidays of each country named."""
        return tuple(each.limits for each in self._of_country.values() if each.limits)

    @property
    def kinds_of_day(self) -> tuple[str, ...]:
        """For each day whether it is a `working_day`, a `weekend` or a `holiday`, whoever works.

        It is a public holiday or of the weekend if it is so in any country named, and a working day
        if it is a make-up day in any; Saturday and Sunday are the weekend where none is named.
        """
        return tuple(map(self._kind_of_day, self.dates))

    def days_of(self, place: str) -> PlaceDays:
        """Return for each day why a place is shut (`holiday`, else `closed`), and its hours.

        Paperwork has no place (""), and may be done on any day. A public holiday counts only where
        the place would have been open without it.
        """
        if place not in self._places:
            number = len(self.dates)
            return PlaceDays([""] * number, [WHOLE_DAY] * number)
        days = [self._open_on(self._places[place], day) for day in self.dates]
        return PlaceDays([why for why, _ in days], [hours for _, hours in days])

    def shifts(self, capacity: Role | Room, needed_at: set[str]) -> Sequence[Span]:
        """Return the shifts of a role or room that is needed at these places.

        On a public holiday they work only while a place that needs them is open, or if they are
        always there. Where their number changes within a day a shift ends and another begins.
        """
        hours = [self._hours_of[place] for place in needed_at]
        shifts = shifts_of(
            self._hours_on(day, capacity.on(day)[1], [opens[number] for opens in hours])
            for number, day in enumerate(self.dates)
        )
        if any(absence.hours for absence in capacity.absences):
            return overlap(shifts, self._anybody_there(capacity))
        return shifts

    def numbers(self, capacity: Role | Room) -> Iterator[tuple[int, int | None]]:
        """Yield from which instants on, midnights among them, how many of a role or room are there.

        None is unlimited.
        """
        for number, day in enumerate(self.dates):
            units, _ = capacity.on(day)
            for minute, away in capacity.away_for_hours(day):
                yield number * MINUTES_PER_DAY + minute, less(units, away)

    @cached_property
    def _hours_of(self) -> dict[str, Sequence[tuple[Span, ...]]]:
        return {name: self.days_of(name).hours for name in self._places}

    def _open_on(self, place: Place, day: date) -> tuple[str, tuple[Span, ...]]:
        why = self._shut_by(place, day)
        opens = [span for opening in place.openings for span in opening.on(day)]
        shut = [span for closure in place.closures for span in closure.on(day)]
        hours = without(joined(opens) if why else WHOLE_DAY, shut)
        return "" if hours else (why if why and WHOLE_DAY[0] not in shut else "closed"), hours

    def _shut_by(self, place: Place, day: date) -> str:
        """Return why the weekday or a public holiday shuts a place; "" if neither does."""
        calendar = self._of_country[place.country]
        kept = calendar.makes_up_for(day)
        weekday = day.weekday() if kept is None else kept
        if WEEKDAYS[weekday] not in place.days:
            return "closed"
        return "holiday" if calendar.is_holiday(day) else ""

    def _kind_of_day(self, day: date) -> str:
        named = [each for country, each in self._of_country.items() if country]
        calendars = named or list(self._of_country.values())
        if any(calendar.is_holiday(day) for calendar in calendars):
            return "holiday"
        made_up = any(calendar.makes_up_for(day) is not None for calendar in calendars)
        off = any(calendar.is_weekend(day) for calendar in calendars)
        return "weekend" if off and not made_up else "working_day"

    def _anybody_there(self, capacity: Role | Room) -> Iterator[Span]:
        """Yield the spans between absences of hours, and those in which not everybody is away."""
        moments = (
            (number * MINUTES_PER_DAY + minute, day, away)
            for number, day in enumerate(self.dates)
            for minute, away in capacity.away_for_hours(day)
        )
        changes = [next(same) for _, same in groupby(moments, key=itemgetter(2))]
        ends = [*(start for start, _, _ in changes[1:]), _NO_MORE]
        for (start, day, away), end in zip(changes, ends, strict=True):
            if not away or less(capacity.on(day)[0], away) != 0:
                yield start, end

    def _hours_on(
        self, day: date, week: Week, needed: Sequence[tuple[Span, ...]]
    ) -> tuple[Span, ...]:
        if week is ALWAYS:
            return week[day.weekday()]
        hours = week[day.weekday()]
        for calendar in self._of_country.values():
            kept = calendar.makes_up_for(day)
            if kept is not None:
                return week[kept]
            if calendar.is_holiday(day) and WHOLE_DAY not in needed:
                hours = overlap(hours, joined(chain(*needed)))
        return hours
