"""Scenarios: read with what they extend, overridden, checked, written out again."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML

from sim.scenario.axis import Values, written
from sim.scenario.checks import contradictions
from sim.scenario.errors import Fault, KeyPath, complaints
from sim.scenario.schema import Scenario
from sim.scenario.variant import merged, overridden
from sim.scenario.yaml_source import (
    Document,
    Position,
    Problem,
    ScenarioError,
    UnreadableFile,
    read,
)

__all__ = [
    "Problem",
    "Scenario",
    "ScenarioError",
    "UnreadableFile",
    "dump",
    "json_schema",
    "load",
    "shipped",
    "variants",
]

EXTENDS = "extends"
VARIED, MOVED = Position("--vary", 0, 0), Position("--move", 0, 0)

Variants = Callable[..., Scenario]
"""From no argument to the scenario itself, from `Values` to what they make of it.

With `planned` what is wrong with a point stands where the file's own `sweep` says its values.
"""


def load(path: Path, overrides: Sequence[str] = ()) -> Scenario:
    """Return the scenario of a file, with what it extends and with `PATH=VALUE` overrides.

    Raises UnreadableFile when the file cannot be opened, ScenarioError for everything wrong in it.
    """
    return variants(path, overrides)()


def variants(path: Path, overrides: Sequence[str] = (), by: Position = VARIED) -> Variants:
    """Return a function from points of a sweep to their scenarios; the file is read only once.

    Raises, now and when called, what `load` raises; of a point's values it names the flag `by`.
    """
    document = _with_parents(path, ())
    for override in overrides:
        document = overridden(document, override)

    def variant(values: Values = MappingProxyType({}), *, planned: bool = False) -> Scenario:
        if planned:
            return _planned(document, values)
        if not values:
            return _tried(document)
        point = _without_sweep(document)
        for where, value in values.items():
            point = overridden(point, f"{where}={value}", by)
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


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema with which editors check and complete scenario files.

    A variant may leave out any key, and remove an inherited one by `null`: nothing is required, and
    everything may be null.
    """
    schema = _for_variants(Scenario.model_json_schema(by_alias=True))
    described = {"type": "string", "description": "The scenario this one differs from."}
    schema["properties"] = {EXTENDS: described, **schema["properties"]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def shipped() -> Path:
    """Return the folder of the scenarios that come with the package."""
    package = Path(str(resources.files("sim")))
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent / "scenarios"


def _with_parents(path: Path, children: tuple[Path, ...]) -> Document:
    """Return a file's document merged into those it extends; parents are found beside it."""
    document = read(path)
    if not isinstance(document.data, dict):
        raise _error(document, Fault((), "this is not a scenario", "keys with values"))
    parent = document.data.pop(EXTENDS, None)
    at = document.positions.get((EXTENDS,))
    if at is None:
        return document
    if not isinstance(parent, str):
        raise _error(document, Fault((EXTENDS,), "this names no file", "a file beside this one"))
    above = path.parent / parent
    here = (*children, path.resolve())
    try:
        if above.resolve() in here:
            what = "it extends itself in the end"
            raise _error(document, Fault((EXTENDS,), what, "another file"))
        base = _with_parents(above, here)
    except (UnreadableFile, OSError, ValueError) as error:
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
        point = overridden(point, f"{where}={value}", place)
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


def _without_sweep(document: Document) -> Document:
    """What a point is made of: itself it is not swept, and may lack the ranges a sweep needs."""
    return replace(document, data={k: v for k, v in document.data.items() if k != "sweep"})


def _place(document: Document, path: str, value: str) -> Position:
    """Return where the file says that a path takes a value: in its sweep, or all of that."""
    keys: KeyPath = ("sweep", "vary", path)
    listed = (document.data["sweep"].get("vary") or {}).get(path)
    if isinstance(listed, list):
        keys = (*keys, list(map(written, listed)).index(value))
    return document.positions.get(keys, document.positions["sweep",])


def _error(document: Document, *faults: Fault) -> ScenarioError:
    return ScenarioError([document.problem(fault) for fault in faults])


def _plain(node: Any) -> Any:  # noqa: ANN401 -- plain data
    """Return what a model wrote as lists and mappings; what says nothing is left out."""
    if isinstance(node, dict):
        return {key: _plain(entry) for key, entry in node.items() if entry is not None}
    return [_plain(entry) for entry in node] if isinstance(node, list | tuple) else node


def _for_variants(schema: Any) -> Any:  # noqa: ANN401 -- plain data
    if isinstance(schema, list):
        return [_for_variants(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: part for key, part in schema.items() if key != "required" and not _is_title(part, key)
    }
    parts = {key: _for_variants(part) for key, part in kept.items()}
    for key in ("properties", "patternProperties"):
        if key in parts:
            parts[key] = {name: _or_null(entry) for name, entry in parts[key].items()}
    if isinstance(entries := parts.get("additionalProperties"), dict):
        parts["additionalProperties"] = _or_null(entries)
    return parts


def _is_title(part: object, key: str) -> bool:
    return key == "title" and isinstance(part, str)


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    about = ["description", "default"]
    described = {key: schema.pop(key) for key in about if key in schema}
    return {**described, "anyOf": [schema, {"type": "null"}]}
