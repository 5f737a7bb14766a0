"""Screening in the steps a protocol names: stories with one equality on the log each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sim.experiments.doubts import doubts
from sim.model.chance import Chance
from sim.model.participant import journey
from sim.model.trial import Trial
from sim.results.counts import COUNTS
from sim.results.measures import measure
from sim.results.periods import Almanac
from sim.results.replication import Reading
from sim.scenario.interpret import interpret
from sim.scenario.load import ScenarioError, load
from sim.vocabulary.eventlog import Milestone, Moment, Movement
from tests.test_journey import instant, milestones, protocol, told

DIARY: dict[str, Any] = {
    "design.places": {"clinic": {"days": ["mon", "tue", "wed", "thu", "fri"]}, "ward": {}},
    "design.visits.start_run_in": ["discuss_consent", "draw_blood"],
    "design.visits.count_diary": ["count"],
    "design.visits.baseline": ["look_first", "randomise"],
    "design.staff.nurse.hours": {"mon-sun": "08:00-18:00"},
    "design.tasks.count": ["nurse"],
    "design.tasks.look_first": ["coordinator"],
    "assumptions.durations_minutes.count": 10,
    "assumptions.durations_minutes.look_first": 20,
    "assumptions.patients.hot_flushes": 50,
    "assumptions.patients.placebo_response": {"probability": 0},
    "design.eligibility": {
        "adult": {"at": "chart", "age": {"at_least": 18}},
        "proteinuria": {"at": "results", "upcr": {"above": 1.0}},
        "no_response": {"at": "run_in", "without": "placebo_response"},
        "flushes": {"at": "baseline", "hot_flushes": {"at_least": 49}},
    },
    "design.screening": [
        {"name": "chart", "paperwork": "chart_review"},
        {"name": "consent", "visit": "start_run_in"},
        {"name": "results"},
        {"name": "run_in", "visit": "count_diary", "at": "ward", "after_days": 7},
        {"name": "baseline", "visit": "baseline"},
    ],
}
"""A diary of seven days that begins with the results, and randomisation at a second visit."""

PEOPLE = 4_000

BOOKED = {"design.booking": {"by": "appointment"}}
HOW = pytest.mark.parametrize("booked", [{}, BOOKED], ids=["by arrival", "by appointment"])


def days(trial: Trial) -> list[str]:
    """Return what happened on which day."""
    return [line.rsplit(" ", 1)[0] for line in milestones(trial)]


def steps(trial: Trial) -> list[str]:
    """Return the visits of screening, each with its place and day."""
    return [
        " ".join([visit.row, visit.place, instant(trial, visit.time)[:6]]).replace("  ", " ")
        for visit in trial.log.visits
        if visit.arm == -1
    ]


def judged(trial: Trial) -> list[str]:
    """Return at which steps the person was judged."""
    return [what.detail[0] for what in trial.log.moments if what.milestone is Milestone.JUDGED]


@HOW
def test_every_step_follows_the_one_before(booked: dict[str, Any]) -> None:
    """Blood on Tuesday 5, results after two days, seven days of a diary, the baseline at once.

    The last step comes `work_up_days` (3) after the one before it: on Sunday 17, so on Monday.
    """
    trial = told({**DIARY, **booked})
    assert steps(trial) == [
        "chart_review Mon 04",
        "start_run_in clinic Tue 05",
        "count_diary ward Thu 14",
        "baseline clinic Mon 18",
    ]
    assert judged(trial) == ["chart", "results", "run_in", "baseline"]
    assert days(trial)[:4] == [
        "CANDIDATE Mon 04",
        "CONSENTED Tue 05",
        "SCREENED Tue 05",
        "RANDOMISED Mon 18",
    ]


@HOW
@pytest.mark.parametrize(
    ("attribute", "value", "ends", "held"),
    [
        ("age", 17, "NOT_ELIGIBLE_ON_CHART Mon 04", 1),
        ("upcr", 1.0, "SCREEN_FAILED Thu 07", 2),
        ("placebo_response", {"probability": 1}, "SCREEN_FAILED Thu 14", 3),
        ("hot_flushes", 48, "SCREEN_FAILED Mon 18", 4),
    ],
)
def test_who_fails_at_a_step_goes_no_further(
    attribute: str, value: object, ends: str, held: int, booked: dict[str, Any]
) -> None:
    trial = told({**DIARY, **booked, f"assumptions.patients.{attribute}": value})
    assert days(trial)[-1] == ends
    assert len(steps(trial)) == held
    assert "randomise" not in {work.task for work in trial.log.work}


@HOW
@pytest.mark.parametrize("last", ["visit", "paperwork"])
def test_who_fails_at_the_last_step_is_not_randomised_at_it(
    last: str, booked: dict[str, Any]
) -> None:
    changes = {**DIARY, **booked, "assumptions.patients.hot_flushes": 48}
    changes["design.visits.baseline"] = ["look_first", "randomise", "count"]
    changes["design.screening"] = [
        *DIARY["design.screening"][:-1],
        {"name": "baseline", last: "baseline"},
    ]
    trial = told(changes)
    assert [work.task for work in trial.log.work if work.visit == "baseline"] == ["look_first"]
    assert days(trial)[-1] == "SCREEN_FAILED Mon 18"


@HOW
def test_who_withdraws_between_two_visits_does_not_come_to_the_second(
    booked: dict[str, Any],
) -> None:
    trial = told({**DIARY, **booked, "assumptions.screening.withdraws": 1})
    (withdrew,) = met(trial, Milestone.WITHDREW_IN_SCREENING)
    assert not met(trial, Milestone.RANDOMISED)
    assert all(visit.time <= withdrew for visit in trial.log.visits)


@HOW
def test_who_withdraws_while_the_team_is_away_is_not_seen(
    booked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The diary is to be counted on Thursday 14, and nobody can before Monday 25."""
    friday = 11.5 * 1440.0
    monkeypatch.setattr(Chance, "withdraws_at", lambda *_: friday)
    away = {"from": date(2024, 3, 14), "to": date(2024, 3, 24)}
    trial = told({**DIARY, **booked, "design.staff.nurse.away": [away]})
    assert steps(trial) == ["chart_review Mon 04", "start_run_in clinic Tue 05"]
    assert milestones(trial)[-1] == "WITHDREW_IN_SCREENING Fri 15 12:00"


