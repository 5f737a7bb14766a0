"""The log of a trial that runs: what is read of it, and what is refused, at which cell."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from sim.model.run import run
from sim.scenario.enrolment_log import EnrolmentLog, LoggedPerson, read_log
from sim.scenario.interpret import interpret
from sim.scenario.load import Scenario, ScenarioError, UnreadableFile, load, shipped
from sim.scenario.sheet import day_of
from tests.enrolment import AS_OF, LOG, baseline_log, written

BASELINE = load(shipped() / "baseline.yaml")
MOST_OFTEN = {"id": "S1", "referred": "2023-03-01", "consented": "2023-03-07"}
PARTICIPANT = MOST_OFTEN | {"randomised": "2023-03-20", "arm": "msc", "first_dose": "2023-03-29"}

bounded = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def changed(*overrides: str, scenario: str = "baseline") -> Scenario:
    return load(shipped() / f"{scenario}.yaml", overrides)


def text_of(*rows: Mapping[str, str], separator: str = ",") -> str:
    heads = list(dict.fromkeys(head for row in rows for head in row))
    text = StringIO()
    table = csv.DictWriter(text, heads, delimiter=separator, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def log_of(
    folder: Path, text: str | bytes, scenario: Scenario = BASELINE, as_of: date = AS_OF
) -> EnrolmentLog:
    path = folder / "log.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_log(path, scenario, as_of)


def problems_in(
    folder: Path, text: str | bytes, scenario: Scenario = BASELINE, as_of: date = AS_OF
) -> list[str]:
    with pytest.raises(ScenarioError) as refused:
        log_of(folder, text, scenario, as_of)
    return [str(problem).removeprefix(f"{folder}/log.csv:") for problem in refused.value.problems]


def problem_with(folder: Path, *rows: Mapping[str, str], scenario: Scenario = BASELINE) -> str:
    problems = problems_in(folder, text_of(*rows), scenario)

    assert len(problems) == 1, problems
    return problems[0]


# What a simulated trial would have written


STRATA = "design.randomisation={block_sizes: [2, 4], strata: [pregnant, {age: [30]}]}"
TURNS_AWAY = ["design.trial.when_full=turn_away", "design.trial.target=12", "go_no_go=null"]
AGAIN = "assumptions.screening.rescreens={of: [proteinuria_over_1], share: 0.9, after_days: 30}"
OTHERS = [STRATA, *TURNS_AWAY, "targets={}", AGAIN]


@pytest.mark.parametrize(
    ("name", "overrides"),
    [("baseline", []), ("baseline", OTHERS), ("placebo_run_in", []), ("titration", [])],
)
@pytest.mark.parametrize("share", [0.2, 0.6, 1])
def test_what_a_run_would_have_written_is_read_without_complaint(
    tmp_path: Path, name: str, overrides: list[str], share: float
) -> None:
    scenario = changed(*overrides, scenario=name)
    protocol, trial = interpret(scenario), scenario.design.trial
    kept = run(protocol, seed=1, replication=1)
    as_of = trial.opens + share * (trial.closes - trial.opens)

    later = log_of(tmp_path, written(protocol, kept, trial.closes), scenario, as_of)
    log = log_of(tmp_path, written(protocol, kept, as_of), scenario, as_of)

    def certain(log: EnrolmentLog) -> list[LoggedPerson]:
        return [each._replace(id="", doses=None, last_visit=None) for each in log.people]

    assert (log.level, log.unused) == ("full", ())
    assert log.people
    assert certain(later) == certain(log)  # the last visit and the doses are those of the last day


def test_the_log_that_comes_with_the_baseline_is_the_one_written() -> None:
    log = read_log(LOG, BASELINE, AS_OF)

    assert LOG.read_text(encoding="utf-8") == baseline_log()
    assert LOG.read_text(encoding="utf-8").startswith("made up")
    assert (log.level, log.unused, log.encoding) == ("full", (), "utf-8")
    assert sum(person.randomised is not None for person in log.people) == 16


# Up to a day


def test_cells_of_later_days_are_not_read(tmp_path: Path) -> None:
    rows = [
        PARTICIPANT | {"left": "2024-03-02", "left_reason": "death", "doses": "1"},
        MOST_OFTEN | {"id": "S2", "randomised": "2024-03-05", "arm": "lost", "doses": "0"},
        {"id": "S3", "referred": "2024-04-01"},
    ]

    first, *others = log_of(tmp_path, text_of(*rows), as_of=date(2023, 4, 1)).people

    assert (first.arm, first.left, first.left_reason, first.doses) == ("msc", None, "", None)
    assert [(each.id, each.randomised, each.arm) for each in others] == [("S2", None, "")]


def test_doses_are_those_of_the_day_the_log_was_last_written(tmp_path: Path) -> None:
    over = PARTICIPANT | {"completed": "2023-09-01", "doses": "1"}
    inside = PARTICIPANT | {"id": "S2", "doses": "1"}
    later = {"id": "S3", "referred": "2024-04-01"}

    def doses(*rows: Mapping[str, str]) -> list[int | None]:
        return [person.doses for person in log_of(tmp_path, text_of(*rows)).people]

    assert doses(over, inside) == [1, 1]
    assert doses(over, inside, later) == [1, None]


@pytest.mark.parametrize(
    ("heads", "level"),
    [
        ("referred,consented,randomised", "full"),
        ("consented,randomised", "consent"),
        ("randomised", "dates"),
    ],
)
def test_the_level_is_what_the_log_keeps(tmp_path: Path, heads: str, level: str) -> None:
    dates = ",".join(["2023-03-20"] * len(heads.split(",")))

    assert log_of(tmp_path, f"{heads},\n{dates},\n").level == level
    assert log_of(tmp_path, f"{heads}\n").level == level


def test_a_column_that_nobody_fills_is_not_kept(tmp_path: Path) -> None:
    assert log_of(tmp_path, "referred,consented,randomised\n,-,2023-03-20\n").level == "dates"


def test_numbered_rows_that_wait_to_be_filled_are_nobody(tmp_path: Path) -> None:
    text = text_of(PARTICIPANT, {"id": "S2"}, {"id": "S3"}) + ",,,,,\n\n"

    assert [person.id for person in log_of(tmp_path, text).people] == ["S1"]


# How it is written


DAY = date(2023, 3, 1)


@pytest.mark.parametrize(
    "text",
    [
        *("2023-03-01", "2023/3/1", "2023.3.1", "2023年3月1日", "２０２３年３月１日"),
        *("01-Mar-2023", "1 March 2023", "1-MAR-2023", "44986", "44986.0"),
        *("2023-03-01 09:30", "2023-03-01T09:30:00"),
    ],
)
def test_a_day_is_read_in_each_way_that_says_one(text: str) -> None:
    assert day_of(text) == DAY


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("03/04/2023", "which is the day and which the month"),
        ("24/02/2023", "which is the day and which the month"),
        ("3-4-23", "which is the day and which the month"),
        ("2023-02-30", "no date of the calendar"),
        ("2023年13月1日", "no date of the calendar"),
        ("31-Feb-2023", "no date of the calendar"),
        ("UN-Feb-2023", "not a date"),
        ("1-Ma-2023", "not a date"),
        ("1-Foo-2023", "not a date"),
        ("2023", "not a date"),
        ("yesterday", "not a date"),
    ],
)
def test_what_says_no_day_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        day_of(text)


CHINESE = """受试者筛选入选表
筛选号,姓名缩写,预筛日期,签署知情同意书日期（年月日）,随机化日期,组别,结束日期,结束原因
S1,ZW,2023年3月1日,2023年3月7日,2023/3/20,干细胞组,2023年9月1日,完成试验
S2,WL,2023年3月2日,2023年3月8日,2023/3/21,il2,2023年5月1日,失访
S3,QX,2023年3月3日,2023年3月9日,,,2023年3月12日,蛋白尿大于１
S4,LM,2023年3月4日,,,,2023年3月10日,拒绝参加
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_chinese_log_is_read_with_its_one_day_of_the_end(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    text = CHINESE.replace(",", separator).replace("\n", "\r\n")
    log = log_of(tmp_path, text.encode(encoding))

    one, two, three, four = sorted(log.people, key=lambda person: person.id)
    assert (one.arm, one.completed, one.left) == ("msc", date(2023, 9, 1), None)
    assert (two.arm, two.left, two.left_reason) == ("il2", date(2023, 5, 1), "lost_to_follow_up")
    assert (three.ended_screening, three.reason) == (date(2023, 3, 12), "proteinuria_over_1")
    assert (four.consented, four.reason) == (None, "consent")
    assert log.unused == ("姓名缩写",)
    assert log.encoding == ("gb18030" if encoding.startswith("gb") else "utf-8")


def test_four_faults_of_a_chinese_log_are_told_at_once_with_their_cells(tmp_path: Path) -> None:
    text = (
        "筛选号,预筛日期,知情同意日期,筛败日期,筛败原因\n"
        "S1,2023-02-30,2023-03-07,2023-03-09,未妊娠\n"
        "S2,2023-03-02,2023-03-01,2023-03-12,蛋白尿大于1\n"
        "S3,2023-03-03,2023-03-08,2023-03-12,尿蛋白不足\n"
        "S1,2023-03-04,2023-03-09,2023-03-12,pregnant\n"
    )

    problems = problems_in(tmp_path, text.encode("gbk"))

    assert problems[0].startswith("2:2: 预筛日期: 2023-02-30 is no date of the calendar; allowed: ")
    assert problems[2].startswith("3:3: 知情同意日期: 2023-03-01 is before referred, 2023-03-02")
    assert problems[3].startswith("4:5: 筛败原因: 尿蛋白不足 is not known here; allowed: sle_acr")
    assert problems[4].startswith("5:1: 筛选号: S1 stands on line 2 too; allowed: each id once")
    assert problems[5].startswith("5:5: 筛败原因: pregnant is not known here")
    assert problems[5].endswith("did you mean not_pregnant?")


def test_a_reason_in_words_of_its_own_is_mapped_in_the_scenario(tmp_path: Path) -> None:
    rows = [
        MOST_OFTEN | {"ended_screening": "2023-03-12", "reason": "尿蛋白不足"},
        PARTICIPANT | {"id": "S2", "left": "2023-05-01", "left_reason": "moved to 上海"},
    ]
    scenario = changed(
        "observed={reasons: {尿蛋白不足: proteinuria_over_1, moved to 上海: lost_to_follow_up}}"
    )

    people = log_of(tmp_path, text_of(*rows), scenario).people

    assert sorted(person.reason for person in people) == ["", "proteinuria_over_1"]
    assert sorted(person.left_reason for person in people) == ["", "lost_to_follow_up"]


def test_a_title_is_read_as_its_name_unless_it_is_that_of_two(tmp_path: Path) -> None:
    titles = [
        f"design.eligibility.{name}.title=bad blood"
        for name in ("not_pregnant", "age_over_18_to_65")
    ]
    row = MOST_OFTEN | {"ended_screening": "2023-03-12", "reason": "Bad  Blood"}

    (person,) = log_of(tmp_path, text_of(row), changed(titles[0])).people

    assert person.reason == "not_pregnant"
    assert "Bad Blood is not known here" in problem_with(tmp_path, row, scenario=changed(*titles))


def test_without_openpyxl_a_workbook_is_to_be_saved_as_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (tmp_path / "log.xlsx").write_bytes(b"PK\x03\x04")

    with pytest.raises(UnreadableFile, match=r"install trialsim\[excel\], or save the file as CSV"):
        read_log(tmp_path / "log.xlsx", BASELINE, AS_OF)


def test_a_workbook_is_read_as_the_same_log_in_csv(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["Screening and enrolment log"])
    sheet.append(["Screening No.", "Initials", "referred", "consented", "randomized", "Group"])
    sheet.append([1, "ZW", datetime(2023, 3, 1), 44992, datetime(2023, 3, 20, 9), "hUC-MSC"])  # noqa: DTZ001
    sheet["F3"] = "msc"
    sheet["A900"] = 2
    sheet["C900"] = "2023年3月2日"
    book.create_sheet("more").append(["nothing"])
    path = tmp_path / "log.xlsx"
    book.save(path)
    text = "id,x,referred,consented,randomised,arm\n1,ZW,2023-03-01,2023-03-07,2023-03-20,msc\n"

    log = read_log(path, BASELINE, date(2023, 4, 1))

    assert log.people == log_of(tmp_path, f"{text}2,,2023-03-02\n", as_of=date(2023, 4, 1)).people
    assert (log.encoding, log.unused) == ("xlsx", ("Initials",))


# Strata


STRATIFIED = changed(
    "design.randomisation.strata=[pregnant, {age: [40, 60]}]", "design.randomisation.method=simple"
)


@pytest.mark.parametrize(
    ("pregnant", "age", "levels"),
    [
        ("yes", "39.5", ("pregnant", "age < 40")),
        ("否", "40", ("not pregnant", "40 <= age < 60")),
        ("Not Pregnant", "age >= 60", ("not pregnant", "age >= 60")),
    ],
)
def test_the_levels_of_strata_are_read_as_the_scenario_names_them(
    tmp_path: Path, pregnant: str, age: str, levels: tuple[str, ...]
) -> None:
    row = PARTICIPANT | {"妊娠": pregnant, "Age": age}

    (person,) = log_of(tmp_path, text_of(row), STRATIFIED).people

    assert tuple(person.strata.items()) == tuple(zip(("pregnant", "age"), levels, strict=True))


def test_a_level_is_one_of_the_scenario_and_said_of_everybody_or_nobody(tmp_path: Path) -> None:
    rows = [PARTICIPANT | {"age": "old"}, PARTICIPANT | {"id": "S2", "age": ""}]

    assert problems_in(tmp_path, text_of(*rows), STRATIFIED) == [
        "2:7: age: old is no level of age; allowed: age < 40, 40 <= age < 60, age >= 60",
        "3:4: randomised: nothing says age; allowed: age for everybody, or for nobody",
    ]


# Contradictions


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({"referred": "2022-09-30"}, "2:2: referred: 2022-09-30 is before the trial opens"),
        ({"screened": "2023-03-21"}, "2:4: randomised: 2023-03-20 is before screened, 2023-03-21"),
        ({"first_dose": "2023-03-19"}, "2:6: first_dose: 2023-03-19 is before randomised"),
        ({"consented": ""}, "2:4: randomised: 2023-03-20, and no day of consented"),
        ({"referred": ""}, "consented: 2023-03-07, and no day of referred"),
        ({"arm": "placebo"}, "arm: placebo is not known here; allowed: msc, il2"),
        ({"arm": ""}, "nothing says arm; allowed: arm for everybody, or for nobody"),
        ({"randomised": ""}, "nothing says on which day; allowed: a date in randomised"),
        ({"doses": "2"}, "2 doses are more than msc has; allowed: at most 1"),
        ({"doses": "many"}, "many is not a number of doses; allowed: a whole number"),
        ({"left": "2023-05-01", "completed": "2023-06-01"}, "left has a day too"),
        ({"left_reason": "death"}, "nothing says on which day; allowed: a date in left"),
        ({"left": "2023-05-01", "left_reason": "deth"}, "did you mean death?"),
        ({"ended_screening": "2023-03-21"}, "nothing says why"),
        ({"completed": "2023-06-01", "last_visit": "2023-06-02"}, "is before last_visit"),
    ],
)
def test_what_cannot_be_is_told_at_its_cell(
    tmp_path: Path, more: dict[str, str], wrong: str
) -> None:
    other = PARTICIPANT | {"id": "S2", "arm": "il2", "doses": ""}

    problems = problems_in(tmp_path, text_of(PARTICIPANT | more, other))

    assert any(wrong in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ({"reason": "death"}, "death is not known here"),
        ({"reason": "withdrawal", "consented": ""}, "and no day of consented"),
        ({"reason": "consent"}, "consented and declined"),
        ({"reason": "not_pregnant", "left_reason": "death"}, "and they were never randomised"),
        ({"reason": ""}, "ended_screening: nothing says why; allowed: a reason: consent"),
    ],
)
def test_why_screening_ended_has_to_fit(tmp_path: Path, row: dict[str, str], wrong: str) -> None:
    ended = MOST_OFTEN | {"ended_screening": "2023-03-12"} | row

    problems = problems_in(tmp_path, text_of(ended, PARTICIPANT | {"id": "S2"}))

    assert any(wrong in problem for problem in problems), problems


