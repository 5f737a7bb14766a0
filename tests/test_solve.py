"""The value from which on a target is met: the search on known curves, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import optimize, stats

from sim.cli.main import commands
from sim.cli.terminal import exit_code
from sim.experiments import solve as search
from sim.experiments import sweep
from sim.experiments.execute import in_order
from sim.experiments.solve import (
    EVERYWHERE,
    FOUND,
    NOT_MONOTONE,
    NOWHERE,
    UNDECIDED,
    Attempt,
    Solution,
)
from sim.results.measures import measures_of
from sim.results.replication import Reading
from sim.scenario.levers import lever
from sim.scenario.load import MOVED, ScenarioError, variants
from sim.vocabulary.clock import DAYS_PER_MONTH
from sim.vocabulary.streams import Draws, stratified
from tests.test_sweep import full_after
from tests.toys import TOY

pytestmark = pytest.mark.usefixtures("blank_pages")

RATE = "assumptions.recruitment.candidates_per_month"
BOUNDED = TOY.replace("10}", "{value: 3, range: [1, 4]}}") + (
    "\ntargets: {enough: {measure: randomised, at_least: 20, with_probability: 0.8}}\n"
)
YEAR = 365 / DAYS_PER_MONTH
ENOUGH = optimize.brentq(lambda rate: stats.poisson(rate * YEAR).sf(19) - 0.8, 1, 4)
"""The rate at which 20 come within the toy's year in 80 % of trials: Poisson."""


def stepping(limits: Sequence[float]) -> Attempt:
    """Each replication meets the target from its own place on."""
    return lambda place, number: "".join("01"[limit <= place] for limit in limits[:number])


def solved(
    attempt: Attempt, last: int = 1000, *, replications: int = 1000, is_whole: bool = False
) -> Solution:
    return search.solve(attempt, last, wanted=0.8, replications=replications, is_whole=is_whole)


def normal(middle: float, spread: float, seed: int = 1, number: int = 1000) -> list[float]:
    return [float(limit) for limit in np.random.default_rng(seed).normal(middle, spread, number)]


