"""The tables of a results folder as one Excel workbook, with a sheet each and a cover."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.results import folder
from sim.results.folder import SCENARIO, WORKBOOK
from sim.results.tables import TABLES
from sim.scenario.load import load
from sim.scenario.titles import called
from sim.vocabulary.words import ENGLISH, KINDS_APART, Words, words

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from sim.scenario.schema import Scenario

ROWS = 1_048_576
"""Rows of a sheet, its header included: Excel has no more."""

NUMERAL, DAY = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?"), re.compile(r"\d{4}-\d\d-\d\d")
_NAMED = re.compile(r"[a-z]\w*(,? [\w.<>=]+)*")
_NAME = re.compile(r"at (?:least|most)|\b[a-z]\w*")
"""A cell of names and figures, and a name in it."""

WIDE, WIDER = 16, 90
"""Widths of a table's columns and of the cover's second one, in characters."""

Formats = Mapping[str, "Format"]
"""How cells look, by what they are."""


def write_workbook(finished: Path, language: str = ENGLISH) -> None:
    """Write `tables.xlsx` into a folder, from what the folder holds alone.

    Whatever is text stays text: no cell is a formula or a link. A table longer than a sheet is cut,
    and the cover says so. Needs XlsxWriter; FileExistsError where there is a workbook.
    """
    from xlsxwriter import Workbook  # noqa: PLC0415  an extra

    tables = [finished / name for name in sorted(TABLES)]
    with (finished / WORKBOOK).open("xb") as file, Workbook(file) as workbook:
        formats = {
            "bold": workbook.add_format({"bold": True}),
            "date": workbook.add_format({"num_format": "yyyy-mm-dd"}),
            "wrapped": workbook.add_format({"text_wrap": True, "valign": "top"}),
        }
        facts = folder.manifest(finished)
        scenario = load(finished / facts.get("scenarios", ".")[0] / SCENARIO)
        say = called(scenario, words(language))
        workbook.set_properties({"created": datetime.fromisoformat(facts["started"])})
        cover = workbook.add_worksheet(say("workbook.cover"))
        rows = {table: _fill(workbook, table, formats, say) for table in tables if table.is_file()}
        _cover(cover, [*_about(scenario, facts, say)], [*_held(rows, say)], formats)


def _about(scenario: Scenario, facts: dict[str, Any], say: Words) -> Iterator[tuple[str, str]]:
    """What the cover says of the run: a name and a value a line."""
    trial = scenario.design.trial
    names = facts.get("scenarios", [scenario.scenario])
    said = {
        "scenario": say.listing(names),
        "title": "" if len(names) > 1 else say.own(scenario.title),
        "trial": say.listing(filter(None, (trial.registry_id, say.own(trial.site)))),
        "command": facts["command"],
        "seed": str(facts["seed"]),
        "replications": str(facts["replications"]),
        "version": f"trialsim {facts['versions']['trialsim']}",
        "started": say.moment(facts["started"]),
    }
    yield from ((say(f"workbook.{name}"), value) for name, value in said.items() if value)


def _held(rows: dict[Path, int], say: Words) -> Iterator[tuple[str, str]]:
    """What each sheet holds."""
    for table, count in rows.items():
        said = say(f"tables.{_stem(table)}", rows=say.number(count, 0))
        yield _sheet(table, say), said if count < ROWS else say.aside(said, say("workbook.cut"))


def _cover(
    sheet: Worksheet, about: list[tuple[str, str]], held: list[tuple[str, str]], formats: Formats
) -> None:
    sheet.set_column(1, 1, WIDER)
    sheet.set_column(0, 0, WIDE)
    for row, (name, value) in enumerate([*about, ("", ""), *held]):
        sheet.write_string(row, 0, name, formats["bold"])
        sheet.write_string(row, 1, value, formats["wrapped"])


def _fill(workbook: Workbook, table: Path, formats: Formats, say: Words) -> int:
    """Fill a sheet with a table; give how many rows the table has below its header."""
    sheet, kinds = workbook.add_worksheet(_sheet(table, say)), TABLES[table.name].columns
    cells = folder.csv(table, dtype=str, keep_default_na=False)
    shown, last = cells[: ROWS - 1], len(cells.columns) - 1
    headings = _titles(say, "workbook.headings")
    for column, name in enumerate(map(str, cells)):
        entries = _titles(say, "workbook.cells", name)
        sheet.write_string(0, column, headings(name), formats["bold"])
        for row, cell in enumerate(shown[name], 1):
            is_text = kinds.get(name) is str
            _write(sheet, (row, column), entries(cell), formats, is_text=is_text)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(shown), last)
    sheet.set_column(0, last, WIDE)
    return len(cells)


def _write(
    sheet: Worksheet, place: tuple[int, int], cell: str, formats: Formats, *, is_text: bool
) -> None:
    """Write a cell: a number, a date, or else the text it is."""
    if not is_text and NUMERAL.fullmatch(cell):
        sheet.write_number(*place, float(cell))
    elif not is_text and DAY.fullmatch(cell):
        sheet.write_datetime(*place, date.fromisoformat(cell), formats["date"])
    elif cell:
        sheet.write_string(*place, cell)


def _titles(say: Words, key: str, column: str = "") -> Callable[[str], str]:
    """What calls a name as the scenario does, in the cells of a column; else in another language.

    In English, or unknown, it stays as it is.
    """
    kind = column if column in KINDS_APART else ""
    own = say.titles if column else {}
    known = {name: said for name, _, said in (each.partition(" ") for each in say.lists[key])}

    @cache
    def title(text: str) -> str:
        if (kind, text) in own:
            return own[kind, text]
        if say.language == ENGLISH:
            return text
        whole = known.get(text.replace(" ", "_"), say.own(text))
        if whole != text or not _NAMED.fullmatch(text):
            return whole
        return _NAME.sub(lambda found: named(found[0]), text)

    def named(name: str) -> str:
        said = known.get(name.replace(" ", "_")) or say.title(name, kind)
        return name if said == name.replace("_", " ") else said

    return title


def _sheet(table: Path, say: Words) -> str:
    return _titles(say, "workbook.sheets")(_stem(table))


def _stem(table: Path) -> str:
    return table.name.partition(".")[0]
