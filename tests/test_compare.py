"""Scenarios side by side: the pairs, the folder, the page."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.model.run import run
from sim.report import changes as changing
from sim.report import compare as comparing
from sim.results import folder, pairs
from sim.results.measures import measure
from sim.results.root import latest
from sim.scenario.interpret import interpret
from sim.scenario.load import load, shipped
from sim.vocabulary.intervals import Interval, of_mean
from sim.vocabulary.words import words
from tests.command import trialsim

pytestmark = pytest.mark.usefixtures("blank_pages")

SMALL = (Path(__file__).parent / "small.yaml").read_text(encoding="utf-8")
OTHER = """
extends: small.yaml
scenario: busier
title: "more <b>candidates</b>"
assumptions: {recruitment: {candidates_per_month: 20}}
"""
AT_MOST_A_FIFTH = 5
"""The least ratio of the unpaired to the paired variance."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with two scenarios, the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL, encoding="utf-8")
    Path("busier.yaml").write_text(OTHER, encoding="utf-8")
    return tmp_path


def compare(*more: str) -> int:
    how = ("--replications", "12", "--jobs", "1", "--quiet", "--keep", "1")
    return trialsim("compare", "small.yaml", "busier.yaml", *how, *more)


def test_pairs_are_compared_replication_by_replication() -> None:
    one = pd.DataFrame(
        {"replication": [1, 2, 3, 4], "draw": math.nan, "left": [1.0, 2.0, 3.0, 4.0]}
    )
    other = pd.DataFrame(
        {"replication": [1, 2, 3, 4], "draw": math.nan, "left": [2.0, 2.0, 5.0, 3.0]}
    )

    (row,) = pairs.differences({"one": one, "other": other}).to_dict("records")

    apart = np.array([1.0, 0.0, 2.0, -1.0])
    assert (row["measure"], row["scenario"]) == ("left", "other")
    assert (row["baseline_mean"], row["difference"], row["chance_higher"]) == (2.5, 0.5, 0.5)
    assert (row["ci_low"], row["ci_high"]) == of_mean(apart)
    assert row["variance_ratio"] == pytest.approx((5 / 3 + 2) / apart.var(ddof=1))


def test_never_is_higher_than_every_day_and_blanks_are_no_pairs() -> None:
    one = pd.DataFrame({"draw": math.nan, "day_of_target": [5.0, "never", "never", math.nan]})
    other = pd.DataFrame({"draw": math.nan, "day_of_target": ["never", 7.0, "never", 9.0]})

    (row,) = pairs.differences({"one": one, "other": other}).to_dict("records")

    assert row["chance_higher"] == pytest.approx(1 / 3)
    assert all(math.isnan(row[name]) for name in ("baseline_mean", "difference", "variance_ratio"))


@pytest.mark.slow
def test_the_same_people_come_under_another_roster() -> None:
    runs = {}
    for name in ("baseline", "full_time_coordinator"):
        protocol = interpret(load(shipped() / f"{name}.yaml"))
        found = [measure(run(protocol, seed=1, replication=n), protocol) for n in range(1, 31)]
        runs[name] = pd.DataFrame(found).assign(draw=protocol.draws.of(30))

    ratio = pairs.differences(runs).set_index("measure")["variance_ratio"]

    assert ratio["randomised"] >= AT_MOST_A_FIFTH
    assert ratio["coordinator_asked_hours_busiest_week"] >= AT_MOST_A_FIFTH


@pytest.mark.usefixtures("home")
def test_the_folder_holds_the_runs_whole_and_what_lies_between_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert compare() == 0

    finished = Path(capsys.readouterr().out.strip())
    assert finished.parent == Path("results/compare")
    assert folder.manifest(finished)["scenarios"] == ["small", "busier"]
    for name in ("small", "busier"):
        assert (finished / name / "report.html").is_file()
    table = folder.read(finished, "compare.csv").set_index("measure")
    means = [
        folder.read(finished / name, "replications.csv")["randomised"].mean()
        for name in ("small", "busier")
    ]
    assert table.loc["randomised", "baseline_mean"] == pytest.approx(means[0], abs=1e-6)
    assert table.loc["randomised", "difference"] == pytest.approx(means[1] - means[0], abs=1e-6)
    assert latest() == finished


