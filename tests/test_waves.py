"""Waves of the rate of candidates: their law, the trial that has them, and what counts tell."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from datetime import date

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln, xlogy

from sim.experiments.past_waves import Months, path_draws
from sim.model.chance import Chance
from sim.model.run import run
from sim.scenario.interpret import interpret
from sim.scenario.schema import Scenario
from sim.vocabulary.clock import DAYS_PER_MONTH
from sim.vocabulary.distributions import fixed, gamma
from sim.vocabulary.eventlog import EventLog, Milestone
from sim.vocabulary.streams import STREAMS, stratified_luck
from sim.vocabulary.wave_filter import Filter
from sim.vocabulary.waves import CALM, Wave, WaveLaw, WavePath
from tests.agreement import agrees
from tests.toys import runs, toy
from tests.waves import figures

YEAR = [day / DAYS_PER_MONTH for day in range(366)]
"""Candidates expected by each day of 365, were one to come a month."""

RATE = 10.0


def trial(waves: dict[str, float] | None, **recruitment: object) -> Scenario:
    return toy(assumptions={"recruitment": {"waves": waves, **recruitment}})


def came(log: EventLog) -> list[float]:
    return [each.time for each in log.moments if each.milestone is Milestone.CANDIDATE]


def paths(wave: Wave, number: int, *, is_level_drawn: bool) -> Iterator[WavePath]:
    levels = ((place + 0.5) / number if is_level_drawn else None for place in range(number))
    return (WavePath(wave, level=each) for each in levels)


# The law.


def test_every_wave_has_its_probability() -> None:
    each = dict(WaveLaw(0.5, 0.2).each())

    assert math.fsum(each.values()) == pytest.approx(1)
    assert each[CALM] == 0.2
    ratio = each[Wave(0.9, 0.6)] / each[Wave(0.4, 0.6)]
    assert ratio == pytest.approx(stats.norm.pdf(0.9 / 0.5) / stats.norm.pdf(0.4 / 0.5))
    assert each[Wave(0.9, 0.0)] == pytest.approx(each[Wave(0.9, 0.985)])


def test_waves_are_drawn_as_probably_as_they_are() -> None:
    law = WaveLaw(0.5, 0.2)
    drawn = [law.wave((n + 0.5) / 10_000) for n in range(10_000)]

    for wave, probability in law.each():
        assert drawn.count(wave) / 10_000 == pytest.approx(probability, abs=1e-3)


def test_the_smallest_waves_are_left_of_a_tiny_scale() -> None:
    assert {wave for wave, probability in WaveLaw(1e-9, 0.0).each() if probability} == {
        Wave(0.2, persistence) for persistence in (0.0, 0.6, 0.85, 0.95, 0.985)
    }


@pytest.mark.parametrize("is_level_drawn", [False, True])
@pytest.mark.parametrize("persistence", [0.0, 0.85, 0.985])
def test_a_year_of_waves_has_the_mean_of_none_and_the_variance_of_its_series(
    persistence: float,
    is_level_drawn: bool,  # noqa: FBT001
) -> None:
    """Of lognormal factors the covariance of months i and j is exp(s² φ^|i − j|) − 1."""
    wave, luck = Wave(0.4, persistence), np.random.default_rng(1)
    each = paths(wave, 6000, is_level_drawn=is_level_drawn)
    years = np.array([path.waved(YEAR, lambda _: luck.random()) for path in each])
    totals, month = years[:, -1], np.floor(np.arange(365) / DAYS_PER_MONTH).astype(int)
    share = np.bincount(month) / DAYS_PER_MONTH
    apart = np.abs(np.subtract.outer(np.arange(len(share)), np.arange(len(share))))
    variance = float(share @ np.expm1(0.4**2 * persistence**apart) @ share)

    assert agrees(totals, YEAR[-1])
    assert totals.var() == pytest.approx(variance, rel=0.06)
    month = years[:, 213] - years[:, 183]
    assert month.std() / month.mean() == pytest.approx(math.sqrt(math.expm1(0.4**2)), rel=0.06)


def test_a_month_of_a_drawn_level_is_the_same_however_long_a_trial_recruits() -> None:
    luck = np.random.default_rng(1).random(60)
    path = WavePath(Wave(0.6, 0.85), level=0.9)
    longer = [day / DAYS_PER_MONTH for day in range(1500)]
    year, years = (path.waved(each, lambda n: float(luck[n])) for each in (YEAR, longer))

    assert years[: len(YEAR)] == pytest.approx(year, rel=1e-12)


# The trial.


def test_a_trial_that_is_always_calm_is_one_without_waves() -> None:
    without, calm = trial(None), trial({"sd": 0.5, "calm": 1.0})
    for once, again in zip(runs(without, 5), runs(calm, 5), strict=True):
        assert once.moments == again.moments
        assert once.work == again.work


def test_waves_are_the_luck_of_a_replication() -> None:
    """They move when people come, and neither the rate drawn nor the luck of anybody."""
    waving = trial({"sd": 0.9, "calm": 0.0}, rate_shape=4)
    protocol, calm = interpret(waving), interpret(trial(None, rate_shape=4))
    rates = [Chance(each, 1, 3).candidates_per_month for each in (protocol, calm)]
    logs = [run(each, 1, 3) for each in (protocol, calm)]
    known = run(protocol.with_rate_known, 1, 3)

    assert rates[0] == rates[1]
    assert came(logs[0]) != came(logs[1])
    assert came(known) != came(logs[0])
    assert came(run(protocol, 1, 3)) == came(logs[0])
    nothing = trial({"sd": 0.9, "calm": 0.0})
    assert came(run(interpret(nothing), 1, 3)) == came(known)


def test_how_high_waves_are_is_spread_evenly_where_the_rate_is() -> None:
    protocol = interpret(trial({"sd": 0.9, "calm": 0.0}, rate_shape=4))
    numbers = range(1, 401)
    levels = [
        stratified_luck(1, protocol.draws, each, "level of the waves") or 0.0 for each in numbers
    ]
    expected = [Chance(protocol, 1, each)._expected[-1] for each in numbers]  # noqa: SLF001

    assert stats.spearmanr(levels, expected).statistic > 0.6
    for stream in range(STREAMS):
        counts, _ = np.histogram(np.array(levels)[stream::STREAMS], 4, (0, 1))
        assert 4 <= counts.min() <= counts.max() <= 6


def test_twins_have_waves_of_their_own() -> None:
    unsure = {"value": 0.5, "range": [0.2, 0.8]}
    uncertain = {"uncertain": "all"}
    recruitment = {"waves": {"sd": 0.9, "calm": 0.0}, "rate_shape": 4, "consent": unsure}
    protocol = interpret(toy(assumptions={**uncertain, "recruitment": recruitment}))
    fourth, twin = (run(protocol, 1, number) for number in (4, 5))

    assert fourth.candidates_per_month_drawn == twin.candidates_per_month_drawn
    assert fourth.drawn == twin.drawn
    assert len(came(fourth)) != len(came(twin))


def test_counts_of_a_trial_with_waves_are_more_uneven_than_poisson() -> None:
    """The variance of a count is its mean and that of the sum of the months' rates."""
    law, protocol = WaveLaw(0.2, 0.2), interpret(trial({"sd": 0.2, "calm": 0.2}))
    each = (Chance(protocol, 1, number) for number in range(1, 2001))
    counts = np.array([sum(1 for _ in chance.arrivals()) for chance in each])
    month = np.floor(np.arange(365) / DAYS_PER_MONTH).astype(int)
    share = np.bincount(month) / DAYS_PER_MONTH
    apart = np.abs(np.subtract.outer(np.arange(len(share)), np.arange(len(share))))
    waving = math.fsum(
        probability * float(share @ np.expm1(wave.size**2 * wave.persistence**apart) @ share)
        for wave, probability in law.each()
    )
    mean = RATE * YEAR[-1]

    assert abs(counts.mean() - mean) < 3 * counts.std() / math.sqrt(len(counts))
    assert counts.var() == pytest.approx(mean + RATE**2 * waving, rel=0.25)
    assert counts.var() > 2 * mean


