"""Agent Workflow Memory: routines that a model writes down from solved tasks, all of them in the prompt.

Clean room after Wang et al. 2024, arXiv:2409.07429, section 2, in its online form: after every success a
workflow is induced (a description, and steps in which the task's own values are variables) and added.
"""

from collections.abc import Mapping
from typing import ClassVar

from ....envs.types import Task
from .rival import Rival
from .trace import EpisodeTrace


class WorkflowMemory(Rival):
    """Workflows, oldest first."""

    name = "awm"
    says = "workflows induced from successes (Agent Workflow Memory)"
    source = "arXiv:2409.07429, section 2, online"
    dials: ClassVar[Mapping[str, float]] = {"alike": 0.95}
    """Cosine above which a workflow is there already."""

    async def brief(self, task: Task, goal: str) -> str:
        """Return the last workflows that fit."""
        body = self.clipped([item["text"] for item in reversed(self.kept)])
        return f"Workflows that solved earlier tasks:\n\n{body}" if body else ""

    async def learn(self, trace: EpisodeTrace) -> None:
        """Induce a workflow from a success."""
        if not trace.won:
            return
        said = await self.tools.write("workflow_induce", episode=trace.lines(120), most=220)
        known = [item["text"] for item in self.kept]
        near = self.tools.nearest(said, known, 1) if said else []
        if said and not (near and near[0][1] >= self.dialled["alike"]):
            self.kept.append({"text": said})
