"""A trial that runs: what its log teaches, and how it goes on from there, against closed forms."""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sim.experiments.evidence import seen_of_hazard, seen_of_share
from sim.experiments.posterior import informed
from sim.experiments.replicate import replicate
from sim.model.run import run
from sim.report.decision import box
from sim.report.forecast import from_then_on, steps_observed
from sim.report.page import specification
from sim.report.pages import read_page
from sim.report.recruitment import growth
from sim.report.run import Run
from sim.results.forecast import DOUBTFUL, trend, unevenness
from sim.results.tables import build
from sim.scenario.enrolment_log import EnrolmentLog, Level, LoggedPerson, read_log
from sim.scenario.history import Informed, Pool
from sim.scenario.interpret import interpret
from sim.scenario.load import load, shipped
from sim.scenario.protocol import Protocol
from sim.scenario.schema import Scenario
from sim.vocabulary.clock import DAYS_PER_MONTH, MINUTES_PER_DAY
from sim.vocabulary.distributions import Distribution, beta, gamma, updated
from sim.vocabulary.eventlog import EventLog, Milestone
from tests.calibration import (
    TARGET,
    UNKNOWN,
    WAVING,
    Learning,
    calendar_ignored,
    calibration,
    counted_twice,
    forecasts,
    p_values,
    screening_forgotten,
    study,
)
from tests.command import trialsim
from tests.enrolment import written
from tests.toys import UNSURE, toy

OPENS, AS_OF = date(2023, 1, 1), date(2023, 12, 31)
SHAPE, RATE, SEEN = 4.0, 1.34, 10
NOBODY = {"consented": None, "randomised": None, "arm": ""}


def log(*people: LoggedPerson, as_of: date = AS_OF, level: Level = "full") -> EnrolmentLog:
    return EnrolmentLog(people, level, as_of, (), "utf-8", "")


def randomised(*days: int, arm: str = "one") -> list[LoggedPerson]:
    """Return people who were referred and randomised on the same days, counted from 0."""
    dates = (OPENS + timedelta(day) for day in days)
    return [
        LoggedPerson(referred=day, consented=day, randomised=day, arm=arm, first_dose=day)
        for day in dates
    ]


def running(target: int | None = 40, **changes: object) -> Scenario:
    """Return ten years of a trial at a rate that nobody knows; whoever comes is randomised."""
    return toy(
        design={"trial": {"closes": date(2032, 12, 31), "target": target}, **changes},
        assumptions={"recruitment": {"candidates_per_month": RATE, "rate_shape": SHAPE}},
        targets={"enough": {"measure": "randomised", "at_least": 40, "with_probability": 0.8}},
    )


def mean_of(law: Distribution) -> float:
    return float(np.mean([law.quantile((n + 0.5) / 4000) for n in range(4000)]))


# What a log teaches.


def test_the_rate_learnt_is_that_of_gamma_and_poisson() -> None:
    pool = Pool((), ((),), (1.0,), (12.0,), SEEN)
    law = pool.rate(gamma(RATE, SHAPE), 0)
    exact = stats.gamma(SHAPE + SEEN, scale=1 / (SHAPE / RATE + 12))

    assert mean_of(law) == pytest.approx(0.93426, abs=2e-4)
    for u in (0.05, 0.5, 0.95):
        assert law.quantile(u) == pytest.approx(float(exact.ppf(u)), rel=2e-3)


def test_a_share_learnt_is_beta() -> None:
    law = updated(beta(0.72, 13.96), seen_of_share(4, 10).log_likelihood)

    assert mean_of(law) == pytest.approx(0.586, abs=1e-3)


def test_a_hazard_learnt_is_events_for_time_at_risk() -> None:
    """With a prior that is alike for all orders of magnitude: two in 10 times 24 weeks."""
    anywhere = Distribution(lambda u: -math.expm1(-(10 ** (8 * u - 7))), 0.1)
    law = updated(anywhere, seen_of_hazard(2, 240, 24).log_likelihood)
    hazards = [-math.log1p(-law.quantile((n + 0.5) / 4000)) for n in range(4000)]

    assert np.mean(hazards) == pytest.approx(0.2, rel=0.01)