@HOW
def test_blood_is_drawn_again_at_the_step_that_drew_it_last(booked: dict[str, Any]) -> None:
    """Results of the 5th are too old on the 18th: drawn again then, and there two days later."""
    trial = told({**DIARY, **booked, "assumptions.screening.valid_for_days": 10,
                  "assumptions.screening.contact_days": 1,
                  "assumptions.screening.lab_days": 2,
                  "assumptions.screening.work_up_days": 3})  # fmt: skip
    assert steps(trial)[-2:] == ["repeat_blood clinic Mon 18", "baseline clinic Wed 20"]


def test_a_full_trial_turns_away_at_the_next_step() -> None:
    full = {"design.trial.target": 1, "design.trial.when_full": "turn_away"}
    trial = Trial(protocol({**DIARY, **full}), 1, 1)
    for person, arrival in enumerate((540.0, 540.0 + 2 * 1440)):
        trial.agenda.begin(journey(person, arrival, trial))
    trial.agenda.run(until=trial.protocol.clock.end_minutes)
    assert [(each.person, each.milestone.name) for each in ends(trial.log.moments)] == [
        (0, "RANDOMISED"),
        (1, "TURNED_AWAY"),
    ]


def test_a_visit_held_at_two_steps_has_luck_of_its_own_each_time() -> None:
    law = {"family": "exponential", "mean": 10}
    changes = {
        **DIARY,
        "assumptions.durations_minutes.count": law,
        "design.visits.baseline": ["randomise"],
    }
    changes["design.screening"] = [
        *DIARY["design.screening"][:-1],
        {"name": "again", "visit": "count_diary", "at": "ward", "after_days": 7},
        {"name": "baseline", "paperwork": "baseline"},
    ]
    trial = told(changes)
    counted = [work.minutes for work in trial.log.work if work.task == "count"]
    assert len(set(counted)) == len(counted) == 2
    assert [visit.row for visit in trial.log.visits][2:4] == ["count_diary", "count_diary#2"]


