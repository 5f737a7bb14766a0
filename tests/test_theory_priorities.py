"""Visits ahead of desk work at one person's desk, against queueing theory and against Ciw.

Charts come at random and are read; each leaves something to file, which waits until no chart does.
Ciw (Palmer et al. 2019, Journal of Simulation 13:68) is a simulator of queues by other people: one
server, two classes of customers, those of the first before those of the second, no interruption.
Time in mean reading times.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

import ciw
import numpy as np
import numpy.typing as npt
import pytest

from sim.vocabulary.clock import DAYS_PER_MONTH, MINUTES_PER_DAY
from tests.agreement import SHARP, agrees
from tests.toys import runs, toy

Floats = npt.NDArray[np.float64]

MINUTES = 10.0
A_DAY = MINUTES_PER_DAY / MINUTES
RATE = 0.25
DAYS, REPLICATIONS = 120, 80
WARM_UP = 100.0
EXPONENTIAL = {"family": "exponential", "mean": MINUTES}


def error_of(samples: Floats) -> float:
    return float(samples.std(ddof=1)) / float(np.sqrt(samples.size))


def alike(ours: Floats, theirs: Floats, factor: float = 1.0) -> bool:
    """Say whether two means, the second times a factor, are within three standard errors."""
    assert 1.96 * error_of(ours) <= SHARP * ours.mean(), "too blunt"
    difference = ours.mean() - factor * theirs.mean()
    return bool(abs(difference) < 3 * np.hypot(error_of(ours), factor * error_of(theirs)))


@cache
def trialsim() -> tuple[Floats, Floats, Floats]:
    """Mean wait of charts and of filing, and the share of time at work, by replication."""
    opens = date(2023, 1, 1)
    scenario = toy(
        design={
            "trial": {"opens": opens, "closes": opens + timedelta(days=DAYS - 1)},
            "staff": {"clerk": {"people": 1, "hours": "always"}},
            "tasks": {"read_chart": ["clerk"], "file": ["clerk"]},
            "visits": {"chart_review": ["read_chart", {"later": "file"}]},
            "eligibility": {"nobody": {"at": "chart", "age": {"above": 99}}},
        },
        assumptions={
            "recruitment": {"candidates_per_month": RATE * A_DAY * DAYS_PER_MONTH},
            "patients": {"age": {"family": "fixed", "value": 50}},
            "durations_minutes": {"read_chart": EXPONENTIAL, "file": EXPONENTIAL},
        },
    )
    rows = []
    for log in runs(scenario, REPLICATIONS, seed=61):
        work = [(each.is_desk, each.due, each.started, each.ended) for each in log.work]
        rows.append(figures(np.array(work) / (1.0, MINUTES, MINUTES, MINUTES)))
    charts, filing, busy = np.array(rows).T
    return charts, filing, busy


@cache
def by_ciw() -> tuple[Floats, Floats, Floats]:
    """The same by Ciw: a chart that was read comes back as filing, and filing goes."""
    service = ciw.dists.Exponential(rate=1.0)
    names = ["Chart", "Filing", "Done"]
    becomes = {"Chart": "Filing", "Filing": "Done", "Done": "Done"}
    network = ciw.create_network(
        arrival_distributions={
            "Chart": [ciw.dists.Exponential(rate=RATE)], "Filing": [None], "Done": [None]
        },
        service_distributions={name: [service] for name in names},
        number_of_servers=[1],
        priority_classes={"Chart": 0, "Filing": 1, "Done": 1},
        class_change_matrices=[
            {old: {new: float(becomes[old] == new) for new in names} for old in names}
        ],
        routing={"Chart": [[0.0]], "Filing": [[1.0]], "Done": [[0.0]]},  # by the new class
    )  # fmt: skip
    rows = []
    for replication in range(REPLICATIONS):
        ciw.seed(replication)
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_time(DAYS * A_DAY)
        rows.append(figures(np.array([ciw_row(each) for each in simulation.get_all_records()])))
    charts, filing, busy = np.array(rows).T
    return charts, filing, busy


def ciw_row(record: Any) -> tuple[bool, float, float, float]:  # noqa: ANN401 -- Ciw has no types
    is_filing = record.customer_class == "Filing"
    return is_filing, record.arrival_date, record.service_start_date, record.service_end_date


def figures(work: Floats) -> tuple[float, float, float]:
    """Mean wait of charts and of filing, and the share at work, after the warm-up."""
    desk, due, start, end = work[(work[:, 1] > WARM_UP) & (work[:, 3] > work[:, 2])].T
    waits = start - due
    busy = (end - start).sum() / (DAYS * A_DAY - WARM_UP)
    return float(waits[desk == 0].mean()), float(waits[desk == 1].mean()), float(busy)


@pytest.mark.slow
def test_charts_ahead_of_filing_wait_as_cobham_says() -> None:
    """Those of the first class wait W₀ / (1 − ρ₁), W₀ = λ (E S₁² + E S₂²) / 2 (Cobham 1954)."""
    charts, _, busy = trialsim()
    expected = RATE * (2 + 2) / 2 / (1 - RATE)

    assert agrees(charts, expected)
    assert not agrees(charts, 1.1 * expected)
    assert agrees(busy, 2 * RATE)
    assert not agrees(busy, 1.1 * 2 * RATE)


@pytest.mark.slow
def test_one_clerk_with_two_kinds_of_work_is_as_in_ciw() -> None:
    for ours, theirs in zip(trialsim(), by_ciw(), strict=True):
        assert alike(ours, theirs)
        assert not alike(ours, theirs, factor=1.1)
