"""What keeps somebody from using this page? axe's serious findings, and what is wider than the window."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# WCAG 2.2 AA, and what axe calls good practice.
RULES = "wcag2a wcag2aa wcag21a wcag21aa wcag22aa best-practice".split()
OPTIONS = {"resultTypes": ["violations"], "runOnly": RULES}
GRAVE = ("serious", "critical")
TOO_WIDE = "() => document.documentElement.scrollWidth > innerWidth"


def problems(page: Page) -> list[str]:
    """Empty for a page that everybody can use."""
    found = Axe().run(page, options=OPTIONS).response["violations"]
    grave = [one for one in found if one["impact"] in GRAVE]
    named = [f"{one['id']} {node['target']}" for one in grave for node in one["nodes"]]
    return named + (["wider than the window"] if page.evaluate(TOO_WIDE) else [])
