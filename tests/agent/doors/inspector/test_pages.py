"""The pages in a real browser: they show what is there, obey nothing that they show, and work by keyboard."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lichen.agent import Agent, ScriptedLLM
from lichen.envs import Tool
from lichen.memory.store.store import Store

expect = pytest.importorskip("playwright.sync_api").expect

Open = Callable[..., Any]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PATHS = ("", "episodes", "episodes/compare", "playbook", "settings", "sign-in")


def test_the_overview_says_whether_it_learns_and_what_waits(furnished: Path, opened: Open) -> None:
    page = opened(furnished)
    text = page.locator("main").inner_text()
    for said in (
        "success in 19 own episodes",
        "Needs a person",
        "skills are proposed",
        "This week",
    ):
        assert said in text
    page.get_by_text("calls wait for approval").click()
    expect(page.locator("[data-row]")).to_have_count(1)


def test_an_empty_store_says_what_to_do(tmp_path: Path, opened: Open) -> None:
    Store(tmp_path / "new").close()
    for path in ("", "episodes"):
        page = opened(tmp_path / "new", edit=False, path=path)
        assert "lichen run" in page.locator(".empty").inner_text()


def test_an_episode_is_told_step_by_step_with_why(furnished: Path, opened: Open) -> None:
    page = opened(furnished, path="episodes?env=alfworld-mini&source=own")
    page.locator("[data-row] a").first.click()
    expect(page.locator(".timeline > li").nth(1)).to_be_visible()
    page.get_by_text("Why this?").first.click()
    expect(page.locator(".timeline > li").first.get_by_text("recalled").first).to_be_visible()
    page.get_by_text("from the beginning").click()
    expect(page.locator(".timeline > li")).to_have_count(1)
    page.get_by_text("on ▸").click()
    expect(page.locator(".timeline > li")).to_have_count(2)
    page.get_by_text("Compare").click()
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".halves > section")).to_have_count(2)


def test_a_verdict_is_written_and_what_was_typed_is_kept_until_then(
    furnished: Path, opened: Open
) -> None:
    page = opened(furnished, path="episodes?q=order+13")
    page.locator("[data-row] a").first.click()
    page.wait_for_url("**/episodes/*")
    page.fill("[name=note]", "the house rule says four digits")
    page.reload()
    assert page.input_value("[name=note]") == "the house rule says four digits"
    page.get_by_role("button", name="It was right").click()
    page.wait_for_url("**saved=**")
    assert page.input_value("[name=note]") == ""
    assert "the house rule says four digits" in page.locator("#verdict").inner_text()
    episode = page.url.split("/episodes/")[1].split("?")[0]
    with Store(furnished, read_only=True) as store:
        whole = store.whole(episode)
        assert whole is not None and whole.outcome == "success"


def test_what_others_wrote_is_text_and_never_obeyed(
    furnished: Path, opened: Open, planted: str
) -> None:
    page = opened(furnished, path="episodes?q=script")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    page.locator("[data-row] a").first.click()
    page.wait_for_url("**/episodes/*")
    assert planted in page.locator("h1").inner_text()
    assert page.title().startswith("<script>")
    assert "\\u202e4711" in page.locator("h1").inner_text()
    assert "\\x1b[31m" in page.locator("h1").inner_text()
    assert all(url.startswith(page.address) for url in asked)
    answer = page.request.get(page.url)
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    assert "<script>document" not in answer.text()


def test_keys_walk_through_the_pages(furnished: Path, opened: Open) -> None:
    page = opened(furnished)
    page.keyboard.press("g")
    page.keyboard.press("e")
    page.wait_for_url("**/episodes")
    page.keyboard.press("/")
    page.keyboard.type("fork")
    page.wait_for_url("**q=fork*")
    expect(page.locator("[data-row]").nth(10)).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tr.at")).to_have_count(1)
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/episodes/*")
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "390"])
def test_no_page_is_wider_than_the_screen(furnished: Path, opened: Open, size: Any) -> None:
    page = opened(furnished, viewport=size)
    for path in PATHS:
        page.goto(f"{page.address}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path


def test_without_a_key_nothing_is_changed_and_a_forged_form_neither(
    furnished: Path, opened: Open
) -> None:
    page = opened(furnished)
    episode = page.goto(f"{page.address}/episodes?q=4711").text()
    name = episode.split('data-row><td class="what"><a href="/episodes/')[1].split('"')[0]
    form = {"said": "good", "csrf": "forged"}
    verdict = f"{page.address}/episodes/{name}/verdict"
    assert httpx2.post(verdict, data=form).status_code == 403  # no session
    assert page.request.post(verdict, form=form).status == 409  # not this session's form
    before = Store(furnished, read_only=True)
    count = before.ledger.head()
    before.close()
    reader = opened(furnished, edit=False)
    assert "read-only" in reader.locator(".state").inner_text()
    after = Store(furnished, read_only=True)
    assert after.ledger.head() == count
    after.close()


def test_a_one_time_key_signs_in_once_and_signing_out_ends_it(
    furnished: Path, opened: Open
) -> None:
    page = opened(furnished, edit=False)
    secret = page.inspector.state.sessions.one_time()
    page.goto(f"{page.address}/sign-in?key={secret}")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert secret not in page.url
    cookie = page.context.cookies()[0]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert "unknown" in page.goto(f"{page.address}/sign-in?key={secret}").text()


def test_what_is_written_meanwhile_appears_by_itself(furnished: Path, opened: Open) -> None:
    page = opened(furnished, edit=False, path="episodes?outcome=waiting")
    page.locator("[data-row] a").first.click()
    expect(page.locator("[data-stream-state]")).to_have_text("live")
    expect(page.locator(".timeline > li")).to_have_count(0)
    page.wait_for_url("**/episodes/*")
    episode = page.url.split("/episodes/")[1]

    def refund(order: int) -> str:
        "Pay an order back."
        return "paid"

    def find_order(order: int) -> str:
        "Say where an order is."
        return "here"

    tools = [Tool(find_order), Tool(refund, needs_approval=True)]
    llm = ScriptedLLM(["Done."])
    with (
        Agent.from_config(store=furnished, llm=llm, tools=tools) as agent,
        ThreadPoolExecutor() as pool,  # playwright has a loop in this thread
    ):
        pool.submit(agent.approve, episode).result()
    page.wait_for_selector(".timeline > li")
    assert "refund" in page.locator(".timeline").inner_text()
    expect(page.locator("[data-stream-state]")).to_have_text("ended")
