"""Memory alone, as an application or another framework uses it."""

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lichen.envs.errors import UsageError
from lichen.memory import Memory, StepCase, Store
from lichen.memory.ledger.errors import UnknownCase
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.item_table import StoredItem

ASKED = "My parcel 4711 never came"
STEPS: list[dict[str, Any]] = [
    {"tool": "find_order", "arguments": {"order": 4711}, "answer": "it is in Oslo"},
    {"tool": "finish", "arguments": {"answer": "It is in Oslo."}, "answer": "told"},
]


def opened(folder: Path, **more: Any) -> Memory:
    return Memory(folder, embedder=HashingEmbedder(), **more)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with opened(tmp_path / "store") as made:
        yield made


def test_what_was_never_judged_is_no_case(memory: Memory) -> None:
    memory.remember(ASKED, STEPS)
    assert not memory.recall(ASKED).items
    assert not memory.tools().records()


def test_a_verdict_makes_it_a_case_and_a_later_one_takes_its_place(memory: Memory) -> None:
    episode = memory.remember(ASKED, STEPS)
    memory.feedback(episode, good=True)
    (item,) = memory.recall(ASKED).items
    assert (item.outcome, item.episode, item.actions[0]) == (
        "success",
        episode,
        "find_order(order=4711)",
    )
    memory.feedback(episode, score=0.2, note="Oslo is never told")
    (item,) = (found := memory.recall(ASKED)).items
    assert (item.outcome, item.score) == ("failure", 0.2)
    assert "NOT solved" in found.text and "Oslo is never told" in found.text
    assert len(memory.store.episodes) == 1 and memory.store.ranks == 1


def test_a_correction_is_told_and_taught_and_the_wrong_answer_is_never_called_good(
    memory: Memory,
) -> None:
    episode = memory.remember(ASKED, STEPS, outcome="success")
    memory.feedback(episode, correct="We send another one.")
    found = memory.recall("My parcel 4712 never came").text
    assert "finish(answer='We send another one.')" in found
    gains = {case.action: case.gain for case in memory.store.steps.values()}
    assert gains["finish(answer='We send another one.')"] == 1
    assert gains["finish(answer='It is in Oslo.')"] <= 0


def test_a_verdict_survives_the_process_and_every_way_of_opening_says_the_same(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "store"
    with opened(folder) as memory:
        ids = [memory.remember(f"{ASKED} {n}", STEPS, outcome="success") for n in range(4)]
        memory.store.snapshot()
    with opened(folder) as memory:  # from the snapshot, with rows after it
        memory.feedback(ids[1], good=False, note="no")
        memory.feedback(ids[2], correct="yes")
        told = memory.store.state_hash()
        credit = memory.store.credit
        memory.store.snapshot()
    for more in ({}, {"snapshot": False}):
        with Store(folder, embedder=HashingEmbedder(), **more) as store:  # type: ignore[arg-type]
            assert store.state_hash() == told and not store.repaired and store.credit == credit
            assert {c.episode: c.outcome for c in store.episodes.values()} == {
                ids[0]: "success",
                ids[1]: "failure",
                ids[2]: "failure",
                ids[3]: "success",
            }


def test_credit_counts_the_last_verdict_only(memory: Memory) -> None:
    known = memory.remember(ASKED, STEPS, outcome="success")
    for number in range(3):
        found = memory.recall(f"{ASKED}!")
        memory.remember(found, STEPS, outcome="success")
        memory.feedback(found.id, good=False)
        memory.feedback(found.id, good=number > 0)
    outcomes = [one.outcome for one in memory.store.fold.observed if one.episode != known]
    assert outcomes == [0.0, 1.0, 1.0]
    uplift = memory.store.credit.uplift(known)
    assert uplift == memory.store.fold.credit_as_of(99).uplift(known)


def test_a_namespace_sees_its_own_layers_and_nothing_else(memory: Memory) -> None:
    spaces = ["", "acme", "acme/ann", "acme/bob", "acmeann", "other/ann"]
    for space in spaces:
        memory.remember(f"{ASKED} [{space}]", STEPS, outcome="success", namespace=space)
    seen = {
        "": {""},
        "acme": {"", "acme"},
        "acme/ann": {"", "acme", "acme/ann"},
        "acme/eve": {"", "acme"},
        "acme/ann/phone": {"", "acme", "acme/ann"},
        "other": {""},
    }
    for space, layers in seen.items():
        found = memory.recall(ASKED, namespace=space, k=10)
        assert {item.namespace for item in found.items} == layers
        others = set(spaces) - layers
        assert not any(f"[{other}]" in found.text for other in others)
        records = memory.tools(space).records()
        assert sum(record.n for record in records) == 2 * len(layers)
        asked = {case.goal for case, _ in memory.subtasks(ASKED, k=99, namespace=space)}
        assert asked <= {f"{ASKED} [{layer}]" for layer in layers}


def test_every_record_of_an_episode_is_in_its_namespace(memory: Memory) -> None:
    memory.remember(ASKED, STEPS, outcome="success", namespace="acme/ann")
    assert {record.namespace for record in memory.store.records()} == {"acme/ann"}
    assert len(memory.store.held(StepCase)) == 2


@pytest.mark.parametrize("name", ["/a", "a//b", "a/", "a\nb", "x" * 201])
def test_a_wrong_namespace_is_one_sentence(memory: Memory, name: str) -> None:
    with pytest.raises(UsageError, match="no namespace"):
        memory.recall(ASKED, namespace=name)


def test_what_cannot_be_said_is_one_sentence(memory: Memory) -> None:
    episode = memory.remember(ASKED, STEPS)
    for wrong in ({}, {"good": True, "score": 1.0}, {"score": 2.0}, {"good": True, "correct": "x"}):
        with pytest.raises(UsageError):
            memory.feedback(episode, **wrong)
    with pytest.raises(UnknownCase):
        memory.feedback("nothing", good=True)
    with pytest.raises(UsageError, match="not ended"):
        memory.feedback(memory.recall(ASKED).id, good=True)
    with pytest.raises(UsageError, match="already"):
        memory.remember(memory.recall(ASKED).model_copy(update={"id": episode}), STEPS)
    with pytest.raises(UsageError, match="at least one step"):
        memory.remember(ASKED, [])


def test_steps_in_words_have_one_contract_in_every_place(memory: Memory) -> None:
    said = [
        {"action": "look around", "answer": "a desk"},
        {"action": "look up", "answer": "a lamp"},
    ]
    memory.remember("what is there?", said, outcome="success")
    calls = [case.call for case in memory.store.steps.values()]
    assert len({call.schema_hash for call in calls if call is not None}) == 1


def test_forgetting_takes_the_verdicts_words_too(memory: Memory) -> None:
    episode = memory.remember(ASKED, STEPS)
    memory.feedback(episode, correct="SECRET-9", note="SECRET-8")
    memory.forget(episode, cascade=True)
    assert not memory.recall(ASKED).items
    assert b"SECRET" not in memory.store.file.read_bytes()


def test_a_read_only_memory_recalls_and_writes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "store") as memory:
        memory.remember(ASKED, STEPS, outcome="success")
        with opened(tmp_path / "store", read_only=True) as other:
            before = memory.store.ledger.head()
            assert other.recall(ASKED).items[0].outcome == "success"
            with pytest.raises(UsageError, match="read-only"):
                other.remember(ASKED, STEPS)
            assert memory.store.ledger.head() == before


