"""`assumptions`: what nature does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import accumulate
from typing import Annotated, TypeVar

from pydantic import Discriminator, Field, Tag, model_validator

from sim.scenario.capacity import Release
from sim.scenario.errors import refusal
from sim.scenario.numbers import (
    NO_TIME,
    DaysEarlyOrLate,
    Drawn,
    Duration,
    NonNegative,
    Number,
    Probability,
    Shape,
    Share,
    ShareOfAll,
    Wait,
    Weeks,
    WholeOrUnlimited,
)
from sim.scenario.section import Date, Name, Ref, Section
from sim.vocabulary.clock import DAYS_PER_MONTH, DAYS_PER_WEEK, MINUTES_PER_DAY

_Figure = TypeVar("_Figure")


_SEASONS = ("winter", "winter", "spring", "spring", "spring", "summer", "summer", "summer",
            "autumn", "autumn", "autumn", "winter")  # fmt: skip
"""The season of each month, January first."""


class Season(Section):
    """How many candidates come in each season, as a multiple of the rate."""

    winter: NonNegative = Number(1)
    """December to February."""
    spring: NonNegative = Number(1)
    """March to May."""
    summer: NonNegative = Number(1)
    """June to August."""
    autumn: NonNegative = Number(1)
    """September to November."""


class Disruption(Section):
    """A time in which fewer (or more) candidates come."""

    from_: Date = Field(alias="from")
    """First day of it."""
    to: Date
    """Last day of it, included."""
    times: NonNegative
    """What the rate is multiplied by; disruptions that overlap multiply."""


class Recruitment(Section):
    """How candidates come: at random moments, at rate × season × disruptions × a gamma draw."""

    candidates_per_month: NonNegative
    """People a month whose chart is read; a month is 30.4375 days."""
    rate_shape: Shape | None = None
    """Shape of a gamma distribution of mean 1 by which the rate is multiplied, drawn once a
    replication: how unsure the rate is. Its coefficient of variation is 1/√shape. `null`: the
    rate is known."""
    season: Season = Season()
    """Multiples of the rate by season."""
    disruptions: dict[Name, Disruption] = Field(default={})
    """Times in which fewer (or more) come."""
    consent: Probability = Number(1)
    """Probability that a person asked consents; who declines does so at `discuss_consent`."""

    def expected(self, days: Iterable[date]) -> Iterator[float]:
        """Yield the candidates expected before these days and by the end of each.

        Were the rate one a month; seasons and disruptions are counted in.
        """
        return accumulate(map(self._expected_on, days), initial=0.0)

    def _expected_on(self, day: date) -> float:
        expected: float = getattr(self.season, _SEASONS[day.month - 1]) / DAYS_PER_MONTH
        for disruption in self.disruptions.values():
            if disruption.from_ <= day <= disruption.to:
                expected *= disruption.times
        return expected


class YesNo(Section):
    """An attribute a person has or has not."""

    probability: Probability
    """How probable it is."""
    among: str | None = None
    """A yes/no attribute named earlier: only people who have that one can have this one, with
    the probability given; left out, anybody can."""


def _kind(data: object) -> str:
    if isinstance(data, YesNo):
        return "yes_no"
    return (
        "yes_no" if isinstance(data, dict) and {"probability", "among"} & data.keys() else "drawn"
    )


_Attribute = Annotated[
    Annotated[YesNo, Tag("yes_no")] | Annotated[Drawn, Tag("drawn")], Discriminator(_kind)
]


class Screening(Section):
    """What lies between a chart and randomisation."""

    contact_days: Wait = NO_TIME
    """Days from the chart's reading to the person's being there to be asked."""
    lab_days: Wait = NO_TIME
    """Days from `draw_blood` to the laboratory's results. Laboratory criteria are judged then."""
    work_up_days: Wait = NO_TIME
    """Days from the results to the eligibility call."""
    valid_for_days: WholeOrUnlimited = None
    """Age in days past which results at randomisation are too old: `draw_blood` and `lab_days` are
    repeated, and not judged again."""
    withdraws: Probability = Number(0)
    """Probability of withdrawing, at a uniform moment between consent and the eligibility call.
    Whichever is first, failure or withdrawal, counts."""


class Attendance(Section):
    """How participants keep to a visit."""

    early_or_late_days: DaysEarlyOrLate = NO_TIME
    """Days by which a participant comes before (negative) or after the booked day, rounded; the
    visit is held on the next possible day."""
    missed: Probability = Number(0)
    """Probability of not coming at all; a missed visit is not made up."""


