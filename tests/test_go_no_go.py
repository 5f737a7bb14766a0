"""The rule by which one would stop: worked out by hand, against closed forms, and in words.

With a gamma-mixed Poisson rate (Anisimov & Fedorov 2007) who has seen n in exposure g believes
Gamma(a + n, b + g) of it, so that what is still to come is negative binomial.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import nbinom

from sim.experiments.replicate import replicate
from sim.report.go_no_go import go_no_go, rule_said
from sim.report.methods import methods
from sim.report.page import Table
from sim.report.pages import read_page
from sim.report.run import Run
from sim.results import folder
from sim.results.attainment import sample_size, triggers
from sim.results.fold import meets
from sim.scenario.interpret import interpret
from sim.scenario.schema import Scenario, Target
from sim.vocabulary.clock import DAYS_PER_MONTH, MINUTES_PER_DAY, Clock
from sim.vocabulary.eventlog import Milestone
from tests.toys import runs, toy

Counts = NDArray[np.intp]
OPENS, CLOSES = date(2022, 10, 1), date(2025, 12, 31)
CLOCK = Clock(OPENS, CLOSES)
SHAPE, RATE, TARGET, BELOW = 4.0, 1.34, 40, 0.2
PACES = {date(2022, 12, 7): 0.6, date(2023, 1, 31): 0.2, CLOSES: 1.0}
"""By the last day on which candidates come at so many times the rate."""

FEWER_THAN = {6: 2, 9: 5, 12: 8, 18: 14, 24: 21, 30: 28}


@dataclass
class Told:
    """Results of which only the numbers randomised are there: in the end, and by one month."""

    randomised: Counts
    by_month: dict[int, Counts]
    draws: Counts | None = None
    seed: int = 1
    at_least: int = TARGET

    @property
    def replications(self) -> int:
        return len(self.randomised)

    @property
    def scenario(self) -> SimpleNamespace:
        aim = Target(measure="randomised", at_least=self.at_least, with_probability=0.5)
        return SimpleNamespace(
            targets={"forty": aim}, go_no_go=SimpleNamespace(target="forty", below=BELOW)
        )

    @property
    def protocol(self) -> SimpleNamespace:
        return SimpleNamespace(clock=CLOCK, decision_months=tuple(self.by_month))

    def values(self, name: str) -> NDArray[np.float64]:
        if name == "randomised":
            return self.randomised.astype(np.float64)
        return self.by_month[int(name.rpartition("_")[2])].astype(np.float64)

    def met(self, target: Any) -> NDArray[np.bool_]:  # noqa: ANN401  a stand-in for a target
        return meets(target, self.values("randomised"))


def told(*groups: tuple[int, int, int]) -> Told:
    """Return replications in groups: so many had so many by month 12, and so many of them 40."""
    by_month = [count for count, number, _ in groups for _ in range(number)]
    randomised = [TARGET * (each < met) for _, number, met in groups for each in range(number)]
    return Told(np.array(randomised), {12: np.array(by_month)})


def rows(results: Told) -> list[dict[str, Any]]:
    names = ("target", "below", "month", "until", "fewer_than", "low", "high", "stopped", "lost")
    found: Any = results
    return [dict(zip(names, row, strict=True)) for row in triggers(found)]


# By hand.


def test_the_rule_is_the_largest_number_that_is_too_few() -> None:
    month, together = rows(told((2, 100, 0), (5, 100, 10), (6, 100, 30), (9, 100, 80)))

    assert (month["fewer_than"], month["until"]) == (6, "2023-09-30")
    assert month["low"] <= 6 <= month["high"]
    assert month["stopped"] == 200 / 400
    assert month["lost"] == 10 / 120
    assert math.isnan(together["month"])
    assert (together["stopped"], together["lost"]) == (month["stopped"], month["lost"])


@pytest.mark.parametrize(("with_5", "with_6", "fewer_than"), [(22, 12, 7), (30, 14, 3)])
def test_numbers_out_of_order_are_taken_together(with_5: int, with_6: int, fewer_than: int) -> None:
    """5 and 6 alone say that fewer are better; together 0.17 of them get there, or 0.22."""
    month, _ = rows(told((2, 100, 5), (5, 100, with_5), (6, 100, with_6), (9, 100, 80)))

    assert month["fewer_than"] == fewer_than


@pytest.mark.parametrize(
    ("groups", "number", "stopped"),
    [
        ([(2, 100, 0), (9, 100, 0)], 10, 1.0),  # no trial gets there
        ([(2, 100, 30), (9, 100, 80)], 0, 0.0),  # none is without hope
        ([(2, 100, 80), (9, 100, 5)], math.nan, 0.0),  # the more are randomised the worse
    ],
)
def test_where_no_number_divides(
    groups: list[tuple[int, int, int]], number: float, stopped: float
) -> None:
    month, _ = rows(told(*groups))

    assert month["fewer_than"] == pytest.approx(number, nan_ok=True)
    assert month["stopped"] == stopped


def test_fewer_than_a_hundred_replications_tell_no_rule() -> None:
    assert not rows(told((2, 40, 0), (9, 59, 50)))
    assert rows(told((2, 40, 0), (9, 60, 50)))


def test_all_months_together_stop_whom_any_stops() -> None:
    results = told((2, 100, 0), (9, 100, 0), (9, 100, 90))
    results.by_month[24] = np.repeat([9, 2, 9], 100)
    at_12, at_24, together = rows(results)

    assert at_12["fewer_than"] == at_24["fewer_than"] == 3
    assert at_12["stopped"] == at_24["stopped"] == 100 / 300
    assert together["stopped"] == 200 / 300


def test_the_probability_of_every_number_is_the_share_that_has_so_many() -> None:
    found: Any = Told(np.array([0, 1, 3, 3]), {})
    numbers = [(number, chance) for number, chance, *_ in sample_size(found)]

    assert numbers == [(1, 0.75), (2, 0.5), (3, 0.5)]
    assert all(low <= chance <= high for _, chance, low, high in sample_size(found))


@pytest.mark.parametrize(
    ("opens", "closes", "months", "days", "whole"),
    [
        (date(2022, 10, 1), date(2025, 12, 31), 6, 182, 39),  # to 31 March
        (date(2022, 10, 1), date(2025, 12, 30), 12, 365, 38),
        (date(2023, 8, 31), date(2024, 3, 1), 6, 184, 6),  # to 1 March: there is no 31 February
        (date(2023, 8, 31), date(2024, 2, 29), 6, 184, 5),
        (date(2024, 1, 29), date(2024, 2, 20), 1, 31, 0),
    ],
)
def test_months_are_those_of_the_calendar(
    opens: date, closes: date, months: int, days: int, whole: int
) -> None:
    clock = Clock(opens, closes)

    assert clock.days_of_months(months) == days
    assert clock.whole_months == whole


# Against closed forms.


def exposure(day: int) -> float:
    """Return the months, times season and disruptions, of the first so many days."""
    dates = (OPENS + timedelta(days=each) for each in range(day))
    return sum(next(pace for last, pace in PACES.items() if each <= last) for each in dates) / (
        DAYS_PER_MONTH
    )


def chance(number: int, month: int) -> float:
    """Return how probable the target is where exactly so many are randomised by a month's end."""
    seen, whole = exposure(CLOCK.days_of_months(month)), exposure(CLOCK.days)
    before = SHAPE / RATE + seen
    to_come = nbinom(SHAPE + number, before / (before + whole - seen))
    return float(to_come.sf(TARGET - number - 1))


