"""The playbook in a real browser: rules with what they gained and are from; added, corrected, taken out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lichen.memory.store.playbook import bullets_of, promote
from lichen.memory.store.store import Store

expect = pytest.importorskip("playwright.sync_api").expect
Open = Callable[..., Any]


def rules(folder: Path) -> list[tuple[str, str]]:
    with Store(folder, read_only=True) as store:
        return [(bullet.text, bullet.by) for bullet in bullets_of(store)]


def test_rules_are_shown_with_their_gain_and_episodes(furnished: Path, opened: Open) -> None:
    with Store(furnished) as store:
        episode = next(iter(store.episodes.values())).episode
        said = [("Open the <b>drawer</b> first.", [episode])]
        promote(store, "alfworld-mini", said, gain=(0.3, 0.1, 0.5), tasks=12, reason="searched")
    page = opened(furnished, edit=False, path="playbook")
    row = page.locator("tbody [data-row]")
    expect(row).to_have_count(1)
    assert "Open the <b>drawer</b> first." in row.inner_text()  # as text
    assert "+0.30 [+0.10, +0.50], 12 tasks" in row.inner_text()
    row.get_by_text("1 episode").click()
    row.get_by_role("link", name=episode).click()
    page.wait_for_url("**/episodes/**")
    page.goto(f"{page.address}/playbook")
    assert page.get_by_role("button", name="Add").count() == 0


def test_a_person_adds_corrects_and_takes_out(furnished: Path, opened: Open) -> None:
    page = opened(furnished, path="playbook")
    expect(page.get_by_text("No rules yet")).to_be_visible()
    for text in ("Look first.", "Ask before paying."):
        page.get_by_label("Environment").fill("desk")
        page.get_by_label("What it says").fill(text)
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_text(text, exact=True).first).to_be_visible()
    page.get_by_label("Environment").fill("desk")
    page.get_by_label("What it says").fill("Look first.")
    page.get_by_role("button", name="Add").click()
    assert "says this already" in page.get_by_role("alert").inner_text()
    first = page.locator("tbody [data-row]").first
    first.get_by_text("Correct or take out").click()
    first.get_by_label("What it should say").fill("Look around first.")
    first.get_by_role("button", name="Save").click()
    expect(page.locator("tbody [data-row]").first).to_contain_text("Look around first.")
    second = page.locator("tbody [data-row]").nth(1)
    second.get_by_text("Correct or take out").click()
    second.get_by_role("button", name="Take out").click()
    expect(page.locator("tbody [data-row]")).to_have_count(1)
    ((text, by),) = rules(furnished)
    assert text == "Look around first."
    assert by.startswith("inspector:")
