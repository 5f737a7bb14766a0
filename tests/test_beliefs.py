"""What is believed of the numbers that have a range: their laws, and what a replication draws."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from sim.experiments.replicate import replicate
from sim.model.chance import beliefs_drawn
from sim.model.run import run
from sim.results.tables import build
from sim.scenario.beliefs import Belief, beliefs, rate_belief, with_drawn
from sim.scenario.checks import contradictions
from sim.scenario.interpret import believing, interpret
from sim.scenario.load import load, shipped, variants
from sim.scenario.schema import Scenario
from sim.vocabulary.eventlog import EventLog
from tests.agreement import agrees
from tests.toys import ONE_VISIT, runs, toy

BASELINE = Path(str(shipped())) / "baseline.yaml"
CONSENT = {"value": 0.72, "range": [0.5, 0.88]}
UNTIL = {"opens": date(2023, 1, 1), "closes": date(2025, 12, 31)}
MONTHS = 1096 / 30.4375


def believed(**nature: Mapping[str, Any]) -> Scenario:
    """Return the toy in which everything with a range is drawn."""
    return toy(assumptions={"uncertain": "all", **nature})


def laws(scenario: Scenario) -> dict[str, Belief]:
    return {".".join(map(str, each.path)): each for each in beliefs(scenario.assumptions)}


def facts(log: EventLog) -> tuple[object, ...]:
    return log.moments, log.visits, log.work, log.supplies, log.awaited


def test_consent_is_known_as_from_14_people() -> None:
    law = laws(believed(recruitment={"consent": CONSENT}))["recruitment.consent"]
    exact = stats.beta(10.05, 3.91)

    assert law.family == "beta"
    assert law.mean_and_sd == pytest.approx((0.720, 0.116), abs=5e-4)
    for u in (0.01, 0.3, 0.99):
        assert law.law.quantile(u) == pytest.approx(exact.ppf(u), abs=2e-3)


@pytest.mark.parametrize(
    ("entry", "family", "middle"),
    [
        (
            {
                "screening": {
                    "withdraws": {"value": 0.05, "range": [0.03, 0.07], "evidence": "data"}
                }
            },
            "beta",
            "mean",
        ),
        (
            {"recruitment": {"season": {"winter": {"value": 1.2, "range": [0.8, 1.9]}}}},
            "gamma",
            "mean",
        ),
        (
            {
                "patients": {
                    "upcr": {
                        "family": "lognormal",
                        "median": {"value": 3, "range": [2, 4.5]},
                        "sigma": 1,
                    }
                }
            },
            "lognormal",
            "median",
        ),
        (
            {
                "patients": {
                    "age": {"family": "normal", "mean": {"value": 31, "range": [29, 33]}, "sd": 9}
                }
            },
            "normal",
            "mean",
        ),
        (
            {"screening": {"valid_for_days": {"value": 28, "range": [18, 38]}}},
            "normal",
            "median",
        ),
    ],
)
def test_the_range_is_the_middle_90_per_cent(
    entry: dict[str, Any], family: str, middle: str
) -> None:
    scenario = believed(**entry)
    (law,) = laws(scenario).values()
    (ranged,) = scenario.ranged()
    low, high = (law.law.quantile(end) for end in (0.05, 0.95))
    centre = law.mean_and_sd[0] if middle == "mean" else law.law.quantile(0.5)

    assert law.family == family
    assert high - low == pytest.approx(ranged.high - ranged.low, rel=1e-6)
    assert centre == pytest.approx(ranged.value, rel=2e-3)


@pytest.mark.parametrize(
    ("evidence", "people"), [("assumption", 20), ("expert", 20), ("literature", 50)]
)
@pytest.mark.parametrize("value", [0.05, 0.5])
def test_what_is_guessed_counts_as_few_people(evidence: str, people: int, value: float) -> None:
    """A range as narrow as that of some 5,000 is believed as a beta of a few people seen."""
    number = {"value": value, "range": [value - 0.01, value + 0.01], "evidence": evidence}
    (law,) = laws(believed(screening={"withdraws": number})).values()
    ours = stats.beta(value * people, (1 - value) * people)

    assert [law.law.quantile(u) for u in (0.05, 0.5, 0.95)] == pytest.approx(
        ours.ppf([0.05, 0.5, 0.95]), rel=1e-6
    )


def test_a_range_too_wide_for_its_mean_has_the_widest_law_there_is() -> None:
    scenario = believed(screening={"withdraws": {"value": 0.001, "range": [0, 0.9]}})
    (law,) = laws(scenario).values()
    low, high = (law.law.quantile(end) for end in (0.05, 0.95))

    assert 0.002 < high - low < 0.9
    assert law.mean_and_sd[0] == pytest.approx(0.001, rel=0.2)


def test_what_has_no_law_of_its_mean_is_anywhere_in_its_range() -> None:
    (law,) = laws(believed(screening={"withdraws": {"value": 0, "range": [0, 0.2]}})).values()

    assert law.family == "uniform"
    assert [law.law.quantile(u) for u in (0, 0.5)] == [0, 0.1]


RANGED: Mapping[str, Any] = {"value": 10, "range": [5, 20]}


@pytest.mark.parametrize(
    ("uncertain", "shape", "number", "family"),
    [
        ("all", 4, RANGED, "gamma"),
        ("all", None, RANGED, "gamma"),
        ("all", None, 10, None),
        ("rate", 4, RANGED, "gamma"),
        ("rate", None, RANGED, None),
        ("none", 4, RANGED, None),
    ],
)
def test_the_rate_is_drawn_once_if_at_all(
    uncertain: str, shape: float | None, number: object, family: str | None
) -> None:
    recruitment = {"candidates_per_month": number, "rate_shape": shape}
    scenario = toy(assumptions={"uncertain": uncertain, "recruitment": recruitment})
    rate = rate_belief(scenario.assumptions)

    assert (rate and rate.family) == family
    assert not beliefs(scenario.assumptions)
    if rate and shape:
        assert rate.mean_and_sd == pytest.approx((10, 5), rel=0.01)
    elif rate:
        low, high = (rate.law.quantile(end) for end in (0.05, 0.95))
        assert high - low == pytest.approx(15)


def test_ranges_of_no_width_leave_nothing_uncertain() -> None:
    ranged = toy(
        assumptions={
            "uncertain": "all",
            "recruitment": {
                "candidates_per_month": {"value": 10, "range": [10, 10]},
                "consent": {"value": 0.7, "range": [0.7, 0.7]},
            },
        }
    )
    known = toy(
        assumptions={
            "uncertain": "none",
            "recruitment": {"candidates_per_month": 10, "consent": 0.7},
        }
    )
    ours, theirs = (build(replicate(each, replications=3, jobs=1)) for each in (ranged, known))

    assert all(ours[name].equals(theirs[name]) for name in theirs)


@pytest.fixture(scope="module")
def baseline() -> Scenario:
    return load(BASELINE)


def test_a_replication_walks_the_protocol_that_its_draws_mean(baseline: Scenario) -> None:
    protocol = interpret(baseline)
    drawn = beliefs_drawn(protocol, 1, 2)
    nature = with_drawn(baseline.assumptions, drawn).model_copy(update={"uncertain": "rate"})
    written = Scenario.model_validate({**dict(baseline), "assumptions": nature})
    log = run(protocol, 1, 2)

    assert facts(log) == facts(run(interpret(written), 1, 2))
    assert facts(log) != facts(run(interpret(load(BASELINE, ["assumptions.uncertain=rate"])), 1, 2))
    assert log.drawn == tuple(drawn.values())


def test_calendars_and_slots_are_shared(baseline: Scenario) -> None:
    protocol = interpret(baseline)
    ours = believing(protocol, beliefs_drawn(protocol, 1, 1))
    first, second = protocol.arms[0].rows[0][0].offer.choices[0], protocol.screening.repeat_blood

    assert ours.resources is protocol.resources
    assert ours.arms[0].rows is protocol.arms[0].rows
    assert ours.joint_slots(first, second) is protocol.joint_slots(first, second)


def test_what_is_drawn_is_a_column_of_its_replications() -> None:
    scenario = believed(recruitment={"consent": CONSENT})
    protocol = interpret(scenario)
    table = build(replicate(scenario, replications=3, jobs=1))["replications.csv"]
    drawn = [*beliefs_drawn(protocol, 1, 3).values()]

    assert table["drawn_assumptions.recruitment.consent"].tolist()[2:] == drawn


def test_a_number_set_by_a_sweep_is_not_drawn() -> None:
    path = "assumptions.recruitment.consent"
    variant = variants(BASELINE)

    assert "recruitment.consent" in laws(variant())
    assert "recruitment.consent" not in laws(variant({path: "0.6"}))
    assert variant({path: "0.6"}).assumptions.recruitment.consent == 0.6


@pytest.mark.slow
def test_rate_and_consent_uncertain_by_quadrature() -> None:
    scenario = toy(
        design={"trial": UNTIL, "screening": ONE_VISIT},
        assumptions={
            "uncertain": "all",
            "recruitment": {"candidates_per_month": 1.8, "rate_shape": 4, "consent": CONSENT},
        },
    )
    reached = np.array([enough(log) for log in runs(scenario, 2500)])
    rate, consent = stats.gamma(4, scale=1.8 / 4), stats.beta(10.05, 3.91)

    def chance(share: float, number: float) -> float:
        mean = number * share * MONTHS
        return float(stats.poisson.sf(39, mean) * rate.pdf(number) * consent.pdf(share))

    expected, _ = integrate.dblquad(chance, 0, 20, 0, 1, epsabs=1e-4)
    known = stats.poisson.sf(39, 1.8 * 0.72 * MONTHS)

    assert agrees(reached, expected)
    assert not agrees(reached, float(known))


def enough(log: EventLog) -> bool:
    return sum(what.name == "RANDOMISED" for _, _, what, _ in log.moments) >= 40


def test_shares_by_week_never_fall_however_they_are_drawn() -> None:
    share = {4: {"value": 0.1, "range": [0, 0.3]}, 12: {"value": 0.12, "range": [0, 0.3]}}
    protocol = interpret(believed(leaving={"moves": {"share": share}}))
    first, last = (each.path for each in protocol.beliefs)
    ours = believing(protocol, {first: 0.3, last: 0.1})
    weeks = [ours.reasons[0].hazards[0].cumulative(week * 7 * 1440) for week in (4, 12)]

    assert weeks == pytest.approx([-math.log(0.7)] * 2)


@pytest.mark.parametrize(
    "wait",
    [
        {
            "family": "triangular",
            "low": {"value": 2, "range": [1, 6]},
            "mode": {"value": 5, "range": [3, 8]},
            "high": 9,
        },
        {"family": "uniform", "low": {"value": 1, "range": [-1, 2]}, "high": 5},
    ],
    ids=["out of order", "negative"],
)
def test_draws_that_leave_no_law_are_refused(wait: object) -> None:
    scenario = believed(screening={"lab_days": wait})
    (fault,) = contradictions(scenario)

    assert fault.path == ("assumptions", "screening", "lab_days")
    assert not [*contradictions(toy(assumptions={"screening": {"lab_days": wait}}))]
