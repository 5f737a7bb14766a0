"""The signs of a Chinese keyboard in a scenario: named where YAML wants others, kept in texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.scenario.load import ScenarioError, load

SMALL = (Path(__file__).parent / "small.yaml").read_text("utf-8")


def _said(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    with pytest.raises(ScenarioError) as refused:
        load(path)
    return str(refused.value)


SIGNS = [
    ("scenario: small", "scenario：small", "the full-width sign ：; allowed: ':' and a space"),
    ("target: 4}", "target：4}", "the full-width sign ：; allowed: ':' and a space"),
    ("trial: {", "trial：{", "the full-width sign ：; allowed: ':' and a space"),
    (", recruits_until", "，recruits_until", "the full-width sign ，; allowed: ',' and a space"),
    ("tue, wed", "tue、wed", "the full-width sign 、; allowed: ',' and a space"),
    ("tue, wed", "tue；wed", "the full-width sign ；; allowed: ',' and a space"),
    ("block_sizes: [2]", "block_sizes: ［2］", "the full-width sign ［; allowed: '['"),
    ("block_sizes: [2]", "block_sizes: 【2】", "the full-width sign 【; allowed: '['"),
    ("block_sizes: [2]", "block_sizes: （2）", "the full-width sign （; allowed: '['"),
    ("{nurse: {people", "｛nurse: {people", "the full-width sign ｛; allowed: '{'"),
    ("target: 4}", "target: ４}", "the full-width sign ４; allowed: '4'"),
    ("target: 4}", 'target: "４"}', "the full-width sign ４; allowed: '4'"),
    ("sd: 12", "sd: 1．2", "the full-width sign ．; allowed: '.'"),
    ("day: 15", "day: －15", "the full-width sign －; allowed: '-'"),
    ("2023-03-01", "2023—03—01", "the full-width sign —; allowed: '-'"),
    ("share: 0.1", "share: 10％", "the full-width sign ％; allowed: a share, such as 0.1"),
    ("age: {at", "“age”: {at", "the quotation mark “; allowed: '\"'"),
    ('"08:00-12:00, 13:00-17:00"', "“08:00-12:00”", "the quotation mark “; allowed: '\"'"),
    ("two visits", "“two: visits”", "the quotation mark “; allowed: '\"'"),
    ("  trial:", "\ttrial:", "a tab; allowed: spaces alone"),
    ("  places:", " \tplaces:", "a tab; allowed: spaces alone"),
    ("scenario: small", "scenario: ｓmall", "the full-width sign ｓ; allowed: 's'"),
    ("scenario: small", "scenario: small　", "the full-width sign 　; allowed: ' '"),
]


@pytest.mark.parametrize(("written", "instead", "said"), SIGNS)
def test_a_sign_is_named_with_its_place_and_what_to_write(
    tmp_path: Path, written: str, instead: str, said: str
) -> None:
    text = SMALL.replace(written, instead, 1)
    sign = next(each for each in instead if each in "\t\u3000" or not each.isascii())
    before = text[: text.index(sign)]
    place = f"{before.count(chr(10)) + 1}:{len(before.rpartition(chr(10))[2]) + 1}"

    told = _said(tmp_path / "mine.yaml", text)

    assert f"{tmp_path / 'mine.yaml'}:{place}: " in told
    assert said in told


def test_a_key_whose_colon_is_wide_is_not_told_to_be_missing(tmp_path: Path) -> None:
    text = SMALL.replace("[draw_blood]", "[draw_blood, {later： assess}]")

    told = _said(tmp_path / "mine.yaml", text)

    assert "the full-width sign ：" in told
    assert "is missing" not in told


def test_a_key_without_a_blank_behind_its_colon_is_found(tmp_path: Path) -> None:
    text = "design:\n  trial:\n    opens: 2023-03-01\n    target:40\n\n  places: {}\n"
    assert "mine.yaml:4:5: not YAML" in _said(tmp_path / "mine.yaml", text)


def test_a_short_line_is_said_again_as_it_was_meant(tmp_path: Path) -> None:
    text = SMALL.replace("candidates_per_month: 10", "candidates_per_month：１０")

    told = _said(tmp_path / "mine.yaml", text)

    assert told.endswith("did you mean recruitment: {candidates_per_month: 10}?")


def test_a_text_may_hold_any_sign_and_a_comment_too(tmp_path: Path) -> None:
    title = "“南京”：４０例（IL-2）、２组；每周—１％　【甲】"
    text = SMALL.replace("title: two visits in spring", f"title: {title} # ：，\t“”")
    (tmp_path / "mine.yaml").write_text(text, "utf-8")

    assert load(tmp_path / "mine.yaml").title == " ".join(title.split())


def test_a_sign_in_a_text_is_not_blamed_for_another_mistake(tmp_path: Path) -> None:
    text = SMALL.replace("title: two visits", "titel: 两次：访视，")
    assert "unknown key" in _said(tmp_path / "mine.yaml", text)

    text = SMALL.replace("title: two visits in spring\ndesign:", "title: 两次：访视，\ndesign")
    assert "not YAML" in _said(tmp_path / "mine.yaml", text)


def test_a_sign_in_what_a_flag_sets_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SMALL, "utf-8")
    for override, said in {
        "design.trial.target=４": "--set: design.trial.target: the full-width sign ４",
        "design.trial.target＝4": "did you mean design.trial.target=4?",
    }.items():
        with pytest.raises(ScenarioError, match=said.replace("?", r"\?")):
            load(tmp_path / "mine.yaml", [override])
