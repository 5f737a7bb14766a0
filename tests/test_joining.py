"""A run joined by the sweeps and searches of its scenario: one folder, one page."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from sim.report import pages
from sim.report.decision import box
from sim.report.joined import joined_to, joined_tornado
from sim.report.run import Run
from sim.results import folder
from sim.results.manifest import MANIFEST
from sim.vocabulary.words import words
from tests.command import trialsim
from tests.conftest import blank
from tests.test_decision import begins_well, box_of
from tests.test_report import SMALL, markup, said

RATE = "assumptions.recruitment.candidates_per_month"
ASKED = SMALL.replace(
    "{value: 1.5, range: [1, 3], evidence: expert, source: the investigator}",
    "{value: 1.5, range: [0.1, 6]}",
).replace("control: 0.05", "control: {value: 0.05, range: [0, 0.5]}")
FEW = ("--replications", "40", "--jobs", "1", "--quiet")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of a scenario, a tornado and a search of it, and a run of another."""
    home = tmp_path_factory.mktemp("joining")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        Path("small.yaml").write_text(ASKED, encoding="utf-8")
        other = ASKED.replace("scenario: small", "scenario: other")
        Path("other.yaml").write_text(other, encoding="utf-8")
        search = ("--move", RATE, "--until", "twelve")
        assert trialsim("run", "small.yaml", *FEW, "--out", "run") == 0
        draw = pages.write_page
        patch.setattr(pages, "write_page", blank)  # nobody looks at the pages of those joined
        assert trialsim("run", "other.yaml", *FEW, "--out", "other") == 0
        assert trialsim("sweep", "small.yaml", "--tornado", *FEW, "--out", "swept") == 0
        assert trialsim("solve", "small.yaml", *search, *FEW, "--out", "solved") == 0
        assert trialsim("report", "run", "other", "--out", "both") == 0
        assert trialsim("report", "run", "swept", "--out", "moved") == 0
        for name, rate in (("quick", 6), ("slow", 0.3)):
            text = f"extends: small.yaml\nscenario: {name}\nassumptions: {{recruitment: {{"
            text += f"candidates_per_month: {{value: {rate}}}}}}}\n"
            Path(f"{name}.yaml").write_text(text, encoding="utf-8")
        assert trialsim("compare", "small.yaml", "quick.yaml", *FEW, "--out", "better") == 0
        assert trialsim("compare", "small.yaml", "slow.yaml", *FEW, "--out", "worse") == 0
        patch.setattr(pages, "write_page", draw)
        assert trialsim("report", "swept", "run", "solved", "--out", "joined") == 0
        assert trialsim("report", "run", "better", "--out", "helped") == 0
        assert trialsim("report", "run", "worse", "--out", "helpless") == 0
    return home


def first_of_the_register(finished: Path) -> list[str]:
    """The cells of the register's first row."""
    row = re.search(r'<tr class="register.*?</tr>', markup(finished), flags=re.DOTALL)
    assert row
    return re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row[0])


@pytest.mark.slow
def test_a_joined_folder_holds_the_others_whole_and_links_to_their_pages(asked: Path) -> None:
    joined = asked / "joined"

    assert folder.manifest(joined)["joined"] == ["tornado", "solve"]
    for origin, place in (("run", "."), ("swept", "tornado"), ("solved", "solve")):
        for table in (asked / origin).glob("*.csv*"):
            assert (joined / place / table.name).read_bytes() == table.read_bytes()
    links = re.findall(r'href="([^#"]+/report.html)"', markup(joined))
    assert links == ["tornado/report.html", "solve/report.html"]
    assert all((joined / link).is_file() for link in links)


def test_the_answer_of_a_search_stands_in_the_box(asked: Path) -> None:
    joined, alone = (box_of(markup(asked / name)) for name in ("joined", "run"))

    assert "What would help Twelve: " in joined
    assert "Twelve: " not in alone


def test_the_box_of_a_run_joined_by_a_tornado_alone_names_what_moves_the_target_most(
    asked: Path,
) -> None:
    (fact,) = [each for each in box(Run(asked / "moved")).facts if "moves" in each.said]

    assert fact.said.startswith("“Candidates per month” moves “")
    assert begins_well(fact.said)


def test_a_comparison_says_in_the_box_what_helps_and_nothing_that_does_not(asked: Path) -> None:
    helped, helpless = (box_of(markup(asked / name)) for name in ("helped", "helpless"))
    before, after = (
        pd.read_csv(asked / f"better/{name}/targets.csv").set_index("target")["probability"]
        for name in ("small", "quick")
    )

    assert after["twelve"] > before["twelve"]
    percent = words().percent
    shown = f"in {percent(after['twelve'])} of trials instead of {percent(before['twelve'])}"
    assert re.search(rf"What would help Quick: .*{shown}".replace("\u00a0", " "), helped)
    assert "What would help Slow" not in helpless
    assert joined_to(Run(asked / "helpless"))[0].verdict.startswith("Slow: ")
    assert 'href="compare/report.html"' in markup(asked / "helpless")


