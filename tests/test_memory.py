"""Memory does not grow with the number of replications, nor with the points of a sweep."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from sim.cli.main import commands
from sim.cli.options import Output
from sim.cli.terminal import exit_code
from sim.model.run import run
from sim.report import pages
from sim.results.fold import BLOCK, Rows
from sim.scenario.interpret import interpret
from sim.scenario.load import load
from tests.toys import TOY

ROOT = Path(__file__).parent.parent
ALLOWED_MIB, GIGABYTE_MIB = 30, 953

PEAK_OF_A_COMMAND = """
import resource, sys
from sim.cli.main import commands
from sim.cli.terminal import exit_code
assert exit_code(commands, sys.argv[1:]) == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def peak_mib(scenario: str, replications: int, home: Path) -> float:
    """Return the peak memory, in MiB, of a process that runs a scenario and writes its folder."""
    (home / "scenario.yaml").write_text(scenario, encoding="utf-8")
    how = ["--replications", str(replications), "--jobs", "1", "--quiet"]
    run = ["run", str(home / "scenario.yaml"), *how, "--out", str(home / str(replications))]
    command = [sys.executable, "-c", PEAK_OF_A_COMMAND, *run]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "replications",
    [
        pytest.param(10_000, marks=pytest.mark.slow),
        pytest.param(100_000, marks=pytest.mark.nightly),
    ],
)
def test_ten_times_the_replications_need_no_more_memory(replications: int, tmp_path: Path) -> None:
    few = peak_mib(TOY, replications // 10, tmp_path)

    assert peak_mib(TOY, replications, tmp_path) - few < ALLOWED_MIB


@pytest.mark.nightly
def test_a_large_trial_takes_less_than_a_gigabyte(tmp_path: Path) -> None:
    """3,000 participants in 20 arms, 60 visits each, 30 years; all four are kept whole."""
    arms = [f"arm_{number}" for number in range(20)]
    when = "at: {clinic: visit}, day: 1, every_days: 30, times: 60, window_days: [-10, 10]"
    rows = ", ".join(f"row_of_{arm}: {{arms: [{arm}], {when}}}" for arm in arms)
    large = f"""
scenario: large
design:
  trial: {{opens: 2000-01-01, closes: 2029-12-31, target: 3000}}
  places: {{clinic: {{days: [mon, tue, wed, thu, fri]}}}}
  staff: {{nurse: {{people: 10, hours: {{mon-fri: "08:00-17:00"}}}}}}
  arms: {{{", ".join(f"{arm}: {{product: tablet}}" for arm in arms)}}}
  products: {{tablet: {{dose: 1}}}}
  schedule: {{{rows}}}
  visits: {{visit: [see]}}
  tasks: {{see: [nurse]}}
assumptions:
  recruitment: {{candidates_per_month: 12}}
  durations_minutes: {{see: 20}}
"""

    assert peak_mib(large, 4, tmp_path) < GIGABYTE_MIB


def test_of_many_replications_only_the_latest_stand_in_memory() -> None:
    numbers = np.arange(3 * 2_600.0).reshape(-1, 3)  # 2,600 is no whole number of blocks
    rows = Rows(3)
    for row in numbers.tolist():
        rows.append(row)

    assert rows.number == 2_600
    for index in range(3):
        assert np.array_equal(rows.column(index), numbers[:, index])
    assert np.array_equal(np.concatenate([*rows.blocks()], axis=1), numbers.T)
    assert len(rows._latest) < BLOCK  # noqa: SLF001


@pytest.mark.slow
def test_a_sweep_holds_nothing_of_its_finished_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When all are done and its tables are written; the outcome of each takes some 8 kB."""
    held = list[int]()

    def look(_: Path, language: str, *, full: bool) -> None:  # noqa: ARG001  as pages are written
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])

    monkeypatch.setattr(pages, "write_page", look)
    monkeypatch.setattr(Output, "tell", lambda *_: None)
    for points in (2, 20, 60):  # the first for imports and caches
        vary = f"assumptions.recruitment.candidates_per_month=1:100:{points}"
        command = ["sweep", str(ROOT / "tests" / "small.yaml"), "--vary", vary, "--replications"]
        how = ["1", "--jobs", "1", "--quiet", "--out", str(tmp_path / str(points))]
        tracemalloc.start()
        try:
            assert exit_code(commands, [*command, *how]) == 0
        finally:
            tracemalloc.stop()
    assert held[2] - held[1] < 100 * 1024


def test_a_finished_replication_is_freed_without_a_search() -> None:
    protocol = interpret(load(ROOT / "scenarios" / "baseline.yaml"))
    run(protocol, seed=1, replication=1)
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for replication in range(2, 7):  # some end with people in follow-up, one with one in line
            run(protocol, seed=1, replication=replication)
        left = len(gc.get_objects()) - before
    finally:
        gc.enable()
    assert left < 200  # a whole trial is some 300