@pytest.mark.parametrize("month", FEWER_THAN)
def test_the_closed_form_has_the_rule_of_a_gamma_mixed_rate(month: int) -> None:
    few = FEWER_THAN[month]

    assert chance(few - 1, month) < BELOW <= chance(few, month)


def drawn(seed: int, replications: int) -> Told:
    """Return numbers randomised at rates drawn by ordinary means."""
    luck = np.random.default_rng(seed)
    rates = luck.gamma(SHAPE, RATE / SHAPE, replications)
    seen = [0.0, *(exposure(CLOCK.days_of_months(month)) for month in (6, 12, 24)), exposure(1188)]
    steps = [luck.poisson(rates * each) for each in np.diff(seen)]
    *counts, randomised = np.cumsum(steps, axis=0)
    return Told(randomised, dict(zip((6, 12, 24), counts, strict=True)), seed=seed)


def test_the_interval_of_the_rule_covers_it() -> None:
    covered, near = [], []
    for seed in range(12):
        for row in rows(drawn(seed, 1000))[:-1]:
            exact = FEWER_THAN[int(row["month"])]
            covered.append(row["low"] <= exact <= row["high"])
            near.append(abs(row["fewer_than"] - exact))

    assert sum(covered) >= 33  # of 36
    assert np.mean(near) < 1


