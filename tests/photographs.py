"""Takes the pictures of the README again: the page of a run of the baseline, in Chromium.

`python -m tests.photographs` writes them into `docs/`; on two idle cores it takes a minute or two.
That of the one file is taken where TRIALSIM_PYODIDE names a folder with Python for browsers.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from playwright.sync_api import sync_playwright

from tests.conftest import QUIET_CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
CHARTS = {"finished-more-1": "enrolment", "work-1": "hours", "register-1": "tornado"}
"""Charts by the names by which the page saves them, and the names of their pictures."""

WIDTH, HEIGHT, MARGIN = 1040, 900, 16
PATIENCE_MS = 300_000
TO = "#reached > figure"
"""The picture of the page ends below this."""

ON_THE_PAGE = """found => {
  const {x, y, width, height} = found.getBoundingClientRect();
  return {x: x + scrollX, y: y + scrollY, width, height};
}"""
"""Where something is on a page that was scrolled."""


def main() -> None:
    """Simulate, and photograph the page."""
    with tempfile.TemporaryDirectory() as home:
        run = Path(home) / "run"
        command = [sys.executable, "-m", "sim", "run", "baseline", "--quiet", "--out", str(run)]
        subprocess.run(command, cwd=ROOT, check=True)
        photograph(run)
        if pyodide := os.environ.get("TRIALSIM_PYODIDE"):
            one_file = Path(home) / "one.html"
            command = [sys.executable, "-m", "sim", "app", "baseline", "--pyodide", pyodide]
            subprocess.run([*command, "--out", str(one_file)], cwd=ROOT, check=True)
            photograph_what_if(one_file)


def photograph(finished: Path) -> None:
    """Write the pictures of a folder's page."""
    DOCS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET_CHROMIUM)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto((finished.resolve() / "report.html").as_uri())
        page.wait_for_selector("body.drawn")
        page.add_style_tag(content=".vega-embed summary { display: none !important; }")
        end = page.locator(TO).first.evaluate("figure => figure.getBoundingClientRect().bottom")
        page.screenshot(
            path=DOCS / "page.png",
            full_page=True,
            clip={"x": 0, "y": 0, "width": WIDTH, "height": end + MARGIN},
        )
        page.locator("button.all").click()
        for chart, name in CHARTS.items():
            page.locator(f"figure:has(#{chart})").screenshot(path=DOCS / f"{name}.png")
        browser.close()


def photograph_what_if(one_file: Path) -> None:
    """Write the picture of what a coordinator who is there on two more half-days would change."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET_CHROMIUM)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(one_file.resolve().as_uri())
        page.wait_for_function("!document.querySelector('#bench-go').disabled", timeout=PATIENCE_MS)
        coordinator = page.locator('[data-path="design.staff.coordinator.hours"]')
        for day in ("tue", "fri"):
            coordinator.locator(f"[data-day={day}]").first.check()
        page.click("#bench-go")
        page.wait_for_function(
            "document.querySelector('#bench-stop').disabled", timeout=PATIENCE_MS
        )
        top, bottom = (page.locator(of).evaluate(ON_THE_PAGE) for of in ("#bench", "#bench-found"))
        end = bottom["y"] + bottom["height"] + MARGIN
        clip = cast("FloatRect", {**top, "height": end - top["y"]})
        page.screenshot(path=DOCS / "app.png", full_page=True, clip=clip)
        browser.close()


if __name__ == "__main__":
    main()
