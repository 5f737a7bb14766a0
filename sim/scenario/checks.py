"""Contradictions between the parts of a scenario, each of which is sound by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from itertools import pairwise

from sim.scenario import doses
from sim.scenario.axis import NOT_SIMULATED
from sim.scenario.capacity import Role, Room
from sim.scenario.design import Design, Row, Trial
from sim.scenario.errors import Fault, KeyPath, listed
from sim.scenario.hours import Week, week
from sim.scenario.ranged import ranged
from sim.scenario.references import names_used_twice, unknown_names
from sim.scenario.schema import Scenario
from sim.scenario.section import Date
from sim.scenario.staffing import Staffing
from sim.scenario.step import Later
from sim.scenario.sweep import least_points
from sim.vocabulary.clock import DAYS_PER_MONTH, WEEKDAYS, Span

Faults = Iterator[Fault]

MOST_YEARS = 50
MOST_CANDIDATES = 1_000_000
MOST_VISITS = 2_000
FIRST_YEAR, LAST_YEAR = 1950, 2200


def contradictions(scenario: Scenario) -> Faults:
    """Yield every contradiction; what rests on names is looked at once all of them are known."""
    named = [*unknown_names(scenario), *names_used_twice(scenario)]
    yield from named
    yield from _dates(scenario)
    yield from _candidates(scenario)
    yield from _sweep(scenario)
    for path, capacity in _capacities(scenario.design):
        yield from _rosters(path, capacity)
    for name, row in scenario.design.schedule.items():
        yield from _repeats(("design", "schedule", name), row)
    yield from _vials(scenario.design)
    if not named:
        yield from _blocks(scenario.design)
        yield from _desk_work(scenario.design)
        yield from doses.contradictions(scenario)
        yield from _never_together(scenario.design)
        yield from _never_open(scenario.design)


def _dates(scenario: Scenario) -> Faults:
    trial = scenario.design.trial
    yield from _trial_dates(trial)
    spans: list[tuple[KeyPath, Date, Date]] = [
        (("assumptions", "recruitment", "disruptions", name, "to"), each.from_, each.to)
        for name, each in scenario.assumptions.recruitment.disruptions.items()
    ]
    spans += [
        (("design", "places", name, "closures", index, "to"), each.from_, each.to)
        for name, place in scenario.design.places.items()
        for index, each in enumerate(place.closures)
    ]
    for path, capacity in _capacities(scenario.design):
        key = "away" if isinstance(capacity, Role) else "closures"
        spans += [
            ((*path, key, index, "to"), each.from_, each.to)
            for index, each in enumerate(capacity.absences)
        ]
    for path, first, last in spans:
        if last < first:
            yield Fault(path, f"{last} comes before its beginning", f"{first} or later")


def _capacities(design: Design) -> Iterator[tuple[KeyPath, Role | Room]]:
    yield from ((("design", "staff", name), role) for name, role in design.staff.items())
    yield from ((("design", "rooms", name), room) for name, room in design.rooms.items())


def _rosters(path: KeyPath, capacity: Role | Room) -> Faults:
    """Look for rosters out of order, and for a number taken from what is unlimited."""
    for index, (one, other) in enumerate(pairwise(capacity.changes), start=1):
        if other.from_ <= one.from_:
            what = f"{other.from_} does not come after {one.from_}"
            yield Fault((*path, "changes", index, "from"), what, "changes in the order of dates")
    if capacity.units is not None:
        return
    many = "people" if isinstance(capacity, Role) else "spaces"
    away = "away" if many == "people" else "closures"
    numbers = [(away, index, each.units) for index, each in enumerate(capacity.absences)]
    numbers += [("changes", index, each.units) for index, each in enumerate(capacity.changes)]
    for key, index, number in numbers:
        if number is not None:
            what = f"{many} are unlimited, so that {number} cannot be counted"
            yield Fault((*path, key, index, many), what, f"a number of {many} to begin with")


def _trial_dates(trial: Trial) -> Faults:
    path = ("design", "trial")
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


def _candidates(scenario: Scenario) -> Faults:
    trial, rate = scenario.design.trial, scenario.assumptions.recruitment.candidates_per_month
    expected = rate * (trial.recruits_until - trial.opens).days / DAYS_PER_MONTH
    if expected > MOST_CANDIDATES:
        path = ("assumptions", "recruitment", "candidates_per_month")
        yield Fault(
            path, f"{expected:.2g} candidates would come", f"up to {MOST_CANDIDATES} in all"
        )


def _sweep(scenario: Scenario) -> Faults:
    if scenario.sweep is None:
        return
    for path in scenario.sweep.vary:
        if path.partition(".")[0] == NOT_SIMULATED:
            yield Fault(("sweep", "vary", path), "a sweep does not vary itself", "another path")
    asked = scenario.sweep.asked
    if not asked.design:
        return
    moved = ranged(scenario)
    least = least_points(asked.design, len(moved))
    if not moved:
        yield Fault(("sweep",), "no number of the assumptions has a range to move it in", "vary")
    elif asked.points < least:
        what = f"{asked.points} points are too few for this design"
        yield Fault(("sweep", "points"), what, f"{least} or more")


def _blocks(design: Design) -> Faults:
    path, scheme = ("design", "randomisation"), design.randomisation
    cycle = sum(part for part in scheme.ratio.values())
    if cycle == 0:
        yield Fault((*path, "ratio"), "nobody is randomised to any arm", "a ratio above 0")
    elif scheme.method == "permuted_blocks":
        fitting = f"multiples of {cycle}, the sum of the ratio"
        if not scheme.block_sizes:
            yield Fault((*path, "block_sizes"), "there is no block size", fitting)
        for index, size in enumerate(scheme.block_sizes):
            if size % cycle:
                what = f"blocks of {size} do not fit the ratio"
                yield Fault((*path, "block_sizes", index), what, fitting)


def _repeats(path: KeyPath, row: Row) -> Faults:
    """Look at a row's visits among themselves: a window may be as wide as the gap, no wider."""
    if (number := row.times * row.cycles) > MOST_VISITS:
        yield Fault(path, f"{number} visits are too many", f"at most {MOST_VISITS} a row")
        return
    width = row.window_days[1] - row.window_days[0]
    for gap, where in _gaps(row):
        if gap < 1:
            what = "a cycle begins before the one before it ends"
            yield Fault((*path, where), what, "more days than its visits take")
        elif width > gap:
            what = f"the window of {width} days is wider than the gap of {gap} between visits"
            yield Fault(
                (*path, "window_days"), what, f"at most {gap} from the earliest to the latest day"
            )
        elif row.min_days_between > gap:
            what = f"visits are planned {gap} days apart"
            yield Fault((*path, "min_days_between"), what, f"at most {gap}")


