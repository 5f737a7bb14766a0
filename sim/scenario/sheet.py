"""A file of rows that people keep, CSV or an Excel workbook, as texts; and the days in its cells.

It may come from anyone: it is bounded, and what cannot be told for sure is refused.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from io import BytesIO, StringIO
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize
from zipfile import ZipFile

from sim.scenario.yaml_source import Problem, ScenarioError, UnreadableFile, contents
from sim.vocabulary.words import words

_MOST_BYTES_PACKED, _MOST_BYTES_UNPACKED = 8_000_000, 200_000_000
_MOST_ROWS, _MOST_COLUMNS, _MOST_LINES = 20_000, 200, 1_048_576
_ROWS_ABOVE = 20
"""Among so many rows the heads are looked for; what stands above them is a title."""

_ENCODINGS = ("utf-8-sig", "gb18030")
_SEPARATORS = (",", ";", "\t")
_WORKBOOK, _OLD_WORKBOOK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"

_DAY_ZERO = dt.date(1899, 12, 30)
"""From which Excel counts days, for days after February 1900."""

_YEAR_FIRST = re.compile(r"(\d{4})([-/.年])(\d{1,2})[-/.月](\d{1,2})日?(?:[T\s].*)?")
_MONTH_IN_LETTERS = re.compile(
    r"(\d{1,2})[-\s/.]?([a-z]{3,9})[-\s/.,]*(\d{4})(?:\s.*)?", re.IGNORECASE
)
_DAY_NUMBER = re.compile(r"[2-7]\d{4}(?:\.0*)?")
_DAY_OR_MONTH_FIRST = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")
A_DAY = "a date, written YYYY-MM-DD"


class SheetRow(NamedTuple):
    """The cells of a row, and on which line of the file it begins, from 1."""

    line: int
    cells: tuple[str, ...]

    def cell(self, column: int) -> str:
        """Return what stands in a column, from 0: nothing beyond the end of the row."""
        return self.cells[column] if column < len(self.cells) else ""


class Sheet(NamedTuple):
    """The heads of a file, the rows below them that are not blank, and how it is written."""

    file: str
    heads: SheetRow
    rows: tuple[SheetRow, ...]
    encoding: str
    sha256: str

    @property
    def every(self) -> tuple[SheetRow, ...]:
        """The heads and the rows."""
        return (self.heads, *self.rows)

    def problem(
        self, line: int, column: int, what: str, allowed: str = "", meant: str = ""
    ) -> Problem:
        """Return what is wrong with a cell; columns count from 0 here, and from 1 for people."""
        head = in_brief(self.heads.cell(column))
        return Problem(self.file, line, column + 1, head, what, allowed, meant)


def letters(text: str) -> str:
    """Return what counts of a head or a name: its letters and figures, of one size and width."""
    plain = re.sub(r"\([^)]*\)", "", normalize("NFKC", text)) or text
    return "".join(each for each in normalize("NFKC", plain).casefold() if each.isalnum())


def in_brief(text: str, most: int = 48) -> str:
    """Return a text of a cell on one line, short, and without what would steer a terminal."""
    line = "".join(each if each.isprintable() else " " for each in text)
    line = " ".join(line.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def day_of(text: str) -> dt.date:
    """Return the day a cell says; ValueError says what is wrong with it."""
    plain = normalize("NFKC", text).strip()
    if found := _YEAR_FIRST.fullmatch(plain):
        return _day(text, *map(int, found.group(1, 3, 4)))
    if found := _MONTH_IN_LETTERS.fullmatch(plain):
        months = [month.casefold() for month in words().lists["months"]]
        day, said, year = found.groups()
        number = [n for n, month in enumerate(months, 1) if month.startswith(said.casefold())]
        if len(number) == 1:
            return _day(text, int(year), number[0], int(day))
    if _DAY_NUMBER.fullmatch(plain):
        return _DAY_ZERO + dt.timedelta(int(float(plain)))
    if _DAY_OR_MONTH_FIRST.fullmatch(plain):
        raise ValueError(f"{in_brief(text)} does not say which is the day and which the month")
    raise ValueError(f"{in_brief(text)} is not a date")


def _day(text: str, year: int, month: int, day: int) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise ValueError(f"{in_brief(text)} is no date of the calendar") from None


def read_sheet(path: Path, is_head: Callable[[str], bool]) -> Sheet:
    """Return what a file holds below its heads: the first row with the most that `is_head` knows.

    Raises UnreadableFile where it cannot be opened, ScenarioError where it is no such file.
    """
    raw = contents(path, _MOST_BYTES_PACKED)
    if raw.startswith(_OLD_WORKBOOK):
        raise _refused(path, 1, "this is a workbook of an old kind", ".xlsx, or CSV in UTF-8")
    if raw.startswith(_WORKBOOK):
        encoding, rows = "xlsx", list(_filled(path, _of_workbook(path, raw)))
    else:
        encoding, text = _decoded(path, raw)
        separator = max(_SEPARATORS, key=lambda each: max(_known(_first(text, each), is_head)))
        rows = list(_filled(path, _of_text(path, text, separator)))
    known = _known(rows[:_ROWS_ABOVE], is_head)
    if not max(known):
        allowed = "a row of heads, such as id, consented, randomised, arm"
        raise _refused(path, 1, "no row heads its columns with anything that is known", allowed)
    place = known.index(max(known))
    heads, *below = rows[place:]
    sheet = Sheet(str(path), heads, tuple(below), encoding, sha256(raw).hexdigest())
    if wide := list(_too_wide(sheet)):
        raise ScenarioError(wide)
    return sheet


def _known(rows: Iterable[SheetRow], is_head: Callable[[str], bool]) -> list[int]:
    """Return how many heads that are known each row has; one 0 where there are no rows."""
    return [len({*filter(is_head, row.cells)}) for row in rows] or [0]


def _first(text: str, separator: str) -> Iterator[SheetRow]:
    """Yield the first rows, as far as they can be read."""
    lines = islice(text.splitlines(), _ROWS_ABOVE)
    with suppress(csv.Error):
        for cells in csv.reader(lines, delimiter=separator):
            yield SheetRow(0, tuple(cells))


def _too_wide(sheet: Sheet) -> Iterator[Problem]:
    """Look for cells below no head: a comma too many moves all that stand after it."""
    width = max(n for n, head in enumerate(sheet.heads.cells, 1) if head)
    if width > _MOST_COLUMNS:
        yield sheet.problem(sheet.heads.line, _MOST_COLUMNS, "too many", f"{_MOST_COLUMNS} columns")
    for row in sheet.rows:
        for column, cell in enumerate(row.cells[width:], start=width):
            if cell:
                what = f"{in_brief(cell)} stands in column {column + 1} of {width}"
                yield sheet.problem(row.line, column, what, "as many cells as there are heads")


def _filled(path: Path, rows: Iterable[SheetRow]) -> Iterator[SheetRow]:
    """Yield the rows that are not blank, as many as there may be."""
    number = 0
    for row in rows:
        if any(row.cells):
            number += 1
            if number > _MOST_ROWS:
                raise _refused(path, row.line, "too many rows", f"at most {_MOST_ROWS:,}")
            yield row


def _decoded(path: Path, raw: bytes) -> tuple[str, str]:
    for encoding in _ENCODINGS:
        try:
            return encoding.removesuffix("-sig"), raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refused(path, 1, "the file is not text", "CSV in UTF-8 or GB18030, or .xlsx")


def _of_text(path: Path, text: str, separator: str) -> Iterator[SheetRow]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            yield SheetRow(line, tuple(map(str.strip, cells)))
            line = reader.line_num + 1
    except csv.Error as error:
        allowed = "a quotation mark at both ends of a cell, and two for one inside"
        raise _refused(path, line, f"not CSV: {error}", allowed) from error


def _of_workbook(path: Path, raw: bytes) -> Iterator[SheetRow]:
    """Yield the rows of a workbook's first sheet, formulas as what they last came to."""
    try:
        from openpyxl import load_workbook  # noqa: PLC0415  an extra
    except ImportError:
        what = "to read Excel needs openpyxl; install trialsim[excel], or save the file as CSV"
        raise UnreadableFile(f"{in_brief(str(path))}: {what}") from None
    with warnings.catch_warnings(action="ignore"), _reading(path):
        with ZipFile(BytesIO(raw)) as archive:
            unpacked = sum(each.file_size for each in archive.infolist())
        if unpacked > _MOST_BYTES_UNPACKED:
            raise _refused(path, 1, "the workbook is too large", "200 MB unpacked")
        workbook = load_workbook(BytesIO(raw), read_only=True, data_only=True)
        if workbook.epoch.year > _DAY_ZERO.year + 1:
            raise _refused(path, 1, "its days are counted from 1904", "days counted from 1900")
        sheet = workbook.worksheets[0]
        sheet.reset_dimensions()  # which others write, and not always truly
        cells = sheet.iter_rows(max_col=_MOST_COLUMNS + 1, values_only=True)
        for line, row in enumerate(islice(cells, _MOST_LINES), start=1):
            yield SheetRow(line, tuple(map(_as_text, row)))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Refuse a workbook that cannot be read: the library says nowhere what it raises."""
    try:
        yield
    except (ScenarioError, MemoryError):
        raise
    except Exception as error:
        raise _refused(path, 1, "the workbook cannot be read", ".xlsx, or CSV") from error


def _as_text(cell: object) -> str:
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _refused(path: Path, line: int, what: str, allowed: str) -> ScenarioError:
    return ScenarioError([Problem(str(path), line, 1, "", what, allowed)])
