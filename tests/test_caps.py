"""Caps, milestones and the balance of strata: as reckoned, and what is refused."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sim.experiments.doubts import doubts
from sim.model.trial import Trial
from sim.results.counts import COUNTS
from sim.results.measures import measure
from sim.results.periods import Almanac
from sim.results.replication import Reading
from sim.scenario.interpret import interpret
from sim.scenario.load import load, shipped
from sim.scenario.schema import Scenario
from sim.scenario.yaml_source import ScenarioError
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.eventlog import EventLog, Milestone
from tests.test_journey import milestones, told
from tests.toys import runs, toy

PATIENTS = {
    "sick": {"probability": 0.4},
    "age": {"family": "uniform", "low": 20, "high": 80},
}
SIX = ["sick", {"age": [40, 60]}]
BLOCKS = {"method": "permuted_blocks", "block_sizes": [4, 6], "strata": SIX}
TWO_ARMS: dict[str, Any] = {"one": {}, "two": {}}


def of_two_arms(randomisation: dict[str, Any], **trial: object) -> Scenario:
    """Return a toy in which whoever comes is randomised at once, ten a month for a year."""
    return toy(
        design={"trial": trial, "arms": TWO_ARMS, "randomisation": randomisation},
        assumptions={"patients": PATIENTS},
    )


def count(log: EventLog, what: Milestone, detail: str = "") -> int:
    """Return how often a milestone was met, with this detail if one is named."""
    met = (each for each in log.moments if each.milestone is what)
    return sum(not detail or each.detail == detail for each in met)


@cache
def capped() -> list[tuple[int, int, int]]:
    """Return candidates, randomised and turned away by the cap, in 150 years."""
    scenario = of_two_arms({"caps": {"ill": {"at_most": 50, "sick": True}}})
    return [
        (
            count(log, Milestone.CANDIDATE),
            count(log, Milestone.RANDOMISED),
            count(log, Milestone.TURNED_AWAY, "ill"),
        )
        for log in runs(scenario, 150)
    ]


def test_whoever_is_one_too_many_is_turned_away_and_nobody_else() -> None:
    assert all(came == randomised + away for came, randomised, away in capped())


def test_as_many_are_turned_away_as_poisson_says() -> None:
    """Of those who come 40 % are sick: N of them, and max(N - 50, 0) find no place."""
    sick = stats.poisson(0.4 * 10 * 365 / 30.4375)
    beyond = sum((n - 50) * sick.pmf(n) for n in range(51, 200))
    away = [float(each) for _, _, each in capped()]
    error = np.std(away, ddof=1) / math.sqrt(len(away))
    assert abs(np.mean(away) - beyond) < 3 * error
    assert abs(np.mean([n > 0 for n in away]) - sick.sf(50)) < 3 * 0.5 / math.sqrt(150)


def test_caps_may_overlap_and_each_counts_those_it_is_for() -> None:
    scenario = of_two_arms(
        {
            "caps": {
                "old": {"at_most": 10, "age": {"at_least": 50}},
                "old_and_well": {"at_most": 4, "age": {"at_least": 50}, "sick": False},
            }
        }
    )
    log = next(runs(scenario, 1))
    away = Counter(m.detail for m in log.moments if m.milestone is Milestone.TURNED_AWAY)
    assert away.keys() == {"old", "old_and_well"}
    assert count(log, Milestone.CANDIDATE) == count(log, Milestone.RANDOMISED) + away.total()


@pytest.mark.parametrize("by", ["arrival", "appointment"])
def test_the_place_taken_while_somebody_is_in_screening_ends_it(by: str) -> None:
    """One person alone fills the cap of one; the next like them is turned away when they come."""
    cap = {"adults": {"at_most": 1, "age": {"at_least": 18}}}
    changes = {"design.randomisation": {"caps": cap}, "design.booking": {"by": by}}
    assert "RANDOMISED" in " ".join(milestones(told(changes)))
    trial = Trial(told(changes).protocol, 1, 1)
    steps = len(trial.protocol.screening.steps)
    assert trial.full_cap({"age": 30.0}, steps) is None
    trial.randomise(0, {"age": 30.0}, 0.0)
    assert trial.full_cap({"age": 30.0}, steps) == "adults"
    assert trial.full_cap({"age": 17.0}, steps) is None


def test_a_cap_that_fills_while_somebody_is_in_screening_ends_it_when_the_next_step_is_due() -> (
    None
):
    """Results take ten days: who consented before the first is randomised finds no place at theirs.

    Whoever comes later is turned away at once; nobody consents any more.
    """
    scenario = toy(
        design={"randomisation": {"caps": {"adults": {"at_most": 1, "age": {"at_least": 18}}}}},
        assumptions={"patients": PATIENTS, "screening": {"lab_days": 10}},
    )
    waited = 0
    for log in runs(scenario, 5):
        came = {m.person: m.time for m in log.moments if m.milestone is Milestone.CANDIDATE}
        consented = {m.person for m in log.moments if m.milestone is Milestone.CONSENTED}
        away = {m.person: m.time for m in log.moments if m.milestone is Milestone.TURNED_AWAY}
        (first,) = (m for m in log.moments if m.milestone is Milestone.RANDOMISED)
        assert first.time == came[first.person] + 10 * MINUTES_PER_DAY
        assert consented == {person for person, time in came.items() if time < first.time}
        for person, time in away.items():
            days = 10 if person in consented else 0
            assert time == pytest.approx(came[person] + days * MINUTES_PER_DAY)
        waited += len(away.keys() & consented)
    assert waited > 5


@pytest.mark.parametrize(("at", "days"), [("chart", 0), ("labs", 10)])
def test_a_cap_turns_nobody_away_before_it_is_known_whom_it_counts(at: str, days: int) -> None:
    """What the laboratory finds is known after ten days, what the chart says at once."""
    scenario = toy(
        design={
            "eligibility": {"grown": {"at": at, "age": {"at_least": 18}}},
            "randomisation": {"caps": {"adults": {"at_most": 1, "age": {"at_least": 18}}}},
        },
        assumptions={"patients": PATIENTS, "screening": {"lab_days": 10}},
    )
    log = next(runs(scenario, 1))
    came = {m.person: m.time for m in log.moments if m.milestone is Milestone.CANDIDATE}
    away = {m.person: m.time for m in log.moments if m.milestone is Milestone.TURNED_AWAY}
    assert count(log, Milestone.RANDOMISED) == 1
    last = max(away)
    assert away[last] == pytest.approx(came[last] + days * MINUTES_PER_DAY)


@pytest.mark.parametrize(
    ("said", "warned"),
    [
        ({"trial": {"target": 20, "milestones": [10, 20]}}, []),
        ({"trial": {"target": 20, "milestones": [10, 21, 30]}}, ["milestone"] * 2),
        ({"trial": {"milestones": [10, 21]}}, []),
        ({"trial": {"target": 20}, "randomisation": {"caps": {"ill": {"at_most": 19}}}}, []),
        ({"trial": {"target": 20}, "randomisation": {"caps": {"ill": {"at_most": 20}}}}, ["cap"]),
        ({"randomisation": {"caps": {"ill": {"at_most": 20}}}}, []),
    ],
)
def test_what_is_beyond_the_target_is_said(said: dict[str, Any], warned: list[str]) -> None:
    for cap in said.get("randomisation", {}).get("caps", {}).values():
        cap["sick"] = True
    scenario = toy(design=said, assumptions={"patients": PATIENTS})
    found = [each.key for each in doubts(scenario, interpret(scenario))]
    assert [key for key in found if key in ("cap", "milestone")] == warned


def test_six_strata_are_in_balance_to_three_each() -> None:
    scenario = of_two_arms(BLOCKS)
    protocol = interpret(scenario)
    almanac = Almanac.of(protocol)
    (gauge,) = COUNTS["balance"].gauges
    worst = 0.0
    for log in runs(scenario, 100):
        counts: Any = gauge.read(Reading(log, almanac))
        assert sum(counts.values()) == count(log, Milestone.RANDOMISED)
        assert counts.keys() <= set(gauge.cells(almanac))
        strata = {stratum for stratum, _ in counts}
        worst = max(worst, *(abs(counts[s, "one"] - counts[s, "two"]) for s in strata))
    assert worst == 3
    assert list(dict.fromkeys(stratum for stratum, _ in gauge.cells(almanac))) == [
        "not sick, age < 40",
        "not sick, 40 <= age < 60",
        "not sick, age >= 60",
        "sick, age < 40",
        "sick, 40 <= age < 60",
        "sick, age >= 60",
    ]


def test_milestones_are_reached_on_the_days_of_erlang() -> None:
    """Ten a month come one by one: the n-th on the day of a gamma law of shape n."""
    scenario = of_two_arms({}, milestones=[10, 40])
    protocol = interpret(scenario)
    found = [measure(log, protocol) for log in runs(scenario, 150)]
    for number in (10, 40):
        days = [each[f"day_of_{number}"] for each in found]
        law = stats.gamma(number, scale=30.4375 / 10)
        assert stats.kstest(np.array(days) + 0.5, law.cdf).pvalue > 0.001
        assert abs(np.mean(days) + 0.5 - law.mean()) < 3 * law.std() / math.sqrt(150)


def test_a_milestone_not_reached_is_never_and_they_stand_in_their_order() -> None:
    scenario = of_two_arms({}, milestones=[1, 2, 1000])
    log = next(runs(scenario, 1))
    found = measure(log, interpret(scenario))
    randomised = (each for each in log.moments if each.milestone is Milestone.RANDOMISED)
    days = sorted(each.time // MINUTES_PER_DAY for each in randomised)
    assert [found[f"day_of_{n}"] for n in (1, 2, 1000)] == [days[0], days[1], math.inf]
    names = list(scenario.measures())
    assert names[names.index("day_of_target") + 1 :][:3] == ["day_of_1", "day_of_2", "day_of_1000"]


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        ("design.trial.milestones=[20, 10]", "10 does not come after 20"),
        ("design.trial.milestones=[10, 10]", "10 does not come after 10"),
        ("design.trial.milestones=[0]", "0 is too small"),
        ("design.randomisation.caps={old: {age: {at_least: 65}}}", "at_most is missing"),
        ("design.randomisation.caps={old: {at_most: 5}}", "nothing says of whom"),
        ("design.randomisation.caps={old: {at_most: 0, age: {below: 3}}}", "0 is too small"),
        ("design.randomisation.caps={old: {at_most: 5, aeg: {below: 3}}}", "did you mean age?"),
        ("design.randomisation.caps={old: {at_most: 5, age: true}}", "'age' is not defined"),
        ("design.randomisation.caps={old: {at_most: 5, age: {over: 3}}}", "unknown key"),
        ("design.randomisation.caps={old: {at_most: 5, age: 65}}", "65 is not a mapping"),
    ],
)
def test_what_is_no_cap_and_no_milestone_is_refused(overrides: str, complaint: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(complaint)):
        load(shipped() / "baseline.yaml", [overrides])