def test_what_people_did_in_screening_is_counted_at_its_step() -> None:
    """Of ten asked four consent; of these one fails the laboratory, and one is not there yet."""
    eligibility = {
        "well": {"at": "visit", "without": "ill"},
        "sane": {"at": "chart", "without": "mad"},
    }
    ranged = {"value": 0.3, "range": [0.1, 0.5]}
    scenario = toy(
        design={"eligibility": eligibility},
        assumptions={
            "uncertain": "all",
            "recruitment": {"consent": ranged},
            "patients": {"ill": {"probability": ranged}, "mad": {"probability": ranged}},
        },
    )
    day = OPENS + timedelta(30)
    people = [
        *[LoggedPerson(referred=day, ended_screening=day, reason="consent")] * 6,
        *randomised(30, 31),
        LoggedPerson(referred=day, consented=day, ended_screening=day, reason="well"),
        LoggedPerson(referred=day, ended_screening=day, reason="sane"),
        LoggedPerson(referred=day),
    ]
    found = {each.prior.path: each[1:] for each in _informed(scenario, log(*people)).lessons}

    assert found["recruitment", "consent"] == (3, 9)
    assert found["patients", "ill", "probability"] == (1, 3)
    assert found["patients", "mad", "probability"] == (1, 10)


def _informed(scenario: Scenario, told: EnrolmentLog) -> Informed:
    taught = informed(interpret(scenario), told).informed
    assert taught is not None
    return taught


def test_consents_alone_tell_of_rate_and_consent_together() -> None:
    """Given n of a rate Gamma(a, b) the weight of a share c is c^n · (b + c·G)^−(a + n)."""
    consent = {"value": 0.5, "range": [0.2, 0.8]}
    recruitment = {"candidates_per_month": 4.0, "rate_shape": SHAPE, "consent": consent}
    scenario = toy(assumptions={"uncertain": "all", "recruitment": recruitment})
    days = range(10, 330, 40)
    known = [each._replace(referred=None) for each in randomised(*days)]
    pool = _informed(scenario, log(*known, level="consent")).pool
    (belief,) = interpret(scenario).beliefs
    shares = np.array([belief.law.quantile((n + 0.5) / 4000) for n in range(4000)])
    seen, exposure = len(days), 365 / DAYS_PER_MONTH
    exact = shares**seen * (SHAPE / 4.0 + shares * exposure) ** -(SHAPE + seen)

    found = np.average([row[0] for row in pool.rows], weights=np.diff([0.0, *pool.upto]))
    assert found == pytest.approx(np.average(shares, weights=exact), abs=0.005)


# How it goes on.


def test_with_nothing_known_a_forecast_is_a_run() -> None:
    scenario = running(target=None)
    told = log(as_of=OPENS)
    of_run = build(replicate(scenario, replications=20, jobs=1, keep=2))
    of_forecast = build(replicate(scenario, replications=20, jobs=1, keep=2, log=told))

    for name, table in of_run.items():
        if name not in {"rate_known.csv", "sensitivity.csv"}:
            pd.testing.assert_frame_equal(of_forecast[name], table)
    assert set(of_forecast) - set(of_run) == {
        "observed.csv",
        "beliefs.csv",
        "census.csv",
        "fit.csv",
        "as_planned.csv",
        "enrolment_as_planned.csv",
    }


def test_what_is_known_is_what_was() -> None:
    told = log(*randomised(3, 40, 41), as_of=OPENS + timedelta(364))
    scenario = toy(assumptions={"recruitment": {"rate_shape": 4.0}})
    tables = build(replicate(scenario, replications=30, jobs=1, keep=0, log=told))
    summary = tables["summary.csv"].set_index("measure")

    for name in ("candidates", "randomised"):
        assert [*summary.loc[name, ["mean", "sd"]]] == [3, 0]
    assert tables["census.csv"]["people_now"].sum() == 3
    assert tables["observed.csv"]["randomised"].tolist() == [
        "2023-01-04",
        "2023-02-10",
        "2023-02-11",
    ]


def months_of_randomisation(protocol: Protocol, replications: int) -> list[list[float]]:
    """Return in which months after the opening each replication randomises, in order."""
    return [
        sorted(
            each.time / MINUTES_PER_DAY / DAYS_PER_MONTH
            for each in run(protocol, 1, replication).moments
            if each.milestone is Milestone.RANDOMISED
        )
        for replication in range(1, replications + 1)
    ]


