"""The three functions for notebooks: their examples, and the same tables as the command."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import altair as alt
import pandas as pd
import pytest

import sim
from sim import load, read, run
from sim.results.folder import FolderRefused
from tests.command import trialsim

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _beside_the_scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("home", ["sim", "sim.report.notebook", "sim.scenario.load"])
def test_the_examples_are_true(home: str) -> None:
    failed, tried = doctest.testmod(import_module(home))

    assert tried
    assert not failed


def test_all_that_is_public_is_listed() -> None:
    assert [getattr(sim, name).__module__ for name in sim.__all__]
    with pytest.raises(AttributeError, match="has no attribute 'walk'"):
        _ = sim.walk


def test_python_and_the_command_give_the_same_tables() -> None:
    small = ROOT / "tests" / "small.yaml"
    how = ("--replications", "3", "--seed", "5", "--jobs", "1", "--quiet")
    assert trialsim("run", str(small), *how, "--out", "typed") == 0
    asked = run(load(small), replications=3, seed=5, jobs=1, out="asked")

    typed = {path.name: path.read_bytes() for path in Path("typed").glob("*.csv*")}
    assert {path.name: path.read_bytes() for path in asked.place.glob("*.csv*")} == typed
    assert asked.tables.keys() == typed.keys() == read("typed").tables.keys()
    assert all(isinstance(each, pd.DataFrame) for each in asked.tables.values())
    assert all(isinstance(each, alt.LayerChart) for each in asked.charts.values())
    assert "report.html" in {path.name for path in asked.place.iterdir()}


def test_what_is_no_finished_folder_is_refused() -> None:
    with pytest.raises(FolderRefused, match="scenarios"):
        read("scenarios")