def test_the_usual_steps_may_be_written_out() -> None:
    written = [
        {"name": "chart", "paperwork": "chart_review"},
        {"name": "visit", "visit": "screening_visit"},
        {"name": "labs"},
        {"name": "call", "paperwork": "eligibility_call"},
    ]
    usual, same = told(), told({"design.screening": written})
    assert usual.log.moments == same.log.moments
    assert usual.log.work == same.log.work
    assert usual.log.visits == same.log.visits


HANDED_OUT = {
    **DIARY,
    "design.products.placebo": {"dose": 7, "unit": "capsules", "units_per_vial": 4},
    "design.screening": [
        {**step, **({"gives": "placebo"} if step["name"] == "consent" else {})}
        for step in DIARY["design.screening"]
    ],
}
SHELF = {"starts_with": 1, "reorder_at": 0, "reorder_quantity": 3, "lead_days": 6}


@HOW
def test_a_step_hands_out_its_product_in_whole_vials(booked: dict[str, Any]) -> None:
    trial = told({**HANDED_OUT, **booked})
    handed = [(each.movement, each.product, each.vials) for each in trial.log.supplies]
    assert handed == [(Movement.DISPENSED, 1, 2)]
    assert measure(trial.log, trial.protocol)["vials_placebo"] == 2
    assert measure(trial.log, trial.protocol)["doses_placebo"] == 0


@HOW
def test_who_does_not_pass_a_step_is_handed_nothing(booked: dict[str, Any]) -> None:
    trial = told({**HANDED_OUT, **booked, "assumptions.recruitment.consent": 0})
    assert not trial.log.supplies


@HOW
def test_a_step_waits_for_a_product_that_is_out_of_stock(booked: dict[str, Any]) -> None:
    """Ordered on Tuesday 5, and there on Monday 11."""
    trial = told({**HANDED_OUT, **booked, "design.products.placebo.stock": SHELF})
    assert steps(trial)[1] == "start_run_in clinic Mon 11"
    assert [each.movement for each in trial.log.supplies] == [
        Movement.DELIVERED,
        Movement.OUT_OF_STOCK,
        Movement.DISPENSED,
    ]


@HOW
def test_a_urine_of_24_hours_is_brought_back(booked: dict[str, Any]) -> None:
    """Results on Thursday 7, the urine a day later on Friday 8, and the diary from then on."""
    urine = {"name": "urine_24h", "visit": "measure_urine", "after_days": 1}
    chart, consent, results, *later = DIARY["design.screening"]
    trial = told(
        {
            **DIARY,
            **booked,
            "design.screening": [chart, consent, results, urine, *later],
            "design.visits.measure_urine": ["count"],
        }
    )
    assert steps(trial)[2:4] == ["measure_urine clinic Fri 08", "count_diary ward Fri 15"]


AGAIN = {
    "assumptions.screening.rescreens": {"of": ["proteinuria"], "share": 1, "after_days": 10},
    "assumptions.patients.upcr": {"family": "uniform", "low": 0, "high": 3},
}


