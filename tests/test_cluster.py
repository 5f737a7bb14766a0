"""A Dask cluster gives the same tables, also when a worker is killed half-way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from sim.experiments import cluster
from tests.command import trialsim
from tests.test_sweep import TARGETS, swept
from tests.toys import TOY, UNSURE

pytestmark = pytest.mark.usefixtures("blank_pages")

ROOT = Path(__file__).parent.parent
DASK = [sys.executable, "-m", "dask"]


class Cluster(NamedTuple):
    """A scheduler's address, and the processes of the scheduler and of its workers."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy.yaml").write_text(TOY + TARGETS, encoding="utf-8")


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One for all tests: the last two kill the one worker, and at the very end the scheduler."""
    with started(tmp_path_factory.mktemp("cluster"), workers=2) as cluster:
        yield cluster


@contextmanager
def started(home: Path, workers: int) -> Iterator[Cluster]:
    with ExitStack() as running:
        address = home / "address"
        scheduler = running.enter_context(
            _dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", address)
        )
        running.callback(scheduler.kill)
        each = list[subprocess.Popen[bytes]]()
        for _ in range(workers):
            asked = ("--scheduler-file", address, "--nthreads", "1", "--no-nanny")
            each.append(running.enter_context(_dask("worker", *asked)))
            running.callback(each[-1].kill)
        yield Cluster(_wait_for(address), scheduler, each)


def _dask(kind: str, *arguments: str | Path, path: Path = ROOT) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*DASK, kind, *map(str, arguments), "--no-dashboard"],
        env=os.environ | {"PYTHONPATH": str(path)},
        stderr=subprocess.DEVNULL,
    )


def _wait_for(address: Path) -> str:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if address.exists() and '"address": "' in (text := address.read_text("utf-8")):
            return text.split('"address": "')[1].split('"')[0]
        time.sleep(0.05)
    raise TimeoutError


def _broken_into(command: list[str], victim: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Run a command and kill another process as soon as a point is done; code and messages."""
    with subprocess.Popen(
        [sys.executable, "-m", "sim", *command],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        while "new: " not in running.stderr.readline():
            assert running.poll() is None
        victim.send_signal(signal.SIGKILL)
        _, err = running.communicate(timeout=60)
        return running.returncode, err


@pytest.mark.slow
def test_a_run_on_a_cluster_is_the_run_on_this_machine(two_workers: Cluster) -> None:
    Path("unsure.yaml").write_text(UNSURE, encoding="utf-8")
    run = ["run", "unsure.yaml", "--replications", "60", "--quiet", "--out"]
    assert trialsim(*run, "here", "--jobs", "1") == 0
    assert trialsim(*run, "there", "--cluster", two_workers.address) == 0
    tables = [path.name for path in Path("here").iterdir() if ".csv" in path.name]
    assert len(tables) > 5
    for table in tables:
        assert Path("there", table).read_bytes() == Path("here", table).read_bytes()


def test_a_worker_without_trialsim_is_told_in_a_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty" / "sim").mkdir(parents=True)
    (tmp_path / "empty" / "sim" / "__init__.py").touch()
    with started(tmp_path, workers=0) as cluster:
        asked = (cluster.address, "--nthreads", "1", "--no-nanny")
        with _dask("worker", *asked, path=tmp_path / "empty") as worker:
            try:
                assert trialsim(*swept("--cluster", cluster.address, "--quiet")) == 2
            finally:
                worker.kill()
    said = capfd.readouterr().err
    assert "a worker cannot run trialsim; install this version of trialsim there" in said
    assert len(said.splitlines()) < 5


def test_workers_with_other_software_are_refused(
    two_workers: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.software.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(cluster, "code_version", lambda: "another")
        assert trialsim(*swept("--cluster", two_workers.address, "--quiet")) == 2
    cluster.software.cache_clear()
    assert "has another version of trialsim" in capsys.readouterr().err


def test_no_scheduler_at_an_address_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE_SECONDS", 1)
    assert trialsim(*swept("--cluster", "tcp://127.0.0.1:1", "--quiet")) == 2
    assert "tcp://127.0.0.1:1: no scheduler answers there" in capsys.readouterr().err
    started = time.monotonic()
    for nonsense in ("nonsense", "tcp://nonsense", "tcp://[::1", "http://127.0.0.1:1", "1"):
        assert trialsim(*swept("--cluster", nonsense, "--quiet")) == 2
        assert f"'{nonsense}' is no address of a scheduler" in capsys.readouterr().err
    assert time.monotonic() - started < 10
    assert trialsim(*swept("--cluster", "tcp://127.0.0.1:1", "--jobs", "2")) == 2
    assert "--jobs counts processes of this machine" in capsys.readouterr().err


@pytest.mark.slow
def test_a_killed_worker_changes_no_byte(two_workers: Cluster) -> None:
    rates = "1:3:9"
    assert trialsim(*swept("--out", "here", "--quiet", "--jobs", "1", rates=rates)) == 0
    asked = swept("--out", "there", "--cluster", two_workers.address, rates=rates)
    code, err = _broken_into(asked, two_workers.workers[0])
    assert code == 0, err
    for table in ("points.csv", "scenario.yaml"):
        assert Path("there", table).read_bytes() == Path("here", table).read_bytes()


def test_a_lost_scheduler_ends_the_sweep_and_keeps_what_is_done(
    two_workers: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = swept("--out", "there", "--cluster", two_workers.address, rates="1:12:12")
    code, err = _broken_into(asked, two_workers.scheduler)
    assert code == 2
    assert "the scheduler is gone" in err
    assert "--resume there.part" in err.replace(str(Path.cwd()) + "/", "")
    assert "Traceback" not in err, err
    assert not capfd.readouterr().out
