"""What a projection learns from: verified successes and nothing else."""

import subprocess
import sys
from pathlib import Path

from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.soft_reader import SoftReader
from lichen.agent.softcot.example_rows import row_of
from lichen.agent.softcot.examples import from_cases
from lichen.memory.ledger.records import EpisodeCase, State, StepCase


def lichen(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    command = [sys.executable, "-m", "lichen.agent", "softcot", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)


def test_own_successes_become_examples_and_nothing_else_does(tiny: Frozen) -> None:
    def step(episode: str, index: int, gain: float) -> StepCase:
        return StepCase(
            id=f"{episode}{index}",
            episode=episode,
            rank=int(episode[1:]),
            env="e",
            family="f",
            index=index,
            state=State(goal="find the key", text=f"room {index}"),
            action=f"go {index}",
            gain=gain,
            source="own",
            events=(),
        )

    def whole(episode: str, outcome: str, source: str) -> EpisodeCase:
        return EpisodeCase.model_validate(
            {
                "id": episode,
                "episode": episode,
                "rank": int(episode[1:]),
                "env": "e",
                "family": "f",
                "task_id": "e/t",
                "goal": "find the key",
                "split": "train",
                "plan": (),
                "trust": "observed",
                "llm": "",
                "actions": (),
                "outcome": outcome,
                "score": 1.0,
                "source": source,
                "events": (),
            }
        )

    steps = [step(f"e{e}", i, 0.5 if i < 2 else 0.0) for e in (1, 2, 3) for i in (2, 1, 0)]
    wholes = {
        "e1": whole("e1", "success", "own"),
        "e2": whole("e2", "failure", "own"),
        "e3": whole("e3", "success", "demonstration"),
    }
    found = from_cases(steps, wholes)
    assert [(e.episode, e.answer) for e in found] == [("e1", "go 0"), ("e1", "go 1")]
    assert "Good action: go 0\nroom 1" in found[1].question and found[1].form == "cue"
    assert len(from_cases(steps, wholes, demonstrations=True)) == 4
    row = row_of(SoftReader(tiny), found[0], 3)
    assert tiny.tokenizer.decode(row.target) == " go 0\n"
    assert tiny.tokenizer.decode(row.prompt.suffix).endswith("\nGood action:")
