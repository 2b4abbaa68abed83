"""Agentic Context Engineering (ACE): a playbook of bullets that grows by small changes.

Clean room after Zhang et al. 2025, arXiv:2510.04618, section 3: a generator acts with the whole playbook, a
reflector reads what came of it and says which bullets helped, a curator adds bullets; likenesses are merged
by embedding ("grow and refine"), and nothing is ever rewritten whole.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from ....envs.types import Task
from ...playbook.rules import bullets_in
from .rival import Rival
from .trace import EpisodeTrace

_TAG = re.compile(r"\bB(\d+)\b\W{0,12}(helpful|harmful)", re.IGNORECASE)


class AcePlaybook(Rival):
    """Bullets with counters of what the reflector said of them."""

    name = "ace"
    says = "a playbook of bullets (ACE)"
    source = "arXiv:2510.04618, section 3"
    dials: ClassVar[Mapping[str, float]] = {"alike": 0.85, "added": 3}
    """Cosine above which a new bullet is one that is there; bullets that one episode may add."""

    async def brief(self, task: Task, goal: str) -> str:
        """Return the whole playbook; over budget the most harmful and oldest bullets are left out."""
        held = sorted(self._alive(), key=lambda i: (i["helpful"] - i["harmful"], i["number"]))
        while held and sum(len(i["text"]) + 8 for i in held) > 4 * self.tools.tokens:
            held.pop(0)
        if not held:
            return ""
        lines = [f"[B{i['number']}] {i['text']}" for i in sorted(held, key=lambda i: i["number"])]
        return "Playbook:\n" + "\n".join(lines)

    async def learn(self, trace: EpisodeTrace) -> None:
        """Reflect on an episode, count what helped, and add what is new."""
        bullets = [f"[B{i['number']}] {i['text']}" for i in self._alive()]
        said = await self.tools.write("ace_reflect", episode=trace.lines(), bullets=bullets)
        for number, how in _TAG.findall(said):
            for item in self.kept:
                if item["number"] == int(number):
                    item[how.lower()] += 1
        insight = _TAG.sub("", said).strip()
        wrote = await self.tools.write(
            "ace_curate", goal=trace.goal, insight=insight, bullets=bullets, most=160
        )
        for text in bullets_in(wrote, self.whole("added")):
            known = [i["text"] for i in self.kept]
            near = self.tools.nearest(text, known, 1)
            if near and near[0][1] >= self.dialled["alike"]:
                self.kept[near[0][0]]["helpful"] += 1
            else:
                number = len(self.kept) + 1
                self.kept.append({"number": number, "text": text, "helpful": 0, "harmful": 0})

    def _alive(self) -> list[dict[str, Any]]:
        return [i for i in self.kept if i["harmful"] <= i["helpful"] + 1]
