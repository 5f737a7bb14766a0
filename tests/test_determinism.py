"""The same scenario, seed and replications give the same bytes, whatever runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest

from sim.experiments import replicate
from tests.command import trialsim
from tests.test_sweep import full_after
from tests.toys import UNSURE

ROOT = Path(__file__).parent.parent
VARIED = {"manifest.json", "report.html"}  # they tell clock times
PROGRAM = """
import sys
from sim.experiments import replicate
from sim.report import pages
replicate.BATCH = 4
pages.write_page = lambda finished, language, **_: (finished / "report.html").touch()
from sim.cli.main import main
main(sys.argv[1:])
"""


def digests(out: Path, jobs: int, hash_seed: str) -> dict[str, str]:
    """Run 10 replications of the baseline in three batches; return the digest of every table."""
    command = [sys.executable, "-c", PROGRAM, "run", "scenarios/baseline.yaml", "--quiet"]
    command += ["--replications", "10", "--seed", "7", "--jobs", str(jobs), "--out", str(out)]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    tables = [path for path in out.iterdir() if path.name not in VARIED]
    assert len(tables) == 22
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in tables}


def test_tables_are_the_same_bytes(tmp_path: Path) -> None:
    alone = digests(tmp_path / "alone", jobs=1, hash_seed="0")

    assert digests(tmp_path / "shared", jobs=2, hash_seed="4242") == alone


@pytest.fixture
def unsure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "unsure.yaml").write_text(UNSURE, encoding="utf-8")


def written(folder: str) -> dict[str, bytes]:
    """Return the bytes of every table."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if ".csv" in path.name}


@pytest.mark.usefixtures("unsure", "blank_pages")
def test_what_is_drawn_is_the_same_by_any_jobs_and_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    run = ["run", "unsure.yaml", "--replications", "40", "--quiet", "--out"]
    assert trialsim(*run, "alone", "--jobs", "1") == 0
    assert trialsim(*run, "shared", "--jobs", "2") == 0
    monkeypatch.setattr(replicate, "BATCH", 7)
    assert trialsim(*run, "small", "--jobs", "1") == 0
    once_more = pd.read_csv("alone/rate_known.csv")

    assert len(once_more) == 30
    assert written("alone") == written("shared") == written("small")


@pytest.mark.usefixtures("unsure", "blank_pages")
def test_what_is_drawn_is_the_same_when_a_sweep_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    points = "assumptions.screening.withdraws=0.1,0.2,0.3"
    sweep = ["sweep", "unsure.yaml", "--vary", points, "--replications", "30", "--quiet"]
    with monkeypatch.context() as patched:
        full_after(2, patched)
        assert trialsim(*sweep, "--out", "broken", "--jobs", "1") == 2
    assert trialsim(*sweep, "--resume", "broken.part") == 0
    assert trialsim(*sweep, "--out", "whole", "--jobs", "2") == 0

    assert written("broken") == written("whole")
