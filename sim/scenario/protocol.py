"""What a scenario means, ready to walk: names resolved, days counted, calendars worked out.

Built once per process from a validated scenario; holds no luck and no state. Where nothing has to
be worked out it holds the scenario's own sections.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from sim.scenario.assumptions import Assumptions
from sim.scenario.beliefs import Belief
from sim.scenario.capacity import Product, Release
from sim.scenario.criteria import Attributes, Criterion
from sim.scenario.design import Randomisation
from sim.scenario.history import Informed
from sim.scenario.places import Booking
from sim.scenario.schedule import Anchor
from sim.scenario.slots import NEVER_DAY, Offer, Resource, Slots, VisitType
from sim.vocabulary.clock import MINUTES_PER_DAY, CalendarLimits, Clock
from sim.vocabulary.distributions import Distribution, Hazard, Quantile
from sim.vocabulary.eventlog import Milestone
from sim.vocabulary.streams import Draws
from sim.vocabulary.waves import WaveLaw

BEFORE_FIRST_DOSE = "before_first_dose"
"""The anchor of what is planned for days before day 1: the day planned for it at randomisation."""


@dataclass(frozen=True)
class Attribute:
    """How a person's attribute is drawn; `among` names a yes/no attribute it presupposes."""

    name: str
    distribution: Distribution
    among: str | None = None


class Dose(NamedTuple):
    """What a visit gives of one product: its index, and the units, for each kilogram or person."""

    product: int
    units: float


@dataclass(frozen=True)
class PlannedVisit:
    """One visit of an arm's plan, so many days after its anchor.

    An anchor is a key of the arm's `anchors`, or the `occasion` of another visit: its being held.
    `late_is_missed` is the row's `after_window: miss`; a repeated row's visit is never held after
    its own window, a single one is if the participant comes late. `left_in_cycle` visits of the
    row's cycle are planned from this one on. What has a default is not said of a visit that an
    event calls for: it gives nothing and is never too late.
    """

    row: str
    row_order: int
    number: int
    offer: Offer
    anchor: str = ""
    days_after: int = 0
    window_days: tuple[int, int] = (0, NEVER_DAY)
    late_is_missed: bool = False
    is_repeated: bool = False
    min_days_between: int = 0
    gives: tuple[Dose, ...] = ()
    left_in_cycle: int = 0

    @cached_property
    def occasion(self) -> str:
        """The address of this visit's luck."""
        return f"{self.row} {self.number}"

    @cached_property
    def is_dose(self) -> bool:
        """Whether anything is given."""
        return bool(self.gives)

    def numbered(self, number: int) -> PlannedVisit:
        """Return the same visit with another number; each is made once."""
        if number not in self._numbered:
            self._numbered[number] = replace(self, number=number)
        return self._numbered[number]

    @cached_property
    def _numbered(self) -> dict[int, PlannedVisit]:
        return {}


@dataclass(frozen=True)
class Coming:
    """How an anchor comes for a participant.

    With a milestone, where there are `reasons` with one of them as its detail; or with the last
    visit held of `rows`, once none of theirs is to come any more.
    """

    milestone: Milestone | None = None
    rows: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ()

    def is_for(self, detail: object) -> bool:
        """Say whether the anchor comes with its milestone where that has a detail."""
        return not self.reasons or detail in self.reasons


@dataclass(frozen=True)
class Arm:
    """A treatment arm and everything its participants are to attend, by row of the schedule.

    `anchors` are what its visits are counted from, other visits apart; `plan_days` the days from
    the first dose to the last visit, each held on its planned day.
    `latest_safe_day` is the last day of randomisation after which the last visit can still be held
    to the end of its window before the trial closes, when the first dose takes as long to come as
    it does for 19 of 20 participants.
    """

    index: int
    name: str
    title: str
    to_first_dose_days: Distribution
    rows: tuple[tuple[PlannedVisit, ...], ...]
    anchors: Mapping[str, Coming]
    plan_days: int
    latest_safe_day: int

    @cached_property
    def has_doses(self) -> bool:
        """Whether anything is given in this arm."""
        return any(visit.is_dose for row in self.rows for visit in row)

    @cached_property
    def fixed_anchors(self) -> frozenset[str]:
        """The anchors whose visits keep their planned day, however late they can be held.

        What is counted from other visits, or before day 1, gives way to what was before it.
        """
        fixed = (name for name, coming in self.anchors.items() if not coming.rows)
        return frozenset(fixed) - {BEFORE_FIRST_DOSE}

    @cached_property
    def rows_after_leaving(self) -> frozenset[str]:
        """The rows that are counted from leaving, or from visits that are."""
        anchors = {name for name, each in self.anchors.items() if each.milestone is Milestone.LEFT}
        rows = set[str]()
        while more := {each.row for each in self.visits if each.anchor in anchors} - rows:
            rows |= more
            anchors |= {name for name, each in self.anchors.items() if each.rows & rows}
            anchors |= {each.occasion for each in self.visits if each.row in rows}
        return frozenset(rows)

    @cached_property
    def counts_from_visits(self) -> bool:
        """Whether any visit is counted from others."""
        fixed = {*self.fixed_anchors, BEFORE_FIRST_DOSE}
        return any(visit.anchor not in fixed for visit in self.visits)

    @cached_property
    def given_first(self) -> tuple[int, ...]:
        """The products that are given on day 1."""
        return products_on_day_1(self.rows)

    @cached_property
    def visits(self) -> tuple[PlannedVisit, ...]:
        """All visits of the plan, row by row."""
        return tuple(visit for row in self.rows for visit in row)


