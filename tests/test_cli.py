"""The command line: what it prints where, and the code it ends with."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest

from sim.cli import main
from sim.cli.terminal import GROUPS

pytestmark = pytest.mark.usefixtures("blank_pages")

SMALL = (Path(__file__).parent / "small.yaml").read_text(encoding="utf-8")
BROKEN = SMALL.replace("people: 1", "people: -1").replace("opens: 2023-03-01", "open: 2023-03-01")


class Ended(NamedTuple):
    code: int
    out: str
    err: str


class Trialsim(Protocol):
    def __call__(self, *arguments: str) -> Ended: ...


@pytest.fixture
def trialsim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Trialsim:
    """The command in this process, in an empty folder that holds small.yaml and broken.yaml."""
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL, encoding="utf-8")
    Path("broken.yaml").write_text(BROKEN, encoding="utf-8")

    def call(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main.main(arguments)
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, *capsys.readouterr())

    return call


@pytest.mark.pages
def test_run_ends_with_the_folder_that_holds_the_page(trialsim: Trialsim) -> None:
    code, out, err = trialsim("run", "small.yaml", "--replications", "3", "--jobs", "1")

    assert code == 0
    assert Path(out.splitlines()[-1]).is_file()
    assert "undecided: somebody, in 100 % of trials (44 % to 100 %), asked: 50 %" in out
    assert err.splitlines()[-1] == "3 of 3 replications"


def test_json_is_one_object_and_nothing_else(trialsim: Trialsim) -> None:
    code, out, err = trialsim("run", "small.yaml", "--replications", "2", "--jobs", "1", "--json")

    said: dict[str, Any] = json.loads(out)
    assert (code, err) == (0, "")
    assert list(said) == ["folder", "measures", "targets"]
    assert Path(said["folder"]).is_dir()
    assert said["measures"]["randomised"]["replications"] == 2
    assert said["targets"]["somebody"]["needed"] == "at least 1"


def test_json_says_never_and_leaves_blanks_null(trialsim: Trialsim) -> None:
    nobody = ("--set", "assumptions.recruitment.candidates_per_month=0")
    _, out, _ = trialsim(
        "run", "small.yaml", "--replications", "2", "--json", "--jobs", "1", *nobody
    )

    day = json.loads(out)["measures"]["day_of_target"]
    assert (day["p50"], day["mean"]) == ("never", None)


def test_quiet_prints_the_folder_alone(trialsim: Trialsim) -> None:
    code, out, err = trialsim("run", "small.yaml", "--replications", "2", "--jobs", "1", "--quiet")

    assert (code, err, len(out.splitlines())) == (0, "", 1)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("{measure: randomised, at_least: 1, with_probability: 0.5}", 0),
        ("{measure: randomised, at_least: 1000, with_probability: 0.5}", 5),
        ("{measure: randomised, at_least: 1, with_probability: 0.9}", 6),
    ],
    ids=["met", "missed", "undecided"],
)
def test_the_gate_tells_targets_apart(trialsim: Trialsim, target: str, code: int) -> None:
    how = ("--replications", "12", "--jobs", "1", "--quiet", "--gate")

    assert trialsim("run", "small.yaml", *how, "--set", f"targets.somebody={target}").code == code


def test_a_gate_without_a_target_is_refused(trialsim: Trialsim) -> None:
    ended = trialsim("run", "small.yaml", "--gate", "--set", "targets.somebody=null")

    assert (ended.code, ended.out) == (2, "")
    assert "names no target" in ended.err


SHOWN = ("resolved", "register")
FIRST = ["trace", "small.yaml", "--replication", "1", "--participant", "0"]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["rnu", "small.yaml"], "Did you mean 'run'?"),
        (["run", "small.yaml", "--replication", "3"], "--replications"),
        (["run", "small.yaml", "--replications", "0"], "from 1"),
        (["run", "small.yaml", "--replications", "many"], "neither auto nor"),
        (["run", "missing.yaml"], "missing.yaml"),
        (["run", "."], "."),
        (["report", "."], "not the folder of a finished run"),
        (["new", "small.yaml"], "small.yaml: File exists"),
        (["new", "nowhere/new.yaml"], "No such file"),
        (["check", "smal.yaml"], "does not exist; did you mean small.yaml?"),
        (["check", "smal"], "no scenario is called smal; did you mean small?"),
        (["trace", "small.yaml", "--replication", "1", "--participant", "9999"], "candidates"),
        (["trace", "small.yaml", "--replication", "1", "--calendar", "new.html"], "--participant"),
        ([*FIRST, "--calendar", "small.yaml"], "small.yaml: File exists"),
    ],
)
def test_what_cannot_be_done_as_asked_ends_with_2(
    trialsim: Trialsim, arguments: list[str], hint: str
) -> None:
    ended = trialsim(*arguments)

    assert (ended.code, ended.out) == (2, "")
    assert hint in ended.err
    assert not Path("results").exists()


@pytest.mark.parametrize("command", ["run", "check"])
def test_every_problem_of_a_scenario_has_a_line_and_nothing_is_written(
    trialsim: Trialsim, command: str
) -> None:
    code, out, err = trialsim(command, "broken.yaml")

    assert (code, out) == (3, "")
    assert all(line.startswith("broken.yaml:") for line in err.splitlines())
    assert len(err.splitlines()) > 1
    assert not Path("results").exists()


def test_problems_fill_no_more_than_a_screen(
    trialsim: Trialsim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINES", "4")

    short, full = trialsim("check", "broken.yaml"), trialsim("check", "broken.yaml", "--verbose")

    assert len(short.err.splitlines()) == 2
    assert short.err.endswith(f"and {len(full.err.splitlines()) - 1} more (--verbose shows all)\n")


def test_an_override_is_judged_like_the_file(trialsim: Trialsim) -> None:
    ended = trialsim("check", "small.yaml", "--set", "design.staff.nurse.people=-1")

    assert (ended.code, ended.out) == (3, "")
    assert "design.staff.nurse.people" in ended.err


def test_a_folder_in_use_is_refused_before_anything_is_simulated(
    trialsim: Trialsim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.experiments.replicate.replicate", _fail)

    ended = trialsim("run", "small.yaml", "--out", ".")

    assert (ended.code, ended.out) == (2, "")


def test_an_internal_fault_shows_its_traceback_only_when_asked(
    trialsim: Trialsim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.experiments.replicate.replicate", _fail)

    short = trialsim("run", "small.yaml")
    long = trialsim("run", "small.yaml", "--verbose")

    assert (short.code, long.code) == (1, 1)
    assert "RuntimeError: boom" in short.err
    assert "To report it, send" in short.err
    assert "Traceback" not in short.err
    assert "Traceback" in long.err


def test_check_says_what_a_scenario_implies(trialsim: Trialsim) -> None:
    code, out, _ = trialsim("check", "small.yaml")

    assert code == 0
    assert out.startswith("small.yaml is sound\n")
    assert "randomised a month" in out
    assert "10 % of active; 10 % of control have left 2 weeks after randomisation" in out
    assert "hours a week, and of full time: nurse 40 (107 %)" in out
    assert "Warnings: 1\n  small.yaml:" in out
    assert len(out.splitlines()) < 25


def test_check_shows_the_file_or_the_assumptions_alone(trialsim: Trialsim) -> None:
    resolved, register = (trialsim("check", "small.yaml", f"--{each}").out for each in SHOWN)

    Path("resolved.yaml").write_text(resolved, encoding="utf-8")
    assert trialsim("check", "resolved.yaml", "--resolved").out == resolved
    assert "assumptions.recruitment.candidates_per_month: 10" in register
    assert "Implied" not in resolved + register


def test_trace_rebuilds_one_replication(trialsim: Trialsim) -> None:
    told = trialsim("trace", "small.yaml", "--replication", "2", "--participant", "0")

    assert told.code == 0
    assert "becomes a candidate" in told.out.splitlines()[0]
    assert told == trialsim("trace", "small.yaml", "--replication", "2", "--participant", "0")


def test_a_participants_story_ends_with_appointments_and_writes_a_calendar(
    trialsim: Trialsim,
) -> None:
    told = trialsim(*FIRST, "--calendar", "first.html").out.splitlines()
    page = Path("first.html").read_text(encoding="utf-8")

    assert told[-1] == "first.html"
    appointments = told[told.index("Appointments") + 1 : -1]
    assert appointments
    assert page.startswith("<!doctype html>")
    assert "Calendar of participant 0" in page


@pytest.mark.pages
def test_report_builds_the_same_page_again(trialsim: Trialsim) -> None:
    trialsim("run", "small.yaml", "--replications", "2", "--jobs", "1", "--out", "here")
    page = Path("here/report.html")
    before = page.read_text(encoding="utf-8")
    page.unlink()

    ended = trialsim("report", "here")

    assert (ended.code, ended.out) == (0, "here\n")
    assert page.read_text(encoding="utf-8") == before


def test_a_new_scenario_is_sound(trialsim: Trialsim) -> None:
    assert trialsim("new", "mine.yaml") == (0, "mine.yaml\n", "")
    assert trialsim("check", "mine.yaml").code == 0


def test_a_scenario_in_this_folder_is_known_by_its_name(trialsim: Trialsim) -> None:
    assert trialsim("check", "small").code == 0


def test_list_names_scenarios_and_finished_runs(trialsim: Trialsim) -> None:
    Path("scenarios").mkdir()
    Path("scenarios/small.yaml").write_text(SMALL, encoding="utf-8")
    Path("scenarios/broken.yaml").write_text(BROKEN, encoding="utf-8")
    finished = trialsim("run", "small.yaml", "--replications", "1", "--jobs", "1", "--quiet").out

    code, out, _ = trialsim("list")

    assert code == 0
    assert "  small: two visits in spring" in out
    assert "  broken: cannot be run" in out
    assert finished.strip() in out
    assert re.search(r"\d+.[A-Z][a-z]+.\d{4}, \d\d:\d\d, run of “two visits in spring”", out)
    assert "    replications: 1, seed: 1" in out


def test_a_scenario_goes_by_its_name(trialsim: Trialsim) -> None:
    Path("scenarios").mkdir()
    Path("scenarios/small.yaml").write_text(SMALL, encoding="utf-8")

    few = ("--replications", "1", "--jobs", "1", "--quiet")
    assert trialsim("run", "small", *few).code == 0
    mistyped = trialsim("run", "smal", *few)
    assert (mistyped.code, mistyped.out) == (2, "")
    assert "no scenario is called smal; did you mean small?" in mistyped.err
    assert "trialsim list" in trialsim("check", "quite_other").err


def test_help_shows_groups_and_examples(trialsim: Trialsim) -> None:
    said = trialsim("--help").out

    assert [said.index(f"\n{title}:\n") for title in GROUPS]
    assert "More:" not in said
    assert "trialsim run baseline" in trialsim("run", "--help").out


def test_a_shell_completes_the_names_of_scenarios(
    trialsim: Trialsim, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {
        "_TRIALSIM_COMPLETE": "bash_complete",
        "COMP_WORDS": "trialsim run full",
        "COMP_CWORD": "2",
    }
    for name, value in asked.items():
        monkeypatch.setenv(name, value)

    assert "full_time_coordinator" in trialsim("").out


@pytest.mark.parametrize(("signalled", "times"), [(signal.SIGINT, 400), (signal.SIGTERM, 1)])
def test_an_interrupted_run_ends_with_130_and_leaves_what_can_go_on(
    tmp_path: Path, signalled: signal.Signals, times: int
) -> None:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    command = [sys.executable, "-m", "sim", "run", "small.yaml", "--replications", "100000"]
    running = subprocess.Popen(
        [*command, "--jobs", "2"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
        stderr=subprocess.PIPE,
        text=True,
    )
    workers = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    while len(workers.read_text("ascii").split()) < 2:
        time.sleep(0.05)
    for _ in range(times):
        running.send_signal(signalled)
        time.sleep(0.002)
    _, err = running.communicate(timeout=30)

    assert running.returncode == 130
    assert "Traceback" not in err
    left = list(tmp_path.glob("results/small/*"))
    assert [f"--resume {each}" in err for each in left] == [each.suffix == ".part" for each in left]


def _fail(*_: object, **__: object) -> None:
    message = "boom"
    raise RuntimeError(message)


def test_open_shows_the_page_that_was_written(
    trialsim: Trialsim, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr("click.launch", shown.append)

    _, out, _ = trialsim("run", "small.yaml", "--replications", "2", "--jobs", "1", "--open")

    assert shown == [str(Path(out.splitlines()[-1]).resolve())]


RATE = "assumptions.recruitment.candidates_per_month"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "small.yaml"], "1,000 replications of small; nothing is written\n"),
        (["compare", "small.yaml", "other.yaml"], "each of 2 scenarios (small, other)"),
        (
            ["sweep", "small.yaml", "--vary", f"{RATE}=1:7:7"],
            "7 points of small, 1,000 replications",
        ),
        (
            ["solve", "small.yaml", "--move", RATE, "--until", "somebody", "--between", "1:9"],
            f"A search of {RATE} between 1 and 9, some 12 steps of up to 1,000 replications",
        ),
    ],
)
def test_a_dry_run_says_what_would_be_done_and_does_not(
    trialsim: Trialsim, arguments: list[str], said: str
) -> None:
    Path("other.yaml").write_text("extends: small.yaml\nscenario: other\n", encoding="utf-8")

    code, out, _ = trialsim(*arguments, "--dry-run", "--jobs", "1")

    assert code == 0
    assert said in out
    assert re.search(r"About [\d,]+ minutes? in 1 process of this machine\n$", out)
    assert not Path("results").exists()
