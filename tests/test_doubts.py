"""What is doubtful in a scenario is said, with its place, and stops nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim import load, run
from sim.experiments.doubts import doubts, located_doubts
from sim.scenario.interpret import interpret
from sim.scenario.load import Problem, located, shipped
from sim.vocabulary.words import LANGUAGES, words
from tests.command import trialsim

SMALL = Path(__file__).parent / "small.yaml"
DISRUPTIONS = "assumptions.recruitment.disruptions"
AGE = "assumptions.patients.age"
FIRST = "assumptions.to_first_dose_days"
AT_MOST_TEN = "{family: uniform, low: 0, high: 10}"
DONE = "targets.done.at_least"
ALL_OF_THEM = "targets.somebody.at_least=4"


def doubtful(path: Path, *overrides: str) -> list[Problem]:
    scenario, document = located(path, overrides)
    return located_doubts(scenario, interpret(scenario), document, words())


def found(*overrides: str) -> dict[str, str]:
    """Return what is doubtful in the small scenario, by the path of the entry."""
    problems = doubtful(SMALL, ALL_OF_THEM, *overrides)
    return {each.path: f"{each.what}; {each.did_you_mean}" for each in problems}


@pytest.mark.parametrize("path", sorted(shipped().glob("*.yaml")), ids=lambda path: path.stem)
def test_nothing_is_doubtful_in_a_scenario_that_is_shipped(path: Path) -> None:
    assert not doubtful(path)


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("design.visits.screening_vist=[read_chart]", "screening_visit"),
        ("design.staff.nurs={people: 1}", "nurse"),
        ("design.rooms.bed={spaces: 1}", ""),
        ("design.places.clinik={country: none}", "clinic"),
        ("design.products.tablet={dose: 1}", "tablets"),
        ("design.unscheduled.fall={at: {clinic: assessment}}", ""),
        ("assumptions.patients.agee={family: normal, mean: 40, sd: 12}", "age"),
    ],
)
def test_a_name_that_nothing_uses_is_doubtful(override: str, meant: str) -> None:
    path = override.partition("=")[0]
    said = found(override)

    assert list(said) == [path]
    assert (f"did you mean {meant}?" in said[path]) == bool(meant)


@pytest.mark.parametrize(
    ("overrides", "paths", "text"),
    [
        (
            ["design.places.clinic.days=[]"],
            ["visits.screening_visit", "schedule.start.at", "schedule.end.at"],
            "no day from 1 March 2023",
        ),
        (
            ["design.staff.nurse.changes=[{from: 2023-05-01, people: 0}]"],
            [f"visits.{name}" for name in ("chart_review", "screening_visit", "eligibility_call")]
            + ["schedule.start.at", "schedule.end.at"],
            "the last day possible for this is 28 April 2023",
        ),
        (
            ["design.schedule.end.at={clinic: null, far: assessment}",
             "design.places.far={closures: [{from: 2023-05-01, to: 2023-06-30}]}"],
            ["schedule.end.at"],
            "the last day possible for this is 28 April 2023",
        ),
        (["design.places.clinic.closures=[{from: 2023-06-05, to: 2023-06-30}]"], [], ""),
    ],
    ids=["never open", "the nurse goes", "a place shuts", "a break of weeks"],
)  # fmt: skip
def test_a_visit_with_no_possible_day_any_more_is_doubtful(
    overrides: list[str], paths: list[str], text: str
) -> None:
    said = found(*overrides)

    assert set(said) == {f"design.{path}" for path in paths}
    assert all(text in each.replace("\u00a0", " ") for each in said.values())


def test_a_country_alone_is_doubtful_if_its_regions_have_days_off_of_their_own() -> None:
    path = "design.places.clinic.country"

    assert "have 2 to 4 more a year; name the region, as in GB-ENG" in found(f"{path}=GB")[path]
    assert not found(f"{path}=GB-ENG")
    assert not found(f"{path}=CN")


def test_a_task_that_has_to_have_a_duration_is_not_used_by_it() -> None:
    task, minutes = "design.tasks.asess=[nurse]", "assumptions.durations_minutes.asess=30"

    assert "did you mean assess?" in found(task, minutes)["design.tasks.asess"]


def test_what_an_idle_visit_asks_for_is_not_idle_itself() -> None:
    assert list(
        found(
            "design.visits.spare=[weigh]",
            "design.tasks.weigh=[nurse]",
            "assumptions.durations_minutes.weigh=5",
        )
    ) == ["design.visits.spare"]


def test_a_visit_whose_attendance_is_known_waits_for_a_variant() -> None:
    assert not found("design.visits.spare=[assess]", "assumptions.attendance.spare={missed: 0.1}")


@pytest.mark.parametrize(
    ("overrides", "path"),
    [
        (["targets.somebody.at_least=3"], "targets.somebody.at_least"),
        (["targets.somebody.at_least=5"], "targets.somebody.at_least"),
        (["targets.done={measure: completed, at_least: 5, with_probability: 0.5}"], DONE),
        (["design.places.clinic.closures=[2023-02-28]"], "design.places.clinic.closures[0].from"),
        (
            ["design.staff.nurse.changes=[{from: 2023-07-01, people: 2}]"],
            "design.staff.nurse.changes[0].from",
        ),
        (["design.staff.nurse.away=[2023-07-01]"], "design.staff.nurse.away[0].from"),
        (
            [
                f"{DISRUPTIONS}={{late: {{from: 2023-06-01, to: 2023-06-30, times: 0}}}}",
            ],
            f"{DISRUPTIONS}.late.from",
        ),
        (["assumptions.durations_minutes.assess=0.25"], "assumptions.durations_minutes.assess"),
        (["assumptions.durations_minutes.assess=1441"], "assumptions.durations_minutes.assess"),
        (
            ["assumptions.recruitment.candidates_per_month=31"],
            "assumptions.recruitment.candidates_per_month",
        ),
        (["assumptions.screening={lab_days: 92}"], "design.trial.recruits_until"),
        (["design.trial.target=400", "targets=null"], "design.trial.target"),
        (["assumptions.patients.age={family: uniform, low: 500, high: 600}"], AGE),
        (["assumptions.patients.age=-5"], AGE),
        (["assumptions.patients.weight_kg=0.1"], "assumptions.patients.weight_kg"),
        (
            ["design.arms.active.title=Drug", "design.arms.control.title=Drug"],
            "design.arms.control.title",
        ),
        (
            ["design.schedule.end.from=leaving", "assumptions.leaving={}"],
            "design.schedule.end.from",
        ),
        (
            ["design.schedule.end.from=last_dose"],
            "design.schedule.end.from",
        ),
        (
            ["design.schedule.end.day=-4", f"{FIRST}={{active: 5, control: {AT_MOST_TEN}}}"],
            "design.schedule.end",
        ),
    ],
)
def test_what_is_rarely_meant_is_doubtful(overrides: list[str], path: str) -> None:
    assert path in found(*overrides)


@pytest.mark.parametrize(
    "override",
    [
        "design.places.clinic.closures=[2023-03-01]",
        "design.staff.nurse.changes=[{from: 2023-06-30, people: 2}]",
        "design.staff.nurse.changes=[{from: 2023-01-01, people: 2}]",
        f"{DISRUPTIONS}={{late: {{from: 2023-05-31, to: 2023-06-30, times: 0}}}}",
        "assumptions.durations_minutes.assess=0",
        "assumptions.durations_minutes.assess=1",
        "assumptions.recruitment.candidates_per_month=30",
        "assumptions.screening={lab_days: 60}",
        "assumptions.patients.age={family: normal, mean: 90, sd: 30}",
        "targets.done={measure: completed, at_least: 3, with_probability: 0.5}",
        "targets.fewer={measure: randomised, at_least: 3, with_probability: 0.9}",
        "design.trial.target=none",
    ],
)
def test_what_may_well_be_meant_is_not_doubtful(override: str) -> None:
    assert not found(override)


def test_the_expected_number_stands_in_words() -> None:
    said = found("design.trial.target=400", "targets=null")["design.trial.target"]

    assert said.startswith("30 of 400 are expected by 31\u00a0May\u00a02023")


@pytest.mark.parametrize(
    ("child", "paths"),
    [
        ("scenario: child\ntitle: a variant\ndesign: {trial: {target: 4}}", []),
        ("scenario: child\ntitle: moved\ndesign: {trial: {site: here}}", ["registry_id"]),
        ("title: moved\ndesign: {trial: {site: here, registry_id: NCT1}}", []),
        ("scenario: child", ["title"]),
    ],
)
def test_what_is_inherited_from_another_trial_is_doubtful(
    tmp_path: Path, child: str, paths: list[str]
) -> None:
    registered = "trial: {registry_id: NCT0, site: there, opens"
    parent = SMALL.read_text(encoding="utf-8").replace("trial: {opens", registered)
    parent = parent.replace("at_least: 1", "at_least: 4")
    (tmp_path / "parent.yaml").write_text(parent)
    (tmp_path / "child.yaml").write_text(f"extends: parent.yaml\n{child}\n")

    problems = doubtful(tmp_path / "child.yaml")

    assert [each.path.rpartition(".")[2] for each in problems] == paths
    assert all(Path(each.file).name == "parent.yaml" for each in problems)


def test_check_and_run_say_it_and_do_not_stop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = f"{SMALL}:27:35: targets.somebody.at_least: this asks for 1, and 4 are to be"
    once = ("--replications", "1", "--jobs", "1")

    assert trialsim("check", str(SMALL)) == 0
    assert f"Warnings: 1\n  {said}" in capsys.readouterr().out
    assert trialsim("run", str(SMALL), *once, "--out", str(tmp_path / "run")) == 0
    assert f"warning: {said}" in capsys.readouterr().err


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_it_in_its_language(tmp_path: Path, language: str) -> None:
    place = run(load(SMALL), replications=1, jobs=1, out=tmp_path / "run", language=language).place
    page = (place / "report.html").read_text(encoding="utf-8")
    (doubt,) = doubts(load(SMALL), interpret(load(SMALL)))

    assert f'<section id="warnings">\n<h2>{words(language)("warning.title")}</h2>' in page
    name = {"en": "Somebody · at least: ", "zh": "Somebody · 至少："}[language]
    assert name + doubt.text(words(language)) in page


def test_a_sound_scenario_has_no_warnings_on_its_page(tmp_path: Path) -> None:
    sound = load(SMALL, [ALL_OF_THEM])
    page = run(sound, replications=1, jobs=1, out=tmp_path / "run").place / "report.html"

    assert 'id="warnings"' not in page.read_text(encoding="utf-8")
