"""Long requests, docstrings and answers: a model is told them whole, and where a text is cut that is said."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from lichen.agent.llm import ScriptedLLM
from lichen.agent.llm.errors import LLMNonsense
from lichen.agent.llm.openai_llm import OpenAILLM, ServerConfig
from lichen.agent.open_agent import OpenAgent
from lichen.envs import Functions, Request, Suite, Tool

Server = Any  # ScriptedServer of conftest.py
REQUEST = "word " * 150 + "ORDER-9 " + "word " * 150
LONG = "filler " * 60 + "LIMIT-77 " + "filler " * 60


def doc(kind: Literal["alpha", "beta"]) -> str:
    """Read a document.

    Never read beta on Sundays.
    """
    return LONG


def library() -> Functions:
    return Functions("library", [Tool(doc)], [Request("1", REQUEST, lambda answer: True)])


@pytest.mark.parametrize("tools", [True, False])
def test_scripted_a_model_that_talks_is_told_long_texts_whole(
    loopback: Server, tmp_path: Path, tools: bool
) -> None:
    def reply(body: dict[str, Any]) -> Any:
        done = "LIMIT-77" in json.dumps(body["messages"])
        name, given = ("finish", {"answer": "77"}) if done else ("doc", {"kind": "alpha"})
        if "tools" in body and tools:
            lamp = body["tools"][0]["function"]["name"] == "set_color"
            return loopback.called(("set_color", {"color": "red"}) if lamp else (name, given))
        return loopback.said(json.dumps({"tool": name, "arguments": given}))

    loopback.answers(reply)
    llm = OpenAILLM("m", ServerConfig(base_url=loopback.url, retries=0, timeout=5))
    with OpenAgent.from_config(store=tmp_path, embedder="hashing", llm=llm) as agent:
        agent.add(library())
        result = agent.run("library/1", max_steps=3)
    assert (result.outcome, result.steps) == ("success", 2)
    told = json.dumps(loopback.asked[-1])
    for words in ("ORDER-9", "LIMIT-77", "on Sundays", "beta"):
        assert words in told


def test_scripted_a_cut_is_said_to_a_model_that_scores_and_in_memory(tmp_path: Path) -> None:
    llm = ScriptedLLM(
        choose=lambda prompt, options: [-1.0 * ("doc" not in option) for option in options]
    )
    with OpenAgent.from_config(store=tmp_path, embedder="hashing", llm=llm) as agent:
        agent.add(library())
        agent.learn(Suite(name="library", env="library", max_steps=2), episodes=1)
        answers = [case.answer for case in agent.store.steps.values() if case.answer]
    assert any(f"[... {len(LONG) - 600} characters left out]" in answer for answer in answers)
    assert all("filler" in answer[-20:] for answer in answers if answer.startswith("filler"))
    prompt = llm.prompts[0]
    assert "characters left out]" in prompt and "ORDER-9" not in prompt


def test_scripted_an_answer_that_was_cut_is_called_cut(loopback: Server, tmp_path: Path) -> None:
    long = '{"tool": "finish", "arguments": {"answer": "' + "very long " * 60
    loopback.answers(
        lambda body: loopback.said(long, finish="stop" if "tools" in body else "length")
    )
    llm = OpenAILLM("m", ServerConfig(base_url=loopback.url, retries=0, timeout=5))
    with OpenAgent.from_config(store=tmp_path, embedder="hashing", llm=llm) as agent:
        agent.add(library())
        result = agent.run("library/1", max_steps=3)
    assert result.outcome == "unknown"
    assert LLMNonsense.__name__ in result.reason and "the answer was cut" in result.reason
