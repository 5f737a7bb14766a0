"""An axis of a sweep: one path of the scenario and the values it takes in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import product
from typing import NamedTuple

Values = Mapping[str, str]
"""A point of a sweep: a value, written as in a scenario, for each path that is varied."""

LEAST_POINTS = 2


class Axis(NamedTuple):
    """A dotted path and its values, written as in a scenario."""

    path: str
    levels: tuple[str, ...]


def axis(text: str) -> Axis:
    """Return the axis of `PATH=a,b,c`, or of `PATH=low:high:n` with n evenly spaced values.

    Raises ValueError, which says what is wrong, where the text is neither.
    """
    path, equals, listed = (part.strip() for part in text.partition("="))
    if not (equals and path and listed):
        message = f"{text!r} names no values; write PATH=a,b,c or PATH=low:high:n"
        raise ValueError(message)
    low, *rest = listed.split(":")
    if len(rest) == 2 and rest[1].strip().isdecimal():  # noqa: PLR2004  high and n
        levels = _spaced(low.strip(), rest[0].strip(), int(rest[1]))
    else:
        levels = tuple(_split(listed))
    if len(set(levels)) < len(levels):
        message = f"{text!r} names a value twice"
        raise ValueError(message)
    return Axis(path, levels)


def grid(axes: Sequence[Axis]) -> Iterator[Values]:
    """Yield every combination of values, those of the last axis changing fastest.

    Raises ValueError where two axes have the same path.
    """
    paths = [each.path for each in axes]
    if len(set(paths)) < len(paths):
        message = f"{next(path for path in paths if paths.count(path) > 1)} is varied twice"
        raise ValueError(message)
    for values in product(*(each.levels for each in axes)):
        yield dict(zip(paths, values, strict=True))


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


def _spaced(low: str, high: str, number: int) -> tuple[str, ...]:
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
