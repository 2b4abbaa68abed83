"""The pages of tools in a real browser: what calls came to, how they fail, and only what a key may see."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lichen.agent.doors.http.keys import LOCAL
from lichen.agent.doors.inspector.seen.tool_table import ToolTable
from lichen.memory.ledger.events import ContractSeen
from lichen.memory.ledger.ledger import Entry
from lichen.memory.store.store import Store

expect = pytest.importorskip("playwright.sync_api").expect

Open = Callable[..., Any]


def test_a_tool_is_told_with_patterns_failures_and_the_cases_that_used_it(
    furnished: Path, opened: Open, planted: str
) -> None:
    page = opened(furnished, path="tools")
    page.keyboard.press("/")
    page.keyboard.type("find_order")
    page.wait_for_url("**q=find_order**")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.locator("[data-row] a").first.click()
    page.wait_for_url("**/tools/find_order**")
    text = page.locator("main").inner_text()
    assert "3\ncalls" in text and "order 13 is no order" in text and "order from" in text
    assert planted in text and page.locator("main img").count() == 0
    page.get_by_text("Where is order 13?").click()
    page.wait_for_url("**/episodes/*#step-0")


def test_a_changed_contract_is_named_with_what_it_quarantined(
    furnished: Path, opened: Open
) -> None:
    with Store(furnished) as store:
        event = ContractSeen(env="alfworld-mini", tool="go", schema_hash="feedbeef00000000")
        store.append([Entry("contract/alfworld-mini/go/test", "contracts", "", event)])
        store.absorb()
    page = opened(furnished, edit=False, path="tools?q=go&env=alfworld-mini")
    row = page.locator("[data-row]").first
    assert "contract changed" in row.inner_text() and "quarantined" in row.inner_text()
    row.locator("a").first.click()
    page.wait_for_url("**/tools/go**")
    text = page.locator("main").inner_text()
    assert "another contract now" in text and "contract feedbeef00000000" in text
    page.get_by_text("Open alfworld-mini and look").click()
    expect(page.get_by_text("there actions are words")).to_be_visible()


def test_a_key_sees_only_the_calls_of_its_namespace(furnished: Path) -> None:
    with Store(furnished, read_only=True) as store:
        table = ToolTable()

        def seen(namespace: str) -> set[str]:
            key = LOCAL.model_copy(update={"namespace": namespace})
            return {line.record.tool for line in table.lines(store, key)}

        assert {"go", "find_order"} <= seen("")
        assert "find_order" in seen("acme") and "go" not in seen("acme")
        assert seen("other") == set()


def test_a_tool_that_nobody_called_is_no_page_and_an_empty_store_says_what_to_do(
    furnished: Path, opened: Open, tmp_path: Path
) -> None:
    page = opened(furnished, edit=False)
    assert page.goto(f"{page.address}/tools/find_ordr").status == 404
    assert "did you mean 'find_order'" in page.locator("[role=alert]").inner_text()
    Store(tmp_path / "new").close()
    empty = opened(tmp_path / "new", edit=False, path="tools")
    assert "lichen run" in empty.locator(".empty").inner_text()
