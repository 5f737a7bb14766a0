"""Scenarios that are not sound: each ends in a message for its author, and in nothing else."""

from __future__ import annotations

import os
import re
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sim.scenario.interpret import interpret
from sim.scenario.load import ScenarioError, UnreadableFile, load, shipped
from sim.scenario.yaml_source import read_yaml
from tests.mutants import edit, flow, paths
from tests.toys import TOY

BASELINE = shipped() / "baseline.yaml"
TEXT = BASELINE.read_text(encoding="utf-8")
DATA = read_yaml(BASELINE).data
LONGEST = 400
NOTHING_GIVEN = "gives: [], day: 1, at: {clinic: assessment}"
ON_MAY_DAY = "{from: 2023-05-01, hours: 9}"

bounded = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def problems_of(path: Path, *overrides: str) -> list[str]:
    with pytest.raises(ScenarioError) as refused:
        load(path, overrides)
    return [str(problem) for problem in refused.value.problems]


def problems_in(folder: Path, text: str | bytes) -> list[str]:
    path = folder / "bad.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return problems_of(path)


def problem_with(*overrides: str) -> str:
    problems = problems_of(BASELINE, *overrides)

    assert len(problems) == 1, problems
    return problems[0]


# What cannot be opened


@pytest.mark.parametrize(
    "name", ["missing.yaml", "folder", "folder/missing.yaml", "\0", "x" * 5000]
)
def test_a_path_that_is_no_file_is_not_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnreadableFile) as refused:
        load(tmp_path / name)

    assert len(str(refused.value)) < LONGEST


def test_a_file_without_leave_to_read_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "secret.yaml"
    path.touch()
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UnreadableFile, match="Permission denied"):
        load(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableFile, match="is not a file"):
        load(tmp_path / "pipe")


# What is not plain YAML


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (b"", "the file is empty"),
        (b"# only a comment\n", "the file is empty"),
        (b"\xff\xfe\x00\x01", "the file is not text"),
        ("title: ä".encode("utf-16"), "the file is not text"),
        (b"a: \x00\x07", "characters that are not text"),
        (b"a: 1 # " + b"x" * 1_000_000, "the file is too large"),
        (b"just words", "this is not a scenario"),
        (b"- a\n- b", "this is not a scenario"),
        (b"a: [1, 2", "not YAML"),
        (b"a: b: c", "not YAML"),
        (b"a: 1\n\tb: 2", "a tab; allowed: spaces alone"),
        (b"%YAML 1.1\n---\na: 1", "a directive"),
        (b"a: 1\n---\nb: 2", "a second document"),
        (b"? [a, b]\n: 1", "a key that is not a word"),
        (b"? {a: 1}\n: 1", "a key that is not a word"),
        (b"a: !!python/object/apply:os.system ['true']", "a tag"),
        (b"a: !include other.yaml", "a tag"),
        (b"a: 2024-02-30", "2024-02-30 is no date"),
        (b"a: 2024-13-01", "2024-13-01 is no date"),
        (b"[" * 900_000, "nested too deeply"),
        (b"{a: " * 5_000, "nested too deeply"),
        (b"- " * 5_000, "nested too deeply"),
        (b"? " * 1_500, "nested too deeply"),
        (b"? {" * 1_500, "nested too deeply"),
    ],
)
def test_what_is_not_plain_yaml_is_refused(tmp_path: Path, text: bytes, wrong: str) -> None:
    problems = problems_in(tmp_path, text)

    assert len(problems) == 1
    assert wrong in problems[0]
    assert len(problems[0]) < LONGEST


def test_an_anchor_and_its_alias_are_both_refused(tmp_path: Path) -> None:
    problems = problems_in(tmp_path, "a: &x 1\nb: *x\n")

    assert ["anchor" in problem or "alias" in problem for problem in problems] == [True, True]


def test_a_bomb_of_aliases_is_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    started = time.perf_counter()
    problems_in(tmp_path, "\n".join(lines))

    assert time.perf_counter() - started < 2


def test_a_key_written_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    problems = problems_in(tmp_path, "scenario: a\ntitle: x\ntitle: y\n")

    assert problems == [
        f"{tmp_path}/bad.yaml:3:1: title: written twice, first on line 2; allowed: each key once"
    ]


def test_a_key_written_twice_deep_inside_is_refused(tmp_path: Path) -> None:
    (problem,) = problems_in(tmp_path, TEXT.replace("sd: 9.5,", "sd: 9.5, sd: 9,"))

    assert "assumptions.patients.age.sd: written twice" in problem


