"""Contradictions about what is given: when, by whom, of what order and for what body."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, nextafter

from sim.scenario.assumptions import YesNo
from sim.scenario.design import Design
from sim.scenario.errors import Fault
from sim.scenario.interpret import distribution
from sim.scenario.schema import Scenario

Faults = Iterator[Fault]

PREPARED_AND_GIVEN = 2
MOST_KG = 1_000


def contradictions(scenario: Scenario) -> Faults:
    """Yield every contradiction of a scenario whose names are all known."""
    yield from _first_doses(scenario.design)
    yield from _preparations(scenario.design)
    yield from _releases(scenario)
    yield from _body_weights(scenario)


def _first_doses(design: Design) -> Faults:
    for arm in design.arms:
        doses = {name: row.day for name, row in design.schedule.items() if arm in row.dosed_arms}
        if doses and min(doses.values()) != 1:
            first = min(doses, key=doses.__getitem__)
            what = f"the first dose of {arm} is planned on day {doses[first]}"
            yield Fault(("design", "schedule", first, "day"), what, "1, the day of the first dose")


def _preparations(design: Design) -> Faults:
    """Look for a dose that must be used in time at a visit that does not tell when it begins."""
    perishable = [
        name for name, each in design.products.items() if each.use_within_minutes is not None
    ]
    for name, row in design.schedule.items():
        given = {design.arms[arm].product for arm in row.dosed_arms}
        for place, visit in row.at.items():
            tasks = [step for step in design.visits[visit] if isinstance(step, str)]
            if given.intersection(perishable) and len(tasks) < PREPARED_AND_GIVEN:
                what = f"{visit} has no task after the preparation of a dose to be used in time"
                yield Fault(("design", "schedule", name, "at", place), what, "two tasks or more")


def _releases(scenario: Scenario) -> Faults:
    """Look for an order that may fail and would be there again at once."""
    for name, release in scenario.assumptions.products.items():
        at_once = scenario.design.products[name].order_ahead_days == 0
        if release.fails_release > 0 and at_once:
            path = ("assumptions", "products", name, "fails_release")
            what = f"{name} has no order_ahead_days, so that a new order would be there at once"
            yield Fault(path, what, "0, or order_ahead_days of 1 or more")


def _body_weights(scenario: Scenario) -> Faults:
    """Look for a weight that no body has, where doses are counted by it."""
    written = scenario.assumptions.patients.get("weight_kg")
    per_kg = any(product.per == "kg" for product in scenario.design.products.values())
    if not per_kg or written is None or isinstance(written, YesNo):
        return
    try:
        weight = distribution(written).quantile
        lightest, heaviest = weight(0.0), weight(nextafter(1.0, 0.0))
    except (ArithmeticError, ValueError):  # parameters for which a float has no room
        lightest, heaviest = -inf, inf
    if not 0 <= lightest <= heaviest <= MOST_KG:
        what = f"{lightest:.3g} to {heaviest:.3g} kg can be drawn"
        allowed = f"0 to {MOST_KG}; low and high cut a distribution off"
        yield Fault(("assumptions", "patients", "weight_kg"), what, allowed)
