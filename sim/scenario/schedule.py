"""`design.schedule`, and the visits beside it: which are planned, when and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    Strict,
    Tag,
    model_validator,
)

from sim.scenario.errors import forms, refusal, text_or
from sim.scenario.numbers import CENTURY_DAYS, Days, DoseUnits, Kind, Whole, WholePositive
from sim.scenario.section import Ref, Section, Titled
from sim.vocabulary.eventlog import Milestone


class Anchor(StrEnum):
    """What the days of a row are counted from, beside the visits of another row."""

    milestone: Milestone
    """The milestone with which it comes, for whoever meets it."""

    def __new__(cls, word: str, milestone: Milestone) -> Self:
        """Keep the word as the value."""
        anchor = str.__new__(cls, word)
        anchor._value_, anchor.milestone = word, milestone
        return anchor

    FIRST_DOSE = "first_dose", Milestone.DAY_1
    RANDOMISATION = "randomisation", Milestone.RANDOMISED
    LAST_DOSE = "last_dose", Milestone.DOSE
    LEAVING = "leaving", Milestone.LEFT
    STOPPING_TREATMENT = "stopping_treatment", Milestone.STOPPED_TREATMENT


_Day = Annotated[Whole, Kind("Day", ge=-CENTURY_DAYS, le=CENTURY_DAYS)]
_DaysAway = Annotated[int, Strict(), Field(ge=-CENTURY_DAYS, le=CENTURY_DAYS)]
_At = dict[Annotated[str, Ref("place")], Annotated[str, Ref("visit")]]
_Product = Annotated[str, Ref("product")]
_Products = tuple[_Product, ...]
_Arm = Annotated[str, Ref("arm", is_use=False)]


def _one_or_several(data: object) -> str | None:
    return "one" if isinstance(data, str) else "several" if isinstance(data, list | tuple) else None


_OfAnArm = Annotated[
    Annotated[_Product, Tag("one")] | Annotated[_Products, Tag("several")],
    forms(
        _one_or_several,
        "this is not what an arm is given",
        "a product, or a list of products, [] for nothing",
    ),
]
_Gifts = Annotated[
    Annotated[_Product, Tag("one")]
    | Annotated[_Products, Tag("several")]
    | Annotated[dict[_Arm, _OfAnArm], Tag("by arm")],
    forms(
        lambda data: "by arm" if isinstance(data, dict) else _one_or_several(data),
        "this is not what is given",
        "a product, a list of products, or either by arm, as in {ab: drug, ba: placebo}",
    ),
]
_Doses = Annotated[
    Annotated[DoseUnits, Tag("one")] | Annotated[dict[_Product, DoseUnits], Tag("by product")],
    forms(
        lambda data: "by product" if isinstance(data, dict) and "value" not in data else "one",
        "this is not a dose",
        "units, or units by product",
    ),
]


class OtherRow(Section):
    """Visits of another row that the days of a row are counted from."""

    row: Annotated[str, Ref("row")]
    """The other row. Rows may be counted one from the other, but not in a circle."""
    visit: Literal["each", "last"] = "each"
    """`each`: all days of the row are planned after each visit that is really held. `last`: once,
    after the last one held, as soon as none is to come any more."""


_From = Annotated[
    Annotated[Anchor, PlainSerializer(str), Tag("anchor")] | Annotated[OtherRow, Tag("row")],
    forms(
        text_or(OtherRow, text="anchor", other="row"),
        "this is nothing to count days from",
        f"{', '.join(Anchor)}, or the visits of another row: {{row: name}}",
    ),
]


def _one_day(day: object) -> object:
    if isinstance(day, list):
        raise refusal("day is a single one", "a whole number, or the key days for a list", "days")
    return day


def _in_order(days: tuple[Whole, ...]) -> tuple[Whole, ...]:
    if list(days) != sorted(set(days)):
        raise refusal("the days are not in order", "each day once, from the first to the last")
    return days


class ScheduleRow(Titled):
    """A line of the protocol's schedule of activities. Day 1 is the day of the first dose.

    The rows do not depend on each other but by `from`; the visits of one person on one day at one
    place are one trip, held one after the other in the order of the rows.
    """

    arms: tuple[Annotated[str, Ref("arm")], ...] | None = Field(default=None, min_length=1)
    """The arms it is for; left out, it is for everybody."""
    gives: _Gifts | None = None
    """What is given at each visit: a product, a list of products, or either by arm, as in
    `{ab: drug, ba: placebo}`, `[]` for nothing. Left out, a row that names its arms gives the
    product of each, and a row for everybody gives nothing. Visits at which something is given end
    when a participant stops treatment; others, such as training or phone calls, go on. A visit that
    gives several products waits until all of them are there."""
    dose: _Doses | None = None
    """Units of one dose at the visits of this row, in place of the product's own: rows with rising
    doses are a titration. Of several products it is said by product, as in `{drug: 2}`."""
    at: _At = Field(min_length=1)
    """Places in order of preference, each with the visit done there, as in
    `{clinic: il2_injection, ward: il2_ward_injection}`. The visit is booked for the possible day
    nearest to the planned one inside the window, on ties the later, at the first place listed that
    has it. A day is possible where the place is open and the whole team has hours, so that the
    visit could be held if nobody else came.

    A visit that is missed or not held on its planned day is counted with what moved it last:
    `closed` (a day on which the place never opens, or a closure) or `holiday` for a planned day on
    which the first place listed is shut, `staff` or `room` for one on which it is open and they are
    not there; `staff` or `room` if they were taken; `product`; `participant`, who came early or
    late; `did_not_come`."""
    day: Annotated[_Day | None, BeforeValidator(_one_day)] = None
    """Planned day of the first visit of the row. The first dose is planned `to_first_dose_days`
    after randomisation; the day it is really given is day 1 and anchors everything after. In an arm
    in which nothing is given it is the day of its first visit planned for day 1. For somebody who
    never has it (missed, or stopped before) the day planned for it stays day 1.

    Day 0 is the day before day 1, day -7 the one eight days before. Such visits are planned at
    randomisation, from the day planned for the first dose, but never before the day of
    randomisation nor closer than `min_days_between`; they stay where they are if day 1 moves.
    Where no first dose can be so long after randomisation the row is refused; where some cannot,
    `check` says what share of participants has the visit sooner."""
    from_: _From = Field(default=Anchor.FIRST_DOSE, alias="from")
    """What its days are counted from. `first_dose`: day 1 is the day of the first dose itself.
    From all else `day` is the number of days after it, 0 the same day. `randomisation`: its day.
    `last_dose`: the day of the last dose given, known as soon as no dose is to come any more.
    `{row: infusion}`: each visit of another row that is really held;
    `{row: period_1, visit: last}`: the last of them. `leaving`: the day on which a participant
    leaves, for a visit of early termination; whoever has left comes to no other visit.
    `stopping_treatment`: the day on which somebody stops treatment who still had doses to come.

    A visit counted from other visits is planned for no day before it is known that these were held
    or missed, and not closer than `min_days_between`. Where they are not held it is not planned at
    all: it counts neither as missed nor as not reached. A participant has completed when nothing is
    to come any more. Doses are counted from the first dose, or from rows that are."""
    for_: tuple[Annotated[str, Ref("reason")], ...] | None = Field(
        default=None, alias="for", min_length=1
    )
    """With `from: leaving`, the reasons of `assumptions.leaving` for which somebody who leaves
    still comes; left out, all of them."""
    days: Annotated[tuple[_Day, ...], Field(min_length=1), AfterValidator(_in_order)] | None = None
    """Planned days of visits that come at no regular distance, such as `[1, 2, 4, 8, 15, 29]`, in
    place of `day`, `every_days` and `times`. Cycles repeat all of them."""
    every_days: Days | None = None
    """Days from one visit to the next within a cycle; needed when `times` is above 1."""
    times: WholePositive = Whole(1)
    """Visits in a cycle."""
    cycle_days: Days | None = None
    """Days from the beginning of one cycle to that of the next; needed when `cycles` is above 1."""
    cycles: WholePositive = Whole(1)
    """Number of cycles."""
    window_days: tuple[_DaysAway, _DaysAway] = (0, 0)
    """Days before (0 or negative) and after the planned day at which the visit still is in its
    window: `[-3, 3]`."""
    min_days_between: Days = Whole(1)
    """Two visits of this row are never closer than this, and never on one day."""
    after_window: Literal["attend", "miss"] = "attend"
    """When no day inside the window is possible: `attend` holds the visit on the next possible day,
    out of window; `miss` drops it (a missed dose is not made up)."""

    @model_validator(mode="after")
    def _window_holds_the_day(self) -> ScheduleRow:
        if not self.window_days[0] <= 0 <= self.window_days[1]:
            raise refusal(
                "the window does not contain the planned day", "[0 or negative, 0 or positive]"
            )
        return self

    @model_validator(mode="after")
    def _one_way_to_say_the_days(self) -> ScheduleRow:
        others = {"day": self.day, "every_days": self.every_days, "times": self.times - 1 or None}
        written = [key for key, entry in others.items() if entry is not None]
        if self.days and written:
            raise refusal(f"days stands beside {' and '.join(written)}", "days alone")
        if self.days is None and self.day is None:
            raise refusal("nothing says on which day it is planned", "day: 1, or days: [1, 8, 15]")
        return self

    @model_validator(mode="after")
    def _after_what_it_is_counted_from(self) -> ScheduleRow:
        if self.from_ != Anchor.FIRST_DOSE and self.first_day < 0:
            raise refusal(
                f"day {self.first_day} lies before what it is counted from",
                "0 or more, or from: first_dose",
            )
        return self

    @model_validator(mode="after")
    def _reasons_are_those_of_leaving(self) -> ScheduleRow:
        if self.for_ and self.from_ != Anchor.LEAVING:
            raise refusal("for stands without from: leaving", "from: leaving beside it")
        return self

    @property
    def other(self) -> OtherRow | None:
        """The visits of another row that it is counted from, if it is."""
        return self.from_ if isinstance(self.from_, OtherRow) else None

    @property
    def first_day(self) -> int:
        """The planned day of the first visit."""
        return self.days[0] if self.days else self.day or 0

    @property
    def visits_in_cycle(self) -> int:
        """How many visits a cycle has."""
        return len(self.days or ()) or self.times

    @property
    def visits(self) -> int:
        """How many visits there are whenever what they are counted from comes."""
        return self.visits_in_cycle * self.cycles

    @property
    def days_planned(self) -> tuple[int, ...]:
        """The planned days of all visits, cycle after cycle."""
        every = self.every_days or 0
        cycle = self.days or [self.first_day + number * every for number in range(self.times)]
        step = self.cycle_days or 0
        return tuple(day + number * step for number in range(self.cycles) for day in cycle)

    def is_for(self, arm: str) -> bool:
        """Say whether an arm has these visits."""
        return self.arms is None or arm in self.arms

    def given(self, arm: str, product: str | None) -> _Products:
        """Return the products that each visit gives to an arm, whose own is `product`, if any."""
        if not self.is_for(arm):
            return ()
        if self.gives is None:
            return () if self.arms is None or product is None else (product,)
        gifts = self.gives.get(arm, ()) if isinstance(self.gives, Mapping) else self.gives
        return (gifts,) if isinstance(gifts, str) else gifts

    def dose_of(self, product: str) -> float | None:
        """Return the units of a product that replace its own dose, or None."""
        dose = self.dose.get(product) if isinstance(self.dose, Mapping) else self.dose
        return None if dose is None else float(dose)

    @model_validator(mode="before")
    @classmethod
    def _says_what_it_gives(cls, data: object) -> object:
        if isinstance(data, dict) and "gives_product" in data:
            raise refusal("gives_product is no longer a key", "gives: [] where nothing is given")
        return data

    @model_validator(mode="after")
    def _repeats_fit(self) -> ScheduleRow:
        for count, gap, many, step in (
            (self.times, self.every_days, "times", "every_days"),
            (self.cycles, self.cycle_days, "cycles", "cycle_days"),
        ):
            if count > 1 and gap is None:
                raise refusal(f"{many} above 1 without {step}", f"{step}, or {many}: 1")
        return self


def counted_from(schedule: Mapping[str, ScheduleRow], name: str) -> Iterator[str]:
    """Yield a row and those it is counted from, one from the next; each once."""
    met = set[str]()
    while name in schedule and name not in met:
        yield name
        met.add(name)
        other = schedule[name].other
        name = other.row if other else ""


def visits_in_row(schedule: Mapping[str, ScheduleRow], name: str) -> int:
    """Return how many visits a row can have, if all that it is counted from are held."""
    number = 1
    for each in counted_from(schedule, name):
        number *= schedule[each].visits
        other = schedule[each].other
        if other and other.visit == "last":
            break
    return number


class Unscheduled(Titled):
    """What calls for a visit that no schedule plans, such as an adverse event.

    How often it happens stands under the same name in `assumptions.unscheduled`.
    """

    at: _At = Field(min_length=1)
    """Places in order of preference, each with the visit done there. It is planned for the day
    after the event and held on the next possible day. It stands beside the schedule: it is in no
    window, is no dose and moves no other visit of the plan; on a day and at a place of another
    visit both are one trip. An event counts when it happens, between randomisation and the end of
    the participant's last scheduled visit; its visit may come after that one, and never comes for
    whoever has left by then."""


class Monitoring(Section):
    """Visits of a monitor, who looks at what has been recorded so far."""

    visit: Annotated[str, Ref("visit")]
    """The visit that is then held, with the people of its tasks; no participant comes to it."""
    every_days: Days
    """Days from one visit to the next, from the opening on. A visit is held on the next day its
    team can, and left out as long as nobody has been randomised."""
