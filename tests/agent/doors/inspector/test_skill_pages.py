"""The pages of skills in a real browser: the gate, two editors at once, proposals, dry runs, taking out."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lichen.agent.doors.http.keys import LOCAL
from lichen.agent.doors.inspector.access.signing_in import Session
from lichen.agent.doors.inspector.pages.skill_callers import may_edit_library
from lichen.memory.ledger.events import (
    EpisodeEnded,
    EpisodeStarted,
    Recalled,
    RecalledItem,
    SkillCalled,
)
from lichen.memory.ledger.ledger import Entry
from lichen.memory.store.store import Store
from lichen.skills.library import Library

expect = pytest.importorskip("playwright.sync_api").expect

Open = Callable[..., Any]
PLAIN = {"java_script_enabled": False}
"""Of a browser in which no script runs: every form works there too."""
PATHS = (
    "skills",
    "skills?q=take+the+book",
    "skills?view=graph",
    "skills?shelf=drafts",
    "skills/take",
    "skills/take/edit",
    "skills/take/try",
    "skills/wash",
    "skills/grab",
    "skills/-/history",
)


def library(folder: Path) -> Library:
    """The library of a store, read anew."""
    return Library(folder / "skills")


def done(page: Any) -> str:
    """Wait until a job has ended; return what the page says."""
    page.wait_for_url("**/skills/-/jobs/*")
    for _ in range(60):
        if page.locator("[data-stream]").count() == 0:
            break
        page.wait_for_timeout(250)
        page.reload()
    return str(page.locator("main").inner_text())


def test_an_edit_goes_through_the_gate_with_live_results(furnished: Path, opened: Open) -> None:
    page = opened(furnished, path="skills/take")
    page.keyboard.press("e")
    page.wait_for_url("**/skills/take/edit")
    page.locator(".cm-content").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("# and no more")
    page.reload()  # a dropped page loses nothing
    expect(page.locator("[data-restored]")).to_be_visible()
    page.get_by_role("button", name="Save through the gate").first.click()
    page.wait_for_url("**/skills/-/jobs/*")
    page.wait_for_selector("[data-verdict=success]")  # drawn by the stream, not by a reload
    text = page.locator("main").inner_text()
    assert "take@2 is in the library" in text and "fetch@2" in text
    expect(page.locator("main tbody tr")).to_have_count(6)
    now = library(furnished)
    assert "# and no more" in now.get("take").code
    assert now.history("take")[0].author == "local"
    page.get_by_role("link", name="To the skill").click()
    page.get_by_text("Edit", exact=True).click()
    page.wait_for_selector(".cm-content")
    expect(page.locator("[data-restored]")).to_be_hidden()
    page.goto(f"{page.address}/skills/take?old=1&new=2")
    assert "+# and no more" in page.locator("#difference").inner_text()


def test_what_breaks_a_dependent_is_refused_and_kept_as_a_draft(
    furnished: Path, opened: Open
) -> None:
    page = opened(furnished, path="skills/take/edit", **PLAIN)
    code = page.input_value("[name=code]")
    page.fill("[name=code]", code.replace("thing", "item"))
    page.fill("[name=parameter-0-name]", "item")
    page.fill("[name=postconditions]", 'has("{item}")')
    for number in range(3):
        field = f"[name=test-{number}-arguments]"
        page.fill(field, page.input_value(field).replace("thing", "item"))
    page.get_by_role("button", name="Save through the gate").first.click()
    said = done(page)
    assert "It breaks what depends on it: take → fetch" in said
    assert "kept as a draft" in said
    now = library(furnished)
    assert now.get("take").contract.version == 1 and "item" in now.get("take", "drafts").code
    page.goto(f"{page.address}/skills/take/edit")  # the editor goes on with the draft
    assert "breaks" in page.locator(".notice.bad").inner_text()
    assert "item" in page.input_value("[name=code]")


def test_a_field_that_cannot_be_read_is_named_and_nothing_typed_is_lost(
    furnished: Path, opened: Open
) -> None:
    page = opened(furnished, path="skills/take/edit", **PLAIN)
    page.fill("[name=test-1-arguments]", "{thing: plate}")
    page.fill("[name=description]", "hours of work")
    page.get_by_role("button", name="Save through the gate").first.click()
    assert "arguments of the test 'plate' are no JSON" in page.locator("[role=alert]").inner_text()
    assert page.input_value("[name=description]").strip() == "hours of work"
    assert page.input_value("[name=test-1-arguments]") == "{thing: plate}"


def test_two_editors_at_once_see_both_texts_and_lose_nothing(furnished: Path, opened: Open) -> None:
    mine = opened(furnished, path="skills/take/edit", **PLAIN)
    theirs = mine.context.new_page()
    theirs.goto(f"{mine.address}/skills/take/edit")
    theirs.fill("[name=description]", "Their words: take a thing from a place.")
    theirs.get_by_role("button", name="Save through the gate").first.click()
    assert "take@2" in done(theirs)
    mine.fill("[name=description]", "My words: take a thing from a place.")
    with mine.expect_response(lambda answer: answer.request.method == "POST") as answered:
        mine.get_by_role("button", name="Save through the gate").first.click()
    assert answered.value.status == 409
    said = mine.locator("#conflict").inner_text()
    assert "-description: 'Their words" in said.replace('"', "'")
    assert "local wrote" in said
    assert "My words" in mine.input_value("[name=description]")
    assert library(furnished).get("take").contract.version == 2
    mine.get_by_role("button", name="Save through the gate").first.click()
    assert "take@3" in done(mine)
    assert library(furnished).get("take").description.startswith("My words")


def test_a_proposal_is_approved_and_a_draft_rejected_with_a_reason(
    furnished: Path, opened: Open
) -> None:
    page = opened(furnished, path="skills?shelf=proposals")
    page.get_by_role("link", name="grab").click()
    page.get_by_role("button", name="Approve").click()
    assert "grab@1 is in the library" in done(page)
    page.goto(f"{page.address}/skills/wash")
    page.get_by_text("Reject").first.click()
    page.fill("[name=reason]", "nobody washes here")
    page.get_by_role("button", name="Reject").click()
    page.wait_for_url("**shelf=archive")
    assert "nobody washes here" in page.locator("main").inner_text()
    now = library(furnished)
    assert "grab" in now.all() and "wash" in now.all("archive")
    assert now.tombstones()[0].reason == "nobody washes here"


def test_a_dry_run_shows_the_steps_and_writes_nothing(furnished: Path, opened: Open) -> None:
    head = library(furnished).repository.head()
    page = opened(furnished, path="skills/fetch/try")
    page.get_by_role("button", name="Run it").click()
    page.wait_for_url("**/skills/-/jobs/*")
    page.wait_for_selector("text=kept its contract")
    text = page.locator("main").inner_text()
    assert "take book 1 from bed 1" in text and "fetch@1" in text
    page.goto(f"{page.address}/skills/fetch/try")
    page.fill("[name=argument-thing]", "moon")
    page.get_by_role("button", name="Run it").click()
    page.wait_for_selector("text=did not keep its contract")
    assert library(furnished).repository.head() == head


def test_a_skill_is_pinned_taken_out_with_its_dependents_and_brought_back(
    furnished: Path, opened: Open
) -> None:
    page = opened(furnished, path="skills/take", **PLAIN)
    page.get_by_role("button", name="Pin").click()
    assert library(furnished).pins() == {"take"}
    page.get_by_text("Quarantine").first.click()
    page.fill("[name=reason]", "doubtful")
    page.get_by_role("button", name="Quarantine").click()
    assert set(library(furnished).all("quarantine")) == {"take", "fetch"}
    page.goto(f"{page.address}/skills/take")
    page.get_by_role("button", name="Approve").click()
    assert "take@2 is in the library" in done(page)
    page.goto(f"{page.address}/skills/take")
    page.fill("[name=to]", "1")
    page.get_by_role("button", name="Roll back").click()
    done(page)
    page.goto(f"{page.address}/skills/-/history")
    assert "Quarantine take: doubtful" in page.locator("main").inner_text()


def test_a_commit_is_shown_and_undone_from_the_history(furnished: Path, opened: Open) -> None:
    page = opened(furnished, path="skills/-/history", **PLAIN)
    page.get_by_role("row", name="Add fetch@1").get_by_role("link").click()
    assert "+def fetch(" in page.locator(".diff").inner_text()
    page.get_by_role("button", name="Undo this change").click()
    assert "Fetch@1 is in the archive" in done(page)
    assert set(library(furnished).all()) == {"take"}
    page.goto(f"{page.address}/skills/-/history")
    page.get_by_role("row", name="Add fetch@1").last.get_by_role("link").click()
    page.get_by_role("button", name="Make the whole library what it was then").click()
    assert "fetch@2" in done(page)
    assert set(library(furnished).all()) == {"take", "fetch"}
    assert page.goto(f"{page.address}/skills/-/history/feedbeef").status == 404


def test_a_new_skill_begins_as_a_draft(furnished: Path, opened: Open) -> None:
    page = opened(furnished, path="skills")
    page.get_by_text("New skill").click()
    page.fill("[name=name]", "put-away")
    page.locator("details.new select[name=env]").select_option("alfworld-mini")
    page.get_by_role("button", name="Write a draft").click()
    page.wait_for_url("**/skills/put-away/edit")
    assert "def put_away" in page.locator(".cm-content").first.inner_text()
    page.get_by_role("button", name="Save through the gate").first.click()
    page.wait_for_selector("[data-verdict=failure]")
    assert "kept as a draft" in page.locator("main").inner_text()


def test_use_and_worth_past_calls_and_what_was_not_taken_are_told(
    furnished: Path, opened: Open
) -> None:
    items = (RecalledItem(case="take@1", exposed=True, similarity=0.9, propensity=0.5),)
    began = EpisodeStarted(
        env="alfworld-mini",
        family="pick",
        split="train",
        task_id="alfworld-mini/train/x",
        goal="put a book on the shelf",
        source="own",
        llm="tiny",
    )
    offered = Recalled(step=0, considered=2, items=items, abstained=False, grain="skills")
    called = SkillCalled(
        step=0, skill="take@1", arguments={"thing": "book 1"}, outcome="success", steps=2
    )
    with Store(furnished) as store:
        for name, events in (("a", (began, offered, called)), ("b", (began, offered))):
            ended = EpisodeEnded(outcome="success", score=1.0, steps=2)
            rows = [
                Entry(f"w/{name}/{number}", "w", f"w-{name}", event)
                for number, event in enumerate((*events, ended))
            ]
            store.append(rows)
            store.absorb()
    page = opened(furnished, edit=False, path="skills/take")
    text = page.locator("main").inner_text()
    assert "offered in 2 episodes, called 1 times: 1 succeeded, 0 failed" in text
    assert "with tiny" in text and "offering it adds" in text
    assert re.search(r"take@1: mean of \d+ calls 2.0 steps", text) and "@1 thing=book 1" in text
    left = page.locator("section", has_text="Offered and not taken").last
    expect(left.locator("[data-row]")).to_have_count(1)
    expect(left.locator("[data-row] a")).to_have_attribute("href", "/episodes/w-b")


def test_search_is_the_agents_and_the_graph_has_a_list_beside_it(
    furnished: Path, opened: Open
) -> None:
    page = opened(furnished, path="skills")
    page.keyboard.press("/")
    page.keyboard.type("fetch the book")
    page.wait_for_url("**q=fetch*book*")
    first = page.locator("[data-row]").first.inner_text()
    assert first.startswith("fetch@1") and "yes" in first
    page.goto(f"{page.address}/skills?view=graph")
    expect(page.locator("svg.calls a")).to_have_count(2)
    assert "fetch calls take" in page.locator("main .list").inner_text()
    page.locator("svg.calls a").first.click()
    page.wait_for_url("**/skills/*")


def test_what_a_skill_says_is_text(furnished: Path, opened: Open, planted: str) -> None:
    now = library(furnished)
    evil = now.get("take").model_copy(
        update={
            "name": "evil",
            "description": f"</textarea>{planted}",
            "body": f"<h1>{planted}</h1>\u202ebody",
            "code": f'def evil(api: API) -> bool:\n    return "</textarea>{planted}"\n',
        }
    )
    with now.lock():
        now.draft(evil, [planted], author=f"x{planted[:8]}")
    page = opened(furnished, path="skills/evil")
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    for path in ("skills/evil", "skills/evil/edit", "skills?shelf=drafts", "skills/-/history"):
        page.goto(f"{page.address}/{path}")
        assert "Lichen" in page.title()
        assert page.locator("main img, main h1 h1").count() == 0, path
    page.goto(f"{page.address}/skills/evil")
    assert planted in page.locator("main").inner_text()
    assert "\\u202ebody" in page.locator("pre.md").inner_text()


def test_only_who_may_edit_the_whole_library_changes_it(furnished: Path, opened: Open) -> None:
    head = library(furnished).repository.head()
    reader = opened(furnished, edit=False, path="skills/take")
    assert reader.get_by_role("button", name="Pin").count() == 0
    form = {"csrf": "forged", "reason": "no"}
    for what in ("approve", "quarantine", "pin", "edit", "try", "rollback"):
        answer = httpx2.post(f"{reader.address}/skills/take/{what}", data=form)
        assert answer.status_code == 403, what
    assert not may_edit_library(Session(LOCAL.model_copy(update={"namespace": "acme"})))
    assert library(furnished).repository.head() == head


@pytest.mark.parametrize("wide", [1280, 390])
def test_no_page_of_skills_is_wider_than_the_screen(
    furnished: Path, opened: Open, wide: int
) -> None:
    page = opened(furnished, viewport={"width": wide, "height": 844})
    broken: list[str] = []
    page.on("console", lambda said: broken.append(said.text) if said.type == "error" else None)
    for path in PATHS:
        assert page.goto(f"{page.address}/{path}").status == 200, path
        assert page.evaluate("document.documentElement.scrollWidth") <= wide, path
    assert not broken
