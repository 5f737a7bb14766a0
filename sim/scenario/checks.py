"""Contradictions between the parts of a scenario, each of which is sound by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sim.scenario.assumptions import Disruption, YesNo
from sim.scenario.beliefs import no_law_left
from sim.scenario.capacity import Product, Role, Room, counted
from sim.scenario.design import (
    AnyOf,
    Design,
    Later,
    Member,
    Randomisation,
    TrialPlan,
    task_of,
    those_in,
)
from sim.scenario.errors import Fault, KeyPath, closest, listed, shown
from sim.scenario.feasibility import never_held
from sim.scenario.limits import body_weights, people
from sim.scenario.logged_person import NO_CRITERION
from sim.scenario.places import Closure, Opening
from sim.scenario.products import given, handed_out, vials
from sim.scenario.schedule import ScheduleRow
from sim.scenario.schema import Scenario
from sim.scenario.section import references, walk
from sim.scenario.steps import step_faults
from sim.scenario.sweep import NOT_SIMULATED, least_points
from sim.scenario.timetable import repeats, rows_together
from sim.scenario.titles import title_faults
from sim.vocabulary.clock import Clock

Faults = Iterator[Fault]

MOST_YEARS = 50
FIRST_YEAR, LAST_YEAR = 1950, 2200


def contradictions(scenario: Scenario) -> Faults:
    """Yield every contradiction; what rests on names is looked at once all of them are known."""
    named = [
        *_unknown_names(scenario),
        *_names_used_twice(scenario),
        *title_faults(scenario),
        *_screening(scenario.design),
    ]
    yield from named
    yield from _sweep(scenario)
    within = [
        fault
        for path, entry, _ in walk(scenario)
        for kind, faults in _WITHIN
        if isinstance(entry, kind)
        for fault in faults(path, entry)
    ]
    yield from within or people(scenario)
    if not within:
        yield from _decisions(scenario)
    if not (within or named):
        yield from _measures_of_one_name(scenario)
    yield from no_law_left(scenario.assumptions)
    if not named:
        yield from _allocation(scenario.design)
        yield from _desk_work(scenario.design)
        yield from given(scenario)
        yield from rows_together(scenario)
        yield from body_weights(scenario)
        yield from handed_out(scenario.design)
        yield from never_held(scenario)


def _unknown_names(scenario: Scenario) -> Faults:
    """Yield a fault for each name that has to be defined elsewhere in the scenario and is not."""
    design, nature = scenario.design, scenario.assumptions
    defined = _defined(scenario)
    for path, name, ref in references(scenario):
        yield from _unknown(path, name, defined[ref.kind])
    for path, name, known in attributes_named(scenario):
        yield from _unknown(path, name, known)
    for name in design.arms.keys() - design.randomisation.ratio.keys():
        path, what = ("design", "randomisation", "ratio"), f"the arm {name} has no ratio"
        yield Fault(path, what, "a ratio for every arm, 0 if need be")
    for task in design.tasks.keys() - nature.durations_minutes.keys():
        what = f"the task {task} has no duration"
        yield Fault(("assumptions", "durations_minutes"), what, "minutes for every task")


def attributes_named(scenario: Scenario) -> Iterator[tuple[KeyPath, str, Sequence[str]]]:
    """Yield each attribute of `patients` that is named without a `Ref`, and what may be named."""
    defined = _defined(scenario)
    yes_no, measured = defined["yes/no attribute"], defined["measured attribute"]
    for place, name in enumerate(yes_no):
        if (among := getattr(scenario.assumptions.patients[name], "among", None)) is not None:
            yield ("assumptions", "patients", name, "among"), among, yes_no[:place]
    for name, cap in scenario.design.randomisation.caps.items():
        for attribute, held in cap.of.items():
            path = ("design", "randomisation", "caps", name, attribute)
            yield path, attribute, yes_no if isinstance(held, bool) else measured
    for name, criterion in scenario.design.eligibility.items():
        for bounded in criterion.bounds:
            yield ("design", "eligibility", name, bounded), bounded, measured
    for name, product in scenario.design.products.items():
        if product.per == "kg":
            yield ("design", "products", name, "per"), "weight_kg", measured


def _defined(scenario: Scenario) -> Mapping[str, Sequence[str]]:
    """Return what names may refer to, by the kind of thing that a `Ref` says."""
    design, patients = scenario.design, scenario.assumptions.patients
    planned = {visit for _, _, at in design.offers() for visit in at.values()}
    yes_no = [name for name, attribute in patients.items() if isinstance(attribute, YesNo)]
    return {
        "arm": list(design.arms),
        "criterion": list(design.eligibility),
        "event": list(design.unscheduled),
        "factor of randomisation": [name for name, _ in design.randomisation.cuts],
        "follow-up visit": [
            name for name in design.visits if name not in {*design.screening_visits} - planned
        ],
        "measure": scenario.measures_with_values(),
        "measured attribute": [name for name in patients if name not in yes_no],
        "place": list(design.places),
        "product": list(design.products),
        "reason": list(scenario.assumptions.leaving),
        "reason in a log": [*design.eligibility, *NO_CRITERION, *scenario.assumptions.leaving],
        "role": list(design.staff),
        "row": list(design.schedule),
        "role or room": [*design.staff, *design.rooms],
        "step": [step.name for step in design.steps],
        "target": list(scenario.targets),
        "target or measure": scenario.rankable(),
        "task": list(design.tasks),
        "visit": list(design.visits),
        "yes/no attribute": yes_no,
    }


def _names_used_twice(scenario: Scenario) -> Faults:
    """Yield a fault for each name that something else has, and each name a list repeats."""
    design = scenario.design
    for name in design.eligibility.keys() & {"consent", "withdrawal"}:
        what = "this is the name of another step of the funnel"
        yield Fault(("design", "eligibility", name), what, "a name of its own")
    for name in design.unscheduled.keys() & {*design.schedule, *design.screening_visits}:
        what = "a row of the schedule or a step of screening has this name too"
        yield Fault(("design", "unscheduled", name), what, "a name of its own")
    for path, entry, _ in walk(scenario):
        if isinstance(entry, Mapping):
            yield from _alike(path, entry)
    for name in design.rooms.keys() & design.staff.keys():
        yield Fault(("design", "rooms", name), "a role has this name too", "a name of its own")
    for name, team in design.teams.items():
        yield from _in_a_team_twice(("design", "tasks", name), team)
    factors = tuple(name for name, _ in design.randomisation.cuts)
    yield from _repeated(("design", "randomisation", "strata"), factors)
    if (again := scenario.assumptions.screening.rescreens) is not None:
        yield from _repeated(("assumptions", "screening", "rescreens", "of"), again.of)
    for name, row in design.schedule.items():
        yield from _repeated(("design", "schedule", name, "arms"), row.arms or ())
        yield from _repeated(("design", "schedule", name, "for"), row.for_ or ())


def _alike(path: KeyPath, names: Iterable[str | int]) -> Faults:
    """Look for names that are one where capital letters are made of small ones: in headings."""
    met: dict[str, str | int] = {}
    for name in names:
        if (other := met.setdefault(str(name).casefold(), name)) != name:
            what = f"this differs from {other} in capital letters alone"
            yield Fault((*path, name), what, "a name of its own")


def _unknown(path: KeyPath, name: str, known: Iterable[str]) -> Faults:
    known = list(known)
    if name not in known:
        yield Fault(path, f"{shown(name)} is not defined", listed(known), closest(name, known))


def _in_a_team_twice(path: KeyPath, team: tuple[Member, ...]) -> Faults:
    """Look for who is named twice in a team, alone or in a choice."""
    met: set[str] = set()
    for index, member in enumerate(team):
        for place, name in enumerate(those_in(member)):
            if name in met:
                within = ("any_of", place) if isinstance(member, AnyOf) else ()
                yield Fault((*path, index, *within), f"{name} is named twice", "each name once")
            met.add(name)


def _repeated(path: KeyPath, names: tuple[str, ...]) -> Faults:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Fault((*path, index), f"{name} is named twice", "each name once")


def _in_order(path: KeyPath, days: Closure | Opening | Disruption) -> Faults:
    if days.to < days.from_:
        what = f"{days.to} comes before its beginning"
        yield Fault((*path, "to"), what, f"{days.from_} or later")


def _rosters(path: KeyPath, capacity: Role | Room) -> Faults:
    """Look for rosters out of order, and for a number taken from what is unlimited."""
    for index, (one, other) in enumerate(pairwise(capacity.changes), start=1):
        if other.from_ <= one.from_:
            what = f"{other.from_} does not come after {one.from_}"
            yield Fault((*path, "changes", index, "from"), what, "changes in the order of dates")
    if capacity.units is not None:
        return
    many, away = counted(capacity), counted(capacity, "absences")
    numbers: dict[str, tuple[Any, ...]] = {
        away: capacity.absences,
        "changes": capacity.changes,
    }
    for key, changes in numbers.items():
        for index, each in enumerate(changes):
            if each.units is not None:
                what = f"{many} are unlimited, so that {each.units} cannot be counted"
                yield Fault((*path, key, index, many), what, f"a number of {many} to begin with")


def _trial_dates(path: KeyPath, trial: TrialPlan) -> Faults:
    if not FIRST_YEAR <= trial.opens.year <= LAST_YEAR:
        yield Fault((*path, "opens"), f"{trial.opens} is out of reach", f"{FIRST_YEAR}-{LAST_YEAR}")
    elif trial.closes < trial.opens:
        yield Fault(
            (*path, "closes"), "the trial closes before it opens", f"{trial.opens} or later"
        )
    elif trial.closes.year - trial.opens.year > MOST_YEARS:
        yield Fault((*path, "closes"), "the trial is too long", f"at most {MOST_YEARS} years")
    elif not trial.opens <= trial.recruits_until <= trial.closes:
        what = f"{trial.recruits_until} lies outside the trial"
        yield Fault((*path, "recruits_until"), what, f"{trial.opens} to {trial.closes}")
    yield from _rising((*path, "milestones"), trial.milestones, "numbers")


_WITHIN: list[tuple[Any, Callable[[KeyPath, Any], Faults]]] = [
    (TrialPlan, _trial_dates),
    (Closure | Opening | Disruption, _in_order),
    (Role | Room, _rosters),
    (ScheduleRow, repeats),
    (Product, vials),
]
"""What has to hold within a section, wherever it stands."""


def _decisions(scenario: Scenario) -> Faults:
    """Look for months of a decision out of order, and after the closing date."""
    months = scenario.go_no_go.at_months if scenario.go_no_go else ()
    trial = scenario.design.trial
    most = Clock(trial.opens, trial.closes).whole_months
    yield from _rising(("go_no_go", "at_months"), months, "months")
    for index, month in enumerate(months):
        if month > most:
            what = f"month {month} ends after the trial closes on {trial.closes}"
            allowed = f"months from 1 to {most}" if most else "no go_no_go in so short a trial"
            yield Fault(("go_no_go", "at_months", index), what, allowed)


def _measures_of_one_name(scenario: Scenario) -> Faults:
    """Look for what is called so that two measures have one name: an arm `in_time_a` beside `a`."""
    for name, times in Counter(name for name, _ in scenario.measures_named()).items():
        if times > 1:
            what = f"two measures would be called {name}"
            yield Fault(("design",), what, "another name for one of those it is made of")


def _rising(path: KeyPath, numbers: Sequence[int], called: str) -> Faults:
    for index, (fewer, more) in enumerate(pairwise(numbers), start=1):
        if more <= fewer:
            what = f"{more} does not come after {fewer}"
            yield Fault((*path, index), what, f"{called} in rising order, each once")


def _sweep(scenario: Scenario) -> Faults:
    if scenario.sweep is None:
        return
    for path in scenario.sweep.vary:
        if path.partition(".")[0] == NOT_SIMULATED:
            yield Fault(("sweep", "vary", path), "a sweep does not vary itself", "another path")
    asked = scenario.sweep.asked
    if not asked.design:
        return
    moved = scenario.ranged()
    least = least_points(asked.design, len(moved))
    if not moved:
        yield Fault(("sweep",), "no number of the assumptions has a range to move it in", "vary")
    elif asked.points < least:
        what = f"{asked.points} points are too few for this design"
        yield Fault(("sweep", "points"), what, f"{least} or more")


def _screening(design: Design) -> Faults:
    """Look at steps that are written; the usual ones are as they are."""
    tasks = {
        name: [task_of(step) for step in steps] for name, steps in design.steps_of_visits.items()
    }
    if design.screening:
        yield from step_faults(design.screening, tasks)


def _allocation(design: Design) -> Faults:
    path, scheme = ("design", "randomisation"), design.randomisation
    for index, (factor, cuts) in enumerate(scheme.cuts):
        for place, (low, high) in enumerate(pairwise(cuts), start=1):
            if high <= low:
                what = f"{high:g} does not come after {low:g}"
                fault = (*path, "strata", index, factor, place)
                yield Fault(fault, what, "cut points in rising order, each once")
    if not any(scheme.ratio.values()):
        yield Fault((*path, "ratio"), "nobody is randomised to any arm", "a ratio above 0")
    elif scheme.method == "permuted_blocks":
        yield from _blocks(path, scheme)
    elif scheme.method == "minimisation":
        yield from _minimisation(path, scheme)


def _blocks(path: KeyPath, scheme: Randomisation) -> Faults:
    cycle = sum(scheme.ratio.values())
    fitting = f"multiples of {cycle}, the sum of the ratio"
    if not scheme.block_sizes:
        yield Fault((*path, "block_sizes"), "there is no block size", fitting)
    for index, size in enumerate(scheme.block_sizes):
        if size % cycle:
            what = f"blocks of {size} do not fit the ratio"
            yield Fault((*path, "block_sizes", index), what, fitting)


def _minimisation(path: KeyPath, scheme: Randomisation) -> Faults:
    least = scheme.least_share
    if least == 1:
        what = "one arm alone has a ratio above 0, so that there is nothing to balance"
        yield Fault((*path, "method"), what, "simple, or a second arm")
    elif scheme.minimisation.probability < least:
        what = f"by the ratio alone the smallest arm is given with probability {least:.6g}"
        yield Fault((*path, "minimisation", "probability"), what, f"{least:.6g} to 1")


def _desk_work(design: Design) -> Faults:
    for name, steps in design.steps_of_visits.items():
        for index, step in enumerate(steps):
            if isinstance(step, Later) and not _is_desk_work(design, step.later):
                asked = [" or ".join(those_in(member)) for member in design.teams[step.later]]
                what = f"{step.later} asks {' and '.join(asked) or 'nobody'}"
                allowed = "a task of exactly one role: work at a desk is one person's"
                yield Fault(("design", "visits", name, index, "later"), what, allowed)


def _is_desk_work(design: Design, task: str) -> bool:
    team = design.teams[task]
    return len(team) == 1 and isinstance(team[0], str) and team[0] in design.staff
