"""How what is said in English is said in another language.

Whatever is raised, kept or returned is in English, whoever asked for it; so is what libraries say.
It is said in another language where it is shown, sentence by sentence, by a table of sentences with
blanks: `templates/messages.<language>.toml`. Figures, dates and names are written by `Words`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import NamedTuple

from sim.vocabulary.words import ENGLISH

BLANKS = {
    "": "(?P<{}>.+?)",
    "n": r"(?P<{}>[-+−±]?(?:\d[\d.,:e+-]*|[?∞]))",
    "p": r"(?P<{}>[<>]?\s?\d+\s?%)",
    "w": "(?P<{}>[^、；;]+)",
}
"""What may stand in a blank, by its kind: anything, a figure, a share, one of a list."""

PLACE = re.compile(r"(?:--[\w-]+|(?=\S*[^\W\d])\S*[./]\S*): ")
"""A flag, a file or a path, of which is told behind it."""

BETWEEN_CELLS = re.compile(r"( {2,}|\t+)")
"""What stands between two columns."""


class Sentence(NamedTuple):
    """A sentence with blanks, and how it is said: what stands around the blanks tells it."""

    letters: tuple[str, ...]
    pattern: str
    said: str

    def blanks_in(self, text: str) -> Mapping[str, str] | None:
        """Return what stands in the blanks of a text; None where it is another sentence."""
        if not all(each in text for each in self.letters):
            return None
        found = re.fullmatch(self.pattern, text)
        return None if found is None else found.groupdict()


class Sentences(NamedTuple):
    """How a language says sentences without blanks, and others, in the order of their trial."""

    exact: Mapping[str, str]
    sentences: Sequence[Sentence]


def said_in(language: str, text: str) -> str:
    """Return a text as it is said in a language; what is not known stays.

    Each line, and each column of it, is a sentence of its own.
    """
    if language == ENGLISH:
        return text
    table = _table(language)
    lines = (BETWEEN_CELLS.split(line) for line in text.split("\n"))
    return "\n".join("".join(_cell(cell, table) for cell in line) for line in lines)


def _cell(cell: str, table: Sentences) -> str:
    core = cell.strip()
    return cell.replace(core, _said(core, table), 1) if core else cell


def _said(text: str, table: Sentences) -> str:
    if text in table.exact:
        return table.exact[text]
    if place := PLACE.match(text):
        return place[0] + _said(text[place.end() :], table)
    for sentence in table.sentences:
        if (found := sentence.blanks_in(text)) is not None:
            return sentence.said.format(
                **{name: _said(each, table) for name, each in found.items()}
            )
    return text


@cache
def _table(language: str) -> Sentences:
    table = files("sim") / "templates" / f"messages.{language}.toml"
    parts = tomllib.loads(table.read_text(encoding="utf-8"))
    exact = {text: said for text, said in parts["sentences"].items() if "{" not in text}
    endings, sentences, joints = (
        [_sentence(text, said) for text, said in parts[part].items() if text not in exact]
        for part in ("endings", "sentences", "joints")
    )
    sentences.sort(key=lambda each: -sum(map(len, each.letters)))
    return Sentences(exact, [*endings, *sentences, *joints])


def _sentence(text: str, said: str) -> Sentence:
    parts = list(Formatter().parse(text))
    pattern = "".join(
        re.escape(literal) + ("" if name is None else BLANKS[kind or ""].format(name))
        for literal, name, kind, _ in parts
    )
    return Sentence(tuple(part[0] for part in parts), pattern, said)