def test_a_reason_of_screening_is_no_reason_to_leave(tmp_path: Path) -> None:
    """With one day of the end for everybody it would otherwise count as completion."""
    rows = PARTICIPANT | {"结束日期": "2023-06-01", "筛败原因": "不同意参加"}

    assert "不同意参加 is why screening ended, and they were randomised" in problem_with(
        tmp_path, rows
    )


def in_arms(arms: Iterable[str], days: Iterable[int]) -> list[dict[str, str]]:
    return [
        {"id": f"S{n}", "randomised": f"2023-03-{day:02}", "arm": arm}
        for n, (arm, day) in enumerate(zip(arms, days, strict=True))
    ]


@pytest.mark.parametrize(
    ("arms", "days", "sizes", "place"),
    [
        ("mmii imim", range(1, 9), "[4]", ""),
        ("mmm", range(1, 4), "[4]", "4:3"),
        ("mmii iii", range(1, 8), "[4]", "8:3"),
        ("mmm", range(1, 4), "[4, 6]", ""),
        ("mmmi iiim", range(1, 9), "[4, 6]", ""),
        ("mmmm", range(1, 5), "[4, 6]", "5:3"),
        ("mimm m", [1, 1, 1, 2, 2], "[2]", "5:3"),
        ("mmi i", [1, 1, 1, 2], "[2]", ""),  # on one day in any order
    ],
)
def test_the_arms_are_those_of_blocks(
    tmp_path: Path, arms: str, days: Iterable[int], sizes: str, place: str
) -> None:
    names = [{"m": "msc", "i": "il2"}[each] for each in arms.replace(" ", "")]
    text, scenario = (
        text_of(*in_arms(names, days)),
        changed(f"design.randomisation.block_sizes={sizes}"),
    )
    if place:
        (problem,) = problems_in(tmp_path, text, scenario)
        assert problem.startswith(f"{place}: arm: ")
        assert "cannot be next in any block" in problem
        assert "1 msc, 1 il2" in problem
    else:
        assert len(log_of(tmp_path, text, scenario).people) == len(names)


