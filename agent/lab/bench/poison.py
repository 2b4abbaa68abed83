"""`lichen bench harm --suite`: wrong cases in the memory of a real agent, with and without the gate.

A share of the demonstrations is made wrong: at every step another action than the right one, with the gain of
the right one. The agent first lives learning episodes, in which single items are held out, and learns from
their outcomes what each item is worth; then held-out tasks are played without memory, with all of it, and
with what the gate lets through. The cases themselves are the same in both memories.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....envs.errors import EnvironmentFault, UsageError
from ....envs.suite import Suite
from ....memory.credit.exposure import HarmGate
from ....memory.credit.intervals import estimate
from ....memory.ledger.content_id import content_id
from ....memory.likeness.grounding import ground
from ....memory.recall.case_memory import CaseMemory
from ....memory.store.demonstrations import Demonstration, from_gold, import_demonstrations
from ...episode.run_episode import EpisodeResult, run_episode
from ...open_agent import OpenAgent
from ...runs import next_attempt
from .machine import machine, version


def poisoned(
    shown: Sequence[Demonstration], share: float, rng: np.random.Generator
) -> Iterator[Demonstration]:
    """Yield the demonstrations, a share of them with every action exchanged for another one of that moment.

    Args:
        shown: Right ones; what could have been done must be known.
        share: How many are made wrong, rounded.
        rng: Picks which, and the wrong actions.
    """
    wrong = set(rng.permutation(len(shown))[: round(share * len(shown))].tolist())
    for number, one in enumerate(shown):
        if number not in wrong:
            yield one
            continue
        steps = []
        for step in one.steps:
            right = ground(step.action, step.text, one.goal)
            others = [offer for offer in step.offered if offer != right] or [step.action]
            action = others[int(rng.integers(len(others)))].replace(">", " ")
            steps.append(step.model_copy(update={"action": " ".join(action.split())}))
        yield one.model_copy(update={"steps": tuple(steps)})


def bench_poison(
    suite: Suite,
    folder: Path,
    *,
    poison: float = 0.3,
    cases: int = 12,
    learn: int = 60,
    tasks: int = 40,
    llm: bool = True,
    seed: int = 0,
    say: Callable[[str], None] = print,
    **options: Any,
) -> dict[str, Any]:
    """Measure and return the table.

    Args:
        suite: Learned on its train tasks, evaluated on its test tasks.
        folder: Of the store; the same call goes on where it stopped.
        poison: Share of the demonstrations that are wrong.
        cases: Demonstrations.
        learn: Learning episodes, from whose outcomes the items' uplifts are learned (they leave no cases).
        tasks: Held-out tasks, each played in every arm.
        llm: Ask the frozen model; without it the value channel and exploration act alone.
        seed: Of everything.
        say: Told what is going on.
        **options: Further settings of the agent.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds"}`; `ratio`: success gated over that with no
        memory, None where that is 0; `holds`: gated within a point of no memory or above, and NTR <= 1%.
    """
    dials = {"holdout": 0.3, "harm": {"rule": "harmless"}}
    dials |= options.pop("retriever", {})
    settings = {"embedder": "hashing", **options, "store": folder, "seed": seed}
    with OpenAgent.from_config(**settings, retriever=dials) as agent:
        agent.config.policy = agent.config.policy.model_copy(update={"llm": llm})
        asked = (suite.name, poison, cases, learn, tasks)
        name = "harm-" + content_id(
            *map(str, asked), agent.config.model_dump_json(exclude={"store"})
        )
        if any(row.run not in (name, "poisoned") for row in agent.store.ledger.read()):
            raise UsageError(
                f"{folder} holds a bench with other options, or something else",
                hint="Give this one a folder of its own with --store.",
            )
        environment = agent.environment(suite)
        rng = np.random.default_rng([seed, 7])
        train = suite.task_ids("train", None, seed, environment)
        if cases + learn > len(train):
            raise UsageError(
                f"{suite.name} has {len(train)} training tasks, {cases} + {learn} were asked for"
            )
        shown = list(from_gold(environment, train[:cases]))
        import_demonstrations(agent.store, poisoned(shown, poison, rng), run="poisoned")
        arms = {
            "no memory": None,
            "ungated": agent.config.retriever.model_copy(update={"harm": HarmGate(rule="off")}),
            "gated": agent.config.retriever,
        }
        played: dict[str, list[EpisodeResult]] = {}
        lived = train[cases : cases + learn]
        played["learning"] = agent.wait(
            _play(
                agent,
                suite,
                name,
                "learn",
                lived,
                CaseMemory(agent.store, arms["gated"]),
                say,
                credit=True,
            )
        )
        test = suite.task_ids("test", tasks, seed, environment)
        for arm, config in arms.items():
            memory = CaseMemory(agent.store, config) if config is not None else None
            played[arm] = agent.wait(_play(agent, suite, name, arm, test, memory, say))
        known = [
            (c.episode, agent.store.credit.uplift(c.episode)) for c in agent.store.episodes.values()
        ]
        shut = sum(not agent.config.retriever.harm.passes(uplift) for _, uplift in known)
    unknown = sum(r.outcome == "unknown" for results in played.values() for r in results)
    if unknown:
        raise EnvironmentFault(
            f"{unknown} episodes have no known outcome", hint="The same command tries them again."
        )
    none = played["no memory"]
    rows: list[dict[str, Any]] = []
    for arm, results in played.items():
        success = estimate([float(r.outcome == "success") for r in results], seed=seed)
        lost = [
            float(n.outcome == "success" and r.outcome != "success")
            for n, r in zip(none, results, strict=False)
        ]
        rows.append(
            {
                "what": arm,
                "n": len(results),
                "success": success.mean,
                "low": success.low,
                "high": success.high,
                "score": float(np.mean([r.score for r in results])),
                "NTR": float(np.mean(lost)) if arm != "learning" else None,
            }
        )
    by_arm = {row["what"]: row for row in rows}

    alone = by_arm["no memory"]["success"]

    def harmless(arm: str) -> bool:
        row = by_arm[arm]
        return bool(row["success"] >= alone - 0.01 and row["NTR"] <= 0.01)

    rows.append({"what": f"items that the gate shuts out, of {len(known)}", "n": shut})
    return {
        "bench": f"harm {suite.name}",
        "version": version(),
        "machine": machine(),
        "rows": rows,
        "ratio": by_arm["gated"]["success"] / alone if alone else None,
        "holds": harmless("gated"),
    }


async def _play(
    agent: OpenAgent,
    suite: Suite,
    run: str,
    name: str,
    tasks: Sequence[str],
    memory: CaseMemory | None,
    say: Callable[[str], None],
    *,
    credit: bool = False,
) -> list[EpisodeResult]:
    """Play tasks; with `credit` items are held out at random, and outcomes tell what they are worth."""
    environment = agent.environment(suite)
    before = await agent.fingerprint(agent.config.policy.llm)
    policy = agent.config.policy
    if memory is None:
        policy = policy.model_copy(update={"value": False, "context": False})
    results = []
    async with agent.graph() as graph:
        for number, task_id in enumerate(tasks):
            attempt = next_attempt(
                agent.store.ledger, f"{run}-{name.replace(' ', '-')}-{number:04d}"
            )
            result = attempt.result
            if result is None:
                parts = agent.parts(
                    environment,
                    task_id,
                    memory=memory,
                    policy=policy,
                    llm_name=before,
                    skills=agent.skills.offered,
                    holdout=agent.config.retriever.holdout if credit else 0.0,
                    explores=credit,
                )
                result = await run_episode(graph, parts, episode=attempt.episode, run=run)
                agent.store.absorb()
            results.append(result)
            wins = sum(r.outcome == "success" for r in results)
            if (number + 1) % 10 == 0:
                say(f"{name}: {wins} of {number + 1} solved")
    return results
