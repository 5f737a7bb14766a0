"""Every key of a scenario changes something: none is read by nobody.

The keys are enumerated from the schema. Each is changed in a scenario that uses all of them, and
some table must differ, or for those of a sweep its plan and no table; the keys that only tell the
reader something are a closed list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from sim.experiments import replicate as experiment
from sim.experiments.replicate import replicate
from sim.experiments.sensitivity import plan
from sim.results import tables
from sim.results.fold import Results
from sim.scenario.enrolment_log import read_log
from sim.scenario.numbers import Known, Remembering
from sim.scenario.schema import Scenario
from sim.scenario.section import Section

EVERYTHING = """
scenario: everything
title: A scenario that uses every key
design:
  trial: {registry_id: NCT0, site: Here, opens: 2024-01-01, recruits_until: 2024-10-31,
          closes: 2024-12-31, target: 12, when_full: finish_screening, milestones: [3, 6]}
  places:
    clinic: {country: CN, days: [mon, tue, wed, thu, fri],
             closures: [{from: 2024-05-13, to: 2024-05-31, hours: "00:00-24:00"}],
             openings: [{from: 2024-04-06, to: 2024-04-07, hours: "08:00-24:00"}]}
    ward: {country: none, closures: [{from: 2024-05-13, to: 2024-05-31}]}
  staff:
    coordinator:
      people: 1
      hours: {mon-fri: "08:00-12:00"}
      changes: [{from: 2024-07-01, people: 2, hours: {mon-fri: "08:00-13:00"}}]
      away: [{from: 2024-07-15, to: 2024-08-16, people: 1, hours: "00:00-12:00"}]
    nurse: {people: 1, hours: {mon-sun: "08:00-11:00"}}
  rooms:
    bed:
      spaces: 1
      hours: {mon-fri: "08:00-12:00"}
      changes: [{from: 2024-03-15, spaces: 2, hours: {mon-fri: "08:00-13:00"}}]
      closures: [{from: 2024-04-01, to: 2024-06-30, spaces: 1, hours: "08:00-13:00"}]
  screening:
    - {name: chart, paperwork: chart_review}
    - {name: visit, visit: screening_visit}
    - {name: labs}
    - {name: baseline, visit: look_first, at: ward, gives: diary,
       after_days: {family: uniform, low: 0, high: 4}}
    - {name: call, paperwork: eligibility_call}
  eligibility:
    well: {at: chart, without: comorbidity}
    strong: {at: visit, strength: {above: 3, at_most: 8}}
    lucky: {at: labs, luck: {at_least: 1, below: 9}}
    a: {at: labs, a: {above: 0.7}}
    b: {at: labs, b: {above: 0.7}}
    c: {at: labs, c: {above: 0.7}}
    d: {at: labs, d: {above: 0.7}}
    e: {at: labs, e: {above: 0.7}}
    f: {at: labs, f: {above: 0.7}}
    g: {at: labs, g: {above: 0.7}}
    h: {at: labs, h: {above: 0.7}}
  randomisation:
    {method: permuted_blocks, block_sizes: [4], ratio: {one: 1, two: 1},
     strata: [female, {strength: [5]}, {luck: [5]}],
     minimisation: {probability: 0.9, imbalance: range, weights: {luck: 1}},
     caps: {strong: {at_most: 1, strength: {above: 6}, female: false}}}
  arms: {one: {title: The first, product: cells}, two: {title: The second, product: drug}}
  products:
    cells: {dose: 2.0, per: kg, unit: cells, order_ahead_days: 3, doses_per_week: 1,
            use_within_minutes: 30}
    diary: {dose: 1, units_per_vial: 1}
    drug: {dose: 5, unit: IU, units_per_vial: 2, dispensed_per: cycle,
           stock: {starts_with: 20, reorder_at: 10, reorder_quantity: 14, lead_days: 9}}
  schedule:
    infusion: {arms: [one], at: {clinic: infusion}, day: 1, window_days: [0, 4]}
    injections: {arms: [two], at: {clinic: injection, ward: ward_injection}, day: 1, every_days: 2,
                 times: 4, cycle_days: 14, cycles: 2, window_days: [-1, 1], min_days_between: 1,
                 after_window: miss, dose: 5}
    call: {arms: [two], at: {clinic: check}, days: [15, 19], gives: []}
    week_4: {at: {clinic: check}, day: 29, window_days: [-2, 2]}
    last_look: {at: {clinic: check}, from: leaving, for: [moves], day: 1, window_days: [0, 9]}
    bleed: {at: {clinic: check}, from: {row: injections}, day: 1}
  unscheduled: {fever: {at: {ward: look_at_fever}}}
  monitoring: {visit: audit, every_days: 28}
  booking: {by: arrival, ahead_days: 20, length: 1.2}
  visits:
    chart_review: [read]
    screening_visit: [discuss_consent, draw_blood, {later: enter}]
    eligibility_call: [randomise]
    look_first: [look]
    infusion: [prepare, infuse]
    injection: [inject]
    ward_injection: {title: On the ward, tasks: [inject, {later: enter}]}
    check: [look]
    look_at_fever: [treat]
    audit: [show, {later: enter}]
  tasks:
    read: [coordinator]
    discuss_consent: [coordinator]
    draw_blood: [nurse]
    enter: [coordinator]
    randomise: [coordinator]
    prepare: [coordinator]
    infuse: [bed, nurse]
    inject: [nurse]
    look: [coordinator]
    treat: [nurse]
    show: {title: Show it, team: [{any_of: [nurse, coordinator]}]}