def test_the_register_is_sorted_by_the_effects_of_a_tornado_and_shows_them(asked: Path) -> None:
    effects = pd.read_csv(asked / "swept/sensitivity.csv").set_index(["path", "index"])["value"]
    ends = [round(effects[RATE, end] * 100) for end in ("low", "high")]

    assert first_of_the_register(asked / "run")[0] == "Candidates per month"
    name, _, _, effect, *_ = first_of_the_register(asked / "joined")
    assert name == "Candidates per month"
    assert ends[0] < 0 < ends[1]
    assert effect == f"−{-ends[0]} / +{ends[1]}"
    assert f"What to ask first: candidates per month ({effect}). Of" in said(asked / "joined")


def test_an_effect_within_the_error_of_simulating_is_marked_and_not_asked_about(
    asked: Path,
) -> None:
    text = said(asked / "joined")

    assert "Moves · share · control 0.05 0 to 0.5 ~ 0 / 0 assumption no source given" in text
    assert "control (" not in text


def test_where_no_effect_is_known_nothing_is_asked_first_and_the_page_says_so(asked: Path) -> None:
    text = said(asked / "run")

    assert "What to ask first this run cannot say: it drew the rate of candidates alone." in text
    assert "What to ask first:" not in text


@pytest.mark.slow
def test_a_joined_run_is_compared_and_built_again_in_another_language(
    asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(asked)
    assert trialsim("report", "run", "other", "swept", "--out", "compared") == 0
    page = Path("compared/small/report.html")
    before = page.read_text(encoding="utf-8")
    assert joined_tornado(Run(page.parent)) is not None

    assert trialsim("report", "compared", "--lang", "zh") == 0
    assert page.read_text(encoding="utf-8") != before
    assert trialsim("report", "compared") == 0
    assert page.read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("folders", "refusal"),
    [
        (["swept", "solved"], "joins a run of the very same scenario"),
        (["swept", "other"], "joins a run of the very same scenario"),
        (["other", "both"], "a comparison a run of its first"),
    ],
)
def test_what_cannot_be_joined_is_refused(
    asked: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    folders: list[str],
    refusal: str,
) -> None:
    monkeypatch.chdir(asked)

    assert trialsim("report", *folders, "--out", "nowhere") == 2
    assert refusal in capsys.readouterr().err
    assert not Path("nowhere").exists()


@pytest.fixture
def tampered(asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of those folders one can do anything to, as the folder one works in."""
    shutil.copytree(asked, tmp_path / "home")
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path / "home"


def change(finished: Path, **facts: object) -> None:
    manifest = finished / MANIFEST
    contents = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(contents | facts), encoding="utf-8")


def files(home: Path) -> dict[Path, bytes]:
    """Every file there and beside it, but for the pages."""
    everything = (path for path in home.parent.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in everything if path.name != "report.html"}


@pytest.mark.parametrize(
    ("finished", "facts"),
    [
        ("swept", {"kind": "../planted"}),
        ("solved", {"kind": "../planted"}),
        ("joined", {"joined": ["solve", "../planted"]}),
        ("both", {"scenarios": ["small", "../planted"]}),
    ],
)
def test_a_folder_writes_nothing_outside_itself(
    tampered: Path,
    capsys: pytest.CaptureFixture[str],
    finished: str,
    facts: dict[str, object],
) -> None:
    change(Path(finished), **facts)
    before = files(tampered)

    for command in ([finished], [finished, "--excel"], ["run", finished, "--out", "out"]):
        assert trialsim("report", *command) == 2
        said = capsys.readouterr().err
        assert f"{finished}/manifest.json: {next(iter(facts))}" in said
        assert "'../planted'" in said
    assert files(tampered) == before


def test_a_page_never_goes_through_a_link(
    tampered: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tampered / "mine.txt"
    mine.write_text("keep", encoding="utf-8")
    linked = (Path("joined/report.html"), Path("joined/solve/report.html"), Path("joined/more"))
    for link in linked:
        before = link.read_bytes() if link.exists() else None
        link.unlink(missing_ok=True)
        link.symlink_to(mine)
        for command in (["joined"], ["joined", "--edited"], ["joined", "swept", "--out", "out"]):
            assert trialsim("report", *command) == 2
            assert f"{link}: a link" in capsys.readouterr().err
        link.unlink()
        if before is not None:
            link.write_bytes(before)
    assert mine.read_text(encoding="utf-8") == "keep"
    assert not list(tampered.rglob("*.part"))
