"""A sweep: its points, what is kept whatever breaks it off, and what goes on from there."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim.cli.main import commands
from sim.cli.terminal import exit_code
from sim.experiments import sweep as experiment
from sim.results import points, store
from sim.results.folder import FolderRefused, edited
from sim.results.measures import measures_of
from sim.results.points import DONE, FAILED, Identity, Outcome, Point
from sim.results.replication import Reading
from sim.results.store import STORE, Store, resumed, started
from sim.scenario.load import ScenarioError, load, variants
from sim.scenario.sweep import axis, grid, text_of
from sim.scenario.yaml_source import Position, parse
from tests.toys import TOY

pytestmark = pytest.mark.usefixtures("blank_pages")

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
        assert axis("a.b=-1,+2,.inf").levels == ("-1", "+2", ".inf")
        assert axis("a.b=1:2:5") == ("a.b", ("1", "1.25", "1.5", "1.75", "2"))
        assert axis("a.b=2022-10-01:2022-10-31:3").levels[1] == "2022-10-16"
        assert axis('a.hours={mon: "08:00-12:00", tue: "08:00-09:00"}').levels[0][-1] == "}"

    @pytest.mark.parametrize(
        "wrong",
        [
            "sweep.points=1,2",
            "a.b",
            "=1",
            "a.b=",
            "a=1:2:1",
            "a=x:y:3",
            "a=1,1",
            "a=[1",
            "a=1:2:9999999",
            "a==1+1",
            "a=1,-x",
        ],
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
        with pytest.raises(ValueError, match="1,002,001 points are more than 1,000,000"):
            grid([axis("a=1:2:1001"), axis("b=1:2:1001")])

    @pytest.mark.usefixtures("trialsim")
    def test_a_point_is_the_scenario_with_its_values(self) -> None:
        variant = variants(Path("toy.yaml"), ["design.trial.target=5"])
        changed = variant({RATE: "7"})
        assert changed.assumptions.recruitment.candidates_per_month == 7.0
        assert changed.design.trial.target is not None
        assert variant() == variants(Path("toy.yaml"), ["design.trial.target=5"])()
        with pytest.raises(ScenarioError, match="--vary"):
            variant({RATE: "many"})


class TestStore:
    @pytest.fixture
    def point(self) -> Point:
        identity = Identity("abc", 1, 3, "def")
        outcome = Outcome({"visits": (1.5, None, None, None)}, {"t": "101"}, {"visits": [1, 0.1]})
        return Point({RATE: "è\n"}, identity, outcome)

    @pytest.fixture
    def part(self, tmp_path: Path) -> Path:
        part = tmp_path / "swept.part"
        part.mkdir()
        (part / STORE).touch()
        return part

    def test_a_point_comes_back_as_it_was(self, part: Path, point: Point) -> None:
        failed = point._replace(outcome=Outcome({}, {}, error="no\nway"))
        with resumed(part) as store:
            numbers = [store.keep(each) for each in (point, failed)]
        with resumed(part) as store:
            back, bad = map(store.point, numbers)
            assert (back.at, back.identity) == (point.at, point.identity)
            assert back.outcome.mean_and_sd("t") == point.outcome.mean_and_sd("t")
            assert (back.outcome.met, back.outcome.each) == point.outcome[1:3]
            assert bad.outcome.error == "no\nway"
            assert store.kept() == 1

    def test_of_several_at_a_place_the_most_like_is_found(self, part: Path, point: Point) -> None:
        asked = point.identity
        with resumed(part) as store:
            first = store.keep(point)
            store.keep(point._replace(identity=asked._replace(seed=2, code="ghi")))
            assert store.most_like(point.at, asked, "visits") == (first, [])
            assert store.most_like(point.at, asked, "left") == (first, ["measure ranked by"])
            other = asked._replace(seed=3, code="ghi")
            assert store.most_like(point.at, other, "") == (first + 1, ["seed"])
            assert store.most_like({RATE: "1"}, asked, "") is None

    def test_a_full_disk_takes_a_point_whole_or_not_at_all(
        self, part: Path, point: Point, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        long = point._replace(outcome=point.outcome._replace(each={"visits": [0.125] * 5000}))
        for full in (f"{store.OPEN} PRAGMA max_page_count = 60;", store.OPEN):
            kept = list[int]()

            def filled(kept: list[int] = kept) -> None:
                with resumed(part) as opened, _files_of(400_000):
                    kept.extend(opened.keep(long) for _ in range(1000))

            with monkeypatch.context() as patched:
                patched.setattr(store, "OPEN", full)
                with pytest.raises(FolderRefused, match="disk"):
                    filled()
            with resumed(part) as opened:
                assert opened.keep(point) == kept[-1] + 1
                assert opened.point(kept[-1]).outcome.each == long.outcome.each
                assert opened.point(kept[-1] + 1).outcome.each == point.outcome.each

    def test_what_is_no_store_is_refused(self, part: Path) -> None:
        (part / STORE).write_bytes(b"anything else " * 1000)
        with pytest.raises(FolderRefused, match="not a database"), resumed(part):
            pass

    def test_the_folder_of_an_earlier_version_is_refused(self, part: Path) -> None:
        (part / STORE).unlink()
        (part / "journal.jsonl").touch()
        with pytest.raises(FolderRefused, match=r"earlier version .* sweep anew"), resumed(part):
            pass


@contextmanager
def _files_of(most: int) -> Iterator[None]:
    """No file grows beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.pages
