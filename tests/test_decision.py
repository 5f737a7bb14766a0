"""The box on top of a run's page: every verdict, in few words, missed targets first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim.experiments.replicate import replicate
from sim.report.pages import run_page
from sim.report.run import Run
from sim.results import folder
from sim.scenario.load import load
from sim.vocabulary.words import LANGUAGES
from tests.test_report import SMALL

MOST_WORDS = 120
SIGNS_A_WORD = 1.6
"""Chinese has no spaces; a text of it has so many signs for each word of its English one."""

TARGETS = """
targets:
  anybody: {measure: randomised, at_least: 1, with_probability: 0.5}
  a_hundred: {measure: randomised, at_least: 100, with_probability: 0.8}
  twelve: {measure: randomised, at_least: 12, with_probability: 0.35}
  desk_keeps_up: {measure: desk_backlog_peak_hours, at_most: 0.1, with_probability: 0.9}
"""
BUSY = re.sub(r"targets: .*", TARGETS, SMALL).replace("note: [20, 30, 60]", "note: 6000")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that misses a target, with enough replications for effects."""
    home = tmp_path_factory.mktemp("decision")
    (home / "small.yaml").write_text(BUSY, encoding="utf-8")
    scenario = load(home / "small.yaml")
    results = replicate(scenario, replications=150, jobs=1, keep=0)
    typed = (
        "trialsim run here/small.yaml --replications 150 --set 'title=two words' "
        "--set=design.trial.site=Here --uncertain rate --quiet"
    )
    return folder.write(
        scenario, lambda: results, command=typed, page=lambda _: None, out=home / "run"
    )


def box_of(page: str) -> str:
    box = page.partition('<div class="box">')[2].partition("</div>\n<nav")[0]
    text = re.sub(r"<[^>]+>", " ", box.partition("</header>")[0])
    return " ".join(text.replace("\u00a0", " ").split())


def words_in(text: str) -> float:
    """How many words a text has; signs of Chinese count as parts of words."""
    signs = re.findall("[\u4e00-\u9fff]", text)
    others = re.findall(r"\w\S*", re.sub("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]", " ", text))
    return len(others) + len(signs) / SIGNS_A_WORD


def begins_well(text: str) -> bool:
    """Whether every sentence of a text begins with a capital or a figure, perhaps in quotes."""
    return not re.search(r"(^|[.!?。] ?)[“(]?[a-z]", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_box_has_every_verdict_in_at_most_120_words(finished: Path, language: str) -> None:
    page = run_page(finished, language)._replace(answers=list)
    targets = folder.read(finished, "targets.csv")
    box = box_of(page.html())

    assert 20 < words_in(box) <= MOST_WORDS
    verdicts = [card.verdict.replace("\u00a0", " ") for card in page.box.cards]
    assert [verdict in box for verdict in verdicts] == [True] * len(targets)
    assert len(page.box.facts) == 4
    assert all(fact.term in box for fact in page.box.facts)
    assert [fact.said for fact in page.box.facts if not begins_well(fact.said)] == []


def test_missed_targets_come_first_and_count_in_the_headline(finished: Path) -> None:
    page, targets = run_page(finished), folder.read(finished, "targets.csv")
    kinds = [card.kind for card in page.box.cards]

    assert kinds == sorted(targets["verdict"], key=["missed", "undecided", "met"].index)
    assert kinds[0] == "missed"
    assert kinds[-1] == "met"
    assert page.verdict == f"{kinds.count('missed')} of 4 targets missed"
    assert "✗" in page.box.cards[0].verdict
    assert "✓" in page.box.cards[-1].verdict


def test_why_names_the_assumption_and_the_role_that_matter_most(finished: Path) -> None:
    why, what_helps, when, _ = run_page(finished).box.facts
    waiting = Run(finished).mean("desk_backlog_peak_hours")

    assert "candidates per month" in why.said
    hours = re.search(r"(\d+) hours of desk work wait for the nurse", why.said)
    assert hours
    assert 0 < int(hours[1]) <= waiting + 1
    assert what_helps.typed == (
        "trialsim solve here/small.yaml --set 'title=two words' "
        "--set design.trial.site=Here --uncertain rate "
        "--move assumptions.recruitment.candidates_per_month --until twelve"
    )
    assert when.said.startswith("After six months: ")
