"""Names in a scenario that nothing in it goes by, and names that mean two things."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sim.scenario.assumptions import YesNo
from sim.scenario.design import SCREENING_VISITS
from sim.scenario.errors import Fault, KeyPath, closest, listed, shown
from sim.scenario.schema import Scenario
from sim.scenario.section import references

Faults = Iterator[Fault]


def unknown_names(scenario: Scenario) -> Faults:
    """Yield a fault for each name that has to be defined elsewhere in the scenario and is not."""
    design, nature = scenario.design, scenario.assumptions
    defined = _defined(scenario)
    for path, name, kind in references(scenario):
        yield from _unknown(path, name, defined[kind])
    yes_no, measured = list(defined["yes/no attribute"]), defined["measured attribute"]
    for name in yes_no:
        if (among := getattr(nature.patients[name], "among", None)) is not None:
            earlier = yes_no[: yes_no.index(name)]
            yield from _unknown(("assumptions", "patients", name, "among"), among, earlier)
    for name, criterion in design.eligibility.items():
        for bounded in criterion.bounds:
            yield from _unknown(("design", "eligibility", name, bounded), bounded, measured)
    for name, product in design.products.items():
        if product.per == "kg":
            yield from _unknown(("design", "products", name, "per"), "weight_kg", measured)
    for name in design.arms.keys() - design.randomisation.ratio.keys():
        path, what = ("design", "randomisation", "ratio"), f"the arm {name} has no ratio"
        yield Fault(path, what, "a ratio for every arm, 0 if need be")
    for task in design.tasks.keys() - nature.durations_minutes.keys():
        what = f"the task {task} has no duration"
        yield Fault(("assumptions", "durations_minutes"), what, "minutes for every task")


def _defined(scenario: Scenario) -> Mapping[str, Iterable[str]]:
    """Return what names may refer to, by the kind of thing that a `Ref` says."""
    design, patients = scenario.design, scenario.assumptions.patients
    yes_no = [name for name, attribute in patients.items() if isinstance(attribute, YesNo)]
    return {
        "arm": design.arms,
        "event": design.unscheduled,
        "follow-up visit": [name for name in design.visits if name not in SCREENING_VISITS],
        "measure": scenario.measures_with_values(),
        "measured attribute": [name for name in patients if name not in yes_no],
        "place": design.places,
        "product": design.products,
        "role": design.staff,
        "role or room": [*design.staff, *design.rooms],
        "target or measure": scenario.rankable(),
        "task": design.tasks,
        "visit": design.visits,
        "yes/no attribute": yes_no,
    }


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


def _unknown(path: KeyPath, name: str, known: Iterable[str]) -> Faults:
    known = list(known)
    if name not in known:
        yield Fault(path, f"{shown(name)} is not defined", listed(known), closest(name, known))


def _repeated(path: KeyPath, names: tuple[str, ...]) -> Faults:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Fault((*path, index), f"{name} is named twice", "each name once")
