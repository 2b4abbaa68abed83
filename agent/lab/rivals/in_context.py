"""Plain in-context history: the last episodes as they were, whatever the task is.

The baseline that two benchmarks of 2026 (arXiv:2606.05661, arXiv:2608.03874) find hard to beat.
"""

from ....envs.types import Task
from .rival import Rival
from .trace import EpisodeTrace


class InContext(Rival):
    """The last episodes, raw, at memory's budget of tokens."""

    name = "icl"
    says = "the last episodes, raw, at memory's budget"
    source = "arXiv:2606.05661, arm ICL"

    @property
    def room(self) -> int:
        """Tokens that the history may have."""
        return self.tools.tokens

    async def brief(self, task: Task, goal: str) -> str:
        """Return the last episodes that fit, whole, in the order in which they were."""
        room, last = self.room * 4, []
        for item in reversed(self.kept):
            room -= len(item["text"])
            if room < 0:
                break
            last.append(item["text"])
        if not last:
            return ""
        return "Earlier episodes, the last one last:\n\n" + "\n\n".join(reversed(last))

    async def learn(self, trace: EpisodeTrace) -> None:
        """Keep the episode as it was."""
        self.kept.append({"text": "\n".join(trace.lines())})


class InContextFull(InContext):
    """The same, as many episodes as the context holds."""

    name = "icl-full"
    says = "as many last episodes as the context holds"

    @property
    def room(self) -> int:
        """Tokens that the history may have."""
        return self.tools.context