# Keys and types


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("design.trail.target=3", "design.trail: unknown key; allowed: trial, places, booking, "),
        ("design.trial.opened=2022-10-01", "did you mean opens?"),
        ("assumptions.recruitment.consent.vlaue=0.5", "did you mean value?"),
        (
            "design.schedule.injctions.window_days=[0, 0]",
            "at is missing; allowed: Places in order of preference, each with",
        ),
        (
            "design.schedule.week_2.day=null",
            "nothing says on which day it is planned; allowed: day: 1, or days: [1, 8, 15]",
        ),
        ("design.trial.target=forty", "design.trial.target: 'forty' is not a whole number"),
        ("design.trial.target='40'", "'40' is not a whole number"),
        ("design.trial.target=40.5", "40.5 is not a whole number"),
        ("design.trial.target=true", "true is not a whole number"),
        ("design.trial.target=0", "0 is too small; allowed: 1 or more"),
        ("design.trial.target=[40]", "a list is not a whole number"),
        ("design.trial.closes=31.12.2025", "'31.12.2025' is not a date"),
        ("design.trial.closes=2025", "2025 is not a date"),
        ("design.trial.when_full=turn_way", "allowed: finish_screening or turn_away; did you mean"),
        ("design.places.clinic.days=mon-fri", "'mon-fri' is not a list"),
        ("design.places.clinic.days=[monday]", "'monday' is not known here"),
        ("design.places.clinic.country=China", "no public holidays are known"),
        ("design.places.clinic.country=gb", "a region's such as GB-ENG; did you mean GB?"),
        (
            "design.places.clinic.country=GB-England",
            "one of GB-ENG, GB-NIR, GB-SCT, GB-WLS; did you mean GB-ENG?",
        ),
        ("design.places.clinic.country=TW-1", "'TW-1' is no region of TW; allowed: TW alone"),
        ("design.staff.nurse.people=many", "neither a number nor the word unlimited"),
        ("design.staff.nurse.people=-1", "-1 is too small"),
        ("design.staff.nurse.hours=weekdays", "these are not hours"),
        ("design.staff.nurse.hours=true", "these are not hours"),
        ("design.staff.nurse.hours=-1", "-1 is too small; allowed: 0 or more"),
        ("design.staff.nurse.hours=61", "61 is too large; allowed: 60 or less"),
        ("design.staff.nurse.hours=.inf", "is not finite"),
        ("design.staff.nurse.hours={value: 20, range: [30, 40]}", "does not contain the value 20"),
        ("design.staff.nurse.hours={value: 20, mon: '08:00-12:00'}", "mon: unknown key"),
        ("design.staff.nurse.hours={mon: 8-12}", "'8-12' are not hours"),
        ("design.staff.nurse.hours={mon: '12:00-12:00'}", "are not hours"),
        (
            "design.staff.nurse.hours={mon-fri: '22:00-06:00, 05:00-05:30'}",
            "the night of mon runs into the hours of tue; allowed: hours that do not overlap",
        ),
        ("design.staff.nurse.hours={mon: '08:00-25:00'}", "are not hours"),
        ("design.staff.nurse.hours={mon: '08:00-12:00, 11:00-13:00'}", "are not hours"),
        ("design.staff.nurse.hours={weekend: '08:00-12:00'}", "'weekend' is not a day"),
        ("design.staff.nurse.hours={mon: '08:00-12:00', mon-tue: '08:00-12:00'}", "named twice"),
        ("design.staff.nurse.away=2023-05-01", "is not a list"),
        ("design.staff.nurse.away=[May]", "'May' is not a mapping"),
        ("design.staff.nurse.away=[{from: 2023-05-01}]", "to is missing"),
        ("design.staff.nurse.away=[{from: 2023-05-02, to: 2023-05-01}]", "before its beginning"),
        ("design.staff.nurse.away=[{from: 2023-05-01, to: 2023-05-01, people: 0}]", "too small"),
        ("design.rooms.infusion_bed.closures=[{from: 2023-05-02, to: 2023-05-01}]", "before its"),
        ("design.places.clinic.openings=[{from: 2023-05-02, to: 2023-05-01}]", "before its"),
        ("design.places.clinic.openings=[{on: 2023-05-02, from: 2023-05-01}]", "to is missing"),
        ("design.places.clinic.closures=[{on: May}]", "'May' is not a date"),
        ("design.places.clinic.closures=[{on: 2023-05-02, hours: noon}]", "'noon' are not hours"),
        (
            "design.staff.nurse.away=[{on: 2023-05-02, hours: '22:00-06:00'}]",
            "'22:00-06:00' pass midnight; allowed: hours of one day",
        ),
        ("design.staff.nurse.changes=[{from: 2023-05-01}]", "nothing changes"),
        (
            "design.rooms.infusion_bed.changes=[{from: 2023-05-01}]",
            "spaces, hours or both",
        ),
        (
            "design.staff.nurse.changes=[{from: 2023-05-01, people: unlimited}]",
            "not a whole number",
        ),
        ("design.staff.nurse.changes=[{from: 2023-05-01, hours: 99}]", "99 is too large"),
        ("design.staff.nurse.changes=[{from: 2023-05-01, hours: often}]", "these are not hours"),
        ("design.staff.nurse.changes=[{from: 2023-05-01, spaces: 2}]", "spaces: unknown key"),
        (
            f"design.staff.nurse.changes=[{ON_MAY_DAY}, {ON_MAY_DAY}]",
            "2023-05-01 does not come after 2023-05-01; allowed: changes in the order of dates",
        ),
        (
            "design.staff.nurse={people: unlimited, changes: [{from: 2023-05-01, people: 2}]}",
            "people are unlimited, so that 2 cannot be counted",
        ),
        ("design.staff.nurse=Alice", "'Alice' is not a mapping"),
        ("design.schedule.week_2.window_days=3", "3 is not a list"),
        ("design.schedule.week_2.window_days=[1, 3]", "does not contain the planned day"),
        ("design.schedule.week_2.window_days=[-1, 0, 1]", "too many entries"),
        ("design.schedule.infusion.gives_product=false", "gives_product is no longer a key"),
        ("design.schedule.infusion.gives=5", "this is not what is given"),
        ("design.schedule.infusion.gives=huc_mcs", "did you mean huc_msc?"),
        ("design.schedule.infusion.gives=[huc_msc, huc_mcs]", "did you mean huc_msc?"),
        ("design.schedule.infusion.gives=[huc_msc, huc_msc]", "huc_msc is named twice"),
        ("design.schedule.week_2.gives={msc: huc_msc}", "what the arm il2 is given"),
        ("design.schedule.week_2.gives={msc: huc_msc, il3: []}", "did you mean il2?"),
        ("design.schedule.week_2.gives={msc: {a: 1}, il2: []}", "this is not what an arm is given"),
        ("design.schedule.infusion.gives={msc: huc_msc, il2: []}", "not for the arm il2"),
        ("design.schedule.infusion.dose=0", "0 is too small"),
        ("design.schedule.infusion.dose=many", "'many' is not a number"),
        ("design.schedule.infusion.dose={il2: 1}", "the row does not give il2"),
        ("design.schedule.week_2.dose=1", "nothing is given at the visits of this row"),
        ("design.schedule.infusion.day=0", "the first dose of msc is planned on day 0"),
        (
            "design.schedule.week_2.day=-99",
            "day -99 is 100 days before the first dose of il2, which is planned",
        ),
        ("design.schedule.week_2.from=first_dos", "'first_dos' is not known here"),
        ("design.schedule.week_2={from: randomisation, day: -1}", "before what it is counted from"),
        ("design.schedule.week_2.for=[death]", "for stands without from: leaving"),
        ("design.schedule.week_2={from: leaving, for: [deth]}", "did you mean death?"),
        ("design.schedule.infusion.from=leaving", "a dose cannot be counted from leaving"),
        ("design.schedule.week_2.from=3", "this is nothing to count days from"),
        ("design.schedule.week_2.from={row: infusio}", "did you mean infusion?"),
        ("design.schedule.week_2.from={row: infusion, visit: lst}", "did you mean last?"),
        (
            "design.schedule.week_2.from={row: week_2}",
            "week_2 is counted from week_2; allowed: a row that does not lead back to this one",
        ),
        ("design.schedule.infusion.from=randomisation", "a dose cannot be counted from randomisat"),
        (
            "design.schedule.injections.from={row: infusion, visit: last}",
            "infusion has no visits in il2, so that injections has none there",
        ),
        (
            f"design.schedule.training={{arms: [il2], from: {{row: infusion}}, {NOTHING_GIVEN}}}",
            "no arm has both training and infusion",
        ),
        (
            "design.schedule.week_2={from: {row: injections}, day: null, days: [1, 3]}",
            "injections is held again 2 days after a visit; allowed: visits that fit into 2 days",
        ),
        ("design.schedule.injections.every_days=null", "times above 1 without every_days"),
        ("design.schedule.week_2.day=[8, 15]", "day: day is a single one; allowed: a whole number"),
        ("design.schedule.week_2.day=[8, 15]", "did you mean days?"),
        ("design.schedule.week_2.days=[8, 15]", "days stands beside day; allowed: days alone"),
        (
            "design.schedule.injections={day: null, days: [1, 8]}",
            "days stands beside every_days and times",
        ),
        ("design.schedule.week_2={day: null, days: [8, 8]}", "days: the days are not in order"),
        ("design.schedule.week_2={day: null, days: [x, 8]}", "days[0]: 'x' is not a whole number"),
        ("design.schedule.week_2={day: null, days: []}", "too few entries"),
        ("design.visits.assessment=[{soon: assess}]", "soon: unknown key; allowed: later"),
        ("design.visits.assessment=[3]", "this is not a step of a visit"),
        ("design.randomisation.strata=[3]", "this is not a stratum"),
        ("design.eligibility.not_pregnant.at=lab", "did you mean labs?"),
        ("design.eligibility.not_pregnant.age={above: 3}", "exactly one condition"),
        ("assumptions.recruitment.consent=72", "72 is too large; allowed: 1 or less"),
        ("assumptions.recruitment.consent=72 %", "'72 %' is not a number"),
        ("assumptions.recruitment.consent=.nan", "nan is not finite"),
        ("assumptions.recruitment.candidates_per_month=.inf", "inf is not finite"),
        ("assumptions.recruitment.candidates_per_month=1" + "0" * 400, "inf is not finite"),
        ("assumptions.recruitment.consent.range=[0.8, 0.9]", "does not contain the value 0.72"),
        ("assumptions.recruitment.consent.range=[0.1, 9]", "9 is too large"),
        ("assumptions.recruitment.consent.evidence=guess", "'guess' is not known here"),
        ("assumptions.patients.age.family=norml", "did you mean normal?"),
        ("assumptions.patients.age.sd=-1", "-1 is too small"),
        ("assumptions.patients.age={family: normal, mean: 3}", "sd is missing"),
        ("assumptions.patients.age.low=90", "low does not lie below high"),
        ("assumptions.patients.age.whole=1", "1 is not true or false"),
        ("assumptions.patients.age=old", "this is not a distribution"),
        ("assumptions.screening.lab_days=[7, 3, 1]", "low, mode and high are out of order"),
        ("assumptions.screening.lab_days=[1, 2]", "this is not a distribution"),
        ("assumptions.screening.lab_days={family: normal, mean: 3, sd: 1}", "come out negative"),
        ("assumptions.screening.lab_days=-3", "come out negative"),
        ("assumptions.leaving.death.share.msc=1", "1 is too large; allowed: less than 1"),
        ("targets.forty_randomised.at_most=3", "a target has exactly one limit"),
        ("go_no_go.at_months=[]", "has too few entries; allowed: at least 1"),
        ("go_no_go.at_months=[0]", "0 is too small; allowed: 1 or more"),
        ("go_no_go.at_months=6", "6 is not a list"),
        ("go_no_go.at_months=[6.5]", "6.5 is not a whole number"),
        ("go_no_go.below=1.2", "1.2 is too large; allowed: 1 or less"),
        ("go_no_go.below=-0.1", "-0.1 is too small; allowed: 0 or more"),
        ("go_no_go.blow=0.2", "did you mean below?"),
        ("go_no_go.at_months=null", "at_months is missing"),
        ("sweep=lhs", "'lhs' is not a mapping"),
        ("sweep={}", "a sweep is of one kind; allowed: one of vary, tornado and design"),
        ("sweep={tornado: true, design: lhs}", "a sweep is of one kind"),
        ("sweep={desgin: lhs}", "allowed: vary, tornado, design, points, on; did you mean design?"),
        ("sweep={design: lsh}", "did you mean lhs?"),
        ("sweep={design: lhs, points: 1}", "1 is too small; allowed: 2 or more"),
        ("sweep={tornado: true, points: 9}", "only a design has a number of points"),
        ("sweep={tornado: 1}", "1 is not true or false"),
        ("sweep={vary: {design.trial.target: [9]}, on: visits}", "a grid shows every target"),
        ("sweep={vary: {design.trial.target: 9}}", "these are no values; allowed: a list"),
        ("sweep={vary: {design.trial.target: []}}", "has too few entries; allowed: at least 1"),
        ("sweep={vary: {design.trial.target: [9, 9]}}", "a value comes twice"),
        ("sweep={vary: {design.trial.target: {low: 1, high: 9}}}", "number is missing"),
        ("sweep={vary: {a: {low: 1, high: 9, number: 1}}}", "1 is too small; allowed: 2 or more"),
        ("sweep={vary: {a: {low: 9, high: 9, number: 2}}}", "a value comes twice"),
        ("sweep={vary: {a: {low: x, high: 9, number: 2}}}", "neither a number nor a date"),
        ("sweep={vary: {a: {low: 2024-01-01, high: 9, number: 2}}}", "are not of one kind"),
        ("sweep={vary: {sweep.points: [9, 10]}}", "a sweep does not vary itself"),
        ("scenario=../../etc", "is not a name"),
        ('title="\\e[2Jgone"', r"holds a character that cannot be seen, '\x1b'; allowed: plain"),
        ('design.arms.msc.title="a\\u202eb"', r"cannot be seen, '\u202e'"),
        ('assumptions.recruitment.consent.source="\\a"', r"cannot be seen, '\x07'"),
        ("design.products.il2.unit='=1+1'", "'=1+1' is a formula to a spreadsheet"),
        ("scenario=Latest", "stands for something else among the results"),
        ("design.staff.dr who={people: 1}", "is not a name"),
    ],
)
def test_a_wrong_entry_is_named_with_what_is_allowed(override: str, message: str) -> None:
    told = [problem for problem in problems_of(BASELINE, override) if message in problem]

    assert len(told) == 1
    assert told[0].startswith(("--set: ", f"{BASELINE}:"))


