"""Every kind of page in every language, opened in a browser with no network.

What is here holds for all of them: drawn, readable by everyone, and showing names as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from sim.cli.main import commands
from sim.cli.terminal import exit_code
from sim.results import folder
from sim.vocabulary.words import LANGUAGES, words
from tests.test_decision import MOST_WORDS, box_of, words_in
from tests.test_report import HOSTILE, SMALL, TINY

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Made = Callable[[str, str], Path]
Show = Callable[[str, str], "Opened"]

ROOT = Path(__file__).parent.parent
QUOTED = '"{}"'.format(HOSTILE.replace('"', '\\"'))
SCENARIO = (
    SMALL.replace("site: Here", f"site: {QUOTED}")
    .replace("A small trial", QUOTED)
    .replace("title: Active", f"title: {QUOTED}")
)
OTHER = SCENARIO.replace("scenario: small", "scenario: other").replace("people: 1", "people: 2")
ONE_ARM = TINY.replace("trial: {", f"trial: {{site: {QUOTED}, ") + (
    "targets: {two: {measure: randomised, at_least: 2, with_probability: 0.5}}"
)
DAYS = [f"2024-{month:02}-1{place % 2}" for month in range(2, 11) for place in range(2)]
ARMS = ("active", "control")
LOG = "\n".join(["id,randomised,arm", *(f"{n},{d},{ARMS[n % 2]}" for n, d in enumerate(DAYS[::2]))])
RATE = "assumptions.recruitment.candidates_per_month"
COMMANDS = {
    "run": ["run", "small.yaml", "--replications", "40"],
    "nobody": [
        *("run", "small.yaml", "--set", "assumptions.recruitment.consent=0"),
        *("--replications", "40"),
    ],
    "once": ["run", "small.yaml", "--replications", "1"],
    "one arm": ["run", "tiny.yaml", "--replications", "40"],
    "compare": ["compare", "small.yaml", "other.yaml", "--replications", "30"],
    "record": [
        *("forecast", "small.yaml", "--observed", "log.csv", "--replications", "20"),
        *("--as-of", "2024-05-31,2024-08-31"),
    ],
    "tornado": ["sweep", "small.yaml", "--tornado", "--replications", "20"],
    "line": ["sweep", "small.yaml", "--vary", f"{RATE}=1,2,3", "--replications", "20"],
    "grid": [
        *("sweep", "small.yaml", "--vary", f"{RATE}=1,3", "--replications", "20"),
        *("--vary", "assumptions.recruitment.consent=0.5,0.9"),
    ],
    "lhs": ["sweep", "small.yaml", "--design", "lhs", "--points", "12", "--replications", "10"],
    "solve": [
        *("solve", "small.yaml", "--move", RATE, "--until", "twelve"),
        *("--replications", "40"),
    ],
}
EVERY = [(kind, language) for kind in COMMANDS for language in LANGUAGES]
MARKS = ", ".join(f".mark-{mark} path" for mark in ("area", "line", "rect", "symbol")) + (
    ", .mark-rule line"
)
CUT = """text => {
    const word = text.getBoundingClientRect(), chart = text.ownerSVGElement.getBoundingClientRect();
    const is_shown = text.getAttribute("opacity") !== "0";
    return is_shown && (word.top < chart.top - 1 || word.left < chart.left - 1
        || word.bottom > chart.bottom + 1 || word.right > chart.right + 1);
}"""
SHOWN = """body => {
    const labels = [...body.querySelectorAll("[aria-label]")].map(one => one.ariaLabel);
    const copy = body.cloneNode(true);
    copy.querySelectorAll("code, pre, script, style, .typed td").forEach(one => one.remove());
    return [copy.textContent, ...labels].join("\\n");
}"""
"""All that people read or hear of a page, but what is meant to be typed."""

FILE = re.compile(r"\b\w+\.(csv(\.gz)?|json|yaml|sqlite|html)\b")
RAW_KEY = re.compile(r"\b(?:assumptions|design|targets)\.\w[\w.]*|\b[a-z]+(?:_[a-z0-9]+)+\b")
FITTED = """() => [...document.querySelectorAll(".chart-wrapper.fit-x")].every(
    each => each.querySelector("svg").width.baseVal.value <= each.clientWidth + 1)"""
"""Whether every chart that fits its container has been drawn anew for its width."""

STILL = "document.getAnimations().every(each => each.playState !== 'running')"

SHEET = 1000
"""The height of A4 between its margins, in the pixels of a page."""

MOST_PAGES = 5
"""Of A4, on which a run is printed as long as nothing is unfolded."""

KEPT = {
    *(
        "NCT",
        "hUC",
        "MSC",
        "SLEDAI",
        "SLE",
        "ACR",
        "ISO",
        "IPCC",
        "CSV",
        "CRC",
        "PNG",
        "SVG",
        "JavaScript",
    ),
    *("Shift", "baseline", "trialsim", "check", "register", "yaml", "simulated"),
    *(
        "STRESS",
        "DES",
        "Wilson",
        "Barlow",
        "Clopper",
        "Pearson",
        "Student",
        "Philox",
        "Salmon",
        "SimPy",
    ),
    *("summary", "csv", "uncertain", "all", "rate", "known"),
}
"""Words in Latin letters that a Chinese page of the baseline may hold."""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Give the folder of a kind of page, with its page in a language; each is made once."""
    home = tmp_path_factory.mktemp("pages")
    (home / "small.yaml").write_text(SCENARIO, encoding="utf-8")
    (home / "other.yaml").write_text(OTHER, encoding="utf-8")
    (home / "tiny.yaml").write_text(ONE_ARM, encoding="utf-8")
    (home / "log.csv").write_text(LOG, encoding="utf-8")

    def finished(kind: str, language: str) -> Path:
        out = home / f"{kind}-{language}"
        if not out.is_dir():
            arguments = ["--jobs", "1", "--quiet", "--out", str(out), "--lang", language]
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(home)
                assert exit_code(commands, [*COMMANDS[kind], *arguments]) == 0
        return out

    return finished


