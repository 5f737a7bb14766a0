"""What several files of tests share: a browser with no network, pages with nothing on them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

os.environ["LC_ALL"] = "C.UTF-8"  # tests read what is said in English, wherever they run

QUIET_CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture
def blank_pages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave pages empty, where they are not what is tested: a page takes longer than its run.

    A test of such a file that does look at pages is marked `pages`.
    """
    from sim.report import pages  # noqa: PLC0415  slow to import

    if request.node.get_closest_marker("pages") is None:
        monkeypatch.setattr(pages, "write_page", blank)


def blank(finished: Path, language: str = "en", **_: bool) -> None:
    """Write an empty page."""
    (finished / "report.html").write_text(f'<html lang="{language}"></html>', encoding="utf-8")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; without one a test is skipped or, where it is required, fails."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        give_up = pytest.fail if os.environ.get("TRIALSIM_REQUIRE_BROWSER") == "1" else pytest.skip
        give_up("no chromium on the path: the page cannot be opened")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  a skip needs no playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET_CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page with no network."""
    context = browser.new_context(offline=True)
    yield context.new_page()
    context.close()