# Contradictions


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("design.schedule.infusion.arms=[mcs]", "mcs' is not defined; allowed: msc, il2; did you"),
        ("design.schedule.infusion.arms=[msc, msc]", "msc is named twice"),
        (
            "design.eligibility.consent={at: chart, age: {above: 20}}",
            "design.eligibility.consent: this is the name of another step",
        ),
        ("design.randomisation.ratio.il2=null", "the arm il2 has no ratio"),
        (
            "design.randomisation.ratio.il3=1",
            "design.randomisation.ratio.il3: 'il3' is not defined",
        ),
        ("design.randomisation.ratio={msc: 0, il2: 0}", "nobody is randomised"),
        ("design.randomisation.block_sizes=[4, 5]", "block_sizes[1]: blocks of 5 do not fit"),
        ("design.randomisation.block_sizes=[]", "there is no block size"),
        ("design.randomisation.strata=[women]", "'women' is not defined"),
        ("design.randomisation.strata=[{female: [1]}]", "'female' is not defined"),
        ("design.arms.il2.product=il-2", "did you mean il2?"),
        ("design.products.il2.per=kgs", "did you mean kg?"),
        (
            "design.eligibility.not_pregnant.at=lab",
            "allowed: chart, visit, labs, call; did you mean",
        ),
        ("design.schedule.week_2.at={klinic: assessment}", "did you mean clinic?"),
        ("design.schedule.week_2.at={clinic: asessment}", "did you mean assessment?"),
        ("design.visits.assessment=[coordinate_visits]", "did you mean coordinate_visit?"),
        ("design.visits.assessment=[{later: infuse}]", "infuse asks nurse and infusion_bed"),
        ("design.visits.assessment=[{later: observe}]", "observe asks infusion_bed"),
        ("design.tasks.assess=[invetigator]", "did you mean investigator?"),
        ("design.tasks.assess=[nurse, nurse]", "nurse is named twice"),
        ("design.eligibility.not_pregnant.without=age", "'age' is not defined"),
        ("assumptions.patients.pregnant.among=fmale", "did you mean female?"),
        ("assumptions.patients.pregnant.among=pregnant", "'pregnant' is not defined"),
        ("assumptions.to_first_dose_days.placebo=3", "'placebo' is not defined; allowed: msc, il2"),
        ("assumptions.attendance.assesment={missed: 0.1}", "did you mean assessment?"),
        (
            "assumptions.attendance.screening_visit={missed: 0.1}",
            "'screening_visit' is not defined",
        ),
        ("assumptions.leaving.death.share={mcs: 0.1}", "did you mean msc?"),
        ("assumptions.stops_treatment.share.placebo=0.1", "'placebo' is not defined"),
        ("design.unscheduled.adverse_event.at={clinic: event_vist}", "did you mean event_visit?"),
        ("design.monitoring.visit=audit", "'audit' is not defined"),
        (
            "assumptions.unscheduled.fever={by_week: 4, per_participant: 1}",
            "'fever' is not defined",
        ),
        ("assumptions.unscheduled.adverse_event.per_participant.placebo=1", "'placebo' is not"),
        ("assumptions.overhead.infusion_bed=0.1", "'infusion_bed' is not defined"),
        ("assumptions.overhead.nurse=1", "1 is too large; allowed: 0.99 or less"),
        ("assumptions.durations_minutes.injct=3", "did you mean inject?"),
        ("assumptions.durations_minutes.inject=null", "the task inject has no duration"),
        ("design.tasks.shave=[nurse]", "the task shave has no duration"),
        ("targets.forty_randomised.measure=randomized", "did you mean randomised?"),
        ("targets.forty_randomised.measure=nurse_hour", "did you mean nurse_hours?"),
        ("design.rooms.nurse={spaces: 1}", "a role has this name too"),
        (
            "design.staff.nurse_overtime={people: 1}",
            "two measures would be called nurse_overtime_hours",
        ),
        ("design.staff.Nurse={people: 1}", "differs from nurse in capital letters alone"),
        ("design.trial.closes=2022-09-30", "the trial closes before it opens"),
        ("design.trial.closes=1848-10-28", "the trial closes before it opens"),
        ("design.trial.recruits_until=2026-01-01", "2026-01-01 lies outside the trial"),
        ("design.trial.opens=1800-01-01", "1800-01-01 is out of reach"),
        ("design.places.clinic.closures=[{from: 2024-02-02, to: 2024-02-01}]", "2024-02-01 comes"),
        ("assumptions.recruitment.disruptions.covid_wave.to=2022-01-01", "comes before its begin"),
        ("assumptions.recruitment.candidates_per_month=1.0e+7", "candidates would come"),
        (
            "design.schedule.injections.window_days=[-1, 2]",
            "window of 3 days is wider than the gap",
        ),
        ("design.schedule.injections.window_days=[-7, 7]", "window of 14 days is wider"),
        ("design.schedule.injections.min_days_between=3", "visits are planned 2 days apart"),
        (
            "design.schedule.injections.cycle_days=12",
            "a cycle begins before the one before it ends",
        ),
        (
            "design.schedule.week_2={day: null, days: [8, 10, 15], window_days: [-2, 2]}",
            "window of 4 days is wider than the gap of 2",
        ),
        (
            "design.schedule.week_2={day: null, days: [8, 15], cycles: 2, cycle_days: 7}",
            "a cycle begins before the one before it ends",
        ),
        ("design.schedule.injections.times=100000", "visits are too many"),
        ("design.schedule.infusion.day=3", "the first dose of msc is planned on day 3"),
        (
            "design.staff.cell_lab.hours={sat: '08:00-12:00'}",
            "nurse, infusion_bed are never on duty together",
        ),
        ("design.visits.msc_infusion=[infuse]", "msc_infusion has no task after the preparation"),
        ("assumptions.patients.weight_kg=null", "'weight_kg' is not defined"),
        ("assumptions.patients.weight_kg=-60", "-60 to -60 kg can be drawn; allowed: 0 to 1000"),
        ("assumptions.patients.weight_kg.low=null", "-267 to 90 kg can be drawn"),
        (
            "assumptions.patients.weight_kg={family: lognormal, median: 60, sigma: 1}",
            "4.88e-15 to 2.21e+05 kg can be drawn",
        ),
        ("design.products.huc_msc.dose=9.0e-4", "0.0009 is too small; allowed: 0.001 or more"),
        ("design.products.huc_msc.dose=1.0e+308", "1e+308 is too large; allowed: 1e+18 or less"),
        ("design.products.il2.units_per_vial=5.0e-324", "is too small; allowed: 0.001 or more"),
        ("go_no_go.target=fourty_randomised", "did you mean forty_randomised?"),
        ("observed.reasons={low: proteinuria}", "did you mean proteinuria_over_1?"),
        ("observed.reasons={low: [death]}", "is not text"),
        ("observed.reason={low: death}", "did you mean reasons?"),
        ("observed={reasons: low}", "'low' is not a mapping"),
        (
            "go_no_go.at_months=[6, 40]",
            "month 40 ends after the trial closes on 2025-12-31; allowed",
        ),
        ("go_no_go.at_months=[12, 6]", "6 does not come after 12; allowed: months in rising order"),
        ("go_no_go.at_months=[6, 6]", "6 does not come after 6"),
        ("targets={}", "'forty_randomised' is not defined"),
        ("sweep={tornado: true, on: randomized}", "did you mean randomised?"),
        ("sweep={design: sobol, points: 9}", "9 points are too few for this design; allowed: 37"),
        ("sweep={vary: {design.trial.trget: [9, 10]}}", "did you mean target?"),
        ("sweep={vary: {design.trial.target: [9, 0]}}", "0 is too small; allowed: 1 or more"),
        ("sweep={vary: {design.trial.target: {low: 8, high: 9, number: 3}}}", "8.5 is not a whole"),
        ("sweep={vary: {design.trial.closes: [2024-12-31]}}", "2025-12-31 lies outside the trial"),
    ],
)
def test_a_contradiction_is_named_with_what_is_allowed(override: str, message: str) -> None:
    problem = problem_with(override)

    assert message in problem
    assert "allowed: " in problem


