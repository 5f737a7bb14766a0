"""What several files of tests share: a browser with no network."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

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
