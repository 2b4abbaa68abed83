"""Episodes with one playbook: what a search for a better one, and the check of it, are made from."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...envs.base import Environment
from ...envs.text import shortened
from ...memory.ledger.content_id import content_id
from ...memory.ledger.events import EpisodeStarted, Stepped
from ...memory.recall.case_memory import CaseMemory
from ...memory.told.playbook_text import playbook_text
from ..episode.run_episode import EpisodeResult, run_episode
from ..open_agent import OpenAgent
from ..runs import known_result

_ANSWER = 300
"""Characters of one answer as the reflecting model reads it."""


@dataclass(frozen=True)
class Rollouts:
    """Runs episodes of one environment.

    Nothing is learned from them. They are in the ledger, so that the same playbook at the same task is run
    once, however often the search asks or is interrupted.
    """

    agent: OpenAgent
    environment: Environment
    run: str
    fingerprint: str

    def play(self, task_id: str, bullets: Sequence[str]) -> EpisodeResult:
        """Run a task with a playbook, and with what is remembered of other tasks.

        Raises:
            EnvironmentFault: It ended as unknown each time: a fault is no lost task.
        """
        return self.agent.wait(self._play(task_id, bullets))

    async def _play(self, task_id: str, bullets: Sequence[str]) -> EpisodeResult:
        agent = self.agent

        async def played(episode: str) -> EpisodeResult:
            parts = agent.parts(
                self.environment,
                task_id,
                memory=CaseMemory(agent.store, agent.config.retriever).elsewhere(),
                llm_name=self.fingerprint,
                instructions=playbook_text(bullets),
                playbook=False,
            )
            async with agent.graph() as graph:
                return await run_episode(graph, parts, episode=episode, run=self.run)

        name = f"{self.run}-{content_id(task_id, *bullets)}"
        return await known_result(agent.store.ledger, name, played, what=task_id)

    def lines(self, result: EpisodeResult) -> list[str]:
        """Return an episode as text, for the model that reflects on it."""
        said: list[str] = []
        for row in self.agent.store.ledger.read(episode=result.episode):
            match row.event:
                case EpisodeStarted():
                    said.append(f"Task: {' '.join(row.event.goal.split())}")
                case Stepped():
                    answer = " ".join(row.event.observation.split())
                    said.append(f"Action: {row.event.action}")
                    said.append(f"Answer: {shortened(answer, _ANSWER)}")
        won = result.outcome == "success"
        said.append("It was solved." if won else f"It was NOT solved (score {result.score:.2f}).")
        return said
