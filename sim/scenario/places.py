"""Places, their days, and the hours of days: what is shut, opened or away; who books."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from sim.scenario.errors import closest, listed, refusal, shown
from sim.scenario.numbers import Days, Number, OfModalLength, Whole
from sim.scenario.section import Date, Section, Titled, absent_is, none_written
from sim.vocabulary.clock import (
    MINUTES_PER_DAY,
    WEEKDAYS,
    WHOLE_DAY,
    Span,
    countries,
    day_spans,
    regions,
)

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_ENDS = ("from", "to")


def hours_in(text: str) -> tuple[Span, ...]:
    """Return the spans of `08:00-12:00, 14:00-17:30`; raises PydanticCustomError if it is none."""
    try:
        return day_spans(text)
    except ValueError:
        allowed = 'hours that do not overlap, such as "08:00-12:00, 14:00-17:30" or "22:00-06:00"'
        raise refusal(f"{shown(text)} are not hours", allowed) from None


def _country(data: object) -> object:
    country = none_written(data)
    if country is None:
        return None
    if not isinstance(country, str) or (code := country.partition("-")[0]) not in countries():
        allowed = "none, a country code such as CN, or a region's such as GB-ENG"
        meant = closest(country.upper(), countries()) if isinstance(country, str) else ""
        raise refusal("no public holidays are known for this", allowed, meant)
    if country != code and country not in (known := regions(code)).values():
        meant = known.get(country, closest(country, known))
        allowed = (
            f"{code} alone, or one of {listed(sorted({*known.values()}))}"
            if known
            else f"{code} alone"
        )
        raise refusal(f"{shown(country)} is no region of {code}", allowed, known.get(meant, meant))
    return country


def _with_one_day(schema: dict[str, Any]) -> None:
    said = "One day, in place of `from` and `to`."
    on = {"description": said, "format": "date", "type": "string"}
    schema["properties"] = {"on": on, **schema["properties"]}


def _hours_of_a_day(text: str) -> str:
    if any(end > MINUTES_PER_DAY for _, end in hours_in(text)):
        raise refusal(
            f"{shown(text)} pass midnight", "hours of one day; the next day's by its date"
        )
    return text


class _Days(Section):
    model_config = ConfigDict(json_schema_extra=_with_one_day)

    from_: Date = Field(alias="from")
    """First day."""
    to: Date
    """Last day, included."""
    hours: Annotated[str, AfterValidator(_hours_of_a_day)] | None = None
    """Which hours of each of the days, as in `"13:00-17:00"`; left out, the whole day."""

    def on(self, day: dt.date) -> tuple[Span, ...]:
        """Return which minutes of a day are meant; none of a day outside."""
        if not self.from_ <= day <= self.to:
            return ()
        return WHOLE_DAY if self.hours is None else day_spans(self.hours)


class Closure(_Days):
    """When a place is shut: a date, `{on: …}`, or `{from: …, to: …}`.

    A visit begins only where, at modal lengths, each of its tasks begins at an hour at which the
    place is open. What is begun is finished. Staff work on: nobody is sent home.
    """


class Opening(_Days):
    """When a place is open though its days of the week or a public holiday shut it.

    It is written as a closure. Where both name an hour the place is shut. Who works then: see
    `country`.
    """


def or_one_day(section: type[_Days]) -> BeforeValidator:
    """Let days be written as a single date, alone or with more keys beside it."""

    def days(data: object) -> object:
        if isinstance(data, dt.date):
            data = {"on": data}
        if not isinstance(data, dict) or "on" not in data or not data.keys().isdisjoint(_ENDS):
            return data
        if not isinstance(data["on"], dt.date):
            raise refusal(f"{shown(data['on'])} is not a date", "a date such as 2022-10-01")
        more = {key: entry for key, entry in data.items() if key != "on"}
        return {**dict.fromkeys(_ENDS, data["on"]), **more}

    return BeforeValidator(days, json_schema_input_type=Date | section)


class Place(Titled):
    """Where visits happen, and on which days."""

    country: Annotated[
        str | None, BeforeValidator(_country, json_schema_input_type=str | None), absent_is("none")
    ] = None
    """The country whose public holidays shut this place and whose official make-up working days
    open it, by its two-letter code, or a region of it by its ISO 3166-2 code, such as `GB-ENG` or
    `DE-BY`; or `none`. A country alone has the holidays of the whole country only; a warning
    says where regions have more. On a make-up Saturday people keep Friday's hours, on a
    make-up Sunday Monday's. On a public holiday a role works those of its hours of that weekday at
    which a place that needs it is open. It keeps the hours of its own roster on a day of the week
    on which a place is open for once."""
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    """The days of the week on which it is open; an empty list means never."""
    closures: tuple[Annotated[Closure, or_one_day(Closure)], ...] = ()
    """Further days or hours shut: dates, or as in `{on: 2024-12-24, hours: "12:00-24:00"}`."""
    openings: tuple[Annotated[Opening, or_one_day(Opening)], ...] = ()
    """Further days or hours open, on weekdays on which it is shut and on public holidays."""

    @property
    def weekdays(self) -> tuple[str, ...]:
        """The days of the week on which it is ever open, in no order."""
        opened = {
            WEEKDAYS[(opening.from_ + dt.timedelta(days=number)).weekday()]
            for opening in self.openings
            for number in range(min(7, (opening.to - opening.from_).days + 1))
        }
        return (*self.days, *opened.difference(self.days))


class Booking(Section):
    """How it is settled when visits are held.

    By arrival a participant comes at a random hour, waits in line, and comes again on the next
    possible day if the team is taken all day. By appointment a coordinator books: visits of
    participants, screening visits and repeated blood draws; the tasks of an eligibility call one by
    one, each where its own team is free; and the monitor one interval ahead. The reading of a chart
    is put where its team has time first.

    A visit is booked on the possible day nearest to the planned one in the window on which its
    people and rooms are free in the book, task after task, at the earliest such time; places in the
    order written, each over the whole window; next to another visit of the person on that day at
    that place, where there is room. If the window is full: the first later day with room, or a miss
    if `after_window: miss`. Reserved time must begin on duty; it may end after. A dose is booked
    for when the product is to be ready, and takes its share of `doses_per_week`; one that fails its
    release or is discarded is booked anew. What the file says of rosters, leave and closures is
    known to the book.

    On the day tasks take their drawn time. Of visits whose teams are free the one with the earlier
    appointment begins, and overruns delay the next. A visit whose first task cannot begin on duty
    is booked anew. Desk work is laid down when an appointment begins and taken up after it.
    Leaving, stopping and a miss with notice give the time back; nobody is moved forward.
    """

    by: Literal["appointment", "arrival"] = "arrival"
    """`appointment` or `arrival`."""
    ahead_days: Days = Whole(28)
    """By appointment: a visit is booked so many days before its planned day, or as soon as that day
    is known. What is booked months ahead fragments the week, and screening finds no room."""
    length: OfModalLength = Number(1)
    """By appointment: the time reserved for a task, as a multiple of its modal length."""
