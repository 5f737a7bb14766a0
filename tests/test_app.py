"""The one file that simulates: what it shows is what the command line says, in a real browser."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from sim.browser.bench import Bench, Difference
from sim.browser.figures import figures, hours_by_week
from sim.experiments.replicate import replicate
from sim.model.run import run
from sim.report.app import HALVES, hours_of
from sim.results.measures import measure
from sim.scenario.interpret import interpret
from sim.scenario.load import dump, load, shipped
from tests.command import trialsim

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SHIPPED = shipped()
SCENARIOS = sorted(SHIPPED.glob("*.yaml"))
MOST_BYTES = 20_000_000
PATIENCE_MS = 120_000


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_figures_are_the_measures_of_the_catalogue(path: Path) -> None:
    protocol = interpret(load(path))
    for replication in (1, 2):
        log = run(protocol, 1, replication)
        expected, found = measure(log, protocol), figures(log, protocol)
        assert found == pytest.approx(
            {name: expected[name] for name in found}, rel=1e-9, abs=1e-9, nan_ok=True
        )
        by_week = math.fsum(hours for _, _, hours in hours_by_week(log, protocol))
        each = (found[f"{resource.name}_hours"] for resource in protocol.resources)
        assert by_week == pytest.approx(math.fsum(each))


def test_the_plan_beside_itself_makes_no_difference() -> None:
    bench = Bench(SHIPPED / "smallest.yaml")
    found = bench.simulate(4)["differences"]

    assert found["randomised"].before == found["randomised"].after > 0
    assert {each.change for each in found.values() if math.isfinite(each.change)} == {0.0}


def test_what_was_simulated_ahead_is_what_would_be() -> None:
    one, other = (Bench(SHIPPED / "smallest.yaml") for _ in range(2))
    while one.ahead():
        pass
    for bench in (one, other):
        bench.change(["assumptions.recruitment.candidates_per_month=2"])

    assert one.told(60) == other.told(60)


def test_a_change_is_simulated_as_the_command_line_does() -> None:
    path = SHIPPED / "smallest.yaml"
    overrides = ["assumptions.recruitment.candidates_per_month=2"]
    bench = Bench(path)
    assert bench.change(overrides) == []
    found = bench.simulate(30)["differences"]["randomised"]

    for side, of in ((found.before, load(path)), (found.after, load(path, overrides))):
        values = replicate(of, replications=30, jobs=1, keep=0).values("randomised")
        assert side == pytest.approx(float(values.mean()))


def test_what_is_wrong_is_said_and_all_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_bytes((SHIPPED / "smallest.yaml").read_bytes())
    bench = Bench(tmp_path / "plan.yaml")
    bench.change(["assumptions.recruitment.candidates_per_month=9"])
    (problem,) = bench.change(["assumptions.recruitment.candidates_per_month=many"])

    assert "'many' is not a number" in problem
    assert "Traceback" not in problem
    (problem,) = bench.change([], "extends: [")
    assert problem
    chinese = Bench(tmp_path / "plan.yaml", language="zh")
    (problem,) = chinese.change(["assumptions.recruitment.candidates_per_month=many"])
    assert "不是数值" in problem
    assert "--set" not in problem
    found = bench.simulate(5)["differences"]["candidates"]
    assert found.after > found.before


def test_an_interval_is_student_s_on_the_draws() -> None:
    """Three draws whose changes are 1, 2 and 3: 2 ± 4.303 · 1/√3."""
    found = Difference.of([[(1.0, 2.0)], [(1.0, 3.0)], [(0.0, 3.0), (0.0, 3.0)]])

    assert found.high - found.change == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)


def test_half_days_are_hours_of_a_scenario() -> None:
    halves = [False, True, True, True, *[False] * 6]
    assert hours_of(halves) == f'{{mon: "{HALVES[1]}", tue: "{HALVES[0]}, {HALVES[1]}"}}'


def test_without_python_for_browsers_is_said_how_to_get_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "one.html"
    asked = ("app", "smallest", "--pyodide", str(tmp_path), "--out", str(out))

    assert trialsim(*asked) != 0
    said = re.sub(r"\s+", " ", capsys.readouterr().err)
    assert "npm install --prefix" in said
    assert not out.exists()


# In a browser, from the disk, with every host out of reach.


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a small trial; without Python for browsers a test is skipped."""
    pyodide = os.environ.get("TRIALSIM_PYODIDE")
    if not pyodide:
        give_up = pytest.fail if os.environ.get("TRIALSIM_REQUIRE_BROWSER") == "1" else pytest.skip
        give_up("TRIALSIM_PYODIDE names no folder with Python for browsers")
    out = tmp_path_factory.mktemp("app") / "one.html"
    asked = ("--replications", "40", "--pyodide", pyodide, "--out", str(out))
    assert trialsim("app", "baseline", *asked) == 0
    return out