@pytest.mark.parametrize("replications", [300, pytest.param(4000, marks=pytest.mark.nightly)])
@pytest.mark.parametrize(
    ("shape", "rate", "fortieth", "by_39_months"),
    [
        (SHAPE, RATE, {0.05: 31.297, 0.28314: 39.03, 0.5: 44.526, 0.95: 68.8}, None),
        (20, 20 / 19.5, {0.025: 30.8986, 0.5: 43.5, 0.975: 64.5039}, [24, 35, 50]),
    ],
    ids=["gamma", "bayesian_accrual"],
)
def test_the_fortieth_comes_when_gamma_and_poisson_say(
    shape: float,
    rate: float,
    fortieth: dict[float, float],
    by_39_months: list[int] | None,
    replications: int,
) -> None:
    """Ten in the first year: 30 more of a rate Gamma(shape + 10, shape / rate + 12).

    The second is the plan of 40 in 39 months, which counts as half of them (Gajewski, Simon &
    Carlson 2008, Stat Med 27).
    """
    days = np.linspace(5, 350, SEEN).astype(int)
    plan = {"candidates_per_month": rate, "rate_shape": shape}
    scenario = toy(
        design={"trial": {"closes": date(2032, 12, 31), "target": None}},
        assumptions={"recruitment": plan},
    )
    protocol = informed(interpret(scenario), log(*randomised(*days.tolist())))
    found = months_of_randomisation(protocol, replications)

    for share, month in fortieth.items():
        met = np.mean([len(each) > 39 and each[39] <= month for each in found])
        assert abs(met - share) < 3 * math.sqrt(share * (1 - share) / replications)
    if by_39_months is not None:
        counts = [sum(month <= 39 for month in each) for each in found]
        quantiles = np.quantile(counts, (0.025, 0.5, 0.975))
        assert [*quantiles] == pytest.approx(by_39_months, abs=2 if replications < 1000 else 1)


def probability_of_40(days: list[int], cut: int) -> float:
    """Return that of 40 at the close, by the law of the rate that a log of dates has taught."""
    told = log(*known_dates(days), as_of=OPENS + timedelta(cut), level="dates")
    scenario = running(trial={"closes": date(2027, 12, 31), "target": None})
    pool, closes = _informed(scenario, told).pool, interpret(scenario).clock.end_minutes
    law = pool.rate(gamma(RATE, SHAPE), 0)
    rates = np.array([law.quantile((n + 0.5) / 400) for n in range(400)])
    left = (closes / MINUTES_PER_DAY - cut - 1) / DAYS_PER_MONTH
    return float(np.mean(stats.poisson(rates * left).sf(39 - len(days))))


def known_dates(days: list[int]) -> list[LoggedPerson]:
    """Return people of whom only the day of randomisation is known."""
    return [each._replace(referred=None, consented=None) for each in randomised(*days)]


@given(
    days=st.lists(st.integers(0, 700), max_size=30),
    cut=st.integers(700, 1000),
    one_more=st.integers(0, 700),
    later=st.integers(1, 700),
)
@settings(max_examples=10, deadline=None)
def test_more_people_never_lower_the_hope_and_waiting_never_raises_it(
    days: list[int], cut: int, one_more: int, later: int
) -> None:
    now = probability_of_40(days, cut)

    assert probability_of_40([*days, one_more], cut) >= now - 1e-9
    assert probability_of_40(days, cut + later) <= now + 1e-9


@pytest.mark.parametrize("sizes", [[4], [2, 4]])
def test_the_rest_of_an_open_block_is_what_is_left_of_it(sizes: list[int]) -> None:
    arms = {"one": {"product": "tablet"}, "two": {"product": "tablet"}}
    scenario = running(arms=arms, randomisation={"method": "permuted_blocks", "block_sizes": sizes})
    known = [*randomised(1), *randomised(2)]
    protocol = informed(interpret(scenario), log(*known, as_of=OPENS + timedelta(30)))
    for replication in range(1, 31):
        assert _arms(run(protocol, 1, replication))[:4] == [0, 0, 1, 1]


def _arms(of: EventLog) -> list[int]:
    met = [each for each in of.moments if each.milestone is Milestone.RANDOMISED]
    return [each.detail for each in sorted(met, key=lambda each: each.time)]


def test_nobody_known_to_be_there_has_left_before() -> None:
    """Leaving has no memory here: of 40 who stayed half a year as many leave in the next."""
    leaving = {"moves": {"by_week": 26, "share": 0.5}}
    scenario = toy(
        design={
            "trial": {"closes": date(2024, 12, 31), "target": 40},
            "visits": {"check": []},
            "schedule": {"late": {"at": {"clinic": "check"}, "day": 700}},
        },
        assumptions={"leaving": leaving},
    )
    protocol = informed(
        interpret(scenario), log(*randomised(*range(40)), as_of=OPENS + timedelta(200))
    )
    left = Counter[bool]()
    for replication in range(1, 21):
        for each in run(protocol, 1, replication).moments:
            if each.milestone is Milestone.LEFT:
                week = (each.time / MINUTES_PER_DAY - 201) / 7
                assert week > 0
                left[week <= 26] += 1

    assert left[True] / 800 == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("level", ["consent", "dates"])