@pytest.fixture
def proteinuria(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the person have these values, one after the other, whatever is drawn."""
    values: list[float] = []
    drawn = Chance.attributes

    def attributes(chance: Chance, person: int, attempt: int) -> dict[str, float]:
        return {**drawn(chance, person, attempt), "upcr": values[attempt - 1]}

    monkeypatch.setattr(Chance, "attributes", attributes)
    return values


@HOW
def test_who_comes_again_takes_every_step_again(
    booked: dict[str, Any], proteinuria: list[float]
) -> None:
    """Fails on Thursday 7, and comes again on Sunday 17: the chart is read on Monday 18."""
    proteinuria += [0.5, 2.0]
    trial = told({**AGAIN, **booked})
    assert days(trial)[:8] == [
        "CANDIDATE Mon 04",
        "CONSENTED Tue 05",
        "SCREENED Tue 05",
        "SCREEN_FAILED Thu 07",
        "RESCREENED Sun 17",
        "CONSENTED Tue 19",
        "SCREENED Tue 19",
        "RANDOMISED Mon 25",
    ]
    rows = [(visit.row, visit.number) for visit in trial.log.visits if visit.arm == -1]
    once = ["chart_review", "screening_visit"]
    assert rows == [(row, 1) for row in once] + [(row, 2) for row in [*once, "eligibility_call"]]


def test_nobody_comes_again_more_often_than_they_may(proteinuria: list[float]) -> None:
    proteinuria += [0.5] * 4
    trial = told({**AGAIN, "assumptions.screening.rescreens.times": 2})
    assert [line.split()[0] for line in milestones(trial)].count("RESCREENED") == 2
    assert milestones(trial)[-1].startswith("SCREEN_FAILED")
    assert measure(trial.log, trial.protocol)["screen_failed"] == 1


def test_who_fails_something_else_first_does_not_come_again(proteinuria: list[float]) -> None:
    proteinuria += [0.5] * 2
    trial = told({**AGAIN, "assumptions.patients.comorbidity.probability": 1})
    assert milestones(trial)[-1].startswith("SCREEN_FAILED Tue 05")


def test_nobody_comes_again_when_recruitment_is_over(proteinuria: list[float]) -> None:
    proteinuria += [0.5] * 2
    trial = told({**AGAIN, "design.trial.recruits_until": date(2024, 3, 16)})
    assert milestones(trial)[-1].startswith("SCREEN_FAILED Thu 07")


def test_nobody_comes_again_when_the_trial_is_full(
    proteinuria: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    proteinuria += [0.5] * 2
    monkeypatch.setattr(Trial, "is_full", True)
    assert milestones(told(AGAIN))[-1].startswith("SCREEN_FAILED Thu 07")


def test_the_share_that_comes_again_is_found() -> None:
    """Half fail at each attempt, and of these 0.6 come again once: 0.5 + 0.5 × 0.6 × 0.5 get in."""
    again = {"of": ["proteinuria"], "share": 0.6, "after_days": 10}
    law = {"assumptions.screening.rescreens": again, "assumptions.patients.upcr.high": 2}
    asked = protocol({**AGAIN, **law, "assumptions.screening.withdraws": 0})
    attempts, inside = 0, 0
    for person in range(PEOPLE):
        chance = Chance(asked, 1, 1)
        first, second = (chance.attributes(person, attempt)["upcr"] > 1 for attempt in (1, 2))
        comes = not first and chance.comes_again(person, 1, "proteinuria") < math.inf
        attempts += comes
        inside += first or (comes and second)
    for found, expected in ((attempts, 0.3), (inside, 0.65)):
        assert abs(found / PEOPLE - expected) < 3 * (expected * (1 - expected) / PEOPLE) ** 0.5


def test_only_what_the_criteria_look_at_is_drawn_anew() -> None:
    chance = Chance(protocol(AGAIN), 1, 1)
    first, second, third = (chance.attributes(7, attempt) for attempt in (1, 2, 3))
    assert first == Chance(protocol({**AGAIN, "assumptions.screening": {}}), 1, 1).attributes(7, 1)
    assert {**first, "upcr": 0} == {**second, "upcr": 0}
    assert len({first["upcr"], second["upcr"], third["upcr"]}) == 3


def test_the_last_attempt_counts_and_all_are_in_a_table_of_their_own(
    proteinuria: list[float],
) -> None:
    proteinuria += [0.5, 2.0]
    trial = told(AGAIN)
    found = measure(trial.log, trial.protocol)
    counted = ("candidates", "consented", "screened", "screen_failed", "randomised")
    assert [found[name] for name in counted] == [1, 1, 1, 0, 1]
    reading = Reading(trial.log, Almanac.of(trial.protocol))
    read: list[Any] = [COUNTS[name].gauges[0].read(reading) for name in ("funnel", "attempts")]
    funnel, attempts = read
    assert funnel["proteinuria", "reached"] == 1
    assert funnel["proteinuria", "failed_any"] == 0
    assert {cell for cell, number in attempts.items() if number} == {
        (1, "candidates"),
        (1, "screen_failed"),
        (2, "candidates"),
        (2, "randomised"),
    }


def met(trial: Trial, milestone: Milestone) -> list[float]:
    """Return when a milestone was met."""
    return [each.time for each in trial.log.moments if each.milestone is milestone]


def ends(moments: Iterable[Moment]) -> list[Moment]:
    """Return how screening ended for each."""
    ending = {Milestone.RANDOMISED, Milestone.TURNED_AWAY}
    return [each for each in moments if each.milestone in ending]


VISIT = "{name: visit, visit: screening_visit}"


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            "{name: visit, visit: screening_vist}",
            "[0].visit: 'screening_vist' is not defined; allowed",
        ),
        ("{name: visit, visit: screening_visit, at: klinic}", "did you mean clinic?"),
        (f"{VISIT}, {{name: visit}}", "[1].name: another step is called visit too"),
        ("{name: chart, paperwork: chart_review}", "the candidate comes to none of these steps"),
        (
            "{name: talk, visit: assessment}, {name: ask, visit: consent_visit}",
            "[1].visit: consent is asked at ask, and the first visit is at talk",
        ),
        (
            f"{VISIT}, {{name: call, paperwork: eligibility_call}}, {{name: labs}}",
            "[1].paperwork: randomise is done at call, before other steps",
        ),
        (
            "{name: one, visit: assessment, paperwork: chart_review}",
            "a step is a visit or paperwork",
        ),
        (f"{VISIT}, {{name: labs, at: clinic}}", "nobody comes to this step; allowed: at beside"),
        ("{name: visit, visit: screening_visit, gives: tablet}", "did you mean tablets?"),
        ("{name: visit, visit: screening_visit, gives: tablets}", "what a vial of tablets holds"),
        (f"{VISIT}, {{name: labs, gives: tablets}}", "nobody comes to this step"),
        (f"{VISIT}, {{name: labs, after_days: -1}}", "a time can come out negative here"),
    ],
)
def test_steps_that_contradict_each_other_are_refused_with_their_place(
    steps: str, message: str
) -> None:
    consent = "{tasks: {discuss_consent: []}, visits: {consent_visit: [discuss_consent]}}"
    with pytest.raises(ScenarioError) as refused:
        load(
            Path(__file__).parent / "small.yaml",
            [
                f"design={consent}",
                "assumptions.durations_minutes.discuss_consent=5",
                "design.eligibility={}",
                f"design.screening=[{steps}]",
            ],
        )
    (problem,) = map(str, refused.value.problems)
    assert "design.screening" in problem
    assert message in problem


def test_a_criterion_names_a_step_that_there_is() -> None:
    with pytest.raises(ScenarioError, match=r"adult\.at: 'chart' is not defined; allowed: visit"):
        load(Path(__file__).parent / "small.yaml", [f"design.screening=[{VISIT}]"])


def test_a_wait_that_no_step_waits_for_is_doubtful() -> None:
    scenario = load(
        Path(__file__).parent / "small.yaml",
        [
            "design.eligibility={}",
            "design.screening=[{name: visit, visit: screening_visit, after_days: 3}, {name: labs}]",
            "assumptions.screening={contact_days: 3, lab_days: 2}",
        ],
    )
    found = [each.path for each in doubts(scenario, interpret(scenario)) if each.key == "idle_wait"]
    assert found == [("assumptions", "screening", "contact_days")]


@pytest.mark.parametrize(
    ("rescreens", "message"),
    [
        ("{of: [adlt], share: 0.5}", "did you mean adult?"),
        ("{of: [adult, adult], share: 0.5}", "adult is named twice"),
        ("{of: [], share: 0.5}", "rescreens.of"),
        ("{of: [adult], share: 1.5}", "allowed: 1 or less"),
        ("{of: [adult], share: 0.5, times: 21}", "allowed: 20 or less"),
    ],
)
def test_rescreens_that_cannot_be_are_refused(rescreens: str, message: str) -> None:
    override = f"assumptions.screening.rescreens={rescreens}"
    with pytest.raises(ScenarioError, match=re.escape(message)):
        load(Path(__file__).parent / "small.yaml", [override])