@pytest.mark.slow
@pytest.mark.usefixtures("home")
@pytest.mark.pages
def test_finished_runs_are_put_side_by_side_without_simulating() -> None:
    compare("--out", "both")
    tables = [*Path("both").rglob("*.csv")]
    assert trialsim("report", "both/small", "both/busier", "--out", "again") == 0

    for path in tables:
        assert (Path("again") / path.relative_to("both")).read_bytes() == path.read_bytes()
    page = Path("again/report.html").read_text(encoding="utf-8")
    assert trialsim("report", "again") == 0
    assert Path("again/report.html").read_text(encoding="utf-8") == page


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "small.yaml"], "name two scenarios or more"),
        (["compare", "small.yaml", "small.yaml"], "two scenarios are called small"),
        (["compare", "small.yaml", "busier.yaml", "--replications", "auto"], "auto"),
        (["report"], "name a folder or more"),
        (["report", "small", "--out", "there"], "not the folder of a finished run"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert trialsim(*arguments) == 2

    assert said in capsys.readouterr().err
    assert not Path("results").exists()


@pytest.mark.usefixtures("home")
def test_runs_of_other_people_are_not_paired(capsys: pytest.CaptureFixture[str]) -> None:
    for scenario, seed in (("small", "1"), ("busier", "2")):
        how = ("--replications", "2", "--jobs", "1", "--seed", seed, "--out", scenario)
        trialsim("run", f"{scenario}.yaml", *how)

    assert trialsim("report", "small", "busier") == 2

    assert "not the same seed" in capsys.readouterr().err
    assert not [*Path("results").rglob("*.html")]


@pytest.mark.usefixtures("home")
def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    how = ("--replications", "3", "--jobs", "1", "--json")
    assert trialsim("compare", "small.yaml", "busier.yaml", *how) == 0

    said = json.loads(capsys.readouterr().out)
    assert set(said) == {"folder", "scenarios", "differences"}
    assert list(said["scenarios"]) == ["small", "busier"]


@pytest.mark.usefixtures("home")
@pytest.mark.pages
def test_the_page_names_what_differs_and_shows_the_table_s_figures() -> None:
    compare("--out", "both")

    html = Path("both/report.html").read_text(encoding="utf-8")
    text = html[html.index("<main") :]
    assert ">Candidates per month</th>" in text
    assert ">Closing date</th>" not in text
    table = folder.read(Path("both"), "compare.csv").set_index("measure")
    row: Any = table.loc["randomised"]
    difference, low, high = row["difference"], row["ci_low"], row["ci_high"]
    written = words().estimate(difference, low, high)
    assert difference > 0
    assert f"+{written[0]}" in text
    assert words().span(*written[1:]) in text
    drawn = {
        name: chart for name, _, chart in comparing.comparison_page(Path("both"), "en").charts()
    }
    held = drawn["differences-1"].to_dict()["datasets"].values()
    dots = [each for rows in held for each in rows if "label" in each]
    # Fewer trips are better: a dot has its better side to the right.
    trips: Any = table.loc["site_trips"]
    summary = folder.read(Path("both/small"), "summary.csv").set_index("measure")
    sd = summary.loc["site_trips", "sd"]
    dot, *_ = [each for each in dots if each["label"].startswith("trips to the site (")]
    assert dot["value"] * sd == pytest.approx(-trips["difference"])
    assert [dot["low"] * sd, dot["high"] * sd] == pytest.approx(
        [-trips["ci_high"], -trips["ci_low"]]
    )
    assert "more &lt;b&gt;candidates&lt;/b&gt;" in text
    assert "<b>candidates" not in text


def test_an_entry_that_only_some_scenarios_have_is_one_row_of_the_page() -> None:
    baseline = {"design.target": "40", "design.schedule.dose.day": "1"}
    training = {"design.schedule.training.day": "1", "design.schedule.training.times": "2"}
    other = {**baseline, "design.target": "20", **training}
    rows = comparing.unlike([baseline, other], [str, str], words())

    assert [row.cells for row in rows] == [
        ["Design.target", "40", "20"],
        ["Design.schedule.training", "–", "there"],
    ]


QUICK = """
extends: small.yaml
scenario: quick
targets: {nobody_waits: {measure: nurse_hours, at_most: 3, with_probability: 0.5}}
"""


@pytest.mark.parametrize(
    ("tasks", "sentence"),
    [
        (
            "{assess: 0, read_chart: 0, draw_blood: 0}",
            "Less: nobody waits in 100 % of trials instead of 0 %; no clear difference in somebody",
        ),
        ("{assess: 30}", "Less: no clear difference in somebody, nobody waits"),
    ],
    ids=["one target differs", "no target differs"],
)
def test_the_headline_is_the_largest_change_of_a_target(
    home: Path, tasks: str, sentence: str
) -> None:
    Path("quick.yaml").write_text(QUICK, encoding="utf-8")
    Path("less.yaml").write_text(
        f"{QUICK.replace('small.yaml', 'quick.yaml').replace('scenario: quick', 'scenario: less')}"
        f"assumptions: {{durations_minutes: {tasks}}}",
        encoding="utf-8",
    )
    few = ("--replications", "20", "--jobs", "1", "--quiet", "--out", "two")
    assert trialsim("compare", "quick.yaml", "less.yaml", *few) == 0

    page = comparing.comparison_page(home / "two", "en")
    assert page.verdict.replace("\u202f", " ").replace("\u00a0", " ") == sentence


def test_the_scenario_of_the_largest_change_comes_first_and_targets_by_their_size() -> None:
    change, sure = changing.Change, Interval(0.1, 0.4)
    unsure = Interval(-0.1, 0.6)
    changes = [
        change("somebody", "one", 0.2, 0.7, unsure),
        change("everybody", "one", 0.2, 0.4, sure),
        change("somebody", "two", 0.2, 0.5, sure),
        change("everybody", "two", 0.2, 0.6, sure),
    ]

    first, second = changing.told(changes, words())
    assert first.startswith("Two: everybody in 60")
    assert "; somebody in 50" in first
    assert second.startswith("One: everybody in 40")
    assert second.endswith("difference in somebody")
