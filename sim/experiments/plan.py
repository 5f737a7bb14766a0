"""What a sweep will do: its points, and of a sensitivity analysis what it moves and ranks by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sim.experiments import sensitivity
from sim.scenario.axis import Places, grid
from sim.scenario.load import Scenario
from sim.scenario.ranged import Ranged, ranged
from sim.scenario.sweep import TORNADO, Asked


class Plan(NamedTuple):
    """The points of a sweep; of a ranking also its design, what it moves and what it ranks by."""

    places: Places
    design: str = ""
    moved: Sequence[Ranged] = ()
    on: str = ""
    pairs: str = ""
    """The measure of which every replication's value is kept, so that its pairs can be compared."""


def plan(scenario: Scenario, asked: Asked, seed: int) -> Plan:
    """Return the plan of what is asked for; its points are not yet tried.

    Raises ValueError, which says what is wrong, where this scenario has no such points, and NoSalib
    where SALib is missing.
    """
    if asked.axes:
        return Plan(grid(asked.axes))
    moved = ranged(scenario)
    if not moved:
        raise ValueError("no number of the assumptions has a range to move it in")
    on = asked.on or next(iter(scenario.targets), "randomised")
    places = sensitivity.places(asked.design, moved, asked.points, seed)
    # Of a target every replication's yes or no is kept anyway; the other designs need no pairs.
    pairs = on if asked.design == TORNADO and on not in scenario.targets else ""
    return Plan(places, asked.design, moved, on, pairs)
