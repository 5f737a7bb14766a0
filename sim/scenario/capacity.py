"""What a trial can draw on, and when: hours, staff, rooms and products."""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, Tag, model_validator

from sim.scenario.errors import forms, refusal, shown
from sim.scenario.numbers import (
    DaysOrNone,
    DoseUnits,
    Headcount,
    HeadcountOrUnlimited,
    HoursAWeek,
    Number,
    PositiveOrUnlimited,
    ShareOfAll,
    Whole,
    WholeOrUnlimited,
    WholePositive,
)
from sim.scenario.places import Closure, hours_in, or_one_day
from sim.scenario.section import (
    Date,
    Named,
    Section,
    Titled,
    Unit,
)
from sim.vocabulary.clock import (
    MINUTES_PER_DAY,
    MINUTES_PER_HOUR,
    WEEKDAYS,
    WHOLE_DAY,
    Span,
    weekday_numbers,
)

Week = tuple[tuple[Span, ...], ...]
"""The spans that begin on each day, Monday first, in minutes of that day."""

ALWAYS: Week = (WHOLE_DAY,) * len(WEEKDAYS)
NO_HOURS: Week = ((),) * len(WEEKDAYS)
_BEGIN = 8 * MINUTES_PER_HOUR
_DAYS_OF_A_NUMBER = 5


def week(hours: str | dict[str, str] | float) -> Week:
    """Return the week that `always`, days with their hours, or a number of hours describe.

    Raises PydanticCustomError for a day or an hour that cannot be read, a day named twice, or a
    night that runs into the hours of the day after.
    """
    if isinstance(hours, str):
        return ALWAYS
    if isinstance(hours, int | float):
        return _spread(round(hours * MINUTES_PER_HOUR))
    table: dict[int, tuple[Span, ...]] = {}
    for days, text in hours.items():
        for day in _days(days):
            if day in table:
                raise refusal(f"{WEEKDAYS[day]} is named twice", "each day once")
            table[day] = hours_in(text)
    for day, spans in table.items():
        next_day = (day + 1) % len(WEEKDAYS)
        following = table.get(next_day)
        if spans and following and spans[-1][1] > following[0][0] + MINUTES_PER_DAY:
            what = f"the night of {WEEKDAYS[day]} runs into the hours of {WEEKDAYS[next_day]}"
            raise refusal(what, "hours that do not overlap")
    return tuple(table.get(day, ()) for day in range(len(WEEKDAYS)))


def _spread(minutes: int) -> Week:
    """Return the week in which so many minutes are worked from 08:00, as evenly as can be.

    Monday to Friday share them in whole minutes; the first days have those left over.
    """
    each, left = divmod(minutes, _DAYS_OF_A_NUMBER)
    lengths = [each + (day < left) for day in range(_DAYS_OF_A_NUMBER)]
    lengths += [0] * (len(WEEKDAYS) - _DAYS_OF_A_NUMBER)
    return tuple(((_BEGIN, _BEGIN + length),) if length else () for length in lengths)


def _days(text: str) -> tuple[int, ...]:
    try:
        return weekday_numbers(text)
    except ValueError:
        allowed = f"{', '.join(WEEKDAYS)} or a range such as mon-fri"
        raise refusal(f"{shown(text)} is not a day", allowed) from None


def _readable(hours: dict[str, str]) -> dict[str, str]:
    week(hours)
    return hours


def _form_of_hours(data: object) -> str | None:
    if isinstance(data, dict):
        return "number" if "value" in data else "table"
    if isinstance(data, int | float) and not isinstance(data, bool):
        return "number"
    return "word" if data == "always" else None


Hours = Annotated[
    Annotated[Literal["always"], Tag("word")]
    | Annotated[dict[str, str], AfterValidator(_readable), Tag("table")]
    | Annotated[HoursAWeek, Tag("number")],
    forms(
        _form_of_hours,
        "these are not hours",
        'always, hours a week, or days with hours such as {mon-fri: "08:00-12:00"}',
    ),
]


class Absence(Closure):
    """When people are away, on leave or in training, written as a closure."""

    units: WholePositive | None = Field(default=None, alias="people")
    """How many are away; left out, everybody. Absences that overlap add up."""


class OutOfUse(Closure):
    """When spaces cannot be used, written as a closure."""

    units: WholePositive | None = Field(default=None, alias="spaces")
    """How many cannot be used; left out, none can. Closures that overlap add up."""


class _Change(Section):
    from_: Date = Field(alias="from")
    """The first day on which it holds."""
    hours: Hours | None = None
    """The hours from that day on; left out, they stay as they were."""
    units: Headcount | None = None

    @model_validator(mode="after")
    def _says_what_changes(self) -> _Change:
        if self.hours is None and self.units is None:
            raise refusal("nothing changes", f"{counted(self)}, hours or both")
        return self


