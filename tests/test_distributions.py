"""Every family against scipy's quantiles, its truncation and its typical value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sim.vocabulary import distributions
from sim.vocabulary.distributions import FAMILIES, Distribution

Oracle = Any  # a frozen distribution of scipy, which has no public type

GRID = np.linspace(0.001, 0.999, 41)

ORACLES: list[tuple[str, dict[str, float], Oracle]] = [
    ("uniform", {"low": 2, "high": 5}, stats.uniform(2, 3)),
    ("triangular", {"low": 1, "mode": 3, "high": 7}, stats.triang(1 / 3, 1, 6)),
    ("triangular", {"low": 1, "mode": 1, "high": 7}, stats.triang(0, 1, 6)),
    ("triangular", {"low": 1, "mode": 7, "high": 7}, stats.triang(1, 1, 6)),
    ("normal", {"mean": 31, "sd": 9.5}, stats.norm(31, 9.5)),
    ("normal", {"mean": 31, "sd": 9.5, "low": 17, "high": 40},
     stats.truncnorm(-14 / 9.5, 9 / 9.5, 31, 9.5)),
    ("lognormal", {"median": 2.9, "sigma": 0.77}, stats.lognorm(0.77, scale=2.9)),
    ("exponential", {"mean": 4}, stats.expon(scale=4)),
    ("exponential", {"mean": 4, "high": 6}, stats.truncexpon(1.5, scale=4)),
    ("weibull", {"shape": 2, "scale": 3}, stats.weibull_min(2, scale=3)),
    ("gamma", {"mean": 3, "shape": 4}, stats.gamma(4, scale=0.75)),
]  # fmt: skip


@pytest.mark.parametrize(("family", "parameters", "oracle"), ORACLES)
def test_quantiles_agree_with_scipy(
    family: str, parameters: dict[str, float], oracle: Oracle
) -> None:
    drawn = FAMILIES[family](**parameters)
    assert [drawn.quantile(u) for u in GRID] == pytest.approx(oracle.ppf(GRID).tolist())


@pytest.mark.parametrize(
    ("family", "parameters", "oracle"), [row for row in ORACLES if row[0] != "uniform"]
)
def test_typical_is_the_mode(family: str, parameters: dict[str, float], oracle: Oracle) -> None:
    low, high = (max(-1e3, oracle.ppf(0)), min(1e3, oracle.ppf(1)))
    points = np.linspace(low, high, 200_001)
    typical = FAMILIES[family](**parameters).typical
    assert typical == pytest.approx(points[np.argmax(oracle.pdf(points))], abs=0.02)


def test_the_ends_of_the_uniform_are_finite_and_inside() -> None:
    for family, parameters, oracle in ORACLES:
        for u in (0.0, math.nextafter(1, 0)):
            value = FAMILIES[family](**parameters).quantile(u)
            assert math.isfinite(value)
            assert oracle.support()[0] <= value <= oracle.support()[1]


def test_truncation_never_piles_up_at_the_limits() -> None:
    drawn = distributions.normal(0, 1, low=-1, high=1)
    values = [drawn.quantile(u) for u in GRID]
    assert len(set(values)) == len(values)
    assert -1 < min(values) < max(values) < 1


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda: distributions.fixed(3), {3}),
        (lambda: distributions.normal(5, 0), {5}),
        (lambda: distributions.triangular(2, 2, 2), {2}),
        (lambda: distributions.empirical((1, 5), (1, 0)), {1}),
        (lambda: distributions.bernoulli(0), {0}),
        (lambda: distributions.bernoulli(1), {1}),
        (lambda: distributions.rounded(distributions.uniform(1.6, 2.4)), {2}),
    ],
)
def test_constants(make: Callable[[], Distribution], values: set[float]) -> None:
    assert {make().quantile(u) for u in GRID} == values


def test_empirical_takes_each_value_as_often_as_its_weight() -> None:
    drawn = distributions.empirical((10, 20, 30), (1, 2, 1))
    values = [drawn.quantile(u) for u in (np.arange(400) + 0.5) / 400]
    assert [values.count(value) for value in (10, 20, 30)] == [100, 200, 100]
    assert drawn.typical == 20
