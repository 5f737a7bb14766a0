"""The numbers of the shipped scenarios, so that none moves unnoticed.

A change that is meant to move numbers updates them by `pytest tests/test_golden.py
--snapshot-update`, and says so in the CHANGELOG.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from sim.model.run import run
from sim.results.measures import measure
from sim.scenario.interpret import interpret
from sim.scenario.load import load, shipped

SCENARIOS = sorted(path.stem for path in shipped().glob("*.yaml"))


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_first_replications_are_what_they_were(name: str, snapshot: SnapshotAssertion) -> None:
    protocol = interpret(load(Path(shipped()) / f"{name}.yaml"))
    found = [measure(run(protocol, seed=1, replication=number), protocol) for number in (1, 2)]
    rounded = [{key: f"{value:.9g}" for key, value in measures.items()} for measures in found]
    assert rounded == snapshot.use_extension(JSONSnapshotExtension)
