"""Scenarios that are sound: what they say, what a variant changes, and what is written out."""

from __future__ import annotations

import json
import pickle
from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from sim.scenario.assumptions import YesNo
from sim.scenario.load import Scenario, dump, load, shipped
from sim.scenario.numbers import Normal, Number, Triangular
from sim.scenario.schema import json_schema
from tests.artefacts import SCHEMA, schema

BASELINE = shipped() / "baseline.yaml"
SHIPPED = sorted(shipped().glob("*.yaml"))
SMALLEST = """\
scenario: smallest
design:
  trial: {opens: 2024-01-01, closes: 2024-12-31}
  arms: {only: {product: water}}
  products: {water: {dose: 1}}
assumptions:
  recruitment: {candidates_per_month: 2}
"""

each_shipped = pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)


def scenario_of(folder: Path, text: str, *overrides: str) -> Scenario:
    path = folder / "written.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, overrides)


def extending(folder: Path, differences: str) -> Scenario:
    return scenario_of(folder, f"extends: {BASELINE}\n{differences}")


def test_the_smallest_scenario_needs_an_arm_a_rate_and_two_dates(tmp_path: Path) -> None:
    smallest = scenario_of(tmp_path, SMALLEST)

    assert smallest.design.trial.recruits_until == date(2024, 12, 31)
    assert smallest.design.trial.target is None
    assert smallest.design.randomisation.ratio["only"] == 1
    assert smallest.assumptions.recruitment.consent == 1.0
    assert smallest.assumptions.stops_treatment.hazard("only").is_none


def test_the_baseline_says_what_is_registered() -> None:
    design = load(BASELINE).design

    assert design.trial.opens == date(2022, 10, 1)
    assert design.trial.target is not None
    assert design.trial.target == 40
    assert list(design.arms) == ["msc", "il2"]
    assert [
        design.schedule["injections"].times,
        design.schedule["injections"].cycles,
    ] == [7, 3]


def test_a_number_tells_what_is_known_about_it() -> None:
    consent = load(BASELINE).assumptions.recruitment.consent

    assert (consent, consent.range, consent.evidence) == (0.72, (0.5, 0.88), "literature")
    assert consent.source.startswith("Jacques 2022")


def test_a_number_is_a_plain_one_and_keeps_what_is_known_on_its_way_to_a_worker() -> None:
    consent = load(BASELINE).assumptions.recruitment.consent
    arrived = pickle.loads(pickle.dumps(consent))  # noqa: S301  written here

    assert arrived == 0.72
    assert vars(arrived) == vars(consent)
    assert type(consent * 2) is float


def test_a_distribution_has_a_long_form_and_two_short_ones() -> None:
    nature = load(BASELINE).assumptions

    assert isinstance(nature.patients["age"], Normal)
    assert isinstance(nature.durations_minutes["inject"], Triangular)
    assert nature.attendance["il2_injection"].early_or_late_days.family == "fixed"
    assert isinstance(nature.patients["female"], YesNo)


def test_shares_by_week_are_read_changed_and_written(tmp_path: Path) -> None:
    shares = "assumptions.leaving.moves={share: {4: 0.05, 12: 0.08}}"
    scenario = load(BASELINE, [shares, "assumptions.leaving.moves.share.12=0.09"])

    assert scenario.assumptions.leaving["moves"].share == {4: 0.05, 12: 0.09}
    assert scenario_of(tmp_path, dump(scenario)) == scenario


def test_a_share_may_be_one_number_for_all_arms(tmp_path: Path) -> None:
    reason = extending(
        tmp_path, "assumptions: {leaving: {death: {share: 0.1}}}"
    ).assumptions.leaving

    assert reason["death"].share == 0.1


@each_shipped
def test_every_shipped_scenario_loads_and_is_named_after_its_file(path: Path) -> None:
    scenario = load(path)

    assert scenario.scenario == path.stem
    assert scenario.title


@each_shipped
def test_what_is_written_out_loads_back_equal(path: Path, tmp_path: Path) -> None:
    scenario = load(path)
    again = scenario_of(tmp_path, dump(scenario))

    assert again == scenario
    assert again.digest() == scenario.digest()
    assert dump(again) == dump(scenario)


