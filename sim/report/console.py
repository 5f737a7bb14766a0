"""What a run and a check say on a terminal, in plain words; lines are as long as they come."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date

from sim.experiments import implied
from sim.report import assumptions
from sim.report.findings import date_of_day
from sim.report.page import Run
from sim.report.recruitment import verdict
from sim.scenario.load import Scenario
from sim.scenario.protocol import Protocol
from sim.vocabulary.words import words


def result(run: Run) -> Iterator[str]:
    """Yield the answer of a finished run: recruitment, completion, targets, hours."""
    yield verdict(run)
    if run.target is not None:
        yield f"{run.target} randomised on: {', '.join(_dates(run))}"
    completed = run.measure("completed")
    low, high = run.say.number(completed["p10"], 0), run.say.number(completed["p90"], 0)
    yield f"Completed: {run.say.number(completed['mean'])} on average, P10 to P90 {low} to {high}"
    yield from _targets(run)
    yield from _hours(run)
    yield from _calendar(run.protocol)


def comparison(runs: Mapping[str, Run], first: str) -> Iterator[str]:
    """Yield how scenarios compare: the first sentence of their page, then each one's targets."""
    yield first
    for name, run in runs.items():
        yield name
        yield from (f"  {line}" for line in _targets(run))


def _dates(run: Run) -> Iterator[str]:
    days = run.measure("day_of_target")
    for quantile in ("p10", "p50", "p90"):
        day = days[quantile]
        when = "never" if day == "never" else run.say.day(date_of_day(run.opens, day))
        yield f"{quantile.upper()} {when}"


def _targets(run: Run) -> Iterator[str]:
    targets = run.tables["targets.csv"].to_dict("records")
    if targets:
        yield "Targets"
    for target in targets:
        asked, found, low, high = (
            run.say.percent(target[name])
            for name in ("with_probability", "probability", "ci_low", "ci_high")
        )
        wanted = f"{target['measure']} {target['needed']} in {asked} of trials"
        yield f"  {target['target']} {target['verdict']}: {wanted}, found {found} ({low} to {high})"


def _hours(run: Run) -> Iterator[str]:
    roles = list(run.scenario.design.staff)
    if not roles:
        return
    width = max(map(len, roles))
    yield "Hours worked in the whole trial, as a share of those there; most asked in a week"
    for role in roles:
        worked, used, busiest = (
            run.measure(f"{role}_{what}")["mean"]
            for what in ("hours", "utilisation", "asked_hours_busiest_week")
        )
        share = "" if math.isnan(used) else run.say.percent(used)
        hours, most = run.say.number(worked, 0), run.say.number(busiest)
        yield f"  {role:{width}}  {hours:>7} h  {share:>5}  {most:>7} h"


def check(scenario: Scenario, protocol: Protocol) -> Iterator[str]:
    """Yield what a scenario implies and which of its assumptions nothing supports."""
    say = words()
    yield "Implied"
    yield from _recruitment(protocol)
    for arm_name, weeks, left in implied.dropout(protocol):
        yield f"  {say.percent(left)} of {arm_name} have left by the last visit, week {weeks:.0f}"
    for role, hours, people, is_mean in implied.full_time(scenario):
        share = say.percent(hours / implied.FULL_TIME_HOURS)
        number, mean = f"{people:.3g}" if isinstance(people, float) else people, " on average"
        yield (
            f"  {role}: {hours:.3g} h a week, {share} of full time, people: {number}"
            f"{mean if is_mean else ''}"
        )
    for arm in protocol.arms:
        safe = _safe(protocol, arm.latest_safe_day)
        yield f"  {arm.name}: last safe date of randomisation {safe}"
    yield from _calendar(protocol)
    yield from _unsupported(scenario)


def _calendar(protocol: Protocol) -> Iterator[str]:
    known = protocol.calendar_known_through
    if known is None:
        return
    estimated = ", estimated after" if known < protocol.clock.closes else ""
    yield f"Public holidays and make-up days: known through {known}{estimated}"


def _recruitment(protocol: Protocol) -> Iterator[str]:
    say, passing = words(), implied.passing(protocol)
    a_month = say.number(implied.randomised_per_month(protocol, passing), 2)
    yield f"  {say.percent(passing)} of candidates meet every criterion"
    yield f"  {a_month} randomised a month, before season, disruptions and waiting"
    ends = implied.screening_ends(protocol)
    if ends is not None:
        yield f"  {say.percent(ends.failed)} of those who consent fail screening"
        yield f"  {say.percent(ends.withdrew)} of those who consent withdraw during screening"


def _safe(protocol: Protocol, day: int) -> date | str:
    return protocol.clock.date_of_day(day) if day >= 0 else "none, the schedule is too long"


def _unsupported(scenario: Scenario) -> Iterator[str]:
    entries = assumptions.entries(scenario, words())
    bare = [entry for entry in entries if entry.evidence == "assumption"]
    yield f"Assumptions without evidence: {len(bare)} of {len(entries)}"
    for entry in bare:
        span = f", range {entry.range[0]:g} to {entry.range[1]:g}" if entry.range else ""
        source = f"; {entry.source}" if entry.source else ""
        yield f"  {entry.path}: {entry.written}{span}{source}"
