"""The box on top of a run's page, by which a planner decides, in at most 120 words."""

from __future__ import annotations

import shlex
from collections.abc import Hashable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

from sim.report import recruitment, uncertainty
from sim.report.assumptions import effect_cell, entries
from sim.report.effects import Effects, drawn_effects
from sim.report.forecast import as_of, then
from sim.report.go_no_go import rule_said
from sim.report.joined import help_found, joined_tornado
from sim.report.page import Card, Decision, Fact
from sim.report.run import Run
from sim.report.sensitivity import Tornado
from sim.report.workload import piles_up
from sim.results.ignorance import RATE_PATH
from sim.scenario.assumptions import WITHOUT_WAVES
from sim.vocabulary.intervals import of_met

VERDICTS = ("missed", "undecided", "met")
"""Verdicts in the order in which a planner wants to know of them."""

KEPT = ("--set", "--uncertain", "--observed")
"""Flags of what a page is of: a command that is proposed keeps them."""

_FROM_NOW = "assumptions.recruitment.disruptions.from_now"

MOST_WITH_FIGURES = 6
"""Targets above which each is named with its verdict alone, so that the box stays short."""


def headline(run: Run) -> str:
    """Return how many targets are missed, else undecided, else met; the recruitment without any."""
    verdicts = list(run.tables["targets.csv"]["verdict"])
    if not verdicts or run.count == 1 or not run.anybody_randomised:
        return recruitment.verdict(run)
    worst = next(verdict for verdict in VERDICTS if verdict in verdicts)
    key = "box" if len(verdicts) > 1 else "only"
    return run.say(f"{key}.{worst}", count=verdicts.count(worst), all=len(verdicts))


def box(run: Run) -> Decision:
    """Return the verdict of each target, and why, what would help, when it is known, how surely."""
    if run.count == 1 or not run.anybody_randomised:
        return Decision()
    say = run.say
    facts = [
        Fact(say("box.why"), say.sentences(_why(run))),
        Fact(say("box.help"), *_help(run)),
        Fact(say("box.when"), say.sentences(_when(run))),
        Fact(say("box.sure"), say.sentences(_sure(run))),
    ]
    return Decision(list(_cards(run)), [fact for fact in facts if fact.said])


def _cards(run: Run) -> Iterator[Card]:
    """Every target with its verdict, missed ones first."""
    say, targets = run.say, _targets(run)
    for target in targets:
        said = {"probability": target["probability"], "asked": target["with_probability"]}
        figures = say("box.figures", **said)
        if run.is_forecast:
            figures = say("box.figures_then", **said, then=then(run, target["target"])[0])
        few = len(targets) <= MOST_WITH_FIGURES
        verdict = say(f"targets.{target['verdict']}")
        yield Card(target["verdict"], verdict, say.heading(target["target"]), figures * few)


def _targets(run: Run) -> list[dict[Hashable, Any]]:
    """The targets, missed ones first."""
    rows = run.tables["targets.csv"].to_dict("records")
    return sorted(rows, key=lambda each: VERDICTS.index(each["verdict"]))


def _hangs_on(run: Run) -> Effects | None:
    """The effects on the first target, or on those randomised, of which something is clear."""
    outcomes = [target["target"] for target in _targets(run)] or ["randomised"]
    found = (drawn_effects(run, on) for on in outcomes)
    return next((each for each in found if each and each.clear), None)


def _why(run: Run) -> Iterator[str]:
    """The assumption and the role that matter most."""
    say, found = run.say, _hangs_on(run)
    if found:
        path, *_ = found.clear
        effect = found.by_path[path]
        ends = {name: found.written(say, getattr(effect, f"at_{name}")) for name in ("low", "high")}
        yield say("box.hangs_on", on=say.heading(found.on), name=run.name(path), **ends)
    if piled := piles_up(run):
        yield say("box.piles_up", role=piled.role, hours=piled.hours)


def _help(run: Run) -> tuple[str, str]:
    """What was found to help beside the run; else what to ask next, and the command that does."""
    say, found = run.say, _hangs_on(run)
    told = list(filter(None, [help_found(run)]))
    if not told and (tornado := joined_tornado(run)):
        told = [*_moved(run, tornado)]
    if told:
        return told[0], ""
    if all(target["verdict"] == "met" for target in _targets(run)):
        return "", ""
    if found is None or found.on not in run.scenario.targets:
        if run.is_forecast:
            return "", ""
        return say("box.ask_all"), typed(run, "sweep", "--tornado")
    path, *_ = found.clear
    if run.is_forecast and path == RATE_PATH:
        span = f"from: {as_of(run) + timedelta(1)}, to: {run.recruits_until}"
        change = f"--set={_FROM_NOW}={{{span}, times: 1}}"
        moved = ("--move", f"{_FROM_NOW}.times", "--between", "1:3")
        return say("box.ask_from_now"), typed(run, "solve", change, *moved, "--until", found.on)
    command = typed(run, "solve", "--move", path, "--until", found.on)
    return say("box.ask", name=run.name(path)), command


def typed(run: Run, command: str, *flags: str) -> str:
    """Another command on the run's scenario as it was typed, with what was changed in it.

    That of a forecast goes on from the same log on the same day.
    """
    words = shlex.split(run.manifest["command"])[2:]
    named = words[0] if words and not words[0].startswith("-") else run.scenario.scenario
    changes = []
    for word, after in pairwise([*words, ""]):
        flag, equals, value = word.partition("=")
        if flag in KEPT:
            changes += [flag, value if equals else after]
        if flag == "--rate":
            changes += ["--set", WITHOUT_WAVES]
    if run.is_forecast:
        changes += ["--as-of", str(as_of(run))]
    return shlex.join(["trialsim", command, named, *changes, *flags])


def _moved(run: Run, tornado: Tornado) -> Iterator[str]:
    """The number whose range moves the outcome most, and by how much."""
    say, clear = run.say, [path for path, each in tornado.by_path.items() if each.is_clear]
    if not clear:
        return
    key = "box.moved_points" if tornado.is_share else "box.moved"
    change = effect_cell(say, tornado, clear[0])
    name = say.capital(run.name(clear[0]))
    yield say(key, on=tornado.on, name=name, change=change)


def _when(run: Run) -> Iterator[str]:
    """From how few randomised on one would stop; else what half a year will tell."""
    if said := rule_said(run, (6, 12)):
        yield said
    elif run.target is not None:
        yield from uncertainty.half_year(run, run.target)


def _sure(run: Run) -> Iterator[str]:
    """The error of simulating, and how many assumptions rest on no evidence."""
    say, every = run.say, entries(run.scenario, run.say)
    if run.target is not None:
        met = run.reached(run.target)
        error = recruitment.error_of(say, float(met.mean()), of_met(met, run.draws))
        yield say("box.error", replications=run.count, error=error)
    bare = sum(entry.evidence == "assumption" for entry in every)
    if bare:
        yield say("box.bare", bare=bare, all=len(every))
