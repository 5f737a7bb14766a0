"""What docs tell people to type works, and what they name exists."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from sim.cli.main import commands
from sim.scenario.schema import json_schema
from sim.vocabulary.clock import WEEKDAYS
from tests.artefacts import REFERENCE
from tests.notebook import NOTEBOOK, TEXT, code_cells, results, shown
from tests.reference import reference

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").glob("*.md")])
YAML = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
WRITTEN = re.compile(r"(?<![\w.])([a-z]\w*):(?=\s|$)", re.MULTILINE)
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
TYPED = re.compile(r"^(?:\.venv/bin/)?trialsim (.+)", re.MULTILINE)
KEY = re.compile(r"(?<![\w./])((?:design|assumptions|targets|sweep)(?:\.[\w<>]+)+)(?![\w/(])")


def test_the_reference_is_that_of_the_schema() -> None:
    assert REFERENCE.read_text("utf-8") == reference()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_that_is_named_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    parts = [*BLOCK.findall(text), *SPAN.findall(text)]
    for typed in [each for part in parts for each in TYPED.findall(part)]:
        name, *words = shlex.split(typed.partition(" #")[0])
        if name.startswith(("-", "<")) or name.isupper():
            continue
        assert name in commands.commands, typed
        known = {flag for each in commands.commands[name].params for flag in _flags(each)}
        flags = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert not flags - known - {"--help"}, typed


def _flags(parameter: click.Parameter) -> list[str]:
    return [*parameter.opts, *parameter.secondary_opts]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_key_that_is_named_exists(page: Path) -> None:
    schema = json_schema()
    for path in KEY.findall(page.read_text("utf-8")):
        entries = [schema]
        for part in path.split("."):
            entries = [inner for entry in entries for inner in _inside(schema, entry, part)]
            assert entries, path


@pytest.mark.parametrize(
    "page", [each for each in PAGES if each != REFERENCE], ids=lambda page: page.name
)
def test_a_key_that_is_written_out_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    written = [*YAML.findall(text), *SPAN.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL))]
    known = {*_properties(json_schema()), *WEEKDAYS}
    assert not {key for part in written for key in WRITTEN.findall(part)} - known


def _properties(entry: object) -> Iterator[str]:
    """Yield every key that a schema has anywhere."""
    inner = entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ()
    if isinstance(entry, dict):
        yield from entry.get("properties", {})
    for each in inner:
        yield from _properties(each)


def _inside(schema: dict[str, Any], entry: dict[str, Any], part: str) -> Iterator[dict[str, Any]]:
    """Yield what stands under a key of what an entry may be."""
    if "$ref" in entry:
        yield from _inside(schema, schema["$defs"][entry["$ref"].rpartition("/")[2]], part)
    for each in (*entry.get("anyOf", ()), *entry.get("oneOf", ())):
        yield from _inside(schema, each, part)
    if part in entry.get("properties", {}):
        yield entry["properties"][part]
        return
    others = [*entry.get("patternProperties", {}).values(), entry.get("additionalProperties")]
    yield from (other for other in others if isinstance(other, dict))
    if isinstance(items := entry.get("items"), dict):
        yield from _inside(schema, items, part)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_test_that_is_named_exists(page: Path) -> None:
    for named in re.findall(r"tests/test_\w+\.py", page.read_text("utf-8")):
        assert (ROOT / named).is_file(), named


def test_figures_of_the_validation_stand_in_the_tests_beside_them() -> None:
    rows = re.findall(
        r"^\| (.+) \|$", (ROOT / "docs" / "method.md").read_text("utf-8"), re.MULTILINE
    )
    checked = 0
    for _, _, figures, named in (row.split(" | ") for row in rows[2:]):
        text = (ROOT / named.strip("`")).read_text("utf-8")
        for figure in re.findall(r"\d+\.\d+", figures if "README" not in figures else ""):
            assert figure in text, (figure, named)
            checked += 1
    assert checked > 8


@pytest.mark.slow
def test_the_notebook_comes_to_what_it_shows() -> None:
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    cells = code_cells(notebook)
    assert len(cells) > 5

    for cell, result in zip(cells, results(notebook), strict=True):
        (output,) = cell["outputs"]
        assert output["data"][TEXT] == shown(result)[TEXT], "".join(cell["source"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", ["tutorial.md", pytest.param("tutorial.zh.md", marks=pytest.mark.nightly)]
)
def test_the_tutorial_works_as_it_stands(tmp_path: Path, page: str) -> None:
    typed = "".join(BLOCK.findall((ROOT / "docs" / page).read_text("utf-8")))
    assert typed.count("trialsim") > 5
    typed = re.sub(r"--replications \d+", "--replications 20", typed)

    folder = Path(sys.executable).parent
    done = subprocess.run(
        ["/bin/bash", "-eu", "-c", typed],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    for folder_written in ("first", "both", "consent", "needed"):
        assert (tmp_path / folder_written / "report.html").is_file()