class TestSearch:
    @settings(max_examples=60, deadline=None)
    @given(
        seed=some.integers(0, 10**6),
        middle=some.floats(-200, 1200),
        spread=some.floats(0.01, 2000),
        replications=some.sampled_from([10, 100, 600]),
        is_whole=some.booleans(),
    )
    def test_on_a_rising_curve_the_verdict_is_that_of_the_whole_curve(
        self, seed: int, middle: float, spread: float, replications: int, *, is_whole: bool
    ) -> None:
        limits = normal(middle, spread, seed, replications)
        found = solved(stepping(limits), replications=replications, is_whole=is_whole)
        low, _, high = search.levels(0.8, replications)
        first, final = (sum(limit <= end for limit in limits) for end in (0, 1000))
        expected = (
            EVERYWHERE
            if first >= high
            else NOWHERE
            if final < low
            else FOUND
            if first < low and final >= high
            else UNDECIDED
        )
        assert (found.verdict, found.fall) == (expected, None)
        inside = [place for place in (found.low, found.value, found.high) if place is not None]
        assert inside == sorted(inside)
        assert all(0 <= place <= 1000 for place in inside)
        assert (len(inside) == 3) == (found.verdict == FOUND)

    @settings(max_examples=30, deadline=None)
    @given(seed=some.integers(0, 10**6), middle=some.floats(0, 1000), is_whole=some.booleans())
    def test_a_falling_curve_is_a_rising_one_from_the_other_end(
        self, seed: int, middle: float, *, is_whole: bool
    ) -> None:
        rise = stepping(normal(middle, 100, seed))
        up = solved(rise, is_whole=is_whole)
        down = solved(lambda place, number: rise(1000 - place, number), is_whole=is_whole)
        assert down.verdict == up.verdict
        for ours, theirs in ((up.low, down.high), (up.value, down.value), (up.high, down.low)):
            assert (ours is None) == (theirs is None)
            assert ours is None or theirs == pytest.approx(1000 - ours)
        assert up.rising
        assert not down.rising

    @given(jump=some.integers(1, 1000))
    @settings(max_examples=40, deadline=None)
    def test_a_jump_is_found_on_the_side_that_meets_the_target(self, jump: int) -> None:
        exact = solved(stepping([jump] * 200), replications=200, is_whole=True)
        assert (exact.verdict, exact.low, exact.value, exact.high) == (FOUND, jump, jump, jump)
        near = solved(stepping([jump] * 200), replications=200)
        assert near.value is not None
        assert near.low is not None
        assert near.low < jump <= near.value <= near.low + 1000 / search.FINEST

    def test_a_whole_answer_meets_the_target_and_the_one_below_does_not(self) -> None:
        limits = normal(6, 3, number=400)
        found = solved(stepping(limits), 12, replications=400, is_whole=True)
        counts = [sum(limit <= place for limit in limits) for place in range(13)]
        reached = [
            next(i for i, n in enumerate(counts) if n >= level) for level in search.levels(0.8, 400)
        ]
        assert [found.low, found.value, found.high] == reached

    def test_ninety_to_ninety_nine_of_a_hundred_intervals_hold_the_answer(self) -> None:
        exact = stats.norm(500, 100).ppf(0.8)
        covered = 0
        for seed in range(100):
            found = solved(stepping(normal(500, 100, seed)))
            assert found.low is not None
            assert found.high is not None
            covered += found.low <= exact <= found.high
        assert 90 <= covered <= 99

    def test_few_values_are_tried_and_fewer_by_all_replications(self) -> None:
        rise, tried = stepping(normal(500, 100, number=2000)), list[int]()

        def counting(place: int, number: int) -> str:
            tried.append(number)
            return rise(place, number)

        solved(counting, 10_000, replications=2000)
        assert len(tried) <= 15
        assert 2 <= tried.count(2000) <= 5
        assert set(tried) == {200, 2000}

    def test_a_bracket_smaller_than_the_noise_is_undecided(self) -> None:
        evenly = stats.norm(500, 20_000).ppf((np.arange(1000) + 0.5) / 1000)
        limits = np.random.default_rng(1).permutation(evenly - 20_000 * stats.norm.ppf(0.8))
        found = solved(stepping(limits.tolist()))
        assert found.verdict == UNDECIDED
        assert (found.low, found.high) == (None, None)

    def test_an_interval_that_leaves_the_bracket_is_open_at_that_end(self) -> None:
        exact = stats.norm(0, 1).ppf(0.8)
        high = solved(stepping(normal(1000 - 300 * exact, 300)))
        low = solved(stepping(normal(-300 * exact, 300)))
        assert high.verdict == low.verdict == UNDECIDED
        assert high.high is None
        assert high.low is not None
        assert low.low is None
        assert low.high is not None

    @pytest.mark.parametrize("replications", [100, 1000])
    def test_certainty_cannot_be_shown_by_any_number_of_trials(self, replications: int) -> None:
        found = search.solve(
            stepping([500.0] * replications),
            1000,
            wanted=1.0,
            replications=replications,
            is_whole=False,
        )
        assert (found.verdict, found.high) == (UNDECIDED, None)

    @pytest.mark.parametrize(
        "share",
        [
            lambda at: 0.95 - 0.9 * abs(at - 0.5),
            lambda at: 0.2 + 3 * at * (1 - at),
            lambda at: 0.95 - 3 * at * (1 - at),
            lambda at: min(1.0, 3 * at) - (0.5 if at > 0.7 else 0.0),
        ],
        ids=["tent", "hump", "valley", "cliff"],
    )
    def test_a_lever_that_helps_and_then_harms_has_no_single_answer(
        self, share: Callable[[float], float]
    ) -> None:
        luck = np.random.default_rng(3).uniform(size=1000)

        def attempt(place: int, number: int) -> str:
            return "".join("01"[int(each < share(place / 1000))] for each in luck[:number])

        found = solved(attempt)
        assert (found.verdict, found.value, found.low, found.high) == (NOT_MONOTONE, *[None] * 3)
        assert found.fall is not None

    def test_a_fall_that_misses_nothing_is_told_beside_the_answer(self) -> None:
        luck = np.random.default_rng(4).uniform(size=1000)

        def attempt(place: int, number: int) -> str:
            share = min(place / 500, 1.0) - (0.1 if place > 700 else 0.0)
            return "".join("01"[int(each < share)] for each in luck[:number])

        found = solved(attempt)
        assert found.verdict == FOUND
        assert found.fall is not None
        assert found.fall[0] < found.fall[1]

    def test_luck_alone_is_no_fall(self) -> None:
        luck = np.random.default_rng(5)

        def attempt(place: int, number: int) -> str:
            return "".join("01"[int(x < 0.6 + place / 5000)] for x in luck.uniform(size=number))

        for _ in range(40):
            found = solved(attempt)
            assert found.verdict in {NOWHERE, UNDECIDED}
            assert found.fall is None

    def test_levels_are_those_of_the_verdict_on_a_target(self) -> None:
        low, value, high = search.levels(0.8, 1000)
        assert value == 800
        for count, said in ((low - 1, "missed"), (low, "open"), (high - 1, "open"), (high, "met")):
            ends = stats.binomtest(count, 1000).proportion_ci(0.95, "wilson")
            met = "met" if ends.low >= 0.8 else "missed" if ends.high < 0.8 else "open"
            assert met == said


