"""Half characters, NUL, a megabyte in one line: through a tool, the ledger, the index and back."""

from pathlib import Path

import pytest

from lichen.agent.llm import ScriptedLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import Functions, Request, Tool
from lichen.envs.suite import Suite
from lichen.envs.types import Observation, Task
from lichen.memory.ledger.events import EpisodeEnded
from lichen.memory.ledger.ledger import Entry

ODD = {
    "half": "caf\udce9.txt",
    "nul": "a\0b",
    "long": "x" * 1_000_000,
    "words": "wort " * 200_000,
    "any script": "红球 мяч الكرة Äpfel 🙂\u202e\x1b]52;c;aGk=\x07",
}


def likes(words: str) -> ScriptedLLM:
    return ScriptedLLM(choose=lambda _, options: [0.0 if words in o else -50.0 for o in options])


@pytest.mark.parametrize("kind", ODD)
def test_scripted_an_odd_text_is_remembered_and_found_again(kind: str, tmp_path: Path) -> None:
    def files(folder: str) -> str:
        """List the files of a folder."""
        return ODD[kind]

    requests = [
        Request(str(i), f"List the folder 'a{i}' {ODD[kind][:2000]}", lambda answer: True)
        for i in range(2)
    ]
    for _ in range(2):  # the second time everything is read again
        with OpenAgent.from_config(
            store=tmp_path, llm=likes("files(folder='a"), embedder="hashing"
        ) as agent:
            agent.add(Functions("disk", [Tool(files)], requests))
            report = agent.learn(Suite(name="disk", env="disk", max_steps=2), episodes=2)
            assert all(result.steps for result in report.episodes)
            cases = list(agent.store.steps.values())
            assert agent.store.embedder.query(ODD[kind]) is not None
            assert agent.store.ledger.damage() == []
    assert any("files(folder='a" in case.action for case in cases)
    for case in cases:
        case.model_dump_json().encode()


def test_an_event_with_half_a_character_is_written(tmp_path: Path) -> None:
    with OpenAgent.from_config(store=tmp_path, embedder="hashing") as agent:
        ended = EpisodeEnded(outcome="unknown", score=0, steps=0, reason="caf\udce9", learn=False)
        agent.store.append([Entry("e/end", "r", "e", ended)])
        row = next(iter(agent.store.ledger.read(episode="e")))
        assert isinstance(row.event, EpisodeEnded) and row.event.reason == "caf\ufffd"


def test_an_observation_can_always_be_written() -> None:
    task = Task(id="a/1", env="a", family="f", split="train")
    seen = Observation(
        text="a\0b", goal="\udce9", admissible=("\ud800",), score=0, won=False, task=task, steps=0
    )
    assert seen.text == "a\ufffdb"
    seen.model_dump_json().encode()