def test_a_log_that_tells_less_leaves_more_open(level: Level) -> None:
    """Half of those asked consent: 12 a year of whom 6 are known; the rest is simulated."""
    scenario = toy(
        design={"trial": {"closes": date(2024, 12, 31)}},
        assumptions={
            "uncertain": "all",
            "recruitment": {
                "candidates_per_month": 1.0,
                "rate_shape": 4.0,
                "consent": {"value": 0.5, "range": [0.45, 0.55]},
            },
        },
    )
    days = [20, 80, 140, 200, 260, 320]
    known = [each._replace(referred=None) for each in randomised(*days)]
    protocol = informed(interpret(scenario), log(*known, level=level))
    numbers = [
        Counter(each.milestone for each in run(protocol, 1, replication).moments)
        for replication in range(1, 201)
    ]
    candidates = np.mean([each[Milestone.CANDIDATE] for each in numbers])
    met = np.mean([each[Milestone.RANDOMISED] for each in numbers])
    exposure, more = 365 / DAYS_PER_MONTH, 366 / DAYS_PER_MONTH
    rate = (4 + 6) / (4 + 0.5 * exposure)

    assert met == pytest.approx(6 + 0.5 * rate * more, rel=0.12)
    assert candidates == pytest.approx(6 + 0.5 * rate * exposure + rate * more, rel=0.12)


def is_calibrated(p_values: dict[str, float]) -> bool:
    """Say whether what is right would look so uneven: at most one of thirty quantities does."""
    return min(p_values.values()) > 1e-3 and sum(each < 0.01 for each in p_values.values()) <= 1


@pytest.mark.parametrize(
    ("level", "truths"),
    [
        *(pytest.param(each, 30, marks=pytest.mark.slow) for each in UNKNOWN),
        *(pytest.param(each, 200, marks=pytest.mark.nightly) for each in UNKNOWN),
    ],
)
def test_among_its_forecasts_the_truth_has_every_place(level: str, truths: int) -> None:
    assert is_calibrated(calibration(level, truths, seed=2))


@pytest.mark.parametrize(
    ("learn", "shown_by", "truths"),
    [
        pytest.param(calendar_ignored, "rate", 40, marks=pytest.mark.slow),
        pytest.param(calendar_ignored, "rate", 120, marks=pytest.mark.nightly),
        pytest.param(screening_forgotten, "soon", 120, marks=pytest.mark.nightly),
        pytest.param(counted_twice, "consent", 600, marks=pytest.mark.nightly),
    ],
)
def test_a_wrong_forecast_is_found_out(learn: Learning, shown_by: str, truths: int) -> None:
    assert calibration("full", truths, seed=3, learn=learn)[shown_by] < 1e-6


@pytest.mark.parametrize(
    ("name", "truths"),
    [
        pytest.param(f"15{WAVING}", 20, marks=pytest.mark.slow),
        *(
            pytest.param(f"{each}{waving}", 200, marks=pytest.mark.nightly)
            for waving in ("", WAVING)
            for each in (6, 15, 30)
        ),
    ],
)
def test_the_baseline_is_forecast_as_often_right_as_it_says(name: str, truths: int) -> None:
    """Of its rates, dates, doses and hours; and of all that come to 40 the share expected."""
    found = [*forecasts(study(name), truths, seed=4)]
    expected = [
        float(np.mean([each >= TARGET for each in drawn["randomised"]])) if drawn else 1.0
        for _, drawn in found
    ]
    away = np.array(expected) - [came["randomised"] >= TARGET for came, _ in found]
    print(name, "P(40) forecast", np.mean(expected), "less what came", away.mean())  # noqa: T201

    assert is_calibrated(p_values(name, found, np.random.default_rng(5)))
    assert abs(away.mean()) <= 3 * away.std() / math.sqrt(truths)


@pytest.mark.nightly
@pytest.mark.parametrize("level", UNKNOWN)
def test_among_its_forecasts_with_waves_the_truth_has_every_place(level: str) -> None:
    assert is_calibrated(calibration(f"{level}{WAVING}", 200, seed=2))


# Where the rate waves.

WAVES = {"sd": 0.5, "calm": 0.2}


def waving(**recruitment: object) -> Scenario:
    scenario = {"candidates_per_month": RATE, "rate_shape": SHAPE, "waves": WAVES}
    return toy(
        design={"trial": {"closes": date(2024, 12, 31)}},
        assumptions={"recruitment": {**scenario, **recruitment}},
        targets={"enough": {"measure": "randomised", "at_least": 40, "with_probability": 0.8}},
    )


