"""Question 4 of the page: the register of assumptions, every number with what is known about it."""

from __future__ import annotations

from collections.abc import Iterator

from sim.report import asking, uncertainty
from sim.report.asking import Entry
from sim.report.page import Answer, Part, Row, Run, Table
from sim.scenario.load import Scenario
from sim.scenario.numbers import Law, Number, Whole
from sim.scenario.section import Node, Section, walk
from sim.vocabulary.words import Words

GRADES = ("assumption", "expert", "data", "literature", "registry")
"""Evidence grades as the register lists them, the weakest first."""

PARAMETERS = ("mean", "median", "shape", "sd", "sigma", "scale", "low", "mode", "high")
"""Parameters of distributions in the order in which they are read."""


EFFECT = 3
"""The column of effects, where there is one."""


def entries(scenario: Scenario, say: Words) -> list[Entry]:
    """Return the numbers of the assumptions and the ranged ones of the design, weakest first."""
    design = [entry for entry in _numbers(say, scenario.design, "design") if entry.range]
    every = [*design, *_numbers(say, scenario.assumptions, "assumptions")]
    return sorted(every, key=lambda entry: (GRADES.index(entry.evidence), bool(entry.source)))


def answer(run: Run) -> Answer:
    """Return what was assumed, how well it is known, and what to ask first."""
    say, every = run.say, entries(run.scenario, run.say)
    bare = sum(entry.evidence == "assumption" for entry in every)
    title = say("register.title")
    if not every:
        return Answer("register", title, say("register.empty"))
    lead = say("register.lead", bare=bare, all=len(every)) if bare else say("register.lead_none")
    luck = [] if run.target is None else uncertainty.figures(run, run.target)
    moved = [say("register.moved")] if luck and run.tornado is None else []
    figures = [run.tornado.figure, *luck] if run.tornado and run.tornado.figure else luck
    more: list[Part] = [*figures[1:], _table(run, every)]
    return Answer("register", title, lead, [*asking.first(run, every), *moved], figures[:1], more)


def _table(run: Run, every: list[Entry]) -> Table:
    """The register, by effect where that is known, else the weakest evidence first."""
    say, tornado = run.say, run.tornado
    columns = ["path", "value", "range", "evidence", "source"]
    header = [say(f"register.{column}") for column in columns]
    cells = [_cells(say, entry) for entry in every]
    note = say("register.note")
    if tornado is not None:
        effect = "effect_points" if tornado.is_share else "effect"
        header.insert(EFFECT, say(f"register.{effect}", on=tornado.on))
        for entry, row in zip(every, cells, strict=True):
            row.insert(EFFECT, asking.effect(say, tornado, entry.path))
        note = say("register.effect_note", replications=tornado.manifest["replications"]) + note
    rows = [Row(row, _kind(entry)) for entry, row in zip(every, cells, strict=True)]
    if tornado is not None:
        places = {path: place for place, path in enumerate(tornado.effects)}
        rows.sort(key=lambda row: places.get(row.cells[0], len(places)))
    return Table(say("register.table"), header, rows, note, texts=len(header))


def _cells(say: Words, entry: Entry) -> list[str]:
    span = say.span(say.plain(entry.range[0]), say.plain(entry.range[1])) if entry.range else ""
    return [
        entry.path,
        entry.written,
        span,
        say(f"register.{entry.evidence}"),
        entry.source or say("register.no_source"),
    ]


def _kind(entry: Entry) -> str:
    if entry.evidence != "assumption":
        return "register known"
    return "register" if entry.source else "register bare"


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
