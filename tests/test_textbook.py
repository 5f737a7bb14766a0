"""trialsim and the textbook version of the same model find the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.scenario.interpret import interpret
from sim.scenario.load import load
from tests.benchmark import TEXTBOOK, TRIALSIM, simulated, standard_errors_apart

BASELINE = Path(__file__).parent.parent / "scenarios" / "baseline.yaml"


@pytest.mark.slow
def test_it_agrees_with_the_textbook_version() -> None:
    known_rate = load(BASELINE, ["assumptions.recruitment.rate_shape=null"])
    protocol = interpret(known_rate)
    replications = range(1, 51)

    apart = standard_errors_apart(
        simulated(TRIALSIM, protocol, replications), simulated(TEXTBOOK, protocol, replications)
    )

    assert apart.keys() >= {"randomised", "completed", "coordinator", "infusion_bed"}
    assert all(abs(errors) < 3 for errors in apart.values()), apart
