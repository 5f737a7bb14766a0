"""Screening against closed forms: thinning, delay, census (M/G/∞), and criteria. Time in days."""

from __future__ import annotations

from collections import Counter
from datetime import date
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from sim.experiments import implied
from sim.scenario.interpret import interpret
from sim.scenario.schema import Scenario
from sim.vocabulary.eventlog import EventLog, Milestone
from tests.agreement import agrees, fits, uncorrelated
from tests.toys import runs, toy

PASS = 0.622
Counts = npt.NDArray[np.int64]


def screening(
    *,
    per_month: float,
    closes: date,
    target: int | None = None,
    passing: float = PASS,
    **days: object,
) -> Scenario:
    """Return a trial with a share of candidates who pass, known with the laboratory's results."""
    return toy(
        design={
            "trial": {"closes": closes, "target": target},
            "eligibility": {"well": {"at": "labs", "without": "illness"}},
        },
        assumptions={
            "recruitment": {"candidates_per_month": per_month},
            "patients": {"illness": {"probability": 1 - passing}},
            "screening": days,
        },
    )


def moments(log: EventLog, milestone: Milestone) -> npt.NDArray[np.float64]:
    """Return when people met a milestone, in days, in the order of the log."""
    return np.array([time for _, time, what, _ in log.moments if what is milestone]) / 1440


# Thinning.


def test_the_randomised_and_the_failed_are_independent_poisson_counts() -> None:
    scenario = screening(per_month=10, closes=date(2023, 6, 30))
    logs = list(runs(scenario, 600, seed=21))
    came, passed, failed = (
        np.array([moments(log, milestone).size for log in logs])
        for milestone in (Milestone.CANDIDATE, Milestone.RANDOMISED, Milestone.SCREEN_FAILED)
    )
    mean = 10 * 181 / 30.4375

    for counts, share in ((came, 1.0), (passed, PASS), (failed, 1 - PASS)):
        assert agrees(counts, mean * share)
        assert not agrees(counts, 1.1 * mean * share)
        assert fits(counts, stats.poisson(mean * share))
        assert not fits(counts, stats.poisson(1.1 * mean * share))
    assert uncorrelated(passed, failed)
    assert not uncorrelated(passed, came)


@pytest.mark.slow
def test_forty_randomised_ask_for_64_31_screens() -> None:
    scenario = screening(per_month=100, closes=date(2025, 12, 31), target=40)
    logs = list(runs(scenario, 1000, seed=22))
    screens = np.array([moments(log, Milestone.SCREENED).size for log in logs])
    failures = np.array([moments(log, Milestone.SCREEN_FAILED).size for log in logs])
    law, wrong = stats.nbinom(40, PASS, loc=40), stats.nbinom(40, 0.9 * PASS, loc=40)

    assert law.var() == pytest.approx(39.08, abs=0.005)
    assert list(law.ppf([0.05, 0.50, 0.95])) == [55, 64, 75]
    assert agrees(screens, 64.31)
    assert not agrees(screens, wrong.mean())
    assert agrees(failures, 40 * (1 - PASS) / PASS)
    assert not agrees(failures, 1.1 * 40 * (1 - PASS) / PASS)
    assert fits(screens, law)
    assert not fits(screens, wrong)


# Delay and census.


@pytest.mark.slow
def test_people_leave_screening_as_they_leave_an_infinite_queue() -> None:
    """Departures and census at 75 and 150 days of an exponential delay with a mean of 30 days."""
    rate, delay = 20 / 30.4375, 30.0
    scenario = screening(
        per_month=20,
        closes=date(2023, 5, 30),
        lab_days={"family": "exponential", "mean": delay},
    )
    logs = list(runs(scenario, 700, seed=23))
    came, passed, failed = (
        [moments(log, milestone) for log in logs]
        for milestone in (Milestone.CANDIDATE, Milestone.RANDOMISED, Milestone.SCREEN_FAILED)
    )

    for day in (75, 150):
        arrived, out, away = (
            np.array([(each <= day).sum() for each in group]) for group in (came, passed, failed)
        )
        inside = delay * (1 - np.exp(-day / delay))
        for counts, mean in (
            (out, rate * PASS * (day - inside)),
            (arrived - out - away, rate * inside),
        ):
            assert fits(counts, stats.poisson(mean))
            assert not fits(counts, stats.poisson(1.1 * mean))
            assert agrees(counts, mean)
            assert not agrees(counts, 1.1 * mean)
        assert uncorrelated(out, arrived - out - away)