# What counts tell.


def test_without_waves_the_filter_is_gamma_and_poisson() -> None:
    shape, mean, exposures = 4.0, 1.34, np.full(12, 1.0)
    calm = WaveLaw(0.5, 1.0)
    counts = [2, 0, 1, 3, 0, 0, 1, 0, 2, 1, 0, 0]
    told = Filter(counts, exposures, gamma(mean, shape), calm)
    drawn = told.draws(4000, np.random.default_rng(1))
    exact = stats.gamma(shape + 10, scale=1 / (shape / mean + 12))
    b = shape / mean
    log_probability = shape * math.log(b) - gammaln(shape) + gammaln(shape + 10)
    log_probability -= (shape + 10) * math.log(b + 12)

    assert told.calm == pytest.approx(1)
    assert told.log_probability == pytest.approx(log_probability, abs=0.01)
    assert drawn.rates.mean() == pytest.approx(exact.mean(), rel=0.005)
    assert np.quantile(drawn.rates, [0.05, 0.95]) == pytest.approx(
        exact.ppf([0.05, 0.95]), rel=0.02
    )
    assert set(drawn.waves) == {CALM}


def test_the_filter_is_what_weighted_paths_say() -> None:
    """Many levels and paths drawn as believed before, each as probable as it makes the counts."""
    law, months, size = WaveLaw(0.9, 0.3), 8, 200_000
    counts, exposures = np.array([1, 0, 4, 6, 2, 0, 1, 1]), np.linspace(0.5, 1.2, 8)
    luck = np.random.default_rng(1)
    rates = luck.gamma(3.0, 2.0 / 3.0, size)
    each = [*law.each()]
    drawn = luck.choice(len(each), size, p=[probability for _, probability in each])
    size_of, persistence = np.array([wave for wave, _ in each])[drawn].T
    deviation, told, all_factors = np.zeros(size), np.zeros(size), []
    for month in range(months):
        before = persistence if month else np.zeros(size)
        deviation = before * deviation + np.sqrt(1 - before**2) * luck.normal(size=size)
        factors = np.exp(size_of * deviation - size_of**2 / 2)
        told += counts[month] * np.log(rates * factors) - exposures[month] * rates * factors
        all_factors.append(factors)
    weights = np.exp(told)

    found = Filter(counts.tolist(), exposures, gamma(2.0, 3.0), law)
    ours = found.draws(20_000, luck)
    sizes = np.array([wave.size for wave in ours.waves])[:, None]
    factors = np.exp(sizes * ours.deviations - sizes**2 / 2)
    assert found.log_probability == pytest.approx(math.log(weights.mean()), abs=0.02)
    assert found.calm == pytest.approx(np.average(drawn == 0, weights=weights), abs=0.02)
    assert ours.rates.mean() == pytest.approx(np.average(rates, weights=weights), rel=0.03)
    for month in (0, 3, 7):
        exact = np.average(all_factors[month], weights=weights)
        assert factors[:, month].mean() == pytest.approx(exact, rel=0.04)