def _gaps(row: Row) -> Iterator[tuple[int, str]]:
    """Yield the days between one visit and the next, and the key that decides about them."""
    within = 0
    if row.every_days and row.times > 1:
        yield row.every_days, "every_days"
        within = row.every_days * (row.times - 1)
    if row.cycle_days and row.cycles > 1:
        yield row.cycle_days - within, "cycle_days"


def _desk_work(design: Design) -> Faults:
    for name, steps in design.visits.items():
        for index, step in enumerate(steps):
            if isinstance(step, Later) and not _is_desk_work(design, step.later):
                what = f"{step.later} asks {' and '.join(design.tasks[step.later]) or 'nobody'}"
                allowed = "a task of exactly one role: work at a desk is one person's"
                yield Fault(("design", "visits", name, index, "later"), what, allowed)


def _is_desk_work(design: Design, task: str) -> bool:
    team = design.tasks[task]
    return len(team) == 1 and team[0] in design.staff


def _vials(design: Design) -> Faults:
    """Look for vials that are counted though nobody says what one holds."""
    for name, product in design.products.items():
        if product.units_per_vial is None and (product.stock or product.dispensed_per == "cycle"):
            key = "stock" if product.stock else "dispensed_per"
            what = "vials are counted, and nothing says what one holds"
            yield Fault(("design", "products", name, key), what, "units_per_vial beside it")


def _never_together(design: Design) -> Faults:
    for name in design.tasks:
        weeks = _weeks(design, name)
        if all(map(any, weeks)) and not any(_together(weeks)):
            what = f"{listed(design.tasks[name])} are never on duty together"
            yield Fault(("design", "tasks", name), what, "hours in common on some day")


def _never_open(design: Design) -> Faults:
    """Look for visits whose place is shut on every day on which their whole team has hours."""
    first = next(iter(design.places), None)
    on_any_day = ["chart_review", "eligibility_call"]
    if design.monitoring is not None:
        on_any_day.append(design.monitoring.visit)
    held: list[tuple[KeyPath, str, str | None]] = [
        (("design", "visits", name), name, None) for name in on_any_day
    ]
    held.append((("design", "visits", "screening_visit"), "screening_visit", first))
    held += [
        (("design", section, name, "at", place), visit, place)
        for section, name, at in design.offers()
        for place, visit in at.items()
    ]
    for path, visit, place in held:
        tasks = [step for step in design.visits.get(visit, ()) if isinstance(step, str)]
        weeks = [_together(_weeks(design, task)) for task in tasks]
        days = [day for day in range(7) if all(week_of_task[day] for week_of_task in weeks)]
        open_on = WEEKDAYS if place is None else design.places[place].days
        if not all(map(any, weeks)) or not open_on:
            continue
        if not any(WEEKDAYS[day] in open_on for day in days):
            when = listed(WEEKDAYS[day] for day in days) if days else "no day"
            where = f"{place} is open on {listed(open_on)}, " if place else ""
            yield Fault(
                path, f"{where}the whole team of {visit} is there on {when}", "a day in common"
            )


def _weeks(design: Design, task: str) -> list[Week]:
    """Return when each member of a task's team ever is there; never where there are no people."""
    everyone: Mapping[str, Role | Room] = {**design.rooms, **design.staff}
    return [Staffing(everyone[name]).ever() for name in design.tasks[task]]


def _together(weeks: Iterable[Week]) -> Week:
    """Return when all of the weeks have hours."""
    return tuple(reduce(_common, day) for day in zip(week("always"), *weeks, strict=True))


def _common(one: tuple[Span, ...], other: tuple[Span, ...]) -> tuple[Span, ...]:
    both = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple(span for span in both if span[0] < span[1])
