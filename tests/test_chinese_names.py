"""A scenario in which whoever names something names it in Chinese."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from unicodedata import normalize

import pytest
from openpyxl import load_workbook

from sim.scenario.load import ScenarioError, dump, load
from tests.command import trialsim

NAMES = {
    "small": "小试验",
    "clinic": "门诊",
    "nurse": "护士",
    "adult": "成人",
    "active": "试验组",
    "control": "对照组",
    "tablets": "片剂",
    "placebo": "安慰剂",
    "start": "基线",
    "end": "末次",
    "assessment": "评估访视",
    "assess": "评估",
    "withdraws_consent": "撤回同意",
    "somebody": "有人入组",
    "read_chart": "读病历",
}
SMALL = (Path(__file__).parent / "small.yaml").read_text("utf-8")
CHINESE = re.sub(r"\b(?:" + "|".join(NAMES) + r")\b", lambda name: NAMES[name[0]], SMALL)
CHINESE = CHINESE.replace("unit: 片剂", "unit: 片")
HOW = ("--replications", "3", "--jobs", "1", "--quiet")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("南京.yaml").write_text(CHINESE, "utf-8")


def _rows(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(table).read_text("utf-8").splitlines()))


def test_such_a_scenario_is_the_same_trial() -> None:
    scenario = load("南京.yaml")
    Path("又一次.yaml").write_text(dump(scenario), "utf-8")

    assert load("又一次.yaml") == scenario
    assert list(scenario.design.arms) == ["试验组", "对照组"]


@pytest.mark.usefixtures("blank_pages")
def test_every_command_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    weeks = "assumptions.leaving.撤回同意.by_week"
    move = ("--move", "assumptions.recruitment.candidates_per_month", "--between", "5:20")
    assert trialsim("check", "南京.yaml", "--set", "assumptions.leaving.撤回同意.share=0.2") == 0
    assert "试验组" in capsys.readouterr().out
    assert trialsim("run", "南京.yaml", *HOW, "--excel", "--lang", "zh") == 0
    out = capsys.readouterr().out.strip()
    assert out.startswith("results/小试验/")
    assert trialsim("report", out) == 0
    assert trialsim("trace", "南京.yaml", "--replication", "1", "--participant", "0") == 0
    Path("另一个.yaml").write_text("extends: 南京.yaml\nscenario: 另一个\n", "utf-8")
    assert trialsim("compare", "南京.yaml", "另一个.yaml", *HOW, "--out", "比较") == 0
    assert trialsim("sweep", "南京.yaml", "--vary", f"{weeks}=1,2", *HOW, "--out", "扫描") == 0
    assert trialsim("solve", "南京.yaml", *move, "--until", "有人入组", *HOW, "--out", "求解") == 0
    assert trialsim("list") == 0

    assert {row["target"] for row in _rows(f"{out}/targets.csv")} == {"有人入组"}
    assert "left_撤回同意" in {row["measure"] for row in _rows(f"{out}/summary.csv")}
    assert json.loads(Path("比较/manifest.json").read_text("utf-8"))["scenarios"][1] == "另一个"
    assert [row[weeks] for row in _rows("扫描/points.csv")] == ["1", "2"]
    assert "汇总" in load_workbook(f"{out}/tables.xlsx").sheetnames


def test_its_page_speaks_of_them() -> None:
    assert trialsim("run", "南京.yaml", *HOW, "--out", "结果", "--lang", "zh") == 0

    page = Path("结果/report.html").read_text("utf-8")
    assert all(name in page for name in ("护士", "试验组", "评估访视", "有人入组"))


def test_a_name_has_one_way_to_be_written() -> None:
    apart = normalize("NFD", "café")
    Path("apart.yaml").write_text(SMALL.replace("somebody", apart), "utf-8")
    assert list(load("apart.yaml").targets) == ["café"]
    changed = load("apart.yaml", [f"targets.{apart}.with_probability=0.7"])
    assert float(changed.targets["café"].with_probability) == 0.7

    for name in ("ﬁrst", "二-一", "_一", "1号", "南京/鼓楼", "..", "一" * 49):
        Path("bad.yaml").write_text(SMALL.replace("somebody", f'"{name}"'), "utf-8")
        with pytest.raises(ScenarioError, match=r"is not a name|full-width"):
            load("bad.yaml")