class Opened(NamedTuple):
    """An open page, and whatever went wrong there."""

    page: Page
    troubles: list[str]


@pytest.fixture(scope="session")
def show(browser: Browser, made: Made) -> Iterator[Show]:
    """Open a page with no network, 1400 pixels wide and unfolded; each is opened once."""
    context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900})
    known: dict[Path, Opened] = {}

    def opened(kind: str, language: str) -> Opened:
        finished = made(kind, language)
        if finished not in known:
            known[finished] = unfolded(context.new_page(), finished)
        return known[finished]

    yield opened
    context.close()


def unfolded(page: Page, finished: Path) -> Opened:
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: troubles.append(request.url))
    page.goto(f"file://{finished}/report.html")
    page.wait_for_function("document.body.classList.contains('drawn')")
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    return Opened(page, troubles)


def in_each(page: Page, selector: str, what: str) -> list[Any]:
    found: list[Any] = page.eval_on_selector_all(selector, f"all => all.map(one => {what})")
    return found


def on_paper(page: Page) -> tuple[list[str], bool]:
    """What sticks out of A4 between its margins, and whether the contents are left out.

    The box, a figure and a row of a table lie on one sheet.
    """
    page.set_viewport_size({"width": 688, "height": 1000})
    page.emulate_media(media="print")
    far = "one.getBoundingClientRect().right > innerWidth + 1 && one.outerHTML.slice(0, 99)"
    out, is_hidden = in_each(page, "body *", far), page.locator("nav").is_hidden()
    long = f"one.offsetHeight > {SHEET} && one.outerHTML.slice(0, 99)"
    out += in_each(page, ".box, figure, tr", long)
    page.set_viewport_size({"width": 1400, "height": 900})
    page.emulate_media(media="screen")
    return [each for each in out if each], is_hidden


