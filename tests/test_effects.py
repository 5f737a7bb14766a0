"""The page of a run that draws all it does not know: what to ask first, by effect alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.experiments.replicate import replicate
from sim.report.effects import effect_lines, effects
from sim.report.pages import read_page, run_page
from sim.report.run import Run
from sim.results import folder
from sim.scenario.schema import Ranged, Scenario
from tests.toys import toy

CONSENT = "assumptions.recruitment.consent"
INERT = "assumptions.screening.valid_for_days"


def trial(**recruitment: object) -> Scenario:
    """Return the toy with numbers that are not known, of which one decides nothing."""
    return toy(
        design={"trial": {"target": 60}},
        assumptions={
            "uncertain": "all",
            "recruitment": {"candidates_per_month": 10, **recruitment},
            "screening": {"valid_for_days": {"value": 40, "range": [20, 200]}},
        },
        targets={"sixty": {"measure": "randomised", "at_least": 60, "with_probability": 0.8}},
    )


def finished(scenario: Scenario, out: Path) -> Run:
    results = replicate(scenario, replications=150, jobs=1, keep=0, seed=3)
    folder.write(
        scenario, lambda: results, command="trialsim run", page=lambda _: None, out=out / "run"
    )
    return Run(out / "run")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    unsure = {"value": 0.5, "range": [0.2, 0.8]}
    return finished(trial(rate_shape=8, consent=unsure), tmp_path_factory.mktemp("run"))


def width(number: Ranged) -> float:
    """How wide a number's range is beside its middle."""
    return (number.high - number.low) / (number.high + number.low)


def register(run: Run) -> tuple[str, list[str]]:
    """Return the words of section 4, and what the register lists in its order."""
    answer = next(each for each in run_page(run.place).answers() if each.key == "register")
    table = answer.more[-1]
    return " ".join(answer.paragraphs), [row.cells[0] for row in table.rows]  # type: ignore[union-attr]


def test_effects_alone_order_the_register_and_what_to_ask_first(run: Run) -> None:
    found = effects(run)
    assert found is not None
    words, listed = register(run)
    names = {path: run.say.capital(run.name(path)) for path in found.by_path}

    assert CONSENT in found.clear
    assert INERT not in found.clear
    assert max(run.scenario.ranged(), key=width).path == INERT
    assert listed[:3] == [*names.values()]
    first = found.clear[0]
    assert f"What to ask first: {run.name(CONSENT)} (" in words.replace("\u00a0", " ")
    assert found.by_path[first].share == max(each.share for each in found.by_path.values())


def test_the_terminal_says_what_the_target_hangs_on(run: Run) -> None:
    lines = [*effect_lines(run)]

    assert lines[0].startswith("What sixty hangs on")
    assert any(run.name(CONSENT) in line for line in lines[1:])
    assert not any(run.name(INERT) in line for line in lines)


def test_the_page_says_what_knowing_all_would_tell(run: Run) -> None:
    for language in ("en", "zh"):
        page = read_page(run.place, language)
        reached = next(each for each in page.answers() if each.key == "reached")
        said = " ".join(reached.paragraphs)
        assert ("Were all the numbers known" if language == "en" else "如果每次模拟试验") in said


def test_where_nothing_is_beyond_luck_the_page_says_so(tmp_path: Path) -> None:
    ranged = {"value": 0.5, "range": [0.4999, 0.5001], "evidence": "data"}
    run = finished(trial(rate_shape=None, consent=ranged), tmp_path)
    found = effects(run)

    assert found is not None
    assert not found.clear
    words, _ = register(run)
    assert "has an effect on “Sixty” that 150 replications can see" in words
    assert "no effect that 150 replications can see" in " ".join(effect_lines(run))
