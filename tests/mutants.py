"""Scenarios with a few entries broken at random, and what becomes of each.

`python -m tests.mutants 5000` tries so many and says what they came to; a seed may follow.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import multiprocessing
import random
import resource
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache, reduce
from operator import getitem
from pathlib import Path
from typing import Any, NamedTuple

from sim.experiments.doubts import located_doubts
from sim.experiments.replicate import replicate
from sim.report.assumptions import implied_lines, register_lines
from sim.results import tables
from sim.scenario.interpret import interpret
from sim.scenario.load import ScenarioError, dump, load, located, shipped
from sim.scenario.numbers import (
    Exponential,
    Gamma,
    Lognormal,
    Normal,
    Triangular,
    Uniform,
    Weibull,
)
from sim.scenario.yaml_source import Position, parse
from sim.vocabulary.words import words
from tests.test_keys import EVERYTHING

SECONDS, BYTES = 10, 2 * 2**30
"""Processor time and memory that a sound scenario's replication, tables and checks may take."""

HALF = 0.5
MOST_EDITS, LONGEST_MESSAGE = 3, 400
EXTREMES: tuple[Any, ...] = (
    0,
    -1,
    1,
    0.5,
    1e308,
    -1e308,
    math.nan,
    math.inf,
    5e-324,
    10**18,
    -(10**18),
)
EXTREMES += (10**400, 1e-9, 0.999999, 1e9, 1e15, dt.date(1, 1, 1), dt.date(9999, 12, 31))
WORDS: tuple[Any, ...] = (
    "",
    "x",
    "value",
    "family",
    "none",
    "unlimited",
    "always",
    "женщина",
    "\u2028",
)
WORDS += ("\u202e" + "a" * 60, "../..", "=1+1", None, True, [], {}, [1, 2, 3], [[]], {"value": 1})


class Mutant(NamedTuple):
    """A broken scenario and how it was broken."""

    text: str
    edits: str


class Twin(str):
    """A key that can stand beside its equal."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


NAMES = ["", *sorted(path.stem for path in shipped().glob("*.yaml"))]
"""The scenario that uses every key, and those that are shipped."""


@cache
def source(name: str) -> Any:  # noqa: ANN401  plain data
    """Return the data of a scenario, every default written out."""
    text = dump(load(shipped() / f"{name}.yaml")) if name else EVERYTHING
    return parse(text, Position("source", 1, 1)).data


def mutants(number: int, seed: int) -> Iterator[Mutant]:
    """Yield so many mutants; each is what it is for its place and the seed."""
    for place in range(number):
        luck = random.Random(f"{seed} {place}")  # noqa: S311  no secret
        data = deepcopy(source(luck.choice(NAMES) if luck.random() < HALF else ""))
        edits = [_edit(data, luck) for _ in range(luck.randint(1, MOST_EDITS))]
        yield Mutant(flow(data), "; ".join(edits))


def paths(node: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every entry below a node."""
    if isinstance(node, dict | list):
        for key, entry in node.items() if isinstance(node, dict) else enumerate(node):
            yield (*path, key)
            yield from paths(entry, (*path, key))


def _edit(data: Any, luck: random.Random) -> str:  # noqa: ANN401  plain data
    """Break an entry, or make a number, a date or a distribution another one; return how."""
    every = {path: reduce(getitem, path, data) for path in paths(data)}
    kind = luck.choice(("delete", "rename", "double", "retype", "extreme", *LIKELY))
    fitting = [path for path, entry in every.items() if kind not in LIKELY or LIKELY[kind](entry)]
    path = luck.choice(fitting or [*every])
    value = _value(kind, every[path], luck)
    if kind == "rename":
        value = str(luck.choice(luck.choice([*every])))
    edit(data, path, kind, value)
    return f"{kind} {'.'.join(map(str, path))} {value!r:.60}"


def _value(kind: str, entry: Any, luck: random.Random) -> Any:  # noqa: ANN401  plain data
    match kind:
        case "number" | "another number" if luck.random() < 0.7:
            size = (min(abs(entry), 1e300) or 1) * 10 ** luck.uniform(-3, 9)
            return round(size) if isinstance(entry, int) else size
        case "date" if luck.random() < 0.9:
            days = round(luck.choice((-1, 1)) * 10 ** luck.uniform(0, 5))
            return dt.date.fromordinal(min(max(entry.toordinal() + days, 1), 3_000_000))
        case "law":
            name, law = luck.choice([*LAWS.items()])
            sizes = (*EXTREMES, *(10 ** luck.uniform(-9, 9) for _ in range(20)))
            inner = {key: luck.choice(sizes) for key in law.model_fields if luck.random() < 0.9}
            return inner | {"family": name.lower()}
        case "retype":
            return luck.choice(WORDS)
    return luck.choice(EXTREMES)