def test_a_rate_that_is_known_stays() -> None:
    told = Filter([0, 9, 3], np.ones(3), fixed(2.0), WaveLaw(0.5, 0.2))
    drawn = told.draws(100, np.random.default_rng(1))

    assert drawn.rates == pytest.approx(2.0)
    assert drawn.deviations[:, 1].mean() > drawn.deviations[:, 0].mean()


def test_even_months_speak_for_a_constant_rate_and_bursts_against_it() -> None:
    law, months = WaveLaw(0.5, 0.2), np.ones(12)
    even = Filter([4] * 12, months, gamma(4.0, 4.0), law).calm
    bursts = Filter([12, 0, 0, 14, 1, 0, 0, 11, 0, 10, 0, 0], months, gamma(4.0, 4.0), law).calm

    assert even > law.calm
    assert bursts < 0.001


def test_a_known_past_goes_on_in_what_is_to_come() -> None:
    """A drift that stands high is high in the month after; months on their own forget it."""
    luck = np.random.default_rng(1)
    for persistence, expected in ((0.985, math.exp(0.6 * 2 * 0.985 - 0.18 * 0.985**2)), (0.0, 1.0)):
        path = WavePath(Wave(0.6, persistence), (2.0,) * 12, 365.0)
        two_years = [day / DAYS_PER_MONTH for day in range(731)]
        first = [
            np.diff(path.waved(two_years, lambda _: luck.random())[365:396]).mean()
            for _ in range(2000)
        ]
        assert np.mean(first) * DAYS_PER_MONTH == pytest.approx(expected, rel=0.05)


def test_the_filter_takes_50_ms_at_most() -> None:
    counts, months = [1] * 39, np.ones(39)
    took = []
    for _ in range(5):
        begun = time.process_time()
        Filter(counts, months, gamma(1.34, 4.0), WaveLaw(0.5, 0.2))
        took.append(time.process_time() - begun)

    assert min(took) < 0.05


