"""The numbers of a scenario's assumptions that have a range: what a sensitivity analysis moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sim.meaning.quantities import Quantity
from sim.meaning.scenario import Scenario
from sim.meaning.section import Section


class Ranged(NamedTuple):
    """A number by its dotted path, with its plausible range and how well it is known."""

    path: str
    value: float
    low: float
    high: float
    is_whole: bool
    evidence: str


def ranged(scenario: Scenario) -> list[Ranged]:
    """Return the ranged numbers of the assumptions, in the order of the file."""
    return [
        Ranged(path, each.value, *each.range, isinstance(each.value, int), each.evidence)
        for path, each in _quantities(scenario.assumptions, "assumptions")
        if each.range is not None
    ]


def _quantities(node: object, path: str) -> Iterator[tuple[str, Quantity[float]]]:
    if isinstance(node, Quantity):
        yield path, node
    elif isinstance(node, Section):
        named = {key: getattr(node, key) for key in type(node).model_fields}
        yield from _quantities(named | (node.model_extra or {}), path)
    elif isinstance(node, Mapping):
        for key, part in node.items():
            yield from _quantities(part, f"{path}.{key}")
