"""Staff as a queue: charts to be read, against the textbook formulas. Time in service times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pytest

from sim.vocabulary.clock import DAYS_PER_MONTH, MINUTES_PER_DAY
from tests.agreement import agrees
from tests.toys import runs, toy

SERVICE = 10.0  # minutes
DAYS, WARM_UP = 120, 5
REPLICATIONS = 64

EXPONENTIAL = {"family": "exponential", "mean": SERVICE}
FIXED = {"family": "fixed", "value": SERVICE}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("people", "load", "minutes", "mean_wait"),
    [
        pytest.param(1, 0.5, EXPONENTIAL, 1.0, id="M/M/1"),
        pytest.param(2, 1.2, EXPONENTIAL, 0.5625, id="M/M/2, Erlang C"),
        pytest.param(1, 0.5, FIXED, 0.5, id="M/D/1, Pollaczek-Khinchine"),
    ],
)
def test_charts_wait_as_long_as_queueing_theory_says(
    people: int, load: float, minutes: Mapping[str, Any], mean_wait: float
) -> None:
    """Formulas: Gross et al. (2008), Fundamentals of Queueing Theory, chapters 2 and 5."""
    scenario = toy(
        design={
            "trial": {"closes": date(2023, 4, 30)},
            "staff": {"reader": {"people": people, "hours": "always"}},
            "tasks": {"read_chart": ["reader"]},
            "visits": {"chart_review": ["read_chart"]},
            "eligibility": {"nobody": {"at": "chart", "age": {"above": 99}}},
        },
        assumptions={
            "recruitment": {
                "candidates_per_month": load / SERVICE * MINUTES_PER_DAY * DAYS_PER_MONTH
            },
            "patients": {"age": {"family": "fixed", "value": 50}},
            "durations_minutes": {"read_chart": minutes},
        },
    )
    waits, busy = [], []
    for log in runs(scenario, REPLICATIONS):
        rows = [row for row in log.work if row[5] >= WARM_UP * MINUTES_PER_DAY]
        waits.append(np.mean([begun - due for *_, due, _, begun, _ in rows]) / SERVICE)
        busy.append(sum(row[6] for row in rows) / ((DAYS - WARM_UP) * MINUTES_PER_DAY * people))

    assert agrees(waits, mean_wait)
    assert agrees(busy, load / people)
