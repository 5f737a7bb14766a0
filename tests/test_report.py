"""The page: what it says, that it draws, and that it makes sense where there is little to say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from sim.experiments import replicate
from sim.report import assumptions, consort, pages
from sim.report.run import Run
from sim.results import folder
from sim.scenario.load import load
from sim.vocabulary.words import words

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Show = Callable[[Path], Page]

SMALL = """
scenario: small
title: A small trial
design:
  trial:
    {site: Here, opens: 2024-01-01, recruits_until: 2024-12-31, closes: 2025-03-31, target: 12}
  places: {clinic: {days: [mon, tue, wed, thu, fri]}}
  staff: {nurse: {people: 1, hours: {mon-fri: "08:00-12:00"}}}
  eligibility: {adult: {at: visit, age: {above: 18}}}
  arms: {active: {title: Active, product: drug}, control: {title: Control, product: placebo}}
  products: {drug: {dose: 1}, placebo: {dose: 1}}
  schedule:
    drug_dose: {arms: [active], at: {clinic: dose}, day: 1, window_days: [0, 7]}
    placebo_dose: {arms: [control], at: {clinic: dose}, day: 1, window_days: [0, 7]}
    month_3: {at: {clinic: assessment}, day: 85, window_days: [-7, 7]}
  visits: {dose: [give, {later: note}], assessment: [assess, {later: note}]}
  tasks: {give: [nurse], assess: [nurse], note: [nurse]}
assumptions:
  recruitment:
    candidates_per_month: {value: 1.5, range: [1, 3], evidence: expert, source: the investigator}
    rate_shape: 2
    consent: {value: 0.9, evidence: literature}
  patients: {age: {family: normal, mean: 40, sd: 15}}
  leaving: {moves: {by_week: 12, share: {active: 0.05, control: 0.05}}}
  durations_minutes: {give: [10, 20, 40], assess: 30, note: [20, 30, 60]}
targets: {twelve: {measure: randomised, at_least: 12, with_probability: 0.8}}
"""
TINY = """
scenario: tiny
design:
  trial: {opens: 2024-01-01, closes: 2024-01-31, target: 2}
  places: {clinic: {}}
  staff: {nurse: {people: unlimited, hours: always}}
  arms: {one: {product: tablet}}
  products: {tablet: {dose: 1}}
assumptions:
  recruitment: {candidates_per_month: 2}
"""
HOSTILE = "</script><script>window.owned = 1</script> \"quoted\" '心' & {braces} 🧪"
CHARTS = 19

EN = words()

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Run a variant of the small scenario and give its finished folder."""

    def finished(*overrides: str, replications: int = 40, text: str = SMALL, keep: int = 1) -> Path:
        home = tmp_path_factory.mktemp("page")
        (home / "small.yaml").write_text(text, encoding="utf-8")
        scenario = load(home / "small.yaml", overrides)
        results = replicate.replicate(scenario, replications=replications, jobs=1, keep=keep)
        out, command = home / "out", "trialsim run small.yaml"
        return folder.write(
            results.scenario, lambda: results, command=command, page=pages.write_page, out=out
        )

    return finished


def test_arms_of_one_title_are_told_apart_by_their_names(make: Make) -> None:
    finished = make("design.arms.control.title=Active", replications=2)
    run = Run(finished)

    assert [run.arm_title(arm.name) for arm in run.protocol.arms] == [
        "Active (active)",
        "Active (control)",
    ]
    assert (finished / "report.html").read_text(encoding="utf-8").count("Active (control)") > 1


@pytest.fixture(scope="module")
def small(make: Make) -> Path:
    """The finished folder of the small scenario."""
    return make()


def html(finished: Path) -> str:
    return (finished / "report.html").read_text(encoding="utf-8")


def markup(finished: Path) -> str:
    """The page without what is in its scripts and styles."""
    return re.sub(r"(<(script|style)>).*?(?=</\2>)", r"\1", html(finished), flags=re.DOTALL)


def said(finished: Path) -> str:
    """The text of the page."""
    text = re.sub(r"<[^>]+>", " ", markup(finished))
    return re.sub(r"\s+", " ", text.replace("\u00a0", " "))


def measure(finished: Path, name: str) -> pd.Series[float]:
    summary = folder.read(finished, "summary.csv").set_index("measure")
    return summary.loc[[name]].iloc[0]


