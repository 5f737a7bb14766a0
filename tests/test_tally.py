"""A tally against the plain list of values it stands for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.results.tally import AMOUNT, COUNT, FRESH_AT_MOST, HOURS, SHARE, Cell, Tally, rank

PERCENTS = (5, 10, 50, 90, 95)
some_counts = st.lists(
    st.lists(st.integers(0, 9999), min_size=3, max_size=3), min_size=1, max_size=30
).map(np.array)


def tally_of(rows: np.ndarray) -> Tally:
    tally = Tally(COUNT, [(place,) for place in range(rows.shape[1])])
    for row in rows:
        tally.add(row.astype(float))
    return tally


@given(some_counts)
def test_means_and_quantiles_are_those_of_all_values(rows: np.ndarray) -> None:
    tally = tally_of(rows)

    assert tally.mean() == pytest.approx(rows.mean(axis=0))
    for percent in PERCENTS:
        exact = np.quantile(rows, percent / 100, axis=0, method="inverted_cdf")
        assert tally.quantile(percent).tolist() == exact.tolist()


@given(some_counts, st.randoms())
def test_the_order_of_replications_does_not_matter(rows: np.ndarray, random: object) -> None:
    shuffled = np.array(sorted(rows.tolist(), key=lambda _: random.random()))  # type: ignore[attr-defined]

    one, other = tally_of(rows), tally_of(shuffled)

    assert one.mean().tolist() == other.mean().tolist()
    assert all(one.quantile(p).tolist() == other.quantile(p).tolist() for p in PERCENTS)


def test_a_quantile_is_the_smallest_value_that_enough_do_not_exceed() -> None:
    tally = tally_of(np.arange(1, 11)[:, None])

    assert [tally.quantile(percent)[0] for percent in (10, 11, 50, 51, 90, 95)] == [
        1,
        2,
        5,
        6,
        9,
        10,
    ]


def test_ranks_are_whole_whatever_floats_say() -> None:
    assert rank(30, 10) == 3
    assert rank(5, 1) == 1
    assert [rank(percent, 1000) for percent in PERCENTS] == [50, 100, 500, 900, 950]


def test_a_cell_discovered_late_was_zero_before() -> None:
    tally = Tally(COUNT)
    found: dict[Cell, float] = {("late",): 4, ("once",): 1}
    again: dict[Cell, float] = {("late",): 4}
    for counts in ({}, {}, {}, found, again):
        tally.add(counts)

    assert tally.cells == [("late",), ("once",)]
    assert tally.mean().tolist() == [1.6, 0.2]
    assert tally.quantile(50).tolist() == [0, 0]
    assert tally.quantile(61).tolist() == [4, 0]


def test_a_blank_cell_stays_blank() -> None:
    tally = Tally(SHARE, [("known",), ("blank",)])
    tally.add(np.array([0.5, math.nan]))

    assert tally.mean()[0] == tally.quantile(50)[0] == 0.5
    assert math.isnan(tally.mean()[1])
    assert math.isnan(tally.quantile(50)[1])


def test_hours_are_summed_in_seconds_and_binned_in_quarters() -> None:
    tally = Tally(HOURS, [("nurse",)])
    for minutes in (7, 8, 67):
        tally.add(np.array([minutes / 60]))

    assert tally.mean()[0] == pytest.approx(82 / 60 / 3)
    assert [tally.quantile(percent)[0] for percent in (1, 50, 99)] == [0, 0.25, 1]


def test_large_amounts_are_binned_to_four_digits() -> None:
    tally = Tally(AMOUNT, [("cells",)])
    tally.add(np.array([113_456_789.0]))

    assert tally.mean()[0] == 113_456_789
    assert tally.quantile(50)[0] == 113_500_000


def test_nothing_is_a_value() -> None:
    tally = Tally(COUNT, [("nobody",)])
    tally.add(np.zeros(1))

    assert tally.mean()[0] == tally.quantile(95)[0] == 0


def test_memory_does_not_grow_with_replications() -> None:
    random = np.random.default_rng(1)
    tally = Tally(COUNT, [(place,) for place in range(1000)])
    stored = []
    for _ in range(3):
        for _ in range(FRESH_AT_MOST // 1000 + 50):
            tally.add(random.integers(0, 8, 1000).astype(float))
        stored.append(tally.stored)

    assert stored == [7000, 7000, 7000]
