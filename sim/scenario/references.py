"""Names in a scenario that nothing in it goes by, and names that mean two things."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from sim.scenario.assumptions import YesNo
from sim.scenario.design import Design
from sim.scenario.errors import Fault, KeyPath, closest, listed, shown
from sim.scenario.schema import Scenario
from sim.scenario.step import Later, Step
from sim.vocabulary.measures import units_of

Faults = Iterator[Fault]

SCREENING_VISITS = ("chart_review", "screening_visit", "eligibility_call")


def unknown_names(scenario: Scenario) -> Faults:
    """Yield a fault for each name that has to be defined elsewhere in the scenario and is not."""
    yield from _in_arms_and_schedule(scenario.design)
    yield from _in_visits_and_tasks(scenario.design)
    yield from _of_attributes(scenario)
    yield from _in_assumptions(scenario)
    known = with_values(scenario)
    for name, target in scenario.targets.items():
        yield from _unknown(("targets", name, "measure"), target.measure, known)
    if scenario.sweep and scenario.sweep.on is not None:
        yield from _unknown(("sweep", "on"), scenario.sweep.on, rankable(scenario))


def names_used_twice(scenario: Scenario) -> Faults:
    """Yield a fault for each name that something else has, and each name a list repeats."""
    design = scenario.design
    for name in design.eligibility.keys() & {"consent", "withdrawal"}:
        what = "this is the name of another step of the funnel"
        yield Fault(("design", "eligibility", name), what, "a name of its own")
    for name in design.unscheduled.keys() & {*design.schedule, *SCREENING_VISITS}:
        what = "a row of the schedule or a step of screening has this name too"
        yield Fault(("design", "unscheduled", name), what, "a name of its own")
    for name in design.rooms.keys() & design.staff.keys():
        yield Fault(("design", "rooms", name), "a role has this name too", "a name of its own")
    for name, team in design.tasks.items():
        yield from _repeated(("design", "tasks", name), team)
    for name, row in design.schedule.items():
        yield from _repeated(("design", "schedule", name, "arms"), row.arms or ())


def measures(scenario: Scenario) -> dict[str, str]:
    """Return the unit of each measure of a scenario, in the order of the tables."""
    design, chances = scenario.design, scenario.assumptions
    products = design.products.items()
    groups: dict[str, Iterable[str]] = {
        "arm": design.arms,
        "reason": chances.leaving,
        "event": [name for name in design.unscheduled if name in chances.unscheduled],
        "product": design.products,
        "product in vials": [name for name, each in products if each.units_per_vial],
        "product in stock": [name for name, each in products if each.stock],
        "resource": [*design.staff, *design.rooms],
        "visit": dict.fromkeys((*SCREENING_VISITS, *design.visits)),
    }
    return units_of(groups) | {f"units_{name}": each.unit for name, each in products}


def with_values(scenario: Scenario) -> list[str]:
    """Return the names of the measures a target may be set on: without one, its day is blank."""
    has_target = scenario.design.trial.target is not None
    return [name for name in measures(scenario) if has_target or name != "day_of_target"]


def rankable(scenario: Scenario) -> list[str]:
    """Return the names of the targets and measures that a sensitivity analysis can rank by."""
    return [*scenario.targets, *with_values(scenario)]


def task_of(step: Step) -> str:
    """Return the task a step of a visit names."""
    return step.later if isinstance(step, Later) else step


def _in_arms_and_schedule(design: Design) -> Faults:
    for name, arm in design.arms.items():
        yield from _unknown(("design", "arms", name, "product"), arm.product, design.products)
    for name, row in design.schedule.items():
        path = ("design", "schedule", name)
        for index, arm_name in enumerate(row.arms or ()):
            yield from _unknown((*path, "arms", index), arm_name, design.arms)
    for section, name, at in design.offers():
        for place, visit in at.items():
            yield from _unknown(("design", section, name, "at", place), place, design.places)
            yield from _unknown(("design", section, name, "at", place), visit, design.visits)
    if design.monitoring is not None:
        visit = design.monitoring.visit
        yield from _unknown(("design", "monitoring", "visit"), visit, design.visits)
    path = ("design", "randomisation", "ratio")
    ratio = design.randomisation.ratio
    yield from chain.from_iterable(_unknown((*path, name), name, design.arms) for name in ratio)
    for name in design.arms.keys() - ratio.keys():
        yield Fault(path, f"the arm {name} has no ratio", "a ratio for every arm, 0 if need be")


def _in_visits_and_tasks(design: Design) -> Faults:
    for name, steps in design.visits.items():
        for index, step in enumerate(steps):
            path: KeyPath = ("design", "visits", name, index)
            yield from _unknown(path, task_of(step), design.tasks)
    people = [*design.staff, *design.rooms]
    for name, team in design.tasks.items():
        for index, member in enumerate(team):
            yield from _unknown(("design", "tasks", name, index), member, people)


def _of_attributes(scenario: Scenario) -> Faults:
    design, patients = scenario.design, scenario.assumptions.patients
    yes_no = [name for name, attribute in patients.items() if isinstance(attribute, YesNo)]
    measured = [name for name in patients if name not in yes_no]
    for name, criterion in design.eligibility.items():
        path = ("design", "eligibility", name)
        if criterion.without is not None:
            yield from _unknown((*path, "without"), criterion.without, yes_no)
        for bounded in criterion.bounds:
            yield from _unknown((*path, bounded), bounded, measured)
    for index, stratum in enumerate(design.randomisation.strata):
        factor, known = (
            (stratum, yes_no) if isinstance(stratum, str) else (next(iter(stratum)), measured)
        )
        yield from _unknown(("design", "randomisation", "strata", index), factor, known)
    for name, product in design.products.items():
        if product.per == "kg":
            yield from _unknown(("design", "products", name, "per"), "weight_kg", measured)
    for name, attribute in patients.items():
        if isinstance(attribute, YesNo) and attribute.among is not None:
            earlier = yes_no[: yes_no.index(name)]
            path = ("assumptions", "patients", name)
            yield from _unknown((*path, "among"), attribute.among, earlier)


def _in_assumptions(scenario: Scenario) -> Faults:
    design, nature = scenario.design, scenario.assumptions
    followed_up = [name for name in design.visits if name not in SCREENING_VISITS]
    tables: list[tuple[str, Iterable[str], Iterable[str]]] = [
        ("to_first_dose_days", nature.to_first_dose_days, design.arms),
        ("products", nature.products, design.products),
        ("attendance", nature.attendance, followed_up),
        ("unscheduled", nature.unscheduled, design.unscheduled),
        ("overhead", nature.overhead, design.staff),
        ("durations_minutes", nature.durations_minutes, design.tasks),
    ]
    for section, names, known in tables:
        for name in names:
            yield from _unknown(("assumptions", section, name), name, known)
    by_arm: list[tuple[KeyPath, object]] = [
        *((("leaving", name, "share"), each.share) for name, each in nature.leaving.items()),
        (("stops_treatment", "share"), nature.stops_treatment.share),
        *(
            (("unscheduled", name, "per_participant"), each.per_participant)
            for name, each in nature.unscheduled.items()
        ),
    ]
    for path, figures in by_arm:
        for arm in figures if isinstance(figures, dict) else ():
            yield from _unknown(("assumptions", *path, arm), arm, design.arms)
    for task in design.tasks.keys() - nature.durations_minutes.keys():
        what = f"the task {task} has no duration"
        yield Fault(("assumptions", "durations_minutes"), what, "minutes for every task")


def _unknown(path: KeyPath, name: str, known: Iterable[str]) -> Faults:
    known = list(known)
    if name not in known:
        yield Fault(path, f"{shown(name)} is not defined", listed(known), closest(name, known))


def _repeated(path: KeyPath, names: tuple[str, ...]) -> Faults:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Fault((*path, index), f"{name} is named twice", "each name once")
