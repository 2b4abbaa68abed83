"""What a step recalls where actions are calls: candidates from demonstrations, known failures."""

import subprocess
import sys
from pathlib import Path

import pytest

from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import Functions, Request, Tool, UsageError
from lichen.memory.ledger.events import (
    Stepped,
)
from lichen.memory.store.demonstrations import from_gold, import_demonstrations

LICHEN = [sys.executable, "-m", "lichen.agent"]


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


def lichen(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LICHEN, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def add(a: int, b: int) -> int:
    """Add two numbers, but no unlucky one."""
    if a == 13:
        raise ValueError("13 is unlucky")
    return a + b


def sums() -> Functions:
    requests = [
        Request(f"{a}-{b}", f"What is {a} plus {b}?", lambda answer, s=a + b: str(s) == answer)  # type: ignore[misc]
        for a, b in ((3, 4), (20, 5), (7, 9))
    ]
    return Functions("sums", [Tool(add)], requests)


def taught(folder: Path) -> None:
    """Remember two conversations of adding; the third is there to be solved."""
    with agent(folder, policy={"llm": False}) as learner:
        environment = sums()
        found = []
        for task, call, answer in (("3-4", "add(a=3, b=4)", "7"), ("20-5", "add(a=20, b=5)", "25")):
            environment.gold = lambda c=call, a=answer: (c, f"finish(answer='{a}')")  # type: ignore[method-assign,misc]
            found += list(from_gold(environment, [f"sums/{task}"]))
        import_demonstrations(learner.store, found, run="x")


def test_an_agent_learns_to_call_functions_of_the_callers_from_two_demonstrations(
    tmp_path: Path,
) -> None:
    taught(tmp_path)
    with agent(tmp_path, policy={"llm": False}) as knn:
        knn.add(sums())
        result = knn.run("sums/7-9")
        calls = [
            row.event
            for row in knn.store.ledger.read(episode=result.episode)
            if isinstance(row.event, Stepped)
        ]
        took = knn.store.ledger.timings()
        with pytest.raises(UsageError, match="already"):
            knn.add(sums())
    assert (result.outcome, result.actions) == ("success", ("add(a=7, b=9)", "finish(answer='16')"))
    assert calls[0].call is not None and calls[0].call.arguments == {"a": 7, "b": 9}
    assert calls[0].request and f"{result.episode}/step-0" in took


def test_the_small_model_itself_chooses_among_candidate_calls(
    smollm2: LocalLLM, tmp_path: Path
) -> None:
    taught(tmp_path)
    with agent(tmp_path, smollm2) as run:
        run.add(sums())
        result = run.run("sums/7-9", max_steps=3)
    assert result.outcome in ("success", "failure") and result.kl is not None
    assert all(action.startswith(("add(", "finish(")) for action in result.actions)
