"""On which days places are open and people at work: weekdays, public holidays, closures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property

from sim.scenario.capacity import ALWAYS, Place, Role, Room
from sim.vocabulary.clock import (
    WEEKDAYS,
    CalendarLimits,
    Clock,
    PublicCalendar,
    Span,
    shifts_of,
)

_DAYS_BEYOND_THE_END = 31
"""A visit planned just after the end may have its nearest possible day before it, so days are
worked out a little beyond."""


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

    def shut_by(self, place: str) -> Sequence[str]:
        """Return for each day why a place is shut: "" if it is open, `holiday`, else `closed`.

        Paperwork has no place (""), and may be done on any day. A public holiday counts only where
        the place would have been open without it.
        """
        if place not in self._places:
            return [""] * len(self.dates)
        return [self._shut_by(self._places[place], day) for day in self.dates]

    def shifts(self, capacity: Role | Room, needed_at: set[str]) -> Sequence[Span]:
        """Return the shifts of a role or room that is needed at these places.

        On a public holiday they work only if a place that needs them is open, or if they are
        always there.
        """
        shut = [self._shut_days[place] for place in needed_at]
        return shifts_of(
            self._hours_on(day, capacity, is_needed=any(not why[number] for why in shut))
            for number, day in enumerate(self.dates)
        )

    @cached_property
    def _shut_days(self) -> dict[str, Sequence[str]]:
        return {name: self.shut_by(name) for name in self._places}

    def _shut_by(self, place: Place, day: date) -> str:
        calendar = self._of_country[place.country]
        kept = calendar.makes_up_for(day)
        weekday = day.weekday() if kept is None else kept
        if WEEKDAYS[weekday] not in place.days:
            return "closed"
        if any(closure.from_ <= day <= closure.to for closure in place.closures):
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

    def _hours_on(self, day: date, capacity: Role | Room, *, is_needed: bool) -> tuple[Span, ...]:
        _, hours = capacity.on(day)
        if hours is ALWAYS:
            return hours[day.weekday()]
        for calendar in self._of_country.values():
            kept = calendar.makes_up_for(day)
            if kept is not None:
                return hours[kept]
            if calendar.is_holiday(day) and not is_needed:
                return ()
        return hours[day.weekday()]
