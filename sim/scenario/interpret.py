"""From a scenario, as planners write it, to the protocol that a replication walks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from itertools import accumulate

from sim.scenario import assumptions, design, numbers, supply
from sim.scenario.assumptions import Hazard, YesNo
from sim.scenario.calendars import Calendars
from sim.scenario.crew import crew
from sim.scenario.plan import planned_visits, visit_after_event
from sim.scenario.product import Product, Stock
from sim.scenario.protocol import (
    Arm,
    Attendance,
    Attribute,
    Criterion,
    Event,
    Monitoring,
    Protocol,
    Randomisation,
    Reason,
    Recruitment,
    Screening,
    hazard_per_minute,
    latest_safe_day,
)
from sim.scenario.references import measures
from sim.scenario.schema import Scenario
from sim.scenario.slots import NEVER, Offer, Slots, Task, Visit
from sim.scenario.step import Later
from sim.vocabulary.clock import DAYS_PER_MONTH, DAYS_PER_WEEK, MINUTES_PER_DAY, Clock
from sim.vocabulary.distributions import FAMILIES, Distribution, bernoulli, rounded

SEASONS = ("winter", "winter", "spring", "spring", "spring", "summer", "summer", "summer",
           "autumn", "autumn", "autumn", "winter")  # fmt: skip
"""The season of each month, January first."""


_STEPS = ("chart_review", "screening_visit", "eligibility_call")


def interpret(scenario: Scenario) -> Protocol:
    """Return what a valid scenario means."""
    return _Interpreter(scenario).protocol()


class _Interpreter:
    """Works out the parts of a protocol in the order in which they build on each other."""

    def __init__(self, scenario: Scenario) -> None:
        self.design, self.nature = scenario.design, scenario.assumptions
        trial = self.design.trial
        self.clock = Clock(trial.opens, trial.closes)
        self.calendars = Calendars(self.clock, self.design.places)
        self.visits = {name: self._visit(name) for name in (*_STEPS, *self.design.visits)}
        self.products = tuple(
            _product(name, written, self.nature.products.get(name, supply.Release()))
            for name, written in self.design.products.items()
        )
        self.resources = tuple(crew(self.design, self.calendars, self.visits))
        self.measures = measures(scenario)
        self.slots_of = cache(self._slots)  # one for all rows: they queue for the same team

    def protocol(self) -> Protocol:
        trial, scheme = self.design.trial, self.design.randomisation
        hazards = self.nature.leaving
        return Protocol(
            clock=self.clock,
            calendar_known_through=self.calendars.known_through,
            kinds_of_day=self.calendars.kinds_of_day,
            recruits_until_minutes=float(
                (self.clock.day_of(trial.recruits_until) + 1) * MINUTES_PER_DAY
            ),
            target=None if trial.target is None else int(trial.target),
            turns_away_when_full=trial.when_full == "turn_away",
            resources=self.resources,
            attributes=tuple(_attribute(*named) for named in self.nature.patients.items()),
            criteria=tuple(_criterion(*named) for named in self.design.eligibility.items()),
            recruitment=self._recruitment(),
            screening=self._screening(),
            randomisation=_randomisation(scheme, tuple(self.design.arms)),
            arms=tuple(self._arm(index, name) for index, name in enumerate(self.design.arms)),
            products=self.products,
            rows=tuple(self.design.schedule),
            visit_names=tuple(self.visits),
            attendance={
                name: Attendance(distribution(each.early_or_late_days), float(each.missed))
                for name, each in self.nature.attendance.items()
            },
            reasons=tuple(Reason(name, self._hazards(each)) for name, each in hazards.items()),
            stopping_hazards=self._hazards(self.nature.stops_treatment),
            events=tuple(self._events()),
            monitoring=self._monitoring(),
            overhead={
                list(self.design.staff).index(role): float(share)
                for role, share in self.nature.overhead.items()
                if share
            },
            measures=self.measures,
        )

    def _visit(self, name: str) -> Visit:
        steps = self.design.visits.get(name, ())
        return Visit(
            name,
            tuple(self._task(step) for step in steps if isinstance(step, str)),
            tuple(self._task(step.later) for step in steps if isinstance(step, Later)),
        )

    def _task(self, name: str) -> Task:
        everyone = [*self.design.staff, *self.design.rooms]
        minutes = distribution(self.nature.durations_minutes[name])
        team = tuple(everyone.index(member) for member in self.design.tasks[name])
        return Task(name, team, minutes.quantile, minutes.typical)

    def _screening(self) -> Screening:
        nature = self.nature.screening
        place = next(iter(self.design.places), "")
        drawn = tuple(
            task for task in self.visits["screening_visit"].tasks if task.name == "draw_blood"
        )
        valid = nature.valid_for_days
        return Screening(
            chart_review=self.slots_of(self.visits["chart_review"], ""),
            screening_visit=self.slots_of(self.visits["screening_visit"], place),
            eligibility_call=self.slots_of(self.visits["eligibility_call"], ""),
            repeat_blood=self.slots_of(Visit("repeat_blood", drawn, ()), place),
            contact_days=distribution(nature.contact_days),
            lab_days=distribution(nature.lab_days),
            work_up_days=distribution(nature.work_up_days),
            valid_for_minutes=(NEVER if valid is None else float(valid * MINUTES_PER_DAY)),
            consents=float(self.nature.recruitment.consent),
            withdraws=float(nature.withdraws),
        )

    def _slots(self, visit: Visit, place: str) -> Slots:
        return Slots(visit, place, self.calendars.shut_by(place), self.resources)

    def _arm(self, index: int, name: str) -> Arm:
        arm = self.design.arms[name]
        product = list(self.design.products).index(arm.product)
        wait = distribution(self.nature.to_first_dose_days.get(name, numbers.NO_TIME))
        rows = tuple(
            planned_visits(order, row_name, row, self._offer(row.at))
            for order, (row_name, row) in enumerate(self.design.schedule.items())
            if row.arms is None or name in row.arms
        )
        return Arm(
            index=index,
            name=name,
            title=arm.title or name,
            product=product,
            to_first_dose_days=wait,
            rows=rows,
            latest_safe_day=latest_safe_day(self.clock, rows, wait, self.products[product]),
        )

    def _offer(self, at: Mapping[str, str]) -> Offer:
        return Offer(tuple(self.slots_of(self.visits[visit], place) for place, visit in at.items()))

    def _events(self) -> Iterator[Event]:
        """Yield what calls for visits beside the schedule, each in the order after its rows."""
        for order, (name, written) in enumerate(
            self.design.unscheduled.items(), start=len(self.design.schedule)
        ):
            if (often := self.nature.unscheduled.get(name)) is None:
                continue
            minutes = often.by_week * DAYS_PER_WEEK * MINUTES_PER_DAY
            rates = tuple(often.times_in(arm) / minutes for arm in self.design.arms)
            yield Event(name, rates, visit_after_event(order, name, self._offer(written.at)))

    def _monitoring(self) -> Monitoring | None:
        written = self.design.monitoring
        if written is None:
            return None
        slots = self.slots_of(self.visits[written.visit], "")
        return Monitoring(slots, float(written.every_days * MINUTES_PER_DAY))

    def _hazards(self, hazard: Hazard) -> tuple[float, ...]:
        return tuple(
            hazard_per_minute(hazard.share_in(arm), hazard.by_week) for arm in self.design.arms
        )

    def _recruitment(self) -> Recruitment:
        nature = self.nature.recruitment
        last = self.clock.day_of(self.design.trial.recruits_until)
        daily = (self._expected_on(self.clock.date_of_day(day)) for day in range(last + 1))
        shape = nature.rate_shape
        return Recruitment(
            candidates_per_month=float(nature.candidates_per_month),
            rate_shape=None if shape is None else float(shape),
            cumulative=tuple(accumulate(daily, initial=0.0)),
        )

    def _expected_on(self, day: date) -> float:
        """Return the candidates expected on a day, were the rate one a month."""
        nature = self.nature.recruitment
        expected = float(getattr(nature.season, SEASONS[day.month - 1])) / DAYS_PER_MONTH
        for disruption in nature.disruptions.values():
            if disruption.from_ <= day <= disruption.to:
                expected *= disruption.times
        return expected


def distribution(written: numbers.Distribution) -> Distribution:
    """Return the distribution that a scenario's `family: …` describes."""
    parameters = {
        name: float(entry) if isinstance(entry, float) else entry
        for name in type(written).model_fields
        if name not in ("family", "whole") and (entry := getattr(written, name)) is not None
    }
    drawn = FAMILIES[written.family](**parameters)
    return rounded(drawn) if getattr(written, "whole", False) else drawn


