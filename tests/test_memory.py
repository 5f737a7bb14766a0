"""Memory does not grow with the number of replications, nor with the points of a sweep."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from sim.cli.main import commands
from sim.cli.options import Output
from sim.cli.terminal import exit_code
from sim.model.run import run
from sim.report import pages
from sim.scenario.interpret import interpret
from sim.scenario.load import load

ROOT = Path(__file__).parent.parent
ALLOWED_MIB = 50

PEAK_OF_A_RUN = """
import resource, sys
from pathlib import Path
from sim.results import tables
from sim.experiments.replicate import replicate
from sim.scenario.load import load
scenario = load(Path("tests/small.yaml"))
tables.build(replicate(scenario, replications=int(sys.argv[1]), jobs=1))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def peak_mib(replications: int) -> float:
    """Return the peak memory of a process that runs so many replications and builds the tables."""
    command = [sys.executable, "-c", PEAK_OF_A_RUN, str(replications)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.slow
def test_ten_thousand_replications_need_little_more_than_a_thousand() -> None:
    assert peak_mib(10_000) - peak_mib(1_000) < ALLOWED_MIB


def test_a_sweep_holds_nothing_of_its_finished_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When all are done and its tables are written; the outcome of each takes some 8 kB."""
    held = list[int]()

    def look(_: Path, language: str) -> None:  # noqa: ARG001  as pages are written
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])

    monkeypatch.setattr(pages, "write_page", look)
    monkeypatch.setattr(Output, "tell", lambda *_: None)
    for points in (2, 20, 120):  # the first for imports and caches
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
