"""The numbers of the shipped scenarios, so that none moves unnoticed: see artefacts."""

from __future__ import annotations

import pytest

from tests.artefacts import SCENARIOS, committed_figures, figures


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_first_replications_are_what_they_were(scenario: str) -> None:
    assert figures(scenario) == committed_figures(scenario)
