"""Scenarios: read with what they extend, overridden, checked, written out again.

A variant, by `extends` in a file, `--set` on the command line or a point of a sweep, says only what
differs. Mappings are merged key by key; an empty one empties what was there, and null removes an
inherited key, so that it has its default again. Anything else replaces what was there, lists too,
and so do the days of `hours`, a `sweep` and a mapping that names its `family`, whose entries belong
together. Every entry keeps the position it was written at.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import reduce
from importlib import resources
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unicodedata import normalize

from pydantic import ValidationError
from ruamel.yaml import YAML

from sim.scenario.checks import contradictions
from sim.scenario.errors import Fault, KeyPath, closest, complaints, shown
from sim.scenario.numbers import TRIANGLE, Known
from sim.scenario.schema import EXTENDS, Scenario
from sim.scenario.signs import plainly
from sim.scenario.sweep import Values, text_of
from sim.scenario.yaml_source import (
    Document,
    Position,
    Problem,
    ScenarioError,
    SignPath,
    UnreadableFile,
    parse,
    read_yaml,
)

__all__ = [
    "Problem",
    "Scenario",
    "ScenarioError",
    "UnreadableFile",
    "dump",
    "load",
    "shipped",
    "variants",
]

MOST_PARENTS = 20
"""How many files may extend one another."""

COMMAND_LINE = Position("--set", 0, 0)
VARIED, MOVED = Position("--vary", 0, 0), Position("--move", 0, 0)
_REPLACED = ("hours", "sweep")

Variants = Callable[..., Scenario]
"""From no argument to the scenario itself, from `Values` to what they make of it.

With `planned` what is wrong with a point stands where the file's own `sweep` says its values.
"""


def load(path: Path | str, overrides: Sequence[str] = ()) -> Scenario:
    """Return the scenario of a file, with what it extends and with `PATH=VALUE` overrides.

    Raises UnreadableFile when the file cannot be opened, ScenarioError for everything wrong in it.

    >>> from sim import load
    >>> load("scenarios/baseline.yaml", ["design.trial.target=30"]).design.trial.target
    30
    """
    return located(path, overrides)[0]


def located(path: Path | str, overrides: Sequence[str] = ()) -> tuple[Scenario, Document]:
    """Return a scenario and the document that knows where each entry of it is written.

    Raises what `load` raises.
    """
    document = _read(Path(path), overrides)
    return _tried(document), document


def _read(path: Path, overrides: Sequence[str]) -> Document:
    """Return a file's document, with what it extends and as the overrides change it."""
    return reduce(overridden, overrides, _with_parents(path, ()))


def variants(path: Path, overrides: Sequence[str] = (), by: Position = VARIED) -> Variants:
    """Return a function from points of a sweep to their scenarios; the file is read only once.

    Raises, now and when called, what `load` raises; of a point's values it names the flag `by`.
    """
    document = _read(path, overrides)

    def variant(values: Values = MappingProxyType({}), *, planned: bool = False) -> Scenario:
        if planned:
            return _planned(document, values)
        if not values:
            return _tried(document)
        point = _without_sweep(document)
        for where, value in values.items():
            point = _known(overridden(point, f"{where}={value}", by), where, by)
        return _validated(point)

    return variant


def dump(scenario: Scenario) -> str:
    """Return the resolved scenario as YAML, every default written out; it loads back equal."""
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False
    yaml.width = 120
    yaml.allow_unicode = True
    yaml.representer.ignore_aliases = lambda _data: True
    text = io.StringIO()
    yaml.dump(_plain(scenario.model_dump(by_alias=True)), text)
    return text.getvalue()


