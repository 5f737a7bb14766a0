"""How large a trial and those in it may be: one replication is to take seconds, and its tables."""

from __future__ import annotations

from collections.abc import Iterator

from sim.scenario.assumptions import YesNo
from sim.scenario.beliefs import rate_belief
from sim.scenario.errors import Fault
from sim.scenario.schedule import visits_in_row
from sim.scenario.schema import Scenario

MOST_KG = 1_000
MOST_CANDIDATES, MOST_VISITS = 15_000, 500_000
MANY_CANDIDATES = 0.999
"""The share of replications whose candidates have to be few enough, however unsure their rate."""

PEOPLE_A_PLACE = 2
"""Reckoned with for each participant wanted: some are in screening when the trial is full."""


def people(scenario: Scenario) -> Iterator[Fault]:
    """Look for more candidates or visits than a replication of a small trial can be made of."""
    trial, nature = scenario.design.trial, scenario.assumptions.recruitment
    number = (trial.recruits_until - trial.opens).days + 1
    *_, expected = nature.expected(trial.opens, number)
    believed = rate_belief(scenario.assumptions)
    most = expected * (believed.law.quantile(MANY_CANDIDATES) if believed else 0.0)
    expected *= nature.candidates_per_month
    most = max(expected, most)
    if most > MOST_CANDIDATES:
        path = ("assumptions", "recruitment", "candidates_per_month")
        what = f"{expected:.3g} candidates would come"
        if believed:
            what += f", {most:.3g} in one of 1,000 replications"
        yield Fault(path, what, f"up to {MOST_CANDIDATES:,} in all")
        return
    many = most if trial.target is None else min(most, PEOPLE_A_PLACE * trial.target)
    rows = scenario.design.schedule
    for arm in scenario.design.arms:
        planned = sum(visits_in_row(rows, name) for name, row in rows.items() if row.is_for(arm))
        if many * planned > MOST_VISITS:
            what = f"{many:.3g} people with {planned} visits each are too many"
            yield Fault(("design", "arms", arm), what, f"up to {MOST_VISITS:,} visits in all")


def body_weights(scenario: Scenario) -> Iterator[Fault]:
    """Look for a weight that no body has, where doses are counted by it."""
    written = scenario.assumptions.patients.get("weight_kg")
    per_kg = any(product.per == "kg" for product in scenario.design.products.values())
    if not per_kg or written is None or isinstance(written, YesNo):
        return
    lightest, heaviest = written.ends()
    if not 0 <= lightest <= heaviest <= MOST_KG:
        what = f"{lightest:.3g} to {heaviest:.3g} kg can be drawn"
        allowed = f"0 to {MOST_KG}; low and high cut a distribution off"
        yield Fault(("assumptions", "patients", "weight_kg"), what, allowed)
