"""Charts that come at random to be read, against queueing theory. Time in service times.

Formulas: Gross et al. (2008), Fundamentals of Queueing Theory, chapters 1, 2 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from sim.vocabulary.clock import DAYS_PER_MONTH, MINUTES_PER_DAY
from tests.agreement import agrees
from tests.toys import runs, toy

Floats = npt.NDArray[np.float64]

MINUTES = 10.0
EXPONENTIAL = {"family": "exponential", "mean": MINUTES}
FIXED = {"family": "fixed", "value": MINUTES}
A_DAY = MINUTES_PER_DAY / MINUTES
WARM_UP = 60.0
SEED = 1


def charts(
    readers: int,
    load: float,
    days: int,
    replications: int,
    reading: dict[str, object] = EXPONENTIAL,
) -> Iterator[Floats]:
    """Yield, for each replication, when each chart came, was begun and was read, as they came.

    Nobody passes, so that reading charts is all there is to do.
    """
    opens = date(2023, 1, 1)
    scenario = toy(
        design={
            "trial": {"opens": opens, "closes": opens + timedelta(days=days - 1)},
            "staff": {"reader": {"people": readers, "hours": "always"}},
            "tasks": {"read_chart": ["reader"]},
            "visits": {"chart_review": ["read_chart"]},
            "eligibility": {"nobody": {"at": "chart", "age": {"above": 99}}},
        },
        assumptions={
            "recruitment": {"candidates_per_month": load * A_DAY * DAYS_PER_MONTH},
            "patients": {"age": {"family": "fixed", "value": 50}},
            "durations_minutes": {"read_chart": reading},
        },
    )
    for log in runs(scenario, replications, SEED):
        rows = [(work.due, work.started, work.ended) for work in log.work]
        yield np.array(sorted(rows)) / MINUTES


def after_warm_up(read: Floats) -> tuple[Floats, Floats]:
    """Return waits and times of reading, without what the empty desk of the first day favoured."""
    came, began, ended = read[read[:, 0] > WARM_UP].T
    return began - came, ended - began


def test_waiting_follows_lindleys_recursion() -> None:
    """W' = max(0, W + S − A), exactly."""
    for read in charts(1, load=0.9, days=4, replications=5):
        came, began, ended = read.T
        steps = pairwise(zip(came, began - came, ended - began, strict=True))
        assert len(read) > 400
        assert max(began - came) > 1
        for (before, wait, service), (after, next_wait, _) in steps:
            recursion = max(0.0, wait + service - (after - before))
            assert next_wait == pytest.approx(recursion, abs=1e-6)


@pytest.mark.parametrize(("readers", "load", "waits"), [(1, 0.5, 0.5), (2, 1.2, 0.450)])
def test_how_many_wait_is_as_erlang_says(readers: int, load: float, waits: float) -> None:
    """M/M/1 and M/M/2: the share of charts that are not read at once."""
    replicated = charts(readers, load, days=5, replications=110)
    shares = [float((after_warm_up(read)[0] > 1e-6).mean()) for read in replicated]

    assert agrees(shares, waits)
    assert not agrees(shares, 1.1 * waits)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("readers", "load", "reading", "mean_wait"),
    [
        pytest.param(1, 0.5, EXPONENTIAL, 1.0, id="M/M/1"),
        pytest.param(2, 1.2, EXPONENTIAL, 0.5625, id="M/M/2, Erlang C"),
        pytest.param(1, 0.5, FIXED, 0.5, id="M/D/1, Pollaczek-Khinchine"),
    ],
)
def test_how_long_they_wait_is_as_the_formulas_say(
    readers: int, load: float, reading: dict[str, object], mean_wait: float
) -> None:
    """Mean wait, and how much of their time the readers read."""
    days, waits, busy = 120, [], []
    for read in charts(readers, load, days, replications=64, reading=reading):
        waited, read_for = after_warm_up(read)
        waits.append(waited.mean())
        busy.append(read_for.sum() / (days * A_DAY - WARM_UP) / readers)

    assert agrees(waits, mean_wait)
    assert agrees(busy, load / readers)


def test_the_number_waiting_is_the_rate_times_the_wait() -> None:
    """Little's law, with the rate that the scenario states."""
    rate, days, waiting, waits = 0.7, 9, [], []
    for read in charts(1, rate, days, replications=30):
        moments = np.arange(0.125, days * A_DAY, 0.25)
        came, began = read[:, 0], np.sort(read[:, 1])
        census = np.searchsorted(came, moments) - np.searchsorted(began, moments)
        waiting.append(census.mean())
        waits.append((read[:, 1] - read[:, 0]).mean())

    ratio = np.array(waiting) / np.array(waits)
    assert agrees(ratio, rate)
    assert not agrees(ratio, 1.1 * rate)
