"""How the page speaks: its texts in one language, and how it writes figures and dates.

Texts and conventions of writing (`[format]`) stand in `templates/words.<language>.toml`; a further
language is a further file with the same keys.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fnmatch import fnmatchcase
from functools import cache, partial
from importlib.resources import files
from string import Formatter
from typing import Any, Literal, get_args
from unicodedata import east_asian_width

from sim.vocabulary.measures import CATALOGUE

NO_BREAK = "\u00a0"
BLANK = "–"
"""What stands where there is no figure."""

LEVELS_APART = " · "
"""What stands between the levels of a path; in a narrow chart each has a line of its own."""

LIKELIHOODS = (
    (0.99, "virtually_certain"),
    (0.90, "very_likely"),
    (0.66, "likely"),
    (0.33, "as_likely_as_not"),
    (0.10, "unlikely"),
    (0.01, "very_unlikely"),
    (0.00, "exceptionally_unlikely"),
)
"""Least probability and its word, after the IPCC's note on uncertainties (2010)."""

Language = Literal["en", "zh"]
ENGLISH, LANGUAGES = "en", get_args(Language)

KINDS_APART = ("arm", "scenario")
"""Kinds of things whose names have a title of their own where other things have them too."""

OF = {name.format("*"): row.of for row in CATALOGUE for name in row.units}
"""Of what there is one measure each, by the family of its names."""

BARELY, NEARLY = 0.005, 0.995
"""Shares that are rounded to none and to all, in whole per cent."""


