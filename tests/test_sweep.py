"""A sweep: its points, what is kept whatever breaks it off, and what goes on from there."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from sim.cli.main import commands
from sim.cli.terminal import exit_code
from sim.experiments import sweep as experiment
from sim.results import journal, points, unfinished
from sim.results.folder import FolderRefused
from sim.results.measures import measures_of
from sim.results.points import DONE, FAILED, Identity, Outcome, Point
from sim.results.replication import Reading
from sim.results.unfinished import JOURNAL, resumed, started
from sim.scenario.axis import axis, grid, written
from sim.scenario.load import ScenarioError, load, variants
from sim.scenario.yaml_source import Position, parse
from tests.toys import TOY

ROOT = Path(__file__).parent.parent
RATE = "assumptions.recruitment.candidates_per_month"
TARGETS = "\ntargets: {enough: {measure: randomised, at_least: 20, with_probability: 0.8}}\n"

Trialsim = Callable[..., int]


@pytest.fixture
def trialsim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trialsim:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy.yaml").write_text(TOY + TARGETS, encoding="utf-8")
    return lambda *arguments: exit_code(commands, [*map(str, arguments)])


def swept(*more: str, rates: str = "1,2,4") -> list[str]:
    return ["sweep", "toy.yaml", "--vary", f"{RATE}={rates}", "--replications", "60", *more]


class TestPoints:
    def test_values_are_listed_or_evenly_spaced(self) -> None:
        assert axis("a.b=1, x,[0, 0]").levels == ("1", "x", "[0, 0]")
        assert axis("a.b=1:2:5") == ("a.b", ("1", "1.25", "1.5", "1.75", "2"))
        assert axis("a.b=2022-10-01:2022-10-31:3").levels[1] == "2022-10-16"
        assert axis('a.hours={mon: "08:00-12:00", tue: "08:00-09:00"}').levels[0][-1] == "}"

    @pytest.mark.parametrize(
        "wrong", ["sweep.points=1,2", "a.b", "=1", "a.b=", "a=1:2:1", "a=x:y:3", "a=1,1"]
    )
    def test_what_is_no_axis_is_refused(self, wrong: str) -> None:
        with pytest.raises(ValueError, match=r"\w"):
            axis(wrong)

    def test_a_grid_is_every_combination(self) -> None:
        places = list(grid([axis("a=1,2"), axis("b=3,4,5")]))
        assert [tuple(place.values()) for place in places][:4] == [
            ("1", "3"),
            ("1", "4"),
            ("1", "5"),
            ("2", "3"),
        ]
        with pytest.raises(ValueError, match="a is varied twice"):
            list(grid([axis("a=1"), axis("a=2")]))

    @pytest.mark.usefixtures("trialsim")
    def test_a_point_is_the_scenario_with_its_values(self) -> None:
        variant = variants(Path("toy.yaml"), ["design.trial.target=5"])
        changed = variant({RATE: "7"})
        assert changed.assumptions.recruitment.candidates_per_month.value == 7
        assert changed.design.trial.target is not None
        assert variant() == variants(Path("toy.yaml"), ["design.trial.target=5"])()
        with pytest.raises(ScenarioError, match="--vary"):
            variant({RATE: "many"})


class TestJournal:
    def test_half_a_record_is_never_read(self, tmp_path: Path) -> None:
        path = tmp_path / JOURNAL
        path.touch()
        for number in range(3):
            journal.append(path, {"number": number, "said": "è\n"})
        whole = path.read_bytes()
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            found = [record["number"] for record in journal.read(path)]
            assert found == list(range(whole[: length + 1].count(b"\n")))
            journal.append(path, {"number": "next"})
            assert [record["number"] for record in journal.read(path)][-1] == "next"
            assert len(list(journal.read(path))) == len(found) + 1

    def test_a_changed_letter_is_noticed(self, tmp_path: Path) -> None:
        path = tmp_path / JOURNAL
        path.touch()
        journal.append(path, {"probability": 0.25})
        path.write_bytes(path.read_bytes().replace(b"0.25", b"0.75"))
        assert not list(journal.read(path))

    def test_a_point_comes_back_as_it_was(self) -> None:
        identity = Identity("abc", 1, 3, "def")
        point = Point({RATE: "2"}, identity, Outcome({"visits": (1.5, None)}, {"t": "101"}))
        back = Point.of_record(json.loads(json.dumps(point.as_record())))
        assert (back.at, back.identity, back.outcome.met) == (point.at, identity, {"t": "101"})


def test_a_sweep_agrees_with_runs(trialsim: Trialsim, capsys: pytest.CaptureFixture[str]) -> None:
    assert trialsim(*swept("--out", "swept", "--jobs", "2")) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].endswith("/swept")
    assert said.err.count("new: ") == 3
    table = pd.read_csv("swept/points.csv")
    assert list(table["status"]) == [DONE] * 3
    for rate, probability in zip(table[RATE], table["enough_probability"], strict=True):
        run = ["run", "toy.yaml", "--set", f"{RATE}={rate}", "--replications", "60"]
        assert trialsim(*run, "--quiet", "--out", f"run{rate}") == 0
        targets = pd.read_csv(f"run{rate}/targets.csv")
        assert probability == pytest.approx(targets["probability"].item(), abs=1e-6)
    assert "1. How probable is each target?" in Path("swept/report.html").read_text("utf-8")
    assert trialsim("report", "swept") == 0


class TestBlock:
    """What the scenario's own `sweep` says."""

    @pytest.fixture
    def block(self, trialsim: Trialsim) -> Callable[..., int]:
        """Sweep the toy with a block, with ranges and with these flags; a folder `out`."""
        ranged = "{candidates_per_month: {value: 10, range: [6, 14]}}"
        text = TOY.replace("{candidates_per_month: 10}", ranged) + TARGETS

        def run(block: str, *flags: str) -> int:
            shutil.rmtree("out", ignore_errors=True)
            Path("block.yaml").write_text(f"{text}sweep: {block}\n", encoding="utf-8")
            how = ["--replications", "4", "--jobs", "1", "--quiet", "--out", "out"]
            return trialsim("sweep", "block.yaml", *flags, *how)

        return run

    def test_a_grid_is_that_of_the_flags(self, block: Callable[..., int]) -> None:
        listed = f"{{{RATE}: [1, 2.5], design.trial.target: {{low: 20, high: 30, number: 3}}}}"
        assert block(f"{{vary: {listed}}}") == 0
        first = Path("out/points.csv").read_bytes()
        flags = ["--vary", f"{RATE}=1,2.5", "--vary", "design.trial.target=20:30:3"]
        assert block("{tornado: true}", *flags) == 0
        assert Path("out/points.csv").read_bytes() == first
        assert len(pd.read_csv("out/points.csv")) == 6

    @pytest.mark.parametrize(
        ("written", "flags", "said"),
        [
            ("{tornado: true}", [], ("tornado", 3, "enough")),
            ("{tornado: true, on: visits}", [], ("tornado", 3, "visits")),
            ("{tornado: true, on: visits}", ["--on", "left"], ("tornado", 3, "left")),
            ("{design: lhs, points: 5}", [], ("lhs", 5, "enough")),
            ("{design: lhs, points: 5}", ["--points", "6"], ("lhs", 6, "enough")),
            ("{design: lhs, points: 5, on: visits}", ["--tornado"], ("tornado", 3, "enough")),
            ("{tornado: true}", ["--design", "lhs", "--points", "4"], ("lhs", 4, "enough")),
        ],
    )
    def test_flags_take_the_place_of_the_block(
        self, block: Callable[..., int], written: str, flags: list[str], said: tuple[object, ...]
    ) -> None:
        assert block(written, *flags) == 0
        manifest = json.loads(Path("out/manifest.json").read_text("utf-8"))
        assert tuple(manifest[fact] for fact in ("kind", "points", "on")) == said

    def test_what_is_wrong_ends_with_3_and_a_flag_that_does_not_fit_with_2(
        self, block: Callable[..., int], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert block("{vary: {design.trial.trget: [1]}}") == 3
        assert block("{tornado: true}", "--points", "9") == 2
        assert block(f"{{vary: {{{RATE}: [1]}}}}", "--on", "enough") == 2
        said = capsys.readouterr().err
        assert "block.yaml:" in said
        assert "--points: only a --design has a number of points" in said
        assert "--on: a grid shows every target" in said
        assert not Path("out.part").exists()

    def test_values_of_any_kind_come_through(self) -> None:
        for value in (3, 0.25, "always", "08:00", "1", "null", [1, "a: b"], None, {"mon": "8 #"}):
            assert parse(written(value), Position("", 0, 0)).data == value

    def test_a_variant_replaces_it_as_a_whole(self, block: Callable[..., int]) -> None:
        assert block("{design: lhs, points: 5}") == 0
        child = "extends: block.yaml\nsweep: {tornado: true}\n"
        Path("child.yaml").write_text(child, encoding="utf-8")
        sweep = load(Path("child.yaml")).sweep
        assert sweep is not None
        assert (sweep.tornado, sweep.design) == (True, None)


def test_the_plan_can_be_read_before_the_first_point_is_done(
    trialsim: Trialsim, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = list[pd.DataFrame]()

    def look(*_: object, **__: object) -> Iterator[Point]:
        planned.append(pd.read_csv("swept.part/planned.csv"))
        yield from ()

    with monkeypatch.context() as patched:
        patched.setattr(experiment, "simulate", look)
        assert trialsim(*swept("--out", "swept")) != 0
    assert planned[0].to_dict("list") == {"point": [1, 2, 3], RATE: [1, 2, 4]}
    assert trialsim(*swept("--out", "swept")) == 0
    assert pd.read_csv("swept/planned.csv").equals(planned[0])


def test_processes_change_no_byte(trialsim: Trialsim) -> None:
    for jobs in (1, 2):
        assert trialsim(*swept("--out", f"by{jobs}", "--jobs", str(jobs), "--quiet")) == 0
    assert Path("by1/points.csv").read_bytes() == Path("by2/points.csv").read_bytes()


class TestResume:
    @pytest.fixture
    def broken_off(
        self,
        trialsim: Trialsim,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> Trialsim:
        """A sweep of which the disk took two points and not the third."""
        whole, taken = journal.append, list[object]()

        def until_full(path: Path, record: dict[str, object]) -> int:
            if len(taken) == 2:
                with path.open("a") as file:
                    file.write("0123456789abcdef {half a rec")
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            taken.append(record)
            return whole(path, record)

        with monkeypatch.context() as patched:
            patched.setattr(journal, "append", until_full)
            assert trialsim(*swept("--out", "swept", "--jobs", "1")) == 2
        said = capsys.readouterr().err
        assert "No space left on device" in said
        assert "2 of 3 points are kept" in said
        assert "--resume" in said
        return trialsim

    def test_a_full_disk_loses_nothing_that_was_finished(
        self, broken_off: Trialsim, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert broken_off(*swept("--resume", "swept.part")) == 0
        said = capsys.readouterr().err
        assert (said.count("reused: "), said.count("new: ")) == (2, 1)
        assert broken_off(*swept("--out", "at_once", "--quiet")) == 0
        assert Path("swept/points.csv").read_bytes() == Path("at_once/points.csv").read_bytes()
        assert not Path("swept.part").exists()

    def test_a_point_under_something_else_is_stale_and_says_why(
        self, broken_off: Trialsim, capsys: pytest.CaptureFixture[str]
    ) -> None:
        more = ["--seed", "2", "--set", "design.trial.target=30", "--resume", "swept.part"]
        assert broken_off(*swept(*more)) == 0
        said = capsys.readouterr().err
        assert said.count("stale, scenario and seed changed: ") == 2
        assert said.count("new: ") == 3

    def test_a_change_of_the_code_is_noticed(
        self,
        broken_off: Trialsim,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(points, "code_version", lambda: "another")
        assert broken_off(*swept("--resume", "swept.part")) == 0
        assert capsys.readouterr().err.count("stale, code changed: ") == 2

    def test_a_folder_in_which_another_sweep_is_at_work_is_refused(
        self,
        broken_off: Trialsim,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(unfinished, "PATIENCE_SECONDS", 0)
        before = Path("swept.part", JOURNAL).read_bytes()
        with resumed(Path("swept.part")):
            assert broken_off(*swept("--resume", "swept.part")) == 2
        assert "another sweep is at work in it" in capsys.readouterr().err
        assert Path("swept.part", JOURNAL).read_bytes() == before
        assert broken_off(*swept("--resume", "swept.part", "--quiet")) == 0

    def test_what_is_no_unfinished_sweep_is_refused(
        self, trialsim: Trialsim, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("empty.part").mkdir()
        assert trialsim(*swept("--resume", "empty.part")) == 2
        assert trialsim(*swept("--resume", "nowhere.part")) == 2
        assert trialsim(*swept("--resume", "empty.part", "--out", "other")) == 2
        assert capsys.readouterr().err.count("not the folder of an unfinished sweep") == 2


class TestFailures:
    @pytest.fixture
    def failing(self, trialsim: Trialsim, monkeypatch: pytest.MonkeyPatch) -> Trialsim:
        """The second point fails."""
        real = measures_of
        calls = iter(range(10**6))

        def sometimes(reading: Reading) -> dict[str, float]:
            if 60 <= next(calls) < 120:
                message = "a point of no return"
                raise ArithmeticError(message)
            return real(reading)

        monkeypatch.setattr(experiment, "measures_of", sometimes)
        return trialsim

    def test_one_failing_point_does_not_stop_the_others(
        self, failing: Trialsim, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert failing(*swept("--out", "swept", "--jobs", "1", "--quiet")) == 4
        said = capsys.readouterr()
        assert "ArithmeticError: a point of no return" in said.err
        table = pd.read_csv("swept/points.csv")
        assert FAILED in set(table["status"])
        assert table.loc[table["status"] == FAILED, "enough_probability"].isna().all()
        assert (table["status"] == DONE).any()
        assert "no return" in Path("swept", JOURNAL).read_text("utf-8")

    def test_fail_fast_stops_and_keeps(
        self, failing: Trialsim, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert failing(*swept("--out", "swept", "--jobs", "1", "--fail-fast")) == 4
        assert "1 of 3 points are kept" in capsys.readouterr().err
        assert len(list(journal.read(Path("swept.part", JOURNAL)))) == 2


@pytest.mark.parametrize(
    ("signalled", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)]
)
def test_whatever_ends_the_parent_finished_points_are_kept(
    trialsim: Trialsim,
    signalled: signal.Signals,
    code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    part = Path("swept.part").resolve()
    running = subprocess.Popen(
        [sys.executable, "-m", "sim", *swept("--out", "swept", rates="1:400:400"), "--jobs", "2"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    _wait_for_a_point(part, running)
    workers = _children(running.pid)
    with pytest.raises(FolderRefused, match="another sweep is at work"), resumed(part):
        pass
    running.send_signal(signalled)
    _, err = running.communicate(timeout=30)

    assert running.returncode == code
    assert "Traceback" not in err
    with resumed(part):  # the lock is free again, also after a kill
        pass
    kept = len(list(journal.read(part / JOURNAL)))
    assert kept
    if code == 130:
        assert f"{kept} of 400 points are kept" in err
    until = time.monotonic() + 10
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < until, "a worker outlived its parent"
        time.sleep(0.05)
    assert (
        trialsim(*swept("--resume", str(part), rates=",".join(map(str, range(1, kept + 1))))) == 0
    )
    assert capsys.readouterr().err.count("reused: ") == kept


def _wait_for_a_point(part: Path, running: subprocess.Popen[str]) -> None:
    while not (part / JOURNAL).is_file() or not list(journal.read(part / JOURNAL)):
        assert running.poll() is None, "it ended before its first point"
        time.sleep(0.02)


def _children(parent: int) -> list[str]:
    return Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()


def test_a_killed_worker_loses_no_point(trialsim: Trialsim) -> None:
    assert trialsim(*swept("--out", "quiet", "--quiet", rates="1:12:12")) == 0
    running = subprocess.Popen(
        [sys.executable, "-m", "sim", *swept("--out", "shot", rates="1:12:12"), "--jobs", "2"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    _wait_for_a_point(Path("shot.part"), running)
    os.kill(int(_children(running.pid)[-1]), signal.SIGKILL)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    assert Path("shot/points.csv").read_bytes() == Path("quiet/points.csv").read_bytes()


def test_a_folder_whose_parent_is_a_file_is_refused(
    trialsim: Trialsim, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trialsim(*swept("--out", "toy.yaml/swept")) == 2
    assert "toy.yaml" in capsys.readouterr().err


def test_a_sweep_without_a_finished_point_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(TOY, encoding="utf-8")
    scenario = variants(tmp_path / "toy.yaml")()
    with pytest.raises(KeyboardInterrupt), started(scenario, tmp_path, tmp_path / "swept"):
        raise KeyboardInterrupt
    assert not (tmp_path / "swept.part").exists()
    with pytest.raises(FolderRefused), resumed(tmp_path / "swept.part"):
        pass
