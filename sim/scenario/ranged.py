"""The numbers of a scenario's assumptions that have a range: what a sensitivity analysis moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, starmap
from typing import NamedTuple

from sim.scenario.numbers import Number, Whole
from sim.scenario.schema import Scenario
from sim.scenario.section import Section


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
        Ranged(path, float(each), *each.range, isinstance(each, int), each.evidence)
        for path, each in _quantities("assumptions", scenario.assumptions)
        if each.range is not None
    ]


def below(path: str, node: object) -> Iterator[tuple[str, object]]:
    """Yield what stands directly in a part of a scenario, with its dotted path, as in the file."""
    if isinstance(node, Section):
        named = {key: getattr(node, key) for key in type(node).model_fields}
        node = named | (node.model_extra or {})
    if isinstance(node, Mapping):
        yield from ((f"{path}.{key}", part) for key, part in node.items())


def _quantities(path: str, node: object) -> Iterator[tuple[str, Number | Whole]]:
    if isinstance(node, Number | Whole):
        yield path, node
    else:
        yield from chain.from_iterable(starmap(_quantities, below(path, node)))
