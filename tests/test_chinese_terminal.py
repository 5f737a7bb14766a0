"""What a terminal says in Chinese has no English word in it but names, keys and what is typed."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from html import unescape
from importlib import import_module
from pathlib import Path
from string import Formatter
from types import ModuleType

import pytest
from openpyxl import load_workbook

from sim.cli import speech
from sim.cli.main import commands
from sim.results.manifest import Facts
from sim.results.tables import TABLES
from sim.scenario.errors import documented
from sim.scenario.load import shipped
from sim.scenario.schema import Scenario
from sim.scenario.section import Section
from sim.vocabulary.words import words
from tests.command import trialsim

SIM = Path(__file__).parent.parent / "sim"
TABLE = {
    text: said
    for part in tomllib.loads((SIM / "templates" / "messages.zh.toml").read_text("utf-8")).values()
    for text, said in part.items()
}
NAMES = {
    *(
        "trialsim",
        "pyodide",
        "Excel",
        "JSON",
        "PNG",
        "Dask",
        "Morris",
        "Sobol",
        "YAML",
        "UTF",
        "MB",
        "API",
    ),
    *("XlsxWriter", "SALib", "CRC", "COVID", "MSC", "IL", "SLEDAI", "UPCR", "NCT", "CONSORT", "kg"),
    *("mRNA", "CN", "GB", "ENG", "HK", "low", "high", "auto", "lhs", "OO", "PYTHONOPTIMIZE", "ISO"),
    *("morris", "sobol", "tcp", "excel", "cluster", "sensitivity", "mon", "fri", "none", "true"),
    *(
        "false",
        "null",
        "always",
        "unlimited",
        "weekly",
        "value",
        "mode",
        "IU",
        "drug",
        "family",
        "id",
        "arm",
        "openpyxl",
    ),
    *(
        "referred",
        "consented",
        "randomised",
        "CSV",
        "GB18030",
        "SHA",
        "Python",
        "hUC",
        "SLE",
        "ACR",
    ),
}
"""Names of products, formats and places, and words that are typed into a scenario."""


assert issubclass(Scenario, Section)  # whose parts are all sections there are,
assert issubclass(Facts, Section)  # but those of a manifest


def _sections(section: type[Section]) -> Iterator[type[Section]]:
    yield section
    for each in section.__subclasses__():
        yield from _sections(each)


KEYS = {
    word
    for section in _sections(Section)
    for name, field in section.model_fields.items()
    for word in (name.rstrip("_"), field.alias)
    if word
}
TYPED = re.compile(
    r"--?[\w-]+(?:=\S+)?|[\w./\\-]*[./][\w./*-]+|\w*_\w+|'[^']*'|`[^`]*`|\{[^}]*\}|\[[\w|, ]*\]"
    r"|[\w-]+:(?=\s)|x>=\d"
)
"""Flags, paths, names of two words, and what stands in quotes or brackets."""


def english(text: str, *known: str) -> set[str]:
    """The English words of a text that are neither typed nor a name."""
    words = re.findall(r"[A-Za-z]{2,}", TYPED.sub(" ", text))
    return {each for each in words if each not in NAMES | KEYS | {*known, *commands.commands}}


@pytest.fixture(autouse=True)
def _chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    yield
    speech.speak(["--lang", "en"])


def _without_examples(text: str) -> str:
    text, _, examples = text.partition("示例：")
    meanings = (re.split(r"\S {2,}", line)[1:] for line in examples.split("\n"))
    return text + "\n".join(part for parts in meanings for part in parts)


@pytest.mark.parametrize("command", ["", *commands.commands])
def test_help_is_chinese(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert trialsim(*command.split(), "--help") == 0

    said = capsys.readouterr().out
    assert "用法：" in said
    assert not english(_without_examples(said), *commands.commands)


def _parts(node: ast.Constant | ast.JoinedStr, module: ModuleType) -> str:
    """A text of the source with its blanks filled by what may be a name and a figure."""
    said = ""
    for part in node.values if isinstance(node, ast.JoinedStr) else [node]:
        if isinstance(part, ast.Constant):
            said += str(part.value)
        elif ast.unparse(part.value).isupper():  # type: ignore[attr-defined]
            said += str(getattr(module, ast.unparse(part.value), "1"))  # type: ignore[attr-defined]
        elif not said[-1:].isalpha():  # otherwise it is the end of a plural
            said += "1"
    return re.sub("^1: ", "a/b: ", said)


RAISES = {
    *("Fault", "refusal", "Problem", "UsageError", "NotOpened", "BadParameter", "FolderRefused"),
    *("NoCluster", "NoSalib", "ValueError", "UnreadableFile", "SomeFailed", "refuse", "_refused"),
    *("say", "Question", "option"),
}


def _messages() -> Iterator[tuple[str, str]]:
    """Every text that the source says to people, by a call or by way of a name, with its place."""
    for path in sorted(SIM.rglob("*.py")):
        module = import_module(".".join(path.relative_to(SIM.parent).with_suffix("").parts))
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for each in _said_by(node):
                if isinstance(each, ast.Constant | ast.JoinedStr):
                    yield f"{path.name}:{each.lineno}", _parts(each, module)


def _said_by(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return [node.value] if node.targets[0].id in {"what", "allowed", "message"} else []
    if not isinstance(node, ast.Call):
        return []
    called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    return [*node.args, *(each.value for each in node.keywords)] if called in RAISES else []


INTERNAL = re.compile(r"clock.py|designs.py|sensitivity.py|measures.py|fold.py|words.py|charts.py")
"""Where what is said is said to whoever programs."""


def test_every_message_of_the_source_is_known() -> None:
    speech.speak(["--lang", "zh"])
    unknown = {}
    for place, text in _messages():
        if " " in text.strip() and not INTERNAL.match(place):
            unknown[place, text] = english(speech.translated(text))

    assert len(unknown) > 400
    assert not {text: left for text, left in unknown.items() if left}


def test_a_line_of_the_table_keeps_its_blanks() -> None:
    for text, said in TABLE.items():
        names = [{part[1] for part in Formatter().parse(each)} - {None} for each in (text, said)]
        assert names[1] <= names[0], text
        assert text not in KEYS, text  # which stay as they are typed
        assert not english(re.sub(r"\{\w+(:\w)?\}", " ", said)), text


def test_words_that_trial_staff_do_not_use_are_gone() -> None:
    written = "".join(path.read_text("utf-8") for path in (SIM / "templates").glob("*.zh.toml"))
    unused = "候选患者 到来速度 无人被随机化 运气 文书 缺失 未到时间 人员不在 场所 势头 登记表 求证"
    unused += " 龙卷风分析 扫描分析 到访 未放行 病历审查 最晚安全日期 日志 公共假日"
    assert [each for each in unused.split() if each in written] == []
    assert not re.search("(?<!临床研究)协调员", written)


def test_every_sheet_and_every_column_has_a_chinese_heading() -> None:
    chinese = words("zh")
    for key, names in {
        "workbook.sheets": [name.partition(".")[0] for name in TABLES],
        "workbook.headings": [column for table in TABLES.values() for column in table.columns],
    }.items():
        known = {each.partition(" ")[0] for each in chinese.lists[key]}
        lacking = {name for name in names if name not in known and chinese.title(name).isascii()}
        assert not lacking, key


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "rnu",
        "run",
        "run nowhere",
        "run nowhere.yaml",
        "run baseline --nothing",
        "run baseline --replications x",
        "run baseline --seed -1",
        "run baseline --jobs",
        "run baseline --uncertain some",
        "run baseline --set design.trial.target=x",
        "run baseline --set design.trial.taget=4",
        "run baseline --set design.trial=4 --set x",
        "run baseline --set design.staff.nurse.hours={mon:9}",
        "run baseline --set design.trial.closes=2020-01-01",
        "run baseline --set assumptions.recruitment.consent=2",
        "run baseline --set design.arms.two={product:nothing}",
        "run baseline --set design.trial.target=\uff14",
        "sweep baseline",
        "sweep baseline --vary x",
        "sweep baseline --tornado --on nothing",
        "sweep baseline --tornado --points 3",
        "solve baseline",
        "solve baseline --move x --until forty_randomised",
        "solve baseline --move design.trial.opens --until nothing",
        "compare baseline",
        "compare baseline baseline",
        "report",
        "report nowhere",
        "trace baseline --replication 1 --calendar x.html",
        "new mine.yaml --arms a,a",
        "new mine.yaml --visits sometimes",
        "new mine.yaml --country XX",
        "new mine.yaml --target many",
    ],
)
def test_an_error_is_chinese(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = trialsim(*typed.split())

    captured = capsys.readouterr()
    assert code in {2, 3}
    said = captured.err.replace("nothing", "")
    assert re.search("[\u4e00-\u9fff]", said)
    assert not english(_without_examples(said), *typed.split(), *commands.commands)


def test_what_a_missing_key_means_is_said_in_chinese() -> None:
    speech.speak(["--lang", "zh"])
    left = {}
    for section in _sections(Section):
        meanings = documented(section)
        for name, field in section.model_fields.items():
            if field.is_required():
                key = field.alias or name
                said = speech.translated(f"{key} is missing; allowed: {meanings[key]}")
                left[section.__name__, key] = english(said)

    assert len(left) > 60
    assert not {key: words for key, words in left.items() if words}


def test_files_that_are_no_yaml_are_told_of_in_chinese(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in ("a: b: c", "a: [1, 2", "a: {b: 1", "- a\nb: 1", "", "words", "a: 'x", "a: @x"):
        (tmp_path / "mine.yaml").write_text(text, "utf-8")
        assert trialsim("check", "mine.yaml") == 3
        said = capsys.readouterr().err
        assert not english(said), text


SHORT = "--replications 3 --jobs 1"
RATE = "assumptions.recruitment.candidates_per_month"


@pytest.fixture
def _mine(tmp_path: Path) -> None:
    """A scenario as it is first written, another that extends it, and a log."""
    assert trialsim("new", "mine.yaml", "--target", "12") == 0
    other = "extends: mine.yaml\nscenario: 乙\ntitle: 另一个\ndesign: {trial: {target: 6}}\n"
    (tmp_path / "乙.yaml").write_text(other, "utf-8")
    (tmp_path / "log.csv").write_text("id,consented,note\n1,2027-03-02,x\n", "utf-8")


@pytest.mark.usefixtures("_mine", "blank_pages")
@pytest.mark.parametrize(
    "typed",
    [
        "check mine.yaml",
        "check mine.yaml --set design.trial.target=400",
        "check mine.yaml --register",
        "run mine.yaml",
        "run mine.yaml --dry-run",
        "forecast mine.yaml --observed log.csv --as-of 2027-06-01",
        "compare mine.yaml 乙.yaml",
        f"sweep mine.yaml --vary {RATE}=10,20",
        "sweep mine.yaml --tornado",
        f"solve mine.yaml --move {RATE} --between 2:40 --until all_randomised",
        "calendar mine.yaml --arm drug --randomised 2027-04-01",
        "trace mine.yaml --replication 1",
        "trace mine.yaml --replication 1 --participant 0 --calendar one.html",
        "trace baseline --replication 1",
    ],
)
def test_results_are_chinese(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    is_short = typed.split(maxsplit=1)[0] in {"check", "calendar", "trace"}
    assert trialsim(*typed.split(), *([] if is_short else SHORT.split())) == 0

    captured = capsys.readouterr()
    assert not english(captured.out + captured.err, "mine", "note"), captured


CITED = {
    *("IPCC", "JavaScript", "SVG", "Shift", "STRESS", "DES", "Monks", "Journal", "Simulation"),
    *("Barlow", "Clopper", "Pearson", "Wilson", "Student", "Philox", "Salmon", "Pocock", "Simon"),
    *("SimPy", "holidays", "numpy", "pandas", "pydantic", "python", "scipy", "simpy"),
}
"""Who and what a page cites: authors, libraries, and keys of a keyboard."""


@pytest.mark.slow
@pytest.mark.usefixtures("_mine")
def test_a_page_is_chinese() -> None:
    assert trialsim("run", "mine.yaml", "--out", "one", *SHORT.split()) == 0

    page = Path("one/report.html").read_text("utf-8")
    page = re.sub(r"<(script|style|pre|code)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    text = re.sub(r"\b[0-9a-f]{12,}\b", "", unescape(page))  # digests
    assert not english(text, "mine", "all", *CITED)


@pytest.mark.usefixtures("_mine", "blank_pages")
def test_the_list_is_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    assert trialsim("run", "mine.yaml", *SHORT.split()) == 0
    capsys.readouterr()
    assert trialsim("list") == 0

    said = capsys.readouterr().out
    assert not english(said, "mine", *(path.stem for path in shipped().glob("*.yaml")))


@pytest.mark.usefixtures("blank_pages")
@pytest.mark.parametrize("scenario", ["baseline", "behavioural"])
def test_a_workbook_is_chinese(scenario: str) -> None:
    how = ("--keep", "1", "--excel", "--out", "one", *SHORT.split())
    assert trialsim("run", scenario, *how) == 0

    book = load_workbook("one/tables.xlsx", read_only=True)
    assert not english(" ".join(book.sheetnames))
    for sheet in book.worksheets[1:]:
        cells = {cell for row in sheet.values for cell in row if isinstance(cell, str)}
        left = {cell for cell in cells if english(cell)}
        assert not left, sheet.title


def test_the_flag_goes_before_the_locale(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for locale, flag, said in [
        ("zh_CN.UTF-8", [], "用法"),
        ("zh_CN.UTF-8", ["--lang", "en"], "Usage"),
        ("C.UTF-8", ["--lang=zh"], "用法"),
        ("C.UTF-8", [], "Usage"),
        ("de_DE.UTF-8", [], "Usage"),
    ]:
        monkeypatch.setenv("LC_ALL", locale)
        assert trialsim("run", "--help", *flag) == 0
        assert said in capsys.readouterr().out
