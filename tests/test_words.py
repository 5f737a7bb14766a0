"""The catalogues: the same keys and blanks in every language, and how each writes its figures."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from sim.report.assumptions import entries
from sim.scenario.load import load, shipped
from sim.scenario.numbers import Number, Whole
from sim.scenario.section import walk
from sim.scenario.titles import PARTS, named_things, path_titles
from sim.vocabulary.words import ENGLISH, LANGUAGES, NO_BREAK, words

EN, ZH = words(), words("zh")
OTHERS = [language for language in LANGUAGES if language != ENGLISH]
SAME_IN_BOTH = {"format.thousands", "compare.chance", "steps.at"}
"""Texts of blanks and marks alone."""

BLANK = re.compile(r"{([\w:]+)}")
SCENARIOS = sorted(shipped().glob("*.yaml"))


@pytest.mark.parametrize("language", OTHERS)
class TestCatalogue:
    def test_no_key_is_missing_and_none_is_left_over(self, language: str) -> None:
        other = words(language)

        assert other.texts.keys() == EN.texts.keys()
        assert other.lists.keys() == EN.lists.keys()
        for key, each in EN.lists.items():  # in English a workbook has the names of the tables
            assert len(other.lists[key]) == len(each) or key.startswith("workbook."), key

    def test_every_text_has_the_same_blanks(self, language: str) -> None:
        other = words(language).texts

        assert {key: set(BLANK.findall(text)) for key, text in other.items()} == {
            key: set(BLANK.findall(text)) for key, text in EN.texts.items()
        }

    def test_every_text_is_translated(self, language: str) -> None:
        same = {key for key, text in words(language).texts.items() if text == EN.texts[key]}
        kept = {key for key, each in words(language).lists.items() if each == EN.lists[key]}

        assert same == SAME_IN_BOTH
        assert not kept


def keys_of_parts() -> Iterator[str]:
    """The keys that a path of design or assumptions may have, as the schema lists them."""
    schema = json.loads((shipped() / "scenario.schema.json").read_text(encoding="utf-8"))
    for name, section in schema["$defs"].items():
        if name not in {"Target", "GoNoGo", "Observed", "SweepPlan"}:
            yield from section.get("properties", ())


def test_every_key_of_a_path_has_a_name_and_no_other_has() -> None:
    keys, texts = {*keys_of_parts(), *PARTS}, ZH.texts

    assert {key for key in keys if not {f"key.{key}", f"name.{key}"} & texts.keys()} == set()
    assert {key for key in texts if key.startswith("key.")} <= {f"key.{key}" for key in keys}


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_what_shipped_scenarios_say_is_translated(path: Path) -> None:
    scenario = load(path)
    said = [scenario.title, scenario.design.trial.site]
    said += [arm.title for arm in scenario.design.arms.values()]
    said += [product.unit for product in scenario.design.products.values()]
    said += [entry.source for entry in entries(scenario, EN)]
    names = {scenario.scenario, *(name for things in named_things(scenario) for name in things.of)}

    assert [text for text in said if text and ZH.own(text) == text] == []
    assert {name for name in names if f"name.{name}" not in ZH.texts} == set()


class TestFigures:
    @pytest.mark.parametrize(
        ("share", "en", "zh"),
        [
            (0.0, "0 %", "0%"),
            (0.004, "< 1 %", "<1%"),
            (0.57, "57 %", "57%"),
            (0.996, "> 99 %", ">99%"),
            (1.0, "100 %", "100%"),
            (math.nan, "–", "–"),
        ],
    )
    def test_per_cent(self, share: float, en: str, zh: str) -> None:
        assert EN.percent(share).replace(NO_BREAK, " ") == en
        assert ZH.percent(share) == zh

    def test_dates(self) -> None:
        day = date(2025, 12, 31)

        assert EN.day(day).replace(NO_BREAK, " ") == "31 December 2025"
        assert ZH.day(day) == "2025年12月31日"
        assert ZH.month(day) == "2025年12月"

    def test_numbers(self) -> None:
        assert EN.number(1234.56) == "1,234.6"
        assert ZH.number(1234.56, 0) == "1,235"
        assert EN.number(math.nan) == "–"
        assert EN.plain(1_000_000) == "1,000,000"
        assert EN.plain(0.00002) == "0.00002"
        assert EN.plain(123_456) == "123,456"

    def test_lists_and_asides(self) -> None:
        assert EN.aside("a", EN.listing(["b", "c"])) == "a (b, c)"
        assert ZH.aside("甲", ZH.listing(["乙", "丙"])) == "甲（乙、丙）"


class TestNames:
    def test_a_measure_of_something_is_named_by_its_family(self) -> None:
        assert EN.title("coordinator_overtime_hours") == "coordinator overtime hours"
        assert ZH.title("coordinator_overtime_hours") == "临床研究协调员加班小时数"
        assert ZH.title("doses_missed_il2") == "漏给药次数：白介素-2"

    def test_a_name_of_nobodys_catalogue_stays_as_written(self) -> None:
        assert ZH.title("my_own_visit") == "my own visit"
        assert ZH.own("our own title") == "our own title"

    def test_a_term_keeps_its_own_capitals(self) -> None:
        assert EN.heading("huc_msc") == "hUC-MSC"
        assert EN.heading("nurse") == "Nurse"


@pytest.mark.parametrize("nothing", [-0.0, -1e-17, 0.0])
def test_nothing_has_no_sign(nothing: float) -> None:
    assert EN.percent(nothing) == f"0{NO_BREAK}%"
    assert EN.number(nothing, 2) == "0.00"
    assert EN.signed(nothing, ".2f") == "0.00"
    assert EN.plain(round(nothing, 6)) == "0"


def test_a_change_has_a_sign_and_a_true_minus() -> None:
    assert [EN.signed(each, ",.1f") for each in (1234.56, -0.25)] == ["+1,234.6", "−0.2"]


def test_a_path_is_called_by_as_few_levels_as_no_other_entry_has() -> None:
    baseline = load(shipped() / "baseline.yaml")
    english, chinese = path_titles(baseline, EN), path_titles(baseline, ZH)
    called = {
        "assumptions.recruitment.candidates_per_month": "candidates per month",
        "assumptions.patients.upcr.median": "protein-creatinine ratio · median",
        "assumptions.leaving.adverse_event.by_week": "leaving · adverse event · by week",
        "design.staff.coordinator.hours": "coordinator · hours",
        "assumptions.screening.lab_days.high": "days in the laboratory · highest",
        "design.visits.nobody_s.visit": "visits · nobody s · visit",
    }

    assert {path: english(path) for path in called} == called
    assert chinese("assumptions.attendance.assessment.missed") == "评估访视 · 漏访比例"
    whole = (tuple, Number, Whole)
    nodes = (walk(getattr(baseline, part), (part,), whole=whole) for part in PARTS)
    paths = [node.dotted for each in nodes for node in each]
    assert len({*map(english, paths)}) == len(paths)