def leaves(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Yield every value of design and assumptions by its dotted path, as a planner would say it."""
    plain = _plain(scenario.model_dump(by_alias=True))
    for section in ("design", "assumptions"):
        yield from _leaves(section, plain[section])


def _leaves(path: str, entry: object) -> Iterator[tuple[str, str]]:
    if not isinstance(entry, dict) or "value" in entry or "family" in entry:
        yield path, _in_words(entry)
        return
    for key, inner in entry.items():
        yield from _leaves(f"{path}.{key}", inner)


def _in_words(entry: object) -> str:
    if isinstance(entry, dict):
        inner = {key: each for key, each in entry.items() if each is not None}
        if "value" in inner:
            return _in_words(inner["value"])
        law = [inner.pop("family")] if "family" in inner else []
        numbers = {key: each for key, each in inner.items() if not isinstance(each, bool)}
        return ", ".join([*law, *(f"{key} {_in_words(each)}" for key, each in numbers.items())])
    if isinstance(entry, list):
        return ", ".join(map(_in_words, entry)) or "none"
    if isinstance(entry, bool):
        return "true" if entry else "false"
    if isinstance(entry, float):
        return f"{entry:.12g}"
    return "none" if entry is None else str(entry)


def shipped() -> Path:
    """Return the folder of the scenarios that come with the package."""
    package = Path(str(resources.files("sim")))
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent / "scenarios"


def _with_parents(path: Path, children: tuple[Path, ...]) -> Document:
    """Return a file's document merged into those it extends; parents are found beside it."""
    document = read_yaml(path)
    if not isinstance(document.data, dict):
        raise _error(document, Fault((), "this is not a scenario", "keys with values"))
    if (EXTENDS,) not in document.positions:
        return document
    parent, document = document.data[EXTENDS], _without(EXTENDS, document)
    if not isinstance(parent, str):
        raise _error(document, Fault((EXTENDS,), "this names no file", "a file beside this one"))
    if len(children) == MOST_PARENTS:
        what = f"this is the end of a row of {MOST_PARENTS + 1} files, each extending the next"
        raise _error(document, Fault((EXTENDS,), what, f"at most {MOST_PARENTS} in a row"))
    above = path.parent / parent
    try:
        here = (*children, path.resolve())
        if above.resolve() in here:
            what = "it extends itself in the end"
            raise _error(document, Fault((EXTENDS,), what, "another file"))
        base = _with_parents(above, here)
    except (UnreadableFile, OSError, ValueError, RuntimeError) as error:
        raise _error(document, Fault((EXTENDS,), str(error), "a file beside this one")) from error
    return merged(base, document)


def _validated(document: Document) -> Scenario:
    sections: dict[int, Any] = {}
    try:
        scenario = Scenario.model_validate(document.data, context=sections)
    except ValidationError as error:
        raise _error(document, *complaints(error, document.data, sections)) from error
    if faults := list(contradictions(scenario)):
        raise _error(document, *faults)
    return scenario


def _tried(document: Document) -> Scenario:
    """Return the scenario of a file, the values of its sweep tried out."""
    scenario = _validated(document)
    problems: dict[tuple[str, str], Problem] = {}
    for values in scenario.sweep.tried if scenario.sweep else ():
        try:
            _planned(document, values)
        except ScenarioError as error:
            # A path that leads nowhere does so at each of its values: it is told once.
            for problem in error.problems:
                problems.setdefault((problem.path, problem.what), problem)
    if problems:
        raise ScenarioError([*problems.values()])
    return scenario


def _planned(document: Document, values: Values) -> Scenario:
    """Return a point of the file's own sweep; what is wrong with it is wrong with the sweep."""
    point, places = _without_sweep(document), set()
    for where, value in values.items():
        places.add(place := _place(document, where, value))
        point = _known(overridden(point, f"{where}={value}", place), where, place)
    try:
        return _validated(point)
    except ScenarioError as error:
        file, line, column = document.positions["sweep",]
        raise ScenarioError(
            [
                each
                if (each.file, each.line, each.column) in places
                else replace(each, file=file, line=line, column=column)
                for each in error.problems
            ]
        ) from error


def _known(document: Document, where: str, by: Position) -> Document:
    """Return the document with no range at a path where one would be drawn from: it was set."""
    keys = tuple(where.strip().split("."))
    drawn = _entry(document.data, ("assumptions", "uncertain")) == "all"
    if drawn and _entry(document.data, (*keys, "range")) is not None:
        return overridden(document, f"{where}={{range: null}}", by)
    return document


def _without_sweep(document: Document) -> Document:
    """What a point is made of: itself it is not swept, and may lack the ranges a sweep needs."""
    return _without("sweep", document)


def _without(key: str, document: Document) -> Document:
    return replace(document, data={k: v for k, v in document.data.items() if k != key})


def _place(document: Document, path: str, value: str) -> Position:
    """Return where the file says that a path takes a value: in its sweep, or all of that."""
    keys: KeyPath = ("sweep", "vary", path)
    listed = (document.data["sweep"].get("vary") or {}).get(path)
    if isinstance(listed, list):
        keys = (*keys, list(map(text_of, listed)).index(value))
    return document.positions.get(keys, document.positions["sweep",])


def _error(document: Document, *faults: Fault) -> ScenarioError:
    return ScenarioError([document.refused(fault) for fault in faults])


def _plain(node: Any) -> Any:  # noqa: ANN401 -- plain data
    """Return what a model wrote as lists and mappings; what says nothing is left out."""
    if isinstance(node, dict):
        return {key: _plain(entry) for key, entry in node.items() if entry is not None}
    return [_plain(entry) for entry in node] if isinstance(node, list | tuple) else node


def merged(base: Document, variant: Document) -> Document:
    """Return `base` with what `variant` says differently."""
    return _changed(base, _merge(base.data, variant.data), variant.positions, variant.signs)


def overridden(document: Document, override: str, by: Position = COMMAND_LINE) -> Document:
    """Return the document as `PATH=VALUE`, given `by` a flag, changes it; the value is YAML.

    A bare number that replaces a number with a range keeps what is known about it, except a range
    it lies outside of. Raises ScenarioError when the text is no such override.
    """
    where, equals, text = normalize("NFC", override).partition("=")
    keys = tuple(where.strip().split("."))
    if not equals or not all(keys):
        what, allowed = (
            f"{shown(override)} sets nothing",
            "PATH=VALUE, as in design.trial.target=30",
        )
        raise ScenarioError([Problem(*by, "", what, allowed, plainly(override))])
    read = parse(text, by)
    value = _keeping_what_is_known(_entry(document.data, keys), read.data)
    around = [keys[:length] for length in range(1, len(keys))]
    written = dict.fromkeys([*around, *_paths(value, keys)], by)
    said = reduce(lambda inner, key: {key: inner}, reversed(keys), value)
    signs = {(*keys, *path): sign for path, sign in read.signs.items()}
    return _changed(document, _merge(document.data, said, into=len(keys) - 1), written, signs)


def _changed(
    base: Document,
    data: object,
    written: Mapping[KeyPath, Position],
    signs: Mapping[SignPath, Problem],
) -> Document:
    """Return `data` with the positions of what was changed and of what was inherited."""
    standing = dict.fromkeys(_paths(data))
    inherited = {path: place for path, place in base.positions.items() if path in standing}
    left = {path: sign for path, sign in base.signs.items() if path not in written}
    meant = dict(_meant(base, written))
    return Document(data, {**inherited, **written}, meant, {**left, **signs})


def _meant(base: Document, written: Iterable[KeyPath]) -> Iterator[tuple[KeyPath, str]]:
    """Yield each name that is written beside inherited ones, with the one most like it."""
    for path in written:
        if path not in base.positions and path[:-1] in base.positions:
            beside = _entry(base.data, path[:-1])
            yield path, closest(str(path[-1]), beside if isinstance(beside, dict) else ())


def _merge(old: Any, new: Any, into: int = 0) -> Any:  # noqa: ANN401 -- plain data
    """Return `old` with what `new` says differently; so many levels are gone into anyway."""
    if isinstance(new, list) and isinstance(old, dict):
        # The title of a visit or a task stays where a variant lists other steps.
        held = [key for key in ("tasks", "team") if isinstance(old.get(key), list)]
        return {**old, held[0]: new} if held else new
    if not isinstance(new, dict) or not new or ("family" in new and not into):
        return new
    inherited = _in_full(old, new.keys())
    kept = {key: entry for key, entry in inherited.items() if new.get(key, entry) is not None}
    changed = {
        key: _merge(inherited.get(key), entry, max(into - 1, 0))
        if into or key not in _REPLACED or _are_quantities(entry, inherited.get(key))
        else entry
        for key, entry in new.items()
        if entry is not None or key not in inherited
    }
    return kept | changed


def _in_full(old: Any, keys: AbstractSet[str]) -> dict[str, Any]:  # noqa: ANN401 -- plain data
    """Return an inherited entry as a mapping, a short form that `keys` look into written out."""
    if isinstance(old, dict):
        return old
    if _are_ends(old) and keys <= {*TRIANGLE, "whole", "title"}:
        return {"family": "triangular", **dict(zip(TRIANGLE, old, strict=True))}
    return {"value": old} if _is_number(old) and keys <= Known.model_fields.keys() else {}


def _are_ends(entry: object) -> bool:
    return isinstance(entry, list) and len(entry) == len(TRIANGLE) and all(map(_is_number, entry))


def _keeping_what_is_known(old: Any, value: Any) -> Any:  # noqa: ANN401 -- plain data
    if not (_is_number(value) and isinstance(old, dict) and "value" in old):
        return value
    match old.get("range"):
        case [low, high] if _is_number(low) and _is_number(high) and not low <= value <= high:
            return {"value": value, "range": None}
    return {"value": value}


def _is_number(entry: object) -> bool:
    return isinstance(entry, int | float) and not isinstance(entry, bool)


def _are_quantities(*entries: Any) -> bool:  # noqa: ANN401 -- plain data
    """Say whether entries are numbers, written bare or with what is known about them."""
    known = Known.model_fields.keys()
    return all(
        _is_number(each) or (isinstance(each, dict) and each and each.keys() <= known)
        for each in entries
    )


def _entry(data: Any, keys: KeyPath) -> Any:  # noqa: ANN401 -- plain data
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _paths(data: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of every entry, the outermost first."""
    yield path
    below = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    yield from chain.from_iterable(_paths(entry, (*path, key)) for key, entry in below)
