"""Tool memory, subtask memory and contracts, over real BFCL conversations and functions of a caller's."""

from pathlib import Path

import pytest

from lichen.envs import EnvironmentFault, Functions, Request, Tool, UsageError, load_suite, make
from lichen.envs.tools import Call, ToolSpec, problem_of, read_call, worded_call, write_call
from lichen.memory import Store
from lichen.memory.forgetting.explain import verify_store
from lichen.memory.forgetting.forget import forget
from lichen.memory.ledger.records import EpisodeCase
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.likeness.states import state_of
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.recall.retriever import RetrieverConfig
from lichen.memory.store.demonstrations import Demonstration, from_gold, import_demonstrations
from lichen.memory.store.replay import replay
from lichen.memory.tools.candidates import candidates
from lichen.memory.tools.contract_doctor import changes, quarantine, reverify
from lichen.memory.tools.tool_memory import ToolMemory

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


def lived(environment: Functions, task_id: str, actions: list[str]) -> Demonstration:
    """Play actions and return the episode, as a demonstration."""
    environment.gold = lambda: tuple(actions)  # type: ignore[method-assign]
    return next(iter(from_gold(environment, [task_id])))


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


def stocked(folder: Path) -> None:
    """Remember two episodes that counted, one of them after a failure, and one that asked for the price."""
    with opened(folder) as store:
        found = [
            lived(shop(), "shop/red-lamp", ["count(item='red lamp')", "finish(answer='3')"]),
            lived(
                shop(),
                "shop/green-table",
                ["count(item='table')", "count(item='green table')", "finish(answer='12')"],
            ),
            lived(shop(), "shop/blue-chair", ["price(item='blue chair')", "finish(answer='0')"]),
        ]
        import_demonstrations(store, found, run="x")


@pytest.fixture(scope="module")
def conversations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bfcl")
    environment = make("bfcl")
    with opened(folder) as store:
        ids = load_suite("bfcl").task_ids("train", 40)
        import_demonstrations(store, from_gold(environment, ids), run="gold")
    return folder


def test_a_call_is_read_checked_and_written_and_its_contract_ignores_descriptions() -> None:
    spec = Tool(count).spec
    assert read_call("count('red lamp')", [spec]).arguments == {"item": "red lamp"}
    assert write_call("count", {"item": "it's"}) == 'count(item="it\'s")'
    for bad in (
        "count()",
        "count(item=3)",
        "count(items='x')",
        "count(item=open('x'))",
        "count(**{})",
        "other()",
        "a b",
        "(" * 5000,
    ):
        with pytest.raises(UsageError):
            read_call(bad, [spec])
    described = spec.model_copy(update={"description": "other words"})
    assert described.schema_hash == spec.schema_hash
    assert Tool(count, version="2").spec.schema_hash != spec.schema_hash
    assert (
        worded_call("twx", "take map").schema_hash
        != worded_call("twx", "take map", "2").schema_hash
    )
    limited = ToolSpec(
        name="x", parameters={"properties": {"m": {"type": "integer", "enum": [1, 2]}}}
    )
    assert problem_of(limited, {"m": True}) and problem_of(limited, {"m": 3})
    assert not problem_of(limited, {"m": 2})


def test_functions_of_the_callers_are_an_environment_whose_failures_are_refused_calls() -> None:
    environment = shop()
    environment.reset("shop/red-lamp")
    wrong = environment.step("count(item='sofa')")
    assert "KeyError" in wrong.error and "KeyError" in wrong.observation.text
    assert environment.step("count(item='red lamp')").observation.text == "3"
    won = environment.step("finish(answer='there are 3')")
    assert won.terminated and won.observation.won
    environment.reset("shop/red-lamp")
    assert environment.step("finish(answer='none')").terminated
    with pytest.raises(UsageError, match="name of its own"):
        Functions("twice", [Tool(count), Tool(count)], [Request("1", "?", bool)])


