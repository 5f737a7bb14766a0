"""A YAML file as plain data, with the position of each key, and nothing a plan has no use for.

YAML 1.2 without its machinery: aliases, anchors, tags, directives and further documents are
refused, since nothing in a scenario needs them and a few aliases can stand for more than fits in
memory. The tree is built from the parser's events, which never get that far.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import normalize

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from sim.scenario.errors import Fault, KeyPath, did_you_mean, shown
from sim.scenario.signs import first_sign, plainly
from sim.vocabulary.files import bytes_of

LARGEST_BYTES = 1_000_000
DEEPEST = 24
LONGEST_PATH = 150
DIGITS_OF_A_WHOLE_NUMBER = 18

VALUE = None
SignPath = tuple[str | int | None, ...]

_NULL = re.compile(r"|~|null|Null|NULL")
_TRUTH = re.compile(r"(?P<yes>true|True|TRUE)|false|False|FALSE")
_WHOLE = re.compile(r"[-+]?[0-9]+")
_REAL = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class UnreadableFile(Exception):  # noqa: N818 -- it names what happened
    """A path that cannot be opened as a file."""


class Position(NamedTuple):
    """Where an entry is written; line and column count from 1, and are 0 on the command line."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with a scenario, for its author to read."""

    file: str
    line: int
    column: int
    path: str
    what: str
    allowed: str = ""
    did_you_mean: str = ""

    def __str__(self) -> str:
        """Return `file:line:column: path: what is wrong; what is allowed; did you mean …?`."""
        return self.text()

    def text(self, told: Callable[[str], str] = str) -> str:
        """Return the problem, with what is said behind its place as `told` tells it."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        where = ": ".join(part for part in (place, self.path) if part)
        allowed = f"; allowed: {self.allowed}" if self.allowed else ""
        meant = f"; did you mean {self.did_you_mean}?" if self.did_you_mean else ""
        return f"{where}: {told(f'{self.what}{allowed}{meant}')}"


class ScenarioError(Exception):
    """Everything wrong with a scenario's content, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        """Take the problems, at least one."""
        self.problems = sorted({*problems})
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Document:
    """Plain data, where each entry is written, and what a new name may have been meant as.

    `signs` are those that YAML does not know, by the path of the key that holds one, or that of the
    entry and `VALUE`. A text may hold them.
    """

    data: Any
    positions: Mapping[KeyPath, Position]
    meant: Mapping[KeyPath, str] = field(default_factory=dict)
    signs: Mapping[SignPath, Problem] = field(default_factory=dict)

    def refused(self, fault: Fault) -> Problem:
        """Return the fault with its position, or the sign that YAML does not know behind it."""
        sign = self.signs.get(fault.path)
        if not fault.is_of_key:
            sign = self.signs.get((*fault.path, VALUE), sign) or self._quoted(fault)
        return self.problem(fault) if sign is None else replace(sign, path=dotted(fault.path))

    def _quoted(self, fault: Fault) -> Problem | None:
        """Return a sign within the entry that the fault quotes, if it does."""
        depth = len(fault.path)
        within = (sign for path, sign in self.signs.items() if path[:depth] == fault.path)
        return next((sign for sign in within if sign.what[-1] in fault.what), None)

    def problem(self, fault: Fault) -> Problem:
        """Return the fault with the position of its entry, or of the nearest entry around it."""
        around = fault.path
        while around and around not in self.positions:
            around = around[:-1]
        prefixes = (fault.path[:length] for length in range(len(fault.path) + 1))
        meant = fault.did_you_mean or "".join(self.meant.get(prefix, "") for prefix in prefixes)
        return Problem(
            *self.positions[around], dotted(fault.path), fault.what, fault.allowed, meant
        )


