"""The page of any finished folder, by the kind of what it holds; and that of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sim.experiments.doubts import doubts
from sim.report.assumptions import calendar_lines, register
from sim.report.compare import comparison_page
from sim.report.completion import completion
from sim.report.decision import box, headline, typed
from sim.report.effects import effect_lines
from sim.report.forecast import constant_rate, dated, forecast
from sim.report.go_no_go import go_no_go, rule_said
from sim.report.joined import joined_to
from sim.report.methods import methods
from sim.report.page import (
    PAGE,
    Answer,
    Listing,
    Page,
    Table,
    TableRow,
    limit,
    table_of,
)
from sim.report.record import record_page
from sim.report.recruitment import reached, verdict
from sim.report.run import Run
from sim.report.sensitivity import ranking_page
from sim.report.solve import solution_page
from sim.report.sweep import sweep_page
from sim.report.workload import workload
from sim.results import folder
from sim.results.manifest import FORECAST, RECORD
from sim.vocabulary.words import ENGLISH, even

NEXT = {
    "compare": ("other.yaml",),
    "sweep": ("--tornado",),
    "solve": ("--move", "{path}", "--until", "{target}"),
}
"""Commands that answer what one run cannot, and what is to be typed after its scenario."""


def run_page(place: Path, language: str = ENGLISH) -> Page:
    """Return the page of a run, or of a forecast: its questions in order."""
    run = Run(place, language)
    say, name = run.say, run.scenario.scenario
    count = say("head.one_replication")
    if run.count > 1:
        count = say("head.replications", count=run.count)
    facts = {"replications": say.capital(count), "scenario": name, "seed": run.manifest["seed"]}
    return Page(
        run,
        title=say.own(run.scenario.title) or name,
        verdict=dated(run, headline(run)),
        note="",
        answers=lambda: [
            *_warnings(run),
            _targets(run),
            *(forecast(run) if run.is_forecast else ()),
            reached(run),
            *go_no_go(run),
            *(question(run) for question in (completion, workload, register, _what_if)),
            _limits(run),
            methods(run),
            run.origin(say("provenance.run", **facts)),
        ],
        lines=partial(_lines, run),
        box=box(run),
    )


PAGES = {
    "run": run_page,
    FORECAST: run_page,
    "compare": comparison_page,
    RECORD: record_page,
    "sweep": sweep_page,
    "solve": solution_page,
}
"""What makes the page of each kind of folder; any other kind ranks assumptions."""


def read_page(place: Path, language: str = ENGLISH) -> Page:
    """Return the page of a finished folder, from its tables, scenario and manifest alone."""
    kind = folder.manifest(place)["kind"]
    return PAGES.get(kind, ranking_page)(place, language)


def write_page(place: Path, language: str = ENGLISH, *, full: bool = False) -> None:
    """Write `report.html` into a finished folder; a full one has everything open."""
    folder.write_file(place / PAGE, read_page(place, language).html(full=full))


def _warnings(run: Run) -> Iterator[Answer]:
    """What is doubtful in the scenario, where anything is."""
    say = run.say
    if found := [*doubts(run.scenario, run.protocol)]:
        names = [say.capital(run.name(".".join(map(str, each.path)))) for each in found]
        said = [say.part(name, each.text(say)) for name, each in zip(names, found, strict=True)]
        parts = [Listing("", [(each, "") for each in said])]
        title, lead = say("warning.title"), say("warning.lead")
        yield Answer("warnings", title, lead, parts=parts, in_contents=False)


def _targets(run: Run) -> Answer:
    """Each target, how probable it is, and the verdict."""
    say = run.say
    targets = run.tables["targets.csv"]
    if targets.empty:
        none = [say("targets.none")]
        return Answer("targets", say("targets.title"), "", none, in_contents=False)
    frame = targets.assign(
        asks=[
            say(
                "verdicts.limit",
                measure=each["measure"],
                needed=limit(run.scenario.targets[each["target"]], say),
            )
            for each in targets.to_dict("records")
        ],
        simulated=targets["probability"],
        interval=list(targets[["ci_low", "ci_high"]].to_numpy()),
        verdict=[say(f"targets.{verdict}") for verdict in targets["verdict"]],
        kind="target " + targets["verdict"],
    )
    columns = {"target": "name", "asks": "text", "with_probability": "share"}
    columns |= {"simulated": "share", "interval": "interval", "verdict": "figure"}
    table = table_of(say, "verdicts", frame, columns)
    if "undecided" not in set(targets["verdict"]):
        table = table._replace(note="")
    return Answer("targets", say("targets.title"), parts=[table], in_contents=False)


def _what_if(run: Run) -> Answer:
    """Question 5: what was asked beside the run, and the commands that ask for more."""
    say = run.say
    blanks = {name: say(f"varying.{name}") for name in ("path", "target")}
    rows = []
    for command, words in NEXT.items():
        if run.is_forecast and command == "sweep":  # which knows no log
            continue
        written = typed(run, command, *(word.format(**blanks) for word in words))
        rows.append(TableRow([say(f"varying.{command}"), written], "typed"))
    header = [say("varying.question"), say("varying.command")]
    table = Table(say("varying.table"), header, rows, texts=2)
    others = joined_to(run)
    lead = say("varying.joined" if others else "varying.lead")
    joined = Listing("", [(each.verdict, f"{each.name}/{PAGE}") for each in others])
    return Answer("varying", say("varying.title"), lead, (), [joined, table] if others else [table])


def _limits(run: Run) -> Answer:
    """What the model leaves out, which days off are guessed, and how to read the figures."""
    say, left_out = run.say, list(run.say.lists["limits.left_out"])
    left_out += calendar_lines(say, run.protocol)
    lists = {say("limits.left"): left_out, say("limits.read"): say.lists["limits.terms"]}
    listed = [Listing(title, [(item, "") for item in items]) for title, items in lists.items()]
    return Answer("limits", say("limits.title"), more=listed)


def _lines(run: Run) -> Iterator[str]:
    """What the terminal says beside the verdict: dates, completion, targets, hours, calendar."""
    if (recruitment := verdict(run)) != headline(run):
        yield recruitment
    days = {number: f"day_of_{number}" for number in run.protocol.milestones}
    if run.target is not None:
        days[run.target] = "day_of_target"
    for number, measure in days.items():
        dates = {q: run.measure(measure)[q] for q in ("p10", "p50", "p90")}
        said = (
            f"{q.upper()} {'never' if day == 'never' else run.say.day(run.date_of_day(day))}"
            for q, day in dates.items()
        )
        yield f"{number} randomised on: {', '.join(said)}"
    completed = "Completed: {mean:number} on average, P10 to P90 {low:count} to {high:count}"
    yield run.say.filled(completed, **run.spread("completed"))
    yield from run.target_lines()
    yield from filter(None, [rule_said(run)])
    if run.manifest["kind"] == FORECAST:
        yield from constant_rate(run)
    yield from effect_lines(run)
    yield from _hours(run)
    yield from calendar_lines(run.say, run.protocol)


def _hours(run: Run) -> Iterator[str]:
    roles = list(run.scenario.design.staff)
    if not roles:
        return
    titles = dict(zip(roles, even(map(run.say.title, roles)), strict=True))
    yield "Hours worked in the whole trial, as a share of those there; most asked in a week"
    for role, title in titles.items():
        used = run.mean(f"{role}_utilisation")
        share = "" if math.isnan(used) else run.say.percent(used)
        hours = run.say.number(run.mean(f"{role}_hours"), 0)
        most = run.say.number(run.mean(f"{role}_asked_hours_busiest_week"))
        yield f"  {title}  {hours:>7} h  {share:>5}  {most:>7} h"
