"""Recruitment against closed forms: Poisson, gamma-mixed Poisson, and a rate that changes.

Carter 2004 for the known rate; Anisimov & Fedorov 2007 for the gamma-mixed one. Time is in months.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import optimize, stats

from sim.model.chance import Chance
from sim.results.measures import measure
from sim.scenario.interpret import interpret
from sim.scenario.schema import Scenario
from sim.vocabulary.eventlog import EventLog, Milestone
from tests.agreement import agrees, fits, uncorrelated
from tests.toys import ONE_VISIT, runs, toy

MONTH = 30.4375 * 1440
OPENS, CLOSES = date(2022, 10, 1), date(2025, 12, 31)
WINDOW = 1188 / 30.4375
FAR = date(2072, 12, 31)
RATE = 1.34
SHAPE = 4.0

Floats = npt.NDArray[np.float64]


def recruiting(
    *,
    closes: date = CLOSES,
    target: int | None = None,
    work_up: Mapping[str, object] | int = 0,
    **recruitment: object,
) -> Scenario:
    """Return a trial of two arms with nothing but recruitment (and perhaps a work-up) in it."""
    return toy(
        design={
            "trial": {"opens": OPENS, "closes": closes, "target": target},
            "arms": {"two": {"product": "tablet"}},
            "screening": [*ONE_VISIT, {"name": "call", "paperwork": "eligibility_call"}],
        },
        assumptions={
            "recruitment": {"candidates_per_month": RATE, **recruitment},
            "screening": {"work_up_days": work_up},
        },
    )


def randomised(log: EventLog) -> Floats:
    """Return the moments of randomisation, in months."""
    return (
        np.array([time for _, time, what, _ in log.moments if what is Milestone.RANDOMISED]) / MONTH
    )


def counted(scenario: Scenario, replications: int, seed: int) -> npt.NDArray[np.int64]:
    """Return how many were randomised in each replication."""
    return np.array([randomised(log).size for log in runs(scenario, replications, seed)])


def waited(scenario: Scenario, replications: int, seed: int) -> Floats:
    """Return when the target was reached in each replication."""
    return np.array([randomised(log)[-1] for log in runs(scenario, replications, seed)])


# A known rate.


@pytest.fixture(scope="module")
def forties() -> Floats:
    """When the 40th was randomised, in trials that go on until then."""
    return waited(recruiting(closes=FAR, target=40), 1200, seed=2)


@pytest.mark.slow
def test_forty_are_randomised_after_29_85_months(forties: Floats) -> None:
    waits = forties
    law = stats.gamma(40, scale=1 / RATE)

    assert law.std() == pytest.approx(4.72, abs=0.005)
    assert agrees(waits, 29.85)
    assert not agrees(waits, 29.85 / 1.1)
    assert fits(waits, law)
    assert not fits(waits, stats.gamma(40, scale=1 / RATE / 1.1))


def test_waiting_in_time_is_as_probable_as_counting_enough(forties: Floats) -> None:
    in_time = forties <= WINDOW

    assert agrees(in_time, 0.966)
    assert not agrees(in_time, stats.poisson(0.9 * RATE * WINDOW).sf(39))


def test_forty_in_the_window_with_probability_0_966() -> None:
    counts = counted(recruiting(), 600, seed=3)

    assert agrees(counts, RATE * WINDOW)
    assert not agrees(counts, 1.1 * RATE * WINDOW)
    assert fits(counts, stats.poisson(RATE * WINDOW))
    assert not fits(counts, stats.poisson(1.1 * RATE * WINDOW))
    assert agrees(counts >= 40, 0.966)
    assert not agrees(counts >= 40, stats.poisson(0.9 * RATE * WINDOW).sf(39))


@pytest.mark.slow
def test_the_rate_that_gives_forty_with_a_probability() -> None:
    probability, rate, replications = 0.8, 1.16, 1600
    exact = optimize.brentq(
        lambda monthly: stats.poisson(monthly * WINDOW).sf(39) - probability, 0.5, 2.0
    )
    assert exact == pytest.approx(rate, abs=0.005)

    scenario = recruiting(target=40, candidates_per_month=exact)
    reached = counted(scenario, replications, seed=4) == 40

    assert agrees(reached, probability)
    assert not agrees(reached, stats.poisson(1.1 * exact * WINDOW).sf(39))


@pytest.mark.parametrize("shape", [None, SHAPE])
def test_the_fortieth_is_in_time_if_and_only_if_forty_are_counted(shape: float | None) -> None:
    counting = recruiting(rate_shape=shape)
    waiting = recruiting(rate_shape=shape, closes=FAR, target=40)

    counts, waits = counted(counting, 150, seed=5), waited(waiting, 150, seed=5)

    assert 0 < np.mean(counts >= 40) < 1
    assert ((counts >= 40) == (waits <= WINDOW)).all()


@pytest.mark.parametrize(("shape", "independent"), [(None, True), (SHAPE, False)])
def test_the_past_tells_of_the_future_only_if_the_rate_is_unknown(
    shape: float | None, *, independent: bool
) -> None:
    times = [randomised(log) for log in runs(recruiting(rate_shape=shape), 300, seed=6)]
    first = [(each < WINDOW / 2).sum() for each in times]
    second = [(each >= WINDOW / 2).sum() for each in times]

    assert uncorrelated(first, second) is independent


# Which arm.


def imbalances(log: EventLog) -> npt.NDArray[np.int64]:
    """Return how many more got the one arm than the other after each randomisation."""
    arms = [arm == 1 for *_, what, arm in log.moments if what is Milestone.RANDOMISED]
    return np.abs(np.cumsum(2 * np.array(arms, dtype=np.int64) - 1))


def test_simple_randomisation_of_forty_leaves_an_imbalance_of_5_01() -> None:
    protocol = interpret(recruiting())
    draws = (Chance(protocol, 2, number) for number in range(1, 6001))
    second = np.array([sum(draw.arm((), order) for order in range(40)) for draw in draws])
    final = np.abs(2 * second - 40)

    assert agrees(final, 5.01)
    assert not agrees(final, 1.1 * 5.01)
    assert fits((40 + final) // 2, _larger_arm(40, 0.5))
    assert not fits((40 + final) // 2, _larger_arm(40, 0.55))


def test_the_measure_of_imbalance_is_what_the_log_ends_with() -> None:
    trial = recruiting(closes=FAR, target=40)
    protocol = interpret(trial)
    for log in runs(trial, 20, seed=2):
        assert measure(log, protocol)["arm_imbalance"] == imbalances(log)[-1]


def _larger_arm(people: int, share: float) -> Any:  # noqa: ANN401 -- a law of scipy.stats
    """Return the law of the larger arm's size."""
    sizes = np.arange((people + 1) // 2, people + 1)
    arm = stats.binom(people, share)
    chances = arm.pmf(sizes) + np.where(2 * sizes == people, 0, arm.pmf(people - sizes))
    return stats.rv_discrete(values=(sizes, chances))


def test_blocks_of_four_are_never_more_than_two_apart() -> None:
    blocks = toy(
        design={
            "arms": {"two": {"product": "tablet"}},
            "randomisation": {"method": "permuted_blocks", "block_sizes": [4]},
        }
    )
    found = [imbalances(log) for log in runs(blocks, 30)]

    assert max(each.max() for each in found) == 2
    assert all((each[3::4] == 0).all() for each in found)


# A rate that is not known.


@pytest.fixture(scope="module")
def mixed() -> Floats:
    """How many were randomised, and at which true rate, in trials with a gamma-mixed one."""
    logs = runs(recruiting(rate_shape=SHAPE), 2700, seed=7)
    return np.array([(randomised(log).size, log.candidates_per_month_drawn) for log in logs])


def gamma_poisson(shape: float, mean: float) -> Any:  # noqa: ANN401 -- a law of scipy.stats
    """Return the negative binomial law of a Poisson count whose mean is gamma distributed."""
    return stats.nbinom(shape, shape / (shape + mean))


@pytest.mark.slow
def test_counts_are_negative_binomial(mixed: Floats) -> None:
    counts = mixed[:, 0]
    law, wrong = gamma_poisson(SHAPE, RATE * WINDOW), gamma_poisson(SHAPE, 1.1 * RATE * WINDOW)

    assert law.var() == pytest.approx(736, abs=0.5)
    assert agrees(counts, 52.30)
    assert not agrees(counts, 1.1 * 52.30)
    assert agrees(counts >= 40, 0.635)
    assert not agrees(counts >= 40, wrong.sf(39))
    assert fits(counts, law)
    assert not fits(counts, wrong)


def test_the_true_rate_has_the_mean_and_the_spread_of_its_gamma_distribution() -> None:
    protocol = interpret(recruiting(rate_shape=SHAPE))
    drawn = np.array(
        [Chance(protocol, 8, number).candidates_per_month for number in range(1, 40_001)]
    )

    assert agrees(drawn, RATE)
    assert not agrees(drawn, 1.1 * RATE)
    assert agrees((drawn - RATE) ** 2, RATE**2 / SHAPE)
    assert not agrees((drawn - RATE) ** 2, 1.1 * RATE**2 / SHAPE)
    assert fits(drawn, stats.gamma(SHAPE, scale=RATE / SHAPE))


@pytest.mark.slow
def test_what_is_counted_tells_the_rate_as_bayes_says(mixed: Floats) -> None:
    counts, drawn = mixed.T
    rate = SHAPE / RATE
    posterior = stats.gamma(SHAPE + counts, scale=1 / (rate + WINDOW))
    wrong = stats.gamma(SHAPE + counts, scale=1 / (rate + 1.1 * WINDOW))

    assert fits(posterior.cdf(drawn), stats.uniform())
    assert not fits(wrong.cdf(drawn), stats.uniform())


def test_the_time_to_ten_is_pearson_vi() -> None:
    shape, n, consent = 10.0, 10, 0.5
    scale = shape / (RATE * consent)
    scenario = recruiting(closes=FAR, target=n, rate_shape=shape, consent=consent)
    waits = waited(scenario, 2600, seed=9)

    assert agrees(waits, scale * n / (shape - 1))
    assert not agrees(waits, 1.1 * scale * n / (shape - 1))
    assert fits(waits, stats.betaprime(n, shape, scale=scale))
    assert not fits(waits, stats.betaprime(n, shape, scale=1.1 * scale))


# A rate that changes: every formula holds on the clock G, the integral of the changes.

SEASON = {"winter": 1.25, "spring": 0.95, "summer": 0.7, "autumn": 0.9}
CHANGES = (
    (date(2022, 12, 8), date(2023, 2, 15), 0.4),
    (date(2023, 2, 1), date(2023, 2, 28), 0.5),
    (date(2023, 6, 10), date(2023, 7, 20), 0.0),
)
CHANGING: dict[str, Any] = {
    "season": SEASON,
    "disruptions": {
        f"change_{number}": {"from": first, "to": last, "times": times}
        for number, (first, last, times) in enumerate(CHANGES)
    },
}
YEAR_AND_A_HALF = date(2024, 3, 31)


def paces(closes: date, season: dict[str, float]) -> Floats:
    """Return g of each day from the opening to the closing."""
    days = [OPENS + timedelta(days=day) for day in range((closes - OPENS).days + 1)]
    seasonal = [list(season.values())[day.month % 12 // 3] for day in days]
    changes = [
        np.prod([times for first, last, times in CHANGES if first <= day <= last]) for day in days
    ]
    return np.array(seasonal) * np.array(changes)


def changed_clock(times: float | Floats, closes: date, season: dict[str, float] = SEASON) -> Floats:
    """Return G at some times, in months."""
    steps = np.cumsum(paces(closes, season), dtype=np.float64) / 30.4375
    edges = np.arange(steps.size + 1) / 30.4375
    return np.asarray(np.interp(times, edges, np.concatenate(([0.0], steps))), dtype=np.float64)


@pytest.mark.slow
def test_arrivals_are_even_on_the_changed_clock() -> None:
    scenario = recruiting(closes=YEAR_AND_A_HALF, candidates_per_month=100, **CHANGING)
    times = np.concatenate([randomised(log) for log in runs(scenario, 60, seed=10)])
    mild = SEASON | {"winter": 1.1 * SEASON["winter"]}
    closed = np.array([(day - OPENS).days for day in (date(2023, 6, 10), date(2023, 7, 21))])

    def scaled(season: dict[str, float]) -> Floats:
        end = (YEAR_AND_A_HALF - OPENS).days + 1
        total = changed_clock(end / 30.4375, YEAR_AND_A_HALF, season)
        return changed_clock(times, YEAR_AND_A_HALF, season) / total

    assert not ((times > closed[0] / 30.4375) & (times < closed[1] / 30.4375)).any()
    assert fits(scaled(SEASON), stats.uniform())
    assert not fits(scaled(mild), stats.uniform())


def test_counts_at_a_changing_rate_are_poisson_and_if_it_is_unknown_negative_binomial() -> None:
    mean = RATE * float(changed_clock(WINDOW, YEAR_AND_A_HALF))
    known = recruiting(closes=YEAR_AND_A_HALF, **CHANGING)
    unknown = recruiting(closes=YEAR_AND_A_HALF, rate_shape=10, **CHANGING)

    counts = counted(known, 500, seed=11)
    assert agrees(counts, mean)
    assert not agrees(counts, 1.1 * mean)
    assert fits(counts, stats.poisson(mean))
    assert not fits(counts, stats.poisson(1.1 * mean))

    counts = counted(unknown, 2500, seed=12)
    assert agrees(counts, mean)
    assert not agrees(counts, 1.1 * mean)
    assert fits(counts, gamma_poisson(10, mean))
    assert not fits(counts, gamma_poisson(10, 1.1 * mean))


def test_the_time_to_ten_at_a_changing_rate_is_pearson_vi_on_its_clock() -> None:
    shape, n, closes = 10.0, 10, date(2042, 12, 31)
    scenario = recruiting(closes=closes, target=n, rate_shape=shape, **CHANGING)
    waits = changed_clock(waited(scenario, 2500, seed=13), closes)
    expected = shape / RATE * n / (shape - 1)

    assert agrees(waits, expected)
    assert not agrees(waits, 1.1 * expected)
    assert fits(waits, stats.betaprime(n, shape, scale=shape / RATE))
    assert not fits(waits, stats.betaprime(n, shape, scale=1.1 * shape / RATE))


@pytest.mark.parametrize(("shape", "replications"), [(None, 500), (10.0, 1500)])
def test_a_delay_in_screening_changes_the_clock_once_more(
    shape: float | None, replications: int
) -> None:
    delay = 45.0
    scenario = recruiting(
        closes=YEAR_AND_A_HALF,
        work_up={"family": "exponential", "mean": delay},
        candidates_per_month=2 * RATE,
        rate_shape=shape,
        **CHANGING,
    )
    counts = counted(scenario, replications, seed=14)
    # λ ∫ g(u) F(t − u) du, where each day of g meets the integral of F(x) = 1 − exp(−x / delay).
    daily = paces(YEAR_AND_A_HALF, SEASON)
    left = np.arange(daily.size, -1.0, -1.0)
    mean = 2 * RATE / 30.4375 * float(daily @ -np.diff(left + delay * np.exp(-left / delay)))
    law, wrong = (
        stats.poisson(each) if shape is None else gamma_poisson(shape, each)
        for each in (mean, 1.1 * mean)
    )

    assert agrees(counts, mean)
    assert not agrees(counts, 1.1 * mean)
    assert not agrees(counts, 2 * RATE / 30.4375 * float(daily.sum()))
    assert fits(counts, law)
    assert not fits(counts, wrong)