def test_what_is_wrong_with_a_point_stands_where_the_file_plans_it(tmp_path: Path) -> None:
    block = """
sweep:
  vary:
    design.trial.trget: [9, 10]
    assumptions.recruitment.consent: [0.5, 1.5]
    assumptions.recruitment.candidates_per_month: {low: -1, high: 2, number: 4}
"""
    line = TEXT.count("\n") + 4
    problems = problems_in(tmp_path, TEXT + block)

    assert [
        problem.removeprefix(f"{tmp_path}/bad.yaml:").split("; ")[0] for problem in problems
    ] == [
        f"{line}:26: design.trial.trget: unknown key",
        f"{line + 1}:44: assumptions.recruitment.consent.value: 1.5 is too large",
        f"{line + 2}:5: assumptions.recruitment.candidates_per_month.value: -1 is too small",
    ]
    assert "did you mean target?" in problems[0]


def test_a_point_that_contradicts_the_rest_is_the_sweeps_fault(tmp_path: Path) -> None:
    (problem,) = problems_in(
        tmp_path, TEXT + "\nsweep: {vary: {design.trial.closes: [2024-12-31]}}"
    )

    assert problem.startswith(
        f"{tmp_path}/bad.yaml:{TEXT.count(chr(10)) + 2}:1: design.trial.recruits"
    )


