"""Axe finds nothing serious on any page, light or dark, wide or narrow."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from lichen.agent.doors.inspector.screenshots import PAGES, SIZES, there

Open = Callable[..., Any]
SERIOUS = ("serious", "critical")


@pytest.mark.parametrize(("theme", "size"), zip(("light", "dark"), SIZES, strict=True))
def test_no_page_has_a_serious_violation(
    furnished: Path, opened: Open, theme: str, size: tuple[int, int]
) -> None:
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    viewport = {"width": size[0], "height": size[1]}
    page = opened(furnished, color_scheme=theme, viewport=viewport, bypass_csp=True)
    seen, bad = [], []
    for name, way in PAGES.items():
        assert there(page, page.address, way), name
        page.evaluate(axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        seen.append(name)
        bad += [
            f"{name}: {one['id']} {one['help']}: {one['nodes'][0]['html'][:160]}"
            for one in found["violations"]
            if one["impact"] in SERIOUS
        ]
    assert bad == [] and len(seen) == len(PAGES)