def test_tool_memory_knows_what_calls_came_to_and_is_as_durable_as_the_ledger(
    tmp_path: Path,
) -> None:
    stocked(tmp_path)
    with opened(tmp_path) as store:
        memory = ToolMemory(CaseMemory(store), "shop")
        record = memory.record("count")
        assert record is not None and (record.n, record.ok) == (3, 2)
        assert record.patterns[0].arguments == {"item": "goal"}
        assert "KeyError" in record.errors[0][0]
        suggested = memory.suggest("How many pieces of 'yellow shelf' are there?")
        assert suggested[0].tool in ("count", "finish") and "count" in {s.tool for s in suggested}
        again = Call(**{**shop().call("count(item='table')").model_dump()})
        goal = "How many pieces of 'green table' are there?"
        assert memory.note(again, goal, "") == (
            "count with item failed 1 of 1 times: count failed: KeyError: 'table'"
        )
        fine = shop().call("count(item='red lamp')")
        assert memory.note(fine, "How many pieces of 'red lamp' are there?", "") == ""
        assert ToolMemory(CaseMemory(store, first=1), "shop").records()[0].n == 1
        assert ToolMemory(CaseMemory(store), "elsewhere").records() == []


def test_candidate_calls_hold_the_right_one_more_often_with_memory(conversations: Path) -> None:
    environment = make("bfcl")
    with opened(conversations) as store:
        memory = ToolMemory(CaseMemory(store), "bfcl")
        found = {None: 0, memory: 0}
        steps = 0
        for task_id in load_suite("bfcl").task_ids("dev", 16):
            seen = environment.reset(task_id)
            answers = [seen.text]
            for action in environment.gold() or ():
                right = environment.call(action)
                for known in found:
                    made = candidates(environment.tools(), seen.goal, answers, known)
                    calls = [environment.call(call) for call in made]
                    assert len(made) == len(set(made)) < 400 and "end_turn()" in made
                    found[known] += right in calls
                steps += 1
                seen = environment.step(action).observation
                answers.append(seen.text)
    assert found[memory] > found[None] > 0.4 * steps


def test_a_users_messages_are_subtasks_that_are_kept_found_and_forgotten(
    conversations: Path,
) -> None:
    with opened(conversations) as store:
        assert len(store.subtasks) > 60
        some = next(case for case in store.subtasks.values() if case.index == 1)
        assert some.outcome == "success" and some.calls and some.of >= 2
        assert some.actions[-1] == "end_turn()"
        whole = store.whole(some.episode)
        assert whole is not None
        memory = CaseMemory(store)
        near = memory.subtasks(some.text, env="bfcl", k=3)
        assert near[0][0].text == some.text and near[0][1] > 0.99
        own = memory.subtasks(some.text, env="bfcl", k=50, task_id=whole.task_id)
        assert all(case.task_id != whole.task_id for case, _ in own)
        assert not CaseMemory(store, RetrieverConfig(tools=False)).subtasks(
            some.text, env="bfcl", k=3
        )
        known = len(store.subtasks)
        forget(store, some.id, cascade=True)
        assert len(store.subtasks) < known
        assert all(
            c.episode != some.episode for c, _ in memory.subtasks(some.text, env="bfcl", k=50)
        )
    assert not verify_store(conversations).problems
    assert not replay(conversations, compare=True).problems


def test_a_changed_contract_quarantines_exactly_what_used_it_until_it_is_reverified(
    tmp_path: Path,
) -> None:
    stocked(tmp_path)
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


def test_what_does_not_hold_under_the_new_contract_is_revoked_and_an_outage_is_not(
    tmp_path: Path,
) -> None:
    stocked(tmp_path)
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


def test_a_task_is_not_told_what_its_own_episodes_or_held_out_ones_called(tmp_path: Path) -> None:
    stocked(tmp_path)
    asked = "How many pieces of 'green table' are there?"
    with opened(tmp_path) as store:
        memory = CaseMemory(store)
        others = ToolMemory(memory, "shop", task_id="shop/green-table")
        assert sum(record.n for record in others.records()) == 4
        example = next(s.example for s in others.suggest(asked) if s.tool == "count")
        assert example.arguments == {"item": "red lamp"}
        none = ToolMemory(memory, "shop", shows=lambda episode: False)
        assert none.records() == [] and none.suggest(asked) == []


def test_outages_of_a_tool_are_no_failed_calls_and_odd_results_are_text() -> None:
    def down() -> str:
        raise EnvironmentFault("the backend is down")

    def odd() -> dict[tuple[int, int], int]:
        return {(1, 2): 3}

    async def later() -> str:
        return ""

    with pytest.raises(EnvironmentFault):
        Tool(down).call({})
    assert Tool(odd).call({}) == "{(1, 2): 3}"
    with pytest.raises(UsageError, match="coroutine"):
        Tool(later)
    assert candidates([Tool(price).spec], "what about " + "9" * 5000)