def test_with_nothing_known_a_forecast_with_waves_is_a_run() -> None:
    scenario = waving()
    of_run = build(replicate(scenario, replications=20, jobs=1, keep=2))
    of_forecast = build(replicate(scenario, replications=20, jobs=1, keep=2, log=log(as_of=OPENS)))

    for name, table in of_run.items():
        if name not in {"rate_known.csv", "sensitivity.csv"}:
            pd.testing.assert_frame_equal(of_forecast[name], table)


@pytest.mark.parametrize("level", ["full", "dates"])
def test_who_is_known_is_known_where_the_rate_waves(level: Level) -> None:
    known = randomised(3, 40, 41, 300)
    if level == "dates":
        known = [each._replace(referred=None, consented=None) for each in known]
    protocol = informed(interpret(waving(consent=0.5)), log(*known, level=level))
    for replication in range(1, 21):
        moments = run(protocol, 1, replication).moments
        came = [each.time for each in moments if each.milestone is Milestone.RANDOMISED]
        assert sum(each < 365 * MINUTES_PER_DAY for each in came) == 4


def test_a_calm_forecast_learns_what_one_without_waves_learns() -> None:
    told = log(*randomised(*range(0, 360, 36)))
    pool = _informed(waving(waves={"sd": 0.5, "calm": 1.0}), told).pool
    exact = stats.gamma(SHAPE + SEEN, scale=1 / (SHAPE / RATE + 365 / DAYS_PER_MONTH))

    assert pool.calm == pytest.approx(1.0)
    assert np.mean(pool.rates) == pytest.approx(exact.mean(), rel=0.01)
    assert np.quantile(pool.rates, 0.9) == pytest.approx(exact.ppf(0.9), rel=0.02)


def test_consents_tell_of_rate_and_consent_together_where_the_rate_waves() -> None:
    """As without waves if it is calm: where more consent, fewer came."""
    consent = {"value": 0.5, "range": [0.2, 0.8]}
    recruitment = {"candidates_per_month": 4.0, "rate_shape": SHAPE, "consent": consent}
    scenario = {"uncertain": "all", "recruitment": {**recruitment, "waves": {**WAVES, "calm": 1}}}
    known = [each._replace(referred=None) for each in randomised(*range(10, 330, 40))]
    told = log(*known, level="consent")
    pool = _informed(toy(assumptions=scenario), told).pool
    weights = np.diff([0.0, *pool.upto])
    rates, shares = np.array(pool.rates), np.array([row[0] for row in pool.rows])
    cells = (np.arange(400) + 0.5) / 400
    every = np.array([gamma(4.0, SHAPE).quantile(u) for u in cells])
    (belief,) = interpret(toy(assumptions=scenario)).beliefs
    consenting = np.array([belief.law.quantile(u) for u in cells])
    expected = np.outer(consenting, every) * 365 / DAYS_PER_MONTH
    exact = np.asarray(stats.poisson(expected).pmf(len(known)))

    mean = np.average(every, weights=exact.sum(axis=0))
    assert np.average(rates, weights=weights) == pytest.approx(mean, rel=0.05)
    product = (exact * np.outer(consenting, every)).sum() / exact.sum()
    assert np.average(rates * shares, weights=weights) == pytest.approx(product, rel=0.05)
    correlated = np.cov(rates, shares, aweights=weights)[0, 1]
    assert correlated < 0


def test_a_standstill_of_late_is_believed_to_last_a_while() -> None:
    """Twenty-four came in eight months, and nobody in the last four."""
    told = log(*randomised(*range(0, 240, 10)))
    soon = [0.0, 0.0]
    for place, waves in enumerate((WAVES, None)):
        protocol = informed(interpret(waving(waves=waves)), told)
        for replication in range(1, 301):
            moments = run(protocol, 1, replication).moments
            came = (each for each in moments if each.milestone is Milestone.RANDOMISED)
            days = (each.time / MINUTES_PER_DAY for each in came)
            soon[place] += sum(365 <= day < 456 for day in days) / 300

    assert soon[0] < 0.85 * soon[1]


# One more, one day later.


def chance_of(plan: Protocol, told: EnrolmentLog, number: int) -> float:
    """Return how probable so many by the closing are, at a constant rate, in closed form."""
    protocol = informed(plan, told)
    assert protocol.informed is not None
    assert protocol.rate is not None
    pool = protocol.informed.pool
    law = pool.rate(protocol.rate, 0)
    more = protocol.expected_candidates[-1] - protocol.expected_by(protocol.informed.history.until)
    rates = np.array([law.quantile((n + 0.5) / 400) for n in range(400)])
    return float(np.mean(stats.poisson(rates * more).sf(number - pool.seen - 1)))