assumptions:
  recruitment:
    candidates_per_month: {value: 15, range: [4, 20], evidence: expert, source: A guess}
    rate_shape: 4
    waves: {sd: 0.5, calm: 0.2}
    season: {winter: 1.1, spring: 0.9, summer: 0.8, autumn: 1.2}
    disruptions: {flood: {from: 2024-02-01, to: 2024-03-15, times: 0.5}}
    consent: 0.9
  patients:
    female: {probability: 0.6}
    comorbidity: {probability: 0.3, among: female}
    weight_kg: {family: normal, mean: 57, sd: 9, low: 40, high: 90}
    strength: {family: uniform, low: 0, high: 10, whole: false}
    luck: {family: triangular, low: 0, mode: 5, high: 10}
    a: {family: fixed, value: 2}
    b: {family: normal, mean: 2, sd: 1, low: 0, high: 4, whole: true}
    c: {family: lognormal, median: 3, sigma: 1, low: 0.5, high: 10}
    d: {family: exponential, mean: 5, low: 0.2, high: 20}
    e: {family: weibull, shape: 1.5, scale: 4, low: 0.2, high: 20}
    f: {family: gamma, mean: 4, shape: 2, low: 0.2, high: 20}
    g: {family: empirical, values: [0, 2, 3], weights: [1, 2, 2]}
    h: {family: triangular, low: 0, mode: 2, high: 4, whole: true}
  screening: {contact_days: 2, lab_days: 3, work_up_days: 6, valid_for_days: 9, withdraws: 0.1,
              rescreens: {of: [a, b, c], share: 0.6, after_days: 9, times: 1}}
  to_first_dose_days: {one: 5, two: 1}
  products: {cells: {fails_release: 0.3}}
  attendance: {check: {early_or_late_days: {family: normal, mean: 0, sd: 2}, missed: 0.1,
                       notice: 0.5}}
  leaving: {moves: {by_week: 4, share: {one: 0.2, two: 0.3}}}
  stops_treatment: {by_week: 2, share: 0.3}
  unscheduled: {fever: {by_week: 4, per_participant: {one: 0.5, two: 1.5}}}
  overhead: {coordinator: 0.2}
  durations_minutes:
    {read: 20, discuss_consent: [10, 20, 60], draw_blood: 10, enter: 90, randomise: 20, prepare: 30,
     infuse: 60, inject: 15, look: 30, treat: 25, show: 60}
targets:
  enough: {measure: randomised, at_least: 8, with_probability: 0.5}
  little: {measure: coordinator_hours, at_most: 40, with_probability: 0.9}
