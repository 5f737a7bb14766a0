"""The tables as an Excel workbook: the same figures, text that stays text, nothing written over."""

from __future__ import annotations

import csv
import gzip
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from sim.cli import options
from sim.results import folder, workbook
from sim.results.manifest import MANIFEST
from sim.scenario.load import load
from tests.command import trialsim
from tests.test_report import SMALL

pytestmark = pytest.mark.usefixtures("blank_pages")

RATE = "assumptions.recruitment.candidates_per_month"
LIKE_FORMULAS = ["=1+1", "+1+1", "-1+cmd|' /C calc'!A1", "@SUM(1)", "https://example.org", "{=1}"]
COMMANDS = {
    "run": ["run", "small.yaml"],
    "compare": ["compare", "small.yaml", "other.yaml"],
    "sweep": ["sweep", "small.yaml", "--tornado"],
    "solve": ["solve", "small.yaml", "--move", RATE, "--until", "twelve"],
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two scenarios whose titles look like formulas, the working directory."""
    monkeypatch.chdir(tmp_path)
    text = SMALL.replace("title: A small trial", "title: '=1+1'")
    Path("small.yaml").write_text(text, encoding="utf-8")
    other = text.replace("scenario: small", "scenario: other")
    Path("other.yaml").write_text(other, encoding="utf-8")
    return tmp_path


def run(*more: str) -> int:
    how = ("--replications", "3", "--keep", "1", "--jobs", "1", "--quiet", "--out", "out")
    return trialsim("run", "small.yaml", *how, *more)


def cells(table: Path) -> list[list[str]]:
    text = gzip.decompress(table.read_bytes()) if table.suffix == ".gz" else table.read_bytes()
    return list(csv.reader(text.decode().splitlines()))


def as_in_the_table(value: object) -> str:
    """A cell of a sheet as its table writes it."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, int | float):
        return f"{value:.15g}"
    return "" if value is None else str(value)


@pytest.mark.usefixtures("home")
def test_a_sheet_holds_each_table_cell_by_cell_and_the_cover_says_what_it_is() -> None:
    assert run("--excel") == 0

    arms = load(Path("small.yaml")).design.arms
    titles = {name: arm.title for name, arm in arms.items() if arm.title}
    book, tables = load_workbook("out/tables.xlsx"), sorted(Path("out").glob("*.csv*"))
    assert book.sheetnames == ["Cover", *(table.name.partition(".")[0] for table in tables)]
    for table in tables:
        sheet = book[table.name.partition(".")[0]]
        shown = [[as_in_the_table(cell) for cell in row] for row in sheet.values]
        header, *rows = cells(table)
        arm = header.index("arm") if "arm" in header else -1
        named = [[*row[:arm], titles.get(row[arm], row[arm]), *row[arm + 1 :]] for row in rows]
        assert shown == [header, *(named if "arm" in header else rows)], table
    assert isinstance(book["enrolment"]["A2"].value, datetime)
    assert isinstance(book["summary"]["C2"].value, int | float)
    cover = {name: said for name, said in book["Cover"].values if name}
    manifest = folder.manifest(Path("out"))
    assert cover["Scenario"] == "small"
    assert cover["Title"] == "=1+1"
    assert cover["Command"] == manifest["command"]
    assert (cover["Seed"], cover["Replications"]) == ("1", "3")
    assert f"Rows: {len(cells(Path('out/summary.csv'))) - 1}." in cover["summary"]
    assert set(book.sheetnames[1:]) < cover.keys()


@pytest.mark.usefixtures("home")
def test_text_that_looks_like_a_formula_or_a_link_is_text() -> None:
    run()
    lines = ["measure,unit", *(f'"{text}","{text}"' for text in LIKE_FORMULAS)]
    Path("out/summary.csv").write_text("\n".join(lines), encoding="utf-8")
    workbook.write_workbook(Path("out"))

    book = load_workbook("out/tables.xlsx")
    written = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in written} <= {"s", "n", "d"}
    assert not [cell for cell in written if cell.hyperlink]
    assert [row[0] for row in book["summary"].values][1:] == LIKE_FORMULAS


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_writes_a_folder_writes_its_workbook(command: str) -> None:
    how = ("--replications", "20", "--jobs", "1", "--quiet", "--out", "out")
    more = ("--excel", "--lang", "zh")
    assert trialsim(*COMMANDS[command], *how, *more) == 0

    folders = [path.parent for path in Path("out").rglob(MANIFEST)]
    assert len(folders) == (3 if command == "compare" else 1)
    for finished in folders:
        book = load_workbook(finished / "tables.xlsx", read_only=True)
        tables = {table.name.partition(".")[0] for table in finished.glob("*.csv*")}
        assert len(book.sheetnames) == len(tables) + 1
        assert not [name for name in book.sheetnames if name.isascii()]


@pytest.mark.usefixtures("home")
def test_a_workbook_is_never_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    run()
    assert not Path("out/tables.xlsx").exists()
    assert trialsim("report", "out", "--excel") == 0
    Path("out/tables.xlsx").write_bytes(b"mine")

    assert trialsim("report", "out", "--excel") == 2
    assert "out/tables.xlsx: there already" in capsys.readouterr().err
    assert trialsim("report", "out") == 0
    assert Path("out/tables.xlsx").read_bytes() == b"mine"


@pytest.mark.usefixtures("home")
def test_without_xlsxwriter_nothing_is_simulated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(options, "find_spec", lambda _: None)

    assert run("--excel") == 2
    assert "--excel needs XlsxWriter; install trialsim[excel]" in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.usefixtures("home")
def test_a_table_longer_than_a_sheet_is_cut_and_the_cover_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run()
    monkeypatch.setattr(workbook, "ROWS", 3)
    workbook.write_workbook(Path("out"))

    book = load_workbook("out/tables.xlsx")
    assert len(list(book["replications"].values)) == 3
    cover = {name: said for name, said in book["Cover"].values if name}
    assert "cut" in cover["replications"]
    assert "Rows: 3. (cut" in cover["replications"]
    assert "cut" not in cover["targets"]
