"""A scenario of one's own: from flags, from a dialogue, from another scenario."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from sim.cli.new import QUESTIONS
from sim.experiments.doubts import doubts
from sim.model.run import run
from sim.scenario.interpret import interpret
from sim.scenario.load import load
from sim.vocabulary.eventlog import Milestone
from sim.vocabulary.words import words
from tests.command import trialsim

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "flags",
    [
        "",
        "--given none",
        "--arms drug,usual --visits weekly:12 --target 60 --opens 2027-03-01 --candidates 20",
        "--arms low,high,placebo --ratio 2:2:1 --given low,high,placebo --visits 1,8,15,29,57",
        "--arms only --visits 1 --country none",
        "--arms a,b,c --given none --visits every_14_days:6 --country GB-ENG --leaves 0",
    ],
)
def test_what_is_written_is_short_sound_undoubted_and_runs(flags: str, language: str) -> None:
    assert trialsim("new", "mine.yaml", *flags.split(), "--lang", language) == 0

    scenario = load("mine.yaml")
    protocol = interpret(scenario)
    held = {each.milestone for number in range(1, 4) for each in run(protocol, 1, number).moments}
    assert len(Path("mine.yaml").read_text("utf-8").splitlines()) <= 80
    assert not list(doubts(scenario, protocol))
    assert {Milestone.RANDOMISED, Milestone.COMPLETED} <= held
    assert (Milestone.DOSE in held) is bool(scenario.design.products)
    assert Path("scenario.schema.json").is_file()


def test_answers_stand_where_they_belong() -> None:
    flags = "--arms 一。 --visits 1,8"
    assert trialsim("new", "mine.yaml", *flags.split()) == 2
    flags = "--title 甲 --arms a、b --ratio 2：1 --visits 1,8 --opens 2027-03-01 --consent 0.5"
    assert trialsim("new", "mine.yaml", *flags.split()) == 0

    scenario = load("mine.yaml")
    assert scenario.title == "甲"
    assert scenario.design.randomisation.ratio == {"a": 2, "b": 1}
    assert scenario.design.schedule["study_visits"].days == (1, 8)
    assert scenario.assumptions.recruitment.consent == 0.5
    assert scenario.assumptions.recruitment.consent.range == (0.33, 0.67)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--arms a,a", "--arms: each name stands once"),
        ("--arms a,2b", "--arms: '2b' is no name"),
        ("--given other", "--given: other is no arm; the arms are drug, usual_care"),
        ("--ratio 1:1:1", "--ratio: participants for each of 2 arms, as in 1:1"),
        ("--visits daily", "--visits: weekly:12, every_14_days:6, or their days"),
        ("--visits 1,8,8", "--visits: weekly:12"),
        ("--visits 2,8", "--visits: weekly:12"),
        ("--opens 2027-02-30", "--opens: a day, as 2027-03-01"),
        ("--country GB-EN", "did you mean GB-ENG?"),
        ("--target 0", "--target: a whole number from 1 to 5,000"),
        ("--consent 60%", "--consent: a number from 0 to 1"),
        ("--like baseline --target 3", "--like copies a scenario as it is"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_by_its_flag(
    flags: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trialsim("new", "mine.yaml", *flags.split()) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not Path("mine.yaml").exists()


def test_a_copy_is_the_scenario_itself() -> None:
    assert trialsim("new", "lupus.yaml", "--like", "baseline") == 0
    assert trialsim("new", "other.yaml", "--like", "il2_at_home") == 0

    assert load("lupus.yaml") == load(ROOT / "scenarios" / "baseline.yaml")
    assert load("other.yaml") == load(ROOT / "scenarios" / "il2_at_home.yaml")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_in_a_terminal_every_question_is_asked_in_words(tmp_path: Path, language: str) -> None:
    """What cannot be is asked again; an empty line takes what is offered."""
    outer, inner = pty.openpty()
    typed = {"arms": "a,b", "ratio": "1:1:1\n2:1", "target": "12"}
    os.write(outer, "".join(f"{typed.get(name, '')}\n" for name in QUESTIONS).encode())
    done = subprocess.run(
        [sys.executable, "-m", "sim", "new", str(tmp_path / "mine.yaml"), "--lang", language],
        stdin=inner,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=60,
        check=True,
        text=True,
    )
    os.close(inner)
    os.close(outer)

    scenario, say = load(tmp_path / "mine.yaml"), words(language)
    asked = [done.stdout.count(say(f"new.asks_{name}")) for name in QUESTIONS]
    assert asked == [2 if name == "ratio" else 1 for name in QUESTIONS]
    assert scenario.design.randomisation.ratio == {"a": 2, "b": 1}
    assert scenario.design.trial.target == 12
    assert scenario.assumptions.recruitment.consent.source == say("new.guess")