@pytest.mark.browser
@pytest.mark.parametrize(("kind", "language"), EVERY)
class TestEveryPage:
    def test_is_drawn_and_tells_its_message_without_eyes(
        self, show: Show, kind: str, language: str
    ) -> None:
        page, troubles = show(kind, language)
        marks = in_each(page, ".chart", f"one.querySelectorAll('{MARKS}').length")
        messages = in_each(
            page, ".chart [role=graphics-document]", "one.getAttribute('aria-label')"
        )

        assert not troubles
        assert marks
        assert all(marks)
        assert len(messages) == len(marks)
        assert all(messages)
        assert all(in_each(page, "figure", "one.querySelectorAll('details table').length"))

    @pytest.mark.slow
    def test_axe_finds_nothing_open_or_closed_light_or_dark(
        self, show: Show, kind: str, language: str
    ) -> None:
        from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  needs playwright

        page, found = show(kind, language).page, []
        for is_dark, is_open in product((True, False), ("false", "true")):
            page.emulate_media(color_scheme="dark" if is_dark else "light")
            page.evaluate(f"document.querySelectorAll('details').forEach(d => d.open = {is_open})")
            # A menu that opens is pale until it has.
            page.wait_for_function(STILL)
            violations = Axe().run(page).response["violations"]
            found += [(one["id"], [node["target"] for node in one["nodes"]]) for one in violations]

        assert found == []

    def test_readers_hear_the_message_of_a_chart_and_not_its_marks(
        self, show: Show, kind: str, language: str
    ) -> None:
        page, _ = show(kind, language)
        marks = ":is([role=graphics-object], [role=graphics-symbol])"
        exposed = f".chart {marks}:not([aria-hidden=true], [aria-hidden=true] *)"

        assert in_each(page, exposed, "one.outerHTML.slice(0, 99)") == []

    def test_headings_are_in_order_and_the_language_is_named(
        self, show: Show, kind: str, language: str
    ) -> None:
        page, _ = show(kind, language)
        levels = in_each(page, "h1, h2, h3, h4", "Number(one.tagName[1])")

        assert page.get_attribute("html", "lang") == language
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert max(after - before for before, after in pairwise(levels)) <= 1

    def test_the_keyboard_skips_to_the_answers_and_reaches_what_scrolls(
        self, show: Show, kind: str, language: str
    ) -> None:
        page, _ = show(kind, language)
        page.keyboard.press("Tab")
        first = page.evaluate("document.activeElement.getAttribute('href')")
        scrolling = in_each(
            page,
            ".table",
            "one.scrollHeight > one.clientHeight || one.scrollWidth > one.clientWidth"
            " ? one.tabIndex : 0",
        )

        assert first == "#answers"
        assert set(scrolling) == {0}

    def test_names_are_shown_as_text(self, show: Show, kind: str, language: str) -> None:
        page, _ = show(kind, language)

        assert page.inner_text(".place") == HOSTILE
        assert page.evaluate("window.owned === undefined")

    def test_no_key_of_a_file_stands_before_people(
        self, show: Show, kind: str, language: str
    ) -> None:
        page, _ = show(kind, language)
        shown = FILE.sub("", page.eval_on_selector("body", SHOWN))

        assert {*RAW_KEY.findall(shown)} == set()

    def test_nothing_sticks_out_on_paper(self, show: Show, kind: str, language: str) -> None:
        page, _ = show(kind, language)
        out, is_hidden = on_paper(page)

        assert out == []
        assert is_hidden

    def test_lines_have_no_legend_and_no_legend_has_one_entry_alone(
        self, show: Show, kind: str, language: str
    ) -> None:
        page, _ = show(kind, language)
        of_lines = ".chart:has(.mark-line path)"

        assert in_each(page, f"{of_lines} .role-legend", "one.textContent") == []
        entries = "one.querySelectorAll('.role-legend-symbol').length"
        assert 1 not in in_each(page, ".chart:has(.role-legend-symbol)", entries)

    def test_no_word_of_a_chart_is_cut_in_a_small_window_or_on_a_telephone(
        self, show: Show, kind: str, language: str
    ) -> None:
        page, _ = show(kind, language)
        cut = []
        for width in (800, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_function(FITTED)
            page.wait_for_timeout(300)
            cut += in_each(page, ".chart text", f"({CUT})(one) && one.textContent")
        verdicts = in_each(
            page, ".cards li, tr.target td:last-child", "one.getBoundingClientRect().right"
        )
        is_as_wide = page.evaluate("document.documentElement.scrollWidth") <= width
        page.set_viewport_size({"width": 1400, "height": 900})

        assert [each for each in cut if each] == []
        assert is_as_wide
        assert not [right for right in verdicts if right > width]


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_in_the_text_are_those_of_the_tables(show: Show, made: Made, language: str) -> None:
    page, finished = show("run", language).page, made("run", language)
    text = page.inner_text("body").replace("\u00a0", " ")
    summary = folder.read(finished, "summary.csv").set_index("measure")
    enough = (folder.read(finished, "replications.csv")["randomised"] >= 12).mean()
    target = folder.read(finished, "targets.csv").iloc[0]
    shares = [enough, target["ci_low"], target["ci_high"]]
    per_cent = " %" if language == "en" else "%"

    assert enough == target["probability"]
    for sought in ("#targets", "#reached"):
        shown = page.inner_text(sought).replace("\u00a0", " ")
        assert all(f"{share * 100:.0f}{per_cent}" in shown for share in shares)
    assert f"{enough * 100:.0f}{per_cent}" in page.inner_text("#reached .lead").replace(
        "\u00a0", " "
    )
    for name in ("randomised", "completed", "left", "still_in_follow_up"):
        assert f"{summary['mean'][name]:.1f}" in page.inner_text("#finished")
    hours = summary.loc["nurse_hours"]
    say = words(language)
    assert (
        say.aside(f"{hours['mean']:.0f}", say.span(*(f"{hours[p]:.0f}" for p in ("p10", "p90"))))
        in text
    )


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_language_changes_the_page_and_no_table(made: Made, kind: str) -> None:
    both = [made(kind, language) for language in LANGUAGES]
    names = [sorted(str(path.relative_to(one)) for path in one.rglob("*.csv*")) for one in both]

    assert names[0] == names[1] != []
    assert all((both[0] / name).read_bytes() == (both[1] / name).read_bytes() for name in names[0])
    assert len({(one / "report.html").read_text(encoding="utf-8") for one in both}) == 2


@pytest.mark.slow
@pytest.mark.browser
def test_five_scenarios_fit_on_paper_and_into_few_megabytes(
    browser: Browser, tmp_path: Path
) -> None:
    names = ("baseline", "full_time_coordinator", "il2_at_home", "il2_on_ward", "scarce_cells")
    paths = [str(ROOT / "scenarios" / f"{name}.yaml") for name in names]
    how = ["--replications", "12", "--quiet", "--out", str(tmp_path / "out"), "--lang", "zh"]
    assert exit_code(commands, ["compare", *paths, *how]) == 0
    context = browser.new_context(offline=True)
    page, troubles = unfolded(context.new_page(), tmp_path / "out")
    out, _ = on_paper(page)
    context.close()
    sizes = {each: each.stat().st_size for each in (tmp_path / "out").rglob("report.html")}

    assert out == troubles == []
    assert len(sizes) == 1 + len(names)
    assert sizes.pop(tmp_path / "out" / "report.html") < 6e6
    assert max(sizes.values()) < 3e6


@pytest.mark.slow
@pytest.mark.browser
def test_a_chinese_page_is_no_mixture_and_prints_on_few_sheets(
    browser: Browser, tmp_path: Path
) -> None:
    path, out = ROOT / "scenarios" / "baseline.yaml", tmp_path / "out"
    arguments = ["--replications", "40", "--jobs", "1", "--quiet", "--out", str(out)]
    assert exit_code(commands, ["run", str(path), *arguments, "--lang", "zh"]) == 0
    context = browser.new_context(offline=True)
    page, _ = unfolded(context.new_page(), out)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = false)")
    printed = page.pdf(prefer_css_page_size=True)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert 1 < len(re.findall(rb"/Type /Page\b", printed)) <= MOST_PAGES
    written = (
        "pre, code, .register, .written, .method:last-child, #varying td, #methods .note, "
        "#how .note"
    )
    page.evaluate(f"document.querySelectorAll('{written}').forEach(each => each.remove())")
    found = set(re.findall(r"[A-Za-z]{3,}", page.inner_text("body")))
    labels = " ".join(in_each(page, ".chart text", "one.textContent"))
    context.close()

    assert (found | set(re.findall(r"[A-Za-z]{3,}", labels))) - KEPT == set()