def test_each_stratum_has_blocks_of_its_own(tmp_path: Path) -> None:
    scenario = changed("design.randomisation.strata=[pregnant]")
    rows = in_arms(["msc"] * 4, range(1, 5))
    mixed = [row | {"pregnant": "yes" if n % 2 else "no"} for n, row in enumerate(rows)]

    assert len(log_of(tmp_path, text_of(*mixed), scenario).people) == 4
    alike = [row | {"pregnant": "no"} for row in rows]
    assert problems_in(tmp_path, text_of(*alike), scenario)[0].startswith("4:3: arm: msc cannot")
    assert len(log_of(tmp_path, text_of(*rows), scenario).people) == 4  # of strata nothing is said


def test_an_arm_of_ratio_0_is_given_to_nobody(tmp_path: Path) -> None:
    scenario = changed("design.randomisation={method: simple, ratio: {msc: 0, il2: 1}}")

    assert "msc has the ratio 0" in problem_with(tmp_path, PARTICIPANT, scenario=scenario)


def test_a_trial_that_turns_away_has_not_more_than_its_target(tmp_path: Path) -> None:
    rows = in_arms(["msc", "il2", "il2"], [1, 2, 3])
    full, on = (
        changed(
            "design.trial.target=2", "go_no_go=null", "targets={}", f"design.trial.when_full={way}"
        )
        for way in ("turn_away", "finish_screening")
    )

    assert problem_with(tmp_path, *rows, scenario=full).startswith("4:2: randomised: 3 are")
    assert len(log_of(tmp_path, text_of(*rows), on).people) == 3


