"""Free calls: the small model writes one, and a known failure is said before it is made."""

import subprocess
import sys
from pathlib import Path

from lichen.agent.acting.free_calls import Caller
from lichen.agent.acting.policy import situation
from lichen.agent.llm import ScriptedLLM
from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import Functions, Request, Tool
from lichen.memory.ledger.records import Hits
from lichen.memory.store.demonstrations import from_gold, import_demonstrations

LICHEN = [sys.executable, "-m", "lichen.agent"]
NO_HITS = Hits(hits=(), considered=0, abstained=True)


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


async def test_the_small_model_itself_writes_a_call_that_can_be_read(smollm2: LocalLLM) -> None:
    environment = sums()
    seen = environment.reset("sums/7-9")
    action = await Caller(smollm2).decide(
        situation(seen, [], NO_HITS, seed=0), environment.tools(), None
    )
    assert environment.call(action).tool in ("add", "finish")


def test_recorded_free_calls_are_warned_of_a_known_failure_before_they_are_made(
    tmp_path: Path,
) -> None:
    taught(tmp_path)
    environment = sums()
    environment.gold = lambda: ("add(a=13, b=1)", "finish(answer='no')")  # type: ignore[method-assign]
    with agent(tmp_path, policy={"llm": False}) as learner:
        import_demonstrations(learner.store, from_gold(environment, ["sums/3-4"]), run="y")
    replies = [
        '{"tool": "add", "arguments": {"a": 13, "b": 1}}',
        '{"tool": "add", "arguments": {"a": 7, "b": 9}}',
        '{"tool": "finish", "arguments": {"answer": "16"}}',
    ]
    llm = ScriptedLLM(replies)
    with agent(tmp_path, llm, policy={"calls": "free"}) as run:
        run.add(sums())
        result = run.run("sums/7-9")
    assert (result.outcome, result.steps) == ("success", 2)
    assert "Beware" in llm.prompts[1] and "add was about to be called" in llm.prompts[1]
    assert "For a like request" in llm.prompts[0]