class RoleChange(_Change):
    """A new roster from a day on; what it does not name stays as it was."""

    units: Headcount | None = Field(default=None, alias="people")
    """How many there are from that day on, and once a night that began before is over. Who goes
    hands work begun at the desk to the others."""


class RoomChange(_Change):
    """A new capacity from a day on; what it does not name stays as it was."""

    units: Headcount | None = Field(default=None, alias="spaces")
    """How many there are from that day on."""


class _Capacity(Titled):
    """How many there are of something that work needs, and when: a role or a room."""

    units: HeadcountOrUnlimited = Whole(1)
    hours: Hours = "always"
    absences: tuple[Any, ...] = ()
    changes: tuple[Any, ...] = ()

    @cached_property
    def rosters(self) -> tuple[list[dt.date], list[tuple[int | None, Week]]]:
        """Return the days on which rosters begin, in their order, and the rosters."""
        roster: tuple[int | None, Week] = self.units, week(self.hours)
        begins, rosters = [dt.date.min], [roster]
        for change in self.changes:
            units, hours = roster
            roster = (
                units if change.units is None else change.units,
                hours if change.hours is None else week(change.hours),
            )
            begins.append(change.from_)
            rosters.append(roster)
        return begins, rosters

    def planned_on(self, day: dt.date) -> tuple[int | None, Week]:
        """Return how many there would be on a day but for absences, and their hours in a week."""
        begins, rosters = self.rosters
        units, hours = rosters[bisect_right(begins, day) - 1]
        return units, NO_HOURS if units == 0 else hours

    def on(self, day: dt.date) -> tuple[int | None, Week]:
        """Return how many are there (None: unlimited), and the hours of each in such a week.

        Absences of some hours are left to `away_for_hours`.
        """
        units, hours = self.planned_on(day)
        whole_days = [each.units for each in self.absences if each.hours is None and each.on(day)]
        units = less(units, whole_days)
        return None if units is None else int(units), NO_HOURS if units == 0 else hours

    def away_for_hours(self, day: dt.date) -> list[tuple[int, tuple[int | None, ...]]]:
        """Return from which minutes of a day on how many are away for hours (None: everybody)."""
        away = [(span, each.units) for each in self.absences if each.hours for span in each.on(day)]
        minutes = {0, *(end for span, _ in away for end in span)} - {MINUTES_PER_DAY}
        return [
            (minute, tuple(units for (start, end), units in away if start <= minute < end))
            for minute in sorted(minutes)
        ]


def less(units: int | None, away: Iterable[int | None]) -> int | None:
    """Return how many are left of so many (None: unlimited) when some are away (None: all)."""
    for number in away:
        if number is None:
            return 0
        units = None if units is None else max(0, units - number)
    return units


class Role(_Capacity):
    """A kind of staff: how many there are, and when they are there for this trial."""

    units: HeadcountOrUnlimited = Field(default=Whole(1), alias="people")
    """How many can work at the same time; `unlimited` removes every queue, 0 removes the role."""
    hours: Hours = "always"
    """`always`, or days and ranges of days with their hours, as in
    `{mon-fri: "08:00-12:00, 14:00-17:30"}`; a day not named has none. Hours over midnight, as in
    `{mon-fri: "22:00-06:00"}`, are one shift of the day on which it begins, also where that is a
    holiday, a make-up day, a day away or the last before a change: the night from Friday to
    Saturday is Friday's. The first night is that of the opening day. A number is hours a week for
    each person, up to 60, spread evenly over Monday to Friday from 08:00 in whole minutes: 20 is
    08:00 to 12:00 on each of them. Public holidays and make-up days are as for other hours. Like
    any number it may have a range, and a sweep or a solver may move it. Work begun is finished, at
    overtime once the day's last hour has passed (working into a break between two spans is not
    overtime); work at a desk stops at the end of a shift and is continued."""
    absences: tuple[Annotated[Absence, or_one_day(Absence)], ...] = Field(default=(), alias="away")
    """Leave, training and other days or hours at which people are not there: dates, or as in
    `{from: …, to: …, people: …}` and `{on: …, hours: "12:00-16:00"}`. When nobody is there no visit
    that needs the role is possible; work begun is finished."""
    changes: tuple[RoleChange, ...] = ()
    """Later rosters in order of date, as in `{from: 2024-01-01, people: 2}`."""


