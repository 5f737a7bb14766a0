"""The house rules of sim/, read from the source alone."""

from __future__ import annotations

import ast
import subprocess
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

SIM = Path(__file__).parent.parent / "sim"

# The rooms, a folder each. A file imports only from its own room and from rooms above it.
ROOMS = ["vocabulary", "scenario", "model", "browser", "results", "experiments", "report", "cli"]
FRONT_DOOR = {"sim", "sim.__main__"}

LINES, FILES_IN_ALL = 22_117, 159
LINES_A_FILE, LINES_A_FUNCTION = 300, 40
WITH_ONE_IMPORTER = 39
NOT_A_NOUN_OF_ITS_OWN = {"utils", "helpers", "manager", "data", "info"}
WORDS_OF_THE_FIELD = {"screening", "dispensing"}
COMMANDS = [
    "",
    "run",
    "forecast",
    "compare",
    "sweep",
    "solve",
    "check",
    "trace",
    "report",
    "new",
    "list",
    "calendar",
    "app",
]
HEAVY = {"numpy", "pandas", "altair", "scipy", "pydantic", "simpy", "icalendar"}


def _module(path: Path) -> str:
    parts = path.relative_to(SIM.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


FILES = {_module(path): path for path in sorted(SIM.rglob("*.py"))}
PACKAGES = {file for file, path in FILES.items() if path.name == "__init__.py"}


def test_every_file_has_a_room() -> None:
    assert {_room(file) for file in FILES.keys() - FRONT_DOOR} == set(ROOMS)


def test_no_file_is_named_for_nothing() -> None:
    assert not {path.stem for path in FILES.values()} & NOT_A_NOUN_OF_ITS_OWN


def test_a_file_is_named_for_a_thing_and_not_for_doing() -> None:
    gerunds = {path.stem for path in FILES.values() if path.stem.endswith("ing")}

    assert gerunds <= WORDS_OF_THE_FIELD


def test_the_house_is_small() -> None:
    assert len(FILES) <= FILES_IN_ALL
    assert sum(len(_code_lines(file)) for file in FILES) <= LINES


def test_a_public_name_has_one_home() -> None:
    homes: dict[str, set[str]] = defaultdict(set)
    for file in FILES:
        for name in _public_names(_tree(file)):
            homes[name].add(file)
    several = {name: found for name, found in homes.items() if len(found) > 1}

    assert not several


def test_few_files_have_one_importer_alone() -> None:
    """What a single file needs most often belongs into it."""
    importers = Counter(other for file in FILES for other in _own(file) - {file})
    alone = {file for file, number in importers.items() if number == 1} - PACKAGES

    assert len(alone) <= WITH_ONE_IMPORTER, alone


def test_a_file_imports_from_its_own_room_or_one_above() -> None:
    upwards = {
        (file, other)
        for file in FILES.keys() - FRONT_DOOR
        for other in _own(file)
        if _floor(other) > _floor(file)
    }

    assert not upwards


def test_imports_make_no_cycle() -> None:
    TopologicalSorter({file: _own(file) for file in FILES}).prepare()


def test_only_the_model_imports_simpy() -> None:
    assert {_room(file) for file in FILES if "simpy" in _imported(file)} == {"model"}


def test_the_results_know_no_model() -> None:
    reached = {other for file in FILES if _room(file) == "results" for other in _reached(file)}

    assert not {other for other in reached if _room(other) == "model"}


def test_only_the_command_line_prints() -> None:
    for file in FILES:
        if _room(file) == "cli":
            continue
        said = {ast.unparse(node) for node in ast.walk(_tree(file)) if isinstance(node, ast.expr)}
        assert not {"print", "sys.stdout", "sys.stderr"} & said, file
        assert "click" not in _imported(file), file


def test_a_file_is_short() -> None:
    assert not [file for file in FILES if len(_code_lines(file)) > LINES_A_FILE]


def test_a_function_is_short_or_says_why_not() -> None:
    long = [
        (file, node.name)
        for file in FILES
        for node in _functions_without_a_reason(file)
        if len(_code_lines(file) & set(range(node.lineno, _end(node) + 1))) > LINES_A_FUNCTION
    ]

    assert not long


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from sim.cli.main import main\n"
        f"for command in {COMMANDS}:\n"
        "    try:\n"
        "        main([*command.split(), '--help'])\n"
        "    except SystemExit as end:\n"
        f"        print(command, end.code or 0, {HEAVY} & set(sys.modules), file=sys.stderr)\n"
    )
    helped = subprocess.run(
        [sys.executable, "-c", program], cwd=SIM.parent, capture_output=True, text=True, check=False
    )

    assert helped.stdout.count("Usage: ") == len(COMMANDS)
    assert helped.stderr.splitlines() == [f"{command} 0 set()" for command in COMMANDS]


def _functions_without_a_reason(file: str) -> Iterator[ast.FunctionDef]:
    """Yield the functions that do not say in their first line why they are long."""
    source = FILES[file].read_text(encoding="utf-8").splitlines()
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.FunctionDef) and "# long because " not in source[node.lineno - 1]:
            yield node


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse(FILES[file].read_text(encoding="utf-8"))


@cache
def _imported(file: str) -> frozenset[str]:
    """Top-level packages, and modules of our own, wherever in the file they are imported."""
    names: set[str] = set()
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            module = node.module or ""
            inside = {f"{module}.{alias.name}" for alias in node.names} & FILES.keys()
            names |= inside or {module}
    return frozenset(name if name in FILES else name.split(".")[0] for name in names)


def _own(file: str) -> set[str]:
    return set(_imported(file) & FILES.keys() - {"sim"})


def _reached(file: str) -> set[str]:
    reached, ahead = set[str](), [file]
    while ahead:
        for other in _own(ahead.pop()) - reached:
            reached.add(other)
            ahead.append(other)
    return reached


def _room(file: str) -> str:
    return file.split(".")[1] if file not in FRONT_DOOR else ""


def _floor(file: str) -> int:
    return ROOMS.index(_room(file))


def _public_names(tree: ast.Module) -> Iterator[str]:
    """Yield the functions, classes and constants of a module that others may import."""
    for node in tree.body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            targets = [ast.Name(node.name)]
        elif isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for name in (part for target in targets for part in ast.walk(target)):
            if isinstance(name, ast.Name) and not name.id.startswith("_"):
                yield name.id


@cache
def _code_lines(file: str) -> frozenset[int]:
    """Numbers of the lines that hold code: no blank line, comment or docstring."""
    blank = {tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    with tokenize.open(FILES[file]) as source:
        for token in tokenize.generate_tokens(source.readline):
            if token.type not in blank | {tokenize.ENDMARKER}:
                lines |= set(range(token.start[0], token.end[0] + 1))
    return frozenset(lines - _docstring_lines(_tree(file)))


def _docstring_lines(tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
            node
        ):
            lines |= set(range(node.body[0].lineno, _end(node.body[0]) + 1))
    return lines


def _end(node: ast.stmt) -> int:
    assert node.end_lineno is not None
    return node.end_lineno
