"""The project installs from its locks, holds what it needs, and passes its own quality gates."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ["requirements.lock", "requirements-dev.lock"]
PICTURE_BYTES = 300_000
AS_OF = f"--observed {ROOT}/scenarios/baseline_log.csv --as-of 2024-03-01"
COMMANDS = ["run baseline --keep 1", "run by_arrival", f"forecast baseline {AS_OF}"]
MODULE_SUFFIX = EXTENSION_SUFFIXES[-1].removeprefix(".")
COMPILER = (sysconfig.get_config_var("CC") or "cc").split()[0]
PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)", re.MULTILINE)


def test_locks_name_no_address_no_index_and_no_local_version() -> None:
    for lock in LOCKS:
        text = (ROOT / lock).read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if not line.startswith("    --hash=sha256:")]
        assert all(PINNED.match(line) for line in lines), lock
        assert not re.search(r"://|file:|--index|--extra-index|--find-links|\+|@", text), lock


def test_locks_hold_every_dependency_and_what_builds_the_project() -> None:
    core = PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]
    extras = [
        name for extra in PROJECT["project"]["optional-dependencies"].values() for name in extra
    ]

    assert _names(core) <= _pinned("requirements.lock").keys()
    assert _names(core + extras) <= _pinned("requirements-dev.lock").keys()
    assert PROJECT["dependency-groups"]["build"] == PROJECT["build-system"]["requires"]


def test_the_locks_agree() -> None:
    assert _pinned("requirements.lock").items() <= _pinned("requirements-dev.lock").items()


def test_readme_gives_two_commands_of_one_line_that_set_themselves_up() -> None:
    run, tests = _readme_commands()

    assert run.endswith("trialsim run scenarios/baseline.yaml")
    assert tests.endswith("pytest -n 2")
    assert all("--no-deps --no-build-isolation" in command for command in (run, tests))


def test_pictures_of_the_readme_are_there_small_and_all_of_them_shown() -> None:
    shown = {
        (ROOT / page).parent / picture
        for page in ("README.md", "docs/README.md")
        for picture in re.findall(r"!\[[^]]+]\((.*?)\)", (ROOT / page).read_text(encoding="utf-8"))
    }

    assert shown == set((ROOT / "docs").glob("*.png"))
    assert all(picture.stat().st_size < PICTURE_BYTES for picture in shown)


@pytest.mark.parametrize(
    "gate", ["ruff check", "ruff format --check", "mypy"], ids=["lint", "format", "types"]
)
def test_the_code_passes_its_quality_gate(gate: str) -> None:
    result = _in(ROOT, sys.executable, "-m", *gate.split())

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
def test_the_wheel_holds_the_package_its_templates_and_the_scenarios(tmp_path: Path) -> None:
    tree = _copy_of_the_tree(tmp_path)

    wheel = "-m pip wheel --no-deps --no-build-isolation -w wheel ."
    built = _in(tree, sys.executable, *wheel.split())

    assert built.returncode == 0, built.stderr
    (archive,) = tree.glob("wheel/*.whl")
    held = set(zipfile.ZipFile(archive).namelist())
    assert {"sim/cli/main.py", "sim/py.typed", "sim/shipped/baseline.yaml"} <= held
    assert {
        f"sim/{file.relative_to(tree / 'sim')}" for file in tree.glob("sim/templates/*")
    } <= held


def test_what_is_compiled_caches_no_property() -> None:
    """In a class that mypyc compiles a `cached_property` is worked out each time it is read."""
    tool = PROJECT["tool"]["trialsim"]
    files = [[*ROOT.glob(pattern)] for pattern in tool["compiled"] + tool["interpreted"]]

    assert all(files)
    texts = (file.read_text(encoding="utf-8") for found in files for file in found)
    assert not any("cached_property" in text for text in texts)


@pytest.mark.slow
def test_what_is_compiled_can_be(tmp_path: Path) -> None:
    """C is written before the version is told; what the compiler makes of it is nightly."""
    tree = _copy_of_the_tree(tmp_path)

    told = _in(tree, sys.executable, "setup.py", "--version", TRIALSIM_COMPILED="1")

    assert told.returncode == 0, told.stdout + told.stderr
    assert [*tree.glob("build/*.c")]


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"there is no C compiler: {COMPILER}")
def test_the_compiled_wheel_writes_the_same_tables(tmp_path: Path) -> None:
    tree, installed = _copy_of_the_tree(tmp_path), tmp_path / "installed"
    pip = (sys.executable, "-m", "pip")
    wheel = (*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", "wheel", ".")
    built = _in(tree, *wheel, TRIALSIM_COMPILED="1")
    assert built.returncode == 0, built.stdout + built.stderr
    (archive,) = tree.glob("wheel/*.whl")
    assert not _in(tree, *pip, "install", "--no-deps", "--target", installed, archive).returncode

    interpreted, compiled = _tables(tree, tmp_path / "py"), _tables(installed, tmp_path / "c")

    where = "import sim.model.agenda as it, sim.results.fold as other; print(it, other)"
    modules = _in(installed, sys.executable, "-c", where).stdout
    assert modules.count(str(installed)) == 2
    assert re.findall(r"\.(\w+)'>", modules) == [MODULE_SUFFIX, "py"]
    assert interpreted == compiled
    assert "0/work.csv.gz" in compiled


def test_a_readme_is_short_and_begins_with_what_to_type() -> None:
    for page in ("README.md", "README.zh.md"):
        lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 120
        assert lines.index("```sh") < 14


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", ["README.md", pytest.param("README.zh.md", marks=pytest.mark.nightly)]
)
def test_what_a_readme_says_to_type_works_in_one_shell_on_a_fresh_copy(
    tmp_path: Path, page: str
) -> None:
    tree = _copy_of_the_tree(tmp_path)
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    typed = "".join(block for block in blocks if "pytest" not in block)

    ended = _in(tree, "bash", "-euc", typed.replace("--replications 200", "--replications 20"))

    assert ended.returncode == 0, ended.stderr
    pages = [tree / line for line in ended.stdout.splitlines() if line.endswith("report.html")]
    assert len(pages) == 2
    assert all(written.is_file() for written in pages)


def _readme_commands() -> list[str]:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return [line for line in readme.splitlines() if line.startswith("python3 ")]


def _names(requirements: list[str]) -> set[str]:
    return {_normal(re.split(r"[<>=!~\[; ]", line, maxsplit=1)[0]) for line in requirements}


def _pinned(lock: str) -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for name, version in PINNED.findall((ROOT / lock).read_text(encoding="utf-8")):
        versions.setdefault(_normal(name), set()).add(version)
    return versions


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _copy_of_the_tree(into: Path) -> Path:
    leave_out = shutil.ignore_patterns(".git", ".*cache", ".venv", "build", "*.egg-info", "20*")
    return Path(shutil.copytree(ROOT, into / "tree", ignore=leave_out))


def _tables(place: Path, into: Path) -> dict[str, bytes]:
    """Return what some commands write with the trialsim that lies in a folder."""
    for number, command in enumerate(COMMANDS):
        how = f"-m sim {command} --replications 4 --jobs 2 --quiet --out {into / str(number)}"
        ended = _in(place, sys.executable, *how.split())
        assert ended.returncode == 0, ended.stderr
    return {str(file.relative_to(into)): file.read_bytes() for file in into.rglob("*.csv*")}


def _in(folder: Path, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
