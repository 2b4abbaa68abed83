"""Calls are mended by what the help desk refused and accepted before; nothing else is touched."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lichen.envs import make
from lichen.envs.base import Environment
from lichen.envs.tools import Call
from lichen.memory.forgetting.forget import forget
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.store.demonstrations import (
    DemonstratedStep,
    Demonstration,
    from_gold,
    import_demonstrations,
)
from lichen.memory.store.store import Store
from lichen.memory.tools.call_repair import CallRepair
from lichen.memory.tools.tool_memory import ToolMemory


def tasks(environment: Environment, family: str) -> list[str]:
    return [task.id for task in environment.tasks("train", [family])]


def played(environment: Environment, task_id: str, actions: Sequence[str]) -> Demonstration:
    """Play some calls and return them as an episode that was lost."""
    seen = environment.reset(task_id)
    goal, steps = seen.goal, []
    for action in actions:
        before, call = seen, environment.call(action)
        done = environment.step(action)
        seen = done.observation
        steps.append(
            DemonstratedStep(
                text=before.text,
                action=action,
                observation=seen.text,
                score_before=before.score,
                score_after=seen.score,
                call=call,
                error=done.error,
            )
        )
    return Demonstration(
        env="support",
        family=seen.task.family,
        task_id=task_id,
        goal=goal,
        steps=tuple(steps),
        outcome="failure",
        score=0.0,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fill a store: gold tickets, and three in which calls were refused."""
    made = tmp_path_factory.mktemp("repair")
    environment = make("support")
    with Store(made, embedder=HashingEmbedder()) as store:
        gold = [
            t for f in ("broken", "missing", "late", "address") for t in tasks(environment, f)[:4]
        ]
        shown = list(from_gold(environment, gold))
        lost = []
        for task_id in [
            t for f in ("broken", "missing", "lost") for t in tasks(environment, f)[4:]
        ]:
            (right,) = from_gold(environment, [task_id])
            again = next((s.call for s in right.steps if s.call and s.call.tool == "reship"), None)
            if again is None:
                continue
            order = again.arguments["order"]
            wrong = [
                f"request_approval(order={order!r}, reason='BRK (broken)')",
                f"find_order(order={order[3:]!r})",
                f"reship(order={order!r}, sku={again.arguments['sku']!r})",
            ]
            lost.append(played(environment, task_id, wrong))
        assert len(lost) >= 3
        import_demonstrations(store, [*shown, *lost], run="repair")
        store.settle()
    return made


def opened(folder: Path, **options: object) -> Store:
    return Store(folder, embedder=HashingEmbedder(), **options)  # type: ignore[arg-type]


def mended(store: Store, action: str, told: str = "", done: Sequence[str] = ()) -> Call:
    environment = make("support")
    environment.reset(tasks(environment, "broken")[9])
    repair = CallRepair(ToolMemory(CaseMemory(store), "support"))
    return repair.mended(environment.call(action), told, [environment.call(one) for one in done])


def test_a_code_with_words_becomes_the_code(folder: Path) -> None:
    with opened(folder, read_only=True) as store:
        now = mended(store, "request_approval(order='LN-12345', reason='BRK (broken)')")
        assert now.arguments == {"order": "LN-12345", "reason": "BRK"}
        two = mended(store, "request_approval(order='LN-12345', reason='BRK or RDR')")
        assert two.arguments["reason"] == "BRK or RDR"  # which one is not certain


def test_a_number_becomes_the_id_that_was_told_or_is_written_as_ids_are(folder: Path) -> None:
    with opened(folder, read_only=True) as store:
        for told in ("my order LN-77777 is late", "my order 77777 is late"):
            now = mended(store, "find_order(order='77777')", told)
            assert now.arguments == {"order": "LN-77777"}
        short = mended(store, "find_order(order='777')", "order 777")
        assert short.arguments == {"order": "777"}  # no id has three digits


def test_a_call_that_always_failed_without_another_becomes_that_one(folder: Path) -> None:
    with opened(folder, read_only=True) as store:
        now = mended(store, "reship(order='LN-12345', sku='TX-09')")
        assert (now.tool, now.arguments) == ("check_stock", {"sku": "TX-09"})
        done = ["check_stock(sku='TX-09')"]
        then = mended(store, "reship(order='LN-12345', sku='TX-09')", done=done)
        assert then.tool == "reship"
        other = mended(store, "reship(order='LN-12345', sku='TX-10')", done=done)
        assert other.tool == "check_stock"  # of the other article it was not checked


def test_calls_that_are_right_or_of_which_nothing_is_known_stay_as_they_are(folder: Path) -> None:
    fine = (
        "find_order(order='LN-12345')",
        "request_approval(order='LN-12345', reason='BRK')",
        "refund(order='LN-12345', amount=12.5, to='card')",
        "find_customer(name='Nobody Atall')",
    )
    environment = make("support")
    environment.reset(tasks(environment, "broken")[9])
    with opened(folder, read_only=True) as store:
        for action in fine:
            call = environment.call(action)
            repair = CallRepair(ToolMemory(CaseMemory(store), "support"))
            assert repair.mended(call, "", []) == call


def test_what_was_learned_from_a_forgotten_episode_mends_nothing(
    folder: Path, tmp_path: Path
) -> None:
    environment = make("support")
    with opened(tmp_path) as store:
        gold = tasks(environment, "broken")[:4]
        lost = played(environment, tasks(environment, "broken")[5], ["find_order(order='12345')"])
        cases = import_demonstrations(store, [*from_gold(environment, gold), lost], run="x")
        store.settle()
        assert mended(store, "find_order(order='77777')").arguments == {"order": "LN-77777"}
        forget(store, cases[-1].episode, cascade=True)
        assert mended(store, "find_order(order='77777')").arguments == {"order": "77777"}