def dotted(path: KeyPath) -> str:
    """Return a path as planners write it: `design.schedule.week_2.window_days[0]`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{_plain(part)}" for part in path]
    text = "".join(parts).removeprefix(".")
    return _ending(text)


def _ending(path: str) -> str:
    text = path if path.isprintable() else repr(path)
    return text if len(text) <= LONGEST_PATH else f"…{text[1 - LONGEST_PATH :]}"


def _plain(key: str) -> str:
    return key if re.fullmatch(r"[\w-]{1,48}", key) else shown(key)


def contents(path: Path, largest: int) -> bytes:
    """Return the bytes of a file of at most so many.

    Raises UnreadableFile when it cannot be opened, ScenarioError when it is larger.
    """
    try:
        if not path.is_file():
            beside = (each.name for each in path.parent.glob("*.yaml"))
            hint = did_you_mean(path.name, beside)
            what = "is not a file" if path.exists() else f"does not exist{hint}"
            raise UnreadableFile(f"{_ending(str(path))} {what}")
        raw = bytes_of(path, largest, through_links=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise UnreadableFile(f"{_ending(str(path))} cannot be opened: {reason}") from error
    if len(raw) > largest:
        what, allowed = "the file is too large", f"at most {largest / 1e6:g} MB"
        raise _refused(Position(str(path), 1, 1), what, allowed)
    return raw


def read_yaml(path: Path) -> Document:
    """Return what a file holds.

    Raises UnreadableFile when it cannot be opened, ScenarioError when it is not plain YAML.
    """
    raw, start = contents(path, LARGEST_BYTES), Position(str(path), 1, 1)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(start, "the file is not text", "YAML in UTF-8") from None
    return parse(text, start)


@lru_cache(maxsize=16)
def parse(text: str, start: Position) -> Document:
    """Return what a text holds, which begins at `start`; raises ScenarioError.

    Scenarios that are compared extend the same file, which takes longest to read. What is returned
    is shared, and nobody changes it.
    """
    builder = _Builder(normalize("NFC", text), start)
    try:
        return builder.document()
    except MarkedYAMLError as error:
        is_key = error.context == "while scanning a simple key"
        mark = error.context_mark if is_key else error.problem_mark or error.context_mark
        if mark and (sign := builder.sign_before(mark)):
            raise ScenarioError([sign]) from error
        position = _at(start, mark) if mark else start
        raise _refused(position, f"not YAML: {error.problem}", "") from error
    except YAMLError as error:
        what = "the file holds characters that are not text"
        raise _refused(start, what, "YAML in UTF-8") from error


def _refused(position: Position, what: str, allowed: str) -> ScenarioError:
    return ScenarioError([Problem(*position, "", what, allowed)])


def _at(start: Position, mark: Any) -> Position:  # noqa: ANN401 -- the library does not say
    return Position(start.file, mark.line + 1, mark.column + 1) if start.line else start


@dataclass
class _Builder:
    """Builds the data of one text; goes on after a problem, so that all are found at once."""

    text: str
    start: Position
    positions: dict[KeyPath, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    signs: dict[SignPath, Problem] = field(default_factory=dict)
    last: Any = None

    def document(self) -> Document:
        self.positions[()] = self.start
        self.events: Iterator[Any] = self.noted()
        next(self.events)  # the start of the stream
        opening = next(self.events)
        if isinstance(opening, StreamEndEvent):
            raise _refused(self.start, "the file is empty", "a scenario")
        if opening.version or opening.tags:
            self.refuse((), opening, "a directive", "plain YAML without % lines")
        data = self.node(next(self.events), ())
        next(self.events)  # the end of the document
        if isinstance(further := next(self.events), DocumentStartEvent):
            self.refuse((), further, "a second document", "one scenario a file")
        if self.problems:
            raise ScenarioError(self.problems)
        return Document(data, self.positions, signs=self.signs)

    def noted(self) -> Iterator[Any]:
        for event in YAML(typ="safe", pure=True).parse(self.text):
            self.last = event
            yield event

    def sign_before(self, stop: Any) -> Problem | None:  # noqa: ANN401
        """Return the sign by which YAML lost its way: between what it read last and its stop.

        What it read last counts in if it is not known to have ended there, and so does a key of the
        same line, which a sign has made too long.
        """
        last = self.last
        begins = last.end_mark if stop.line > last.end_mark.line else last.start_mark
        of_keys = (sign for path, sign in self.signs.items() if path[-1] is not VALUE)
        in_line = (sign for sign in of_keys if sign.line == stop.line + 1)
        return self.sign(begins.index, stop.index + 1) or next(in_line, None)

    def sign(self, begins: int, ends: int) -> Problem | None:
        """Return the first sign in a part of the text that YAML does not know, as a problem."""
        found = first_sign(self.text, begins, min(ends, len(self.text)))
        if found is None:
            return None
        first = self.text.rfind("\n", 0, found.at) + 1
        number = self.text.count("\n", 0, first) + 1
        place = Position(self.start.file, number, found.at - first + 1)
        line = self.text[first:].partition("\n")[0]
        return Problem(
            *(place if self.start.line else self.start),
            *("", found.what, found.instead, plainly(line)),
        )

    def node(self, event: Any, path: KeyPath) -> Any:  # noqa: ANN401
        if isinstance(event, AliasEvent):
            return self.refuse(path, event, f"an alias (*{_plain(event.anchor)})", "plain values")
        if event.anchor is not None:
            self.refuse(path, event, f"an anchor (&{_plain(event.anchor)})", "plain values")
        if event.tag is not None:
            self.refuse(path, event, "a tag (!)", "plain values")
        if len(path) > DEEPEST:
            self.refuse(path, event, "nested too deeply", f"at most {DEEPEST} levels")
            raise ScenarioError(self.problems)
        if isinstance(event, MappingStartEvent):
            return self.mapping(path)
        if isinstance(event, SequenceStartEvent):
            return self.sequence(path)
        return self.scalar(event, path)

    def mapping(self, path: KeyPath) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            below = (*path, self.key(event, path))
            if isinstance(event, ScalarEvent):
                self.look(event, below)
            if below[-1] in entries:
                first = self.positions[below].line
                self.refuse(below, event, f"written twice, first on line {first}", "each key once")
            self.positions.setdefault(below, _at(self.start, event.start_mark))
            entries[str(below[-1])] = self.node(next(self.events), below)
        return entries

    def key(self, event: Any, path: KeyPath) -> str:  # noqa: ANN401
        if isinstance(event, ScalarEvent) and event.anchor is None and event.tag is None:
            return str(event.value)
        self.node(event, (*path, "?"))  # a level deeper, so that keys within keys come to an end
        self.refuse(path, event, "a key that is not a word", "words as keys")
        return ""

    def sequence(self, path: KeyPath) -> list[Any]:
        entries: list[Any] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            below = (*path, len(entries))
            self.positions[below] = _at(self.start, event.start_mark)
            entries.append(self.node(event, below))
        return entries

    def scalar(self, event: ScalarEvent, path: KeyPath) -> Any:  # noqa: ANN401
        self.look(event, (*path, VALUE))
        if event.style is not None:
            return event.value
        try:
            return value_of(event.value)
        except ValueError:
            return self.refuse(path, event, f"{event.value} is no date of the calendar", "a date")

    def look(self, event: ScalarEvent, path: SignPath) -> None:
        """Note the first sign of a word that YAML does not know, should the word be refused."""
        begins, ends = event.start_mark.index, event.end_mark.index
        if not event.value.isascii() and (sign := self.sign(begins, ends)):
            self.signs[path] = sign

    def refuse(self, path: KeyPath, event: Any, what: str, allowed: str) -> None:  # noqa: ANN401
        position = _at(self.start, event.start_mark)
        self.problems.append(Problem(*position, dotted(path), what, allowed))


def value_of(text: str) -> str | float | dt.date | None:
    """Return what an unquoted word of YAML 1.2 stands for.

    Raises ValueError for a date that does not exist. A whole number too long for anything a plan
    can count is read as a real one.
    """
    if _NULL.fullmatch(text):
        return None
    if truth := _TRUTH.fullmatch(text):
        return truth["yes"] is not None
    if _DATE.fullmatch(text):
        return dt.date.fromisoformat(text)
    if _WHOLE.fullmatch(text) and len(text) <= DIGITS_OF_A_WHOLE_NUMBER:
        return int(text)
    if _REAL.fullmatch(text):
        return float(re.sub(r"\.(?=[a-zA-Z])", "", text))
    return text
