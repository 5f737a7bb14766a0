"""What a scenario means, ready to walk: names resolved, days counted, calendars worked out.

Built once per process from a validated scenario; holds no luck and no state.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from sim.scenario.product import Product
from sim.scenario.resource import Resource
from sim.scenario.slots import Offer, Slots, Visit
from sim.vocabulary.clock import MINUTES_PER_DAY, Clock
from sim.vocabulary.distributions import Distribution

Attributes = Mapping[str, float]
"""A person's attributes by name; a yes/no attribute is 1.0 or 0.0."""


@dataclass(frozen=True)
class Attribute:
    """How a person's attribute is drawn; `among` names a yes/no attribute it presupposes."""

    name: str
    distribution: Distribution
    among: str | None = None


@dataclass(frozen=True)
class Criterion:
    """An eligibility criterion: passed when every bound holds."""

    name: str
    at: str
    bounds: tuple[tuple[str, str, float], ...]

    def fails(self, attributes: Attributes) -> bool:
        """Say whether a person with these attributes fails the criterion."""
        for name, word, limit in self.bounds:  # noqa: SIM110 -- a generator takes twice the time
            if not _HOLDS[word](attributes[name], limit):
                return True
        return False


_HOLDS = {
    "above": operator.gt,
    "at_least": operator.ge,
    "below": operator.lt,
    "at_most": operator.le,
}


@dataclass(frozen=True)
class PlannedVisit:
    """One visit of an arm's plan, on its day counted from the first dose.

    `late_is_missed` is the row's `after_window: miss`; a repeated row's visit is never held after
    its own window, a single one is if the participant comes late. `left_in_cycle` visits of the
    row's cycle are planned from this one on.
    """

    row: str
    row_order: int
    number: int
    days_after_first_dose: int
    window_days: tuple[int, int]
    late_is_missed: bool
    is_repeated: bool
    min_days_between: int
    is_dose: bool
    left_in_cycle: int
    offer: Offer

    @cached_property
    def occasion(self) -> str:
        """The address of this visit's luck."""
        return f"{self.row} {self.number}"


@dataclass(frozen=True)
class Arm:
    """A treatment arm and everything its participants are to attend, by row of the schedule.

    `latest_safe_day` is the last day of randomisation after which the last visit can still be held
    to the end of its window before the trial closes, when the first dose takes as long to come as
    it does for 19 of 20 participants.
    """

    index: int
    name: str
    title: str
    product: int
    to_first_dose_days: Distribution
    rows: tuple[tuple[PlannedVisit, ...], ...]
    latest_safe_day: int

    @cached_property
    def visits(self) -> tuple[PlannedVisit, ...]:
        """All planned visits, by planned day."""
        everything = (visit for row in self.rows for visit in row)
        return tuple(sorted(everything, key=lambda visit: visit.days_after_first_dose))


@dataclass(frozen=True)
class Attendance:
    """How participants keep the appointments of one visit: days early (−) or late, share missed."""

    early_or_late_days: Distribution
    missed: float


@dataclass(frozen=True)
class Reason:
    """A competing reason: its hazard per minute from day 1 on, by arm index."""

    name: str
    hazards: tuple[float, ...]


@dataclass(frozen=True)
class Event:
    """What calls for a visit beside the schedule: its rate per minute from day 1 on, by arm index.

    `visit` is held for each event, whatever its number.
    """

    name: str
    rates: tuple[float, ...]
    visit: PlannedVisit


@dataclass(frozen=True)
class Monitoring:
    """The visits of a monitor, to which no participant comes."""

    slots: Slots
    every_minutes: float


@dataclass(frozen=True)
class Screening:
    """The steps between the chart and the eligibility call."""

    chart_review: Slots
    screening_visit: Slots
    eligibility_call: Slots
    repeat_blood: Slots
    contact_days: Distribution
    lab_days: Distribution
    work_up_days: Distribution
    valid_for_minutes: float
    consents: float
    withdraws: float


