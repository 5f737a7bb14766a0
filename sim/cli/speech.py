"""In which language a terminal is spoken to, and how wide its lines are."""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

import click

from sim.vocabulary.messages import said_in
from sim.vocabulary.words import ENGLISH, LANGUAGES, NO_BREAK, Words, columns_of, words

FLAG = "--lang"
LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
"""What says the language of a terminal, the first that is set before the others."""

SCREEN_WIDTH = 80
WIDE_SIGN = re.compile(
    r"[（《“]*[\u2e80-\u9fff\uf900-\ufaff\uff01-\uff60\uffe0-\uffe6][，。；：、）》”]*"
)
"""A sign that fills two columns, and those that stay with it at the end of a line."""

FILL = "\v"

WIDEST_FIRST_COLUMN, BETWEEN_COLUMNS = 30, 2
PARAGRAPH = "\n\n"

_spoken = ENGLISH


def speak(arguments: Sequence[str]) -> None:
    """Speak from now on what a command line asks for with --lang, else what the locale says."""
    global _spoken  # noqa: PLW0603  a process has one terminal
    asked = re.findall(rf"(?:^|\n){FLAG}[=\n](\w+)", "\n".join(arguments))[-1:]
    locale = next(filter(None, map(os.environ.get, LOCALE)), "")
    asked.append(re.split(r"[_.@]", locale)[0])
    _spoken = next((each for each in asked if each in LANGUAGES), ENGLISH)


def spoken() -> Words:
    """Return the words of the language that is spoken."""
    return words(_spoken)


def translated(text: str) -> str:
    """Return a text as it is said in the language that is spoken; what is not known stays."""
    return said_in(_spoken, text)


def columns(stream: TextIO) -> int | None:
    """How wide the terminal is that a stream writes to; None where it writes to none."""
    if not stream.isatty():
        return None
    return os.get_terminal_size(stream.fileno()).columns or SCREEN_WIDTH


def wrapped(lines: Iterable[str], width: int | None, hanging: int = 2) -> Iterator[str]:
    """Yield lines no wider than that; what goes on is indented below the text of its line.

    With no width they stay as they are, so that a program can read them.
    """
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + hanging)
        parts = [line]
        if width is not None:
            # A sign that fills two columns is followed by a blank, while the line is broken.
            spread = WIDE_SIGN.sub(lambda sign: sign[0] + FILL * len(sign[0]), line)
            parts = textwrap.wrap(
                spread,
                width if spread == line else width - 2,
                subsequent_indent=indent,
                break_on_hyphens=False,
                replace_whitespace=False,
            ) or [""]
        yield from (part.replace(FILL, "").replace(NO_BREAK, " ") for part in parts)


def say(text: object, *, err: bool = False) -> None:
    """Print a text as it is said in the language that is spoken."""
    click.echo(translated(str(text)), err=err)


def print_wrapped(lines: Iterable[str], stream: TextIO | None = None) -> None:
    """Print lines, no wider than the terminal, on standard output or another stream."""
    stream = stream or sys.stdout
    for line in wrapped(map(translated, lines), columns(stream)):
        click.echo(line, stream)


class Help(click.HelpFormatter):
    """Writes help; click's own way in English, else wrapped by the columns that signs fill."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write how a command is typed."""
        super().write_usage(prog, _placeholders(args), translated(prefix or "Usage: "))

    def write_heading(self, heading: str) -> None:
        """Write a heading."""
        self.write(f"{' ' * self.current_indent}{translated(f'{heading}:')}\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs; those that begin with a backspace keep their lines."""
        if _spoken == ENGLISH:
            super().write_text(text)
            return
        indent = " " * self.current_indent
        for number, paragraph in enumerate(text.split(PARAGRAPH)):
            if number:
                self.write_paragraph()
            kept = paragraph.removeprefix("\b\n")
            lines = kept.split("\n") if kept != paragraph else [" ".join(kept.split())]
            for line in wrapped(map(translated, lines), self.width - len(indent), hanging=0):
                self.write(f"{indent}{line}\n")

    def write_dl(
        self,
        rows: Iterable[tuple[str, str]],
        col_max: int = WIDEST_FIRST_COLUMN,
        col_spacing: int = BETWEEN_COLUMNS,
    ) -> None:
        """Write what is listed on the left, what it means on the right."""
        if _spoken == ENGLISH:
            super().write_dl(rows, col_max, col_spacing)
            return
        said = [(_placeholders(term), translated(meaning)) for term, meaning in rows]
        width = max(each for term, _ in said if (each := columns_of(term)) <= col_max)
        indent, column = " " * self.current_indent, width + col_spacing
        for term, meaning in said:
            first, *rest = [*wrapped([meaning], self.width - self.current_indent - column), ""]
            gap = " " * (column - columns_of(term))
            below = f"\n{indent}{' ' * column}"
            self.write(f"{indent}{term}{gap or below}{first}")
            self.write("".join(f"{below}{line.strip()}" for line in rest if line) + "\n")


class Spoken(click.Context):
    """A command that is being read, whose help is written by `Help`."""

    formatter_class = Help


def _placeholders(text: str) -> str:
    """The text with the words in capital letters that stand for something said."""
    return re.sub(r"\b[A-Z]{2,}( [A-Z]{2,})*\b", lambda word: translated(word[0]), text)