def test_the_delay_is_the_sum_of_contact_laboratory_and_work_up() -> None:
    """N(t) is Poisson(μ (t − E D)) once t exceeds the longest delay."""
    steps: dict[str, Any] = {
        "contact_days": [0, 3, 10],
        "lab_days": [1, 3, 7],
        "work_up_days": [4, 10, 20],
    }
    mean = sum(float(np.mean(step)) for step in steps.values())
    variance = sum(float(np.var(step)) / 4 for step in steps.values())
    scenario = screening(per_month=30, closes=date(2023, 4, 10), passing=1.0, **steps)

    counts, delays = [], []
    for log in runs(scenario, 400, seed=24):
        came = {person: t for person, t, what, _ in log.moments if what is Milestone.CANDIDATE}
        out = {person: t for person, t, what, _ in log.moments if what is Milestone.RANDOMISED}
        counts.append(len(out))
        # Whoever came 37 days before the end is randomised by then, however long it takes.
        delays += [(out[each] - t) / 1440 for each, t in came.items() if t < (100 - 37) * 1440]

    assert agrees(counts, 30 / 30.4375 * (100 - mean))
    assert not agrees(counts, 30 / 30.4375 * (100 - 1.2 * mean))
    assert agrees(delays, mean)
    assert not agrees(delays, 1.1 * mean)
    assert agrees((np.array(delays) - mean) ** 2, variance)
    assert not agrees((np.array(delays) - mean) ** 2, 1.1 * variance)


# Consent, withdrawal and criteria.


def test_the_first_criterion_that_fails_stops_a_person() -> None:
    """P(j is the first to fail) = q_j Π (1 − q_i) over the criteria before it."""
    shares = {"a": 0.15, "b": 0.1, "c": 0.2, "d": 0.12, "e": 0.25}
    at = {"a": "chart", "b": "chart", "c": "visit", "d": "labs", "e": "labs"}
    young = NormalDist(40, 10).inv_cdf(shares["d"])
    criteria: dict[str, Any] = {name: {"at": at[name], "without": name} for name in shares}
    attributes: dict[str, Any] = {name: {"probability": q} for name, q in shares.items()}
    scenario = toy(
        design={"eligibility": criteria | {"d": {"at": "labs", "age": {"at_least": young}}}},
        assumptions={
            "recruitment": {"candidates_per_month": 4000},
            "patients": attributes | {"age": {"family": "normal", "mean": 40, "sd": 10}},
        },
    )
    (log,) = runs(scenario, 1, seed=25)
    found = _endings(log)
    total = sum(found.values())
    assert total == moments(log, Milestone.CANDIDATE).size > 10_000

    def chi_square(shares: list[float]) -> float:
        reached = np.cumprod([1.0, *(1 - share for share in shares)])
        expected = total * np.append(reached[:-1] * shares, reached[-1])
        observed = [found[ending] for ending in range(len(shares) + 1)]
        return float(stats.chisquare(observed, expected).pvalue)

    right = list(shares.values())
    assert chi_square(right) > 0.001
    for index, share in enumerate(right):
        assert chi_square([*right[:index], 1.1 * share, *right[index + 1 :]]) < 0.001


def _endings(log: EventLog) -> Counter[object]:
    """Count people by the first criterion they failed at the step that stopped them; 5: none."""
    endings: dict[int, object] = {}
    for person, _, milestone, detail in log.moments:
        match milestone, detail:
            case Milestone.JUDGED, ("chart", (first, *_)):
                endings[person] = first
            case Milestone.SCREEN_FAILED, criterion:
                endings[person] = criterion
            case Milestone.RANDOMISED, _:
                endings[person] = 5
    return Counter(endings.values())


def test_consent_and_withdrawal_thin_as_well_and_withdrawal_is_at_a_uniform_moment() -> None:
    scenario = toy(
        assumptions={
            "recruitment": {"candidates_per_month": 1000, "consent": 0.7},
            "screening": {"work_up_days": 20, "withdraws": 0.2},
        },
    )
    (log,) = runs(scenario, 1, seed=26)
    known = {
        milestone: {person: time for person, time, what, _ in log.moments if what is milestone}
        for milestone in Milestone
    }
    consented = known[Milestone.CONSENTED]
    withdrew = known[Milestone.WITHDREW_IN_SCREENING]
    early = {person: time for person, time in consented.items() if time < 340 * 1440}
    waits = [(withdrew[each] - time) / 1440 for each, time in early.items() if each in withdrew]

    consents = np.array([person in consented for person in known[Milestone.CANDIDATE]])
    withdraws = np.array([person in withdrew for person in early])
    assert agrees(consents, 0.7)
    assert not agrees(consents, 0.77)
    assert agrees(withdraws, 0.2)
    assert not agrees(withdraws, 0.22)
    assert fits(waits, stats.uniform(0, 20))
    assert not fits(waits, stats.uniform(0, 22))


def test_nobody_is_called_before_the_screening_visit_is_over() -> None:
    """Though the blood was drawn an hour before, and its results take no time."""
    scenario = toy(
        design={
            "visits": {"screening_visit": ["draw_blood", "talk"]},
            "tasks": {"draw_blood": ["nurse"], "talk": ["nurse"]},
        },
        assumptions={"durations_minutes": {"draw_blood": 10, "talk": 60}},
    )
    (log,) = runs(scenario, 1)
    times = {
        milestone: [moment.time for moment in log.moments if moment.milestone is milestone]
        for milestone in (Milestone.SCREENED, Milestone.RANDOMISED)
    }

    assert times[Milestone.SCREENED] == times[Milestone.RANDOMISED] != []