def test_threads_share_one_memory(memory: Memory) -> None:
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(4):
                found = memory.recall(f"{ASKED} {number}", namespace=f"team/{number}")
                assert {i.namespace for i in found.items} <= {f"team/{number}"}
                assert len(found.items) == turn
                memory.remember(found, STEPS, outcome="success")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not failed and len(memory.store.episodes) == 24


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"situation": "  "}, "the situation is empty"),
        ({"steps": []}, "at least one step"),
        ({"steps": {"tool": "find"}}, "in a list"),
        ({"steps": [{"tool": "find", "result": "x"}]}, "step 0 cannot be read: result"),
        ({"steps": [{"answer": "x"}]}, "a step has a tool or an action"),
        ({"outcome": "won"}, "'won' is no outcome"),
        ({"score": 7}, "a score of 7 is not in"),
        ({"score": float("nan")}, "is not in"),
        ({"namespace": "/ann"}, "no namespace"),
    ],
)
def test_what_cannot_be_remembered_is_one_sentence_and_nothing_is_written(
    memory: Memory, given: dict[str, Any], said: str
) -> None:
    before = memory.store.ledger.head()
    steps: list[Any] = [{"tool": "find", "answer": "x"}]
    with pytest.raises(UsageError, match=said):
        memory.remember(**({"situation": ASKED, "steps": steps} | given))
    assert memory.store.ledger.head() == before


def test_a_step_is_kept_whatever_a_tool_was_given_and_answered(memory: Memory) -> None:
    odd = {"at": date(2026, 7, 28), "raw": b"\xff", "both": {1, 2}, "half": "\ud83d"}
    steps: list[Any] = [
        {"tool": "find", "arguments": odd, "answer": {"city": "Oslo"}},
        {"tool": "count", "answer": 5, "error": None},
        {"action": "I say \ud83d", "answer": "half \ud83d"},
    ]
    memory.remember("where is \ud83d?", steps, score=0.9)
    (case,) = memory.store.episodes.values()
    assert (case.outcome, case.score) == ("success", 0.9)
    text = memory.recall("where is it?").text
    assert '{"city": "Oslo"}' in text and "2026-07-28" in text
    memory.feedback(case.episode, good=False, note="half \ud83d", correct="\ud83d")


def test_a_closed_store_writes_no_item(tmp_path: Path) -> None:
    with Memory(tmp_path, embedder=HashingEmbedder()) as memory:
        items = memory.store.items
    with pytest.raises(UsageError, match="the store is closed"):
        items.write([(StoredItem(("a",), "k", {"v": 1}, ()), ())], (), 0.0)
