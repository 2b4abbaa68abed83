"""Pictures of every page, in both themes and at two widths: for the documentation, and to be judged by eye."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from .chromium import browser, served

SIZES = ((1280, 900), (390, 844))
"""Pixels: a desk, and a telephone."""
PAGES = {
    "overview": "",
    "episodes": "episodes",
    "episode": "episodes?source=own&outcome=success >[data-row] a",
    "waiting": "episodes?outcome=waiting >[data-row] a",
    "compare": "episodes?source=own&outcome=success >[data-row] a >a[href*='compare']",
    "skills": "skills",
    "skills-graph": "skills?view=graph",
    "skill": "skills >[data-row] a",
    "skill-editor": "skills >[data-row] a >a[data-edit]",
    "skill-history": "skills/-/history",
    "memory": "memory",
    "memory-search": "memory?q=put+a+fork+into+a+drawer",
    "memory-steps": "memory?grain=steps&env=alfworld-mini&q=take+a+fork",
    "case": "memory?env=alfworld-mini&source=own >[data-row] a",
    "case-edit": "memory?env=alfworld-mini&source=own >[data-row] a >a[data-edit]",
    "case-forget": "memory?env=alfworld-mini&source=demonstration >[data-row] a >a[href$='forget']",
    "memory-then": "memory?as_of=200",
    "skill-commit": "skills/-/history >[data-row] a",
    "skill-try": "skills >[data-row] a >a[href$='/try']",
    "tools": "tools",
    "tool": "tools?q=find_order >[data-row] a",
    "settings": "settings",
}
"""Name -> a path, and what is clicked on from there."""


def take(app: FastAPI, folder: Path) -> Iterator[Path]:
    """Write pictures of all pages into a folder, and yield their paths.

    Args:
        app: Of `inspector_app`; who looks may edit, so that forms are in the pictures.
        folder: Made when it is not there.

    Raises:
        MissingExtra: Playwright is not installed.
        UsageError: There is no Chromium.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with served(app) as address, browser() as chromium:
        for width, height in SIZES:
            for theme in ("light", "dark"):
                context = chromium.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme=theme,
                    reduced_motion="reduce",
                )
                page = context.new_page()
                page.goto(f"{address}/sign-in?key={app.state.sessions.one_time()}")
                for name, way in PAGES.items():
                    if there(page, address, way):
                        file = folder / f"{name}-{width}-{theme}.png"
                        page.screenshot(path=file, full_page=True)
                        yield file
                context.close()


def there(page: Any, address: str, way: str) -> bool:
    """Go to a page; return whether it exists with what this store holds."""
    path, *clicks = (part.strip() for part in way.split(">"))
    page.goto(f"{address}/{path}")
    page.wait_for_selector("meta[http-equiv=refresh]", state="detached")
    for selector in clicks:
        link = page.locator(selector).first
        if not link.count():
            return False
        page.goto(page.evaluate("at => at.href", link.element_handle()))
    return True
