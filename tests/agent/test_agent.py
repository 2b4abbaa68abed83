"""The face of the agent: ten members, a script of the README, and a clear word inside an event loop."""

import subprocess
import sys
from pathlib import Path

import pytest

from lichen.agent import Agent
from lichen.agent.llm import ScriptedLLM
from lichen.envs import Functions, Request, Tool, UsageError


def shop() -> Functions:
    """A shop whose only request is answered by a number."""

    def stock(item: str) -> int:
        "Say how many pieces of an item are there."
        return {"red lamp": 3}.get(item, 0)

    return Functions("shop", [Tool(stock)], [Request("1", "How many of 'red lamp'?", _three)])


def _three(answer: str) -> bool:
    return "3" in answer


def test_every_public_member_of_the_agent_is_in_the_docs_and_works(tmp_path: Path) -> None:
    public = {name for name in vars(Agent) if not name.startswith("_")}
    docs = (Path(__file__).parents[2] / "docs" / "embed.md").read_text(encoding="utf-8")
    assert len(public) <= 20 and all(f"{name}" in docs for name in public)
    suite = "alfworld-mini"
    with Agent.from_config(store=tmp_path, embedder="hashing", llm=ScriptedLLM()) as agent:
        agent.add(shop())
        assert agent.run("shop/1", max_steps=2).steps <= 2
        report = agent.learn(suite, episodes=1)
        assert len(report.episodes) == 1 and report.fingerprint_after == "scripted"
        assert agent.store.folder == agent.config.store == tmp_path
        assert agent.llm.usage.calls > 0
        assert agent.store.ranks == sum(e.outcome != "unknown" for e in report.episodes)


def test_every_public_name_of_the_four_faces_can_be_imported() -> None:
    import lichen.envs
    import lichen.memory
    import lichen.skills

    for face in (lichen.agent, lichen.envs, lichen.memory, lichen.skills):
        assert len(set(face.__all__)) == len(face.__all__)
        for name in face.__all__:
            assert getattr(face, name) is not None, f"{face.__name__}.{name}"


async def test_inside_an_event_loop_the_sync_methods_name_the_async_ones(tmp_path: Path) -> None:
    with Agent.from_config(store=tmp_path, embedder="hashing", llm=ScriptedLLM()) as agent:
        agent.add(shop())
        with pytest.raises(UsageError, match="an event loop is running") as caught:
            agent.run("shop/1")
        assert "arun" in caught.value.__notes__[0]
        with pytest.raises(UsageError, match="an event loop is running"):
            agent.learn("alfworld-mini", episodes=1)
        assert (await agent.arun("shop/1", max_steps=1)).steps == 1


def test_the_script_of_the_readme_runs(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in readme.split("```python\n")[1:]]
    script = next(block for block in blocks if "agent.learn(" in block)
    assert len(script.strip().splitlines()) <= 15
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    assert any(word in done.stdout for word in ("success", "failure"))


def test_importing_the_agent_and_asking_why_load_no_model_library(tmp_path: Path) -> None:
    heavy = {"torch", "transformers", "chromadb", "sentence_transformers"}
    code = "import sys; from lichen.agent import Agent; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert not heavy & set(done.stdout.split()), done.stderr
