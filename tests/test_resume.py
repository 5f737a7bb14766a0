"""Runs and comparisons that are broken off: what is kept, and that going on changes no byte."""

from __future__ import annotations

import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from sim.cli.main import commands
from sim.cli.terminal import exit_code
from sim.experiments import replicate
from sim.results.fold import unpickled
from sim.results.folder import REPLICATIONS
from sim.results.manifest import MANIFEST
from tests.toys import TOY

pytestmark = pytest.mark.usefixtures("blank_pages")

ROOT = Path(__file__).parent.parent
SHORT = (
    TOY.replace("2023-12-31", "2023-01-31")
    + """
targets: {enough: {measure: randomised, at_least: 10, with_probability: 0.8}}
"""
)
PART = Path("run.part")
Trialsim = Callable[..., int]


@pytest.fixture
def trialsim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trialsim:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy.yaml").write_text(SHORT, encoding="utf-8")
    other = SHORT.replace("scenario: toy", "scenario: other").replace(": 10", ": 20")
    (tmp_path / "other.yaml").write_text(other, encoding="utf-8")
    return lambda *arguments: exit_code(commands, [*map(str, arguments)])


def ran(*more: str, replications: int = 200) -> list[str]:
    how = ["--replications", str(replications), "--jobs", "1", "--quiet"]
    return ["run", "toy.yaml", *how, *more]


def compared(*more: str) -> list[str]:
    return ["compare", "toy.yaml", "other.yaml", *ran()[2:], *more]


