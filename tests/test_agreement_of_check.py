"""What `check` says beforehand is what runs find."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.scenario.load import shipped
from tests.implied_and_found import disagreeing, figures, line

LEVEL = 0.001
MANY_LEAVE = ("assumptions.leaving.withdraws_consent.share=0.5",)
SMALL = Path(__file__).parent / "small.yaml"


def differences(replications: int, *cases: tuple[Path, tuple[str, ...]]) -> list[str]:
    table = [each for path, overrides in cases for each in figures(path, overrides, replications)]
    assert len(table) > 10 * len(cases) / 2
    return [line(each) for each in disagreeing(table, LEVEL)]


@pytest.mark.slow
def test_check_and_run_agree() -> None:
    baseline = shipped() / "baseline.yaml"

    assert not differences(
        300,
        (baseline, ()),
        (baseline, MANY_LEAVE),
        (SMALL, ("assumptions.screening.withdraws=0.2",)),
        (shipped() / "placebo_run_in.yaml", ()),
    )


@pytest.mark.nightly
def test_check_and_many_runs_agree_in_every_shipped_scenario() -> None:
    every = [(path, ()) for path in sorted(shipped().glob("*.yaml"))]

    assert len(every) > 10
    assert not differences(2000, *every)