# What the days of a log tell, known after a delay.


def months(delays: list[float], *days: int, until: int = 244) -> Months:
    return Months(days, float(until), float(until), np.array(delays))


@pytest.mark.parametrize("delays", [[0.0], [5.0, 20.0, 60.0]])
def test_those_known_of_each_month_came_in_some_month_before(delays: list[float]) -> None:
    by_day = np.linspace(0.0, 24.0, 731)
    known = months(delays, 3, 240).known(by_day)
    whole = np.mean([np.interp(244 - each, np.arange(731), by_day) for each in delays])

    assert known.sum() == pytest.approx(whole)
    assert known.min() >= 0
    if delays == [0.0]:
        assert known == pytest.approx(np.diag(known.diagonal()))


def test_the_past_is_drawn_as_weighted_paths_say_also_after_delays() -> None:
    """Here waves drawn as believed are weighted by the counts; there those of the filter."""
    delays = np.quantile(stats.expon(scale=25).rvs(4000, random_state=1), np.arange(0.05, 1, 0.1))
    days = (70, 90, 95, 150, 170, 175, 180, 190, 200, 203, 210, 215, 216, 230, 240)
    ours = months(delays.tolist(), *days)
    protocol = interpret(
        toy(
            design={"trial": {"closes": date(2024, 12, 31)}},
            assumptions={
                "recruitment": {
                    "candidates_per_month": 3.0,
                    "rate_shape": 3,
                    "waves": {"sd": 0.9, "calm": 0.3},
                }
            },
        )
    )
    share, size, luck = 0.5, 100_000, np.random.default_rng(2)
    known = ours.known(np.array(protocol.expected_candidates)) * share
    rates = luck.gamma(3.0, 1.0, size)
    each = [*WaveLaw(0.9, 0.3).each()]
    drawn = luck.choice(len(each), size, p=[probability for _, probability in each])
    size_of, persistence = np.array([wave for wave, _ in each])[drawn].T
    deviation, factors = np.zeros(size), np.empty((size, known.shape[1]))
    for month in range(known.shape[1]):
        before = persistence if month else np.zeros(size)
        deviation = before * deviation + np.sqrt(1 - before**2) * luck.normal(size=size)
        factors[:, month] = np.exp(size_of * deviation - size_of**2 / 2)
    expected = rates[:, None] * (factors @ known.T)
    weights = np.exp((xlogy(np.array(ours.counts), expected) - expected).sum(axis=1))

    found = path_draws(protocol, ours, share, 20_000, 1)
    likely = np.exp(found.log_weights - found.log_weights.max())
    assert likely.sum() ** 2 / (likely**2).sum() > 0.05 * len(likely)
    mean = np.average(found.rates, weights=likely)
    assert mean == pytest.approx(np.average(rates, weights=weights), rel=0.04)
    for month in (2, -2, -1):
        path = [each.wave.factor(each.deviations[month]) for each in found.paths]
        exact = np.average(factors[:, month], weights=weights)
        assert np.average(path, weights=likely) == pytest.approx(exact, rel=0.05)


# Whether it is calibrated.


SEEDED = pytest.param(150, 1, marks=pytest.mark.slow)
WHOLE = pytest.param(2000, 2, marks=pytest.mark.nightly)


@pytest.mark.parametrize(("truths", "seed"), [SEEDED, WHOLE])
def test_the_filter_is_calibrated(truths: int, seed: int) -> None:
    for name, each in figures(truths, seed).items():
        assert each.p_value[0] > 0.001, name
        for share, (inside, _) in ((0.8, each.in_80), (0.95, each.in_95)):
            assert abs(inside - share) < 4 * math.sqrt(share * (1 - share) / truths), name


@pytest.mark.parametrize(("truths", "seed"), [SEEDED, WHOLE])
def test_a_constant_rate_is_found_out(truths: int, seed: int) -> None:
    found = figures(truths, seed)

    assert found["rate in a year"].p_value[1] < 1e-6
    assert found["rate in a year"].in_80[1] < 0.7


@pytest.mark.parametrize(("truths", "seed"), [WHOLE])
def test_the_filter_is_sharper_than_a_constant_rate(truths: int, seed: int) -> None:
    for name, each in figures(truths, seed).items():
        waving, constant = each.crps
        assert waving < constant, name