def test_what_is_written_out_keeps_words_that_look_like_something_else(tmp_path: Path) -> None:
    for title in ("2024-01-01", "null", "007", "1e5", "true", "a: b # c", "肾炎, «ü»", "", "- x"):
        scenario = scenario_of(tmp_path, SMALLEST, f"title={json.dumps(title)}")

        assert scenario.title == title
        assert scenario_of(tmp_path, dump(scenario)) == scenario


def test_what_is_written_out_states_the_defaults(tmp_path: Path) -> None:
    written = dump(scenario_of(tmp_path, SMALLEST))

    assert "target: none" in written
    assert "winter: 1" in written


def test_digests_tell_scenarios_apart_and_keep_the_order_of_names(tmp_path: Path) -> None:
    digests = {load(path).digest() for path in SHIPPED}
    first, second = "a: {at: visit, without: x}", "b: {at: visit, without: x}"
    orders = [
        scenario_of(tmp_path, f"{SMALLEST}  patients: {{x: {{probability: 0}}}}\n",
                    f"design.eligibility={{{one}, {other}}}")
        for one, other in ((first, second), (second, first))
    ]  # fmt: skip

    assert len(digests) == len(SHIPPED)
    assert orders[0].digest() != orders[1].digest()


def test_a_variant_says_only_what_differs(tmp_path: Path) -> None:
    parent = load(BASELINE)
    child = extending(tmp_path, "scenario: fewer\ndesign: {trial: {target: 30}}")

    assert child.design.trial.target is not None
    assert child.design.trial.target == 30
    assert child.design.trial.opens == parent.design.trial.opens
    assert child.assumptions == parent.assumptions


def test_a_variant_may_extend_a_variant(tmp_path: Path) -> None:
    (tmp_path / "middle.yaml").write_text(
        f"extends: {BASELINE}\ndesign: {{trial: {{target: 30, site: here}}}}", encoding="utf-8"
    )
    grandchild = scenario_of(tmp_path, "extends: middle.yaml\ndesign: {trial: {target: 20}}")

    assert grandchild.design.trial.target is not None
    assert (grandchild.design.trial.target, grandchild.design.trial.site) == (20, "here")


def test_null_takes_away_what_was_inherited(tmp_path: Path) -> None:
    child = extending(
        tmp_path,
        "design: {eligibility: {not_pregnant: null}, trial: {target: null}}\n"
        "assumptions: {recruitment: {rate_shape: null}}",
    )

    assert "not_pregnant" not in child.design.eligibility
    assert child.design.trial.target is None
    assert child.assumptions.recruitment.rate_shape is None


def test_hours_lists_and_distributions_are_replaced_as_a_whole(tmp_path: Path) -> None:
    child = extending(
        tmp_path,
        'design: {staff: {coordinator: {hours: {mon: "08:00-12:00", thu: "08:00-12:00"}}}}\n'
        "assumptions: {screening: {contact_days: {family: exponential, mean: 3}}}\n",
    )

    assert child.design.staff["coordinator"].hours == {"mon": "08:00-12:00", "thu": "08:00-12:00"}
    assert child.assumptions.screening.contact_days.family == "exponential"


def test_an_override_changes_one_entry() -> None:
    scenario = load(BASELINE, ["design.trial.closes=2026-06-30", "title='a longer trial'"])

    assert scenario.design.trial.closes == date(2026, 6, 30)
    assert scenario.title == "a longer trial"


def test_an_override_of_a_number_keeps_what_is_known_about_it() -> None:
    inside, outside = (
        load(BASELINE, [f"assumptions.recruitment.consent={value}"]).assumptions.recruitment.consent
        for value in (0.6, 0.95)
    )

    assert (inside, inside.range, inside.evidence) == (0.6, (0.5, 0.88), "literature")
    assert (outside, outside.range, outside.evidence) == (0.95, None, "literature")


def test_an_override_looks_into_short_forms() -> None:
    inject = load(BASELINE, ["assumptions.durations_minutes.inject.mode=6"]).assumptions
    target = load(BASELINE, ["design.trial.target.source=agreed"]).design.trial.target

    written = inject.durations_minutes["inject"]
    assert isinstance(written, Triangular)
    assert (written.low, written.mode, written.high) == (5.0, 6.0, 20.0)
    assert target is not None
    assert (target, target.source) == (40, "agreed")


def test_an_override_of_one_day_leaves_the_other_days() -> None:
    hours = load(BASELINE, ["design.staff.coordinator.hours.fri=08:00-12:00"]).design.staff

    changed = hours["coordinator"].hours
    assert isinstance(changed, dict)
    assert list(changed) == ["mon", "wed", "thu", "fri"]