def test_values_that_are_sound_only_together_are_taken(tmp_path: Path) -> None:
    block = "{vary: {design.trial.closes: [2026-12-31], design.trial.recruits_until: [2026-06-30]}}"
    (tmp_path / "later.yaml").write_text(f"{TEXT}\nsweep: {block}\n", encoding="utf-8")

    assert load(tmp_path / "later.yaml").digest() == load(BASELINE).digest()


def test_a_task_whose_people_are_never_there_together_is_refused() -> None:
    together = "design.tasks.inject_on_ward=[ward_nurse, nurse]"
    problem = problem_with(together, "design.staff.ward_nurse.hours={sat-sun: '08:00-20:00'}")

    assert problem == (
        "--set: design.tasks.inject_on_ward: ward_nurse, nurse are never on duty together; "
        "allowed: hours in common on some day"
    )


def test_a_visit_whose_place_is_shut_when_its_team_is_there_is_refused() -> None:
    problems = problems_of(BASELINE, "design.places.clinic.days=[sat, sun]")

    assert (
        "clinic is open on sat, sun, the team of msc_infusion has time on tue, thu" in problems[0]
    )


def test_a_team_that_is_never_there_at_all_is_allowed() -> None:
    load(BASELINE, ["design.staff.investigator.people=0"])
    load(BASELINE, ["design.staff.investigator.hours={}"])


