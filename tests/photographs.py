"""Takes the pictures of the README again: a run of the baseline and its tornado, in Chromium.

`python -m tests.photographs` writes them into `docs/`; on two cores it takes some five minutes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.conftest import QUIET_CHROMIUM

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
CHARTS = {"finished": "enrolment", "work": "hours", "register": "tornado"}
"""Of each section of the page the first chart, and the name of its picture."""

WIDTH, HEIGHT, MARGIN = 1040, 900, 16
TO = "#reached > figure"
"""The picture of the page ends below this."""


def main() -> None:
    """Simulate, join, and photograph the page."""
    with tempfile.TemporaryDirectory() as home:
        run, tornado, joined = (Path(home) / name for name in ("run", "tornado", "joined"))
        baseline = str(ROOT / "scenarios" / "baseline.yaml")
        trialsim("run", baseline, "--quiet", "--out", run)
        trialsim("sweep", baseline, "--tornado", "--replications", "100", "--out", tornado)
        trialsim("report", run, tornado, "--out", joined)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=QUIET_CHROMIUM
            )
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.goto((joined / "report.html").as_uri())
            page.wait_for_selector("body.drawn")
            photograph(page)
            browser.close()


def trialsim(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "sim", *arguments], cwd=ROOT, check=True)


def photograph(page: Page) -> None:
    DOCS.mkdir(exist_ok=True)
    page.add_style_tag(content=".vega-embed summary { display: none !important; }")
    for section, name in CHARTS.items():
        page.locator(f"#{section} > figure").first.screenshot(path=DOCS / f"{name}.png")
    end = page.locator(TO).first.bounding_box()
    if end is None:
        raise LookupError(TO)
    page.screenshot(
        path=DOCS / "page.png",
        full_page=True,
        clip={"x": 0, "y": 0, "width": WIDTH, "height": end["y"] + end["height"] + MARGIN},
    )


if __name__ == "__main__":
    main()