class Room(_Capacity):
    """A kind of room, bed or device: how many there are, and when they can be used."""

    units: HeadcountOrUnlimited = Field(default=Whole(1), alias="spaces")
    """How many can be used at the same time, or `unlimited`."""
    hours: Hours = "always"
    """As for staff."""
    absences: tuple[Annotated[OutOfUse, or_one_day(OutOfUse)], ...] = Field(
        default=(), alias="closures"
    )
    """When it cannot be used: dates, or as in `{from: …, to: …, spaces: …}`, with `hours` too."""
    changes: tuple[RoomChange, ...] = ()
    """Later capacities in order of date, as in `{from: 2024-01-01, spaces: 2}`."""


def counted(section: Section, key: str = "units") -> str:
    """Return what a role or a room calls its `units` or its `absences`."""
    return type(section).model_fields[key].alias or key


class Stock(Section):
    """The vials on the shelf, and when more are ordered.

    A dose that finds too few is out of stock: it waits for the delivery that brings enough, or is
    missed if that is after its window and `after_window: miss`, both for the reason `product`.
    """

    starts_with: Whole
    """Vials on hand on the opening date."""
    reorder_at: Whole
    """More are ordered when the vials on hand and on their way are this many or fewer, and when
    they are too few for a dose that is out of stock."""
    reorder_quantity: WholePositive
    """Vials in one order; as many orders at once as it takes to be above `reorder_at`."""
    lead_days: DaysOrNone
    """Days from an order to its delivery, in the morning before the first visit."""


class Product(Named):
    """What is given: how much, and what it takes to have it there.

    Each participant has an order of their own. What is given on day 1 is ordered at randomisation;
    what comes in later is ordered `order_ahead_days` before the window of the first visit that
    gives it opens, so that whoever leaves before is not waited for. A dose waits for its product,
    and is then late for the reason `product`.
    """

    dose: DoseUnits
    """Units of one dose, for each kilogram of body weight with `per: kg`: 0.001 to 1e18. A row of
    the schedule may say another `dose`. Tables have six decimals, so choose a `unit` of which a
    dose is not a small part."""
    per: Literal["participant", "kg"] = "participant"
    """`kg` multiplies the dose by the attribute `weight_kg` of `patients`."""
    unit: Unit = ""
    """What the dose counts, for the tables."""
    order_ahead_days: DaysOrNone = Whole(0)
    """Days from an order until the product can be had."""
    doses_per_week: WholeOrUnlimited = None
    """Preparations possible in one week, Monday to Sunday, for all participants together."""
    use_within_minutes: PositiveOrUnlimited = None
    """How long a prepared dose keeps. The first task of a visit that gives this product is then its
    preparation, and the dose begins with the second; the preparation starts only if the team of
    the second task can be had at its modal end. A dose not begun in time is discarded with all that
    was prepared for the visit, counted and ordered again."""
    units_per_vial: DoseUnits | None = None
    """What one vial holds, in the unit of `dose`. A dose takes whole vials, and what is left in the
    last one is thrown away. Left out, nobody counts vials."""
    dispensed_per: Literal["dose", "cycle"] = "dose"
    """When vials leave the shelf. `dose`: those of each dose when it is given. `cycle`: at the
    first dose given in a cycle of the row the participant is handed the vials of all the cycle's
    doses from then on. Those not used by the cycle's last dose, or when treatment is stopped,
    come back at the next visit attended, are counted and never given again; whoever leaves before
    loses them."""
    stock: Stock | None = None
    """The vials on the shelf; left out, there are always enough. It needs `units_per_vial`."""

    def units(self, dose: float, attributes: Mapping[str, float]) -> float:
        """Return the units that a person with these attributes is given at a dose."""
        return dose * (attributes["weight_kg"] if self.per == "kg" else 1.0)

    @property
    def is_prepared(self) -> bool:
        """Whether each dose is prepared: there is a limit to how many, or to how long it keeps."""
        return self.doses_per_week is not None or self.use_within_minutes is not None

    def vials(self, units: float) -> int:
        """Return the whole vials that a dose of so many units takes; 0 if nobody counts them."""
        if self.units_per_vial is None:
            return 0
        return math.ceil(round(units / self.units_per_vial, 9))


class Release(Section):
    """What can go wrong with a product before anyone is given it."""

    fails_release: ShareOfAll = Number(0)
    """Share of orders that fail their release and are ordered again on the day they would have been
    ready, `order_ahead_days` (then 1 or more) later; the dose waits, for the reason `product`.
    An order is one participant's: that of randomisation, or that for a dose which was
    discarded."""

    def failures(self, u: float) -> int:
        """Return how often an order fails before one passes: the quantile of `u`, geometric."""
        share = self.fails_release
        return int(math.log1p(-u) / math.log(share)) if share else 0
