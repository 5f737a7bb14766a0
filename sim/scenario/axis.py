"""An axis of a sweep: one path of the scenario and the values it takes in turn."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import product
from typing import NamedTuple

Values = Mapping[str, str]
"""A point of a sweep: a value, written as in a scenario, for each path that is varied."""

LEAST_POINTS = 2
NOT_SIMULATED = "sweep"
"""The part of a scenario that no simulation reads."""

_PLAIN = re.compile(r"[A-Za-z][\w-]*")
_NOT_TEXT = re.compile(r"null|true|false", re.IGNORECASE)


class Axis(NamedTuple):
    """A dotted path and its values, written as in a scenario."""

    path: str
    levels: tuple[str, ...]


@dataclass(frozen=True)
class Places:
    """The points of a sweep in their order, made anew whenever they are gone through.

    There may be more of them than would fit in memory. `rows` gives for each point a value a path.
    """

    paths: Sequence[str]
    number: int
    rows: Callable[[], Iterable[Sequence[str]]]

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[Values]:
        for row in self.rows():
            yield dict(zip(self.paths, row, strict=True))


def axis(text: str) -> Axis:
    """Return the axis of `PATH=a,b,c`, or of `PATH=low:high:n` with n evenly spaced values.

    Raises ValueError, which says what is wrong, where the text is neither.
    """
    path, equals, listed = (part.strip() for part in text.partition("="))
    if not (equals and path and listed):
        message = f"{text!r} names no values; write PATH=a,b,c or PATH=low:high:n"
        raise ValueError(message)
    if path.partition(".")[0] == NOT_SIMULATED:
        message = f"{path}: a sweep does not vary itself"
        raise ValueError(message)
    low, *rest = listed.split(":")
    if len(rest) == 2 and rest[1].strip().isdecimal():  # noqa: PLR2004  high and n
        levels = spaced(low.strip(), rest[0].strip(), int(rest[1]))
    else:
        levels = tuple(_split(listed))
    if len(set(levels)) < len(levels):
        message = f"{text!r} names a value twice"
        raise ValueError(message)
    return Axis(path, levels)


def grid(axes: Sequence[Axis]) -> Places:
    """Return every combination of values, those of the last axis changing fastest.

    Raises ValueError where two axes have the same path.
    """
    paths = [each.path for each in axes]
    if len(set(paths)) < len(paths):
        message = f"{next(path for path in paths if paths.count(path) > 1)} is varied twice"
        raise ValueError(message)
    levels = [each.levels for each in axes]
    return Places(paths, math.prod(map(len, levels)), partial(product, *levels))


def written(value: object) -> str:
    """Return plain data of a scenario as its text, on one line and as short as it can be."""
    match value:
        case dict():
            inner = (f"{written(key)}: {written(entry)}" for key, entry in value.items())
            return f"{{{', '.join(inner)}}}"
        case list() | tuple():
            return f"[{', '.join(map(written, value))}]"
        case str():
            plain = _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value)
            return value if plain else json.dumps(value, ensure_ascii=False)
        case None | bool():
            return json.dumps(value)
    return str(value)


def _split(text: str) -> Iterator[str]:
    """Yield what stands between commas, but for commas in brackets, braces or quotes."""
    start, closers, closing = 0, {"[": "]", "{": "}", '"': '"', "'": "'"}, list[str]()
    for place, letter in enumerate(f"{text},"):
        if closing and letter == closing[-1]:
            closing.pop()
        elif letter in closers:
            closing.append(closers[letter])
        elif letter == "," and not closing:
            yield text[start:place].strip()
            start = place + 1


def spaced(low: str, high: str, number: int) -> tuple[str, ...]:
    """Return so many evenly spaced values from low to high, two numbers or two dates.

    Raises ValueError, which says what is wrong, where they are neither or the values too few.
    """
    if number < LEAST_POINTS:
        message = f"{low}:{high}:{number} has fewer than {LEAST_POINTS} values"
        raise ValueError(message)
    steps = [step / (number - 1) for step in range(number)]
    try:
        first, last = float(low), float(high)
    except ValueError:
        return tuple(_dates(low, high, steps))
    return tuple(f"{first + step * (last - first):.12g}" for step in steps)


def _dates(low: str, high: str, steps: Sequence[float]) -> Iterator[str]:
    try:
        first, last = date.fromisoformat(low), date.fromisoformat(high)
    except ValueError:
        message = f"{low} and {high} are neither two numbers nor two dates"
        raise ValueError(message) from None
    for step in steps:
        yield (first + timedelta(days=round(step * (last - first).days))).isoformat()
