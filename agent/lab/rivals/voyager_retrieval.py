"""VOYAGER's own rule of retrieval: programs of solved tasks by the likeness of their descriptions.

Clean room after Wang et al. 2023, arXiv:2305.16291, section 2.2 and appendix A.4: what solved a task is kept
with a description that the model writes; the query is the model's own answer to how the task could be done
together with the task; the five nearest are given. A program here is a sequence of actions.
"""

from collections.abc import Mapping
from typing import ClassVar

from ....envs.types import Task
from .rival import Rival
from .trace import EpisodeTrace


class VoyagerRetrieval(Rival):
    """Programs with their descriptions."""

    name = "voyager"
    says = "what solved tasks, by VOYAGER's retrieval"
    source = "arXiv:2305.16291, section 2.2, appendix A.4"
    dials: ClassVar[Mapping[str, float]] = {"given": 5}
    """Programs that a task is given."""

    async def brief(self, task: Task, goal: str) -> str:
        """Return the five programs whose descriptions are nearest to how the task could be done."""
        if not self.kept:
            return ""
        how = await self.tools.write("voyager_how", goal=goal, most=60)
        near = self.tools.nearest(
            f"{goal} {how}", [item["about"] for item in self.kept], self.whole("given")
        )
        body = self.clipped([self.kept[row]["text"] for row, _ in near])
        return f"Programs that solved earlier tasks:\n\n{body}" if body else ""

    async def learn(self, trace: EpisodeTrace) -> None:
        """Keep what solved a task."""
        if not trace.won:
            return
        program = [step.action for step in trace.steps]
        about = await self.tools.write(
            "voyager_describe", goal=trace.goal, program=program, most=60
        )
        about = " ".join(about.split()) or trace.goal
        text = "\n".join([f"# {about}", f"# Task: {trace.goal}", *program])
        self.kept.append({"about": about, "text": text})