@pytest.fixture
def opened(one_file: Path, browser: Browser) -> Iterator[Page]:
    """The file opened, once it is ready; it may ask nobody and complain of nothing."""
    context = browser.new_context(offline=True)
    page, wrong = context.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
    page.on("request", lambda asked: _look(asked.url, wrong))
    page.goto(f"file://{one_file}")
    page.wait_for_function("!document.querySelector('#bench-go').disabled", timeout=PATIENCE_MS)
    yield page
    context.close()
    assert wrong == []


def _look(address: str, wrong: list[str]) -> None:
    if not address.startswith(("file:", "blob:", "data:")):
        wrong.append(address)


def _run(page: Page, replications: int) -> None:
    page.fill("#bench-replications", str(replications))
    page.click("#bench-go")
    page.wait_for_function("document.querySelector('#bench-stop').disabled", timeout=PATIENCE_MS)


@pytest.mark.slow
@pytest.mark.browser
def test_a_change_is_simulated_in_the_browser(one_file: Path, opened: Page) -> None:
    assert one_file.stat().st_size < MOST_BYTES
    field = opened.locator("#bench-form input[type=number]").first
    field.fill("4")
    _run(opened, 10)
    rows = {row[0]: row for row in _table(opened)}

    expected = replicate(load(SHIPPED / "baseline.yaml"), replications=10, jobs=1, keep=0)
    mean = float(expected.values("randomised").mean())
    assert float(rows["Randomised"][1]) == pytest.approx(mean, rel=5e-3)
    assert rows["Randomised"][1] != rows["Randomised"][2]


REPLICATIONS = 5
TOLD = f"""
import json
from pathlib import Path
from sim.browser.figures import figures
from sim.model.run import run
from sim.scenario.interpret import interpret
from sim.scenario.load import load

protocol = interpret(load(Path(path)))
told = []
for replication in range(1, {REPLICATIONS} + 1):
    log = run(protocol, 7, replication)
    moments = [[each.time, int(each.milestone)] for each in log.moments]
    told.append([figures(log, protocol), moments])
json.dumps(told)
"""
"""What happened in some replications of the scenario at `path`, and the figures of each."""

IN_A_WORKER = """async ([texts, code]) => {
  const script = document.getElementById("bench-worker").textContent + `
    const other = self.onmessage;
    self.onmessage = function (event) {
      if (event.data.kind !== "tell") return other(event);
      python.FS.writeFile("/app/told.yaml", event.data.text);
      python.globals.set("path", "/app/told.yaml");
      postMessage({kind: "told", told: python.runPython(event.data.code)});
    };`;
  const worker = new Worker(URL.createObjectURL(new Blob([script])));
  const answer = (asked) => new Promise((resolve, reject) => {
    worker.onmessage = ({data}) => data.problem ? reject(data.problem) : resolve(data.told);
    worker.onerror = (event) => reject(event.message);
    worker.postMessage(asked);
  });
  const parts = [...document.querySelectorAll("script[data-part]")];
  const packed = Object.fromEntries(parts.map((part) => [part.dataset.part, part.textContent]));
  await answer({kind: "begin", seed: 7, language: "en", parts: packed});
  const told = [];
  for (const text of texts) told.push(await answer({kind: "tell", text: text, code: code}));
  return told;
}"""


@pytest.mark.slow
@pytest.mark.browser
def test_every_scenario_is_the_same_in_the_browser(opened: Page, tmp_path: Path) -> None:
    texts = [dump(load(path)) for path in SCENARIOS]
    _same(texts, opened.evaluate(IN_A_WORKER, [texts, TOLD]), tmp_path)


