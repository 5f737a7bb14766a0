"""`assumptions`: what nature does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import accumulate, chain, pairwise, repeat
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Discriminator, Field, Tag, model_validator

from sim.scenario.capacity import Release
from sim.scenario.errors import refusal
from sim.scenario.numbers import (
    NO_TIME,
    DaysEarlyOrLate,
    Drawn,
    Duration,
    Kind,
    NonNegative,
    Number,
    Positive,
    Probability,
    Shape,
    Share,
    ShareOfAll,
    Wait,
    Weeks,
    Whole,
    WholeOrUnlimited,
)
from sim.scenario.section import Date, Name, Ref, Section, Titled
from sim.vocabulary.clock import DAYS_PER_MONTH, DAYS_PER_WEEK, MINUTES_PER_DAY
from sim.vocabulary.distributions import Hazard

_Figure = TypeVar("_Figure")


_SEASONS = ("winter", "winter", "spring", "spring", "spring", "summer", "summer", "summer",
            "autumn", "autumn", "autumn", "winter")  # fmt: skip
"""The season of each month, January first."""

_SEASONS_BEGIN = (3, 6, 9, 12)


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


class Disruption(Titled):
    """A time in which fewer (or more) candidates come."""

    from_: Date = Field(alias="from")
    """First day of it."""
    to: Date
    """Last day of it, included."""
    times: NonNegative
    """What the rate is multiplied by; disruptions that overlap multiply."""


class Waves(Section):
    """How the rate rises and falls from month to month, beside season and disruptions.

    The logarithm of the rate is normal about its level: so many candidates come on average as
    without waves. How large the waves are, and how long they last, each replication draws, from
    months that have nothing to do with each other to a drift over years; in some the rate is
    constant. Waves are luck: a replication has them also where nothing is `uncertain`.
    """

    sd: Positive
    """How large they are: the scale of a half-normal law of the standard deviation of the logarithm
    of the rate, which takes the values 0.2, 0.4, 0.6 and 0.9."""
    calm: Probability
    """Probability that there are none, so that the rate is constant."""


WITHOUT_WAVES = "assumptions.recruitment.waves=null"
"""The change of a scenario, as it is typed, that makes its rate constant."""


class Recruitment(Section):
    """How candidates come: at random moments, at rate × season × disruptions × a gamma draw.

    Where there are `waves`, times those as well.
    """

    candidates_per_month: NonNegative
    """People a month whose chart is read; a month is 30.4375 days."""
    rate_shape: Shape | None = None
    """Shape of a gamma distribution of mean 1 by which the rate is multiplied, drawn once a
    replication: how unsure the rate is. Its coefficient of variation is 1/√shape. `null`: the
    rate is known."""
    waves: Waves | None = Field(default=None, exclude_if=lambda waves: waves is None)
    """How the rate changes by itself from month to month. `null`: it does not."""
    season: Season = Season()
    """Multiples of the rate by season."""
    disruptions: dict[Name, Disruption] = Field(default={})
    """Times in which fewer (or more) come."""
    consent: Probability = Number(1)
    """Probability that a person asked consents; who declines does so at `discuss_consent`."""

    def expected(self, first: date, days: int) -> Iterator[float]:
        """Yield the candidates expected before the first of so many days and by the end of each.

        Were the rate one a month; seasons and disruptions are counted in.
        """
        spells = self._spells(first, days)
        each = (repeat(self._expected_on(begin), (end - begin).days) for begin, end in spells)
        return accumulate(chain.from_iterable(each), initial=0.0)

    def _spells(self, first: date, days: int) -> Iterator[tuple[date, date]]:
        """Yield the times between changes of the rate: their first day, and the day after."""
        after = first + timedelta(days)
        changes = {first, after}
        years = range(first.year, after.year + 1)
        changes |= {date(year, month, 1) for year in years for month in _SEASONS_BEGIN}
        for each in self.disruptions.values():
            changes |= {each.from_, min(each.to, after) + timedelta(1)}
        return pairwise(sorted(day for day in changes if first <= day <= after))

    def _expected_on(self, day: date) -> float:
        expected: float = getattr(self.season, _SEASONS[day.month - 1]) / DAYS_PER_MONTH
        for disruption in self.disruptions.values():
            if disruption.from_ <= day <= disruption.to:
                expected *= disruption.times
        return expected


class YesNo(Titled):
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


class Rescreens(Section):
    """Coming again after a failure of screening, from the first step on.

    For each attempt the attributes that the criteria in `of` look at are drawn anew, and so are
    waits, lengths of visits and withdrawal; the others stay, and who consented consents again. The
    person is one candidate, of whom the last attempt counts; `attempts.csv` has all attempts.
    """

    of: tuple[Annotated[str, Ref("criterion")], ...] = Field(min_length=1)
    """The criteria after which somebody may come again: the first that failed is one of these."""
    share: Probability
    """The share of them who come again, unless the trial is full or recruits no more by then."""
    after_days: Wait = NO_TIME
    """Days from the failure to the new attempt."""
    times: Annotated[Whole, Kind("Rescreens", ge=1, le=20)] = Whole(1)
    """How often one person comes again, at most."""


class Screening(Section):
    """What lies between a chart and randomisation.

    A step of `design.screening` that says its own `after_days` does not wait for any of these.
    """

    contact_days: Wait = NO_TIME
    """Days from the chart's reading to the person's being there to be asked."""
    lab_days: Wait = NO_TIME
    """Days from `draw_blood` to the laboratory's results. Laboratory criteria are judged then."""
    work_up_days: Wait = NO_TIME
    """Days from the results to the eligibility call, or to whatever step is the last."""
    valid_for_days: WholeOrUnlimited = None
    """Age in days past which results at randomisation are too old: `draw_blood`, as it last was
    before the last step, and the days to its results are repeated, and not judged again."""
    withdraws: Probability = Number(0)
    """Probability of withdrawing, at a uniform moment between consent and the eligibility call, or
    whatever step is the last. The moment is drawn of the days between the steps, as if all visits
    were held at once. Whichever is first, failure or withdrawal, counts."""
    rescreens: Rescreens | None = None
    """Who is screened again after failing. Left out, nobody is."""