def _is_number(entry: object) -> bool:
    return isinstance(entry, int | float) and not isinstance(entry, bool)


LIKELY: dict[str, Callable[[Any], bool]] = {
    "number": _is_number,
    "another number": _is_number,
    "date": lambda entry: isinstance(entry, dt.date),
    "law": lambda entry: isinstance(entry, dict) and "family" in entry,
}
"""Edits of entries of one kind, which a scenario may well survive."""

LAWS = {
    law.__name__: law
    for law in (Uniform, Triangular, Normal, Lognormal, Exponential, Weibull, Gamma)
}


def edit(data: Any, path: tuple[Any, ...], kind: str, value: Any) -> None:  # noqa: ANN401  any data
    """Retype, rename or double the entry at a path or, failing that, delete it."""
    *above, key = path
    around = reduce(getitem, above, data)
    named = isinstance(around, dict)
    if kind in {"retype", "extreme", *LIKELY}:
        around[key] = deepcopy(value)
    elif kind == "rename" and named:
        around[value] = around.pop(key)
    elif kind == "double" and named:
        around[Twin(key)] = around[key]
    else:
        del around[key]


def flow(node: object) -> str:
    """Write data as YAML in flow style."""
    if isinstance(node, dict):
        entries = (f"{json.dumps(str(key))}: {flow(entry)}" for key, entry in node.items())
        return f"{{{', '.join(entries)}}}"
    if isinstance(node, list):
        return f"[{', '.join(map(flow, node))}]"
    if isinstance(node, float) and not math.isfinite(node):
        return {math.inf: ".inf", -math.inf: "-.inf"}.get(node, ".nan")
    return str(node) if isinstance(node, dt.date) else json.dumps(node)


def outcome(mutant: Mutant, folder: Path) -> str:
    """Return `refused` or `sound`, or what is wrong with how it ended."""
    fork = multiprocessing.get_context("fork")
    said, tell = fork.Pipe(duplex=False)
    child = fork.Process(target=_try, args=(mutant.text, folder / "mutant.yaml", tell))
    child.start()
    tell.close()
    try:
        return str(said.recv())
    except EOFError:
        child.join()
        return f"ended with {child.exitcode} within {SECONDS} s or {BYTES} bytes"
    finally:
        child.join()


def _try(text: str, path: Path, tell: Any) -> None:  # noqa: ANN401  one end of a pipe
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))
    try:
        path.write_text(text, encoding="utf-8")
        tell.send(_tried(path))
    except Exception:  # noqa: BLE001  whatever it is, it is the finding
        tell.send(traceback.format_exc())


def _tried(path: Path) -> str:
    try:
        scenario, document = located(path)
    except ScenarioError as error:
        unfit = [str(each) for each in error.problems if not _is_told(str(each), path)]
        return f"a poor message: {unfit[0]}" if unfit else "refused"
    protocol = interpret(scenario)
    say = words()
    _ = [dump(scenario), *implied_lines(scenario, protocol, say), *register_lines(scenario, say)]
    located_doubts(scenario, protocol, document, say)
    tables.build(replicate(scenario, replications=1, jobs=1))
    return "sound"


def _is_told(problem: str, path: Path) -> bool:
    """Say whether a message names a place in the file, on one line that is not too long."""
    is_placed = problem.startswith(f"{path}:") and len(problem) < LONGEST_MESSAGE
    return is_placed and problem.isprintable() and "is refused (" not in problem


def main(number: int, seed: int) -> None:
    """Try so many mutants and print what they came to."""
    ended: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for mutant in mutants(number, seed):
            came_to = outcome(mutant, Path(folder))
            known = came_to if came_to in {"refused", "sound"} else "failed"
            ended[known] += 1
            if known == "failed":
                print(f"{mutant.edits}\n  {came_to.strip().splitlines()[-1][:300]}")  # noqa: T201
    print(dict(ended))  # noqa: T201


if __name__ == "__main__":
    main(*map(int, [*sys.argv[1:], "1"][:2]))
