"""What a variant of a scenario says differently: `extends` in a file, `--set` on the command line.

Mappings are merged key by key, and null removes an inherited key, so that it has its default
again. Anything else replaces what was there, lists too, and so do the days of `hours`, a `sweep`
and a mapping that names its `family`, whose entries belong together. Every entry keeps the position
it was written at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any

from sim.scenario.errors import KeyPath, closest, shown
from sim.scenario.numbers import TRIANGLE, Known
from sim.scenario.yaml_source import Document, Position, Problem, ScenarioError, parse

COMMAND_LINE = Position("--set", 0, 0)
WHOLE = ("hours", "sweep")


def merged(base: Document, variant: Document) -> Document:
    """Return `base` with what `variant` says differently."""
    return _changed(base, _merge(base.data, variant.data), variant.positions)


def overridden(document: Document, override: str, by: Position = COMMAND_LINE) -> Document:
    """Return the document as `PATH=VALUE`, given `by` a flag, changes it; the value is YAML.

    A bare number that replaces a number with a range keeps what is known about it, except a range
    it lies outside of. Raises ScenarioError when the text is no such override.
    """
    where, equals, text = override.partition("=")
    keys = tuple(where.strip().split("."))
    if not equals or not all(keys):
        what, allowed = (
            f"{shown(override)} sets nothing",
            "PATH=VALUE, as in design.trial.target=30",
        )
        raise ScenarioError([Problem(*by, "", what, allowed)])
    value = parse(text, by).data
    value = _keeping_what_is_known(_entry(document.data, keys), value)
    around = [keys[:length] for length in range(1, len(keys))]
    written = dict.fromkeys([*around, *_paths(value, keys)], by)
    return _changed(document, _set(document.data, keys, value), written)


def _changed(base: Document, data: object, written: Mapping[KeyPath, Position]) -> Document:
    """Return `data` with the positions of what was changed and of what was inherited."""
    standing = dict.fromkeys(_paths(data))
    inherited = {path: place for path, place in base.positions.items() if path in standing}
    return Document(data, {**inherited, **written}, dict(_meant(base, written)))


def _meant(base: Document, written: Iterable[KeyPath]) -> Iterator[tuple[KeyPath, str]]:
    """Yield each name that is written beside inherited ones, with the one most like it."""
    for path in written:
        if path not in base.positions and path[:-1] in base.positions:
            beside = _entry(base.data, path[:-1])
            yield path, closest(str(path[-1]), beside if isinstance(beside, dict) else ())


def _merge(old: Any, new: Any) -> Any:  # noqa: ANN401 -- plain data
    if not isinstance(new, dict) or "family" in new:
        return new
    inherited = _in_full(old, new.keys())
    kept = {key: entry for key, entry in inherited.items() if new.get(key, entry) is not None}
    changed = {
        key: _merge(inherited.get(key), entry) if _goes_in(key, entry, inherited) else entry
        for key, entry in new.items()
        if entry is not None or key not in inherited
    }
    return kept | changed


def _goes_in(key: str, entry: Any, inherited: Mapping[str, Any]) -> bool:  # noqa: ANN401 -- plain data
    """Say whether an entry adds to the inherited one; days of rosters and sweeps do not."""
    return key not in WHOLE or (_is_quantity(entry) and _is_quantity(inherited.get(key)))


def _set(old: Any, keys: Sequence[str], value: Any) -> Any:  # noqa: ANN401 -- plain data
    """Return `old` with what `keys` lead to merged with `value`."""
    first, *below = keys
    if not below:
        return _merge(old, {first: value})
    inherited = _in_full(old, {first})
    return {**inherited, first: _set(inherited.get(first), below, value)}


def _in_full(old: Any, keys: AbstractSet[str]) -> dict[str, Any]:  # noqa: ANN401 -- plain data
    """Return an inherited entry as a mapping, a short form that `keys` look into written out."""
    if isinstance(old, dict):
        return old
    if isinstance(old, list) and len(old) == len(TRIANGLE) and keys <= {*TRIANGLE, "whole"}:
        return {"family": "triangular", **dict(zip(TRIANGLE, old, strict=True))}
    return {"value": old} if _is_number(old) and keys <= Known.model_fields.keys() else {}


def _keeping_what_is_known(old: Any, value: Any) -> Any:  # noqa: ANN401 -- plain data
    if not (_is_number(value) and isinstance(old, dict) and "value" in old):
        return value
    match old.get("range"):
        case [low, high] if _is_number(low) and _is_number(high) and not low <= value <= high:
            return {"value": value, "range": None}
    return {"value": value}


def _is_number(entry: object) -> bool:
    return isinstance(entry, int | float) and not isinstance(entry, bool)


def _is_quantity(entry: object) -> bool:
    """Say whether an entry is a number, written bare or with what is known about it."""
    known = Known.model_fields.keys()
    return _is_number(entry) or (isinstance(entry, dict) and bool(entry) and entry.keys() <= known)


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