@pytest.mark.nightly
@pytest.mark.browser
def test_every_scenario_is_the_same_in_firefox(one_file: Path, tmp_path: Path) -> None:
    """Needs Debian's firefox-esr, and npm's puppeteer-core beside Python for browsers."""
    texts = [dump(load(path)) for path in SCENARIOS]
    node, modules = shutil.which("node"), Path(os.environ["TRIALSIM_PYODIDE"]) / "node_modules"
    driver = modules / "puppeteer-core/lib/esm/puppeteer/puppeteer-core.js"
    assert node is not None
    done = subprocess.run(
        [node, Path(__file__).parent / "firefox.mjs", driver, one_file],
        input=json.dumps({"of": IN_A_WORKER, "asked": [texts, TOLD]}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)

    assert found["wrong"] == []
    _same(texts, found["told"], tmp_path)


def _same(texts: list[str], found: list[str], tmp_path: Path) -> None:
    """What a browser told of each scenario is what is found here."""
    *lines, last = TOLD.strip().splitlines()
    for scenario, text, told in zip(SCENARIOS, texts, found, strict=True):
        path = tmp_path / scenario.name
        path.write_text(text, encoding="utf-8")
        here: dict[str, object] = {"path": path}
        exec("\n".join(lines), here)  # noqa: S102  the same lines as in the browser
        expected = json.loads(eval(last, here))  # noqa: S307
        for one, other in zip(json.loads(told), expected, strict=True):
            assert one[0] == pytest.approx(other[0], rel=1e-9, abs=1e-9, nan_ok=True), scenario
            assert [kind for _, kind in one[1]] == [kind for _, kind in other[1]], scenario
            assert [time for time, _ in one[1]] == pytest.approx(
                [time for time, _ in other[1]], rel=1e-9
            ), scenario


def _table(page: Page) -> list[list[str]]:
    rows: list[list[str]] = page.eval_on_selector_all(
        "#bench-found tbody tr", "rows => rows.map(row => [...row.cells].map(c => c.textContent))"
    )
    return rows


@pytest.mark.slow
@pytest.mark.browser
def test_what_is_saved_and_copied_is_what_was_changed(opened: Page, tmp_path: Path) -> None:
    opened.locator("#bench-form input[type=number]").first.fill("4")
    opened.locator("[data-kind=criterion]").uncheck()
    opened.locator("[data-day=fri]").first.check()
    with opened.expect_download() as download:
        opened.click("#bench-save")
    plan, changed = SHIPPED / "baseline.yaml", tmp_path / download.value.suggested_filename
    (tmp_path / plan.name).write_bytes(plan.read_bytes())
    download.value.save_as(changed)
    opened.click("#bench-copy")
    opened.wait_for_function("document.querySelector('#bench-said').textContent.match(/--set/)")
    words = shlex.split(opened.inner_text("#bench-said").partition(": ")[2])
    overrides = [word for word in words if "=" in word]
    saved, copied = load(changed), load(plan, overrides)

    assert words[:3] == ["trialsim", "run", "baseline"]
    assert len(overrides) == 3
    assert saved.design == copied.design != load(plan).design
    assert saved.assumptions == copied.assumptions


@pytest.mark.slow
@pytest.mark.browser
def test_axe_finds_nothing_and_the_keyboard_runs_it(opened: Page) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  needs playwright

    opened.fill("#bench-replications", "10")
    opened.focus("#bench-go")
    opened.keyboard.press("Enter")
    opened.wait_for_function("document.querySelector('#bench-stop').disabled", timeout=PATIENCE_MS)
    assert opened.get_attribute("#bench-said", "role") == "status"
    found = []
    schemes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
    for scheme, is_open in product(schemes, ("false", "true")):
        opened.emulate_media(color_scheme=scheme)
        opened.evaluate(f"document.querySelectorAll('details').forEach(d => d.open = {is_open})")
        violations = Axe().run(opened, context="#bench").response["violations"]
        found += [(one["id"], [node["target"] for node in one["nodes"]]) for one in violations]

    assert found == []


@pytest.mark.slow
@pytest.mark.browser
def test_what_is_wrong_is_told_and_a_run_can_be_stopped(opened: Page) -> None:
    _run(opened, 10)
    before = _table(opened)
    opened.evaluate(
        "document.querySelector('#bench-yaml').value = 'extends: scenario.yaml\\ntargett: 4\\n'"
    )
    _run(opened, 10)

    assert "targett" in opened.inner_text("#bench-problems")
    assert "Traceback" not in opened.inner_text("#bench")
    assert _table(opened) == before
    opened.evaluate("const of = document.querySelector('#bench-yaml'); of.value = of.defaultValue")
    opened.fill("#bench-replications", "500")
    opened.click("#bench-go")
    opened.wait_for_function("document.querySelector('#bench-said').textContent.match(/[1-9]/)")
    opened.click("#bench-stop")
    opened.wait_for_function("document.querySelector('#bench-stop').disabled")
    assert "Stopped" in opened.inner_text("#bench-said")
