"""Who looks at the pages? Debian's Chromium, as wide as a phone or a desk; it notes whatever goes wrong."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

# Without these a browser on a build machine asks its maker for updates, or does not start as root.
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
# Two busy cores run the browser and six processes.
PATIENCE_MS = 30_000
# Leaving a page cuts off what it was asking for, and a download is no page.
CUT_OFF = "net::ERR_ABORTED"


@dataclass(frozen=True)
class Shape:
    """How large the window is, and whether it runs scripts."""

    width: int
    height: int
    scheme: str = "light"
    has_script: bool = True


PHONE = Shape(390, 844)
DESK = Shape(1280, 800)


@dataclass
class Window:
    """One person's browser. `faults` is everything that a careful developer would see in its console."""

    context: BrowserContext
    faults: list[str] = field(default_factory=list)

    def open(self, url: str = "") -> Page:
        page = self.context.new_page()
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        if url:
            page.goto(url)
        return page

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != CUT_OFF:
            self.faults.append(f"no answer: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.url}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that is missing or does not start is a fault of the run, never a reason to skip."""
    path = shutil.which("chromium")
    expect.set_options(timeout=PATIENCE_MS)
    assert path, "there is no chromium on the PATH: apt-get install --no-install-recommends chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(browser: Browser, shape: Shape, **more: Any) -> Iterator[Window]:
    context = browser.new_context(
        viewport={"width": shape.width, "height": shape.height},
        color_scheme=shape.scheme,  # type: ignore[arg-type]  # one of the words that it takes
        java_script_enabled=shape.has_script,
        **more,
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield Window(context)
    finally:
        context.close()
