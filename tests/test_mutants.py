"""Whatever is broken in a scenario is refused at its place, or runs within seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants import mutants, outcome


@pytest.mark.parametrize(
    ("number", "seed"),
    [
        (25, 1),
        pytest.param(500, 2, marks=pytest.mark.slow),
        pytest.param(5_000, 3, marks=pytest.mark.nightly),
    ],
)
def test_a_broken_scenario_is_refused_or_runs(number: int, seed: int, tmp_path: Path) -> None:
    ended = ((mutant.edits, outcome(mutant, tmp_path)) for mutant in mutants(number, seed))
    failed = [(edits, came_to) for edits, came_to in ended if came_to not in {"refused", "sound"}]

    assert not failed