# All at once, each where it stands


def test_every_problem_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = TEXT.replace("target: 40 ", "target: 4O ").replace("day: 57,", "day: 57.5,")
    problems = problems_in(tmp_path, text.replace("probability: 0.012", "probability: often"))

    assert [re.sub(r".*bad.yaml:\d+:\d+: ", "", problem).split(":")[0] for problem in problems] == [
        "design.trial.target",
        "design.schedule.week_8.day",
        "assumptions.patients.refuses_contraception.probability",
    ]


def test_a_problem_stands_in_the_file_that_says_it(tmp_path: Path) -> None:
    parent, child = tmp_path / "parent.yaml", tmp_path / "child.yaml"
    parent.write_text(TEXT.replace("opens: 2022-10-01", "opens: soon"), encoding="utf-8")
    child.write_text(
        "extends: parent.yaml\ndesign:\n  trial:\n    closes: later\n", encoding="utf-8"
    )
    in_child, in_parent = problems_of(child)

    assert in_child.startswith(f"{child}:4:5: design.trial.closes: 'later' is not a date")
    assert re.match(re.escape(f"{parent}:") + r"\d+:5: design.trial.opens: 'soon'", in_parent)


@pytest.mark.parametrize(
    ("extends", "message"),
    [
        ("missing.yaml", "does not exist"),
        (".", "is not a file"),
        ('"\\0"', "null byte"),
        ("x" * 5000, "too long"),
        ("bad.yaml", "it extends itself in the end"),
        ("[a, b]", "this names no file"),
        ("", "this names no file"),
    ],
)
def test_a_parent_that_is_none_is_refused(tmp_path: Path, extends: str, message: str) -> None:
    (problem,) = problems_in(tmp_path, f"scenario: x\nextends: {extends}\n")

    assert f"{tmp_path}/bad.yaml:2:1: extends: " in problem
    assert message in problem


