"""What a trial can draw on, and when: places, staff and rooms."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Annotated

from pydantic import BeforeValidator, Field

from sim.meaning.complaints import refusal
from sim.meaning.hours import Hours, Weekday
from sim.meaning.quantities import WholeOrUnlimited, whole
from sim.meaning.section import Date, NoneWritten, Section, none_written


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


def _closure(data: object) -> object:
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
        Annotated[Closure, BeforeValidator(_closure, json_schema_input_type=Date | Closure)], ...
    ] = ()
    """Further days shut: dates, or `{from: …, to: …}`."""


class Role(Section):
    """A kind of staff: how many there are, and when they are there for this trial."""

    people: WholeOrUnlimited = whole(1)
    """How many can work at the same time; `unlimited` removes every queue, 0 removes the role."""
    hours: Hours = "always"
    """`always`, or days and ranges of days with their hours, as in
    `{mon-fri: "08:00-12:00, 14:00-17:30"}`; a day not named has none. A number is hours a week for
    each person, up to 60, spread evenly over Monday to Friday from 08:00 in whole minutes: 20 is
    08:00 to 12:00 on each of them. Public holidays and make-up days are as for other hours. Like
    any number it may have a range, and a sweep or a solver may move it. Work begun is finished, at
    overtime once the day's last hour has passed (working into a break between two spans is not
    overtime); work at a desk stops at the end of a shift and is continued."""


class Room(Section):
    """A kind of room, bed or device: how many there are, and when they can be used."""

    spaces: WholeOrUnlimited = whole(1)
    """How many can be used at the same time, or `unlimited`."""
    hours: Hours = "always"
    """As for staff."""