def _one_or_each(data: object) -> str:
    by_arm = isinstance(data, dict) and "value" not in data
    return "each" if by_arm else "one"


ByArm = Annotated[
    Annotated[_Figure, Tag("one")]
    | Annotated[dict[Annotated[str, Ref("arm")], _Figure], Tag("each")],
    Discriminator(_one_or_each),
]
"""A figure for each arm, or one for all."""


def _of_arm(written: Mapping[str, float] | float, arm: str) -> float:
    return written.get(arm, 0.0) if isinstance(written, Mapping) else written


class Hazard(Section):
    """Something that happens once, at a constant rate from day 1 on."""

    by_week: Weeks
    """The week the share refers to; the same rate goes on after it."""
    share: ByArm[Share]
    """The share of participants it would have happened to by that week if nothing else could,
    by arm (an arm not named: 0), or one number for all arms. Below 1."""

    def share_in(self, arm: str) -> float:
        """Return the share of the participants of `arm`."""
        return _of_arm(self.share, arm)

    def rate_per_minute(self, arm: str) -> float:
        """Return the exponential hazard in `arm` under which the share would have happened."""
        return -math.log1p(-self.share_in(arm)) / (self.by_week * DAYS_PER_WEEK * MINUTES_PER_DAY)


class Frequency(Section):
    """Something that happens again and again, at random moments from day 1 on."""

    by_week: Weeks
    """The week up to which is counted; the same rate goes on after it."""
    per_participant: ByArm[NonNegative]
    """How often it happens to a participant by that week, on average, by arm (an arm not named: 0),
    or one number for all arms."""

    @model_validator(mode="after")
    def _at_most_daily(self) -> Frequency:
        often = self.per_participant
        most = max(often.values(), default=0.0) if isinstance(often, Mapping) else often
        if most > self.by_week * DAYS_PER_WEEK:
            raise refusal(f"{most:g} by week {self.by_week:g} are too many", "one a day on average")
        return self

    def rate_per_minute(self, arm: str) -> float:
        """Return how often it happens to a participant of `arm` in a minute."""
        return _of_arm(self.per_participant, arm) / (self.by_week * DAYS_PER_WEEK * MINUTES_PER_DAY)


class Assumptions(Section):
    """What nature does."""

    recruitment: Recruitment
    """How candidates come."""
    patients: dict[Name, _Attribute] = Field(default={})
    """Who comes: attributes, each a distribution or `{probability: …, among: …}`. Criteria and
    strata read them, so failures overlap as in life. `weight_kg` is the body weight of a dose
    `per: kg`; nobody weighs less than 0 or more than 1,000."""
    screening: Screening = Screening()
    """How long screening takes and who withdraws from it."""
    to_first_dose_days: dict[Annotated[str, Ref("arm")], Wait] = Field(default={})
    """By arm, the days from randomisation to the planned first dose; an arm not named: 0."""
    products: dict[Annotated[str, Ref("product", is_use=False)], Release] = Field(default={})
    """By product, what goes wrong before it is given; a product not named: nothing."""
    attendance: dict[Annotated[str, Ref("follow-up visit")], Attendance] = Field(default={})
    """By visit; a visit not named comes on the booked day and is not missed. A visit named here may
    wait for a variant to offer it: `check` does not warn that nothing uses it."""
    leaving: dict[Name, Hazard] = Field(default={})
    """Reasons to leave the trial, which compete: the earliest wins. The clock runs from day 1;
    nobody leaves between randomisation and day 1. Leaving during a visit takes effect after it."""
    stops_treatment: Hazard = Hazard(by_week=Number(1), share={})
    """Stopping treatment ends the rows that give a product; the other visits go on."""
    unscheduled: dict[Annotated[str, Ref("event")], Frequency] = Field(default={})
    """How often what calls for an unscheduled visit happens, by its name in `design.unscheduled`;
    one not named: never."""
    overhead: dict[Annotated[str, Ref("role")], ShareOfAll] = Field(default={})
    """By role, the share of all its hours that is neither a visit nor its paperwork: ethics,
    contracts, meetings, files. Each morning so much is laid on its desk, in pieces of an hour at
    most, that with it the work begun or laid there on the day before makes up the rest; a role not
    named has none. Of more than 100 pieces each is a hundredth."""
    durations_minutes: dict[Annotated[str, Ref("task", is_use=False)], Duration] = Field(default={})
    """By task, how long it takes; every task needs one. `[low, mode, high]` is triangular."""