def test_who_is_still_in_screening_after_months_has_an_end(tmp_path: Path) -> None:
    now, forgotten = {"referred": "2024-01-05", "consented": "2024-02-01"}, MOST_OFTEN

    assert len(log_of(tmp_path, text_of(now)).people) == 1
    problem = problem_with(tmp_path, forgotten, now)
    assert problem.startswith("2:3: consented: still in screening after 360 days; did it end?")
    assert "still in screening" in problem_with(tmp_path, {"id": "S1", "referred": "2023-03-01"})


# What cannot be read


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        (b"", "no row heads its columns with anything that is known"),
        (b"a,b\n1,2\n", "no row heads its columns with anything that is known"),
        (b"id,approached\nS1,2023-03-01\n", "no column says on which day people were referred or"),
        (b"id,randomised\nS1,2023-03-01,msc\n", "msc stands in column 3 of 2"),
        (b'id,randomised\nS1,"2023-03-01\nS2,2023-03-02\n', "not CSV"),
        (b"randomised,randomisation date\n", "randomised says the same"),
        (b"\xff\xfei\x00d\x00", "the file is not text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "a workbook of an old kind"),
        (b"PK\x03\x04 and no more", "the workbook cannot be read"),
        (b"randomised\n" + b"2023-03-01\n" * 20_001, "too many rows"),
        (b"randomised\n" + b" " * 8_000_000, "the file is too large; allowed: at most 8 MB"),
        (b"randomised" + b",x" * 300 + b"\n", "200 columns"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path: Path, raw: bytes, wrong: str) -> None:
    assert any(wrong in problem for problem in problems_in(tmp_path, raw))


def test_a_workbook_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"\0" * 201_000_000)

    assert "the workbook is too large" in problems_in(tmp_path, packed.getvalue())[0]


