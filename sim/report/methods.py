"""The methods of a run for whoever audits it, under the headings of STRESS-DES.

Monks et al. 2019, Journal of Simulation 13:55, say what a report of a simulation has to hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sim.report.assumptions import GRADES, entries, law
from sim.report.go_no_go import goal_of
from sim.report.page import Answer, Table, TableRow, interval
from sim.report.run import Run
from sim.scenario.design import Later, task_of, those_in
from sim.scenario.schedule import Anchor, ScheduleRow
from sim.scenario.slots import Resource
from sim.vocabulary.clock import DAYS_PER_WEEK
from sim.vocabulary.streams import STREAMS
from sim.vocabulary.words import BLANK

HEADINGS = (
    *("purpose", "logic", "entities", "activities", "resources", "queues", "data", "assumptions"),
    *("run_length", "estimation", "random_numbers", "software"),
)


def methods(run: Run) -> Answer:
    """Return how the model works and was run, with the numbers of this run."""
    say = run.say
    blanks = _numbers(run) | _people(run) | _names(run) | _unscheduled(run)
    rows = [
        TableRow([say(f"stress.{heading}"), say(f"methods.{heading}", **blanks)], "method")
        for heading in HEADINGS
    ]
    header = [say("methods.heading"), say("methods.said")]
    table = Table(say("methods.table"), header, rows, say("methods.note"), 2)
    more = [table, _schedule(run), _activities(run), _resources(run)]
    return Answer("methods", say("methods.title"), say("methods.lead"), more=more)


def _numbers(run: Run) -> dict[str, object]:
    """Numbers of the run and of its scenario."""
    say, design = run.say, run.scenario.design
    grades = Counter(entry.evidence for entry in entries(run.scenario, say))
    every = {
        "measures": len(run.tables["summary.csv"]),
        "criteria": len(design.eligibility),
        "visits": len(_visits(run)),
        "tasks": len({task_of(step) for _, steps in _visits(run) for step in steps}),
        "roles": len(design.staff),
        "rooms": len(design.rooms),
        "entries": sum(grades.values()),
        "days": run.protocol.clock.days,
        "replications": run.count,
    }
    graded = (
        say("methods.grade", count=grades[grade], grade=say(f"register.{grade}"))
        for grade in GRADES
        if grades[grade]
    )
    return {**every, "grades": say.listing(graded)}


def _people(run: Run) -> dict[str, object]:
    """How people come and are allotted."""
    say, design, recruitment = run.say, run.scenario.design, run.scenario.assumptions.recruitment
    drawn, uncertainty = run.measure("candidates_per_month_drawn"), say("methods.known")
    if run.protocol.rate is not None:
        span = say.span(*(say.number(drawn[quantile]) for quantile in ("p10", "p90")))
        shape = recruitment.rate_shape
        key = "uncertain_range" if shape is None else "uncertain"
        uncertainty = say(f"methods.{key}", shape=shape, span=span)
    if (waves := recruitment.waves) is not None:
        blanks = {"uncertainty": uncertainty, "sd": waves.sd, "calm": waves.calm}
        uncertainty = say("methods.waves", **blanks)
    how, ratio = say("methods.simple"), design.randomisation.ratio
    if design.randomisation.method == "permuted_blocks":
        sizes = say.listing(map(str, design.randomisation.block_sizes))
        how = say("methods.blocks", sizes=sizes)
    if design.randomisation.method == "minimisation":
        how = _minimisation(run)
    for name, cap in design.randomisation.caps.items():
        how = say("methods.cap", how=how, name=say.title(name), most=int(cap.at_most))
    return {
        "rate": recruitment.candidates_per_month,
        "uncertainty": uncertainty,
        "candidates": run.mean("candidates"),
        "randomisation": how,
        "ratio": say.clauses(say.part(run.arm_title(arm), str(ratio[arm])) for arm in design.arms),
        "full": say.sentences([say(f"methods.{design.trial.when_full}"), *_again(run)]),
        "screening": _steps(run),
        "held": say(f"methods.{design.booking.by}", days=int(design.booking.ahead_days)),
    }


def _minimisation(run: Run) -> str:
    """By which factors the arms are balanced, and how firmly."""
    say, scheme = run.say, run.scenario.design.randomisation
    said, weights = scheme.minimisation, scheme.minimisation.weights
    factors = (
        say.aside(say.title(name), say("methods.weight", weight=weight))
        if (weight := int(weights.get(name, 1))) > 1
        else say.title(name)
        for name, _ in scheme.cuts
    )
    return say(
        "methods.minimisation",
        factors=say.listing(factors) or say("methods.arm_sizes"),
        imbalance=say(f"methods.{said.imbalance}"),
        probability=float(said.probability),
    )


def _steps(run: Run) -> str:
    """The steps of screening, by name where the protocol names them."""
    say, design = run.say, run.scenario.design
    if not design.screening:
        return say("methods.usual_steps")
    named = (
        say.aside(say.title(step.name), say.title(step.work)) if step.work else say.title(step.name)
        for step in design.screening
    )
    return say.capital(say.listing(named))


def _again(run: Run) -> Iterator[str]:
    """Who is screened again, if anybody is."""
    again = run.scenario.assumptions.screening.rescreens
    if again is not None:
        of = run.say.listing(map(run.say.title, again.of))
        yield run.say("methods.again", of=of, share=float(again.share), attempts=again.times + 1)


def _names(run: Run) -> dict[str, object]:
    """Dates, targets, names and versions."""
    say, targets = run.say, run.tables["targets.csv"].to_dict("records")
    aims = (
        say.aside(
            say.part(say.heading(target["target"]), say.percent(target["probability"])),
            interval(say, target["ci_low"], target["ci_high"]),
        )
        for target in targets
    )
    attributes = [say.title(each.name) for each in run.protocol.attributes]
    drawn, precision = len(run.protocol.beliefs), say("methods.independent")
    if run.draws is not None:
        draws = len(set(run.draws))
        precision = say("methods.streams", streams=min(STREAMS, draws), draws=draws)
    decisions, rule = "", run.scenario.go_no_go
    if rule is not None:
        months = say.listing(map(str, rule.at_months))
        decisions = say("methods.decisions", months=months, goal=goal_of(run, rule.target))
    known = run.protocol.calendar_known_through
    versions = (f"{name} {version}" for name, version in run.manifest["versions"].items())
    return {
        "opens": run.opens,
        "closes": run.closes,
        "recruits_until": run.recruits_until,
        "targets": say.clauses(aims) or BLANK,
        "attributes": say.listing(attributes) or BLANK,
        "believed": say("methods.believed", count=drawn) if drawn else "",
        "precision": precision,
        "decisions": decisions,
        "places": say.listing(map(say.title, run.scenario.design.places)) or BLANK,
        "known_through": BLANK if known is None else say.day(known),
        "seed": str(run.manifest["seed"]),
        "versions": ", ".join(versions),
    }


def _unscheduled(run: Run) -> dict[str, str]:
    """Work beside the schedule."""
    say, protocol = run.say, run.protocol
    overhead = (
        say.part(say.title(protocol.resources[member].name), say.percent(share))
        for member, share in protocol.overhead.items()
    )
    return {
        "events": say.listing(say.title(event.name) for event in protocol.events) or BLANK,
        "overhead": say.clauses(overhead) or BLANK,
    }


def _visits(run: Run) -> list[tuple[str, Sequence[str | Later]]]:
    """The visits there are, with their steps: of screening, by schedule, and beside it."""
    design = run.scenario.design
    held = (name for _, _, at in design.offers() for name in at.values())
    monitoring = () if design.monitoring is None else (design.monitoring.visit,)
    names = dict.fromkeys((*design.screening_visits, *held, *monitoring))
    return [
        (name, design.steps_of_visits[name]) for name in names if design.steps_of_visits.get(name)
    ]


def _schedule(run: Run) -> Table:
    rows = [_planned(run, name, row) for name, row in run.scenario.design.schedule.items()]
    columns = ("row", "arms", "day", "repeats", "given", "window", "place")
    return _table(run, "schedule", rows, columns, len(columns))


def _table(
    run: Run, key: str, rows: Iterable[Iterable[str]], columns: Sequence[str], texts: int
) -> Table:
    say = run.say
    header = [say(f"methods.{column}") for column in columns]
    written = [TableRow([*row]) for row in rows]
    return Table(say(f"{key}.title"), header, written, say(f"{key}.note"), texts)


def _planned(run: Run, name: str, row: ScheduleRow) -> Iterator[str]:
    """The cells of a row of the schedule."""
    say = run.say
    yield say.heading(name)
    yield say.clauses(map(run.arm_title, row.arms)) if row.arms else say("methods.all_arms")
    days = say.listing(str(day).replace("-", "−") for day in row.days or (row.first_day,))
    if row.other:
        row_named = say.title(row.other.row)
        yield say(f"anchors.{row.other.visit}", days=days, row=row_named)
    elif row.for_:
        reasons = say.listing(map(say.title, row.for_))
        yield say("anchors.leaving_for", days=days, reasons=reasons)
    else:
        yield days if row.from_ == Anchor.FIRST_DOSE else say(f"anchors.{row.from_}", days=days)
    repeats = []
    if row.every_days:
        repeats.append(say("methods.times", times=row.times, days=row.every_days))
    if row.cycle_days:
        repeats.append(say("methods.cycles", cycles=row.cycles, days=row.cycle_days))
    yield say.clauses(repeats) or BLANK
    gifts: dict[str, list[str]] = {}
    for arm, treatment in run.scenario.design.arms.items():
        if products := row.given(arm, treatment.product):
            gifts.setdefault(_gift(run, row, products), []).append(run.arm_title(arm))
    alone = len(gifts) == 1
    parts = (gift if alone else say.part(say.listing(to), gift) for gift, to in gifts.items())
    yield say.clauses(parts) or BLANK
    yield say.span(*(say.signed(day, ".0f") for day in row.window_days))
    yield say.clauses(
        say.part(say.title(place), say.title(visit)) for place, visit in row.at.items()
    )


def _gift(run: Run, row: ScheduleRow, names: Iterable[str]) -> str:
    """Products, each with the dose of the row, where it says one."""
    say, products = run.say, run.scenario.design.products
    gifts = []
    for name in names:
        dose, gift = row.dose_of(name), say.title(name)
        if dose is not None:
            gift = say.aside(
                gift, f"{say.writer('plain')(dose)} {say.own(products[name].unit)}".strip()
            )
        gifts.append(gift)
    return say.listing(gifts)


def _activities(run: Run) -> Table:
    say, design = run.say, run.scenario.design
    minutes = run.scenario.assumptions.durations_minutes
    rows = []
    for name, steps in _visits(run):
        for step in steps:
            task = task_of(step)
            said = say.title(task)
            if isinstance(step, Later):
                said = say.aside(said, say("methods.desk"))
            asked = (map(say.title, those_in(member)) for member in design.teams[task])
            team = say.listing(say("format.either").join(names) for names in asked) or BLANK
            length = law(say, minutes[task]) if task in minutes else "0"
            rows.append((say.heading(name), said, team, length))
    return _table(run, "activities", rows, ("visit", "task", "team", "minutes"), 4)


def _resources(run: Run) -> Table:
    rows = [
        (
            run.say.heading(each.name),
            run.say(f"methods.{each.kind}"),
            run.say("work.unlimited") if each.units is None else str(each.units),
            _hours(run, each),
        )
        for each in run.protocol.resources
    ]
    return _table(run, "resources", rows, ("resource", "kind", "units", "hours"), 2)


def _hours(run: Run, resource: Resource) -> str:
    """The hours a week that all of it are there together, as the mean of the trial."""
    table = run.tables["workload.csv"]
    ours = table[(table["role"] == resource.name) & (table["quantity"] == "available_hours")]
    weeks = run.protocol.clock.days / DAYS_PER_WEEK
    return run.say.number(ours["mean"].sum() / weeks) if len(ours) else BLANK