class Attendance(Section):
    """How participants keep to a visit."""

    early_or_late_days: DaysEarlyOrLate = NO_TIME
    """Days by which a participant comes before (negative) or after the booked day, rounded; the
    visit is held on the next possible day."""
    missed: Probability = Number(0)
    """Probability of not coming at all; a missed visit is not made up."""
    notice: Probability = Number(1)
    """By appointment: the share of those who come on another day, or not at all, who say so in
    time. With notice a visit is booked on the day with room nearest to the one they can, or the
    time is given back; without, the time stays empty, and who comes late comes after that day's
    appointments."""


def _is_by_week(data: object) -> bool:
    """Say whether a mapping is by week: a file writes its keys as digits."""
    return isinstance(data, dict) and bool(data) and all(str(key).isdecimal() for key in data)


def _is_by_arm(data: object) -> bool:
    return isinstance(data, dict) and "value" not in data and not _is_by_week(data)


def _one_or_each(data: object) -> str:
    return "each" if _is_by_arm(data) else "one"


def _one_or_weeks(data: object) -> str:
    return "weeks" if _is_by_week(data) else "one"


ByArm = Annotated[
    Annotated[_Figure, Tag("one")]
    | Annotated[dict[Annotated[str, Ref("arm")], _Figure], Tag("each")],
    Discriminator(_one_or_each),
]
"""A figure for each arm, or one for all."""

Shares = Annotated[
    Annotated[Share, Tag("one")]
    | Annotated[dict[Annotated[int, Field(ge=1, le=10_000)], Share], Tag("weeks")],
    Discriminator(_one_or_weeks),
]
"""A share by the week that stands beside it, or the shares by several weeks."""