def test_a_circle_of_parents_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: b.yaml", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("extends: a.yaml", encoding="utf-8")

    assert "it extends itself in the end" in problems_of(tmp_path / "a.yaml")[0]


def test_a_row_of_parents_comes_to_an_end(tmp_path: Path) -> None:
    for number in range(1500):
        name, text = f"{number}.yaml", f"extends: {number + 1}.yaml"
        (tmp_path / name).write_text(text, encoding="utf-8")
    (problem,) = problems_of(tmp_path / "0.yaml")

    assert "20.yaml:1:1: extends: this is the end of a row of 21 files" in problem


def test_a_link_to_itself_is_no_parent(tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (problem,) = problems_in(tmp_path, "extends: loop.yaml")

    assert "bad.yaml:1:1: extends: " in problem
    with pytest.raises(UnreadableFile):
        load(tmp_path / "loop.yaml")


@pytest.mark.parametrize(
    "override",
    ["", "design.trial.target", "=3", "design..target=3", ".=1", "design.trial.target=[1"],
)
def test_what_is_no_override_is_refused(override: str) -> None:
    assert problem_with(override).startswith("--set: ")


def test_a_long_name_does_not_make_a_long_message(tmp_path: Path) -> None:
    for problem in problems_in(tmp_path, f"{'k' * 5000}: {'v' * 5000}\ntitle: [{'a' * 5000}]\n"):
        assert len(problem) < LONGEST


# What a computer cannot hold, or nobody would wait for


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("design.staff.nurse.people=1000000", "1000000 is too large; allowed: 1000 or less"),
        ("design.randomisation.ratio.msc=1000000", "1000000 is too large; allowed: 1000 or less"),
        ("design.schedule.week_2.day=100000", "100000 is too large; allowed: 36525 or less"),
        ("design.schedule.week_2.window_days=[-99999, 0]", "-99999 is too small"),
        (
            "design.schedule.injections={times: 2, cycles: 2, every_days: 1, cycle_days: 36525}",
            "the last visit is on day 36527; allowed: 36525 or before",
        ),
        ("assumptions.durations_minutes.inject=1.0e+9", "1e+09 to 1e+09 minutes can be drawn"),
        ("assumptions.screening.lab_days=1.0e+12", "1e+12 to 1e+12 days can be drawn"),
        ("assumptions.to_first_dose_days.msc=1.0e+12", "1e+12 to 1e+12 days can be drawn"),
        ("assumptions.overhead.nurse=0.99999", "0.99999 is too large; allowed: 0.99 or less"),
        ("assumptions.products.huc_msc.fails_release=0.999999", "allowed: 0.99 or less"),
        ("assumptions.recruitment.season.winter=10000", "candidates would come"),
        ("assumptions.recruitment.disruptions.covid_wave.times=1.0e+6", "candidates would come"),
        ("assumptions.recruitment.candidates_per_month=300000", "candidates would come"),
        (
            "assumptions.recruitment={candidates_per_month: 500, rate_shape: 0.1}",
            "in one of 1,000 replications; allowed: up to 15,000 in all",
        ),
        (
            "assumptions.unscheduled.adverse_event={by_week: 1, per_participant: 1000}",
            "1000 by week 1 are too many; allowed: one a day on average",
        ),
        ("assumptions.leaving.death.by_week=5.0e-324", "is too small; allowed: 0.01 or more"),
    ],
)
def test_what_would_never_end_is_refused_where_it_stands(override: str, message: str) -> None:
    told = [problem for problem in problems_of(BASELINE, override) if message in problem]

    assert len(told) == 1
    assert told[0].startswith(("--set: ", f"{BASELINE}:"))
    assert "allowed: " in told[0]


