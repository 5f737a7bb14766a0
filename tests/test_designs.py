"""The designs against what they promise, and their indices against answers worked out by hand."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.experiments import designs
from sim.experiments.designs import Index
from sim.scenario.schema import Ranged

Floats = NDArray[np.float64]


def factor(path: str, low: float, high: float, *, whole: bool = False) -> Ranged:
    return Ranged(path, low, low, high, whole, evidence="")


# The mean number randomised is rate · months · consent · pass: a product of independent factors.
PRODUCT = [
    factor("rate", 5, 15),
    factor("months", 10, 14),
    factor("consent", 0.3, 0.9),
    factor("pass", 0.4, 0.6),
]
WHOLE = [factor("people", 1, 4, whole=True), factor("share", 0.2, 0.7)]
SEED = 7

Design = Callable[[list[Ranged], int, int], Floats]

SIZES: dict[Design, int] = {designs.latin_hypercube: 50, designs.morris: 10, designs.sobol: 16}
ROWS: dict[Design, int] = {
    designs.latin_hypercube: 50,
    designs.morris: 10 * (2 + 1),
    designs.sobol: 16 * (2 + 2),
}
each_design = pytest.mark.parametrize("design", SIZES)


def found(indices: list[Index], index: str) -> dict[str, Index]:
    return {one.path: one for one in indices if one.index == index}


@each_design
def test_a_design_has_a_row_a_point_inside_the_ranges(design: Design) -> None:
    sample = design(WHOLE, SIZES[design], SEED)

    assert sample.shape == (ROWS[design], 2)
    assert set(sample[:, 0]) == {1, 2, 3, 4}
    assert 0.2 <= sample[:, 1].min() < 0.3
    assert 0.6 < sample[:, 1].max() <= 0.7


@each_design
def test_a_seed_gives_one_design(design: Design) -> None:
    size = SIZES[design]
    for seed in (0, SEED):
        assert (design(PRODUCT, size, seed) == design(PRODUCT, size, seed)).all()
    assert (design(PRODUCT, size, 0) != design(PRODUCT, size, SEED)).any()


@each_design
def test_a_range_of_no_width_stays_where_it_is(design: Design) -> None:
    sample = design(
        [factor("a", 3, 3), factor("b", 2, 2, whole=True), *PRODUCT], SIZES[design], SEED
    )

    assert (sample[:, :2] == [3, 2]).all()


def test_a_latin_hypercube_has_one_point_in_each_stratum() -> None:
    points = 40
    sample = designs.latin_hypercube(PRODUCT, points, SEED)

    for column, factor in zip(sample.T, PRODUCT, strict=True):
        strata = np.floor((column - factor.low) / (factor.high - factor.low) * points)
        assert sorted(strata) == list(range(points))


@pytest.mark.parametrize(("design", "size"), [(designs.latin_hypercube, 400), (designs.sobol, 256)])
def test_every_whole_number_is_equally_likely(design: Design, size: int) -> None:
    people = design(WHOLE, size, SEED)[:, 0]

    shares = [float((people == number).mean()) for number in (1, 2, 3, 4)]
    assert shares == pytest.approx([0.25] * 4, abs=0.01)


def test_a_step_of_morris_moves_one_factor() -> None:
    trajectories = designs.morris(PRODUCT, 20, SEED).reshape(20, 5, 4)

    moved = np.abs(np.diff(trajectories, axis=1)) / [f.high - f.low for f in PRODUCT]
    assert ((moved > 1e-9).sum(axis=(1, 2)) == 4).all()
    assert moved.max(axis=1) == pytest.approx(np.full((20, 4), 2 / 3))


def test_sobol_finds_the_shares_of_a_product() -> None:
    sample = designs.sobol(PRODUCT, 1024, SEED)
    indices = designs.sobol_indices(PRODUCT, sample, sample.prod(axis=1), SEED)
    first, total = found(indices, "S1"), found(indices, "ST")

    # Saltelli et al. 2008, Global Sensitivity Analysis: The Primer, section 4: squared
    # coefficients of variation, (range² / 12) / mean² of a uniform.
    squared = {f.path: (f.high - f.low) ** 2 / 3 / (f.high + f.low) ** 2 for f in PRODUCT}
    whole = math.prod(1 + c for c in squared.values())
    for path, c in squared.items():
        assert first[path].value == pytest.approx(c / (whole - 1), abs=0.03)
        assert total[path].value == pytest.approx(c * whole / (1 + c) / (whole - 1), abs=0.03)
        for one in (first[path], total[path]):
            assert one.ci_low < one.value < one.ci_high
            assert one.ci_high - one.ci_low < 0.3


def test_intervals_of_sobol_cover_the_truth_as_often_as_they_say() -> None:
    pair = [factor("a", 0, 1), factor("b", 0, 2)]
    covered = 0
    for seed in range(40):
        sample = designs.sobol(pair, 64, seed)
        noise = np.random.default_rng(seed).normal(0, 0.5, len(sample))
        indices = designs.sobol_indices(pair, sample, sample.sum(axis=1) + noise, seed)
        one = found(indices, "S1")["b"]
        covered += one.ci_low < (4 / 12) / (5 / 12 + 0.25) < one.ci_high
    assert covered >= 34


def test_an_outcome_that_never_varies_has_no_shares() -> None:
    sample = designs.sobol(PRODUCT, 16, SEED)

    indices = designs.sobol_indices(PRODUCT, sample, np.full(len(sample), 3.0), SEED)
    assert {one[2:] for one in indices} == {(0, 0, 0)}
    assert not designs.too_few(indices)


def test_an_outcome_that_varies_outside_the_base_samples_may_have_any_share() -> None:
    sample = designs.sobol(WHOLE, 16, SEED)
    outcomes = np.zeros(len(sample))
    outcomes[1] = 1

    indices = designs.sobol_indices(WHOLE, sample, outcomes, SEED)
    assert all(math.isnan(one.value) for one in indices)
    assert designs.too_few(indices) == ["people", "share"]


def test_morris_finds_the_effects_of_a_product() -> None:
    sample = designs.morris(PRODUCT, 400, SEED)
    indices = designs.morris_indices(PRODUCT, sample, sample.prod(axis=1), SEED)
    effects, spreads = found(indices, "mu_star"), found(indices, "sigma")

    # A product rises along each factor, by the range times the others: the mean of each of those
    # over the grid is the middle of its range.
    middles = math.prod((f.high + f.low) / 2 for f in PRODUCT)
    for f in PRODUCT:
        one = effects[f.path]
        expected = (f.high - f.low) * middles / ((f.high + f.low) / 2)
        assert one.value == pytest.approx(expected, rel=0.06)
        assert one.ci_low < expected < one.ci_high
        # Squared coefficients of variation on the grid 0, ⅓, ⅔, 1, of variance 5/36 of range².
        others = [
            1 + 5 / 36 * (g.high - g.low) ** 2 / ((g.high + g.low) / 2) ** 2
            for g in PRODUCT
            if g != f
        ]
        assert spreads[f.path].value == pytest.approx(
            expected * math.sqrt(math.prod(others) - 1), rel=0.12
        )
        assert math.isnan(spreads[f.path].ci_low)


@pytest.mark.parametrize("high", [2, 3, 4, 5, 6, 9])
def test_effects_of_a_whole_factor_are_those_of_its_whole_range(high: int) -> None:
    pair = [factor("people", 1, high, whole=True), factor("fixed", 2, 2, whole=True)]
    sample = designs.morris(pair, 6, SEED)
    indices = designs.morris_indices(pair, sample, 10 * sample[:, 0], SEED)

    assert found(indices, "mu_star")["people"].value == pytest.approx(10 * (high - 1))
    assert found(indices, "mu_star")["fixed"].value == 0


@pytest.mark.parametrize(
    ("design", "analysis", "size"),
    [
        (designs.sobol, designs.sobol_indices, 32),
        (designs.morris, designs.morris_indices, 10),
    ],
)
def test_a_seed_gives_one_interval(
    design: Design,
    analysis: Callable[[list[Ranged], Floats, Floats, int], list[Index]],
    size: int,
) -> None:
    sample = design(PRODUCT, size, SEED)
    outcomes = sample.prod(axis=1)

    first, again, other = (
        [one.ci_low for one in analysis(PRODUCT, sample, outcomes, seed)] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert first != pytest.approx(other, nan_ok=True)


def test_rank_correlations_tell_rising_from_falling_from_idle() -> None:
    three = [factor("up", 1, 9), factor("down", 0, 1), factor("idle", 2, 4)]
    sample = designs.latin_hypercube(three, 200, SEED)
    noise = np.random.default_rng(SEED).normal(0, 0.3, 200)
    up, down, idle = designs.rank_correlations(
        three, sample, np.exp(sample[:, 0] / 4) - 2 * sample[:, 1] ** 3 + noise
    )

    assert up.ci_low > 0.9
    assert down.ci_high < -0.5
    assert idle.ci_low < 0 < idle.ci_high


def test_partial_correlations_are_those_of_the_inverse_matrix() -> None:
    sample = designs.latin_hypercube(PRODUCT, 60, SEED)
    outcomes = sample.prod(axis=1) + np.random.default_rng(SEED).normal(0, 30, 60)
    indices = designs.rank_correlations(PRODUCT, sample, outcomes)

    ranks = np.argsort(np.argsort(np.column_stack([sample, outcomes]), axis=0), axis=0)
    inverse = np.linalg.inv(np.corrcoef(ranks.T))
    for i, one in enumerate(indices):
        value = -inverse[i, -1] / math.sqrt(inverse[i, i] * inverse[-1, -1])
        assert one.value == pytest.approx(value)
        # Three controls leave 60 − 3 − 3 degrees of freedom.
        ends = [math.tanh(math.atanh(value) + z / math.sqrt(54)) for z in (-1.96, 1.96)]
        assert one[3:] == pytest.approx(ends, abs=1e-4)


def test_a_rank_correlation_needs_variation_and_points() -> None:
    still = [factor("still", 2, 2), factor("share", 0, 1)]
    sample = designs.latin_hypercube(still, 30, SEED)
    nothing = (0.0, math.nan, math.nan)

    idle, sure = designs.rank_correlations(still, sample, sample[:, 1] ** 3)
    assert idle[2:] == pytest.approx(nothing, nan_ok=True)
    assert sure[2:] == pytest.approx((1, 1, 1))
    for one in designs.rank_correlations(still, sample, np.ones(30)):
        assert one[2:] == pytest.approx(nothing, nan_ok=True)
    few = designs.rank_correlations(PRODUCT, designs.latin_hypercube(PRODUCT, 6, 1), np.arange(6.0))
    assert [one[3:] for one in few] == [(-1, 1)] * 4
    assert designs.too_few(few) == [factor.path for factor in PRODUCT]


def test_a_factor_is_idle_where_another_explains_the_outcome() -> None:
    sample = designs.latin_hypercube(PRODUCT, 30, SEED)

    rate, *others = designs.rank_correlations(PRODUCT, sample, sample[:, 0])
    assert rate.value == pytest.approx(1)
    assert [one.value for one in others] == [0, 0, 0]


def test_factors_that_move_as_one_cannot_be_told_apart() -> None:
    twins = [factor("a", 0, 1), factor("b", 0, 1)]
    drawn = np.random.default_rng(SEED).random((2, 30))
    sample = np.column_stack([drawn[0], drawn[0] ** 2])

    for one in designs.rank_correlations(twins, sample, drawn.sum(axis=0)):
        assert one[2:] == pytest.approx((0, math.nan, math.nan), nan_ok=True)


def test_what_is_unknown_makes_no_index() -> None:
    unknown = np.array([*range(23), math.inf])
    sobol = designs.sobol(PRODUCT, 4, SEED)
    morris = designs.morris(PRODUCT, 5, SEED)

    for indices in (
        designs.sobol_indices(PRODUCT, sobol, unknown, SEED),
        designs.morris_indices(PRODUCT, morris[:24], unknown, SEED),
        designs.rank_correlations(PRODUCT, sobol, unknown),
    ):
        assert np.isnan([one[2:] for one in indices]).all()
        assert not designs.too_few(indices)
    with pytest.raises(ValueError, match="24 points"):
        designs.rank_correlations(PRODUCT, sobol, unknown[1:])


def of_variance(variance: float, number: int, rng: np.random.Generator) -> Floats:
    """Return numbers whose variance is this one exactly."""
    drawn = rng.normal(size=number)
    found: Floats = (drawn - drawn.mean()) / drawn.std(ddof=1) * math.sqrt(variance)
    return found


def test_luck_that_all_points_have_alike_is_not_taken_off_their_ignorance() -> None:
    rng = np.random.default_rng(SEED)
    centres, people = of_variance(1, 300, rng), of_variance(3, 4, rng)
    share, low, high = designs.crossed_ignorance(centres[:, None] + people)

    assert share == pytest.approx(1 / 4)
    assert low < 1 / 4 < high


def test_luck_of_each_point_its_own_is_taken_off() -> None:
    rng, points, replications, low, high = np.random.default_rng(SEED), 2000, 10, 20, 50
    drawn = rng.poisson(rng.uniform(low, high, (points, 1)), (points, replications))
    share, *_ = designs.crossed_ignorance(drawn.astype(np.float64))

    mean, variance = (low + high) / 2, (high - low) ** 2 / 12
    assert share == pytest.approx(variance / (mean + variance), abs=0.02)


def ignorance_held(seeds: int) -> float:
    """Return in what share of the seeds the interval holds what is true: a half."""
    held = 0
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        centres, people = rng.normal(size=(100, 1)), rng.normal(0, math.sqrt(0.7), 60)
        _, low, high = designs.crossed_ignorance(
            centres + people + rng.normal(0, math.sqrt(0.3), (100, 60))
        )
        held += low <= 1 / 2 <= high
    return held / seeds


def test_the_interval_of_ignorance_holds_what_is_true() -> None:
    assert 0.88 <= ignorance_held(100) <= 0.99


def test_shares_of_nothing_are_unknown_and_none_is_negative() -> None:
    for values in ([[2, 2], [2, 2]], [[2, 3]], [[2], [3]], [[1, 2], [1, math.nan]]):
        assert np.isnan(designs.crossed_ignorance(np.array(values, np.float64))).all()
    share, low, high = designs.crossed_ignorance(np.array([[1.0, 2, 3], [2, 3, 1], [3, 1, 2]]))
    assert (share, low) == (0, 0)
    assert designs.crossed_ignorance(np.array([[2.0, 2, 2], [3, 3, 3], [5, 5, 5]]))[0] == 1
    assert high <= 1


def test_wide_intervals_ask_for_more_points() -> None:
    indices = [
        Index("a", "S1", 0.5, 0.41, 0.59),
        Index("a", "ST", 0.6, 0.45, 0.75),
        Index("b", "S1", 0.1, 0.05, 0.15),
        Index("c", "prcc", 0.1, -0.2, 0.4),
        Index("c", "prcc", 0.1, -0.2, 0.4),
        Index("d", "mu_star", 100, 60, 140),
        Index("e", "mu_star", 10, -41, 61),
        Index("f", "sigma", 10, math.nan, math.nan),
    ]

    assert designs.too_few(indices) == ["a", "c", "e"]
    assert designs.too_few([]) == []


def test_designs_say_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="power of two, not 12"):
        designs.sobol(PRODUCT, 12, SEED)
    with pytest.raises(ValueError, match="at least two"):
        designs.morris(PRODUCT, 1, SEED)
    monkeypatch.setitem(sys.modules, "SALib.sample.morris", None)
    with pytest.raises(designs.NoSalib, match=r"install trialsim\[sensitivity\]"):
        designs.morris(PRODUCT, 4, SEED)
