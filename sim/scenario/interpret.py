"""From a scenario, as planners write it, to the protocol that a replication walks."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from sim.scenario.assumptions import Assumptions, Attendance, Frequency, Once, YesNo
from sim.scenario.beliefs import beliefs, draws, rate_belief, with_drawn
from sim.scenario.calendars import Calendars
from sim.scenario.capacity import ALWAYS, Role, Room
from sim.scenario.design import those_in
from sim.scenario.errors import KeyPath
from sim.scenario.numbers import NO_TIME, Law
from sim.scenario.plan import VisitPlan
from sim.scenario.protocol import (
    Arm,
    Attribute,
    Dose,
    Event,
    MonitoringVisits,
    PlannedStep,
    PlannedVisit,
    Protocol,
    Reason,
    Rescreening,
    ScreeningSteps,
    products_on_day_1,
)
from sim.scenario.schedule import ScheduleRow
from sim.scenario.schema import Scenario
from sim.scenario.slots import NEVER, Offer, Resource, Slots, Task, VisitType
from sim.scenario.steps import ScreeningStep, first_visit, waits
from sim.scenario.visits import blood_drawn_at, repeat_of_blood, visit_types, with_choices
from sim.vocabulary.clock import MINUTES_PER_DAY, Clock, Roster, Span
from sim.vocabulary.distributions import Distribution, Hazard, bernoulli
from sim.vocabulary.waves import WaveLaw
from sim.vocabulary.words import words

LONG_WAIT = 0.95
"""The share of participants for whom the first dose does not take longer than reckoned with."""


def interpret(scenario: Scenario) -> Protocol:
    """Return what a valid scenario means."""
    return _Interpreter(scenario).protocol()


def believing(protocol: Protocol, drawn: Mapping[KeyPath, float]) -> Protocol:
    """Return what a scenario means to a replication that has drawn some of the assumptions.

    What is planned (calendars, slots, booked lengths, safe days) goes by the values as written, and
    is shared with `protocol`.
    """
    nature = with_drawn(protocol.nature, drawn)
    arms = [arm.name for arm in protocol.arms]
    members = {each.name: index for index, each in enumerate(protocol.resources)}
    return replace(
        protocol,
        **_natural(nature, protocol.clock, len(protocol.expected_candidates) - 1, arms, members),
        screening=replace(protocol.screening, **_in_screening(nature)),
        arms=tuple(
            replace(arm, to_first_dose_days=_wait(nature, arm.name)) for arm in protocol.arms
        ),
        events=tuple(
            replace(each, hazards=_hazards(nature.unscheduled[each.name], arms))
            for each in protocol.events
        ),
    )


def _natural(
    nature: Assumptions, clock: Clock, days: int, arms: Sequence[str], members: Mapping[str, int]
) -> dict[str, Any]:
    """Return the entries of a protocol that nature alone decides, of `days` of recruitment."""
    waves = nature.recruitment.waves
    return {
        "expected_candidates": tuple(nature.recruitment.expected(clock.opens, days)),
        "waves": waves and WaveLaw(float(waves.sd), float(waves.calm)),
        "attributes": tuple(attributes_of(nature)),
        "releases": nature.products,
        "attendance": {name: _attendance(each) for name, each in nature.attendance.items()},
        "reasons": tuple(
            Reason(name, _hazards(each, arms)) for name, each in nature.leaving.items()
        ),
        "stopping": _hazards(nature.stops_treatment, arms),
        "overhead": {
            members[role]: float(share) for role, share in nature.overhead.items() if share
        },
        "minutes": {
            task: law.distribution().quantile for task, law in nature.durations_minutes.items()
        },
    }


_WAITS = ("contact_days", "lab_days", "work_up_days")


def _in_screening(nature: Assumptions) -> dict[str, Any]:
    screening, valid = nature.screening, nature.screening.valid_for_days
    again = screening.rescreens
    return {
        "waits": {
            "": NO_TIME.distribution(),
            **{wait: getattr(screening, wait).distribution() for wait in _WAITS},
        },
        "valid_for_minutes": NEVER if valid is None else float(valid * MINUTES_PER_DAY),
        "consents": float(nature.recruitment.consent),
        "withdraws": float(screening.withdraws),
        "rescreening": again
        and Rescreening(
            frozenset(again.of),
            float(again.share),
            again.after_days.distribution(),
            int(again.times),
        ),
    }


def attributes_of(nature: Assumptions) -> Iterator[Attribute]:
    """Yield how each attribute of people is drawn."""
    for name, written in nature.patients.items():
        if isinstance(written, YesNo):
            yield Attribute(name, bernoulli(float(written.probability)), written.among)
        else:
            yield Attribute(name, written.distribution())


def _wait(nature: Assumptions, arm: str) -> Distribution:
    """Return the days from randomisation to the first dose planned."""
    days: Law = nature.to_first_dose_days.get(arm, NO_TIME)
    return days.distribution()


def _hazards(written: Once | Frequency, arms: Iterable[str]) -> tuple[Hazard, ...]:
    """Return the hazard of what happens once or again and again, by arm, in minutes."""
    return tuple(map(written.hazard, arms))


class _Interpreter:
    """Works out the parts of a protocol in the order in which they build on each other."""

    def __init__(self, scenario: Scenario) -> None:
        self.design, self.nature = scenario.design, scenario.assumptions
        self.clock = Clock(self.design.trial.opens, self.design.trial.closes)
        self.calendars = Calendars(self.clock, self.design.places)
        self.capacities: dict[str, Role | Room] = {**self.design.staff, **self.design.rooms}
        self.members = {name: index for index, name in enumerate(self.capacities)}
        self.visits = visit_types(scenario)
        self.products = tuple(self.design.products.values())
        self.measures = scenario.measures()
        rule = scenario.go_no_go
        self.decision_months = tuple(map(int, rule.at_months)) if rule else ()
        self.resources = tuple(map(self.resource, self.capacities))
        self.asked_of = with_choices(self.design, self.resources)
        self.slots_of = cache(self.slots)  # one for all rows: they queue for the same team

    def protocol(self) -> Protocol:
        trial, nature = self.design.trial, self.nature
        rate = rate_belief(nature)
        days = self.clock.day_of(trial.recruits_until) + 1
        return Protocol(
            clock=self.clock,
            calendar_limits=self.calendars.limits,
            kinds_of_day=self.calendars.kinds_of_day,
            recruits_until_minutes=float(days * MINUTES_PER_DAY),
            target=None if trial.target is None else int(trial.target),
            milestones=tuple(map(int, trial.milestones)),
            decision_months=self.decision_months,
            turns_away_when_full=trial.when_full == "turn_away",
            resources=self.resources,
            members=self.asked_of,
            criteria=tuple(self.design.eligibility.values()),
            screening=self.screening(),
            randomisation=self.design.randomisation,
            arms=tuple(self.arm(index, name) for index, name in enumerate(self.design.arms)),
            products=self.products,
            rows=tuple(self.design.schedule),
            visit_names=tuple(self.visits),
            booking=self.design.booking,
            events=tuple(self.events()),
            monitoring=self.monitoring(),
            measures=self.measures,
            candidates_per_month=float(nature.recruitment.candidates_per_month),
            rate=rate and rate.law,
            beliefs=beliefs(nature),
            draws=draws(nature),
            nature=nature,
            **_natural(nature, self.clock, days, list(self.design.arms), self.members),
        )

    def resource(self, name: str) -> Resource:
        """Return a role or a room with its shifts, and how many are there."""
        capacity = self.capacities[name]
        numbers = list(self.calendars.numbers(capacity))
        ever = {number for _, number in numbers}
        varies = len(ever - {0}) > 1
        roster = Roster((), always=True)
        if (
            varies
            or 0 in ever
            or any(capacity.on(day)[1] is not ALWAYS for day in self.calendars.dates)
        ):
            roster = Roster(self.calendars.shifts(capacity, self.places_that_need(name)))
        levels = tuple(_levels(numbers, roster.shifts)) if varies else ()
        most = None if None in ever else max(number or 0 for number in ever)
        kind = "role" if isinstance(capacity, Role) else "room"
        return Resource(name, kind, most, roster, levels)

    def asked(self, task: Task) -> set[str]:
        """Return all who may have to do a task."""
        return {name for member in self.design.teams[task.name] for name in those_in(member)}

    def places_that_need(self, name: str) -> set[str]:
        """Return the places at which a role or room has work that cannot wait."""
        held = [(place, visit) for _, _, at in self.design.offers() for place, visit in at.items()]
        held += [(self.place(step), step.visit) for step in self.design.steps if step.visit]
        return {
            place
            for place, visit in held
            if any(name in self.asked(task) for task in self.visits[visit].tasks)
        }

    def place(self, step: ScreeningStep) -> str:
        """Return where a step of screening is held, paperwork nowhere."""
        return (step.at or next(iter(self.design.places), "")) if step.visit else ""

    def screening(self) -> ScreeningSteps:
        steps, written = tuple(self.steps()), self.design.steps
        drawn = blood_drawn_at(self.design, self.visits)
        again = repeat_of_blood(self.visits[written[drawn].visit or ""])
        return ScreeningSteps(
            steps=steps,
            asking=first_visit(written),
            repeat_blood=self.slots_of(again, self.place(written[drawn])),
            results=next((step for step in steps[drawn + 1 :] if step.slots is None), None),
            **_in_screening(self.nature),
        )

    def steps(self) -> Iterator[PlannedStep]:
        written = self.design.steps
        works = [step.work for step in written]
        for index, (step, (luck, key)) in enumerate(zip(written, waits(written), strict=True)):
            before, work = works[:index].count(step.work), step.work
            yield PlannedStep(
                name=step.name,
                wait=step.after_days.distribution() if step.after_days else key,
                luck=luck,
                slots=self.slots_of(self.visits[work], self.place(step)) if work else None,
                occasion=f"{work}#{before + 1}" if before else work or "",
                is_visit=step.visit is not None,
                hands_out=self.handed_out(step),
            )

    def handed_out(self, step: ScreeningStep) -> PlannedVisit | None:
        """Return the visit at which a step of screening hands out a product, if it does."""
        if step.gives is None or step.visit is None:
            return None
        product = self.design.products[step.gives]
        offer = self.offer({self.place(step): step.visit})
        dose = Dose(self.products.index(product), float(product.dose))
        return PlannedVisit(step.name, 0, 1, offer, gives=(dose,), left_in_cycle=1)

    def slots(self, visit: VisitType, place: str) -> Slots:
        return Slots(visit, place, self.calendars.days_of(place), self.asked_of)

    def offer(self, at: Mapping[str, str]) -> Offer:
        return Offer(tuple(self.slots_of(self.visits[visit], place) for place, visit in at.items()))

    def arm(self, index: int, name: str) -> Arm:
        treatment = self.design.arms[name]
        wait = _wait(self.nature, name)
        plan = VisitPlan(self.design.schedule, name, self.offer, self.doses)
        return Arm(
            index=index,
            name=name,
            title=words().own(treatment.title) or name,
            to_first_dose_days=wait,
            rows=plan.rows,
            anchors=plan.anchors,
            plan_days=plan.last_day(0),
            latest_safe_day=self.latest_safe_day(plan, wait),
        )

    def doses(self, row: ScheduleRow, arm: str) -> tuple[Dose, ...]:
        """Return what each visit of a row gives to an arm."""
        products = self.design.products
        given = row.given(arm, self.design.arms[arm].product)
        doses = ((name, row.dose_of(name) or float(products[name].dose)) for name in given)
        return tuple(Dose(list(products).index(name), units) for name, units in doses)

    def latest_safe_day(self, plan: VisitPlan, wait: Distribution) -> int:
        """Return the latest safe day of randomisation; see `Arm`."""
        longest_wait = math.ceil(wait.quantile(LONG_WAIT))
        for product in map(self.products.__getitem__, products_on_day_1(plan.rows)):
            release = self.nature.products.get(product.name)
            orders = 1 + (release.failures(LONG_WAIT) if release else 0)
            longest_wait = max(longest_wait, orders * product.order_ahead_days)
        return self.clock.days - 1 - plan.last_day(longest_wait, to_window_end=True)

    def events(self) -> Iterator[Event]:
        """Yield what calls for visits beside the schedule, each in the order after its rows."""
        first = len(self.design.schedule)
        for order, (name, written) in enumerate(self.design.unscheduled.items(), start=first):
            if often := self.nature.unscheduled.get(name):
                visit = PlannedVisit(name, order, 1, self.offer(written.at))
                yield Event(name, _hazards(often, self.design.arms), visit)

    def monitoring(self) -> MonitoringVisits | None:
        written = self.design.monitoring
        if written is None:
            return None
        slots = self.slots_of(self.visits[written.visit], "")
        return MonitoringVisits(slots, float(written.every_days * MINUTES_PER_DAY))


def _levels(
    numbers: Iterable[tuple[int, int | None]], shifts: Sequence[Span]
) -> Iterator[tuple[int, int]]:
    """Yield each instant at which the number there changes, in minutes, with the new number.

    It waits for the end of a shift that began before it: a night is worked to its end.
    """
    before = None
    for instant, number in numbers:
        if number is not None and number != before:
            last = bisect_left(shifts, (instant, 0)) - 1
            yield max(instant, shifts[last][1] if last >= 0 else 0), number
        before = number


def _attendance(written: Attendance) -> tuple[Distribution, float, float]:
    days = written.early_or_late_days.distribution()
    return days, float(written.missed), float(written.notice)