def test_only_a_file_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "missing", ""):
        with pytest.raises(UnreadableFile):
            read_log(tmp_path / name, BASELINE, AS_OF)


TOKENS = [
    b'"',
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"2023-13-01",
    b"99999",
    b"-",
    b"age",
]
TOKENS += [b"0000-01-01", b"ended", b"x" * 140_000, "年，".encode(), b"nan"]
EDITS = st.lists(
    st.tuples(st.integers(0, 9_999), st.integers(0, 40), st.sampled_from(TOKENS)),
    min_size=1,
    max_size=6,
)


@settings(bounded, max_examples=100)
@given(EDITS)
def test_a_broken_log_is_refused_in_print_or_read(
    tmp_path: Path, edits: list[tuple[int, int, bytes]]
) -> None:
    raw = bytearray(LOG.read_bytes())
    for place, length, token in edits:
        start = place * len(raw) // 10_000
        raw[start : start + length] = token
    try:
        log_of(tmp_path, bytes(raw))
    except ScenarioError as refused:
        said = [str(problem) for problem in refused.problems]
        assert all(each.isprintable() and len(each) < 700 for each in said)


# What changes nothing


@bounded
@given(st.data())
def test_neither_the_order_of_rows_nor_of_columns_nor_others_change_anything(
    tmp_path: Path, data: st.DataObject
) -> None:
    head, *rows = [line.split(",") for line in LOG.read_text(encoding="utf-8").splitlines()[1:]]
    columns = [*zip(head, *rows, strict=True), ("Initials", *(["secret"] * len(rows)))]
    turned = [[*each] for each in zip(*data.draw(st.permutations(columns)), strict=True)]
    mixed = [turned[0], *data.draw(st.permutations(turned[1:]))]

    log = log_of(tmp_path, "\n".join(map(",".join, mixed)))

    assert log.people == read_log(LOG, BASELINE, AS_OF).people
    assert log.unused == ("Initials",)
    assert "secret" not in str(log)


def test_a_column_without_a_head_is_named_by_its_number(tmp_path: Path) -> None:
    assert log_of(tmp_path, "randomised,,x,\n2023-03-20,ZW,,\n").unused == ("column 2", "x")


def test_of_columns_that_are_not_read_nothing_is_said(tmp_path: Path) -> None:
    rows = [PARTICIPANT | {"姓名": "王芳", "Phone": "13800000000", "arm": "gold"}]

    problem = problem_with(tmp_path, *rows)

    assert "gold" in problem
    assert "王芳" not in problem
    assert "13800000000" not in problem