@pytest.mark.parametrize(
    "law",
    [
        "{family: weibull, shape: 1.0e-10, scale: 1}",
        "{family: weibull, shape: 500, scale: 1, low: 5}",
        "{family: lognormal, median: 1, sigma: 1000}",
        "{family: lognormal, median: 1, sigma: 1, high: -0.5}",
        "{family: exponential, mean: 1, high: -1}",
        "{family: normal, mean: 0, sd: 1, low: 10}",
        "{family: normal, mean: 0, sd: 1.0e+308, whole: true}",
        "{family: gamma, mean: 1, shape: 1.0e-10}",
        "{family: gamma, mean: 1, shape: 1, low: 100}",
        "{family: triangular, low: -1.0e+308, mode: 0, high: 1.0e+308}",
        "{family: empirical, values: [1.0e+308]}",
    ],
)
def test_a_distribution_that_cannot_be_drawn_from_is_refused(law: str) -> None:
    for path in ("patients.age", "screening.lab_days", "attendance.assessment.early_or_late_days"):
        problems = problems_of(BASELINE, f"assumptions.{path}={law}")
        assert all(problem.startswith(f"--set: assumptions.{path}") for problem in problems)


def test_visits_are_counted_over_all_who_may_come() -> None:
    row = "design.schedule.week_2={day: 1, times: 2000, every_days: 6}"
    load(BASELINE, [row])
    problems = problems_of(BASELINE, row, "design.trial.target=1000")

    assert "design.arms.msc: 349 people with 2007 visits each are too many" in problems[0]


def test_a_text_is_one_line() -> None:
    scenario = load(BASELINE, ['title="a\\u2028b\\n  c"'])

    assert scenario.title == "a b c"


def test_a_mean_rate_of_nothing_is_sound_however_unsure() -> None:
    load(BASELINE, ["assumptions.recruitment.candidates_per_month=0"])


# Anything at all


WRONG: list[Any] = [
    None,
    True,
    -1,
    0,
    1.5,
    1e308,
    "",
    "word",
    "2024-02-30",
    [],
    [1],
    [[]],
    {},
    {"value": 1},
]


def _edited(path: tuple[Any, ...], kind: str, value: Any) -> object:  # noqa: ANN401 -- any value
    data = deepcopy(DATA)
    edit(data, path, kind, value)
    return data


edits = st.one_of(
    st.tuples(st.sampled_from(["delete", "double"]), st.none()),
    st.tuples(st.just("rename"), st.sampled_from(["", "msc", "value", "family", "x" * 60, "a b"])),
    st.tuples(st.just("retype"), st.sampled_from(WRONG)),
)


@bounded
@given(path=st.sampled_from(list(paths(DATA))), change=edits)
def test_an_edited_baseline_is_sound_or_refused(
    tmp_path: Path, path: tuple[Any, ...], change: tuple[str, object]
) -> None:
    _sound_or_refused(tmp_path, flow(_edited(path, *change)).encode())


@bounded
@given(
    text=st.text() | st.binary(),
    at=st.integers(min_value=0, max_value=len(TEXT)),
    end=st.integers(min_value=0, max_value=40),
)
@example(text="\t", at=200, end=0)
@pytest.mark.slow
def test_a_baseline_with_anything_written_into_it_is_sound_or_refused(
    tmp_path: Path, text: str | bytes, at: int, end: int
) -> None:
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    _sound_or_refused(tmp_path, TEXT[:at].encode() + raw + TEXT[at + end :].encode())


def _sound_or_refused(folder: Path, raw: bytes) -> None:
    path = folder / "edited.yaml"
    path.write_bytes(raw)
    try:
        interpret(load(path))
    except ScenarioError as error:
        for problem in error.problems:
            assert len(str(problem)) < LONGEST
            assert "\n" not in str(problem)
            assert "pydantic" not in str(problem)
            assert "is refused (" not in str(problem)


def test_what_follows_from_a_fault_is_not_told_beside_it(tmp_path: Path) -> None:
    """Recruitment ends with the trial where nothing says when; here nothing says that either."""
    text = TOY.replace(", closes: 2023-12-31", "")
    (tmp_path / "open.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(ScenarioError) as refused:
        load(tmp_path / "open.yaml")

    (problem,) = refused.value.problems
    assert "closes is missing" in str(problem)
