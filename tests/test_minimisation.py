"""Minimisation: as worked out by hand, how even it keeps the arms, and what is refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from sim.experiments.doubts import doubts
from sim.model.trial import Trial
from sim.results.counts import COUNTS
from sim.results.periods import Almanac
from sim.results.replication import Reading
from sim.scenario.interpret import interpret
from sim.scenario.load import load, shipped
from sim.scenario.schema import Scenario
from sim.scenario.yaml_source import ScenarioError
from sim.vocabulary.eventlog import EventLog, Milestone
from tests.toys import runs, toy

FACTORS = ["woman", {"age": [40, 60]}]
PATIENTS = {
    "woman": {"probability": 0.5},
    "age": {"family": "uniform", "low": 20, "high": 80},
}
WOMAN_OF_30, WOMAN_OF_50 = {"woman": 1.0, "age": 30.0}, {"woman": 1.0, "age": 50.0}
MAN_OF_30, MAN_OF_50 = {"woman": 0.0, "age": 30.0}, {"woman": 0.0, "age": 50.0}


def minimised(
    arms: int = 2,
    strata: list[Any] | None = None,
    ratio: list[int] | None = None,
    **said: object,
) -> Scenario:
    """Return a toy in which whoever comes is randomised at once, 120 a year on average."""
    names = ("one", "two", "three")[:arms]
    scheme = {
        "method": "minimisation",
        "strata": FACTORS if strata is None else strata,
        "ratio": dict(zip(names, ratio or [1] * arms, strict=True)),
        "minimisation": {"probability": 1, **said},
    }
    trial = {"target": 100, "when_full": "turn_away"}
    return toy(
        design={"trial": trial, "arms": {name: {} for name in names}, "randomisation": scheme},
        assumptions={"patients": PATIENTS},
    )


def arms_of(log: EventLog) -> list[int]:
    """Return the index of the arm of each person randomised, in their order."""
    return [each.detail for each in log.moments if each.milestone is Milestone.RANDOMISED]


def allotted(
    scenario: Scenario, people: Sequence[Mapping[str, float]], replication: int = 1
) -> list[int]:
    """Return the arms on the log of people who are randomised one after the other."""
    trial = Trial(interpret(scenario), 1, replication)
    for person, attributes in enumerate(people):
        trial.randomise(person, attributes, float(person))
    return arms_of(trial.log)


def least_uneven(scenario: Scenario, log: EventLog) -> Iterator[tuple[set[int], int]]:
    """Yield, of each person randomised, the arms that leave the least imbalance, and the one given.

    Told once more, in fractions and from the whole list of those who came before.
    """
    scheme = scenario.design.randomisation
    ratio = [Fraction(int(scheme.ratio[arm])) for arm in scenario.design.arms]
    weights = [scheme.minimisation.weights.get(name, 1) for name, _ in scheme.cuts] or [1]
    before: list[tuple[tuple[int, ...], int]] = []

    def uneven(sizes: list[Fraction]) -> Fraction:
        if scheme.minimisation.imbalance == "range":
            return max(sizes) - min(sizes)
        mean = sum(sizes, Fraction()) / len(sizes)
        return sum(((size - mean) ** 2 for size in sizes), Fraction()) / len(sizes)

    for person, arm in zip(log.strata, arms_of(log), strict=True):
        levels = log.strata[person] or (0,)
        left = {}
        for choice in range(len(ratio)):
            with_them = [*before, (levels, choice)]
            left[choice] = sum(
                weight
                * uneven(
                    [
                        sum(each[factor] == level and to == a for each, to in with_them) / part
                        for a, part in enumerate(ratio)
                    ]
                )
                for factor, (level, weight) in enumerate(zip(levels, weights, strict=True))
            )
        yield {a for a, imbalance in left.items() if imbalance == min(left.values())}, arm
        before.append((levels, arm))


def test_six_people_worked_out_by_hand() -> None:
    """With the first in arm X: the range in the level of sex and of age, if in X and if in Y.

    | person      | X so far | Y so far | if in X | if in Y | arm |
    | woman of 50 | w        |          | 2 + 1   | 0 + 1   | Y   |
    | man of 30   | 30       |          | 1 + 2   | 1 + 0   | Y   |
    | woman of 50 | w        | w, 50    | 1 + 0   | 1 + 2   | X   |
    | man of 30   | 30       | m, 30    | 0 + 1   | 2 + 1   | X   |
    | woman of 30 | 2 w, 2 · | w, 30    | 2 + 2   | 0 + 0   | Y   |
    """
    people = [WOMAN_OF_30, WOMAN_OF_50, MAN_OF_30, WOMAN_OF_50, MAN_OF_30, WOMAN_OF_30]
    x, *others = allotted(minimised(), people)
    y = 1 - x
    assert others == [y, y, x, x, y]


def test_two_to_one_without_factors_goes_round() -> None:
    """If in the first of n1 and n2, n1 / 2 and n2 differ by 1/2, 1, 0; if in the second 1, 1/2, 1.

    After three the sizes are 2 and 1, as even as before anybody came.
    """
    people = [MAN_OF_30] * 9
    assert allotted(minimised(strata=[], ratio=[2, 1]), people) == [0, 1, 0] * 3


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"weights": {"woman": 3}},
        {"ratio": [3, 2]},
        {"arms": 3},
        {"arms": 3, "imbalance": "variance"},
        {"arms": 3, "ratio": [3, 1, 2], "weights": {"age": 2}},
        {"strata": []},
    ],
    ids=str,
)
def test_the_arm_that_leaves_least_imbalance_is_given(said: dict[str, Any]) -> None:
    scenario = minimised(**said)
    told = [each for log in runs(scenario, 5) for each in least_uneven(scenario, log)]
    assert len(told) > 300
    assert all(given in best for best, given in told)


def test_ties_are_decided_by_chance() -> None:
    """The first person of all: each of three arms, or of the two that count less a head."""

    def first(ratio: list[int]) -> Counter[int]:
        scenario = minimised(arms=3, ratio=ratio)
        return Counter(allotted(scenario, [MAN_OF_30], number)[0] for number in range(1, 91))

    even, uneven = first([1, 1, 1]), first([2, 2, 1])
    assert all(abs(even[arm] - 30) < 3 * 20**0.5 for arm in range(3))
    assert uneven[2] == 0
    assert abs(uneven[0] - 45) < 3 * 22.5**0.5


def test_what_is_said_of_weights_and_imbalance_changes_who_gets_what() -> None:
    def first(**said: Any) -> list[int]:  # noqa: ANN401  as said
        return arms_of(next(runs(minimised(arms=3, **said), 1)))

    plain = first()
    assert plain != first(weights={"age": 5})
    assert plain != first(imbalance="variance")


@pytest.mark.parametrize("ratio", [[1, 1], [2, 1]])
def test_of_one_factor_no_level_is_ever_one_apart(ratio: list[int]) -> None:
    """The sizes, divided by the ratio, differ by 1 at most: the next arm is the one behind."""
    scenario = minimised(strata=[{"age": [40, 60]}], ratio=ratio)
    for log in runs(scenario, 10):
        sizes: Counter[tuple[int, int]] = Counter()
        for person, arm in zip(log.strata, arms_of(log), strict=True):
            (level,) = log.strata[person]
            sizes[level, arm] += 1
            assert abs(sizes[level, 0] / ratio[0] - sizes[level, 1] / ratio[1]) <= 1


def test_of_several_factors_each_is_evener_than_by_chance() -> None:
    """By chance n people of a level differ by sqrt(2 n / pi) between arms, here by 4 to 6."""
    (gauge,) = COUNTS["balance"].gauges
    scenario = minimised()
    almanac = Almanac.of(interpret(scenario))
    assert [level for level, arm in gauge.cells(almanac) if arm == "one"] == [
        *("not woman", "woman"),
        *("age < 40", "40 <= age < 60", "age >= 60"),
    ]
    apart = []
    for log in runs(scenario, 40):
        found: Any = gauge.read(Reading(log, almanac))
        assert sum(found.values()) == 2 * len(log.strata)
        levels = {level for level, _ in found}
        apart += [abs(found[level, "one"] - found[level, "two"]) for level in levels]
    assert max(apart) <= 3
    assert np.mean(apart) < 1


@pytest.mark.parametrize(
    ("ratio", "expected"), [([1, 1], [0.8, 0.8]), ([2, 1], [0.9, 0.8]), ([1, 3], [0.8, 14 / 15])]
)
def test_the_preferred_arm_is_given_as_often_as_asked(
    ratio: list[int], expected: list[float]
) -> None:
    """The smallest with 0.8. With w the share by preference, r of the ratio: w + (1 - w) r each."""
    scenario = minimised(ratio=ratio, probability=0.8)
    given: dict[int, list[bool]] = {0: [], 1: []}
    sizes = Counter[int]()
    for log in runs(scenario, 40):
        sizes.update(arms_of(log))
        for best, arm in least_uneven(scenario, log):
            if len(best) == 1:
                given[min(best)].append(arm in best)
    for arm, chance in enumerate(expected):
        error = (chance * (1 - chance) / len(given[arm])) ** 0.5
        assert abs(np.mean(given[arm]) - chance) < 3 * error
    assert sizes[0] / sizes.total() == pytest.approx(ratio[0] / sum(ratio), abs=0.01)


@pytest.mark.parametrize("ratio", [[1, 1], [2, 1], [1, 1, 2]])
def test_with_the_share_of_the_smallest_arm_it_is_simple(ratio: list[int]) -> None:
    """The same arms, person by person."""
    least = min(ratio) / sum(ratio)
    scenario = minimised(arms=len(ratio), ratio=ratio, probability=least)
    randomisation = {"method": "simple", "ratio": scenario.design.randomisation.ratio}
    arms: dict[str, Any] = {name: {} for name in scenario.design.arms}
    trial = {"target": 100, "when_full": "turn_away"}
    design = {"trial": trial, "arms": arms, "randomisation": randomisation}
    simple = toy(design=design, assumptions={"patients": PATIENTS})
    for one, other in zip(runs(scenario, 5), runs(simple, 5), strict=True):
        assert arms_of(one) == arms_of(other)


def warned(scenario: Scenario) -> list[str]:
    """Return the keys of the doubts about how arms are assigned."""
    found = doubts(scenario, interpret(scenario))
    return [each.key for each in found if each.path[:2] == ("design", "randomisation")]


def test_what_is_not_used_is_said() -> None:
    assert warned(minimised()) == []
    assert warned(minimised(strata=[])) == ["no_factors"]
    other = {"minimisation": {"probability": 0.7}, "block_sizes": [1]}
    assert warned(toy(design={"randomisation": other})) == ["idle_method"] * 2


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("method=minimization", "did you mean minimisation?"),
        ("minimisation={probability: 0.4}", "the smallest arm is given with probability 0.5"),
        ("minimisation={probability: 1.1}", "1.1 is too large"),
        ("minimisation={imbalance: rang}", "did you mean range?"),
        ("minimisation={weights: {sle: 2}}", "'sle' is not defined"),
        ("minimisation={weights: {pregnant: 0}}", "0 is too small"),
        ("ratio={msc: 1, il2: 0}", "one arm alone has a ratio above 0"),
        ("strata=[pregnant, pregnant]", "pregnant is named twice"),
        ("strata=[{age: [60, 40]}]", "40 does not come after 60"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: str, complaint: str) -> None:
    scheme = ["method=minimisation", "strata=[pregnant]", "block_sizes=[]", said]
    with pytest.raises(ScenarioError, match=re.escape(complaint)):
        load(shipped() / "baseline.yaml", [f"design.randomisation.{each}" for each in scheme])
