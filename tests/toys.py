"""Scenarios with almost nothing in them, for tests that look at one mechanism at a time.

Nothing takes time, everybody is eligible, consents and stays: whoever comes is randomised at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from ruamel.yaml import YAML

from sim.model.run import run
from sim.scenario.interpret import interpret
from sim.scenario.schema import Scenario
from sim.vocabulary.eventlog import EventLog

TOY = """
scenario: toy
design:
  trial: {opens: 2023-01-01, closes: 2023-12-31}
  places: {clinic: {}}
  staff: {nurse: {people: unlimited, hours: always}}
  arms: {one: {product: tablet}}
  products: {tablet: {dose: 1}}
assumptions:
  recruitment: {candidates_per_month: 10}
"""

ONE_VISIT = [{"name": "visit", "visit": "screening_visit"}]
"""Screening where nothing is asked of it: a third less to simulate than the usual steps."""

UNSURE = (
    TOY.replace(
        "  recruitment: {candidates_per_month: 10}",
        """  uncertain: all
  recruitment:
    candidates_per_month: 10
    rate_shape: 4
    consent: {value: 0.7, range: [0.5, 0.9]}
  screening: {withdraws: {value: 0.1, range: [0.05, 0.2]}}
  leaving: {moves: {by_week: 20, share: {value: 0.2, range: [0.1, 0.3]}}}""",
    )
    + "targets: {fifty: {measure: randomised, at_least: 50, with_probability: 0.5}}\n"
)
"""The toy, of which the rate and three other numbers are not known."""


def toy(**changes: Mapping[str, Any]) -> Scenario:
    """Return the toy with changes to it: mappings are merged, everything else is replaced."""
    return Scenario.model_validate(_merged(_written(), changes))


@cache
def _written() -> dict[str, Any]:
    written: dict[str, Any] = YAML(typ="safe").load(TOY)
    return written


def runs(scenario: Scenario, replications: int, seed: int = 1) -> Iterator[EventLog]:
    """Yield what happened in the replications 1, 2, … of a scenario."""
    protocol = interpret(scenario)
    return (run(protocol, seed, replication + 1) for replication in range(replications))


def _merged(old: Any, new: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401  plain data
    return {**(old if isinstance(old, Mapping) else {})} | {
        key: _merged(old.get(key, {}), value) if isinstance(value, Mapping) else value
        for key, value in new.items()
    }
