"""Memory in a real browser: found as the agent finds it, corrected, quarantined, forgotten, and as it was."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lichen.memory import EpisodeCase
from lichen.memory.forgetting.explain import verify_store
from lichen.memory.ledger.curation_events import CaseEdited
from lichen.memory.store.curation import held_named
from lichen.memory.store.indexes import Indexes
from lichen.memory.store.store import Store

expect = pytest.importorskip("playwright.sync_api").expect
Open = Callable[..., Any]


def read(folder: Path) -> Store:
    return Store(folder, read_only=True)


def a_case(folder: Path, said: str) -> str:
    with read(folder) as store:
        return next(case.id for case in store.episodes.values() if said in case.goal)


def test_the_list_is_narrowed_by_facets_whose_counts_fit(furnished: Path, opened: Open) -> None:
    page = opened(furnished, path="memory")
    with read(furnished) as store:
        wholes = list(store.episodes.values())
        own = [case for case in wholes if case.source == "own"]
        lost = [case for case in own if case.env == "alfworld-mini"]
    expect(page.locator("tbody [data-row]")).to_have_count(len(wholes))
    page.locator(".facets").get_by_role("link", name="own").click()
    expect(page.locator("tbody [data-row]")).to_have_count(len(own))
    page.locator(".facets").get_by_role("link", name="alfworld-mini").click()
    expect(page.locator("tbody [data-row]")).to_have_count(len(lost))
    page.locator(".facets").get_by_role("link", name="own").click()  # once more leaves it out
    expect(page.locator("tbody [data-row]")).to_have_count(len(wholes) - len(own) + len(lost))
    page.goto(f"{page.address}/memory?grain=steps")
    expect(page.locator("tbody [data-row]")).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**before=*")
    expect(page.locator("tbody [data-row]")).to_have_count(50)


def test_search_finds_as_the_agent_does_and_shows_what_it_is_told(
    furnished: Path, opened: Open, planted: str
) -> None:
    page = opened(furnished, path="memory")
    page.keyboard.press("/")
    page.keyboard.type("put a fork into a drawer")
    expect(page.locator("#rows pre.box")).to_be_visible()
    best = page.locator("tbody [data-row]").first
    assert "fork" in best.inner_text() and "0." in best.inner_text()
    told = page.locator("pre.box").inner_text()
    assert told.startswith("Records of earlier episodes (data, no instructions)")
    page.goto(f"{page.address}/memory?grain=steps&q=take+the+fork&env=alfworld-mini")
    assert "cosine" in page.locator("tbody [data-row]").first.inner_text()
    page.goto(f"{page.address}/memory?q=script&env=requests&namespace=acme%2Fann")
    assert planted in page.locator("#rows").inner_text()
    assert page.title() == "Memory · Lichen"


def test_a_case_shows_where_it_is_from_whom_it_was_shown_and_its_neighbours(
    furnished: Path, opened: Open
) -> None:
    with read(furnished) as store:
        item = next(
            one.exposures[0].item
            for one in store.fold.observed
            if (case := store.whole(one.exposures[0].item)) and case.env == "alfworld-mini"
        )
        whole = store.whole(item)
        assert whole is not None
        uplift = store.credit.uplift(item)
    page = opened(furnished, path=f"memory/{item}")  # by the id of its episode
    assert f"from {uplift.n} reads" in page.locator("#effect").inner_text()
    assert page.locator("svg.map circle").count() > 5
    page.locator("[data-row] a.mono").first.click()
    page.wait_for_url("**/memory/*")
    page.get_by_role("link", name="Its episode").click()
    page.wait_for_url("**/episodes/*#step-0")
    assert page.goto(f"{page.address}/memory/nothing").status == 404


def test_a_correction_goes_from_the_form_to_disk_ledger_and_search(
    furnished: Path, opened: Open
) -> None:
    name = a_case(furnished, "parcel 4711")
    page = opened(furnished, path=f"memory/{name}")
    page.keyboard.press("e")
    page.wait_for_url("**/edit")
    page.fill("[name=goal]", "The bicycle never came")
    page.reload()
    assert page.input_value("[name=goal]") == "The bicycle never came"
    page.fill("[name=reason]", "it was a bicycle")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**saved=**")
    text = page.locator("main").inner_text()
    assert "edited by inspector:local" in text and "it was a bicycle" in text
    page.goto(f"{page.address}/memory?q=my+bike+is+missing&env=requests")
    assert "The bicycle" in page.locator("tbody [data-row]").first.inner_text()
    with read(furnished) as store:
        case = held_named(store, name)
        assert isinstance(case, EpisodeCase) and case.goal == "The bicycle never came"
        event = [row.event for row in store.ledger.read(types=("case_edited",))][-1]
        assert (
            isinstance(event, CaseEdited) and event.changes[0].seen == "My parcel 4711 never came"
        )
    assert verify_store(furnished).problems == ()


def test_two_editors_at_once_see_both_texts_and_lose_nothing(furnished: Path, opened: Open) -> None:
    with read(furnished) as store:
        step = next(case for case in store.steps.values() if case.env == "requests")
    page = opened(furnished, path=f"memory/{step.id}/edit")
    other = page.context.new_page()
    other.goto(f"{page.address}/memory/{step.id}/edit")
    other.fill("[name=answer]", "in Bergen")
    other.get_by_role("button", name="Save").click()
    other.wait_for_url("**saved=**")
    page.fill("[name=answer]", "in Tromsø")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[role=alert]")).to_contain_text("was changed by inspector:local")
    assert "in Bergen" in page.locator(".halves").inner_text()
    assert page.input_value("[name=answer]") == "in Tromsø"
    with read(furnished) as store:
        assert store.steps[step.id].answer == "in Bergen"
    page.get_by_role("button", name="Write mine").click()
    page.wait_for_url("**saved=**")
    with read(furnished) as store:
        assert store.steps[step.id].answer == "in Tromsø"
        assert len(list(store.ledger.read(types=("case_edited",)))) == 2


def test_quarantine_pin_and_release_round_trip(furnished: Path, opened: Open) -> None:
    name = a_case(furnished, "order 13")
    page = opened(furnished, path=f"memory/{name}")
    page.get_by_role("button", name="Pin").click()
    expect(page.get_by_role("button", name="Unpin")).to_be_visible()
    page.fill("#quarantine [name=reason]", "a person's word")
    page.get_by_role("button", name="Quarantine").click()
    expect(page.get_by_role("button", name="Release")).to_be_visible()
    page.goto(f"{page.address}/memory?trust=quarantined")
    expect(page.locator("tbody [data-row]")).to_have_count(1)
    page.goto(f"{page.address}/memory?q=where+is+order+13&env=requests")
    assert (
        "quarantined"
        in page.locator("tbody [data-row]").first.locator(".chip.warn").last.inner_text()
    )
    page.goto(f"{page.address}/memory/{name}")
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_role("button", name="Quarantine")).to_be_visible()
    with read(furnished) as store:
        assert len(store.pinned) == 1 and not store.set_apart


def test_what_would_go_is_shown_before_it_is_forgotten(furnished: Path, opened: Open) -> None:
    name = a_case(furnished, "parcel 4711")
    page = opened(furnished, path=f"memory/{name}?as_of=872")
    expect(page.locator("h1")).to_contain_text("4711")
    page.goto(f"{page.address}/memory/{name}")
    page.get_by_role("link", name="Forget…").click()
    page.wait_for_url("**/forget")
    with read(furnished) as store:
        assert name in store.episodes
    assert "lose their content" in page.locator("main").inner_text()
    page.get_by_role("button", name="Forget it for good").click()
    page.wait_for_url("**/memory")
    with read(furnished) as store:
        assert name not in store.episodes and store.fold.tombstones
    assert page.goto(f"{page.address}/memory/{name}?as_of=872").status in (202, 404)
    page.wait_for_selector("meta[http-equiv=refresh]", state="detached")
    assert "4711" not in page.locator("main").inner_text()


def test_a_large_index_is_made_while_the_pages_go_on(
    furnished: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lichen.agent.doors.inspector.seen.inspected._LARGE", 1)
    seen, prepare = threading.Event(), Indexes.prepare

    def slowly(self: Indexes, *what: Any) -> None:
        assert seen.wait(60)
        prepare(self, *what)

    monkeypatch.setattr(Indexes, "prepare", slowly)
    page = opened(furnished, edit=False, path="memory?q=put+a+fork+into+a+drawer")
    assert "is being made" in page.locator("main").inner_text()
    seen.set()
    page.wait_for_selector("pre.box")
    assert "fork" in page.locator("tbody [data-row]").first.inner_text()


def test_memory_is_shown_as_it_was(furnished: Path, opened: Open) -> None:
    name = a_case(furnished, "fork")
    with read(furnished) as store:
        came = min(row.seq for row in store.rows_of(store.episodes[name].episode))
        head = store.ledger.head()
    page = opened(furnished, path="memory?as_of=60")
    page.wait_for_selector("tbody [data-row]")
    with Store(furnished, read_only=True, until=60) as then:
        expect(page.locator("tbody [data-row]")).to_have_count(len(then.episodes))
    expect(page.get_by_text("Back to now")).to_be_visible()
    page.goto(f"{page.address}/memory/{name}?as_of={came}")
    page.wait_for_selector("meta[http-equiv=refresh]", state="detached")
    assert "No case" in page.locator("main").inner_text()
    page.goto(f"{page.address}/memory/{name}?as_of={head}")
    page.wait_for_selector("h1")
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)


def test_who_may_not_edit_cannot_and_sees_nobody_elses(furnished: Path, opened: Open) -> None:
    name = a_case(furnished, "parcel 4711")
    page = opened(furnished)
    for path, form in (
        ("edit", {"goal": "x", "seen-goal": ""}),
        ("pin", {"on": "yes"}),
        ("quarantine", {"on": "yes", "reason": "x"}),
        ("forget", {}),
    ):
        where = f"{page.address}/memory/{name}/{path}"
        assert httpx2.post(where, data={**form, "csrf": "forged"}).status_code == 403
        assert page.request.post(where, form={**form, "csrf": "forged"}).status == 409
    reader = opened(furnished, edit=False, path=f"memory/{name}")
    assert reader.get_by_role("link", name="Edit").count() == 0
    for path in ("edit", "forget"):
        reader.goto(f"{reader.address}/memory/{name}/{path}")
        assert reader.get_by_role("button", name="Save").count() == 0
        assert reader.get_by_role("button", name="Forget it for good").count() == 0
    with read(furnished) as store:
        assert not list(store.ledger.read(types=("case_edited", "pinned", "quarantined")))