@pytest.fixture
def breaks_off(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """What lets the simulation be interrupted at its n-th batch from now on, 0 for never."""
    simulated = replicate._summaries  # noqa: SLF001  there a batch begins
    left = [0]

    def summaries(*arguments: object, **more: object) -> object:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return simulated(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(replicate, "_summaries", summaries)
    return lambda batch: left.__setitem__(0, batch)


def kept() -> int:
    """Return how many batches are kept."""
    number = 0
    for file in PART.rglob(REPLICATIONS):
        with closing(sqlite3.connect(file)) as disk:
            number += disk.execute("SELECT count(*) FROM batches").fetchone()[0]
    return number


def same(one: Path, other: Path) -> bool:
    """Say whether two folders hold the same files, byte for byte, manifests and pages apart."""
    told = {MANIFEST, "report.html"}
    held = [
        {
            str(file.relative_to(folder)): file.read_bytes()
            for file in folder.rglob("*")
            if file.is_file() and file.name not in told
        }
        for folder in (one, other)
    ]
    return held[0] == held[1]


def test_an_interrupted_run_goes_on(
    trialsim: Trialsim, breaks_off: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert trialsim(*ran("--out", "at_once")) == 0
    breaks_off(4)
    assert trialsim(*ran("--out", "run")) == 130
    assert f"--resume {PART.resolve()}" in capsys.readouterr().err
    breaks_off(0)
    assert trialsim(*ran("--resume", "run.part")) == 0
    assert same(Path("run"), Path("at_once"))
    assert not PART.exists()


def test_no_batch_is_simulated_twice(trialsim: Trialsim, breaks_off: Callable[[int], None]) -> None:
    """Of eight batches some are kept: of those that are left none is one too many."""
    breaks_off(6)
    assert trialsim(*ran("--out", "run")) == 130
    assert kept() > 2
    breaks_off(8 - kept() + 1)
    assert trialsim(*ran("--resume", "run.part")) == 0


def test_what_ends_before_the_first_batch_leaves_nothing(
    trialsim: Trialsim, breaks_off: Callable[[int], None]
) -> None:
    breaks_off(1)
    assert trialsim(*ran("--out", "run")) == 130
    assert not PART.exists()


@pytest.mark.slow
@pytest.mark.parametrize("batch", [5, 12])
def test_an_interrupted_comparison_goes_on(
    trialsim: Trialsim, breaks_off: Callable[[int], None], batch: int
) -> None:
    assert trialsim(*compared("--out", "at_once")) == 0
    breaks_off(batch)
    assert trialsim(*compared("--out", "run")) == 130
    assert 0 < kept() < 16
    breaks_off(16 - kept() + 1)
    assert trialsim(*compared("--resume", "run.part")) == 0
    assert same(Path("run"), Path("at_once"))
    assert not PART.exists()


def test_more_replications_may_be_asked_for(
    trialsim: Trialsim, breaks_off: Callable[[int], None]
) -> None:
    assert trialsim(*ran("--out", "at_once", replications=260)) == 0
    breaks_off(4)
    assert trialsim(*ran("--out", "run")) == 130
    breaks_off(0)
    assert trialsim(*ran("--resume", "run.part", replications=260)) == 0
    assert same(Path("run"), Path("at_once"))


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (["--set", "design.trial.target=30"], "another scenario"),
        (["--seed", "2"], "another seed"),
        (["--keep", "3"], "another keep"),
        (["--out", "elsewhere"], "leave --out away"),
    ],
)
def test_what_is_not_as_it_was_is_refused(
    trialsim: Trialsim,
    breaks_off: Callable[[int], None],
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    what: str,
) -> None:
    breaks_off(4)
    assert trialsim(*ran("--out", "run")) == 130
    breaks_off(0)
    assert trialsim(*ran("--resume", "run.part", *more)) == 2
    assert what in capsys.readouterr().err
    assert trialsim(*ran("--resume", "run.part")) == 0


def test_a_comparison_of_others_is_refused(
    trialsim: Trialsim, breaks_off: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    breaks_off(12)
    assert trialsim(*compared("--out", "run")) == 130
    breaks_off(0)
    text = Path("other.yaml").read_text(encoding="utf-8")
    Path("third.yaml").write_text(text.replace(": other", ": third"), encoding="utf-8")
    third = ["compare", "toy.yaml", "third.yaml", *compared()[3:], "--resume", "run.part"]
    assert trialsim(*third) == 2
    assert "holds other, which is not compared" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["nowhere.part", "empty.part", "at_once"])
def test_what_is_no_unfinished_run_is_refused(trialsim: Trialsim, folder: str) -> None:
    Path("empty.part").mkdir()
    assert trialsim(*ran("--out", "at_once", replications=2)) == 0
    assert trialsim(*ran("--resume", folder)) == 2


def test_nothing_is_read_that_no_run_keeps() -> None:
    with pytest.raises(pickle.UnpicklingError, match="is nothing that a run keeps"):
        unpickled(pickle.dumps(os.getcwd))


def _begun(*asked: str) -> subprocess.Popen[str]:
    """Begin a command, and wait until something is kept."""
    running = subprocess.Popen(
        [sys.executable, "-m", "sim", *asked],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    before = time.monotonic()
    while not any(file.stat().st_size > 50_000 for file in PART.rglob(REPLICATIONS)):
        assert running.poll() is None
        assert time.monotonic() < before + 60
        time.sleep(0.01)
    return running


@pytest.mark.slow
@pytest.mark.parametrize("asked", [ran, compared])
def test_a_second_writer_is_refused(
    trialsim: Trialsim, capsys: pytest.CaptureFixture[str], asked: Callable[..., list[str]]
) -> None:
    long = asked("--replications", "20000")
    with _begun(*long, "--out", "run") as running:
        assert trialsim(*long, "--resume", "run.part") == 2
        assert "at work in it" in capsys.readouterr().err
        running.send_signal(signal.SIGTERM)
        _, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "Traceback" not in err
    assert f"--resume {PART.resolve()}" in err


@pytest.mark.parametrize(
    ("asked", "kills"),
    [
        (ran, 6),
        pytest.param(compared, 8, marks=pytest.mark.slow),
        pytest.param(compared, 60, marks=pytest.mark.nightly),
    ],
)
def test_kills_at_any_moment_change_no_byte(
    trialsim: Trialsim, asked: Callable[..., list[str]], kills: int
) -> None:
    assert trialsim(*asked("--out", "at_once")) == 0
    moments = np.random.default_rng(1)
    for _ in range(kills):
        how = ["--resume", "run.part"] if any(PART.rglob(REPLICATIONS)) else ["--out", "run"]
        running = get_context("fork").Process(target=trialsim, args=[*asked(*how)])
        running.start()
        time.sleep(moments.uniform(0, 0.5))
        running.kill()
        running.join()
        if Path("run").exists():
            break
        if not any(PART.rglob(REPLICATIONS)) and PART.exists():
            PART.rename("begun")  # killed as soon as it was made: nothing to go on with
    if not Path("run").exists():
        how = ["--resume", "run.part"] if PART.exists() else ["--out", "run"]
        assert trialsim(*asked(*how)) == 0
    assert same(Path("run"), Path("at_once"))
