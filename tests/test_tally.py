"""A tally against the plain list of values it stands for."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.results.tally import COUNT, FRESH_AT_MOST, HOURS, SHARE, Cell, Grain, Tally, rank

PERCENTS = (5, 10, 50, 90, 95)
some_counts = st.lists(
    st.lists(st.integers(0, 9999), min_size=3, max_size=3), min_size=1, max_size=30
).map(np.array)
two_doses = st.tuples(*[st.floats(-6, 18).map(lambda power: 10**power)] * 2)
dose_numbers = st.lists(
    st.lists(st.floats(0.01, 1e6) | st.just(0.0), min_size=2, max_size=2), min_size=1, max_size=30
)


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


def test_amounts_are_kept_to_a_billionth_of_a_dose_and_binned_to_four_digits() -> None:
    doses = np.array([1e6, 5e-4, 1e14, 1e18])
    tally = Tally(Grain.of_doses(doses), [(place,) for place in range(4)])
    tally.add(doses * 113.456_789)
    tally.add(doses * 2)

    assert tally.mean() == pytest.approx(doses * (115.456_789 / 2), rel=1e-9, abs=0)
    high, low = [113_500_000, 0.056_73, 1.135e16, 1.135e20], [2e6, 1e-3, 2e14, 2e18]
    assert tally.quantile(51) == pytest.approx(high, rel=1e-15, abs=0)
    assert tally.quantile(50) == pytest.approx(low, rel=1e-15, abs=0)


@given(two_doses, dose_numbers)
def test_amounts_are_those_of_all_values_from_a_millionth_to_a_trillion_million(
    doses: tuple[float, float], numbers: list[list[float]]
) -> None:
    units = np.array(numbers) * doses
    tally = Tally(Grain.of_doses(np.array(doses)), [("one",), ("other",)])
    for row in units:
        tally.add(row)

    for cell, dose in enumerate(doses):
        mean = sum(map(Fraction, units[:, cell].tolist()), Fraction(0)) / len(units)
        error = abs(Fraction(tally.mean()[cell]) - mean)
        assert error <= Fraction(dose) / 10**9 + mean / 10**15
    for percent in PERCENTS:
        exact = np.quantile(units, percent / 100, axis=0, method="inverted_cdf")
        assert tally.quantile(percent) == pytest.approx(exact, rel=5.01e-4, abs=0)


@given(two_doses, dose_numbers, st.randoms())
def test_sums_are_exact_in_whatever_order(
    doses: tuple[float, float], numbers: list[list[float]], random: object
) -> None:
    rows = [np.array(row) * doses for row in numbers] * 40
    tallies = []
    for _ in range(2):
        random.shuffle(rows)  # type: ignore[attr-defined]
        tally = Tally(Grain.of_doses(np.array(doses)), [("one",), ("other",)])
        for row in rows:
            tally.add(row)
        tallies.append(tally)

    one, other = tallies
    assert one.mean().tolist() == other.mean().tolist()


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