# Where the rate of candidates is uncertain, its draws are spread evenly.

SHAPE, WANTED, ENOUGH_OF_THEM = 4.0, 0.6, 20


def counted(seed: int, number: int) -> Attempt:
    """Each replication meets the target where enough come, of `place` / 20 times its rate."""
    draws = [stratified(seed, draw) for draw in range(number)]
    rates = np.asarray(stats.gamma.ppf(draws, SHAPE, scale=1 / SHAPE))
    luck = np.random.default_rng(seed).random(number)

    def attempt(place: int, asked: int) -> str:
        come = np.asarray(stats.poisson.ppf(luck[:asked], rates[:asked] * place / 20))
        return "".join("01"[int(each)] for each in (come >= ENOUGH_OF_THEM).tolist())

    return attempt


def found_of(seed: int, draws: Draws) -> Solution:
    how = {"wanted": WANTED, "replications": 1000, "is_whole": False}
    return search.solve(counted(seed, 1000), 1000, draws=draws, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("seeds", [pytest.param(60, marks=pytest.mark.slow), 12])
def test_the_interval_shows_what_spreading_evenly_gains_and_holds_the_answer(seeds: int) -> None:
    def excess(place: float) -> float:
        law = stats.nbinom(SHAPE, SHAPE / (SHAPE + place / 20))
        return float(law.sf(ENOUGH_OF_THEM - 1)) - WANTED

    answer, held, narrower = optimize.brentq(excess, 1, 1000), 0, []
    for seed in range(seeds):
        ours, plain = (found_of(seed, draws) for draws in (Draws(is_stratified=True), Draws()))
        assert ours.low is not None is not ours.high
        assert plain.low is not None is not plain.high
        held += ours.low <= answer <= ours.high
        narrower.append((ours.high - ours.low) / (plain.high - plain.low))
    assert np.mean(narrower) < 0.7
    assert held >= seeds * (0.86 if seeds > 50 else 0.75)


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    path = tmp_path / "toy.yaml"
    path.write_text(BOUNDED, encoding="utf-8")
    return path


class TestLever:
    def test_a_number_has_its_range_as_bracket(self, toy: Path) -> None:
        moved = lever(variants(toy), RATE)
        assert (moved.kind, moved.low, moved.high, moved.is_whole) == ("number", 1, 4, False)
        assert moved.text(0) == "1"
        assert moved.text(moved.last) == "4"
        assert moved.text(1) == "1.0001"

    def test_a_bracket_that_no_places_divide_ends_at_its_end(self, toy: Path) -> None:
        moved = lever(variants(toy), RATE, "0.1:0.77777777")
        assert moved.text(moved.last) == "0.77777777"

    def test_a_date_moves_by_days(self, toy: Path) -> None:
        moved = lever(variants(toy), "design.trial.opens", "2023-02-01:2023-03-01")
        assert (moved.kind, moved.last, moved.is_whole) == ("date", 28, True)
        assert moved.text(27) == moved.at(27) == "2023-02-28"

    def test_what_is_not_yet_a_number_may_become_one(self, toy: Path) -> None:
        moved = lever(variants(toy), "design.trial.target", "5:30")
        assert (moved.kind, moved.last, moved.text(3)) == ("whole", 25, "8")

    def test_an_end_that_makes_no_scenario_is_refused_as_a_scenario_is(self, toy: Path) -> None:
        with pytest.raises(ScenarioError, match=r"--move: assumptions\.recruitment\.consent"):
            lever(variants(toy, (), MOVED), "assumptions.recruitment.consent", "0.5:1.5")


Trialsim = Callable[..., int]


@pytest.fixture
def trialsim(toy: Path, monkeypatch: pytest.MonkeyPatch) -> Trialsim:
    monkeypatch.chdir(toy.parent)
    return lambda *arguments: exit_code(commands, [*map(str, arguments)])


def asking(*more: str, move: str = RATE, replications: int = 200) -> list[str]:
    how = ["--move", move, "--until", "enough", "--replications", str(replications)]
    return ["solve", "toy.yaml", "--jobs", "1", *how, *more]


def answer(out: str) -> pd.Series:
    return pd.read_csv(Path(out, "solve.csv")).iloc[0]


@pytest.mark.pages
@pytest.mark.slow
def test_the_command_finds_what_poisson_says(
    trialsim: Trialsim, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trialsim(*asking("--out", "needed", "--jobs", "2")) == 0
    said = capsys.readouterr()
    first, *_, last = said.out.splitlines()
    assert first.startswith("Enough: for 80 % “candidates per month” must be ")
    assert " or more (" in first
    assert last.endswith("needed/report.html")
    assert "new: " in said.err

    found = answer("needed")
    assert list(found.index) == ["path", "target", "value", "low", "high", "verdict"]
    assert (found["path"], found["target"], found["verdict"]) == (RATE, "enough", FOUND)
    assert found["low"] < ENOUGH < found["high"]
    assert found["low"] < found["value"] < found["high"]
    steps = pd.read_csv("needed/points.csv")
    assert set(steps["replications"]) == {100, 200}
    assert (steps["status"] == "done").all()
    assert len(steps) == len(steps.drop_duplicates([RATE, "replications"]))

    page = Path("needed/report.html").read_text("utf-8")
    assert first.split(" (")[0] in page.replace("\u00a0", " ")
    Path("needed/report.html").unlink()
    assert trialsim("report", "needed") == 0
    assert Path("needed/report.html").read_text("utf-8") == page


def test_json_is_one_object(trialsim: Trialsim, capsys: pytest.CaptureFixture[str]) -> None:
    assert trialsim(*asking("--json", "--between", "1:1.2", replications=100)) == 0
    said = capsys.readouterr()
    whole = json.loads(said.out)
    assert said.err == ""
    assert list(whole) == ["folder", "solution", "points"]
    assert Path(whole["folder"], "report.html").is_file()
    assert whole["solution"] == {
        "path": RATE,
        "target": "enough",
        "verdict": NOWHERE,
        "value": None,
        "low": None,
        "high": None,
    }
    assert whole["points"][0][RATE] == "1"


def test_a_date_is_sought_by_the_day(
    trialsim: Trialsim, capsys: pytest.CaptureFixture[str]
) -> None:
    bracket = ["--between", "2023-01-01:2023-10-01"]
    assert trialsim(*asking("--out", "when", *bracket, move="design.trial.opens")) == 0
    said = capsys.readouterr().out.splitlines()[0]
    found = answer("when")
    needed = pd.Timestamp("2024-01-01") - pd.Timedelta(days=365 * ENOUGH / 3)
    assert found["low"] <= needed.date().isoformat() <= found["high"]
    assert said.startswith("Enough: for 80 % “opening date” must be ")
    assert f"{int(found['value'][-2:])} {pd.Timestamp(found['value']):%B} 2023 or earlier" in said
    assert trialsim("report", "when") == 0


def test_a_whole_number_is_sought_exactly(
    trialsim: Trialsim, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--between", "5:35", "--set", f"{RATE}=4", "--out", "full", "--json"]
    assert trialsim(*asking(*more, move="design.trial.target", replications=100)) == 0
    found = json.loads(capsys.readouterr().out)["solution"]
    assert [found[name] for name in ("low", "value", "high")] == [20, 20, 20]
    assert Path("full/solve.csv").read_text("utf-8").splitlines()[1].endswith("20,20,20,found")


@pytest.mark.parametrize(
    ("bracket", "verdict", "words"),
    [
        ("0.5:1.2", NOWHERE, "is reached nowhere with “candidates per month” from 0.5 to 1.2"),
        ("3.5:4", EVERYWHERE, "is reached everywhere with “candidates per month” from 3.5 to 4"),
        (f"{ENOUGH - 0.001}:{ENOUGH + 0.001}", UNDECIDED, "everywhere or nowhere"),
        (f"1:{ENOUGH}", UNDECIDED, "80 % is missed up to"),
        (f"{ENOUGH}:4", UNDECIDED, "80 % is reached from"),
    ],
)
def test_what_is_not_found_is_said(
    trialsim: Trialsim,
    capsys: pytest.CaptureFixture[str],
    bracket: str,
    verdict: str,
    words: str,
) -> None:
    assert trialsim(*asking("--between", bracket, "--out", "none", replications=100)) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert words in said
    assert answer("none")["verdict"] == verdict
    assert ("More replications" in said) == (verdict == UNDECIDED)


def test_a_lever_that_helps_and_then_harms_is_told(
    trialsim: Trialsim, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fewer_beyond_thirty(reading: Reading) -> dict[str, float]:
        measured = measures_of(reading)
        return {**measured, "randomised": min(measured["randomised"], 60 - measured["randomised"])}

    monkeypatch.setattr(sweep, "measures_of", fewer_beyond_thirty)
    more = ["--between", "1:6", "--out", "both_ways"]
    assert trialsim(*asking(*more, replications=100)) == 0
    assert "it does not act one way only: " in " ".join(capsys.readouterr().out.split())
    assert answer("both_ways")[["value", "low", "high"]].isna().all()
    assert trialsim("report", "both_ways") == 0


class TestResume:
    def test_nothing_finished_is_lost(
        self,
        trialsim: Trialsim,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert trialsim(*asking("--out", "at_once", "--quiet", replications=100)) == 0
        steps = len(pd.read_csv("at_once/points.csv"))
        with monkeypatch.context() as patched:
            full_after(steps - 2, patched)
            assert trialsim(*asking("--out", "broken", replications=100)) == 2
        assert f"{steps - 2} points are kept" in capsys.readouterr().err

        assert trialsim(*asking("--resume", "broken.part", replications=100)) == 0
        said = capsys.readouterr().err
        assert (said.count("reused: "), said.count("new: ")) == (steps - 2, 2)
        assert "stale" not in said
        for table in ("solve.csv", "points.csv"):
            assert Path("broken", table).read_bytes() == Path("at_once", table).read_bytes()

    def test_another_seed_makes_what_was_kept_stale(
        self,
        trialsim: Trialsim,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def fail(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr("sim.results.store.Store.finish", fail)
            assert trialsim(*asking("--out", "broken", replications=50)) == 130
        assert trialsim(*asking("--resume", "broken.part", "--seed", "2", replications=50)) == 0
        said = capsys.readouterr().err
        assert "stale, seed changed: " in said
        assert "reused: " not in said

    def test_a_step_that_fails_ends_with_4_and_keeps_the_others(
        self,
        trialsim: Trialsim,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        calls = iter(range(10**6))

        def sometimes(reading: Reading) -> dict[str, float]:
            if next(calls) > 250:
                raise ArithmeticError("a point of no return")
            return measures_of(reading)

        monkeypatch.setattr(sweep, "measures_of", sometimes)
        assert trialsim(*asking("--out", "broken", "--quiet")) == 4
        said = capsys.readouterr().err
        assert "a point of no return" in said
        assert "so that the search cannot go on" in said
        assert "2 points are kept" in said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"--move": "assumptions.recruitment.candidate_per_month"}, f"did you mean {RATE}?"),
        ({"--move": "design.trial.opens"}, "design.trial.opens has no range"),
        ({"--move": "scenario"}, "no number or date stands at scenario"),
        ({"--move": "targets.enough.at_least"}, "no number or date stands at targets.enough"),
        ({"--move": "design.places.clinic.country"}, "neither a number nor a date"),
        ({"--until": "enogh"}, "no target called enogh; did you mean enough?"),
        ({"--until": "x"}, "there are: enough"),
        ({"--between": "1"}, "'1' is no bracket"),
        ({"--between": "1:2:3"}, "'1:2:3' is no bracket"),
        ({"--between": "low:high"}, "'low:high' is no bracket"),
        ({"--between": "1:.inf"}, "'1:.inf' is no bracket"),
        ({"--between": "1:true"}, "'1:true' is no bracket"),
        ({"--between": "4:1"}, "4 does not lie below 1"),
        ({"--between": "2023-02-30:2023-03-01"}, "is no bracket"),
        ({"--between": "2023-01-01:2023-03-01"}, "is a number, and 2023-01-01:2023-03-01 is not"),
        ({"--move": "design.trial.opens", "--between": "1:2"}, "is a date, and 1:2 is not"),
        ({"--move": "design.trial.target", "--between": "1:2.5"}, "is a whole number, and 1:2.5"),
    ],
)
def test_what_cannot_be_sought_is_refused_in_words(
    trialsim: Trialsim, capsys: pytest.CaptureFixture[str], changed: dict[str, str], said: str
) -> None:
    asked = {"--move": RATE, "--until": "enough"} | changed
    assert trialsim("solve", "toy.yaml", *(part for pair in asked.items() for part in pair)) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not Path("results").exists()


def test_an_end_outside_what_the_key_allows_is_the_scenarios_content(
    trialsim: Trialsim, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trialsim(*asking("--between", "-1:2")) == 3
    assert f"--move: {RATE}.value: -1 is too small" in capsys.readouterr().err


# Coverage by whole simulations. Of a trial in which nobody is eligible on the chart the candidates
# are a Poisson process and all that happens, which makes a replication cheap.

POISSON = (
    TOY.replace("2023-01-01", "2022-10-01")
    .replace("2023-12-31", "2025-12-31")
    .replace("  arms:", "  eligibility: {well: {at: chart, without: ill}}\n  arms:")
    .replace("month: 10}", "month: 1}\n  patients: {ill: {probability: 1}}")
    + "\ntargets: {forty: {measure: candidates, at_least: 40, with_probability: 0.8}}\n"
)
WINDOW = 1188 / 30.4375


def simulated(file: Path, seed: int, replications: int) -> tuple[float, float, float]:
    """The value, low and high of the rate at which 40 come with a probability of 0.8."""
    variant = variants(file)
    moved = lever(variant, RATE, "0.8:1.6")

    def attempt(place: int, number: int) -> str:
        asked = partial(sweep.simulate, seed=seed, replications=number, jobs=1, cluster=None)
        (point,) = asked([{RATE: moved.text(place)}], variant, progress=lambda _: None)
        return point.outcome.met["forty"]

    found = search.solve(attempt, moved.last, wanted=0.8, replications=replications, is_whole=False)
    value, low, high = (
        moved.at(place) for place in (found.value, found.low, found.high) if place is not None
    )
    return float(value), float(low), float(high)


@pytest.mark.slow
def test_who_comes_is_randomised_where_everybody_is_eligible(tmp_path: Path) -> None:
    everybody = POISSON.replace("probability: 1}", "probability: 0}")
    found = []
    for scenario, measure in ((POISSON, "candidates"), (everybody, "randomised")):
        file = tmp_path / f"{measure}.yaml"
        file.write_text(scenario.replace("measure: candidates", f"measure: {measure}"), "utf-8")
        found.append(simulated(file, 1, 100))
    assert found[0] == found[1]


def _of_seed(task: tuple[str, int]) -> tuple[float, float, float]:
    file, seed = task
    return simulated(Path(file), seed, 2000)


@pytest.mark.parametrize(
    ("seeds", "fewest", "most"),
    [
        pytest.param(25, 21, 25, marks=pytest.mark.slow),
        pytest.param(100, 90, 99, marks=pytest.mark.nightly),
    ],
)
def test_the_rate_for_forty_is_covered_for_nineteen_of_twenty_seeds(
    tmp_path: Path, seeds: int, fewest: int, most: int
) -> None:
    (tmp_path / "poisson.yaml").write_text(POISSON, encoding="utf-8")
    exact = optimize.brentq(lambda rate: stats.poisson(rate * WINDOW).sf(39) - 0.8, 0.5, 2)
    assert exact == pytest.approx(1.16, abs=0.005)

    tasks = [(str(tmp_path / "poisson.yaml"), seed) for seed in range(1, seeds + 1)]
    found = list(in_order(_of_seed, tasks, jobs=2))
    covered = sum(low <= exact <= high for _, low, high in found)
    assert fewest <= covered <= most
    assert all((high - low) / 2 <= 0.05 * value for value, low, high in found)