def _attribute(name: str, written: assumptions.Attribute) -> Attribute:
    if isinstance(written, YesNo):
        return Attribute(name, bernoulli(written.probability), written.among)
    return Attribute(name, distribution(written))


def _criterion(name: str, written: design.Criterion) -> Criterion:
    if written.without is not None:
        return Criterion(name, written.at, ((written.without, "below", 1.0),))
    bounds = tuple(
        (attribute, word, float(limit))
        for attribute, limits in written.bounds.items()
        for word in ("above", "at_least", "below", "at_most")
        if (limit := getattr(limits, word)) is not None
    )
    return Criterion(name, written.at, bounds)


def _randomisation(written: design.Randomisation, arms: tuple[str, ...]) -> Randomisation:
    strata = tuple(
        (factor, (1.0,)) if isinstance(factor, str) else next(iter(factor.items()))
        for factor in written.strata
    )
    ratio = tuple(int(written.ratio[arm]) if arm in written.ratio else 0 for arm in arms)
    in_blocks = written.method == "permuted_blocks"
    return Randomisation(
        ratio,
        written.block_sizes if in_blocks else (),
        strata,
    )


def _product(name: str, written: supply.Product, release: supply.Release) -> Product:
    doses, keeps, vial = written.doses_per_week, written.use_within_minutes, written.units_per_vial
    return Product(
        name=name,
        unit=written.unit,
        dose=float(written.dose),
        per_kg=written.per == "kg",
        order_ahead_days=int(written.order_ahead_days),
        doses_per_week=None if doses is None else int(doses),
        use_within_minutes=None if keeps is None else float(keeps),
        units_per_vial=None if vial is None else float(vial),
        is_dispensed_per_cycle=written.dispensed_per == "cycle",
        stock=None if written.stock is None else Stock(*(int(n) for _, n in written.stock)),
        fails_release=float(release.fails_release),
    )