@pytest.mark.slow
def test_a_sweep_agrees_with_runs(trialsim: Trialsim, capsys: pytest.CaptureFixture[str]) -> None:
    assert trialsim(*swept("--out", "swept", "--jobs", "2")) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].endswith("swept/report.html")
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
            assert parse(text_of(value), Position("", 0, 0)).data == value

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
        with monkeypatch.context() as patched:
            full_after(2, patched)
            assert trialsim(*swept("--out", "swept", "--jobs", "1")) == 2
        said = capsys.readouterr().err
        assert "points.sqlite: disk" in said
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
        monkeypatch.setattr(store, "LOCK_PATIENCE_SECONDS", 0)
        before = Path("swept.part", STORE).read_bytes()
        with resumed(Path("swept.part")):
            assert broken_off(*swept("--resume", "swept.part")) == 2
        assert "another sweep is at work in it" in capsys.readouterr().err
        assert Path("swept.part", STORE).read_bytes() == before
        assert broken_off(*swept("--resume", "swept.part", "--quiet")) == 0

    def test_what_is_no_unfinished_sweep_is_refused(
        self, trialsim: Trialsim, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("empty.part").mkdir()
        assert trialsim(*swept("--resume", "empty.part")) == 2
        assert trialsim(*swept("--resume", "nowhere.part")) == 2
        assert trialsim(*swept("--resume", "empty.part", "--out", "other")) == 2
        assert capsys.readouterr().err.count("not the folder of an unfinished sweep") == 2


def full_after(points: int, patched: pytest.MonkeyPatch) -> None:
    """The disk takes so many points, and of the next not all."""
    whole, taken = Store.keep, list[int]()

    def until_full(store: Store, point: Point) -> int:
        if len(taken) < points:
            taken.append(whole(store, point))
            return taken[-1]
        with _files_of((store.part / STORE).stat().st_size):
            each = {"visits": [0.125] * 10_000}
            return whole(store, point._replace(outcome=point.outcome._replace(each=each)))

    patched.setattr(Store, "keep", until_full)


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
        assert any("no return" in said for said in _errors(Path("swept")))

    def test_fail_fast_stops_and_keeps(
        self, failing: Trialsim, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert failing(*swept("--out", "swept", "--jobs", "1", "--fail-fast")) == 4
        assert "1 of 3 points are kept" in capsys.readouterr().err
        assert len(_errors(Path("swept.part"))) == 2


def _errors(folder: Path) -> list[str]:
    """What each point in a store says of its failure."""
    with closing(sqlite3.connect(folder / STORE)) as points:
        return [said for (said,) in points.execute("SELECT error FROM points")]


@pytest.mark.slow
@pytest.mark.parametrize(("signalled", "code"), [(signal.SIGTERM, 130), (signal.SIGKILL, -9)])
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
    _wait_for_a_point(running)
    workers = _children(running.pid)
    with pytest.raises(FolderRefused, match="another sweep is at work"), resumed(part):
        pass
    running.send_signal(signalled)
    if signalled == signal.SIGKILL:  # the lock is free at once, for one
        with resumed(part), pytest.raises(FolderRefused, match="at work"), resumed(part):
            pass
    _, err = running.communicate(timeout=30)

    assert running.returncode == code
    assert "Traceback" not in err
    with resumed(part) as store:
        kept = store.kept()
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


def _wait_for_a_point(running: subprocess.Popen[str]) -> None:
    assert running.stderr is not None
    while "new: " not in (said := running.stderr.readline()):
        assert said, "it ended before its first point"


def _children(parent: int) -> list[str]:
    return Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()


@pytest.mark.parametrize(
    ("kills", "planned"),
    [
        (12, 80),
        pytest.param(20, 160, marks=pytest.mark.slow),
        pytest.param(200, 1_600, marks=pytest.mark.nightly),
    ],
)
def test_kills_at_any_moment_change_no_byte(trialsim: Trialsim, kills: int, planned: int) -> None:
    """With points this short, most of the time is in the writing of them."""
    asked = [*swept(rates=f"1:9:{planned}"), "--replications", "1", "--jobs", "1", "--quiet"]
    assert trialsim(*asked, "--out", "at_once") == 0
    moments, part, kept = np.random.default_rng(1), Path("swept.part"), [0]
    for _ in range(kills):
        how = ["--resume", str(part)] if part.exists() else ["--out", "swept"]
        running = get_context("fork").Process(target=trialsim, args=[*asked, *how])
        before = _size(part)
        running.start()
        while _size(part) <= before and running.is_alive():
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.03))
        running.kill()
        running.join()
        with resumed(part) as store:
            kept.append(store.kept())
    assert kept == sorted(kept)
    assert len(set(kept)) > 4
    assert kept[-1] < planned
    assert trialsim(*asked, "--resume", str(part)) == 0
    for table in ("points.csv", "planned.csv"):
        assert Path("swept", table).read_bytes() == Path("at_once", table).read_bytes()
    with closing(sqlite3.connect(Path("swept", STORE))) as points:
        assert points.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert points.execute("SELECT count(*) FROM points").fetchone() == (planned,)