@settings(max_examples=10, deadline=None)
@given(
    days=st.lists(st.integers(0, 300), min_size=1, max_size=12),
    one=st.integers(0, 300),
    later=st.integers(1, 60),
)
def test_one_more_never_lowers_the_chance_and_a_later_day_never_raises_it(
    days: list[int], one: int, later: int
) -> None:
    plan, as_of = interpret(waving(waves=None)), OPENS + timedelta(300)

    def dates(*days: int) -> list[LoggedPerson]:
        return [each._replace(referred=None, consented=None) for each in randomised(*days)]

    told = log(*dates(*days), as_of=as_of, level="dates")
    now = chance_of(plan, told, 20)
    with_one = log(*dates(*days, one), as_of=as_of, level="dates")
    after = log(*dates(*days), as_of=as_of + timedelta(later), level="dates")

    assert chance_of(plan, with_one, 20) >= now - 1e-9
    assert chance_of(plan, after, 20) <= now + 1e-9


# What a change from today on would bring.


@pytest.fixture(scope="module")
def asked_for_less(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scenario, Scenario, Path]:
    """A trial with a criterion, the same with a milder one, and a log of the first."""
    home = tmp_path_factory.mktemp("compared")
    strict, mild = (
        toy(
            design={
                "trial": {"closes": date(2024, 6, 30)},
                "eligibility": {"well": {"at": "labs", "burden": {"at_most": most}}},
            },
            assumptions={
                "uncertain": "all",
                "recruitment": {"candidates_per_month": 3.0, "rate_shape": 4, "waves": WAVES},
                "patients": {
                    "burden": {
                        "family": "normal",
                        "mean": {"value": 1.0, "range": [0.5, 1.5]},
                        "sd": 1,
                    }
                },
                "screening": {"lab_days": 12, "withdraws": 0.1},
            },
        )
        for most in (1.0, 2.0)
    )
    protocol = interpret(strict)
    path = home / "log.csv"
    path.write_text(written(protocol, run(protocol, 3, 1), AS_OF), encoding="utf-8")
    return strict, mild, path


def going_on(plan: Scenario, other: Scenario, path: Path) -> Protocol:
    return informed(interpret(other), read_log(path, other, AS_OF), interpret(plan))


def test_going_on_beside_going_on_differs_in_nothing(
    asked_for_less: tuple[Scenario, Scenario, Path],
) -> None:
    strict, _, path = asked_for_less
    alone = informed(interpret(strict), read_log(path, strict, AS_OF))
    beside = going_on(strict, strict, path)
    for replication in range(1, 11):
        once, again = (run(each, 1, replication) for each in (alone, beside))
        assert once.moments == again.moments
        assert once.drawn == again.drawn


def test_a_milder_criterion_changes_nobody_who_was_judged(
    asked_for_less: tuple[Scenario, Scenario, Path],
) -> None:
    strict, mild, path = asked_for_less
    protocols = [going_on(strict, each, path) for each in (strict, mild)]
    until, more = 365 * MINUTES_PER_DAY, [0, 0]
    for replication in range(1, 41):
        logs = [run(each, 1, replication) for each in protocols]
        before = [
            [(each.person, each.time, each.milestone) for each in log.moments if each.time < until]
            for log in logs
        ]
        assert before[0] == before[1]
        assert logs[0].drawn == logs[1].drawn
        for place, log in enumerate(logs):
            more[place] += sum(each.milestone is Milestone.RANDOMISED for each in log.moments)

    assert more[1] > 1.2 * more[0]


def test_what_another_scenario_says_otherwise_holds_from_then_on(
    asked_for_less: tuple[Scenario, Scenario, Path],
) -> None:
    """Of the burden, which the log has told of, the other is sure that it is lower."""
    strict, _, path = asked_for_less
    burden = {"mean": {"value": 0.2, "range": [0.1, 0.3]}}
    plain = strict.model_dump(by_alias=True)
    plain["assumptions"]["patients"]["burden"] |= burden
    other = Scenario.model_validate(plain)
    lessons = {
        each.prior.path: each.of for each in _of(going_on(strict, other, path).informed).lessons
    }

    assert lessons["patients", "burden", "mean"] == 0
    assert lessons["recruitment", "candidates_per_month"] > 0
    same = _of(going_on(strict, strict, path).informed).lessons
    assert next(each.of for each in same if each.prior.path[-1] == "mean") > 0