# Coming again.


@pytest.mark.parametrize("times", [1, 3])
def test_a_share_of_who_fails_comes_again_as_often_as_may_be(times: int) -> None:
    """Of all candidates (1 − q) Σ (q s)^k, k from 0 to `times`, are randomised in the end."""
    fails, share = 0.6, 0.5
    scenario = toy(
        design={"eligibility": {"well": {"at": "labs", "without": "illness"}}},
        assumptions={
            "recruitment": {"candidates_per_month": 1000},
            "patients": {"illness": {"probability": fails}},
            "screening": {
                "rescreens": {"of": ["well"], "share": share, "after_days": 20, "times": times}
            },
        },
    )
    (log,) = runs(scenario, 1, seed=27)
    in_time = {
        person
        for person, time, what, _ in log.moments
        if what is Milestone.CANDIDATE and time < (365 - 20 * times) * 1440
    }
    met = Counter((person, what) for person, _, what, _ in log.moments if person in in_time)
    came = np.array([met[person, Milestone.RESCREENED] for person in in_time])
    failed = np.array([met[person, Milestone.SCREEN_FAILED] for person in in_time])
    passed = np.array([met[person, Milestone.RANDOMISED] for person in in_time])
    might = int(np.minimum(failed, times).sum())
    comes = np.arange(might) < came.sum()
    law = (1 - fails) * sum((fails * share) ** attempt for attempt in range(times + 1))

    assert came.max() == times
    assert agrees(comes, share)
    assert not agrees(comes, 1.1 * share)
    assert agrees(passed, law)
    assert not agrees(passed, 1.05 * law)
    assert implied.passing(implied.candidates(interpret(scenario))) == pytest.approx(law, abs=0.02)


def test_who_declined_or_withdrew_does_not_come_again() -> None:
    """Randomised are c Σ p_k (1 − w) with p_k = (1 − q) (q s (1 − w/2))^k: half of the way is over.

    The laboratory takes half of the days from consent to the call, and blood no time.
    """
    fails, share, withdraws, consents = 0.5, 0.8, 0.4, 0.7
    scenario = toy(
        design={"eligibility": {"well": {"at": "labs", "without": "illness"}}},
        assumptions={
            "recruitment": {"candidates_per_month": 2000, "consent": consents},
            "patients": {"illness": {"probability": fails}},
            "screening": {
                "lab_days": 4,
                "work_up_days": 4,
                "withdraws": withdraws,
                "rescreens": {"of": ["well"], "share": share, "after_days": 3},
            },
        },
    )
    (log,) = runs(scenario, 1, seed=28)
    randomised = {person for person, _, what, _ in log.moments if what is Milestone.RANDOMISED}
    in_time = [
        person in randomised
        for person, time, what, _ in log.moments
        if what is Milestone.CANDIDATE and time < 340 * 1440
    ]
    again = fails * share * (1 - withdraws / 2)
    law = consents * (1 - withdraws) * (1 - fails) * (1 + again)
    protocol = interpret(scenario)
    expected = implied.passing(implied.candidates(protocol)) * consents * (1 - withdraws)

    assert agrees(np.array(in_time), law)
    assert not agrees(np.array(in_time), law / (1 + again) * (1 + fails * share))
    assert expected == pytest.approx(law, abs=0.01)


# Steps.


def test_three_steps_with_independent_criteria_thin_one_after_the_other() -> None:
    """Reached are n Π (1 − q_i) over the steps before, and each time q_j of them fail."""
    shares = {"first": 0.3, "second": 0.2, "third": 0.5}
    scenario = toy(
        design={
            "visits": {name: [] for name in shares},
            "screening": [
                {"name": name, "visit": name, "after_days": 7 * (name != "first")}
                for name in shares
            ],
            "eligibility": {f"not_{name}": {"at": name, "without": name} for name in shares},
        },
        assumptions={
            "recruitment": {"candidates_per_month": 2000},
            "patients": {name: {"probability": q} for name, q in shares.items()},
        },
    )
    protocol = interpret(scenario)
    (log,) = runs(scenario, 1, seed=29)
    came = moments(log, Milestone.CANDIDATE)
    early = set(range(int((came < 365 - 15).sum())))
    judged = [(who, *what) for who, _, mile, what in log.moments if mile is Milestone.JUDGED]
    said = dict(implied.step_failures(protocol, implied.candidates(protocol)))
    for index, (name, share) in enumerate(shares.items()):
        failed = np.array(
            [index in fails for who, step, fails in judged if step == name and who in early]
        )
        reached = len(early) * np.prod([1 - q for q in [*shares.values()][:index]])
        assert abs(failed.size - reached) < 4 * np.sqrt(reached)
        assert agrees(failed, share)
        assert not agrees(failed, 1.1 * share)
        assert said[f"not_{name}"].value == pytest.approx(share, abs=0.03)
