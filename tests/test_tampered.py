"""Folders that somebody has been at: told in a sentence, and never taken for whole."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import trialsim

SMALL = Path(__file__).parent / "small.yaml"
SECONDS = 10
HOSTILE = (
    "</script><script>window.owned = 1</script>",
    "=1+1",
    "nan",
    "never",
    "-1",
    "\x1b[2J",
    "",
)

Tamper = Callable[[Path, random.Random], object]


def _facts(place: Path, luck: random.Random) -> object:
    """Take a fact away, or make it something else."""
    file = place / "manifest.json"
    facts = json.loads(file.read_text("utf-8"))
    key = luck.choice([*facts])
    if luck.random() < 0.4:
        del facts[key]
    else:
        others: tuple[object, ...] = (
            None,
            7,
            -1,
            1e308,
            True,
            "../x",
            "/etc",
            [],
            {},
            ["../planted"],
            "x" * 9999,
        )
        facts[key] = luck.choice([each for each in others if each != facts[key]])
    return file.write_text(json.dumps(facts), encoding="utf-8")


def _json(place: Path, luck: random.Random) -> object:
    file = place / "manifest.json"
    whole = file.read_bytes()
    broken = (whole[: luck.randrange(len(whole) - 2)], b"[" * 100_000, b"\xff\xfe", b"[]", b"NaN")
    return file.write_bytes(luck.choice(broken))


def _packed(place: Path, luck: random.Random) -> object:
    file = luck.choice(sorted(place.glob("*.csv.gz")))
    whole = file.read_bytes()
    bomb = gzip.compress(b"a,b\n" + bytes(2**24))
    return file.write_bytes(luck.choice((whole[: len(whole) // 2], bomb, b"", whole[::-1])))


def _cells(place: Path, luck: random.Random) -> object:
    file = luck.choice(sorted(place.glob("*.csv")))
    header, *rows = file.read_text("utf-8").splitlines()
    rows = rows or [header]
    row = luck.randrange(len(rows))
    cells = rows[row].split(",")
    cells[luck.randrange(len(cells))] = luck.choice(HOSTILE) + luck.choice(("", "9"))
    rows[row] = ",".join(cells)
    return file.write_text("\n".join((header, *rows, "")), encoding="utf-8")


def _columns(place: Path, luck: random.Random) -> object:
    file = luck.choice(sorted(place.glob("*.csv")))
    lines = file.read_text("utf-8").splitlines()
    return file.write_text("\n".join(line.partition(",")[2] for line in lines), encoding="utf-8")


def _another(place: Path, luck: random.Random) -> object:
    """Put something else in the place of a file."""
    files = (file for file in place.iterdir() if file.name != "report.html")
    file = luck.choice(sorted(files))
    file.unlink()
    match luck.choice(("gone", "link", "device", "pipe", "folder", "empty", "socket")):
        case "link":
            file.symlink_to(place.parent / "mine.txt")
        case "device":
            file.symlink_to("/dev/zero")
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case "empty":
            file.touch()
        case "socket":
            (place / "beside").symlink_to("..")
    return file


def _plan(place: Path, _: random.Random) -> object:
    file = place / "scenario.yaml"
    return file.write_text(file.read_text("utf-8").replace("target: 4", "target: 5"), "utf-8")


TAMPERS: tuple[Tamper, ...] = (_facts, _facts, _json, _packed, _cells, _columns, _another, _plan)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    out = tmp_path_factory.mktemp("whole") / "run"
    how = ("--replications", "3", "--jobs", "1", "--quiet", "--out", str(out))
    assert trialsim("run", str(SMALL), *how) == 0
    return out


def tampered(number: int, whole: Path, folder: Path) -> Path:
    """Return a copy that somebody has been at; which way, follows from its number."""
    place = folder / f"run{number}"
    shutil.copytree(whole, place)
    TAMPERS[number % len(TAMPERS)](place, random.Random(number))  # noqa: S311  no secret
    return place


@pytest.mark.parametrize("number", range(100))
def test_a_folder_that_was_tampered_with_is_not_taken_for_whole(
    number: int, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    place = tampered(number, whole, tmp_path)
    started = time.process_time()

    assert trialsim("report", str(place)) in {2, 3}

    said = capsys.readouterr().err
    assert str(place) in said
    assert "defect" not in said
    assert "Traceback" not in said
    assert time.process_time() - started < SECONDS
    assert (tmp_path / "mine.txt").read_text() == "keep"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.txt", place.name]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(4, 100, len(TAMPERS)))
def test_what_was_edited_makes_a_page_if_told_or_a_sentence(
    number: int, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tampered(number, whole, tmp_path)

    assert trialsim("report", str(place), "--edited") in {0, 2}

    said = capsys.readouterr().err
    assert "is not the file that was written" in said
    assert "defect" not in said
    page = (place / "report.html").read_text("utf-8")
    assert "<script>window.owned" not in page
