"""Learning: the training episodes of an opened run, in the order of the suite's stream."""

from typing import TYPE_CHECKING, Any, Protocol

from ..envs.base import Environment
from ..envs.suite import Suite
from ..memory.recall.case_memory import CaseMemory
from .asking.opened import Opened
from .episode.parts import EpisodeParts
from .episode.run_episode import run_episode
from .runs import LearnReport, Progress, Run, next_attempt
from .softcot.soft_config import may_think
from .weighing import Acting, learn_weights

if TYPE_CHECKING:
    from .softcot.hints import Hints


class Learning(Acting, Opened, Protocol):
    """An opened agent, as far as it is needed here."""

    @property
    def hints(self) -> "Hints":
        """The assistant with its gate."""

    def parts(self, *args: Any, **kwargs: Any) -> EpisodeParts:
        """Return the parts of one episode."""

    def environment(self, suite: Suite | None) -> Environment:
        """Return the environment of a suite."""

    async def closed(self, run: str, before: str, episodes: int) -> str:
        """Write that a run ended."""


async def learn_stream(
    agent: Learning,
    suite: Suite,
    run: Run,
    count: int,
    before: str,
    progress: Progress | None = None,
) -> LearnReport:
    """Run the first `count` learning episodes of an opened run; those that are known are not run again.

    Args:
        agent: Whose memory grows.
        suite: The stream goes round its training tasks.
        run: Opened.
        count: How many episodes.
        before: The model's fingerprint, empty when it is not asked.
        progress: Told of every episode.

    Raises:
        FingerprintChanged: The model was not the same afterwards.
    """
    config, store, lent = agent.config, agent.store, agent.environments.lent
    ids = suite.task_ids("train", None, config.seed, agent.environment(suite))
    ids = [ids[(run.offset + i) % len(ids)] for i in range(count)]
    results, resumed = [], 0
    exploring = config.policy.exploring()
    memory = CaseMemory(store, config.retriever)
    store.bound()  # a kill may have come before
    asked = before if exploring.llm else ""
    async with lent(suite) as environment:
        await learn_weights(agent, environment, memory, llm=asked, run=run.id)
    if exploring.llm and may_think(config.softcot, store.folder):
        store.follow(agent.hints.keep_up)
    async with agent.graph() as graph:
        for number, task_id in enumerate(ids):
            attempt = next_attempt(store.ledger, f"{run.id}-{number:04d}")
            if attempt.result is not None:
                resumed += 1
                results.append(attempt.result)
            else:
                async with lent(suite) as environment:
                    parts = agent.parts(
                        environment,
                        task_id,
                        memory=memory,
                        policy=exploring,
                        learn=True,
                        llm_name=asked,
                        skills=agent.skills.offered,
                    )
                    done = await run_episode(graph, parts, episode=attempt.episode, run=run.id)
                results.append(done)
                await store.finish()
            if progress is not None:
                progress(number + 1, count, results[-1])
    unknown = sum(result.outcome == "unknown" for result in results)
    after = await agent.closed(run.id, before, 0 if unknown else count)
    return LearnReport(
        run=run.id,
        episodes=tuple(results),
        resumed=resumed,
        fingerprint_before=before,
        fingerprint_after=after,
    )