go_no_go: {target: enough, at_months: [2, 4], below: 0.2}
observed: {reasons: {hurried: consent}}
"""

ONLY_TOLD = {
    ("Scenario", "scenario"),  # names the folder
    ("TrialPlan", "registry_id"),
    ("TrialPlan", "site"),
    ("Known", "evidence"),
    ("Known", "source"),
}

CHANGES: dict[str, Any] = {
    "design.trial.opens": date(2024, 1, 8),
    "design.trial.recruits_until": date(2024, 3, 31),
    "design.trial.closes": date(2024, 11, 30),
    "design.trial.target": 6,
    "design.trial.when_full": "turn_away",
    "design.trial.milestones": [3, 7],
    "design.places.clinic.country": "none",
    "design.places.clinic.days": ["mon", "tue"],
    "design.places.clinic.closures.0.from": date(2024, 4, 20),
    "design.places.clinic.closures.0.to": date(2024, 6, 20),
    "design.places.clinic.closures.0.hours": "08:00-09:00",
    "design.places.clinic.openings.0.from": date(2024, 2, 1),
    "design.places.clinic.openings.0.to": date(2024, 6, 1),
    "design.places.clinic.openings.0.hours": "11:00-24:00",
    "design.staff.coordinator.people": 2,
    "design.staff.coordinator.hours": "always",
    "design.staff.nurse.hours": 10,
    "design.rooms.bed.spaces": 0,
    "design.rooms.bed.hours": {"mon": "08:00-12:00"},
    "design.staff.coordinator.away.0.from": date(2024, 7, 22),
    "design.staff.coordinator.away.0.to": date(2024, 7, 22),
    "design.staff.coordinator.away.0.people": 2,
    "design.staff.coordinator.away.0.hours": "00:00-09:00",
    "design.staff.coordinator.changes.0.from": date(2024, 3, 1),
    "design.staff.coordinator.changes.0.people": 3,
    "design.staff.coordinator.changes.0.hours": 20,
    "design.rooms.bed.closures.0.from": date(2024, 5, 1),
    "design.rooms.bed.closures.0.to": date(2024, 7, 31),
    "design.rooms.bed.closures.0.spaces": 2,
    "design.rooms.bed.closures.0.hours": "08:00-09:00",
    "design.rooms.bed.changes.0.from": date(2024, 1, 15),
    "design.rooms.bed.changes.0.spaces": 1,
    "design.rooms.bed.changes.0.hours": 20,
    "design.screening.0.paperwork": "eligibility_call",
    "design.screening.3.name": "second",
    "design.screening.3.visit": "audit",
    "design.screening.3.at": "clinic",
    "design.screening.3.after_days": 9,
    "design.screening.3.gives": None,
    "design.eligibility.well.at": "labs",
    "design.eligibility.well.without": "female",
    "design.eligibility.strong.strength.above": 6,
    "design.eligibility.strong.strength.at_most": 6,
    "design.eligibility.lucky.luck.at_least": 5,
    "design.eligibility.lucky.luck.below": 5,
    "design.randomisation.method": "simple",
    "design.randomisation.block_sizes": [2],
    "design.randomisation.ratio": {"one": 3, "two": 1},
    "design.randomisation.strata": [],
    "design.randomisation.caps.strong.at_most": 2,
    "design.randomisation.caps.strong.strength.above": 3,
    "design.randomisation.caps.strong.female": True,
    "design.arms.one.product": "drug",
    "design.products.cells.dose": 3.0,
    "design.products.cells.per": "participant",
    "design.products.cells.unit": "million cells",
    "design.products.cells.order_ahead_days": 20,
    "design.products.cells.doses_per_week": 0,
    "design.products.cells.use_within_minutes": 5,
    "design.products.drug.units_per_vial": 5,
    "design.products.drug.dispensed_per": "dose",
    "design.products.drug.stock.starts_with": 3,
    "design.products.drug.stock.reorder_at": 1,
    "design.products.drug.stock.reorder_quantity": 40,
    "design.products.drug.stock.lead_days": 21,
    "design.schedule.infusion.arms": ["one", "two"],
    "design.schedule.infusion.at": {"ward": "infusion"},
    "design.schedule.infusion.day": 3,
    "design.schedule.call.days": [15, 22],
    "design.schedule.week_4.from": "randomisation",
    "design.schedule.last_look.for": ["tires"],
    "design.schedule.bleed.from.row": "week_4",
    "design.schedule.bleed.from.visit": "last",
    "design.schedule.call.gives": "drug",
    "design.schedule.injections.dose": 6,
    "design.schedule.injections.every_days": 3,
    "design.schedule.injections.times": 3,
    "design.schedule.injections.cycle_days": 21,
    "design.schedule.injections.cycles": 3,
    "design.schedule.injections.window_days": [0, 0],
    "design.schedule.injections.min_days_between": 3,
    "design.schedule.injections.after_window": "attend",
    "design.unscheduled.fever.at": {"clinic": "look_at_fever"},
    "design.booking.by": "appointment",
    "design.monitoring.visit": "check",
    "design.monitoring.every_days": 14,
    "design.visits.ward_injection.tasks.1.later": "draw_blood",
    "design.tasks.look": ["nurse"],
    "design.tasks.show.team.0.any_of": ["coordinator", "nurse"],
    "assumptions.uncertain": "none",
    "assumptions.recruitment.candidates_per_month.value": 5,
    "assumptions.recruitment.rate_shape": 8,
    "assumptions.recruitment.waves.sd": 1.5,
    "assumptions.recruitment.waves.calm": 0.9,
    "assumptions.recruitment.season.winter": 2,
    "assumptions.recruitment.season.spring": 2,
    "assumptions.recruitment.season.summer": 2,
    "assumptions.recruitment.season.autumn": 2,
    "assumptions.recruitment.disruptions.flood.from": date(2024, 1, 10),
    "assumptions.recruitment.disruptions.flood.to": date(2024, 4, 15),
    "assumptions.recruitment.disruptions.flood.times": 0,
    "assumptions.recruitment.consent": 0.5,
    "assumptions.patients.female.probability": 0.2,
    "assumptions.patients.comorbidity.among": None,
    "assumptions.patients.strength.low": -5,
    "assumptions.patients.strength.high": 5,
    "assumptions.patients.strength.whole": True,
    "assumptions.patients.luck.low": -10,
    "assumptions.patients.luck.mode": 10,
    "assumptions.patients.luck.high": 20,
    "assumptions.patients.a.value": 0,
    "assumptions.patients.b.mean": 1,
    "assumptions.patients.b.sd": 3,
    "assumptions.patients.b.low": 2,
    "assumptions.patients.b.high": 1.2,
    "assumptions.patients.b.whole": False,
    "assumptions.patients.c.median": 1,
    "assumptions.patients.c.sigma": 3,
    "assumptions.patients.c.low": 2,
    "assumptions.patients.c.high": 1,
    "assumptions.patients.d.mean": 1,
    "assumptions.patients.d.low": 2,
    "assumptions.patients.d.high": 1,
    "assumptions.patients.d.whole": True,
    "assumptions.patients.e.shape": 0.5,
    "assumptions.patients.e.scale": 1,
    "assumptions.patients.e.low": 2,
    "assumptions.patients.e.high": 1,
    "assumptions.patients.e.whole": True,
    "assumptions.patients.f.mean": 1,
    "assumptions.patients.f.shape": 0.4,
    "assumptions.patients.f.low": 2,
    "assumptions.patients.f.high": 1,
    "assumptions.patients.f.whole": True,
    "assumptions.patients.g.values": [0, 0, 3],
    "assumptions.patients.g.weights": [5, 1, 1],
    "assumptions.patients.h.whole": False,
    "assumptions.patients.c.whole": True,
    "assumptions.screening.contact_days": 12,
    "assumptions.screening.lab_days": 12,
    "assumptions.screening.work_up_days": 1,
    "assumptions.screening.valid_for_days": 30,
    "assumptions.screening.withdraws": 0.6,
    "assumptions.screening.rescreens.of": ["d"],
    "assumptions.screening.rescreens.share": 0.1,
    "assumptions.screening.rescreens.after_days": 60,
    "assumptions.screening.rescreens.times": 3,
    "assumptions.to_first_dose_days.two": 9,
    "assumptions.products.cells.fails_release": 0.8,
    "assumptions.attendance.check.early_or_late_days": 0,
    "assumptions.attendance.check.missed": 0.8,
    "assumptions.leaving.moves.by_week": 1,
    "assumptions.leaving.moves.share": 0.9,
    "assumptions.stops_treatment.by_week": 20,
    "assumptions.stops_treatment.share": 0.9,
    "assumptions.unscheduled.fever.by_week": 2,
    "assumptions.unscheduled.fever.per_participant": 3,
    "assumptions.overhead.coordinator": 0.4,
    "assumptions.durations_minutes.look": 45,
    "targets.enough.measure": "screened",
    "targets.enough.at_least": 11,
    "targets.little.at_most": 60,
    "targets.enough.with_probability": 0.9,
    "go_no_go.at_months": [2, 3],
}


RATE = ("assumptions", "recruitment", "candidates_per_month")
CONSENT = "assumptions.recruitment.consent"
GRID = {"vary": {CONSENT: {"low": 0.5, "high": 0.9, "number": 3}, "design.trial.target": [9, 12]}}
DESIGN = {"design": "lhs", "points": 12, "on": "enough"}
TORNADO = {"tornado": True}

PLANS: dict[tuple[str, ...], tuple[dict[str, Any], Any]] = {
    ("sweep", "vary", CONSENT, "low"): (GRID, 0.6),
    ("sweep", "vary", CONSENT, "high"): (GRID, 0.8),
    ("sweep", "vary", CONSENT, "number"): (GRID, 2),
    ("sweep", "vary", "design.trial.target"): (GRID, [9]),
    ("sweep", "vary"): (GRID, {CONSENT: [0.5]}),
    ("sweep", "design"): (DESIGN, "morris"),
    ("sweep", "points"): (DESIGN, 13),
    ("sweep", "on"): (DESIGN, "little"),
    ("sweep", "tornado"): (TORNADO, False),
    (*RATE, "range"): (TORNADO, [5, 20]),
}
"""What changes the plan of a sweep: in which one, and into what."""


BY_APPOINTMENT: dict[str, Any] = {
    "design.booking.ahead_days": 3,
    "design.booking.length": 2,
    "assumptions.attendance.check.notice": 1,
}
"""What changes a table where a coordinator books, and nothing by arrival."""

MINIMISED: dict[str, Any] = {
    "design.randomisation.minimisation.probability": 1,
    "design.randomisation.minimisation.imbalance": "variance",
    "design.randomisation.minimisation.weights.luck": 5,
}
"""What changes a table by minimisation, and nothing in blocks."""

SWITCHED = {path: ("booking", {"by": "appointment"}) for path in BY_APPOINTMENT} | {
    path: ("randomisation", {"method": "minimisation"}) for path in MINIMISED
}
"""Of what changes nothing by itself: in which section of the design what makes it matter stands."""


RULE: dict[str, Any] = {"go_no_go.target": "little", "go_no_go.below": 0.9}
"""What changes a table that fewer than 100 replications do not have, and no replication."""


LOG: dict[str, Any] = {"observed.reasons": {"hurried": "lucky"}}
"""What changes how a log of the trial is read, and no table."""


def everything(**more: object) -> dict[str, Any]:
    return deepcopy({**_written(), **more})


@cache
def _written() -> dict[str, Any]:
    written: dict[str, Any] = YAML(typ="safe").load(EVERYTHING)
    return written


def changed(path: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 -- plain data
    return _changed(everything(), path.split("."), value)


def _changed(written: dict[str, Any], path: Sequence[str], value: object) -> dict[str, Any]:
    *parents, key = path
    place: Any = written
    for parent in parents:
        place = place[int(parent) if parent.isdigit() else parent]
    assert isinstance(place, list) or place.get(key) != value
    place[key] = value
    return written


@pytest.fixture(scope="module", autouse=True)
def _none_with_the_rate_known() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(experiment, "BESIDE", 0)
        yield


def outcome(written: dict[str, Any], replications: int) -> Results:
    scenario = Scenario.model_validate(written)
    return replicate(scenario, replications=replications, jobs=1)


@cache
def as_written(replications: int) -> Results:
    return outcome(everything(), replications)


def differs(written: dict[str, Any], replications: int) -> bool:
    return differ(as_written(replications), outcome(written, replications))


def differ(one: Results, other: Results) -> bool:
    """Whether some table differs; those of the measures are looked at first, and cost least."""
    ours, theirs = one.measures, other.measures
    if ours.keys() != theirs.keys():
        return True
    if not all(np.array_equal(ours[name], theirs[name], equal_nan=True) for name in ours):
        return True
    built = tables.build(other)
    return any(not frame.equals(built[name]) for name, frame in tables.build(one).items())


@pytest.mark.parametrize("path", CHANGES)
def test_a_key_changes_a_table(path: str) -> None:
    written = changed(path, CHANGES[path])
    assert differs(written, 1) or differs(written, 40)  # most show in the first replication


@pytest.mark.parametrize("path", SWITCHED)
def test_a_key_of_another_way_changes_a_table_there(path: str) -> None:
    before, after = everything(), changed(path, (BY_APPOINTMENT | MINIMISED)[path])
    assert not differs(after, 6)
    section, way = SWITCHED[path]
    for each in (before, after):
        each["design"][section].update(way)
    assert differ(outcome(before, 6), outcome(after, 6))


@pytest.fixture(scope="module")
def a_hundred() -> Results:
    return replicate(Scenario.model_validate(everything()), replications=100, jobs=1)


@pytest.mark.parametrize("path", RULE)
def test_a_key_of_the_rule_changes_a_table(path: str, a_hundred: Results) -> None:
    before = tables.build(a_hundred)["triggers.csv"]
    a_hundred.scenario = Scenario.model_validate(changed(path, RULE[path]))

    assert not tables.build(a_hundred)["triggers.csv"].equals(before)


@pytest.mark.parametrize("path", LOG)
def test_a_key_changes_how_a_log_is_read_and_no_table(path: str, tmp_path: Path) -> None:
    log, day = tmp_path / "log.csv", date(2024, 3, 1)
    log.write_text(f"referred,ended_screening,reason\n{day},{day},hurried\n", encoding="utf-8")
    before, after = map(Scenario.model_validate, (everything(), changed(path, LOG[path])))

    assert read_log(log, before, day).people != read_log(log, after, day).people
    assert not differs(changed(path, LOG[path]), 6)


@pytest.mark.parametrize("path", PLANS, ids=".".join)
def test_a_key_changes_a_plan(path: tuple[str, ...]) -> None:
    sweep, value = PLANS[path]
    assert planned(_changed(everything(sweep=sweep), path, value)) != planned(
        everything(sweep=sweep)
    )


def planned(written: dict[str, Any]) -> tuple[object, ...]:
    try:
        scenario = Scenario.model_validate(written)
    except ValidationError as refused:  # `tornado: false` alone: a sweep of no kind has no plan
        return (refused.errors()[0]["msg"],)
    assert scenario.sweep is not None
    found = plan(scenario, scenario.sweep.asked, seed=1)
    return list(found.places), found.design, found.on


def test_a_sweep_changes_no_table_and_no_digest() -> None:
    swept = Scenario.model_validate(everything(sweep=GRID))
    assert swept.digest() == Scenario.model_validate(everything()).digest()
    assert not differs(everything(sweep=GRID), 6)


def test_every_key_of_the_schema_is_changed_or_only_tells_something() -> None:
    whole = Scenario.model_validate(everything())
    reached = {
        key for path in CHANGES | SWITCHED | RULE | LOG for key in keys_on(whole, path.split("."))
    }
    for path, (sweep, _) in PLANS.items():
        reached.update(keys_on(Scenario.model_validate(everything(sweep=sweep)), path))
    titles = {key for key in all_keys() if key[1] == "title"}
    containers = {(type(part).__name__, name) for part, name in holders()}
    assert {key for key in all_keys() if key not in reached | containers} == ONLY_TOLD | titles


def all_keys() -> set[tuple[str, str]]:
    """Return every (section, key) of a scenario; a folder's manifest has sections of its own."""
    return {
        (kind.__name__, name)
        for kind in _kinds(Section)
        if kind.__module__.startswith("sim.scenario.")
        if kind is Known or not (kind.__name__.startswith("_") or issubclass(kind, Known))
        if kind.__module__.startswith("sim.scenario.")  # a manifest has keys of its own
        for name in kind.model_fields
        if name != "family"
    }