class Once(Section):
    """Something that happens once, at random moments from randomisation on."""

    by_week: Weeks | None = None
    """The week a single share refers to, counted from randomisation; the rate is constant, and goes
    on after it. Left out where the shares stand by week."""
    share: ByArm[Shares]
    """The share of participants it would have happened to by that week if nothing else could, by
    arm (an arm not named: 0), or one for all arms. Below 1. Shares by several weeks, as in
    `{4: 0.05, 12: 0.08, 24: 0.10}`, are those it has happened to by each of them: the rate is
    constant from one week to the next, and the last one goes on."""

    @model_validator(mode="after")
    def _shares_have_their_weeks(self) -> Once:
        written: list[Any] = [self.share]
        if isinstance(self.share, dict) and _is_by_arm(self.share):
            written = list(self.share.values())
        by_week = [shares for shares in written if isinstance(shares, dict)]
        if len(by_week) < len(written) and self.by_week is None:
            raise refusal("a share without its week", "by_week, or share: {week: share}")
        if self.by_week is not None and written and len(by_week) == len(written):
            raise refusal("by_week beside shares that stand by week", "one of them")
        for shares in by_week:
            in_time = [shares[week] for week in sorted(shares)]
            if in_time != sorted(in_time):
                raise refusal(
                    "the share falls from one week to a later one",
                    "shares that rise or stay: what has happened has happened",
                )
        return self

    def hazard(self, arm: str) -> Hazard:
        """Return the hazard in `arm`, in minutes, that gives the shares by their weeks."""
        shares = _of_arm(self.share, arm)
        by_week = shares if isinstance(shares, dict) else {self.by_week or 1: shares}
        return _hazard({week: -math.log1p(-by_week[week]) for week in sorted(by_week)})


class ReasonToLeave(Titled, Once):
    """Why somebody leaves."""


class Frequency(Section):
    """Something that happens again and again, at random moments from randomisation on."""

    by_week: Weeks
    """The week up to which is counted, from randomisation; the same rate goes on after it."""
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

    def hazard(self, arm: str) -> Hazard:
        """Return the hazard in `arm` of the next time, in minutes: constant."""
        return _hazard({self.by_week: _of_arm(self.per_participant, arm)})


def _of_arm(written: Any, arm: str) -> Any:  # noqa: ANN401 -- a figure, or a figure each
    return written.get(arm, 0.0) if _is_by_arm(written) else written


def _hazard(cumulative_by_week: Mapping[float, float]) -> Hazard:
    """Return the hazard; of shares drawn a later one is never below an earlier one."""
    knots = (
        (float(week * DAYS_PER_WEEK * MINUTES_PER_DAY), float(cumulative))
        for week, cumulative in zip(
            cumulative_by_week, accumulate(cumulative_by_week.values(), max), strict=True
        )
    )
    return Hazard(((0.0, 0.0), *knots))


class Assumptions(Section):
    """What nature does."""

    uncertain: Literal["all", "rate", "none"] = "rate"
    """What every replication draws anew because nobody knows it. `all`: each number in here that
    has a range, which counts as the middle 90 %. A share is beta and what may be 0 gamma, with the
    value as mean; what is above 0 is lognormal, with the value as median; anything else normal. As
    evidence a share counts at most 50 people if it is from the literature, and 20 if it is assumed
    or an expert's, however narrow its range; registry and data count in full. The rate of
    candidates is drawn by its `rate_shape` or, where that is `null`, by its range. What is planned
    (booked lengths, the last safe day) goes by the values. `rate`: the rate alone, by its
    `rate_shape`. `none`: nothing, every number is its value."""
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
    leaving: dict[Name, ReasonToLeave] = Field(default={})
    """Reasons to leave the trial, which compete: the earliest wins. The clock runs from
    randomisation, for those who are never dosed too; whoever leaves before day 1 leaves what was
    ordered for them to be discarded. Leaving during a visit takes effect after it."""
    stops_treatment: Once = Once(share={})
    """Stopping treatment ends the rows that give a product; the other visits go on, planned from
    the day planned for the first dose if none was given."""
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
