"""Question 4 of the page: every number that was assumed, what is known of it, what to ask first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from sim.experiments import implied
from sim.report.effects import Effects, effects, effects_figure
from sim.report.joined import joined_tornado
from sim.report.page import Answer, Part, Table, TableRow
from sim.report.run import Run
from sim.report.sensitivity import Tornado
from sim.report.uncertainty import luck_apart
from sim.scenario.beliefs import MIDDLE, Belief, beliefs, rate_belief
from sim.scenario.load import Scenario
from sim.scenario.numbers import Law, Number, Whole
from sim.scenario.protocol import Arm, Protocol
from sim.scenario.section import Node, Section, walk
from sim.scenario.titles import called
from sim.vocabulary.words import BLANK, Words

GRADES = ("assumption", "expert", "data", "literature", "registry")
"""Evidence grades as the register lists them, the weakest first."""

PARAMETERS = ("mean", "median", "shape", "sd", "sigma", "scale", "low", "mode", "high")
"""Parameters of distributions in the order in which they are read."""

ASKED_FIRST = 3
"""How many numbers are named."""

EFFECT_COLUMN = 3
"""The column of effects, where there is one."""

STEPS_NAMED = 4
"""Steps of screening of which `check` names the failures."""

MOST_NAMED = 12
"""How many estimated days off are named."""


class Entry(NamedTuple):
    """A number of the scenario, or a distribution (no number) of whose numbers nothing is known."""

    path: str
    written: str
    number: float | None
    range: tuple[float, float] | None
    evidence: str
    source: str

    def span(self, say: Words) -> str:
        """The range in words, nothing where there is none."""
        return say.span(*map(say.plain, self.range)) if self.range else ""


def entries(scenario: Scenario, say: Words) -> list[Entry]:
    """Return the numbers of the assumptions and the ranged ones of the design, weakest first."""
    design = [entry for entry in _numbers(say, scenario.design, "design") if entry.range]
    every = [*design, *_numbers(say, scenario.assumptions, "assumptions")]
    return sorted(every, key=lambda entry: (GRADES.index(entry.evidence), bool(entry.source)))


def register(run: Run) -> Answer:
    """Return what was assumed, how well it is known, and what to ask first."""
    say, every = run.say, entries(run.scenario, run.say)
    assumed = [entry for entry in every if entry.evidence == "assumption"]
    title = say("register.title")
    if not every:
        return Answer("register", title, say("register.empty"))
    lead = say("register.lead_none")
    if assumed:
        lead = say("register.lead", bare=len(assumed), all=len(every))
    luck = [] if run.target is None else luck_apart(run, run.target)
    found, tornado = effects(run), joined_tornado(run)
    moved = [say("register.moved")] if luck and found is None and tornado is None else []
    figures = [effects_figure(run, found)] if found else []
    figures += [tornado.figure, *luck] if tornado else luck
    more: list[Part] = [*figures[1:], _table(run, every, found or tornado)]
    asked = _asked(run, assumed, found or tornado)
    return Answer("register", title, lead, [*asked, *moved], figures[:1], more)


def _table(run: Run, every: list[Entry], ranked: Effects | Tornado | None) -> Table:
    """The register, by effect where that is known, else the weakest evidence first."""
    say, note = run.say, run.say("register.note")
    header = [say(f"register.{name}") for name in ("path", "value", "range", "evidence", "source")]
    if ranked is not None:
        places = {path: place for place, path in enumerate(ranked.by_path)}
        every = sorted(every, key=lambda entry: places.get(entry.path, len(places)))
    cells = [_cells(run, entry) for entry in every]
    if ranked is not None:
        heading, on, said = _effect_column(run, ranked)
        header.insert(EFFECT_COLUMN, say(f"register.{heading}", on=on))
        for entry, row in zip(every, cells, strict=True):
            row.insert(EFFECT_COLUMN, effect_cell(say, ranked, entry.path))
        note = said + note
    rows = [TableRow(row, _kind(entry)) for entry, row in zip(every, cells, strict=True)]
    return Table(say("register.table"), header, rows, note, texts=len(header))


def _effect_column(run: Run, ranked: Effects | Tornado) -> tuple[str, str, str]:
    """The key of the heading, what it is the effect on, and the note below."""
    say = run.say
    if isinstance(ranked, Effects):
        note = say("register.share_note", replications=run.count)
        return "share", say.heading(ranked.on), note
    note = say("register.effect_note", replications=ranked.replications)
    return "effect_points" if ranked.is_share else "effect", ranked.on, note


def _cells(run: Run, entry: Entry) -> list[str]:
    say, source = run.say, entry.source or run.say("register.no_source")
    return [
        say.capital(run.name(entry.path)),
        entry.written,
        entry.span(say),
        say(f"register.{entry.evidence}"),
        source,
    ]


def _kind(entry: Entry) -> str:
    if entry.evidence != "assumption":
        return "register known"
    return "register" if entry.source else "register bare"


def _asked(run: Run, assumed: Sequence[Entry], ranked: Effects | Tornado | None) -> Iterator[str]:
    """Which numbers to ask about first, and how many cannot be ranked for want of a range."""
    if not assumed:
        return
    say, ranged = run.say, [entry.path for entry in assumed if entry.range is not None]
    if not ranged:
        yield say("register.first_no_range")
    elif ranked is None:
        yield say("register.first_unknown")
    elif isinstance(ranked, Effects):
        yield _by_share(run, ranked, ranged)
    else:
        yield _by_effect(run, ranked, ranged)
    if unranked := len(assumed) - len(ranged):
        yield say("register.no_range", count=unranked)


def _by_share(run: Run, found: Effects, ranged: Sequence[str]) -> str:
    say, clear = run.say, [path for path in found.clear if path in ranged]
    on = say.heading(found.on)
    if not clear:
        return say("register.first_unseen", on=on, replications=run.count)
    known = (say.aside(run.name(path), found.known(say, path)) for path in clear[:ASKED_FIRST])
    mean = found.written(say, found.mean)
    return say("register.first_known", on=on, names=say.clauses(known), mean=mean)


def _by_effect(run: Run, tornado: Tornado, ranged: Sequence[str]) -> str:
    say = run.say
    clear = [path for path, each in tornado.by_path.items() if each.is_clear and path in ranged]
    if not clear:
        return say("register.first_none", on=tornado.on)
    named = (
        say.aside(run.name(path), effect_cell(say, tornado, path)) for path in clear[:ASKED_FIRST]
    )
    key = "first_points" if tornado.is_share else "first"
    return say(f"register.{key}", on=tornado.on, names=say.clauses(named))


def effect_cell(say: Words, ranked: Effects | Tornado, path: str) -> str:
    """Return a number's share of the variance; of a tornado, the change at the ends of its range.

    One not told apart from nothing is marked; a number that was not moved has none.
    """
    if isinstance(ranked, Effects):
        return ranked.cell(say, path)
    if path not in ranked.by_path:
        return BLANK
    found = ranked.by_path[path]
    low, high = (_signed(say, ranked, change) for change in (found.at_low, found.at_high))
    ends = say("register.ends", low=low, high=high)
    return ends if found.is_clear else say("register.unclear", effect=ends)


def _signed(say: Words, tornado: Tornado, change: float) -> str:
    if math.isnan(change):
        return BLANK
    return say.signed(change * 100, ".0f") if tornado.is_share else say.change(change)


def _numbers(say: Words, node: Section, path: str) -> Iterator[Entry]:
    """Yield the entries at and below a part of the scenario, in the order of the file.

    A distribution is one entry, unless something is known about one of its parameters.
    """
    for each in walk(node, (path,), whole=(tuple, Law)):
        if not isinstance(each.value, Law | Number | Whole):
            continue
        inside = [
            _entry(say, number) for number in walk(each.value, each.path) if _is_number(number)
        ]
        if isinstance(each.value, Law) and not any(map(_is_known, inside)):
            yield Entry(each.dotted, law(say, each.value), None, None, "assumption", "")
        else:
            yield from inside


def _is_number(node: Node) -> bool:
    return isinstance(node.value, Number | Whole)


def _entry(say: Words, node: Node) -> Entry:
    figure = node.value
    written = say.plain(figure)
    source = say.own(figure.source)
    return Entry(node.dotted, written, figure, figure.range, figure.evidence, source)


def _is_known(entry: Entry) -> bool:
    return bool(entry.range or entry.source) or entry.evidence != "assumption"


def law(say: Words, drawn: Law) -> str:
    """Write a distribution in words: its family and its parameters."""
    family = type(drawn).__name__.lower()
    named = {node.dotted: node.value for node in walk(drawn) if _is_number(node)}
    if family == "fixed":
        return say.plain(named["value"])
    said = say.listing(
        f"{say(f'law.{name}')} {say.plain(named[name])}" for name in PARAMETERS if name in named
    )
    return say.part(say(f"law.{family}"), said) if said else say(f"law.{family}")


def implied_lines(scenario: Scenario, protocol: Protocol, say: Words) -> Iterator[str]:
    """Yield what a scenario implies, and on how much that nothing supports."""
    say = called(scenario, say)
    simulated = implied.simulated(protocol)
    yield "Implied"
    yield from _people(say, scenario, protocol, simulated.screening)
    yield from _hours(say, scenario, protocol, simulated.overhead)
    safe = say.clauses(
        say.part(say.title(arm.name, "arm"), _safe_date(say, protocol, arm))
        for arm in protocol.arms
    )
    yield f"  last safe date of randomisation: {safe}"
    season = scenario.assumptions.recruitment.season
    if len({season.winter, season.spring, season.summer, season.autumn}) > 1:
        yield "  Winter is December to February and summer June to August, also in the south"
    yield from calendar_lines(say, protocol)
    every, drawn = entries(scenario, say), len(_beliefs(scenario))
    bare = sum(entry.evidence == "assumption" for entry in every)
    yield f"Assumptions without evidence: {bare} of {len(every)} (--register lists them)"
    yield f"Drawn anew in each replication: {drawn or 'nothing'}"


def register_lines(scenario: Scenario, say: Words) -> Iterator[str]:
    """Yield every assumption, the weakest evidence first, and the law of each that is drawn."""
    for grade, grouped in groupby(entries(scenario, say), lambda entry: entry.evidence):
        yield say.capital(say(f"register.{grade}"))
        for entry in grouped:
            span = f", range {entry.span(say)}" if entry.range else ""
            source = f"; {entry.source}" if entry.source else ""
            yield f"  {entry.path}: {entry.written}{span}{source}"
    if drawn := _beliefs(scenario):
        yield "Drawn anew in each replication"
    for each in drawn:
        mean, sd = each.mean_and_sd
        low, high = (each.law.quantile(end) for end in MIDDLE)
        spread = f"mean {mean:.3g}, sd {sd:.3g}, middle 90 % {low:.3g} to {high:.3g}"
        yield f"  {each.dotted}: {each.family}, {spread}"


def _beliefs(scenario: Scenario) -> list[Belief]:
    """What is believed of each number that every replication draws anew."""
    rate, others = rate_belief(scenario.assumptions), beliefs(scenario.assumptions)
    return [rate, *others] if rate else [*others]


def _within(error: float) -> str:
    """Return what stands behind a figure with a standard error; nothing behind one without."""
    return f" (± {1.96 * error:.1g})" if error else ""


def _people(
    say: Words, scenario: Scenario, protocol: Protocol, ends: implied.ScreeningEnds | None
) -> Iterator[str]:
    """Yield how many come how far; each figure says whether it counts queues and the target in."""
    trial, drawn = scenario.design.trial, implied.candidates(protocol)
    passing, failures = implied.passing(drawn), implied.step_failures(protocol, drawn)
    expected, error = implied.expected_randomised(protocol, drawn)
    alone = at_once = "if nobody waits for staff or opening hours"
    target, number = "", f"{say.number(expected)}{_within(error)}"
    limits = [] if trial.target is None else ["target"]
    limits += ["cap"] if scenario.design.randomisation.caps else []
    if limits:
        alone = f"{at_once} and no {' or '.join(limits)} stops it"
    if trial.target is not None:
        target = f" of {trial.target}"
    yield f"  {number}{target} randomised by {say.day(trial.recruits_until)}, {alone}"
    yield f"  {say.percent(passing)} of candidates meet every criterion"
    a_month = say.number(implied.randomised_per_month(protocol, passing), 2)
    yield f"  {a_month} randomised a month, before season, disruptions and waiting"
    ranked = sorted(failures, key=lambda failure: -failure[1][0])
    shares = say.listing(
        f"{say.title(name)} {say.percent(share)}" for name, (share, _) in ranked[:STEPS_NAMED]
    )
    if rest := ranked[STEPS_NAMED:]:
        shares += f", {len(rest)} others at most {say.percent(rest[0][1][0])} each"
    first = "" if protocol.screening.rescreening is None else ", at the first attempt"
    yield f"  failing of those who reach the step{first}, {at_once}: {shares}"
    if ends is not None:
        simulated = _simulated(protocol)
        yield f"  {say.percent(ends.failed)} of those who consent fail screening, {simulated}"
        withdrew = f"{say.percent(ends.withdrew)} of those who consent withdraw during screening"
        yield f"  {withdrew}, {simulated}"
    for weeks, arms in groupby(implied.dropout(protocol), lambda each: each[1]):
        named = [(say.title(arm, "arm"), say.percent(left)) for arm, _, left in arms]
        gone = say.clauses(f"{left} of {arm}" for arm, left in named)
        yield f"  {gone} have left {weeks:.0f} weeks after randomisation, if all stay so long"


def _simulated(protocol: Protocol) -> str:
    """Return the words for a figure that a few replications have."""
    return "queues counted in" if protocol.target is None else "queues and target counted in"


def _hours(
    say: Words, scenario: Scenario, protocol: Protocol, overhead: Sequence[implied.Overhead]
) -> Iterator[str]:
    """Yield the hours that each role has, and those of its overhead."""
    had = []
    for role, hours, people, is_mean in implied.full_time(scenario):
        number = people if isinstance(people, str) else f"{people:.3g}"
        several = f" × {number} people" if number != "1" else ""
        mean = " on average" if is_mean else ""
        share = say.percent(hours / implied.FULL_TIME_HOURS)
        had.append(f"{say.title(role)} {hours:.3g} ({share}){several}{mean}")
    if had:
        yield f"  hours a week, and of full time: {say.listing(had)}"
    worked = [f"{say.title(role)} {hours:.2g}{_within(error)}" for role, hours, error in overhead]
    if worked:
        said = f"hours of overhead worked a week, {_simulated(protocol)}"
        yield f"  {said}: {say.listing(worked)}"


def _safe_date(say: Words, protocol: Protocol, arm: Arm) -> str:
    day = arm.latest_safe_day
    return (
        say.day(protocol.clock.date_of_day(day)) if day >= 0 else "none, the schedule is too long"
    )


def calendar_lines(say: Words, protocol: Protocol) -> Iterator[str]:
    """Yield what is not known of the public holidays of each country."""
    for country, published, estimated, *_ in protocol.calendar_limits:
        if published and published < protocol.clock.closes:
            yield say("limits.published", country=country, day=published)
        if estimated:
            days = [say.aside(say.day(day), name) for day, name in estimated[:MOST_NAMED]]
            more = ["…"] if len(estimated) > MOST_NAMED else []
            named = say.listing([*days, *more])
            yield say("limits.estimated", country=country, number=len(estimated), days=named)