def _of(told: Informed | None) -> Informed:
    assert told is not None
    return told


# Whether it fits.


@pytest.mark.parametrize("came", [10, 20, 40])
def test_few_logs_of_a_constant_rate_raise_an_alarm(came: int) -> None:
    """Of 18 months: trend or uneven months in at most 6 of 100, and often where it doubles."""
    luck, shares = np.random.default_rng(came), np.full(18, 1 / 18)

    def alarms(places: np.ndarray) -> bool:
        counts, _ = np.histogram(places, 18, (0, 1))
        return min(trend([*places])[1], unevenness(counts, shares)[1]) < DOUBTFUL / 2

    false = np.mean([alarms(luck.uniform(size=came)) for _ in range(400)])
    true = np.mean([alarms(luck.uniform(size=came) ** 0.3) for _ in range(40)])

    assert false <= 0.06
    assert true > 0.3


# The command.


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("toy.yaml").write_text(UNSURE, encoding="utf-8")
    return tmp_path


def test_the_command_goes_on_from_a_log(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = [f"2023-02-{n:02},2023-02-{n:02},2023-03-{n:02}" for n in range(1, 10)]
    rows = "\n".join(f"P{day},one,LiLei" for day in days).replace("P2023", "P,2023")
    rows = "\n".join(f"{n}{row}" for n, row in enumerate(rows.splitlines()))
    (place / "log.csv").write_text(
        f"id,referred,consented,randomised,arm,initials\n{rows}\n", encoding="utf-8"
    )
    asked = ["--observed", "log.csv", "--as-of", "2023-06-30", "--replications", "30"]

    assert trialsim("forecast", "toy.yaml", *asked, "--jobs", "1", "--out", "found") == 0

    said = capsys.readouterr()
    assert "As of 30 June 2023" in said.out
    assert "initials" in said.err
    found = place / "found"
    assert not [each for each in found.iterdir() if b"LiLei" in each.read_bytes()]
    facts = json.loads((found / "manifest.json").read_text("utf-8"))
    assert facts["kind"] == "forecast"
    assert (facts["as_of"], facts["log_level"]) == ("2023-06-30", "full")
    assert pd.read_csv(found / "census.csv")["people_now"].sum() == 9
    assert len(pd.read_csv(found / "as_planned.csv")) == 30
    assert not (found / "rate_known.csv").exists()
    assert trialsim("report", "found") == 0

    ran = Run(found)
    seen = steps_observed(ran.tables["observed.csv"], ran.opens, date(2023, 6, 30))
    assert seen["value"].tolist() == [*range(10), 9]
    assert [each.date() for each in seen["at"].iloc[[0, -1]]] == [OPENS, date(2023, 6, 30)]
    ahead = from_then_on(growth(ran, "randomised"), seen)
    assert ahead["p50"].iloc[0] == 9
    assert len(ahead) == 7
    fan = next(chart for name, _, chart in read_page(found).charts() if name == "reached-1")
    drawn = json.dumps(specification(fan))
    assert all(name in drawn for name in ("observed", "forecast", "planned at the opening"))


def _six_people_logged() -> None:
    rows = "\n".join(f"P{n},2023-0{n}-11,2023-0{n}-11,2023-0{n}-11,one" for n in range(1, 7))
    Path("log.csv").write_text(f"id,referred,consented,randomised,arm\n{rows}\n", encoding="utf-8")


def test_what_a_forecast_proposes_goes_on_from_the_same_log(place: Path) -> None:
    _six_people_logged()
    asked = ["--observed", "log.csv", "--as-of", "2023-06-30", "--set=targets.fifty.at_least=20"]
    asked += ["--rate", "constant", "--replications", "200", "--jobs", "1"]
    assert trialsim("forecast", "toy.yaml", *asked, "--out", "found") == 0

    (proposed,) = (fact.typed for fact in box(Run(place / "found")).facts if fact.typed)

    words = shlex.split(proposed)
    assert words[1:3] == ["solve", "toy.yaml"]
    assert words[words.index("--as-of") + 1] == "2023-06-30"
    assert "assumptions.recruitment.waves=null" in words
    assert "assumptions.recruitment.disruptions.from_now.times" in words
    more = ["--replications", "30", "--jobs", "1", "--out", "sought"]
    assert trialsim(*words[1:], *more) == 0


def test_comparisons_and_searches_go_on_from_a_log(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _six_people_logged()
    drive = "{from: 2023-07-01, to: 2023-12-31, times: %s}"
    more = f"assumptions: {{recruitment: {{disruptions: {{drive: {drive % 9}}}}}}}"
    Path("other.yaml").write_text(f"extends: toy.yaml\nscenario: other\n{more}\n", encoding="utf-8")
    asked = ["--observed", "log.csv", "--as-of", "2023-06-30", "--replications", "30"]
    asked += ["--jobs", "1"]

    assert trialsim("compare", "toy.yaml", "other.yaml", *asked, "--out", "both") == 0
    assert "As of 30 June 2023" in capsys.readouterr().out
    compared = pd.read_csv(place / "both" / "compare.csv").set_index("measure")
    assert compared["ci_low"]["randomised"] > 0

    path = "assumptions.recruitment.disruptions.drive"
    moved = ["--set", f"{path}={drive % 1}", "--move", f"{path}.times", "--between", "1:9"]
    assert trialsim("solve", "toy.yaml", "--until", "fifty", *asked, *moved, "--out", "sought") == 0
    assert "As of 30 June 2023" in capsys.readouterr().out

    other_rate = (
        Path("other.yaml")
        .read_text("utf-8")
        .replace("recruitment: {", "recruitment: {candidates_per_month: 5, ")
    )
    Path("other.yaml").write_text(other_rate, encoding="utf-8")
    assert trialsim("compare", "toy.yaml", "other.yaml", *asked, "--out", "rates") == 2
    assert "candidates_per_month differs" in capsys.readouterr().err
    assert trialsim("compare", "toy.yaml", "other.yaml", *asked[:2], "--out", "days") == 2


def test_what_was_planned_is_what_a_run_says() -> None:
    scenario, told = running(), log(*randomised(3, 40, 41))
    as_run = build(replicate(scenario, replications=20, jobs=1, keep=0))
    of_run = as_run["replications.csv"]
    of_forecast = build(replicate(scenario, replications=20, jobs=1, keep=0, log=told))
    planned = of_forecast["as_planned.csv"]

    assert planned["randomised"].tolist() == of_run["randomised"].tolist()
    assert planned["randomised"].tolist() != of_forecast["replications.csv"]["randomised"].tolist()
    by_month = of_forecast["enrolment_as_planned.csv"]
    pd.testing.assert_frame_equal(by_month, as_run["enrolment.csv"])
    assert not by_month.equals(of_forecast["enrolment.csv"])


def test_somebody_who_cannot_be_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The plan has everybody ill, and those who are ill fail; the log has somebody randomised."""
    said = ["design.eligibility={well: {at: visit, without: ill}}"]
    said += ["assumptions.patients={ill: {probability: 1}}"]
    text = "id,referred,consented,randomised,arm\nP1,2023-02-01,2023-02-01,2023-02-01,one\n"
    (place / "log.csv").write_text(text, encoding="utf-8")
    asked = ["--observed", "log.csv", "--as-of", "2023-06-30", "--replications", "2"]
    asked += [f"--set={each}" for each in said]

    assert trialsim("forecast", "toy.yaml", *asked, "--jobs", "1", "--out", "found") == 3

    assert "P1" in capsys.readouterr().err
    assert not (place / "found").exists()


def test_a_wrong_log_gives_no_forecast(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "id,randomised,arm\nA,2023-02-30,one\nB,2023-03-01,oen\n"
    (place / "log.csv").write_text(text, encoding="utf-8")

    asked = ["--observed", "log.csv", "--as-of", "2023-06-30"]
    assert trialsim("forecast", "toy.yaml", *asked) == 3

    said = capsys.readouterr().err
    assert "log.csv:2:2" in said
    assert "did you mean one?" in said
    assert not (place / "results").exists()


@pytest.mark.parametrize("name", ["baseline", "placebo_run_in", "titration"])
def test_a_finished_trial_is_what_its_log_says(name: str, tmp_path: Path) -> None:
    scenario = load(shipped() / f"{name}.yaml")
    protocol = interpret(scenario)
    closes, truth = protocol.clock.closes, run(protocol, 5, 1)
    (tmp_path / "log.csv").write_text(written(protocol, truth, closes), encoding="utf-8")
    told = informed(protocol, read_log(tmp_path / "log.csv", scenario, closes))
    counted = (
        *(Milestone.CANDIDATE, Milestone.CONSENTED, Milestone.SCREEN_FAILED),
        *(Milestone.RANDOMISED, Milestone.LEFT, Milestone.COMPLETED),
    )

    def numbers(of: EventLog) -> list[int]:
        met = Counter(each.milestone for each in of.last_attempts())
        return [met[milestone] for milestone in counted]

    assert numbers(run(told, 9, 1)) == numbers(truth)
