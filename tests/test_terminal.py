"""What people see in a terminal: one line of progress, few lines of results, all in its width."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sim.cli.progress import Line, in_minutes, namer
from tests.terminals import ROOT, in_terminal

SMALL = (Path(__file__).parent / "small.yaml").read_text(encoding="utf-8")
RATE = "assumptions.recruitment.candidates_per_month"
OTHER = """
extends: small.yaml
scenario: other_scenario
assumptions:
  recruitment: {candidates_per_month: {value: 3, range: [1, 5]}}
"""
FEW = ["--replications", "2", "--jobs", "1"]
COMMANDS = {
    "run": ["run", "small.yaml", "--replications", "30", "--jobs", "1"],
    "compare": ["compare", "small.yaml", "other.yaml", *FEW],
    "sweep": ["sweep", "small.yaml", "--vary", f"{RATE}=1:8:71", *FEW],
    "tornado": ["sweep", "other.yaml", "--tornado", *FEW],
    "solve": ["solve", "other.yaml", "--move", RATE, "--until", "somebody", *FEW],
}
MOST_LINES = 40


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "other.yaml").write_text(OTHER, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "width", [60, *(pytest.param(width, marks=pytest.mark.slow) for width in (80, 120))]
)
def test_a_command_keeps_to_the_terminal(scenarios: Path, command: str, width: int) -> None:
    written = in_terminal(width, COMMANDS[command], scenarios)

    assert written.code == 0
    assert max(map(len, written.drawn)) <= width
    assert len(written.lines) <= MOST_LINES
    watched = "so far" if command == "solve" else " left"
    assert any(state.endswith(watched) for state in written.drawn)
    assert not any(line.endswith(watched) for line in written.lines)
    assert (scenarios / written.lines[-1]).is_file()


def test_what_is_piped_is_not_wrapped(scenarios: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "sim", *COMMANDS["run"]],
        cwd=scenarios,
        env={"PYTHONPATH": str(ROOT), "COLUMNS": "30"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert max(map(len, ended.stdout.splitlines())) > 80
    assert not any(line.startswith("    ") for line in ended.stdout.splitlines())
    assert "\r" not in ended.stderr
    assert ended.stderr.splitlines()[-1] == "30 of 30 replications"


def test_a_point_is_named_by_what_differs() -> None:
    names = {"a.consent": "consent", "a.rate": "rate", "a.b": "b", "a.c": "c", "a.d": "d"}
    base = dict.fromkeys(names, "1")

    name = namer(names.__getitem__, base)

    assert name(base) == "as it stands"
    assert name(base | {"a.consent": "0.5"}) == "consent 0.5"
    assert name(dict.fromkeys(names, "2")) == "consent 2, rate 2, b 2, 2 more"
    assert namer(names.__getitem__)({"a.rate": "1"}) == "rate 1"


def test_nothing_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    line = Line(shown=True)
    line.draw("1 of 2", "rate 3", "0:01 left")
    line.close()

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0:00"), (61, "1:01"), (3599.6, "1:00:00"), (7265, "2:01:05")]
)
def test_times_are_minutes_and_hours(seconds: float, said: str) -> None:
    assert in_minutes(seconds) == said


CHECK_LINES = 25


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 80, 120])
def test_check_fits_on_a_screen(width: int, tmp_path: Path) -> None:
    idle = "design.visits.never={title: Of no row, tasks: [assess, draw_blood]}"
    asked = ["check", str(ROOT / "scenarios" / "baseline.yaml")]
    for number in range(9):
        asked += ["--set", idle.replace("never", f"never_{number}").replace("Of", f"{number} of")]
    written = in_terminal(width, asked, tmp_path)

    assert written.code == 0
    assert len(written.lines) <= CHECK_LINES
    assert max(map(len, written.drawn)) <= width
    assert "Warnings: 9" in written.lines
    assert written.lines[-1].endswith("more (--verbose shows all)")
