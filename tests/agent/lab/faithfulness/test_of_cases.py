"""Retrieved cases: a model that copies them hangs on them, one that does not read them does not."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lichen.agent.lab.faithfulness.measures import Outcome, summarise, verdict_of
from lichen.agent.lab.faithfulness.of_cases import VARIANTS, choices, outcomes_of_cases
from lichen.agent.llm import ScriptedLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import UsageError, load_suite
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.store.demonstrations import from_gold, import_demonstrations


def copies(prompt: str, options: Sequence[str]) -> list[float]:
    """Score options by the last example in the prompt: same action, or same verb."""
    said = prompt.rpartition("Example:")[2]
    shown = said.partition("Good action:")[2].partition("\n")[0] if "Example:" in prompt else ""
    verb = shown.split()[:1]
    return [60.0 * (o.strip() == shown.strip()) + 20.0 * (o.split()[:1] == verb) for o in options]


def outcomes(folder: Path, llm: ScriptedLLM, *, learned: int = 8) -> list[Outcome]:
    suite = load_suite("alfworld-mini").model_copy(update={"max_steps": 30})
    with OpenAgent.from_config(store=folder, embedder="hashing", llm=llm) as agent:
        environment = agent.environment(suite)
        ids = suite.task_ids("train", learned, 0, environment) if learned else []
        import_demonstrations(agent.store, from_gold(environment, ids), run="gold")
        memory = CaseMemory(agent.store, agent.config.retriever)
        tasks = suite.task_ids("test", 4, 0, environment)
        made = choices(
            environment,
            tasks,
            lambda task: agent.parts(environment, task, memory=memory),
            shown=agent.config.policy.shown,
            most=4,
            seed=0,
        )
        assert all(c.gold in c.options and len(c.options) <= 16 for c in made)
        assert len({c.seen.task.id for c in made}) == 4
        return agent.wait(outcomes_of_cases(made, agent.llm, memory, seed=0))


def test_cases_that_a_scripted_model_copies_are_load_bearing(tmp_path: Path) -> None:
    found = outcomes(tmp_path, ScriptedLLM(choose=copies))
    rows = {row.variant: row for row in summarise(found, seed=0)}
    assert tuple(rows) == VARIANTS
    assert rows["ablate"].flip_rate > 0.5 and rows["ablate"].acc_diff < 0
    assert rows["noise"].flip_rate > 0 and rows["noise"].kl_per_token > 0
    assert verdict_of(list(rows.values())) == "load-bearing"


def test_cases_that_a_scripted_model_does_not_read_are_decorative(tmp_path: Path) -> None:
    found = outcomes(tmp_path, ScriptedLLM(choose=lambda _, options: [len(o) for o in options]))
    rows = summarise(found, seed=0)
    assert all(row.flip_rate == 0 and row.kl_per_token == 0 for row in rows)
    assert all(row.causal_use == pytest.approx(0) for row in rows)
    assert verdict_of(rows) == "decorative"


def test_a_memory_that_shows_nothing_cannot_be_tested(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fewer than two tasks"):
        outcomes(tmp_path, ScriptedLLM(), learned=0)