@pytest.fixture
def show(page: Page) -> Iterator[Show]:
    """Open a finished folder's page with no network; whatever goes wrong there fails the test."""
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: troubles.append(request.url))

    def opened(finished: Path) -> Page:
        page.goto(f"file://{finished}/report.html")
        page.wait_for_selector("body.drawn")
        return page

    yield opened
    assert not troubles


class TestWhatItSays:
    def test_the_verdict_is_the_share_of_replications_with_enough_randomised(
        self, small: Path
    ) -> None:
        enough = (folder.read(small, "replications.csv")["randomised"] >= 12).mean()

        assert f"12 randomised by 31 December 2024: {enough * 100:.0f} % (± " in said(small)

    def test_targets_stand_as_in_their_table(self, small: Path) -> None:
        target = folder.read(small, "targets.csv").to_dict("records")[0]
        shares = [EN.percent(target[name]) for name in ("probability", "ci_low", "ci_high")]
        row = "Randomised: at least 12 80 % {} {} to {} {}".format(
            *shares, EN(f"targets.{target['verdict']}")
        )

        assert row.replace("\u00a0", " ") in said(small)

    @pytest.mark.parametrize("name", ["randomised", "completed", "left", "still_in_follow_up"])
    def test_means_stand_as_in_the_summary(self, small: Path, name: str) -> None:
        section = said(small).split("2. Will they finish")[-1]

        assert EN.number(measure(small, name)["mean"]) in section

    def test_hours_stand_as_in_the_summary(self, small: Path) -> None:
        hours = measure(small, "nurse_hours")

        assert "{:.0f} ({:.0f} to {:.0f})".format(*hours[["mean", "p10", "p90"]]) in said(small)

    def test_what_became_of_a_product_stands_as_in_its_tables(self, make: Make) -> None:
        shelf = "{starts_with: 5, reorder_at: 1, reorder_quantity: 5, lead_days: 40}"
        finished = make(f"design.products.drug={{dose: 1, units_per_vial: 1, stock: {shelf}}}")
        text = said(finished)
        rows = folder.read(finished, "supply.csv").set_index(["month", "product", "quantity"])
        stock = rows["p10"].to_dict()["2024-06-01", "drug", "stock"]
        vials, out = (measure(finished, f"{name}_drug") for name in ("vials", "stockouts"))

        assert "Drug: doses given in a month" in text
        assert re.search(rf"1 June 2024 (\S+ ){{5}}{stock:.0f} 1 July", text)
        assert out["mean"] > 0
        for one in (vials, out):
            span = words().span(*(f"{one[quantile]:.0f}" for quantile in ("p10", "p90")))
            assert f"{EN.number(one['mean'])} ({span})" in text
        assert "Placebo 0.0 (0) 0.0 (0) 0.0 (0) – – – – –" in text

    def test_visits_stand_as_in_their_table(self, small: Path) -> None:
        visits = folder.read(small, "visits.csv").query("row == 'month_3'")
        means = visits.groupby("outcome")["mean"].sum()
        shares = [means.get(how, 0) for how in ("on_the_day", "moved", "out_of_window")]
        cells = [EN.number(means["planned"]), *(EN.percent(n / means["planned"]) for n in shares)]
        row = f"Month 3 {' '.join(cells)}".replace("\u00a0", " ").replace("<", "&lt;")

        assert row in said(small)

    def test_activities_and_doses_by_day_stand_as_in_their_tables(self, small: Path) -> None:
        text = said(small)
        task = folder.read(small, "activity.csv").query("task == 'assess'").iloc[0]
        dose = folder.read(small, "dose_days.csv").query(
            "product == 'drug' and day == 'working_day'"
        )

        assert f"Nurse: assess {EN.number(task['mean'])} {EN.number(task['p10'])}" in text
        assert "Working day {} {} {}".format(*map(EN.number, dose["mean"])) in text

    def test_the_year_of_a_role_stands_as_in_its_table(self, small: Path) -> None:
        load = folder.read(small, "load.csv").query("iso_week == 7")
        days = " ".join(map(EN.number, load["mean"]))

        assert load["weekday"].tolist() == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        assert f" 7 {days} 8 " in said(small)

    def test_burden_stands_as_in_the_summary(self, small: Path) -> None:
        trips = measure(small, "site_trips_per_participant_active")

        assert (
            f"Trips to the site Active {EN.number(trips['mean'])} {EN.number(trips['p10'])}"
            in said(small)
        )

    def test_the_flow_adds_up_to_the_digit_shown_and_keeps_near_its_means(
        self, small: Path
    ) -> None:
        text, flow = said(small), folder.read(small, "flow.csv")
        shown = consort.tenths(flow)
        means = flow.set_index(["box", "arm", "reason"])["mean"].to_dict()

        def sum_of(names: tuple[str, ...], arm: str) -> int:
            return sum(n for (box, of, _), n in shown.items() if box in names and of == arm)

        randomised = {arm: sum_of(("randomised",), arm) for arm in ("", "active", "control")}

        assert shown["candidates", "", ""] == sum_of(consort.LOST, "") + randomised[""]
        assert randomised[""] == randomised["active"] + randomised["control"]
        for arm in ("active", "control"):
            assert randomised[arm] == sum_of(consort.ENDINGS, arm)
        assert all(abs(n / 10 - means[key]) < 0.2 for key, n in shown.items())
        assert all(f" {EN.number(count / 10)} " in text for count in shown.values())

    def test_questions_stand_in_order_under_one_heading(self, small: Path) -> None:
        levels = [int(level) for level in re.findall(r"<h(\d)", markup(small))]
        titles = re.findall(r"<h2>(\d)\.", markup(small))

        assert titles == ["1", "2", "3", "4", "5"]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))

    def test_what_a_planner_asks_first_is_open_and_the_rest_folded(self, small: Path) -> None:
        sections = re.split(r'<section id="', markup(small))[2:7]
        before = [section.partition('<details class="more" open>')[0] for section in sections]

        assert [len(re.findall("<figure>", section)) for section in before] == [1, 2, 1, 1, 0]

    def test_a_known_rate_stands_beside_the_uncertain_one(self, small: Path) -> None:
        runs = folder.read(small, "replications.csv")
        once_more = folder.read(small, "rate_known.csv")
        assert len(once_more) == replicate.number_beside(len(runs)) == 30
        known = EN.percent((once_more["randomised"] >= 12).mean()).replace("\u00a0", " ")
        every = EN.percent((runs["randomised"] >= 12).mean()).replace("\u00a0", " ")

        assert f"known to be 1.5 a month, as assumed, the probability would be {known} (" in said(
            small
        )
        assert f"rate not known (mean 1.5 a month) {every}" in said(small)

    def test_three_lives_are_told_from_the_kept_logs(self, small: Path) -> None:
        people = folder.read(small, "participants.csv.gz").query("last_milestone == 'completed'")
        length = pd.to_datetime(people["last_on"]) - pd.to_datetime(people["date"])
        typical = people.loc[length.sort_values(kind="stable").index[(len(people) - 1) // 2]]
        came, last = (
            words().day(date.fromisoformat(typical[name])).replace("\u00a0", " ")
            for name in ("date", "last_on")
        )

        assert re.search(
            f"becomes a candidate on {came}, is randomised to .* and completes on {last}",
            said(small),
        )

    def test_clock_times_stand_in_the_footer_alone(self, small: Path) -> None:
        started = EN.moment(folder.manifest(small)["started"])
        before, _, footer = html(small).partition("<footer>")

        assert started in footer
        assert started not in before

    def test_the_same_folder_gives_the_same_page(self, small: Path) -> None:
        before = html(small)
        pages.write_page(small)

        assert html(small) == before

    def test_it_is_small_and_asks_for_nothing_from_elsewhere(self, small: Path) -> None:
        addresses = re.findall(r"(?:src|href)=\"(?!#|data:)", markup(small))

        assert len(html(small).encode()) < 3_000_000
        assert not addresses

    def test_every_text_of_the_catalogue_is_used(self) -> None:
        package = Path(pages.__file__).parent.parent
        sources = [*package.glob("*/*.py"), *package.glob("templates/*.j2")]
        code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
        looked_up = ("name.", "measure.", "own.", "law.", "likelihood.", "tables.", "new.", "key.")
        keys = [key for key in words().texts if not key.startswith(looked_up)]

        def is_used(key: str) -> bool:
            """As it stands, as a word of a figure's key, or as a column (of quantiles, too)."""
            part, name = key.split(".")
            of_figure = name in {"title", "message", "axis", "note"} and f'"{part}"' in code
            return key in code or of_figure or any(f'"{name}{end}' in code for end in ('"', "_"))

        assert not [key for key in keys if not is_used(key)]


class TestRegister:
    def test_what_has_no_evidence_comes_first(self, small: Path) -> None:
        grades = [
            entry.evidence for entry in assumptions.entries(load(small / "scenario.yaml"), words())
        ]

        assert grades == sorted(grades, key=assumptions.GRADES.index)
        assert {"assumption", "expert", "literature"} <= set(grades)

    def test_a_number_stands_with_all_that_is_known(self, small: Path) -> None:
        assert "Candidates per month 1.5 1 to 3 expert the investigator" in said(small)

    def test_a_distribution_nobody_vouches_for_is_one_row(self, small: Path) -> None:
        assert "Minutes · give triangular: low 10, mode 20, high 40 assumption" in said(small)

    def test_the_design_is_listed_where_it_carries_a_range(self, make: Make) -> None:
        people = "people: {value: 1, range: [1, 2]}"
        text = said(make(replications=1, text=SMALL.replace("people: 1", people)))

        assert "Nurse · people 1 1 to 2" in text


class TestLittleToSay:
    def test_nobody_randomised(self, make: Make) -> None:
        text = said(make("assumptions.recruitment.consent=0"))

        assert "Nobody was randomised in any simulated trial" in text
        assert "“Consent” stops most candidates: 100 %" in text
        assert "What the trial asks of a participant" not in text
        assert "doses planned for weekends" not in text
        assert "Luck or ignorance" not in text
        assert "in 80 of 100 trials" not in text

    def test_no_candidates_at_all(self, make: Make) -> None:
        text = said(make("assumptions.recruitment.candidates_per_month=0"))

        assert "No candidate was lost at any of these steps" in text

    def test_one_replication_claims_no_probability(self, make: Make) -> None:
        text = said(make(replications=1))

        assert "In the one trial simulated, " in text
        assert "run more replications" in text
        assert "it happened in" not in text
        assert "80 of 100" not in text.partition("How to read the figures")[0]
        assert "What the trial asks of a participant" in text

    def test_no_log_kept(self, make: Make) -> None:
        finished = make(keep=0)

        assert "Three simulated participants" not in said(finished)
        assert "Flow of participants" in said(finished)

    def test_a_hundred_thousand_trials_of_next_to_nothing(self, make: Make) -> None:
        finished = make(replications=100, text=TINY)
        header, *rows = (finished / "replications.csv").read_text("utf-8").splitlines()
        many = "\n".join([header, *rows * 1000, ""])
        (finished / "replications.csv").write_text(many, encoding="utf-8")
        page = pages.run_page(finished).html()

        assert "100,000 simulated trials" in page
        assert len(page.encode()) < 3_000_000

    def test_no_target(self, make: Make) -> None:
        free = SMALL.replace("target: 12", "target: none")
        text = said(make(text=re.sub(r"targets: .*", "targets: {}", free)))

        assert "no target is set" in text
        assert "The scenario names no targets." in text
        assert "Date on which number" not in text

    def test_target_reached_always(self, make: Make) -> None:
        text = said(make("design.trial.target=1", "assumptions.recruitment.rate_shape=null"))

        assert "1 randomised by 31 December 2024: 100 % (95 % interval 91 % to 100 %)" in text
        assert "Luck or ignorance" not in text

    def test_one_arm(self, make: Make) -> None:
        one = re.sub(r", control: \{.*?\}(?=\})|, control: 0.05|    placebo_dose.*\n", "", SMALL)
        text = said(make(text=one))

        assert "Randomised to Active" in text
        assert "Control" not in text

    def test_no_staff(self, make: Make) -> None:
        free = re.sub(r"\[nurse\]", "[]", SMALL).replace(
            '{nurse: {people: 1, hours: {mon-fri: "08:00-12:00"}}}', "{}"
        )
        text = said(make(text=re.sub(r", \{later: note\}|, note: \[[^\]]*\]", "", free)))

        assert "Nothing was asked of anybody in this scenario." in text

    def test_unlimited_staff(self, make: Make) -> None:
        text = said(make("design.staff.nurse.people=unlimited"))

        assert "No role’s hours are limited" in text

    def test_follow_up_longer_than_the_trial(self, make: Make) -> None:
        text = said(make("design.schedule.month_3.day=800"))

        assert "none: follow-up is longer than the trial" in text


@pytest.mark.browser
class TestInABrowser:
    def test_every_chart_is_drawn(self, show: Show, small: Path) -> None:
        page = show(small)
        page.evaluate("document.querySelectorAll('details.more').forEach(more => more.open = true)")
        drawn = page.eval_on_selector_all(
            ".chart",
            """charts => charts.map(chart => [
                chart.querySelectorAll(
                    ".mark-area path, .mark-line path, .mark-rect path, .mark-symbol path"
                ).length > 0,
                chart.querySelector("svg").clientWidth > 300])""",
        )

        assert drawn == [[True, True]] * CHARTS

    def test_what_is_folded_opens_by_keyboard_and_all_of_it_by_a_button(
        self, show: Show, small: Path
    ) -> None:
        page = show(small)
        opened = "[...document.querySelectorAll('details.more')].map(more => more.open)"
        page.locator("#finished details.more > summary").focus()
        page.keyboard.press("Enter")

        assert page.evaluate(opened) == [False, True, *[False] * 5]
        page.locator("button.all").click()
        assert page.evaluate(opened) == [True] * 7

    def test_the_table_behind_a_chart_is_saved_as_it_stands(self, show: Show, small: Path) -> None:
        page = show(small)
        page.locator("#register > figure summary", has_text="table behind").click()
        with page.expect_download() as saved:
            page.locator("#register > figure button.csv").click()
        table = pd.read_csv(saved.value.path(), dtype=str)

        assert saved.value.suggested_filename == "register-1.csv"
        assert (
            list(table["Probability"])
            == page.locator("#register > figure td:nth-child(2)").all_text_contents()
        )

    def test_a_click_in_the_legend_picks_a_series(self, show: Show, small: Path) -> None:
        page = show(small)
        page.evaluate("document.querySelectorAll('details.more').forEach(more => more.open = true)")
        faint = page.locator("#finished-2 .mark-rect path[opacity='0.08']")
        before = faint.count()
        page.locator("#finished-2 .role-legend-symbol path").first.dispatch_event("click")

        assert before == 0
        assert faint.count() > 0

    def test_shift_and_the_wheel_zoom_time_and_the_wheel_alone_scrolls(
        self, show: Show, small: Path
    ) -> None:
        page = show(small)
        labels = page.locator("#reached-1 .role-axis-label text")
        page.locator("#reached-1").scroll_into_view_if_needed()
        box = page.locator("#reached-1").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        whole = labels.all_text_contents()
        page.mouse.wheel(0, -10)
        page.wait_for_timeout(100)
        scrolled = labels.all_text_contents()
        page.keyboard.down("Shift")
        page.mouse.wheel(0, -300)
        page.keyboard.up("Shift")

        assert scrolled == whole
        page.wait_for_function(
            """whole => [...document.querySelectorAll("#reached-1 .role-axis-label text")]
                .map(label => label.textContent).join() !== whole.join()""",
            arg=whole,
        )

    def test_a_chart_reads_its_message_aloud(self, show: Show, small: Path) -> None:
        drawing = show(small).locator("#reached-1 [role=graphics-document]")
        message = drawing.get_attribute("aria-label") or ""

        assert message.replace("\u00a0", " ").startswith("12 are randomised by 31 December 2024")

    def test_hostile_names_are_text(self, show: Show, make: Make) -> None:
        quoted = HOSTILE.replace('"', '\\"')
        names = SMALL.replace("A small trial", f'"{quoted}"').replace(
            "title: Active", f'title: "{quoted}"'
        )
        page = show(make(text=names))

        assert page.inner_text(".scenario") == HOSTILE
        assert HOSTILE in (page.text_content("#finished") or "")
        assert page.evaluate("window.owned === undefined")

    def test_it_fits_a_small_window(self, show: Show, small: Path) -> None:
        page = show(small)
        page.set_viewport_size({"width": 480, "height": 800})

        assert page.evaluate("document.documentElement.scrollWidth") <= 480
