"""A store of facts as mem0 keeps them: extracted from every episode, added, updated or deleted one by one.

Clean room after Chhikara et al. 2025, arXiv:2504.19413, section 2.1: a model extracts candidate facts; each
is held against the s most like ones, and the model says ADD, UPDATE, DELETE or NOOP; a task is given the
facts that are nearest to it.
"""

import re
from collections.abc import Mapping
from typing import ClassVar

from ....envs.types import Task
from ...playbook.rules import bullets_in
from .rival import Rival
from .trace import EpisodeTrace

_VERDICT = re.compile(r"\b(ADD|UPDATE|DELETE|NOOP|NONE)\b\W*(\d+)?", re.IGNORECASE)


class FactStore(Rival):
    """Facts, oldest first."""

    name = "mem0"
    says = "facts, added, updated and deleted by the model (mem0)"
    source = "arXiv:2504.19413, section 2.1"
    dials: ClassVar[Mapping[str, float]] = {"like": 5, "given": 10, "facts": 4}
    """Facts that a candidate is held against (s = 10 in the paper; 5 is what small models can read); facts that
    a task is given; candidates of one episode."""

    async def brief(self, task: Task, goal: str) -> str:
        """Return the facts nearest to the task."""
        near = self.tools.nearest(goal, [item["text"] for item in self.kept], self.whole("given"))
        body = self.clipped([f"- {self.kept[row]['text']}" for row, _ in near])
        return "Facts that were remembered:\n" + body.replace("\n\n", "\n") if body else ""

    async def learn(self, trace: EpisodeTrace) -> None:
        """Extract facts, and put each in its place."""
        most = self.whole("facts")
        said = await self.tools.write("facts_extract", episode=trace.lines(), facts=most)
        for fact in bullets_in(said, most):
            await self._place(fact)

    async def _place(self, fact: str) -> None:
        near = self.tools.nearest(fact, [item["text"] for item in self.kept], self.whole("like"))
        if not near:
            self.kept.append({"text": fact})
            return
        rows = [row for row, _ in near]
        said = await self.tools.write(
            "facts_update", fact=fact, known=[self.kept[row]["text"] for row in rows], most=12
        )
        found = _VERDICT.search(said)
        verdict = found[1].upper() if found else "ADD"
        number = int(found[2]) - 1 if found and found[2] else 0
        row = rows[number] if 0 <= number < len(rows) else rows[0]
        if verdict == "ADD":
            self.kept.append({"text": fact})
        elif verdict == "UPDATE":
            self.kept[row] = {"text": fact}
        elif verdict == "DELETE":
            del self.kept[row]
