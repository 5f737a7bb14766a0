"""How people read the names of a scenario."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from sim.scenario.errors import Fault, KeyPath
from sim.scenario.numbers import Law, Number, Whole
from sim.scenario.schema import Scenario
from sim.scenario.section import walk
from sim.vocabulary.words import ENGLISH, Words, words

PARTS = ("design", "assumptions")
"""What of a scenario may be moved; targets are what is asked for."""


class NamedThings(NamedTuple):
    """Things that are named side by side: where they stand, and each by its name."""

    path: KeyPath
    of: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """What tells their names from those of other things (see `KINDS_APART`), if anything."""
        return "arm" if self.path[-1] == "arms" else ""

    def titled(self) -> Iterator[tuple[str, Any]]:
        """Yield each name that has a title, and the title as it is written."""
        for name, each in self.of.items():
            if title := getattr(each, "title", None):
                yield name, title


def named_things(scenario: Scenario) -> Iterator[NamedThings]:
    """Yield all that a scenario names, kind by kind."""
    design, nature = scenario.design, scenario.assumptions
    for section in ("arms", "places", "eligibility", "products", "schedule", "unscheduled"):
        yield NamedThings(("design", section), getattr(design, section))
    # Roles and rooms stand in the same tables.
    yield NamedThings(("design", "staff"), {**design.staff, **design.rooms})
    yield NamedThings(("design", "screening"), {step.name: step for step in design.steps})
    yield NamedThings(("design", "randomisation", "caps"), design.randomisation.caps)
    yield NamedThings(("design", "visits"), design.visits)
    yield NamedThings(("design", "tasks"), design.tasks)
    yield NamedThings(("assumptions", "patients"), nature.patients)
    yield NamedThings(("assumptions", "leaving"), nature.leaving)
    yield NamedThings(("assumptions", "recruitment", "disruptions"), nature.recruitment.disruptions)
    yield NamedThings(("targets",), scenario.targets)


def called(scenario: Scenario, say: Words | None = None) -> Words:
    """Return the texts of a language, at first of English, with the titles of a scenario.

    Of things named side by side those of one title have their names beside it.
    """
    say = say or words(ENGLISH)
    titles: dict[tuple[str, str], str] = {}
    for things in named_things(scenario):
        if not (own := {name: say.own(title) for name, title in things.titled()}):
            continue
        read = {name: own.get(name) or say.title(name, things.kind) for name in things.of}
        often = Counter(map(say.capital, read.values()))
        for name, title in read.items():
            if often[say.capital(title)] > 1:
                titles[things.kind, name] = say.aside(title, name)
            elif name in own:
                titles[things.kind, name] = title
    return say.calling(titles)


def path_titles(scenario: Scenario, say: Words) -> Callable[[str], str]:
    """Return what calls a dotted path by so many of its last levels that no other entry has them.

    Whatever stands below a name that the scenario gives is called after it, and a parameter of a
    distribution after what is drawn; a path that leads into no entry of the scenario is called by
    all of its levels.
    """
    every = {
        tuple(map(str, node.path)): node.value
        for part in PARTS
        for node in walk(getattr(scenario, part), (part,), whole=(tuple, Number, Whole))
    }
    ends = Counter(path[-length:] for path in every for length in range(1, len(path) + 1))

    def title(dotted: str) -> str:
        path = tuple(dotted.split("."))
        if path not in every:
            return say.levels(path[1:])
        above = [every.get(path[:length]) for length in range(len(path))]
        names = (place for place, each in enumerate(above) if isinstance(each, Mapping))
        least = max(len(path) - next(names, len(path)), 1 + isinstance(above[-1], Law))
        lengths = (length for length in range(least, len(path)) if ends[path[-length:]] == 1)
        return say.levels(path[-next(lengths, len(path)) :])

    return title


def same_titles(scenario: Scenario) -> Iterator[tuple[KeyPath, str]]:
    """Yield where a title is that of another thing named beside it, and the name of that."""
    for things in named_things(scenario):
        met: dict[str, str] = {}
        for name, title in things.titled():
            if (other := met.setdefault(words().own(title), name)) != name:
                yield (*things.path, name, "title"), other


def title_faults(scenario: Scenario) -> Iterator[Fault]:
    """Yield each name to which things of several kinds give different titles.

    Tables hold names: what stands in them could not be told apart.
    """
    met: dict[str, tuple[str, Any]] = {}
    for things in named_things(scenario):
        for name, title in things.titled() if not things.kind else ():
            where, other = met.setdefault(name, (".".join(map(str, things.path)), title))
            if other != title:
                what = f"{name} has another title in {where}"
                yield Fault((*things.path, name, "title"), what, "one title for a name")
