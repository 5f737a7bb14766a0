"""`trialsim calendar`: the visits of somebody randomised on a day, by the plan."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from icalendar import Calendar

from sim.report.visit_calendar import VisitCalendar
from sim.scenario.interpret import interpret
from sim.scenario.load import load, shipped
from sim.vocabulary.eventlog import VisitOutcome
from tests.command import trialsim

if TYPE_CHECKING:
    from playwright.sync_api import Page

BASELINE = shipped() / "baseline.yaml"
MONDAY = "2023-03-06"


def calendar_of(
    *overrides: str, arm: int = 1, day: str = MONDAY, lang: str = "en"
) -> VisitCalendar:
    scenario = load(BASELINE, overrides)
    protocol = interpret(scenario)
    return VisitCalendar(scenario, protocol, protocol.arms[arm], date.fromisoformat(day), lang)


@pytest.fixture(scope="module")
def injected() -> VisitCalendar:
    """That of somebody who has 21 injections."""
    return calendar_of()


def test_it_holds_every_visit_of_the_plan_on_a_day_that_the_model_allows(
    injected: VisitCalendar,
) -> None:
    held = {(visit.row, visit.number): visit for visit in injected.log.visits}
    clock, day_1 = injected.protocol.clock, date(2023, 3, 7)

    assert held.keys() == {(each.row, each.number) for each in injected.arm.visits}
    for planned in injected.arm.visits:
        visit = held[planned.row, planned.number]
        day = clock.date_of(visit.time)
        wanted = day_1 + timedelta(days=planned.days_after)
        first, last = planned.window_days
        assert clock.date_of_day(visit.planned_day) == wanted
        assert visit.is_missed or first <= (day - wanted).days <= last
        assert visit.is_missed or planned.offer.why_not(clock.day_of(day)) == ""
        if not planned.offer.why_not(clock.day_of(wanted)) and not planned.is_repeated:
            assert visit.outcome is VisitOutcome.ON_THE_DAY


def test_a_closed_day_moves_a_dose_or_misses_it_and_says_why(injected: VisitCalendar) -> None:
    saturday = next(each for each in injected.visits if each.row == "Injections 3")
    may_day = next(each for each in injected.visits if each.row == "Injections 15")

    assert saturday.day == date(2023, 3, 10)
    assert saturday.off == "planned for 11\u00a0March\u00a02023 (place closed)"
    assert saturday.dose == "1,000,000 IU of IL-2"
    assert may_day.off == "missed (public holiday)"
    assert may_day.dose == ""


def test_a_dose_by_weight_is_said_for_each_kilogram() -> None:
    infusion = calendar_of(arm=0).visits[0]

    assert infusion.dose == "2,000,000 cells per kg of hUC-MSC"
    assert infusion.tasks == "prepare cells, infuse, observe"


def test_visits_after_the_trial_closes_are_left_out_and_it_says_so() -> None:
    late = calendar_of(day="2025-10-13")

    assert max(each.day for each in late.visits) <= date(2025, 12, 31)
    assert "The trial closes on 31\u00a0December\u00a02025" in "\n".join(late.notes())


def test_the_diary_has_an_event_of_a_whole_day_for_each_visit_held(
    injected: VisitCalendar,
) -> None:
    events: list[Any] = Calendar.from_ical(injected.diary()).walk("VEVENT")
    held = [each for each in injected.visits if not each.is_missed]

    assert [each["DTSTART"].dt for each in events] == [each.day for each in held]
    assert [str(each["SUMMARY"]) for each in events] == [each.row for each in held]
    assert {each["DTEND"].dt - each["DTSTART"].dt for each in events} == {timedelta(days=1)}
    assert len({str(each["UID"]) for each in events}) == len(events)
    assert injected.diary() == calendar_of().diary()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_has_a_row_and_a_square_for_each_visit(lang: str) -> None:
    calendar = calendar_of(
        "design.schedule.week_12.title={en: Three months, zh: 三个月}", lang=lang
    )
    page = calendar.page()

    assert len(re.findall(r'<tr><th scope="row">', page)) == len(calendar.visits)
    assert len(re.findall(r'<p class="(?:kept|missed)">', page)) == len(calendar.visits)
    assert ("Three months" if lang == "en" else "三个月") in page
    assert not re.findall(r"(?:src|href)=\"(?!data:)|<script", page)
    assert lang == "en" or not re.search(r">[^<]*[a-z]+_[a-z]+[^<]*<", page)


def test_the_command_writes_a_page_and_a_diary_and_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ("calendar", str(BASELINE), "--arm", "il2", "--randomised", MONDAY)

    assert trialsim(*asked) == 0
    *_, diary, page = capsys.readouterr().out.splitlines()
    assert (diary, page) == (f"baseline-il2-{MONDAY}.ics", f"baseline-il2-{MONDAY}.html")
    written = {name: Path(name).read_bytes() for name in (diary, page)}
    assert trialsim(*asked) == 2
    assert "is there already; say another --out" in capsys.readouterr().err
    assert {name: Path(name).read_bytes() for name in (diary, page)} == written


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_everyone_can_read_the_page_on_any_screen_and_on_paper(
    page: Page, lang: str, tmp_path: Path
) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  needs playwright

    (tmp_path / "a.html").write_text(calendar_of(lang=lang).page(), encoding="utf-8")
    page.goto(f"file://{tmp_path}/a.html")
    found: list[str] = []
    for width, colours in ((1400, "light"), (800, "dark"), (390, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
        found += [one["id"] for one in Axe().run(page).response["violations"]]
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    assert found == []


@pytest.mark.parametrize(
    ("arm", "day", "said"),
    [
        ("il3", MONDAY, "no arm is called il3; allowed: msc, il2; did you mean il2?"),
        ("il2", "2021-03-05", "no day of recruitment; allowed: 2022-10-01 to 2025-12-31"),
        (
            "il2",
            "2023-03-05",
            "on Sunday 2023-03-05 (no staff); allowed: Thursday 2023-03-02 or Monday 2023-03-06",
        ),
        ("il2", "2023-13-05", "does not match the format"),
    ],
)
def test_what_cannot_be_is_refused(
    arm: str, day: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--arm", arm, "--randomised", day, "--out", str(tmp_path / "a.html"))

    assert trialsim("calendar", str(BASELINE), *asked) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())
