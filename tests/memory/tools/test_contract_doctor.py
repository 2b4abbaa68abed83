"""Changed contracts quarantine what used the old ones, until it is verified again."""

from pathlib import Path

import pytest

from lichen.envs import Functions, Request, Tool
from lichen.memory import Store
from lichen.memory.ledger.records import EpisodeCase
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.likeness.states import state_of
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.recall.retriever import RetrieverConfig
from lichen.memory.store.replay import replay
from lichen.memory.tools.contract_doctor import changes, quarantine, reverify

STOCK = {"red lamp": 3, "blue chair": 0, "green table": 12}


def count(item: str) -> int:
    """Say how many pieces of an item are in stock."""
    if item not in STOCK:
        raise KeyError(item)
    return STOCK[item]


def price(item: str, currency: str = "EUR") -> float:
    """Say what an item costs."""
    return float(len(item))


def shop(*, version: str = "1", functions: tuple[str, ...] = ("count", "price")) -> Functions:
    tools = {"count": Tool(count, version=version), "price": Tool(price)}
    requests = [
        Request(
            name.replace(" ", "-"),
            f"How many pieces of '{name}' are there?",
            lambda answer, n=n: str(n) in answer,  # type: ignore[misc]
        )
        for name, n in STOCK.items()
    ]
    return Functions("shop", [tools[name] for name in functions], requests)


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


@pytest.mark.usefixtures("stocked")
def test_a_changed_contract_quarantines_exactly_what_used_it_until_it_is_reverified(
    tmp_path: Path,
) -> None:
    changed = shop(version="2")
    with opened(tmp_path) as store:
        assert changes(store, shop()) == []
        counted = {
            case.id for case in store.steps.values() if case.call and case.call.tool == "count"
        }
        found = quarantine(store, changed)
        assert [change.tool for change in found] == ["count"]
        assert set(found[0].steps) == counted and len(found[0].episodes) == 2
        wholes = {case.id for case in store.episodes.values()}
        assert set(store.quarantined) & wholes == set(found[0].episodes)
        assert set(store.quarantined) == counted | set(found[0].episodes)
        seen = shop().reset("shop/red-lamp")
        hits = CaseMemory(store, RetrieverConfig(same_task=True)).read(
            state_of(seen, []), env="shop"
        )
        assert hits.hits and not {hit.case.id for hit in hits.hits} & counted
        head = store.ledger.head()
        quarantine(store, changed)
        assert store.ledger.head() == head  # said once
        state = store.state_hash()
    with opened(tmp_path, read_only=True) as store:
        assert store.state_hash() == state and set(store.quarantined) >= counted
    with opened(tmp_path) as store:
        replays = reverify(store, changed)
        assert [replay.holds for replay in replays] == [True, True]
        assert not store.quarantined and changes(store, changed) == []
        quarantine(store, shop())  # the old contract comes back
        assert not store.quarantined
    assert not replay(tmp_path, compare=True).problems


@pytest.mark.usefixtures("stocked")
def test_what_does_not_hold_under_the_new_contract_is_revoked_and_an_outage_is_not(
    tmp_path: Path,
) -> None:
    without = shop(functions=("price",))
    with opened(tmp_path) as store:
        found = reverify(store, without)
        assert [replay.holds for replay in found] == [False, False]
        assert {store.trust(c) for c in store.episodes.values()} == {"revoked", "verified"}
        assert set(store.quarantined.values()) == {"revoked"}
        wholes = [c for c in store.episodes.values() if store.trust(c) == "revoked"]
        assert all(isinstance(case, EpisodeCase) for case in wholes) and len(wholes) == 2
        again = shop(version="3")
        del again._requests["shop/red-lamp"]  # cannot be replayed: that says nothing of the episode
        outcomes = {replay.task_id: replay.outcome for replay in reverify(store, again)}
        assert outcomes == {"shop/red-lamp": "unknown", "shop/green-table": "success"}
        assert {store.trust(c) for c in store.episodes.values()} == {"quarantined", "verified"}