@dataclass(frozen=True)
class Words:
    """The texts of one language by dotted key, and its month names from January.

    `titles` are what a scenario calls what it names, by kind (see `KINDS_APART`) and name.
    """

    language: str
    texts: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    titles: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the text of a key with its blanks filled; KeyError where the language lacks it.

        A blank with a unit (`{day:day}`, `{probability:share}`) takes a value and writes it so.
        """
        return self.filled(self.texts[key], **values)

    def filled(self, text: str, /, **values: object) -> str:
        """Return a text with its blanks filled."""
        return _Filling(self).format(text, **values)

    def writer(self, unit: str) -> Callable[[Any], str]:
        """Return what writes the values of a unit; KeyError where there is no such unit."""
        writers: dict[str, Callable[[Any], str]] = {
            "": str,
            "text": str,
            "figure": str,
            "name": self.heading,
            "title": self.title,
            "scenario": partial(self.title, kind="scenario"),
            "day": self.day,
            "month": self.month,
            "share": self.percent,
            "number": self.number,
            "count": partial(self.number, digits=0),
            "plain": self.plain,
            "interval": lambda ends: self.span(*map(self.percent, ends)),
            "counts": lambda ends: self.span(*(self.number(end, 0) for end in ends)),
        }
        return writers[unit]

    def calling(self, titles: Mapping[tuple[str, str], str]) -> Words:
        """Return the same texts with what a scenario calls what it names, before all others."""
        return replace(self, titles={**titles, **self.titles})

    def title(self, name: str, kind: str = "") -> str:
        """Return the title of a name of the tables or scenarios, else the name itself in words.

        What the scenario itself calls it goes first. A measure of something (`left_death`,
        `nurse_hours`) is named by the text of its family.
        """
        apart = kind if kind in KINDS_APART else ""
        for title in (self.titles.get((apart, name)), self.texts.get(f"name.{name}")):
            if title is not None:
                return title
        for key, text in self.texts.items():
            family = key.removeprefix("measure.")
            if family != key and fnmatchcase(name, family):
                before, after = family.split("*")
                of = name.removeprefix(before).removesuffix(after)
                return text.format(name=self.title(of, OF.get(family, "")))
        return name.replace("_", " ")

    def heading(self, name: str) -> str:
        """Return the title of a name with a capital letter, as it begins a row or a heading."""
        return self.capital(self.title(name))

    def capital(self, text: str) -> str:
        """Return a text with a capital letter; a term like hUC-MSC keeps its own."""
        return text if text[1:2].isupper() else text[:1].upper() + text[1:]

    def own(self, text: str | Mapping[Any, str]) -> str:
        """Return what a scenario that comes with the program says in its own words, translated.

        The words of any other scenario stay as they are written: those in this language, or
        else in the first.
        """
        if not isinstance(text, str):
            return text.get(self.language) or next(iter(text.values()))
        slugs = (key for key, known in words().texts.items() if known == text)
        slug = next((key for key in slugs if key.startswith("own.")), None)
        return text if slug is None else self(slug)

    def day(self, day: date) -> str:
        """Return a date written out, never broken over two lines."""
        month = self.lists["months"][day.month - 1]
        return self("format.day", day=day.day, month=month, year=day.year)

    def month(self, day: date) -> str:
        """Return the month of a date, and its year."""
        return self("format.month", month=self.lists["months"][day.month - 1], year=day.year)

    def moment(self, written: str) -> str:
        """Return an instant, written as ISO 8601 has it, to the minute of its own time zone."""
        at = datetime.fromisoformat(written)
        return self("format.moment", day=self.day(at), time=f"{at:%H:%M}")

    def number(self, value: float, digits: int = 1) -> str:
        """Return a number with so many digits after the point, thousands apart; or the blank."""
        return self._apart(f"{value:z,.{digits}f}") if not math.isnan(value) else BLANK

    def plain(self, value: float, digits: int = 6) -> str:
        """Return a number as a planner would write it, to so many digits that count.

        It is never written with a power of ten; what stands before the point stands whole.
        """
        if math.isnan(value):
            return BLANK
        magnitude = math.floor(math.log10(abs(value))) if value else 0
        figure = f"{value:z,.{max(digits - 1 - magnitude, 0)}f}"
        return self._apart(figure.rstrip("0").rstrip(".") if "." in figure else figure)

    def estimate(self, value: float, low: float, high: float) -> tuple[str, str, str]:
        """Return a value and the ends of its interval with equally many digits after the point.

        So many that half the width of the interval has two that count; to three without a width.
        """
        half = (high - low) / 2
        if not half > 0:
            return self.plain(value, 3), self.plain(low, 3), self.plain(high, 3)
        after = max(1 - math.floor(math.log10(half)), 0)
        first, *ends = (self.number(each, after).replace("-", "−") for each in (value, low, high))
        return first, ends[0], ends[1]

    def change(self, value: float) -> str:
        """Return a change with its sign, to three digits that count."""
        figure = self.plain(abs(value), 3)
        return figure if figure in {"0", BLANK} else f"{'−' if value < 0 else '+'}{figure}"

    def signed(self, value: float, form: str) -> str:
        """Return a change with its sign, `form` as in `format`; a change of nothing has none."""
        figure = format(value, f"+z{form}")
        is_nothing = not figure.strip("+0.")
        return self._apart(figure.removeprefix("+") if is_nothing else figure.replace("-", "−"))

    def percent(self, share: float) -> str:
        """Return a share of 1 in whole per cent, one not quite 0 or 1 never as if it were."""
        if math.isnan(share):
            return BLANK
        if 0 < share <= BARELY:
            return self("format.below", share=self("format.percent", share=1))
        if NEARLY <= share < 1:
            return self("format.above", share=self("format.percent", share=99))
        return self("format.percent", share=f"{share * 100:z.0f}")

    def _apart(self, figure: str) -> str:
        return figure.replace(",", self("format.thousands"))

    def listing(self, items: Iterable[str]) -> str:
        """Return a list of short items in one line."""
        return self("format.comma").join(items)

    def clauses(self, items: Iterable[str]) -> str:
        """Return a list of longer items in one line."""
        return self("format.semicolon").join(items)

    def sentences(self, said: Iterable[str]) -> str:
        """Return sentences one after the other."""
        return self("format.space").join(said)

    def aside(self, text: str, aside: str) -> str:
        """Return a text and, in brackets, what is said beside it."""
        return self("format.aside", text=text, aside=aside)

    def levels(self, levels: Iterable[str]) -> str:
        """Return levels of a path as one name: of keys of a scenario what they are called there."""
        return LEVELS_APART.join(
            self.title(each)
            if ("", each) in self.titles
            else self.texts.get(f"key.{each}") or self.title(each)
            for each in levels
        )

    def part(self, whole: str, part: str) -> str:
        """Return a thing and which part of it is meant."""
        return self("format.part", whole=whole, part=part)

    def span(self, low: str, high: str) -> str:
        """Return a range of two figures already written; one figure where they are the same."""
        return low if low == high else self("shared.span", low=low, high=high)

    def likelihood(self, probability: float) -> str:
        """Return the word for a probability."""
        word = next(word for least, word in LIKELIHOODS if probability >= least)
        return self(f"likelihood.{word}")


def columns_of(text: str) -> int:
    """Return how many columns a text fills on a terminal: a Chinese sign fills two."""
    return len(text) + sum(east_asian_width(letter) in "WF" for letter in text)


def even(texts: Iterable[str]) -> list[str]:
    """Return texts that all fill as many columns as the widest."""
    listed = list(texts)
    width = max(map(columns_of, listed), default=0)
    return [text + " " * (width - columns_of(text)) for text in listed]


class _Filling(Formatter):
    """Fills the blanks of a text in one language, each by its unit."""

    def __init__(self, say: Words) -> None:
        self.say = say

    def format_field(self, value: object, unit: str) -> str:
        return self.say.writer(unit)(value)


@cache
def words(language: str = ENGLISH) -> Words:
    """Return the texts of a language; FileNotFoundError where there are none."""
    catalogue = files("sim") / "templates" / f"words.{language}.toml"
    entries = dict(_flat(tomllib.loads(catalogue.read_text(encoding="utf-8"))))
    texts = {key: entry for key, entry in entries.items() if isinstance(entry, str)}
    lists = {key: tuple(entry) for key, entry in entries.items() if isinstance(entry, list)}
    return Words(language, texts, lists)


def _flat(tree: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield above + key, value
