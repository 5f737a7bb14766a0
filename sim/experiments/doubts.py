"""What is probably not meant in a scenario. A doubt is like a fault, and stops nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from sim.experiments.implied import candidates, expected_randomised
from sim.scenario.checks import attributes_named
from sim.scenario.design import Randomisation
from sim.scenario.errors import Fault, KeyPath, closest
from sim.scenario.load import COMMAND_LINE
from sim.scenario.numbers import NO_TIME, Law
from sim.scenario.protocol import Protocol
from sim.scenario.schema import Scenario
from sim.scenario.section import references, walk
from sim.scenario.slots import Offer
from sim.scenario.steps import waits
from sim.scenario.timetable import too_soon
from sim.scenario.titles import same_titles
from sim.scenario.yaml_source import Document, Problem
from sim.vocabulary.clock import MINUTES_PER_DAY, Clock, PublicCalendar
from sim.vocabulary.eventlog import Milestone
from sim.vocabulary.words import Words

MOST_A_MONTH = 30
SHORTEST_MINUTES = 1
HALF = 0.5
LONGEST_BREAK_DAYS = 28
"""So long before the end a last possible day is a holiday at most; longer, it is for good."""

BODIES = {"age": (0, 120), "weight_kg": (0.3, 400)}
"""Between what half of the people are older, and heavier, by the attributes so called."""

RECRUITMENT = ("assumptions", "recruitment")


class Doubt(NamedTuple):
    """What is doubtful at an entry: a text under `[warning]`, and the facts that fill it."""

    path: KeyPath
    key: str
    facts: Mapping[str, object] = {}
    did_you_mean: str = ""

    def text(self, say: Words) -> str:
        """Return what is doubtful and what to do about it."""
        said = say(f"warning.{self.key}", **self.facts)
        return (
            say("warning.meant", said=said, name=self.did_you_mean) if self.did_you_mean else said
        )


def located_doubts(
    scenario: Scenario, protocol: Protocol, document: Document, say: Words
) -> list[Problem]:
    """Return all that is doubtful, each with its place, in the order of the file.

    `protocol` is what the scenario means, `document` what it was read from.
    """
    every = [*doubts(scenario, protocol), *_inherited(scenario, document)]
    return sorted(document.problem(Fault(each.path, each.text(say), "")) for each in every)


def doubts(scenario: Scenario, protocol: Protocol) -> Iterator[Doubt]:
    """Yield all that is doubtful in a scenario, wherever it was read from."""
    yield from _idle_names(scenario)
    yield from _idle_waits(scenario)
    yield from _allocation(scenario.design.randomisation)
    yield from _targets(scenario)
    yield from _out_of_reach(scenario)
    yield from _outside_the_trial(scenario)
    yield from _regions(scenario)
    yield from _tasks(scenario)
    yield from _bodies(scenario)
    for path, other in same_titles(scenario):
        yield Doubt(path, "same_title", {"name": other})
    yield from _recruitment(scenario, protocol)
    yield from _ends_early(scenario, protocol)
    never = set[Milestone | None]()
    if not protocol.reasons:
        never.add(Milestone.LEFT)
    if all(hazard.is_none for hazard in protocol.stopping):
        never.add(Milestone.STOPPED_TREATMENT)
    planned = {
        visit.row
        for arm in protocol.arms
        for visit in arm.visits
        if visit.anchor not in arm.anchors or arm.anchors[visit.anchor].milestone not in never
    }
    for name in scenario.design.schedule.keys() - planned:
        yield Doubt(("design", "schedule", name, "from"), "never_planned")
    for row in too_soon(scenario):
        facts = {"share": row.share, "arm": row.arm, "days": row.days_before}
        yield Doubt(row.path, "too_soon", facts)


def _idle_names(scenario: Scenario) -> Iterator[Doubt]:
    """Yield each name that is defined and that nothing puts to use.

    What only an idle name names is not idle itself: it is put to use once that name is.
    """
    design = scenario.design
    used = {
        (kind, name)
        for _, name, ref in references(scenario)
        if ref.is_use
        for kind in ref.kind.split()
    }
    used |= {("attribute", name) for _, name, _ in attributes_named(scenario)}
    used |= {("visit", name) for name in design.screening_visits}
    used |= {("place", name) for name in list(design.places)[:1]}
    named: dict[str, tuple[KeyPath, Mapping[str, object]]] = {
        "idle_place": (("design", "places"), design.places),
        "idle_role": (("design", "staff"), design.staff),
        "idle_room": (("design", "rooms"), design.rooms),
        "idle_product": (("design", "products"), design.products),
        "idle_event": (("design", "unscheduled"), design.unscheduled),
        "idle_visit": (("design", "visits"), design.visits),
        "idle_task": (("design", "tasks"), design.tasks),
        "idle_attribute": (("assumptions", "patients"), scenario.assumptions.patients),
    }
    for key, (path, names) in named.items():
        kind = key.removeprefix("idle_")
        meant = sorted(name for of, name in used if of == kind)
        for name in names:
            if (kind, name) not in used:
                yield Doubt((*path, name), key, {}, closest(name, meant))


def _idle_waits(scenario: Scenario) -> Iterator[Doubt]:
    """Yield the waits of screening that are written though every step has days of its own."""
    steps, nature = scenario.design.steps, scenario.assumptions.screening
    for key in {"contact_days", "lab_days", "work_up_days"} - {key for _, key in waits(steps)}:
        if getattr(nature, key) != NO_TIME:
            yield Doubt(("assumptions", "screening", key), "idle_wait")


def _allocation(scheme: Randomisation) -> Iterator[Doubt]:
    """Yield what is said of another method of randomisation, and minimisation without factors."""
    path = ("design", "randomisation")
    said = {"permuted_blocks": "block_sizes", "minimisation": "minimisation"}
    for method, key in said.items():
        is_said = getattr(scheme, key) != type(scheme).model_fields[key].default
        if is_said and scheme.method != method:
            yield Doubt((*path, key), "idle_method", {"method": method, "used": scheme.method})
    if scheme.method == "minimisation" and not scheme.strata:
        yield Doubt((*path, "method"), "no_factors")


def _targets(scenario: Scenario) -> Iterator[Doubt]:
    """Yield targets that ask for more than the trial wants, or of which none asks for just that."""
    wanted = scenario.design.trial.target
    asked = {
        (name, target.measure): float(target.at_least)
        for name, target in scenario.targets.items()
        if target.measure in ("randomised", "completed") and target.at_least is not None
    }
    if wanted is None:
        return
    is_asked = any(of == "randomised" and number == wanted for (_, of), number in asked.items())
    for (name, measure), number in asked.items():
        if number > wanted or (measure == "randomised" and not is_asked):
            facts = {"asked": number, "target": wanted}
            yield Doubt(("targets", name, "at_least"), "target", facts)


def _out_of_reach(scenario: Scenario) -> Iterator[Doubt]:
    """Yield the caps and milestones that are not reached before the target is."""
    trial, caps = scenario.design.trial, scenario.design.randomisation.caps
    if trial.target is None:
        return
    for index, number in enumerate(trial.milestones):
        if number > trial.target:
            facts = {"target": trial.target}
            yield Doubt(("design", "trial", "milestones", index), "milestone", facts)
    for name, cap in caps.items():
        if cap.at_most >= trial.target:
            path = ("design", "randomisation", "caps", name, "at_most")
            yield Doubt(path, "cap", {"target": trial.target})


def _outside_the_trial(scenario: Scenario) -> Iterator[Doubt]:
    """Yield what is dated and falls on no day of the trial."""
    trial = scenario.design.trial
    for path, entry, _ in walk(scenario):
        begins: Any = getattr(entry, "from_", None)
        if not isinstance(begins, date):
            continue
        last = trial.recruits_until if path[:2] == RECRUITMENT else trial.closes
        if begins > last or getattr(entry, "to", date.max) < trial.opens:
            yield Doubt((*path, "from"), "outside", {"first": trial.opens, "last": last})


def _regions(scenario: Scenario) -> Iterator[Doubt]:
    """Yield each country that stands alone though its regions have days off of their own."""
    trial = scenario.design.trial
    for name, place in scenario.design.places.items():
        limits = PublicCalendar(place.country, Clock(trial.opens, trial.closes)).limits
        if limits and limits.lacking:
            facts = {
                "country": limits.country,
                "more": (limits.fewest, limits.most),
                "example": limits.lacking[0],
            }
            yield Doubt(("design", "places", name, "country"), "regions", facts)


def _tasks(scenario: Scenario) -> Iterator[Doubt]:
    for name, minutes in scenario.assumptions.durations_minutes.items():
        typical = minutes.distribution().typical
        if 0 < typical < SHORTEST_MINUTES or typical > MINUTES_PER_DAY:
            path = ("assumptions", "durations_minutes", name)
            yield Doubt(path, "task", {"minutes": typical})


def _bodies(scenario: Scenario) -> Iterator[Doubt]:
    """Yield the age and weight that hardly anybody has."""
    for name, (lowest, highest) in BODIES.items():
        law = scenario.assumptions.patients.get(name)
        if isinstance(law, Law) and not lowest <= (middle := law.distribution().quantile(HALF)) <= (
            highest
        ):
            yield Doubt(("assumptions", "patients", name), name, {"middle": middle})


def _recruitment(scenario: Scenario, protocol: Protocol) -> Iterator[Doubt]:
    trial, nature = scenario.design.trial, scenario.assumptions
    rate = nature.recruitment.candidates_per_month
    if rate > MOST_A_MONTH:
        yield Doubt((*RECRUITMENT, "candidates_per_month"), "rate", {"rate": rate})
    plan = protocol.screening
    least = (plan.wait_days(step).quantile(0.0) for step in plan.steps)
    days = int(sum(max(0.0, wait) for wait in least))
    first = trial.opens + timedelta(days=days)
    if first > trial.recruits_until:
        facts = {"days": days, "first": first}
        yield Doubt(("design", "trial", "recruits_until"), "nobody", facts)
    elif trial.target is not None:
        expected, _ = expected_randomised(protocol, candidates(protocol))
        if expected < HALF * trial.target:
            facts = {"expected": expected, "target": trial.target, "day": trial.recruits_until}
            yield Doubt(("design", "trial", "target"), "expected", facts)


def _ends_early(scenario: Scenario, protocol: Protocol) -> Iterator[Doubt]:
    """Yield each visit for which no day is possible, from some day on, though it is still wanted.

    Participants wait for it until they leave or the trial closes, or miss it.
    """
    trial, clock = scenario.design.trial, protocol.clock
    offers: dict[KeyPath, tuple[date, Offer]] = {
        ("design", "visits", step.slots.visit.name): (trial.recruits_until, Offer((step.slots,)))
        for step in protocol.screening.steps
        if step.slots is not None
    }
    planned = (row[0] for arm in protocol.arms for row in arm.rows)
    offers |= {("design", "schedule", v.row, "at"): (trial.closes, v.offer) for v in planned}
    events = (event.visit for event in protocol.events)
    offers |= {("design", "unscheduled", v.row, "at"): (trial.closes, v.offer) for v in events}
    for path, (until, offer) in offers.items():
        end = clock.day_of(until)
        last = offer.nearest(end, 0, end)
        if last is None:
            yield Doubt(path, "no_day", {"first": trial.opens, "last": until})
        elif end - last > LONGEST_BREAK_DAYS:
            yield Doubt(path, "last_day", {"day": clock.date_of_day(last)})


def _inherited(scenario: Scenario, document: Document) -> Iterator[Doubt]:
    """Yield what a file that another one extends says of its own trial alone.

    A variant of a trial keeps the number of its registration. A file that names another site, or
    has no arm of the file it extends, is of another trial.
    """
    written = document.positions
    own = {written[()].file, COMMAND_LINE.file}

    def is_inherited(*path: str) -> bool:
        return path in written and written[path].file not in own

    def is_own(*path: str) -> bool:
        return path in written and written[path].file in own

    arms = (is_inherited("design", "arms", arm) for arm in scenario.design.arms)
    is_another = is_own("design", "trial", "site") or not any(arms)
    if is_another and is_inherited("design", "trial", "registry_id"):
        facts = {"number": scenario.design.trial.registry_id}
        yield Doubt(("design", "trial", "registry_id"), "registry", facts)
    if is_own("scenario") and is_inherited("title"):
        yield Doubt(("title",), "inherited_title", {"name": scenario.scenario})