RANGED_HOURS = "design.staff.coordinator.hours={value: 20, range: [10, 40], evidence: expert}"


@pytest.mark.parametrize(
    ("overrides", "hours"),
    [
        (["20"], 20),
        (["20", '{thu: "08:00-12:00"}'], {"thu": "08:00-12:00"}),
        (["20", "{}"], {}),
        (["20", "always"], "always"),
        (["{value: 20}", '{thu: "08:00-12:00"}', "37.5"], 37.5),
    ],
)
def test_hours_may_be_a_number_which_days_replace(
    overrides: list[str], hours: float | str | dict[str, str]
) -> None:
    path = "design.staff.coordinator.hours="
    found = (
        load(BASELINE, [f"{path}{each}" for each in overrides]).design.staff["coordinator"].hours
    )

    assert found == hours


def test_a_number_of_hours_keeps_what_is_known_about_it(tmp_path: Path) -> None:
    scenario = load(BASELINE, [RANGED_HOURS, "design.staff.coordinator.hours=25"])

    hours = scenario.design.staff["coordinator"].hours
    assert isinstance(hours, Number)
    assert (hours, hours.range, hours.evidence) == (25.0, (10.0, 40.0), "expert")
    assert scenario_of(tmp_path, dump(scenario)) == scenario


def test_the_number_of_cycles_can_be_varied_down_to_one() -> None:
    row = load(BASELINE, ["design.schedule.injections.cycles=1"]).design.schedule["injections"]

    assert row.cycles == 1


def test_a_window_as_wide_as_the_gap_is_sound() -> None:
    load(BASELINE, ["design.schedule.injections.window_days=[0, 2]"])


def test_everything_can_be_switched_off() -> None:
    load(
        BASELINE,
        [
            "design.staff.nurse.people=0",
            "design.staff.investigator.people=unlimited",
            "design.staff.cell_lab.hours={}",
            "design.rooms.infusion_bed.hours=always",
            "design.places.clinic.country=none",
            "design.eligibility={}",
            "assumptions.leaving.death.share=0",
            "design.trial.target=none",
            "assumptions.recruitment.disruptions={}",
            "targets={}",
            "go_no_go=null",
        ],
    )


def test_a_measure_without_a_value_has_no_target() -> None:
    limited, endless = load(BASELINE), load(BASELINE, ["design.trial.target=none"])

    assert [*endless.measures()] == [*limited.measures()]
    assert "day_of_target" in limited.measures_with_values()
    assert {*endless.measures()} - {*endless.measures_with_values()} == {"day_of_target"}


def test_the_committed_json_schema_is_current() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema()


@each_shipped
def test_editors_find_nothing_wrong_with_a_shipped_scenario(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    data = json.loads(json.dumps(YAML(typ="safe", pure=True).load(text), default=str))

    assert text.startswith("# yaml-language-server: $schema=scenario.schema.json\n")
    assert not list(Draft202012Validator(json_schema()).iter_errors(data))


def test_editors_mark_a_misspelt_key() -> None:
    errors = Draft202012Validator(json_schema()).iter_errors({"design": {"trial": {"opnes": 1}}})

    assert [list(error.absolute_path)[:1] for error in errors] == [["design"]]


def test_every_key_is_documented() -> None:
    schema = json_schema()
    sections = [schema, *schema["$defs"].values()]
    bare = [
        f"{section.get('description', '?')[:40]}: {key}"
        for section in sections
        for key, entry in section.get("properties", {}).items()
        if not entry.get("description")
    ]

    assert not bare


def test_an_empty_mapping_empties_and_null_gives_the_default() -> None:
    """A mapping that says something is merged with what stands there."""
    four = load(BASELINE).assumptions.leaving
    five = load(BASELINE, ["assumptions.leaving={moves: {by_week: 2, share: 0.1}}"])

    assert [*five.assumptions.leaving] == [*four, "moves"]
    assert not load(BASELINE, ["assumptions.leaving={}"]).assumptions.leaving
    assert not load(BASELINE, ["assumptions.leaving=null"]).assumptions.leaving


def test_a_file_that_extends_another_empties_a_mapping_as_well(tmp_path: Path) -> None:
    emptied = scenario_of(tmp_path, f"extends: {BASELINE}\nassumptions: {{leaving: {{}}}}")

    assert not emptied.assumptions.leaving
