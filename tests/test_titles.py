"""What a scenario calls what it names is what people read, in either language."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.experiments.replicate import replicate
from sim.model.run import run
from sim.report import pages
from sim.report.compare import unlike
from sim.report.story import tell
from sim.results import folder
from sim.scenario.interpret import interpret
from sim.scenario.load import ScenarioError, dump, load, shipped
from sim.scenario.schema import Scenario
from sim.scenario.titles import NamedThings, called, named_things
from sim.vocabulary.eventlog import Milestone
from sim.vocabulary.words import words

BASELINE = shipped() / "baseline.yaml"
CAP = "design.randomisation.caps={old: {at_most: 9, age: {at_least: 60}}}"
LISTS = {"visits": "tasks", "tasks": "team"}


def first_of(things: NamedThings) -> str:
    """The first name that stands with no other kind of things."""
    return next(name for name in things.of if name not in {"il2", "adverse_event"})


def titled(things: NamedThings, title: str) -> str:
    """What gives the first of these things a title."""
    name = first_of(things)
    path, entry = ".".join(map(str, (*things.path, name))), things.of[name]
    if (key := LISTS.get(str(things.path[-1]))) is not None:
        return f"{path}={{title: {title}, {key}: [{', '.join(map(str, entry[:1]))}]}}"
    section = "design.rooms" if name == "infusion_bed" else ".".join(map(str, things.path))
    return f"{section}.{name}.title={title}"


STEPS = """\
design.screening=[{name: chart, paperwork: chart_review, title: {en: the papers, zh: 病历纸}}, \
{name: visit, visit: screening_visit}, {name: labs}, {name: call, paperwork: eligibility_call}]\
"""


@pytest.fixture(scope="module")
def named() -> list[NamedThings]:
    """All that the baseline names, with a cap."""
    return [each for each in named_things(load(BASELINE, [CAP])) if each.path[-1] != "screening"]


@pytest.fixture(scope="module")
def everything(named: list[NamedThings]) -> Scenario:
    """The baseline with a title for the first of each kind of things."""
    said = [
        titled(things, f'{{en: "its {number}", zh: "其{number}"}}')
        for number, things in enumerate(named)
    ]
    return load(BASELINE, [CAP, STEPS, *said])


def test_whatever_has_a_name_is_read_by_its_title(
    everything: Scenario, named: list[NamedThings]
) -> None:
    for language, said in (("en", "its {}"), ("zh", "其{}")):
        say = called(everything, words(language))
        for number, things in enumerate(named):
            assert say.title(first_of(things), things.kind) == said.format(number), things.path
    assert called(everything).title("chart") == "the papers"


def test_a_measure_is_of_what_has_the_title() -> None:
    titles = ["design.arms.il2.title=Interleukin", "design.products.il2.title=A vial"]
    say = called(load(BASELINE, [*titles, "design.staff.nurse.title=Sister"]))

    assert say.title("completed_il2") == "completed: Interleukin"
    assert say.title("doses_il2") == "doses: A vial"
    assert say.title("nurse_overtime_hours") == "Sister overtime hours"


def test_titles_are_written_out_and_read_back(everything: Scenario, tmp_path: Path) -> None:
    (tmp_path / "again.yaml").write_text(dump(everything), encoding="utf-8")

    assert load(tmp_path / "again.yaml") == everything


def test_a_title_of_one_language_is_read_in_all() -> None:
    say = called(load(BASELINE, ["design.staff.nurse.title={zh: 护士甲}"]))

    assert say.title("nurse") == "护士甲"


def test_a_variant_may_list_other_tasks_and_keeps_the_title(tmp_path: Path) -> None:
    texts = {
        "base": f"extends: {BASELINE}\n"
        "design: {visits: {assessment: {title: Look, tasks: [assess]}}}\n",
        "variant": "extends: base.yaml\ndesign: {visits: {assessment: [draw_blood]}}\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")

    scenario = load(tmp_path / "variant.yaml")

    assert called(scenario).title("assessment") == "Look"
    assert scenario.design.steps_of_visits["assessment"] == ("draw_blood",)


def test_equal_titles_have_their_names_beside_them() -> None:
    say = called(load(BASELINE, ["design.staff.nurse.title=Infusion bed"]))

    assert say.title("nurse") == "Infusion bed (nurse)"
    assert say.title("infusion_bed") == "infusion bed (infusion_bed)"


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (
            ["design.staff.nurse.title={fr: infirmière}"],
            "design.staff.nurse.title.fr: 'fr' is not known here; allowed: en or zh",
        ),
        (
            ["design.staff.nurse.title=[a]"],
            "this is not a title; allowed: text, or one by language as in {en: …, zh: …}",
        ),
        (
            ["design.visits.assessment={titel: a, tasks: []}"],
            "titel: unknown key; allowed: title, tasks; did you mean title?",
        ),
        (["design.tasks.infuse={title: a}"], "design.tasks.infuse: team is missing"),
        (
            ["assumptions.screening.lab_days={title: a, family: fixed, value: 2}"],
            "a title stands beside a time; allowed: a title of an attribute of patients",
        ),
        (
            [
                "design.products.il2.title=A",
                "design.schedule.il2={at: {clinic: assessment}, day: 8, title: B}",
            ],
            "design.schedule.il2.title: il2 has another title in design.products",
        ),
    ],
)
def test_a_wrong_title_is_named(said: list[str], complaint: str) -> None:
    with pytest.raises(ScenarioError) as error:
        load(BASELINE, said)

    assert complaint in str(error.value)


def test_a_page_shows_titles_in_place_of_names(tmp_path: Path) -> None:
    written = {
        "design.staff.coordinator.title": "{en: Trial office, zh: 试验办公室}",
        "design.schedule.week_12.title": "{en: Three months, zh: 三个月}",
        "design.eligibility.not_pregnant.title": "{en: No pregnancy, zh: 无妊娠}",
        "targets.desk_keeps_up.title": "{en: Office in time, zh: 办公室及时}",
        "assumptions.leaving.withdraws_consent.title": "{en: Takes it back, zh: 收回同意}",
    }
    scenario = load(BASELINE, [f"{path}={title}" for path, title in written.items()])
    results = replicate(scenario, replications=3, jobs=1, keep=0)
    out = folder.write(
        results.scenario,
        lambda: results,
        command="trialsim run",
        page=lambda _: None,
        out=tmp_path / "out",
    )
    for index, language in enumerate(("en", "zh")):
        page = pages.read_page(out, language).html()
        for title in written.values():
            shown = title.strip("{}").split(", ")[index].partition(": ")[2]
            assert shown in page or shown[0].lower() + shown[1:] in page, shown
    lines = "\n".join(pages.read_page(out).lines())
    assert "Office in time" in lines
    assert "Trial office" in lines


def test_inputs_that_differ_name_both_titles() -> None:
    rows = list(unlike([{"a.b.c.title": "x"}, {"a.b.c.title": "y"}], [str, str], words()))

    assert [row.cells for row in rows] == [["A.b.c.title", "x", "y"]]


def test_the_story_of_a_replication_names_titles() -> None:
    title = "assumptions.leaving.withdraws_consent.title=takes it back"
    scenario = load(BASELINE, [title, "design.staff.nurse.title={zh: 护士甲, en: Sister Ann}"])
    protocol = interpret(scenario)
    log = run(protocol, 1, 1)
    say = called(scenario, words("en"))
    told = "\n".join(tell(protocol, log, say))
    dosed = next(moment.person for moment in log.moments if moment.milestone is Milestone.DOSE)

    assert "withdraws consent" not in told
    assert "Sister Ann: inject" in "\n".join(tell(protocol, log, say, person=dosed))
