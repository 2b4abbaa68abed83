"""A key of one namespace sees nothing of another, nor of everyone's, on any page, and changes nothing of it."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
from starlette.testclient import TestClient

from lichen.agent.config import load_config
from lichen.agent.doors.http.keys import FILE, KeyRing, add_key
from lichen.agent.doors.inspector.inspector_app import inspector_app
from lichen.agent.doors.inspector.seen.inspected import Inspected, changing
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.store import Store

ANN = "acme/ann"
OTHERS = ("Pay back 4712", "secret answer", "acme/bob", "4712")


class Seat:
    """A browser in which ann's key is signed in, over a store that is open for writing."""

    def __init__(self, folder: Path, store: Store, scopes: list[str]) -> None:
        self.store = store
        ring = KeyRing(folder / FILE)
        secret = add_key(folder / FILE, "-".join(scopes), scopes, ANN)
        config = load_config(None, store=folder, embedder="hashing")
        self.inspected = Inspected(config, HashingEmbedder(), changing(store))
        self.client = TestClient(inspector_app(self.inspected, ring), base_url="http://localhost")
        home = self.client.post("/sign-in", data={"key": secret}).text
        found = re.search(r'data-csrf="([^"]+)"', home)
        assert found is not None
        self.csrf = found[1]
        lines = self.inspected.log.lines()
        self.mine = [line.id for line in lines if line.namespace == ANN]
        others = [line for line in lines if line.namespace != ANN]
        bob = [line.id for line in others if line.namespace]
        learned = [case.episode for case in store.episodes.values() if not case.namespace]
        self.others = [*bob, learned[0], learned[-1]]
        self.all_others = {line.id for line in others}
        self.steps = [i for i, case in store.steps.items() if case.namespace != ANN]


@pytest.fixture(params=[["read"], ["read", "edit"]], ids=["reads", "edits"])
def seat(furnished: Path, request: pytest.FixtureRequest) -> Iterator[Seat]:
    with Store(furnished, embedder=HashingEmbedder()) as store:
        made = Seat(furnished, store, request.param)
        assert len(made.mine) == 3 and len(made.others) == 3
        yield made
        made.inspected.close()


def test_all_that_can_be_reached_by_links_is_its_own(seat: Seat) -> None:
    terms = "?q=parcel+4711", "?q=Pay+back+4712", "?q=put+book", "?q=order&grain=steps"
    todo = ["/", "/episodes", "/memory", "/memory?as_of=1000", "/tools", "/settings"]
    todo += [f"/memory{term}" for term in terms] + [f"/episodes{term}" for term in terms]
    todo += ["/memory?namespace=acme/bob", "/memory?namespace=acme/bob&q=Pay+back+4712"]
    todo += [
        "/episodes?namespace=acme/bob",
        "/episodes/compare",
        "/memory?episode=" + seat.others[0],
    ]
    seen: set[str] = set()
    while todo:
        path = todo.pop()
        if path in seen or path.startswith(("/static", "/skills")) or "full=" in path:
            continue
        seen.add(path)
        answer = seat.client.get(path)
        assert answer.status_code in (200, 202, 404), path
        said, asked = (
            html.unescape(answer.text),
            unquote_plus(path),
        )  # what was asked may be repeated
        for word in OTHERS:
            assert word in asked or word not in said, (path, word)
        assert not {i for i in seat.all_others if i in said and i not in asked}, path
        hrefs = (html.unescape(found) for found in re.findall(r'href="(/[^"#]*)', answer.text))
        todo += [href for href in hrefs if len(seen) < 150]
    assert len(seen) > 30


def test_counts_are_of_its_own(seat: Seat) -> None:
    known = sum(case.namespace == ANN for case in seat.store.episodes.values())
    assert 0 < known < len(seat.store.episodes)
    memory = seat.client.get("/memory").text
    assert re.findall(r'episodes <span class="soft">(\d+)<', memory) == [str(known)]
    steps = sum(case.namespace == ANN for case in seat.store.steps.values())
    assert re.findall(r'steps <span class="soft">(\d+)<', memory) == [str(steps)]
    assert f"of {len(seat.store.episodes)}" not in memory
    overview = seat.client.get("/").text
    assert re.findall(r"<b>(\d+)</b><span>[^<]*memory", overview) == [str(known)], overview


def test_no_route_shows_or_changes_what_is_of_others(seat: Seat) -> None:
    head = seat.store.ledger.head()
    for name in [*seat.others, *seat.steps[:2]]:
        for end in ("", "/stream"):
            assert seat.client.get(f"/episodes/{name}{end}").status_code == 404
        for end in ("", "/edit", "/forget", "?as_of=1000"):
            for _ in range(100):
                answer = seat.client.get(f"/memory/{name}{end}")
                if answer.status_code != 202:  # an earlier state is being folded
                    break
            assert answer.status_code == 404, end
            assert "cases in" not in answer.text
        assert seat.client.get(f"/episodes/compare?a={seat.mine[0]}&b={name}").status_code == 404
        for path in ("episodes/{}/verdict", "episodes/{}/approval", "memory/{}/edit"):
            form = {"csrf": seat.csrf, "said": "good", "goal": "mine now", "seen-goal": ""}
            assert seat.client.post(path.format(name), data=form).status_code in (403, 404)
        for path in ("memory/{}/pin", "memory/{}/quarantine", "memory/{}/forget"):
            sent = seat.client.post(path.format(name), data={"csrf": seat.csrf, "on": "yes"})
            assert sent.status_code in (403, 404)
    for act in (
        "approve",
        "reject",
        "quarantine",
        "retire",
        "pin",
        "test",
        "rollback",
        "try",
        "edit",
    ):
        assert seat.client.post(f"skills/take/{act}", data={"csrf": seat.csrf}).status_code == 403
    for path in ("skills/-/new", "skills/-/history/abcd/undo"):
        assert seat.client.post(path, data={"csrf": seat.csrf}).status_code == 403
    assert seat.store.ledger.head() == head


def test_the_beginning_of_an_id_is_looked_for_among_its_own(seat: Seat) -> None:
    own = [r for r in seat.store.records() if r.namespace == ANN]
    wholes = [r for r in seat.store.episodes.values() if r.namespace == ANN]
    for letter in "0123456789abcdef":
        named = {r.id for r in own if r.id.startswith(letter)}
        named |= {r.id for r in wholes if r.episode.startswith(letter)}
        answer = seat.client.get(f"/memory/{letter}")
        assert (answer.status_code == 200) == (len(named) == 1)
        counted = re.search(r"(\d+) cases in", answer.text)
        assert (int(counted[1]) if counted else 0) == (len(named) if len(named) > 1 else 0)