@dataclass(frozen=True)
class Recruitment:
    """When candidates come, were the rate one a month: `cumulative[d]` are expected by day d.

    `rate_shape` is the shape of the gamma distribution of the true rate around
    `candidates_per_month`, or None when the rate is known.
    """

    candidates_per_month: float
    rate_shape: float | None
    cumulative: tuple[float, ...]


@dataclass(frozen=True)
class Randomisation:
    """How arms are allotted: `ratio` by arm index; `block_sizes` is empty for simple randomisation.

    `strata` are attributes with the cut points between their levels.
    """

    ratio: tuple[int, ...]
    block_sizes: tuple[int, ...]
    strata: tuple[tuple[str, tuple[float, ...]], ...]

    def stratum(self, attributes: Attributes) -> tuple[int, ...]:
        """Return a person's level of each stratification factor."""
        return tuple(sum(attributes[name] >= cut for cut in cuts) for name, cuts in self.strata)


@dataclass(frozen=True)
class Protocol:
    """Everything a replication and its tables read.

    `kinds_of_day` says of each day number, also of some beyond the end, what kind of day it is;
    `overhead` of a role, by its index, what share of all its hours is no visit's work; `measures`
    of each measure, in the order of the tables, in which unit it is.
    """

    clock: Clock
    calendar_known_through: date | None
    kinds_of_day: tuple[str, ...]
    recruits_until_minutes: float
    target: int | None
    turns_away_when_full: bool
    resources: tuple[Resource, ...]
    attributes: tuple[Attribute, ...]
    criteria: tuple[Criterion, ...]
    recruitment: Recruitment
    screening: Screening
    randomisation: Randomisation
    arms: tuple[Arm, ...]
    products: tuple[Product, ...]
    rows: tuple[str, ...]
    visit_names: tuple[str, ...]
    attendance: Mapping[str, Attendance]
    reasons: tuple[Reason, ...]
    stopping_hazards: tuple[float, ...]
    events: tuple[Event, ...]
    monitoring: Monitoring | None
    overhead: Mapping[int, float]
    measures: Mapping[str, str]

    @cached_property
    def judging_steps(self) -> frozenset[str]:
        """The steps of screening at which any criterion becomes known."""
        return frozenset(criterion.at for criterion in self.criteria)

    def failing(self, attributes: Attributes) -> tuple[int, ...]:
        """Return the indices of all criteria a person fails."""
        return tuple([index for index, each in enumerate(self.criteria) if each.fails(attributes)])

    def joint_slots(self, first: Slots, second: Slots) -> Slots:
        """Return the slots of two visits held one after the other on one trip to one place."""
        key = (first.visit.name, second.visit.name, first.place)
        if key not in self._joint:
            name = f"{first.visit.name} then {second.visit.name}"
            both = Visit(name, first.visit.tasks + second.visit.tasks, ())
            self._joint[key] = Slots(both, first.place, first.shut_by, self.resources)
        return self._joint[key]

    @cached_property
    def _joint(self) -> dict[tuple[str, str, str], Slots]:
        return {}


def hazard_per_minute(share: float, weeks: float) -> float:
    """Return the exponential hazard under which `share` would have happened after `weeks` weeks."""
    return -math.log1p(-share) / (weeks * 7 * MINUTES_PER_DAY)


def latest_safe_day(
    clock: Clock, rows: Sequence[Sequence[PlannedVisit]], wait: Distribution, product: Product
) -> int:
    """Return the latest safe day of randomisation; see `Arm`."""
    orders = 1 + product.failed_releases(0.95)
    longest_wait = max(math.ceil(wait.quantile(0.95)), orders * product.order_ahead_days)
    ends = (visit.days_after_first_dose + visit.window_days[1] for row in rows for visit in row)
    return clock.days - 1 - longest_wait - max(ends, default=0)
