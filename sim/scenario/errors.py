"""What is wrong with a scenario, in the words of its author rather than of the schema."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from textwrap import shorten
from typing import Any, NamedTuple

from pydantic import BaseModel, Discriminator, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from sim.scenario.signs import in_plain_signs

KeyPath = tuple[str | int, ...]
"""The keys, and indices into lists, that lead to an entry."""

Sections = Mapping[int, type[BaseModel]]
"""As which section each mapping of a file, by its identity, was read."""

MOST_SHOWN = 48
MOST_LISTED = 150

_A_MAPPING = ("is not a mapping", "keys with values, below or in braces")
WRONG: Mapping[str, tuple[str, str]] = {
    "bool_type": ("is not true or false", "true or false"),
    "date_type": ("is not a date", "a date such as 2022-10-01"),
    "dict_type": _A_MAPPING,
    "finite_number": ("is not finite", "a finite number"),
    "float_type": ("is not a number", "a number, without a unit"),
    "greater_than": ("is too small", "more than {gt:g}"),
    "greater_than_equal": ("is too small", "{ge:g} or more"),
    "int_from_float": ("is not a whole number", "a whole number"),
    "int_type": ("is not a whole number", "a whole number, without a unit"),
    "less_than": ("is too large", "less than {lt:g}"),
    "less_than_equal": ("is too large", "{le:g} or less"),
    "model_type": _A_MAPPING,
    "string_type": ("is not text", "text, in quotes if need be"),
    "too_long": ("has too many entries", "at most {max_length}"),
    "too_short": ("has too few entries", "at least {min_length}"),
    "union_tag_not_found": ("without a family", "family: and the name of a distribution"),
    "tuple_type": ("is not a list", "a list, as in [a, b]"),
}
"""By kind of error: what is wrong with the value, and what is allowed."""


FOLLOWS_FROM_ANOTHER = "default_factory_not_called"
"""What has its default from an entry beside it that is wrong, which is told anyway."""


class Fault(NamedTuple):
    """What is wrong at an entry, before it is known in which file and line that entry stands."""

    path: KeyPath
    what: str
    allowed: str
    did_you_mean: str = ""
    is_of_key: bool = False
    """Whether the key is at fault, whatever it holds."""


def refusal(what: str, allowed: str, meant: str = "") -> PydanticCustomError:
    """Return the error a validator raises: what is wrong, what is allowed, what was meant."""
    context = {"what": what, "allowed": allowed, "meant": meant}
    return PydanticCustomError("refused", "{what}", context)


class _Forms(Discriminator):
    __hash__ = object.__hash__  # so that an annotation may have alternatives


def forms(form: Callable[[Any], str | None], what: str, allowed: str) -> Discriminator:
    """Return what tells the forms of an entry apart, by their tags; None is refused in words."""
    context: dict[str, int | str | float] = {"what": what, "allowed": allowed}
    return _Forms(form, "refused", "{what}", context)


def text_or(mapping: type, *, text: str, other: str) -> Callable[[object], str | None]:
    """Return what tells a text from a mapping, or from the section it becomes, by their tags."""

    def form(data: object) -> str | None:
        if isinstance(data, str):
            return text
        return other if isinstance(data, dict | mapping) else None

    return form


def shown(value: object) -> str:
    """Return an entry as a message shows it: on one line, in quotes if text, and short."""
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return "nothing" if value is None else str(value).lower()
    text = str(value) if isinstance(value, dt.date) else repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"


def listed(names: Iterable[str]) -> str:
    """Return names as a list in a message, as many as fit in it."""
    return shorten(", ".join(names), MOST_LISTED, placeholder=" …") or "nothing is defined"


def closest(name: str, names: Iterable[str]) -> str:
    """Return the name that was probably meant, or an empty text."""
    return next(iter(difflib.get_close_matches(name, names, n=1)), "")


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return the end of a message about a name that is none of these, or an empty text."""
    meant = closest(name, names)
    return f"; did you mean {meant}?" if meant else ""


def complaints(error: ValidationError, data: object, sections: Sections) -> Iterator[Fault]:
    """Yield what the schema found wrong, each at the entry of `data` that has to be changed."""
    for found in error.errors(include_url=False):
        if found["type"] == FOLLOWS_FROM_ANOTHER or _is_garbled(found):
            continue
        path, around = _walk(data, found["loc"])
        section = sections.get(id(found["input"] if found["type"] == "missing" else around))
        yield _fault(found, path, documented(section) if section else {})


def _is_garbled(found: ErrorDetails) -> bool:
    """Whether a key that is missing is there with another colon, which is told."""
    is_lacking = found["type"] == "missing" and isinstance(found["input"], dict)
    plain = map(in_plain_signs, map(str, found["input"] if is_lacking else ()))
    return any(key.partition(":")[0].strip() == found["loc"][-1] for key in plain)


def _walk(data: Any, location: KeyPath) -> tuple[KeyPath, Any]:  # noqa: ANN401 -- plain data
    """Return the path a location leads to in `data`, and the mapping or list its end stands in.

    A location also names the branches the schema took and the keys a short form leaves out; these
    are not in `data`.
    """
    path: KeyPath = ()
    around = entry = data
    for index, part in enumerate(location):
        if not _has(entry, part):
            continue
        leads_on = isinstance(entry[part], dict | list)
        if leads_on or not any(_has(entry, later) for later in location[index + 1 :]):
            around, entry = entry, entry[part]
            path = (*path, part)
    return path, around


def _has(entry: object, part: str | int) -> bool:
    if isinstance(entry, list):
        return isinstance(part, int) and part < len(entry)
    return isinstance(entry, dict) and part in entry


def documented(section: type[BaseModel]) -> dict[str, str]:
    """Return the keys of a section, each with the first sentence of its documentation."""
    said = {
        field.alias or name: " ".join((field.description or "").split())
        for name, field in section.model_fields.items()
    }
    return {key: text.partition(". ")[0].removesuffix(".") for key, text in said.items()}


def _fault(found: ErrorDetails, path: KeyPath, keys: Mapping[str, str]) -> Fault:
    kind, context, value = found["type"], found.get("ctx", {}), found["input"]
    match kind:
        case "refused":
            return Fault(path, context["what"], context["allowed"], context.get("meant", ""))
        case "missing":
            key = str(found["loc"][-1])
            return Fault(path, f"{key} is missing", keys.get(key, ""))
        case "extra_forbidden":
            meant = closest(str(path[-1]), keys)
            return Fault(path, "unknown key", listed(keys), meant, is_of_key=True)
        case "union_tag_invalid":
            return _not_listed((*path, "family"), value["family"], context["expected_tags"])
        case "literal_error" | "enum":
            return _not_listed(path, value, context["expected"])
    what, allowed = WRONG.get(kind, (f"is refused ({found['msg']})", ""))
    return Fault(path, f"{shown(value)} {what}", allowed.format(**context))


def _not_listed(path: KeyPath, value: object, expected: str) -> Fault:
    names = expected.replace("'", "")
    meant = closest(str(value), names.replace(" or ", ", ").split(", "))
    return Fault(path, f"{shown(value)} is not known here", names, meant)