MOST_BYTES, MOST_SECONDS = 3_000_000, 3.0
"""Of the page of the baseline, and of the processor until it is drawn: on an idle machine it is
drawn no later."""


@pytest.mark.slow
@pytest.mark.browser
def test_a_page_of_the_baseline_is_small_soon_drawn_and_printed_on_few_sheets(
    browser: Browser, tmp_path: Path
) -> None:
    asked = ("run", str(ROOT / "scenarios" / "baseline.yaml"), "--replications", "40", "--quiet")
    assert exit_code(commands, [*asked, "--out", str(tmp_path / "run")]) == 0
    file = tmp_path / "run" / "report.html"
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    watch = page.context.new_cdp_session(page)
    watch.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(f"file://{file}")
    page.wait_for_function("document.body.classList.contains('drawn')")
    measured = watch.send("Performance.getMetrics")["metrics"]
    page.emulate_media(media="print")
    box_ends = page.locator(".box").evaluate("box => box.getBoundingClientRect().bottom")
    printed = [page.pdf(prefer_css_page_size=True)]
    page.emulate_media(media="screen")
    page.reload()  # as somebody prints who has not printed before
    page.wait_for_function("document.body.classList.contains('drawn')")
    page.locator("button.all").click()
    page.wait_for_timeout(1000)  # charts are measured again once they are open
    printed.append(page.pdf(prefer_css_page_size=True))
    is_small = file.stat().st_size < MOST_BYTES
    assert exit_code(commands, ["report", str(tmp_path / "run"), "--full"]) == 0
    page.goto(f"file://{file}")
    page.wait_for_function("document.body.classList.contains('drawn')")
    printed.append(page.pdf(prefer_css_page_size=True))
    page.close()
    few, all_of_them, full = (len(re.findall(rb"/Type /Page\b", each)) for each in printed)

    assert box_ends < SHEET
    assert few <= MOST_PAGES < all_of_them == full
    assert words_in(box_of(file.read_text(encoding="utf-8"))) <= MOST_WORDS
    assert is_small
    assert {each["name"]: each["value"] for each in measured}["ProcessTime"] < MOST_SECONDS
