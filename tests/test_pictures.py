"""The charts of a page as PNG files, under the names by which the page saves them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim.report.page import PICTURE_WIDTH, SCALE
from tests.command import trialsim
from tests.test_report import SMALL, html

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LEAST_BYTES = 5_000
"""Of a picture in which anything is drawn and written."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of two scenarios and what they are side by side."""
    home = tmp_path_factory.mktemp("pictures")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        for name in ("small", "other"):
            text = SMALL.replace("scenario: small", f"scenario: {name}")
            Path(f"{name}.yaml").write_text(text, encoding="utf-8")
            how = ("--replications", "30", "--jobs", "1", "--quiet", "--out", name)
            assert trialsim("run", f"{name}.yaml", *how) == 0
    return home


@pytest.fixture(autouse=True)
def _there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)


def drawn_on(finished: str) -> set[str]:
    """The names of the charts on a page."""
    return set(re.findall(r'<div class="chart" id="(.*?)"', html(Path(finished))))


def written_to(folder: str) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in Path(folder).glob("*.png")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("finished", "asked"),
    [("small", ["small"]), ("both", ["small", "other", "--out", "both", "--lang", "zh"])],
    ids=["a run", "runs side by side, in Chinese"],
)
def test_each_chart_of_the_page_is_a_picture_wide_enough_for_a_slide(
    finished: str, asked: list[str]
) -> None:
    assert trialsim("report", *asked, "--png", f"png-{finished}") == 0

    written = written_to(f"png-{finished}")
    assert written.keys() == drawn_on(finished) != set()
    for name, picture in written.items():
        assert picture.startswith(SIGNATURE), name
        assert int.from_bytes(picture[16:20]) >= PICTURE_WIDTH * SCALE, name
        assert len(picture) > LEAST_BYTES, name


def test_pictures_are_never_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine").mkdir()
    Path("mine/reached-1.png").write_bytes(b"mine")
    before = html(Path("small"))

    assert trialsim("report", "small", "--png", "mine", "--lang", "zh") == 2
    assert "mine: 不是空文件夹" in capsys.readouterr().err
    assert Path("mine/reached-1.png").read_bytes() == b"mine"
    assert html(Path("small")) == before
