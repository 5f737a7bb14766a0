"""The methods of a run on its page: every heading, this run’s numbers, how to run it again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim.report.methods import HEADINGS
from sim.report.pages import write_page
from sim.results import folder
from sim.vocabulary.words import words
from tests.command import trialsim
from tests.test_report import SMALL, TINY, html, markup, said

EN = words()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose scenario is not the file: a flag changed it."""
    home = tmp_path_factory.mktemp("methods")
    return made(home, SMALL, "--set", "assumptions.recruitment.consent=0.8")


def made(home: Path, text: str, *flags: str) -> Path:
    (home / "small.yaml").write_text(text, encoding="utf-8")
    how = ("--replications", "20", "--seed", "3", "--keep", "2", "--jobs", "1", "--quiet")
    assert trialsim("run", str(home / "small.yaml"), *flags, *how, "--out", str(home / "out")) == 0
    return home / "out"


def headings(finished: Path) -> dict[str, str]:
    """What the page says under each heading."""
    rows = re.findall(r'<tr class="method"><th[^>]*>(.*?)</th><td>(.*?)</td>', markup(finished))
    return {heading: text.replace("\u00a0", " ") for heading, text in rows}


def test_waves_are_told_with_their_size(tmp_path: Path) -> None:
    waving = "assumptions.recruitment.waves={sd: 0.45, calm: 0.25}"
    said_of_people = headings(made(tmp_path, SMALL, "--set", waving))["Entities"]

    assert "half-normal of scale 0.45; constant with probability 25 %" in said_of_people


def test_every_heading_is_filled_in_its_order(finished: Path) -> None:
    found = headings(finished)

    assert [*found] == [EN(f"stress.{heading}") for heading in HEADINGS]
    assert all(len(text) > 40 for text in found.values())


def test_the_numbers_are_those_of_this_run(finished: Path) -> None:
    found = headings(finished)
    summary = folder.read(finished, "summary.csv").set_index("measure")
    target = folder.read(finished, "targets.csv").iloc[0]
    candidates, rate = "candidates", "candidates_per_month_drawn"
    came, low_rate, high_rate = (
        EN.number(summary[name][measure])
        for measure, name in ((candidates, "mean"), (rate, "p10"), (rate, "p90"))
    )
    chance, low, high = (EN.percent(target[name]) for name in ("probability", "ci_low", "ci_high"))

    assert f"Measures of each simulated trial: {len(summary)} " in found["Purpose"]
    assert f"Twelve: {chance} ({low} to {high})".replace("\u00a0", " ") in found["Purpose"]
    assert f"On average {came} came" in found["Entities"]
    assert f"{low_rate} to {high_rate} a month" in found["Entities"]
    assert "1 January 2024 to 31 March 2025, 456 days" in found["Run length and replications"]
    assert "Replications: 20." in found["Run length and replications"]
    assert "seed 3" in found["Random numbers"]
    assert f"simpy {folder.manifest(finished)['versions']['simpy']}" in found["Software"]


def test_tables_say_who_does_what_for_how_long_and_when(finished: Path) -> None:
    text = said(finished)

    assert "Dose give nurse triangular: low 10, mode 20, high 40" in text
    assert "Dose note (later, at the desk) nurse triangular: low 20, mode 30, high 60" in text
    assert "Month 3 all 85 – – −7 to +7 clinic: assessment" in text
    assert "Nurse role 1 20.0 " in text


def test_the_command_of_the_folder_gives_its_tables_again(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = re.findall("<pre>trialsim (run scenario.yaml .*)</pre>", html(finished))
    monkeypatch.chdir(finished)
    assert trialsim(*commands[0].split(), "--out", "../again", "--quiet") == 0

    for table in finished.glob("*.csv*"):
        assert (finished.parent / "again" / table.name).read_bytes() == table.read_bytes()
    assert Path("scenario.yaml").read_bytes() == Path("../again/scenario.yaml").read_bytes()


def test_the_manifest_stands_on_the_page(finished: Path) -> None:
    manifest = folder.manifest(finished)
    rows = dict(
        re.findall(r'<tr class="written"><th[^>]*>(.*?)</th><td>(.*?)</td>', html(finished))
    )

    for fact in ("scenario_digest", "seed", "replications", "keep", "cores"):
        assert rows[EN(f"provenance.{fact}")] == str(manifest[fact])
    assert {name: rows[name] for name in manifest["versions"]} == manifest["versions"]


def test_a_scenario_of_next_to_nothing_has_methods_too(tmp_path: Path) -> None:
    found = headings(made(tmp_path, TINY))

    assert "the rate counts as known" in found["Entities"]
    assert len(found) == len(HEADINGS)


def test_minimisation_says_its_factors_and_how_firm_it_is(tmp_path: Path) -> None:
    scheme = (
        "{method: minimisation, strata: [sick, {age: [40]}],"
        " minimisation: {probability: 0.75, weights: {age: 2}}}"
    )
    people = "{sick: {probability: 0.3}, age: {family: uniform, low: 20, high: 60}}"
    sets = (f"design.randomisation={scheme}", f"assumptions.patients={people}")
    finished = made(tmp_path, SMALL, *(part for each in sets for part in ("--set", each)))
    logic = headings(finished)["Logic"]

    assert "minimisation (Pocock and Simon 1975) by sick, age (weight 2)" in logic
    assert "(the range of the sizes, divided by the ratio) is given with probability 0.75" in logic
    assert "of minimisation the levels of its factors" in said(finished)


def test_methods_are_spoken_in_chinese(finished: Path) -> None:
    write_page(finished, "zh")
    page = said(finished)
    write_page(finished)

    assert "每月1.5人" in page
    assert "模拟次数：20" in page