def products_on_day_1(rows: Sequence[Sequence[PlannedVisit]]) -> tuple[int, ...]:
    """Return the indices of what the visits of some rows give on day 1, each once."""
    begins = (row[0] for row in rows if not row[0].days_after)
    first = (each for each in begins if each.anchor == Anchor.FIRST_DOSE)
    return tuple(dict.fromkeys(dose.product for visit in first for dose in visit.gives))


@dataclass(frozen=True)
class Reason:
    """A competing reason to leave: its hazard in minutes from randomisation, by arm index."""

    name: str
    hazards: tuple[Hazard, ...]


@dataclass(frozen=True)
class Event:
    """What calls for a visit beside the schedule, from randomisation on.

    `hazards` are of the minutes to the next event, by arm index; `visit` is held for each event,
    whatever its number.
    """

    name: str
    hazards: tuple[Hazard, ...]
    visit: PlannedVisit


@dataclass(frozen=True)
class MonitoringVisits:
    """The visits of a monitor, to which no participant comes."""

    slots: Slots
    every_minutes: float


@dataclass(frozen=True)
class PlannedStep:
    """A step of screening, due so many days after the end of the step before.

    `wait` are these days, or the key under which nature has them; `luck` is their address. `slots`
    are of what is then held, None where something becomes known without; `occasion` is the address
    of its luck, and its row in the log. `hands_out` says what is given to whoever passes.
    """

    name: str
    wait: Distribution | str
    luck: str
    slots: Slots | None
    occasion: str
    is_visit: bool
    hands_out: PlannedVisit | None

    def due(self, since: float, sampled: float, wait: float) -> float:
        """Return when it is due after a wait: since the end of the step before, in minutes.

        What becomes known without a visit waits since the sample was taken there.
        """
        return max((sampled if self.slots is None else since) + wait, since)


@dataclass(frozen=True)
class Rescreening:
    """Who comes again after failing first one of some criteria, when, and how often at most."""

    of: frozenset[str]
    share: float
    after_days: Distribution
    times: int

    def is_open_to(self, criterion: str, number: int) -> bool:
        """Say whether an attempt after that `number`, which failed the criterion, may follow."""
        return criterion in self.of and number <= self.times


@dataclass(frozen=True)
class ScreeningSteps:
    """The steps from the chart to randomisation, and what is said of all of them.

    At step number `asking` (from 0) consent is asked. `repeat_blood` draws blood once more, and its
    results take as long as at the step `results`; `waits` are those of nature, in days.
    """

    steps: tuple[PlannedStep, ...]
    asking: int
    repeat_blood: Slots
    results: PlannedStep | None
    waits: Mapping[str, Distribution]
    valid_for_minutes: float
    consents: float
    withdraws: float
    rescreening: Rescreening | None

    def wait_days(self, step: PlannedStep | None) -> Distribution:
        """Return the days before a step; none before no step."""
        key = step.wait if step else ""
        return self.waits[key] if isinstance(key, str) else key

    def last_due(self, ended: float, sampled: float, wait: Callable[[PlannedStep], float]) -> float:
        """Return when the last step is due, were all between held at once after the one that asks.

        That one ended and its sample was taken at these instants; `wait` says a step's, in minutes.
        """
        for step in self.steps[self.asking + 1 :]:
            ended = sampled = step.due(ended, sampled, wait(step))
        return ended

    @property
    def from_consent(self) -> frozenset[str]:
        """The names of the step at which consent is asked and of those after it."""
        return frozenset(step.name for step in self.steps[self.asking :])


def expected_by(by_day: Sequence[float], minutes: float) -> float:
    """Return what is expected by an instant of what is expected by the beginning of each day."""
    days = minutes / MINUTES_PER_DAY
    if days <= 0:
        return 0.0
    day = min(int(days), len(by_day) - 2)
    return by_day[day] + (by_day[day + 1] - by_day[day]) * min(days - day, 1.0)