def recruiting(months: list[int]) -> Scenario:
    """Return a trial of nothing but recruitment, with a slow beginning."""
    changes: Any = {
        "design": {"trial": {"opens": OPENS, "closes": CLOSES, "target": TARGET}},
        "assumptions": {
            "recruitment": {
                "candidates_per_month": RATE,
                "rate_shape": SHAPE,
                "disruptions": {
                    "controls": {"from": OPENS, "to": date(2022, 12, 7), "times": 0.6},
                    "wave": {"from": date(2022, 12, 8), "to": date(2023, 1, 31), "times": 0.2},
                },
            }
        },
        "targets": {
            "forty": {"measure": "randomised", "at_least": TARGET, "with_probability": 0.8}
        },
        "go_no_go": {"target": "forty", "at_months": months, "below": BELOW},
    }
    return toy(**changes)


@pytest.mark.slow
def test_simulated_trials_find_the_rule_of_the_closed_form() -> None:
    scenario, number = recruiting([*FEWER_THAN]), 4000
    ends = [CLOCK.days_of_months(month) for month in FEWER_THAN] + [CLOCK.days]
    found = []
    for log in runs(scenario, number):
        days = [
            each.time // MINUTES_PER_DAY
            for each in log.moments
            if each.milestone == Milestone.RANDOMISED
        ]
        found.append(np.searchsorted(np.sort(days), ends))
    *counts, randomised = np.array(found).T
    draws = interpret(scenario).draws.of(number)
    *months, _ = rows(Told(randomised, dict(zip(FEWER_THAN, counts, strict=True)), draws))

    off = {row["month"]: row["fewer_than"] - FEWER_THAN[row["month"]] for row in months}
    assert off.keys() == FEWER_THAN.keys()
    assert max(map(abs, off.values())) <= 1


# In words.


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scenario = recruiting([6, 12])
    return folder.write(
        scenario,
        lambda: replicate(scenario, replications=200, jobs=1, keep=0),
        command="trialsim run",
        page=lambda _: None,
        out=tmp_path_factory.mktemp("runs") / "run",
    )


def test_the_rule_is_said_in_a_sentence_for_the_months_asked(finished: Path) -> None:
    run = Run(finished)
    few = dict(
        zip(*(run.tables["triggers.csv"][key] for key in ("month", "fewer_than")), strict=True)
    )
    first = f"If fewer than {few[6]:.0f} are randomised by the end of month 6"

    assert rule_said(run, [6]) == f"{first}, the chance of 40 is below 20\u00a0%."
    assert rule_said(run) == (
        f"{first} or fewer than {few[12]:.0f} by the end of month 12, "
        "the chance of 40 is below 20\u00a0%."
    )
    assert not rule_said(run, [7])
    assert rule_said(run) in read_page(finished).lines()


def test_the_page_says_how_often_the_rule_is_met_and_what_it_costs(finished: Path) -> None:
    run = Run(finished)
    (answer,) = go_no_go(run)
    together = run.tables["triggers.csv"].iloc[-1]
    stopped, lost = (run.say.percent(together[key]) for key in ("stopped", "stopped_of_met"))

    (said,) = answer.paragraphs
    assert said == (
        f"Whoever stops by this rule, at the end of whichever month, stops {stopped} of the "
        f"simulated trials; {lost} of those that would have reached 40 are among them."
    )
    assert len(answer.parts) == 1
    assert "月末入组少于" in rule_said(Run(finished, "zh"))


def test_the_numbers_of_a_month_are_measures(finished: Path) -> None:
    table = Run(finished).tables["replications.csv"]
    by_half_a_year, by_a_year = table["randomised_by_month_6"], table["randomised_by_month_12"]

    assert by_half_a_year.equals(table["randomised_first_six_months"])
    assert (by_half_a_year < by_a_year).any()
    assert (by_half_a_year <= by_a_year).all()
    assert (by_a_year <= table["randomised"]).all()


def test_the_methods_say_how_the_rule_is_found(finished: Path) -> None:
    (table, *_) = methods(Run(finished)).more
    said = " ".join(cell for row in cast("Table", table).rows for cell in row.cells)

    assert "by the end of month 6, 12 are too few for 40: an isotonic regression" in said


def test_a_rule_of_few_replications_says_that_they_are_few(tmp_path: Path) -> None:
    scenario = recruiting([6, 12])
    out = folder.write(
        scenario,
        lambda: replicate(scenario, replications=20, jobs=1, keep=0),
        command="trialsim run",
        page=lambda _: None,
        out=tmp_path / "run",
    )
    (answer,) = go_no_go(Run(out))

    assert answer.lead == "Too few simulated trials to say it: run 100 or more."
    assert not rule_said(Run(out))
