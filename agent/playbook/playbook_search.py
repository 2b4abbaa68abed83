"""The search for a better playbook, and the check that decides whether it is promoted.

The textual fast channel of Fast-Slow Training (arXiv:2605.12484) with the weights still: GEPA searches on the
ledger's own tasks; the best playbook then meets other tasks of the ledger, beside the old one and beside a
placebo of the same words. It is promoted when its gain there has an interval above 0 and the placebo does not
do as well.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...envs.errors import UsageError
from ...envs.suite import Suite
from ...envs.types import Record
from ...memory.credit.intervals import estimate
from ...memory.ledger.content_id import content_id
from ...memory.ledger.namespaces import EVERYONE
from ...memory.store.playbook import bullets_of, promote
from ..llm.errors import LLMNonsense
from ..llm.protocol import FrozenLLM, Message
from ..open_agent import OpenAgent
from .playbook_adapter import TEXT, PlaybookAdapter
from .rollouts import Rollouts
from .rules import shuffled

LEAST = 6
"""Tasks of the ledger below which nothing can be searched and checked."""
MINIBATCH = 2
"""Episodes that one new text is written from: what a small model can read."""
_ROOM = 500
"""Tokens of a written playbook."""


class PlaybookFound(Record):
    """What a search came to."""

    env: str
    before: tuple[str, ...]
    """The playbook that it began with."""
    bullets: tuple[str, ...]
    """The best that was found; the same as before where nothing was better."""
    searched: int
    """Tasks that the search knew."""
    held: int
    """Tasks of the check."""
    gain: tuple[float, float, float] | None = None
    """Score over the old playbook: mean and 95% interval; None: nothing new was found."""
    over_placebo: float | None = None
    """Score over the same words in another order, mean."""
    rollouts: int = 0
    """Episodes of the search, those included that were known."""
    promoted: bool = False


class _Quiet:
    """GEPA's log, which says nothing."""

    def log(self, message: str) -> None:
        """Say nothing."""


class _Split(NamedTuple):
    train: list[str]
    val: list[str]
    held: list[str]
    sources: dict[str, list[str]]


def search_playbook(
    agent: OpenAgent,
    suite: Suite,
    *,
    calls: int,
    reflector: FrozenLLM | None = None,
    told: Callable[[str], None] = lambda said: None,
) -> PlaybookFound:
    """Search for a better playbook of a suite's environment, and promote it if it is one.

    Args:
        agent: Whose ledger has the tasks, and whose model acts.
        suite: Which environment, with which options.
        calls: Episodes that the search may run.
        reflector: Writes the playbooks; the agent's own model when None.
        told: Told how it goes on, in sentences.

    Raises:
        UsageError: Too few tasks of the environment are remembered, no model is asked, `gepa` is not
            installed.
        EnvironmentFault: A task kept ending as unknown.
    """
    try:
        from gepa.api import optimize
    except ImportError as error:
        raise UsageError(
            "the search for a playbook needs the library gepa",
            hint='pip install "lichen[playbook]"',
        ) from error
    if not agent.config.policy.llm:
        raise UsageError("a playbook is read by a model, and none is asked (policy.llm=false)")
    seed = agent.config.seed
    split = _split(agent, suite, seed)
    environment = agent.environment(suite)
    before = agent.wait(agent.fingerprint(True))
    old = tuple(bullet.text for bullet in bullets_of(agent.store, suite.env))
    settings = {"env": suite.env, "old": old, "calls": calls, "tasks": split.train + split.val}
    run = content_id("playbook", before, str(seed), str(settings))
    agent.opened(run, agent.started("playbook", suite.name, before, settings))
    rollouts = Rollouts(agent, environment, run, before)
    adapter = PlaybookAdapter(rollouts, _writer(agent, reflector), split.sources)
    told(f"searching on {len(split.train)} + {len(split.val)} tasks, {calls} episodes")
    result: Any = optimize(
        seed_candidate={TEXT: "\n".join(old)},
        trainset=split.train,
        valset=split.val,
        adapter=adapter,  # type: ignore[arg-type]
        max_metric_calls=calls,
        reflection_minibatch_size=MINIBATCH,
        logger=_Quiet(),
        seed=seed,
    )
    best = tuple(result.best_candidate[TEXT].splitlines())
    found = PlaybookFound(
        env=suite.env,
        before=old,
        bullets=best,
        searched=len(split.train) + len(split.val),
        held=len(split.held),
        rollouts=result.total_metric_calls or 0,
    )
    if best != old:
        told(f"checking {len(best)} rules on {len(split.held)} other tasks")
        found = _checked(rollouts, found, split.held, seed)
    if found.promoted and found.gain is not None:
        promote(
            agent.store,
            suite.env,
            [(rule, adapter.evidence[rule]) for rule in best],
            gain=found.gain,
            tasks=found.held,
            reason=f"run {run}",
        )
    agent.wait(agent.closed(run, before, max(1, found.rollouts)))
    return found


def _checked(
    rollouts: Rollouts, found: PlaybookFound, held: Sequence[str], seed: int
) -> PlaybookFound:
    """Return what was found with what it gains on held-out tasks."""
    placebo = shuffled(found.bullets, np.random.default_rng([seed, len(held)]))

    def scores(bullets: Sequence[str]) -> list[float]:
        return [rollouts.play(task, bullets).score for task in held]

    old, new, mixed = scores(found.before), scores(found.bullets), scores(placebo)
    gain = estimate([a - b for a, b in zip(new, old, strict=True)], seed=seed)
    over = float(np.mean(np.array(new) - np.array(mixed)))
    return found.model_copy(
        update={
            "gain": (gain.mean, gain.low, gain.high),
            "over_placebo": over,
            "promoted": gain.low > 0 and over > 0,
        }
    )


def _split(agent: OpenAgent, suite: Suite, seed: int) -> _Split:
    """Return the ledger's own tasks of an environment in three parts: a quarter, a quarter, a half."""
    sources: dict[str, list[str]] = {}
    for case in agent.store.episodes.values():
        if case.env == suite.env and case.namespace == EVERYONE and case.split == "train":
            sources.setdefault(case.task_id, []).append(case.episode)
    tasks = sorted(sources)
    if len(tasks) < LEAST:
        raise UsageError(
            f"{len(tasks)} training tasks of {suite.env} are remembered, and a search needs {LEAST}",
            hint=f"`lichen run {suite.name}` or `lichen memory import-gold {suite.name}` brings more.",
        )
    order = np.random.default_rng(seed).permutation(len(tasks))
    mixed = [tasks[int(i)] for i in order]
    one, two = len(tasks) // 4, len(tasks) // 2
    return _Split(mixed[:one], mixed[one:two], mixed[two:], sources)


def _writer(agent: OpenAgent, reflector: FrozenLLM | None) -> Callable[[str], str]:
    llm = reflector or agent.llm

    async def ask(prompt: str) -> str:
        turn = Message(role="user", content=prompt)
        try:
            return await llm.chat([turn], max_tokens=_ROOM, seed=agent.config.seed)
        except LLMNonsense:
            return ""

    return lambda prompt: agent.wait(ask(prompt))
