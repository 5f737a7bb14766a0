"""The page of a run: its finished folder in, one HTML file out that opens with no network."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sim.report import (
    assumptions,
    completion,
    joining,
    methods,
    provenance,
    recruitment,
    varying,
    workload,
)
from sim.report.page import Row, Run, Table, limit
from sim.report.rendering import Page
from sim.results import folder
from sim.scenario.interpret import interpret
from sim.scenario.load import load
from sim.vocabulary.words import ENGLISH, words


def write(finished: Path, language: str = ENGLISH) -> None:
    """Write `report.html` into a finished folder, from its tables, scenario and manifest alone."""
    page(read(finished, language)).write(finished)


def read(finished: Path, language: str = ENGLISH) -> Run:
    """Read what the page is made of."""
    scenario = load(finished / folder.SCENARIO)
    tables = folder.Tables(finished)
    facts, joined = folder.manifest(finished), joining.read(finished, language)
    return Run(scenario, interpret(scenario), tables, facts, words(language), joined)


def page(run: Run) -> Page:
    """Return the page of a run."""
    questions = (recruitment, completion, workload, assumptions, varying)
    blanks = {
        "run": run,
        "verdict": recruitment.verdict(run),
        "note": recruitment.note(run),
        "replications": _replications(run),
        "targets": _targets(run),
        "limits": _limits(run),
        "methods": methods.answer(run),
        "manifest": run.manifest,
        "provenance": provenance.of(run.manifest, run.say),
    }
    answers = [question.answer(run) for question in questions]
    return Page("report.html.j2", run.say, answers, blanks)


def _replications(run: Run) -> str:
    if run.count == 1:
        return run.say("head.one_replication")
    return run.say("head.replications", count=run.say.number(run.count, 0))


def _limits(run: Run) -> list[str]:
    """What the model leaves out, and the part of the calendar that is guessed."""
    limits = list(run.say.lists["limits.left_out"])
    known = run.manifest["calendar_known_through"]
    if known and date.fromisoformat(known) < run.closes:
        limits.append(run.say("limits.calendar", day=run.say.day(date.fromisoformat(known))))
    return limits


def _targets(run: Run) -> Table:
    """Each target, how probable it is, and the verdict."""
    say = run.say
    rows = []
    for target in run.tables["targets.csv"].to_dict("records"):
        cells = [
            say.heading(target["target"]),
            say(
                "targets.limit",
                measure=say.heading(target["measure"]),
                needed=limit(run.scenario.targets[target["target"]], say),
            ),
            say.percent(target["with_probability"]),
            say.percent(target["probability"]),
            say.span(say.percent(target["ci_low"]), say.percent(target["ci_high"])),
            say(f"targets.{target['verdict']}"),
        ]
        rows.append(Row(cells, f"target {target['verdict']}"))
    columns = ("name", "asks", "with_probability", "simulated", "interval", "verdict")
    header = [say(f"targets.{column}") for column in columns]
    undecided = any(target.kind.endswith("undecided") for target in rows)
    return Table(say("targets.table"), header, rows, say("targets.note") if undecided else "", 2)
