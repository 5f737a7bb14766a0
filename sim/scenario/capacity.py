"""What a trial can draw on, and when: places, staff and rooms."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from sim.scenario.errors import refusal
from sim.scenario.hours import Hours, HoursOrNone, Weekday
from sim.scenario.numbers import Whole, WholeOrUnlimited, WholePositive
from sim.scenario.section import Date, NoneWritten, Section, none_written


@cache
def _countries() -> frozenset[str]:
    from holidays import list_supported_countries  # noqa: PLC0415 -- a scenario without a country need not pay

    return frozenset(list_supported_countries())


def _country(data: object) -> object:
    country = none_written(data)
    if country is not None and (not isinstance(country, str) or country not in _countries()):
        raise refusal("no public holidays are known for this", "none or a country code such as CN")
    return country


class Closure(Section):
    """Days on which a place is shut, both ends included. A single date stands for one day."""

    from_: Date = Field(alias="from")
    """First day shut."""
    to: Date
    """Last day shut."""


def _one_day(data: object) -> object:
    return {"from": data, "to": data} if isinstance(data, dt.date) else data


class Place(Section):
    """Where visits happen, and on which days."""

    country: Annotated[
        str | None, BeforeValidator(_country, json_schema_input_type=str | None), NoneWritten
    ] = None
    """Two-letter code of the country whose public holidays shut this place and whose official
    make-up working days open it, or `none`. On a make-up Saturday people keep Friday's hours, on a
    make-up Sunday Monday's. On a public holiday a role works only where an open place needs it."""
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    """The days of the week on which it is open; an empty list means never."""
    closures: tuple[
        Annotated[Closure, BeforeValidator(_one_day, json_schema_input_type=Date | Closure)], ...
    ] = ()
    """Further days shut: dates, or `{from: …, to: …}`."""


class _Fewer(Closure):
    @property
    def units(self) -> int | None:
        """How many are not there; None is all of them."""
        raise NotImplementedError


class Absence(_Fewer):
    """Days on which people are away, on leave or in training; a single date is one day."""

    people: WholePositive | None = None
    """How many are away; left out, everybody. Absences that overlap add up."""

    @property
    def units(self) -> int | None:
        """How many are away; None is everybody."""
        return self.people


class OutOfUse(_Fewer):
    """Days on which spaces cannot be used. A single date stands for one day."""

    spaces: WholePositive | None = None
    """How many cannot be used; left out, none can. Closures that overlap add up."""

    @property
    def units(self) -> int | None:
        """How many cannot be used; None is all of them."""
        return self.spaces


class _Change(Section):
    from_: Date = Field(alias="from")
    """The first day on which it holds."""
    hours: HoursOrNone = None
    """The hours from that day on; left out, they stay as they were."""

    @property
    def units(self) -> int | None:
        """The new number, or None if that stays as it was."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _says_what_changes(self) -> _Change:
        if self.hours is None and self.units is None:
            number = next(key for key in type(self).model_fields if key not in ("from_", "hours"))
            raise refusal("nothing changes", f"{number}, hours or both")
        return self


class RoleChange(_Change):
    """A new roster from a day on; what it does not name stays as it was."""

    people: Whole | None = None
    """How many there are from that day on. Who goes hands work begun at the desk to the others."""

    @property
    def units(self) -> int | None:
        """How many there are from then on, or None if that stays as it was."""
        return self.people


class RoomChange(_Change):
    """A new capacity from a day on; what it does not name stays as it was."""

    spaces: Whole | None = None
    """How many there are from that day on."""

    @property
    def units(self) -> int | None:
        """How many there are from then on, or None if that stays as it was."""
        return self.spaces


class Role(Section):
    """A kind of staff: how many there are, and when they are there for this trial."""

    people: WholeOrUnlimited = Whole(1)
    """How many can work at the same time; `unlimited` removes every queue, 0 removes the role."""
    hours: Hours = "always"
    """`always`, or days and ranges of days with their hours, as in
    `{mon-fri: "08:00-12:00, 14:00-17:30"}`; a day not named has none. A number is hours a week for
    each person, up to 60, spread evenly over Monday to Friday from 08:00 in whole minutes: 20 is
    08:00 to 12:00 on each of them. Public holidays and make-up days are as for other hours. Like
    any number it may have a range, and a sweep or a solver may move it. Work begun is finished, at
    overtime once the day's last hour has passed (working into a break between two spans is not
    overtime); work at a desk stops at the end of a shift and is continued."""
    away: tuple[
        Annotated[Absence, BeforeValidator(_one_day, json_schema_input_type=Date | Absence)], ...
    ] = ()
    """Leave, training and other days on which people are not there: dates, or
    `{from: …, to: …, people: …}`. On a day on which nobody is there no visit that needs the role is
    possible."""
    changes: tuple[RoleChange, ...] = ()
    """Later rosters in order of date, as in `{from: 2024-01-01, people: 2}`."""

    @property
    def units(self) -> int | None:
        """How many people there are at first; None is unlimited."""
        return self.people

    @property
    def absences(self) -> tuple[_Fewer, ...]:
        """The days on which people are away."""
        return self.away


class Room(Section):
    """A kind of room, bed or device: how many there are, and when they can be used."""

    spaces: WholeOrUnlimited = Whole(1)
    """How many can be used at the same time, or `unlimited`."""
    hours: Hours = "always"
    """As for staff."""
    closures: tuple[
        Annotated[OutOfUse, BeforeValidator(_one_day, json_schema_input_type=Date | OutOfUse)], ...
    ] = ()
    """Days on which it cannot be used: dates, or `{from: …, to: …, spaces: …}`."""
    changes: tuple[RoomChange, ...] = ()
    """Later capacities in order of date, as in `{from: 2024-01-01, spaces: 2}`."""

    @property
    def units(self) -> int | None:
        """How many spaces there are at first; None is unlimited."""
        return self.spaces

    @property
    def absences(self) -> tuple[_Fewer, ...]:
        """The days on which spaces cannot be used."""
        return self.closures
