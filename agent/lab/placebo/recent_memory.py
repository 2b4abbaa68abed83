"""In-context history: the last episodes as they were, whatever the task is. The arm `icl`.

The same number of episodes, in the same form and place as memory's, so that both read about as many tokens.
Nothing is searched, weighed or noted of tools.
"""

from collections.abc import Sequence
from typing import Any

from ....memory.credit.channel_weights import ChannelWeights, WeightPrior
from ....memory.ledger.records import EpisodeCase, Hit, Hits, State, StepCase, SubtaskCase
from ....memory.recall.case_memory import CaseMemory


class RecentMemory(CaseMemory):
    """A view that always answers with the last episodes."""

    def episodes(
        self,
        goal: str,
        *,
        env: str,
        k: int,
        task_id: str | None = None,
        family: str | None = None,
    ) -> Sequence[tuple[EpisodeCase, float]]:
        """Return the last k episodes, the latest first."""
        held = [case for case in self.wholes(env) if case.task_id != task_id]
        return [(case, 0.0) for case in reversed(held[-k:])]

    def read(self, state: State, **options: Any) -> Hits:
        """Return the steps of the last episode, the latest first, for a model that reads single steps."""
        last = self.episodes("", env=options["env"], k=1, task_id=options.get("task_id"))
        steps = self.steps_of(last[0][0])[::-1] if last else ()
        return Hits(
            hits=tuple(_hit(case) for case in steps), considered=len(steps), abstained=not steps
        )

    def weights(self, prior: WeightPrior, *, env: str, family: str, llm: str) -> ChannelWeights:
        """Return the prior: nothing was learned of the channels."""
        return prior.mean

    def subtasks(
        self, text: str, *, env: str, k: int, task_id: str | None = None, seen: str = ""
    ) -> Sequence[tuple[SubtaskCase, float]]:
        """Return nothing."""
        return ()


def _hit(case: StepCase) -> Hit:
    return Hit(
        case=case, action=case.action, about=case.action, similarity=0.0, why="the last episode"
    )