def _size(part: Path) -> int:
    return (part / STORE).stat().st_size if (part / STORE).is_file() else 0


@pytest.mark.parametrize(
    "kills",
    [
        1,
        pytest.param(3, marks=pytest.mark.slow),
        pytest.param(25, marks=pytest.mark.nightly),
    ],
)
def test_a_killed_worker_loses_no_point(trialsim: Trialsim, kills: int) -> None:
    assert trialsim(*swept("--out", "quiet", "--quiet", rates="1:6:6")) == 0
    for kill in range(kills):
        asked = swept("--out", f"shot{kill}", rates="1:6:6")
        running = subprocess.Popen(
            [sys.executable, "-m", "sim", *asked, "--jobs", "2"],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        _wait_for_a_point(running)
        os.kill(int(_children(running.pid)[-1]), signal.SIGKILL)
        _, err = running.communicate(timeout=60)
        assert running.returncode == 0, err
        assert Path(f"shot{kill}/points.csv").read_bytes() == Path("quiet/points.csv").read_bytes()


@pytest.mark.parametrize(
    "racing",
    [
        pytest.param(4, marks=pytest.mark.slow),
        pytest.param(40, marks=pytest.mark.nightly),
    ],
)
def test_of_those_that_race_for_a_folder_one_writes_it_whole(
    trialsim: Trialsim, racing: int
) -> None:
    run = ["run", "toy.yaml", "--replications", "20", "--jobs", "1", "--quiet", "--out"]
    assert trialsim(*run, "alone") == 0
    fork = get_context("fork")
    every = [fork.Process(target=lambda: sys.exit(trialsim(*run, "race"))) for _ in range(racing)]
    for each in every:
        each.start()
    for each in every:
        each.join()

    codes = [each.exitcode for each in every]
    assert (codes.count(0), codes.count(2)) == (1, racing - 1)
    assert not edited(Path("race"))
    assert not list(Path.cwd().glob("*.part"))
    for table in ("replications.csv", "summary.csv", "workload.csv"):
        assert Path("race", table).read_bytes() == Path("alone", table).read_bytes()


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


def test_a_sweep_does_not_go_on_in_a_file_elsewhere(tmp_path: Path) -> None:
    part = tmp_path / "swept.part"
    part.mkdir()
    (tmp_path / "mine").touch()
    (part / STORE).symlink_to(tmp_path / "mine")
    with pytest.raises(FolderRefused, match=f"{STORE}: a link; allowed"), resumed(part):
        pass