@dataclass(frozen=True)
class Protocol:
    """Everything a replication and its tables read.

    `expected_candidates[d]` come by day d, were the rate one a month; `rate` is what is believed of
    the true rate, None when it is known to be `candidates_per_month`; `waves` of how it changes
    by itself, None when it does not.
    `kinds_of_day` says of each day number, also of some beyond the end, what kind of day it is;
    `attendance` of a visit by how many days people come early (−) or late, what share is missed,
    and of whom this is known in time;
    `overhead` of a role, by its index, what share of all its hours is no visit's work;
    `minutes` of a task how long it takes;
    `measures` of each measure, in the order of the tables, in which unit it is;
    `beliefs` are of the numbers of `nature` that a replication draws (see `interpret.believing`),
    `draws` which replications share them; `informed` what is known of a trial that
    runs.
    """

    clock: Clock
    calendar_limits: tuple[CalendarLimits, ...]
    kinds_of_day: tuple[str, ...]
    recruits_until_minutes: float
    target: int | None
    milestones: tuple[int, ...]
    decision_months: tuple[int, ...]
    turns_away_when_full: bool
    resources: tuple[Resource, ...]
    members: tuple[Resource, ...]
    attributes: tuple[Attribute, ...]
    criteria: tuple[Criterion, ...]
    candidates_per_month: float
    rate: Distribution | None
    expected_candidates: tuple[float, ...]
    waves: WaveLaw | None
    screening: ScreeningSteps
    randomisation: Randomisation
    arms: tuple[Arm, ...]
    products: tuple[Product, ...]
    releases: Mapping[str, Release]
    rows: tuple[str, ...]
    visit_names: tuple[str, ...]
    booking: Booking
    attendance: Mapping[str, tuple[Distribution, float, float]]
    reasons: tuple[Reason, ...]
    stopping: tuple[Hazard, ...]
    events: tuple[Event, ...]
    monitoring: MonitoringVisits | None
    overhead: Mapping[int, float]
    minutes: Mapping[str, Quantile]
    measures: Mapping[str, str]
    beliefs: tuple[Belief, ...]
    draws: Draws
    nature: Assumptions
    informed: Informed | None = None
    _joint: dict[tuple[str, str, str], Slots] = field(default_factory=dict, repr=False)

    @property
    def calendar_known_through(self) -> date | None:
        """The last date through which no day off is estimated in any country; None if none is."""
        limits = [each.known_through for each in self.calendar_limits if each.known_through]
        return min(limits, default=None)

    @cached_property
    def with_rate_known(self) -> Protocol:
        """The same trial, with the same calendars and slots, were the rate known at its value."""
        return replace(self, rate=None, draws=self.draws._replace(is_stratified=False))

    @cached_property
    def beside(self) -> Protocol | None:
        """What is simulated a few times beside the trial, on the same people; None: nothing.

        That is the trial with its rate known; of one that runs, it as it was planned.
        """
        if self.informed is not None:
            return replace(self, informed=None, beliefs=self.informed.plan)
        return None if self.rate is None else self.with_rate_known

    def expected_by(self, minutes: float) -> float:
        """Return the candidates expected by an instant, were the rate one a month."""
        return expected_by(self.expected_candidates, minutes)

    @cached_property
    def judging_steps(self) -> frozenset[str]:
        """The steps of screening at which any criterion becomes known."""
        return frozenset(criterion.at for criterion in self.criteria)

    @cached_property
    def drawn_anew(self) -> frozenset[str]:
        """The attributes that are others when somebody is screened again."""
        again = self.screening.rescreening
        of = again.of if again else ()
        tested = (each.limits for each in self.criteria if each.name in of)
        return frozenset(attribute for limits in tested for attribute, _, _ in limits)

    @cached_property
    def caps_known_after(self) -> Mapping[str, int]:
        """After how many steps of screening it is known whom each cap counts.

        An attribute is known at the first step at which a criterion reads it; from the chart where
        none does.
        """
        known = dict[str, int]()
        for number, step in enumerate(self.screening.steps, start=1):
            read = (each.limits for each in self.criteria if each.at == step.name)
            for attribute, _, _ in chain.from_iterable(read):
                known.setdefault(attribute, number)
        return {
            name: max(known.get(attribute, 0) for attribute in cap.of)
            for name, cap in self.randomisation.caps.items()
        }

    def failing(self, attributes: Attributes) -> tuple[int, ...]:
        """Return the indices of all criteria a person fails."""
        return tuple([index for index, each in enumerate(self.criteria) if each.fails(attributes)])

    def joint_slots(self, first: Slots, second: Slots) -> Slots:
        """Return the slots of two visits held one after the other on one trip to one place."""
        key = (first.visit.name, second.visit.name, first.place)
        if key not in self._joint:
            name = f"{first.visit.name} then {second.visit.name}"
            both = VisitType(name, first.visit.tasks + second.visit.tasks, ())
            self._joint[key] = Slots(both, first.place, first.days, self.members)
        return self._joint[key]