def keys_on(part: Any, path: Sequence[str]) -> Iterator[tuple[str, str]]:  # noqa: ANN401 -- sections
    """Return the (section, key) that the path ends in, and those of a quantity written bare."""
    for step in path:
        if isinstance(part, Section):
            yield type(part).__name__, _field(part, step)
            part = getattr(part, _field(part, step))
        elif isinstance(part, Remembering):
            yield "Known", step
            return
        else:
            part = part[int(step) if step.isdigit() else step]
    if isinstance(part, Remembering):
        yield "Known", "value"


def holders() -> Iterator[tuple[Section, str]]:
    """Yield the keys whose value is nothing but other sections."""
    todo: list[Any] = [Scenario.model_validate(everything())]
    while todo:
        part = todo.pop()
        if isinstance(part, Section):
            for name in type(part).model_fields:
                value = getattr(part, name)
                todo.append(value)
                if isinstance(value, Section) or _holds_sections(value):
                    yield part, name
        elif isinstance(part, dict):
            todo += part.values()
        elif isinstance(part, tuple):
            todo += part


def _holds_sections(value: object) -> bool:
    return isinstance(value, dict) and isinstance(next(iter(value.values()), None), Section)


def _field(part: Section, key: str) -> str:
    fields = type(part).model_fields
    return next((name for name, field in fields.items() if field.alias == key), key)


def _kinds(kind: type[Section]) -> Iterator[type[Section]]:
    for each in kind.__subclasses__():
        yield each
        yield from _kinds(each)
