"""Contradictions in what is given: to whom, how much, and whether it can be had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sim.scenario.capacity import Product
from sim.scenario.design import Design
from sim.scenario.errors import Fault, KeyPath, listed
from sim.scenario.schedule import Anchor, ScheduleRow
from sim.scenario.schema import Scenario

_Faults = Iterator[Fault]

PREPARED_AND_GIVEN = 2


def given(scenario: Scenario) -> _Faults:
    """Yield what contradicts what is given, all names being known."""
    design = scenario.design
    faults = [
        fault
        for name, row in design.schedule.items()
        for fault in (*_gifts(design, name, row), *_doses(design, name, row))
    ]
    yield from faults
    if not faults:
        yield from _first_doses(design)
        yield from _preparations(design)
        yield from _releases(scenario)


def vials(path: KeyPath, product: Product) -> _Faults:
    """Look for vials that are counted though nobody says what one holds."""
    if product.units_per_vial is None and (product.stock or product.dispensed_per == "cycle"):
        key = "stock" if product.stock else "dispensed_per"
        what = "vials are counted, and nothing says what one holds"
        yield Fault((*path, key), what, "units_per_vial beside it")


def handed_out(design: Design) -> _Faults:
    """Look for a product that a step of screening cannot hand out, or that nobody would count."""
    for index, step in enumerate(design.screening):
        product = design.products.get(step.gives or "")
        if product is None:
            continue
        path = ("design", "screening", index, "gives")
        if product.units_per_vial is None:
            what = f"nobody would count it: nothing says what a vial of {step.gives} holds"
            yield Fault(path, what, "a product with units_per_vial")
        if product.order_ahead_days or product.is_prepared:
            what = f"{step.gives} is ordered or prepared for a participant"
            yield Fault(path, what, "a product that is there, or on the shelf")


def _gifts(design: Design, name: str, row: ScheduleRow) -> _Faults:
    """Look for arms that are not the row's or of which nothing is said, and for names repeated."""
    path = ("design", "schedule", name, "gives")
    if isinstance(row.gives, Mapping):
        arms = [arm for arm in design.arms if row.is_for(arm)]
        for arm in row.gives:
            if arm not in arms:
                yield Fault((*path, arm), f"the row is not for the arm {arm}", listed(arms))
        for arm in arms:
            if arm not in row.gives:
                what = f"nothing says what the arm {arm} is given"
                yield Fault(path, what, "every arm of the row, [] for nothing")
    for arm in design.arms:
        products = _given(design, row, arm)
        for twice in {each for each in products if products.count(each) > 1}:
            where = (*path, arm) if isinstance(row.gives, Mapping) else path
            yield Fault(where, f"{twice} is named twice", "each name once")


def _doses(design: Design, name: str, row: ScheduleRow) -> _Faults:
    """Look for a dose of what is not given, and for one number for several products."""
    if row.dose is None:
        return
    path = ("design", "schedule", name, "dose")
    given_to = [_given(design, row, arm) for arm in design.arms]
    products = {product: None for together in given_to for product in together}
    if not products:
        yield Fault(
            path, "nothing is given at the visits of this row", "no dose, or gives beside it"
        )
    elif isinstance(row.dose, Mapping):
        for product in row.dose.keys() - products.keys():
            yield Fault((*path, product), f"the row does not give {product}", listed(products))
    elif max(map(len, given_to)) > 1:
        yield Fault(path, "several products are given", "a dose by product, as in {drug: 2}")


def _given(design: Design, row: ScheduleRow, arm: str) -> tuple[str, ...]:
    return row.given(arm, design.arms[arm].product)


def _first_doses(design: Design) -> _Faults:
    for arm in design.arms:
        rows = {name: row for name, row in design.schedule.items() if _given(design, row, arm)}
        doses = {
            name: row.first_day for name, row in rows.items() if row.from_ == Anchor.FIRST_DOSE
        }
        if rows and all(row.other for row in rows.values()):
            first = next(iter(rows))
            what = f"no dose of {arm} is planned for day 1, the day of the first dose"
            yield Fault(("design", "schedule", first, "from"), what, "first_dose for one of them")
        if doses and min(doses.values()) != 1:
            first = min(doses, key=doses.__getitem__)
            what = f"the first dose of {arm} is planned on day {doses[first]}"
            yield Fault(("design", "schedule", first, "day"), what, "1, the day of the first dose")


def _preparations(design: Design) -> _Faults:
    """Look for a dose that must be used in time at a visit that does not tell when it begins."""
    perishable = [
        name for name, each in design.products.items() if each.use_within_minutes is not None
    ]
    for name, row in design.schedule.items():
        products = {product for arm in design.arms for product in _given(design, row, arm)}
        for place, visit in row.at.items():
            tasks = [step for step in design.steps_of_visits[visit] if isinstance(step, str)]
            if products.intersection(perishable) and len(tasks) < PREPARED_AND_GIVEN:
                what = f"{visit} has no task after the preparation of a dose to be used in time"
                yield Fault(("design", "schedule", name, "at", place), what, "two tasks or more")


def _releases(scenario: Scenario) -> _Faults:
    """Look for an order that may fail and would be there again at once."""
    for name, release in scenario.assumptions.products.items():
        at_once = scenario.design.products[name].order_ahead_days == 0
        if release.fails_release > 0 and at_once:
            path = ("assumptions", "products", name, "fails_release")
            what = f"{name} has no order_ahead_days, so that a new order would be there at once"
            yield Fault(path, what, "0, or order_ahead_days of 1 or more")
