"""Question 4 of the page: every number that was assumed, what is known of it, what to ask first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from sim.experiments import implied
from sim.report.page import Answer, Part, Table, TableRow, in_words
from sim.report.run import Run
from sim.report.sensitivity import Tornado
from sim.report.uncertainty import luck_apart
from sim.scenario.beliefs import MIDDLE, beliefs, rate_belief
from sim.scenario.load import Scenario
from sim.scenario.numbers import Law, Number, Whole
from sim.scenario.protocol import Protocol
from sim.scenario.section import Node, Section, walk
from sim.vocabulary.words import BLANK, Words, words

GRADES = ("assumption", "expert", "data", "literature", "registry")
"""Evidence grades as the register lists them, the weakest first."""

PARAMETERS = ("mean", "median", "shape", "sd", "sigma", "scale", "low", "mode", "high")
"""Parameters of distributions in the order in which they are read."""

ASKED_FIRST = 3
"""How many numbers are named."""

EFFECT_COLUMN = 3
"""The column of effects, where there is one."""

MOST_NAMED = 12
"""How many estimated days off are named."""

ATTENDANCE = "assumptions.attendance."


class Entry(NamedTuple):
    """A number of the scenario, or a distribution (no number) of whose numbers nothing is known."""

    path: str
    written: str
    number: float | None
    range: tuple[float, float] | None
    evidence: str
    source: str

    @property
    def width(self) -> float:
        """How wide the range is for the number; 0 without a range, infinite around 0."""
        if self.range is None or self.number is None:
            return 0.0
        low, high = self.range
        return (high - low) / abs(self.number) if self.number else math.inf

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
    moved = [say("register.moved")] if luck and run.tornado is None else []
    figures = [run.tornado.figure, *luck] if run.tornado else luck
    more: list[Part] = [*figures[1:], _table(run, every)]
    return Answer("register", title, lead, [*_asked(run, assumed), *moved], figures[:1], more)


def _table(run: Run, every: list[Entry]) -> Table:
    """The register, by effect where that is known, else the weakest evidence first."""
    say, tornado, note = run.say, run.tornado, run.say("register.note")
    header = [say(f"register.{name}") for name in ("path", "value", "range", "evidence", "source")]
    cells = [_cells(say, entry) for entry in every]
    if tornado is not None:
        effect = "effect_points" if tornado.is_share else "effect"
        header.insert(EFFECT_COLUMN, say(f"register.{effect}", on=tornado.on))
        for entry, row in zip(every, cells, strict=True):
            row.insert(EFFECT_COLUMN, _effect(say, tornado, entry.path))
        note = say("register.effect_note", replications=tornado.replications) + note
    rows = [TableRow(row, _kind(entry)) for entry, row in zip(every, cells, strict=True)]
    if tornado is not None:
        places = {path: place for place, path in enumerate(tornado.effects)}
        rows.sort(key=lambda row: places.get(row.cells[0], len(places)))
    return Table(say("register.table"), header, rows, note, texts=len(header))


def _cells(say: Words, entry: Entry) -> list[str]:
    source = entry.source or say("register.no_source")
    return [
        entry.path,
        entry.written,
        entry.span(say),
        say(f"register.{entry.evidence}"),
        source,
    ]


def _kind(entry: Entry) -> str:
    if entry.evidence != "assumption":
        return "register known"
    return "register" if entry.source else "register bare"


def _asked(run: Run, assumed: Sequence[Entry]) -> Iterator[str]:
    """Which numbers to ask about first, and how many cannot be ranked for want of a range."""
    if not assumed:
        return
    yield _by_range(run, assumed) if run.tornado is None else _by_effect(run, run.tornado, assumed)
    if unranked := sum(entry.range is None for entry in assumed):
        yield run.say("register.no_range", count=unranked)


def _by_effect(run: Run, tornado: Tornado, assumed: Sequence[Entry]) -> str:
    say = run.say
    paths = {entry.path for entry in assumed}
    moved = [path for path in tornado.effects if path in paths]
    clear = [path for path in moved if tornado.effects[path].is_clear]
    if not moved:
        return say("register.first_no_range")
    if not clear:
        return say("register.first_none", on=tornado.on)
    named = (
        say.aside(in_words(path, say), _effect(say, tornado, path)) for path in clear[:ASKED_FIRST]
    )
    key = "first_points" if tornado.is_share else "first"
    return say(f"register.{key}", on=tornado.on, names=say.clauses(named))


def _by_range(run: Run, assumed: Sequence[Entry]) -> str:
    """The widest for their value, but those of visits that no arm is to attend."""
    say, protocol = run.say, run.protocol
    planned = (visit for arm in protocol.arms for visit in arm.visits)
    held = {slots.visit.name for visit in planned for slots in visit.offer.choices}
    idle = tuple(f"{ATTENDANCE}{name}." for name in protocol.attendance if name not in held)
    wide = [entry for entry in assumed if entry.width > 0 and not entry.path.startswith(idle)]
    if not wide:
        return say("register.first_no_range")
    wide.sort(key=lambda entry: -entry.width)
    named = (
        say.aside(in_words(entry.path, say), say.part(entry.written, entry.span(say)))
        for entry in wide[:ASKED_FIRST]
    )
    return say("register.first_by_range", names=say.clauses(named))


def _effect(say: Words, tornado: Tornado, path: str) -> str:
    """The change at the low and at the high end of a number's range, as the page writes it.

    One not told apart from nothing is marked; a number that was not moved has none.
    """
    if path not in tornado.effects:
        return BLANK
    found = tornado.effects[path]
    low, high = (_signed(say, tornado, change) for change in (found.at_low, found.at_high))
    ends = say("register.ends", low=low, high=high)
    return ends if found.is_clear else say("register.unclear", effect=ends)


def _signed(say: Words, tornado: Tornado, change: float) -> str:
    if math.isnan(change):
        return BLANK
    return say.signed(change * 100, ".0f") if tornado.is_share else say.signed(change, ".3g")


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
    return Entry(node.dotted, written, figure, figure.range, figure.evidence, figure.source)


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


def check_lines(scenario: Scenario, protocol: Protocol) -> Iterator[str]:
    """Yield what a scenario implies and which of its assumptions nothing supports."""
    say = words()
    yield "Implied"
    yield from _people(say, scenario, protocol)
    yield from _hours(say, scenario, protocol)
    for arm in protocol.arms:
        safe = _safe_date(protocol, arm.latest_safe_day)
        yield f"  {arm.name}: last safe date of randomisation {safe}"
    season = scenario.assumptions.recruitment.season
    if len({season.winter, season.spring, season.summer, season.autumn}) > 1:
        yield "  Winter is December to February and summer June to August, also in the south"
    yield from calendar_lines(say, protocol)
    yield from _drawn(scenario)
    every = entries(scenario, say)
    bare = [entry for entry in every if entry.evidence == "assumption"]
    yield f"Assumptions without evidence: {len(bare)} of {len(every)}"
    for entry in bare:
        span = f", range {entry.span(say)}" if entry.range else ""
        source = f"; {entry.source}" if entry.source else ""
        yield f"  {entry.path}: {entry.written}{span}{source}"


def _drawn(scenario: Scenario) -> Iterator[str]:
    """Yield the law of each number that every replication draws anew."""
    nature = scenario.assumptions
    rate, others = rate_belief(nature), beliefs(nature)
    every = [rate, *others] if rate else [*others]
    yield f"Drawn anew in each replication: {len(every) or 'nothing'}"
    for each in every:
        mean, sd = each.mean_and_sd
        low, high = (each.law.quantile(end) for end in MIDDLE)
        spread = f"mean {mean:.3g}, sd {sd:.3g}, middle 90 % {low:.3g} to {high:.3g}"
        yield f"  {each.dotted}: {each.family}, {spread}"


def _people(say: Words, scenario: Scenario, protocol: Protocol) -> Iterator[str]:
    """Yield how many come how far; each figure says whether it counts queues and the target in."""
    trial, drawn = scenario.design.trial, implied.candidates(protocol)
    passing, failures = implied.passing(drawn), implied.step_failures(protocol, drawn)
    expected, error = implied.expected_randomised(protocol, drawn)
    alone = at_once = "if nobody waits for staff or opening hours"
    target, number = "", f"{say.number(expected)} (± {1.96 * error:.1g})"
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
    shares = say.listing(f"{name} {say.percent(share)}" for name, (share, _) in failures)
    first = "" if protocol.screening.rescreening is None else ", at the first attempt"
    yield f"  failing of those who reach the step{first}, {at_once}: {shares}"
    ends = implied.screening_ends(protocol)
    if ends is not None:
        simulated = _simulated(protocol)
        yield f"  {say.percent(ends.failed)} of those who consent fail screening, {simulated}"
        withdrew = f"{say.percent(ends.withdrew)} of those who consent withdraw during screening"
        yield f"  {withdrew}, {simulated}"
    for arm_name, weeks, left in implied.dropout(protocol):
        gone = f"{say.percent(left)} of {arm_name} have left"
        yield f"  {gone} {weeks:.0f} weeks after randomisation, if all are followed that long"


def _simulated(protocol: Protocol) -> str:
    """Return the words for a figure that a few replications have."""
    return "queues counted in" if protocol.target is None else "queues and target counted in"


def _hours(say: Words, scenario: Scenario, protocol: Protocol) -> Iterator[str]:
    """Yield the hours that each role has, and those of its overhead."""
    for role, hours, people, is_mean in implied.full_time(scenario):
        share = say.percent(hours / implied.FULL_TIME_HOURS)
        number = f"{people:.3g}" if isinstance(people, float) else people
        number = f"{number} on average" if is_mean else number
        yield f"  {role}: {hours:.3g} h a week, {share} of full time, people: {number}"
    for role, hours, error in implied.overhead_hours(protocol):
        worked = f"{role}: {hours:.2g} h of overhead a week are worked (± {1.96 * error:.1g} h)"
        yield f"  {worked}, {_simulated(protocol)}"


def _safe_date(protocol: Protocol, day: int) -> date | str:
    return protocol.clock.date_of_day(day) if day >= 0 else "none, the schedule is too long"


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
