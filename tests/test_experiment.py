"""Many replications: the same results whatever runs them, and no worker's death changes them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim.experiments import replicate as experiment
from sim.experiments.execute import executor, in_order
from sim.experiments.replicate import replicate
from sim.results.fold import Results
from sim.results.tables import build
from sim.scenario.load import Scenario, load
from sim.vocabulary.clock import MINUTES_PER_HOUR
from sim.vocabulary.eventlog import Milestone

BASELINE = Path(__file__).parent.parent / "scenarios" / "baseline.yaml"
SHORT = [
    "design.trial.recruits_until=2023-06-30",
    "design.trial.closes=2023-12-31",
    "design.trial.target=8",
    "go_no_go=null",
]


@pytest.fixture(scope="module", autouse=True)
def _few_with_the_rate_known() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(experiment, "BESIDE", 3)
        yield


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "BATCH", 5)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load(BASELINE, SHORT)


@pytest.fixture(scope="module")
def results(scenario: Scenario) -> Results:
    return replicate(scenario, replications=25, jobs=1, keep=25)


def double(number: int) -> int:
    return 2 * number


def die_once(mark: Path) -> int:
    """Kill the worker the first time; `mark` remembers that it happened."""
    if mark.exists():
        return os.getpid()
    mark.touch()
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def handlers(_: int) -> tuple[bool, bool]:
    return (
        signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
        signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
    )


def fail(number: int) -> int:
    raise ValueError(number)


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_tasks(jobs: int) -> None:
    assert list(in_order(double, range(50), jobs)) == list(range(0, 100, 2))


def test_nothing_to_do() -> None:
    assert list(in_order(double, [], 2)) == []


def test_one_job_runs_in_this_process() -> None:
    with executor(1) as (pool, _):
        assert pool.submit(os.getpid).result() == os.getpid()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_task_that_fails_says_so(jobs: int) -> None:
    with pytest.raises(ValueError, match="3"):
        list(in_order(fail, [3], jobs))


def test_a_dead_worker_is_replaced_and_what_is_missing_runs_again(tmp_path: Path) -> None:
    marks = [tmp_path / "before", tmp_path / "killer", tmp_path / "after"]
    marks[0].touch()
    marks[2].touch()

    assert len(list(in_order(die_once, marks, 2))) == 3


def test_a_task_that_always_kills_its_worker_ends_the_run() -> None:
    with pytest.raises(Exception, match="terminated abruptly"):
        list(in_order(die, [1], 2))


def test_workers_leave_signals_to_their_parent() -> None:
    assert list(in_order(handlers, [1], 2)) == [(True, True)]


@pytest.mark.usefixtures("small_batches")
def test_the_number_of_jobs_changes_no_table(scenario: Scenario, results: Results) -> None:
    one, other = build(results), build(replicate(scenario, replications=25, jobs=2, keep=25))

    for name, table in one.items():
        pd.testing.assert_frame_equal(table, other[name], check_exact=True)


def test_more_replications_begin_with_the_same_ones(scenario: Scenario, results: Results) -> None:
    fewer = replicate(scenario, replications=12, jobs=1, keep=2)

    assert len(fewer.logs) == 2
    for name, values in fewer.measures.items():
        assert np.array_equal(values, results.measures[name][:12], equal_nan=True), name


def test_another_seed_is_another_run(scenario: Scenario, results: Results) -> None:
    other = replicate(scenario, replications=5, seed=2, jobs=1)

    assert (other.measures["candidates"] != results.measures["candidates"][:5]).any()


def test_everyone_is_somewhere_in_every_replication(results: Results) -> None:
    m = results.measures
    out = "not_eligible_on_chart not_consenting screen_failed withdrew_in_screening turned_away"
    screening = [*out.split(), "randomised", "still_in_screening"]
    arms = [arm.name for arm in results.protocol.arms]
    reasons = [reason.name for reason in results.protocol.reasons]

    assert (m["candidates"] == sum(m[name] for name in screening)).all()
    assert (m["still_in_screening"] >= 0).all()
    assert (m["randomised"] == m["completed"] + m["left"] + m["still_in_follow_up"]).all()
    assert (m["randomised"] == sum(m[f"randomised_{arm}"] for arm in arms)).all()
    assert (m["left"] == sum(m[f"left_{reason}"] for reason in reasons)).all()
    assert m["randomised"].max() > 0


def test_every_planned_visit_has_one_outcome(results: Results) -> None:
    outcomes = build(results)["visits.csv"].groupby("outcome")["mean"].sum()

    assert outcomes["planned"] == pytest.approx(outcomes.drop("planned").sum())


def test_the_target_is_met_on_the_day_of_its_own_randomisation(results: Results) -> None:
    days = results.measures["day_of_target"]
    for log, day in zip(results.logs, days, strict=True):
        times = sorted(time for _, time, what, _ in log.moments if what == Milestone.RANDOMISED)
        assert day == (times[7] // 1440 if len(times) >= 8 else np.inf)
    assert np.isfinite(days).any()


def test_hours_are_the_sum_of_the_pieces_worked(results: Results) -> None:
    end = results.protocol.clock.end_minutes
    for index, resource in enumerate(results.protocol.resources):
        for log, hours in zip(
            results.logs, results.measures[f"{resource.name}_hours"], strict=True
        ):
            minutes = sum(
                max(0.0, min(work.ended, end) - work.started)
                for work in log.work
                if work.resource == index
            )
            assert hours == pytest.approx(minutes / MINUTES_PER_HOUR)


@pytest.mark.usefixtures("small_batches")
def test_progress_hears_of_every_batch(scenario: Scenario) -> None:
    heard: list[tuple[int, int]] = []

    replicate(scenario, replications=7, jobs=1, progress=lambda *said: heard.append(said))

    assert heard == [(5, 7), (7, 7)]


@pytest.mark.usefixtures("small_batches")
def test_an_interrupt_ends_the_run(scenario: Scenario) -> None:
    def interrupt(_done: int, _planned: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replicate(scenario, replications=100, jobs=2, progress=interrupt)


def interrupt_the_parent(seconds: float) -> None:
    time.sleep(seconds)
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(seconds)


@pytest.fixture
def heard() -> Iterator[None]:
    """Interrupts are heard, also by a process that was started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_an_interrupt_while_the_workers_end_waits_for_them() -> None:
    with pytest.raises(KeyboardInterrupt), executor(2) as (pool, _):
        pool.submit(interrupt_the_parent, 0.5)
    assert not active_children()


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize(("half_width", "done"), [(0.5, 10), (0.0, 15)])
def test_auto_goes_on_until_every_target_is_known_at_two_looks_in_a_row(
    half_width: float, done: int, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment, "AUTO_FIRST", 5)
    monkeypatch.setattr(experiment, "AUTO_STEP", 5)
    monkeypatch.setattr(experiment, "AUTO_MOST", 15)
    monkeypatch.setattr(experiment, "AUTO_HALF_WIDTH", half_width)

    assert replicate(scenario, replications="auto", jobs=1).replications == done
