"""The agent as a graph and as a subgraph of another (the model's replies are scripted)."""

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send

from lichen.agent import Agent
from lichen.agent.doors.langgraph_agent import DeskState, agent_builder, compile_agent
from lichen.envs import Tool

Server = Any  # ScriptedServer of conftest.py


@pytest.fixture
def paid() -> list[int]:
    return []


@pytest.fixture
def agent(loopback: Server, tmp_path: Path, paid: list[int]) -> Iterator[Agent]:
    def reply(body: dict[str, Any]) -> Any:
        if (probe := loopback.probed(body)) is not None:
            return probe
        turns = body["messages"]
        came = [turn["content"] for turn in turns if turn["role"] == "tool"]
        asked = re.findall(r"Task: (.*)", turns[1]["content"])[-1]
        number = int(re.findall(r"\d+", asked)[0])
        if came:
            return loopback.said(f"Done: {came[-1].splitlines()[0]}")
        return loopback.called(("refund" if "back" in asked else "look", {"order": number}))

    def refund(order: int) -> str:
        "Pay back."
        paid.append(order)
        return f"paid {order}"

    def look(order: int) -> str:
        "Look."
        return f"{order} is there"

    loopback.answers(reply)
    with Agent.from_config(
        store=tmp_path,
        embedder="hashing",
        model="openai:m",
        base_url=loopback.url,
        tools=[look, Tool(refund, needs_approval=True)],
    ) as made:
        yield made


def asked(text: str, **more: Any) -> Any:
    return {"messages": [("user", text)], **more}


def test_scripted_it_answers_and_takes_feedback(agent: Agent) -> None:
    state = compile_agent(agent).invoke(asked("Where is 7?", user="acme/ann"))
    assert state["messages"][-1].text == "Done: 7 is there"
    agent.feedback(state["lichen_answer"]["id"], good=True)
    (case,) = agent.store.episodes.values()
    assert case.namespace == "acme/ann"


@pytest.mark.parametrize(("word", "said"), [(True, "Done: paid 7"), ({"approved": False}, "Error")])
async def test_scripted_a_subgraph_interrupts_its_host_and_is_resumed(
    agent: Agent, paid: list[int], word: Any, said: str
) -> None:
    host = StateGraph(DeskState)
    host.add_node("desk", compile_agent(agent))
    host.add_edge(START, "desk")
    host.add_edge("desk", END)
    graph = host.compile(checkpointer=InMemorySaver())
    here: Any = {"configurable": {"thread_id": "1"}}
    first = await graph.ainvoke(asked("Pay 7 back"), here)
    (waiting,) = first["__interrupt__"]
    assert waiting.value["call"] == "refund(order=7)" and paid == []
    last = await graph.ainvoke(Command(resume=word), here)
    assert said in last["messages"][-1].text and paid == ([7] if word is True else [])


async def test_scripted_parallel_subgraphs_have_answers_of_their_own(agent: Agent) -> None:
    def spread(state: DeskState) -> list[Send]:
        return [Send("desk", asked(f"Where is {n}?")) for n in range(1, 5)]

    host = StateGraph(DeskState)
    host.add_node("desk", agent_builder(agent).compile())
    host.add_conditional_edges(START, spread, ["desk"])
    state = await host.compile().ainvoke(asked("all"))
    answers = {m.text for m in state["messages"] if m.text.startswith("Done")}
    assert answers == {f"Done: {n} is there" for n in range(1, 5)}


async def test_scripted_two_subgraphs_at_once_each_wait_for_a_word_of_their_own(
    agent: Agent, paid: list[int]
) -> None:
    def spread(state: DeskState) -> list[Send]:
        return [Send("desk", asked(f"Pay {n} back")) for n in (7, 8)]

    host = StateGraph(DeskState)
    host.add_node("desk", compile_agent(agent))
    host.add_conditional_edges(START, spread, ["desk"])
    graph = host.compile(checkpointer=InMemorySaver())
    here: Any = {"configurable": {"thread_id": "1"}}
    waiting = (await graph.ainvoke(asked("all"), here))["__interrupt__"]
    calls = {asked.value["call"]: asked.id for asked in waiting}
    assert set(calls) == {"refund(order=7)", "refund(order=8)"} and paid == []
    words = {calls["refund(order=7)"]: True, calls["refund(order=8)"]: {"approved": False}}
    state = await graph.ainvoke(Command(resume=words), here)
    assert paid == [7] and "__interrupt__" not in state
    said = sorted(m.text for m in state["messages"] if m.text.startswith("Done"))
    assert len(said) == 2 and said[1] == "Done: paid 7"


def test_scripted_what_the_page_says_of_langgraph_dev_names_a_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[3] / "docs" / "embed.md").read_text(encoding="utf-8")
    found = re.search(r'`(\{"dependencies".*\})`', page)
    assert found is not None
    file, _, name = json.loads(found[1])["graphs"]["desk"].partition(":")
    said = re.search(r"`(graph = .*?)`", page)
    assert said is not None
    lines = [
        "from lichen.agent import Agent, ScriptedLLM",
        "from lichen.agent.doors.langgraph_agent import compile_agent",
        'agent = Agent.from_config(store="s", embedder="hashing", llm=ScriptedLLM(["In Oslo."]))',
        said[1],
    ]
    monkeypatch.chdir(tmp_path)
    Path(file).write_text("\n".join(lines))
    made = runpy.run_path(file)
    with made["agent"]:
        assert made[name].checkpointer is None  # the server has one of its own, and refuses others
        assert made[name].invoke(asked("Where is it?"))["messages"][-1].text == "In Oslo."
