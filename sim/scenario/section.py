"""What every part of a scenario file has in common, and one walk through all of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin
from unicodedata import category, normalize

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    Strict,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    WrapSerializer,
    model_validator,
)

from sim.scenario.errors import KeyPath, forms, refusal, shown, text_or
from sim.vocabulary.words import Language

MOST_LETTERS = 48
A_NAME = f"up to {MOST_LETTERS} letters, digits and _, a letter first"


def is_plain_name(text: str) -> bool:
    """Whether a text is a name: letters of any script, digits and _, a letter first.

    Letters have one way to be written, so that no two names look alike for want of a normal form.
    """
    is_plain = normalize("NFKC", text) == text
    return is_plain and text.isidentifier() and text[0] != "_" and len(text) <= MOST_LETTERS


def _a_name(text: str) -> str:
    if not is_plain_name(text):
        raise refusal(f"{shown(text)} is not a name", A_NAME)
    return text


_LOOKS = r"^[^\x00-@\[-`{-\x7f][^\x00-/:-@\[-^`{-\x7f]{0,47}$"
"""What an editor can tell of a name in any dialect: which ASCII it may hold."""

Name = Annotated[
    str, AfterValidator(_a_name), WithJsonSchema({"type": "string", "pattern": _LOOKS})
]
"""A name a planner chooses; it becomes part of a measure's name, hence no other characters."""

Date = Annotated[dt.date, Strict()]
"""A day of the calendar, written 2022-10-01."""


def _on_one_line(text: str) -> str:
    """Join the lines of a text; refuse what cannot be seen and would steer a terminal."""
    line = " ".join(text.split())
    hidden = next((each for each in line if category(each) == "Cc" or each in _TURNS_ROUND), "")
    if hidden:
        raise refusal(f"this holds a character that cannot be seen, {hidden!a}", "plain text")
    return line


def _no_formula(text: str) -> str:
    if text[:1] in FORMULA:
        raise refusal(f"{shown(text)} is a formula to a spreadsheet", "a letter or figure first")
    return text


_TURNS_ROUND = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the direction of writing, and with it what a line seems to say."""

FORMULA = ("=", "+", "-", "@")
"""What a cell begins with that a spreadsheet works out."""

Text = Annotated[str, AfterValidator(_on_one_line)]
"""What a planner says for people to read; it becomes one line."""

Title = Annotated[
    Annotated[Text, Tag("text")]
    | Annotated[dict[Language, Text], Field(min_length=1), Tag("languages")],
    forms(
        text_or(dict, text="text", other="languages"),
        "this is not a title",
        "text, or one by language as in {en: …, zh: …}",
    ),
]
"""What people read: a text, or one for each language."""

Unit = Annotated[Text, AfterValidator(_no_formula)]
"""A text that becomes a cell of a table."""


@dataclass(frozen=True)
class Ref:
    """What a name refers to: an annotation of the name, whatever list or mapping it stands in.

    Where every such name has to stand it puts none of them to use: `is_use` is false.
    """

    kind: str
    is_use: bool = True


def absent_is(word: str) -> WrapSerializer:
    """Return what writes an absent entry as a word."""
    return WrapSerializer(lambda entry, write: word if entry is None else write(entry))


def none_written(data: object) -> object:
    """Read the word `none` as nothing."""
    return None if data == "none" else data


class Section(BaseModel):
    """A mapping of the scenario file; the docstring under each key is its documentation."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _note_which_section(cls, data: object, info: ValidationInfo) -> object:
        """Note which section a mapping was read as, so that a complaint can list its keys."""
        if info.context is not None and isinstance(data, dict):
            info.context[id(data)] = cls
        return data


class Titled(Section):
    """A section that has a name in the mapping it stands in, and may say how people read it."""

    title: Title | None = Field(default=None, exclude_if=lambda title: title is None)
    """How people read its name: text, or one by language, as in `{en: ward nurse, zh: 病房护士}`; a
    page in another language has the first. Left out, it is the name in words."""


class Named(Titled):
    """A section that knows the name it has in the mapping it stands in."""

    _name: str = PrivateAttr("")

    @property
    def name(self) -> str:
        """Return the name."""
        return self._name


_Any = TypeVar("_Any", bound=Named)


def _named(sections: dict[str, _Any]) -> dict[str, _Any]:
    for name, section in sections.items():
        section._name = name  # noqa: SLF001  known only here
    return sections


ByName = Annotated[dict[Name, _Any], AfterValidator(_named)]
"""A mapping of named sections."""


class Node(NamedTuple):
    """An entry of a scenario with the keys that lead to it, and with what it is annotated with."""

    path: KeyPath
    value: Any
    hints: tuple[Any, ...] = ()

    @property
    def dotted(self) -> str:
        """Return the path as planners write it."""
        return ".".join(map(str, self.path))


def walk(
    value: object, path: KeyPath = (), *, whole: tuple[type, ...] = (), hints: tuple[Any, ...] = ()
) -> Iterator[Node]:
    """Yield every entry of a part of a scenario in the order of the file, the outermost first.

    What is of a type of `whole` is not looked into.
    """
    yield Node(path, value, hints)
    below: list[Node] = []
    if isinstance(value, whole):
        return
    if isinstance(value, Section):
        below = [
            Node((field.alias or name,), getattr(value, name), (field.annotation, *field.metadata))
            for name, field in type(value).model_fields.items()
        ]
        below += [Node((name,), extra) for name, extra in (value.model_extra or {}).items()]
    elif isinstance(value, Mapping):
        of_entries = _of_mapping(hints, value)[1:]
        below = [Node((key,), entry, of_entries) for key, entry in value.items()]
    elif isinstance(value, tuple):
        of_items = next(_inside(hints, tuple), ())[:1]
        below = [Node((index,), item, of_items) for index, item in enumerate(value)]
    for inner in below:
        yield from walk(inner.value, (*path, *inner.path), whole=whole, hints=inner.hints)


def references(value: Section) -> Iterator[tuple[KeyPath, str, Ref]]:
    """Yield each name that refers to something: its path, the name, and what it refers to."""
    for path, entry, hints in walk(value):
        if isinstance(entry, Mapping):
            of_keys = _of_mapping(hints, entry)[:1]
            yield from (((*path, key), key, ref) for ref in _refs(of_keys) for key in entry)
        elif isinstance(entry, str):
            yield from ((path, entry, ref) for ref in _refs(hints))


def _refs(hints: tuple[Any, ...]) -> Iterator[Ref]:
    return (part for part in parts_of(hints) if isinstance(part, Ref))


def _of_mapping(hints: tuple[Any, ...], value: Mapping[Any, Any]) -> tuple[Any, ...]:
    """Return what the keys and entries of a mapping are annotated with: by week or by name."""
    kind = type(next(iter(value), ""))
    fitting = (each for each in _inside(hints, dict) if kind in (*parts_of(each[:1]),))
    return next(fitting, ())


def _inside(hints: tuple[Any, ...], collection: type) -> Iterator[tuple[Any, ...]]:
    """Yield what each alternative that is a collection has inside."""
    return (get_args(part) for part in parts_of(hints) if get_origin(part) is collection)


def parts_of(hints: tuple[Any, ...]) -> Iterator[Any]:
    """Yield annotations, those of each alternative too."""
    for hint in hints:
        yield hint
        if get_origin(hint) in (Annotated, Union, UnionType):
            yield from parts_of(get_args(hint))
