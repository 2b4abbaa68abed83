"""ReasoningBank: strategy items distilled from successes and failures, found again by likeness of the task.

Clean room after Ouyang et al. 2025, arXiv:2509.25140, section 3: at most three items (title, description,
content) of each episode, another prompt for failures than for successes, top-1 by cosine of the tasks. The
outcome is the environment's, where the paper has a model judge it.
"""

import re
from collections.abc import Mapping
from typing import ClassVar

from ....envs.types import Task
from .rival import Rival
from .trace import EpisodeTrace

_ITEM = re.compile(
    r"title\W*:\s*(?P<title>.+?)\s*\n\W*description\W*:\s*(?P<about>.+?)\s*\n\W*content\W*:\s*(?P<text>.+?)\s*(?=\n\W*title|\Z)",
    re.IGNORECASE | re.DOTALL,
)


class ReasoningBank(Rival):
    """Items by the task that they come from."""

    name = "reasoningbank"
    says = "strategy items of successes and failures (ReasoningBank)"
    source = "arXiv:2509.25140, section 3"
    dials: ClassVar[Mapping[str, float]] = {"items": 3, "nearest": 1}
    """Items of an episode at most; episodes whose items are given (1 in the paper's ablation)."""

    async def brief(self, task: Task, goal: str) -> str:
        """Return the items of the nearest earlier task."""
        near = self.tools.nearest(goal, [item["goal"] for item in self.kept], self.whole("nearest"))
        said = [
            f"{one['title']}: {one['about']} {one['text']}"
            for row, _ in near
            for one in self.kept[row]["items"]
        ]
        body = self.clipped(said)
        return f"Strategies that were learned from earlier tasks:\n\n{body}" if body else ""

    async def learn(self, trace: EpisodeTrace) -> None:
        """Distil an episode."""
        items = self.whole("items")
        prompt = "bank_success" if trace.won else "bank_failure"
        said = await self.tools.write(prompt, episode=trace.lines(), items=items, most=260)
        found = [
            {name: " ".join(one[name].split()) for name in ("title", "about", "text")}
            for one in _ITEM.finditer(said)
        ][:items]
        if found:
            self.kept.append({"goal": trace.goal, "items": found})
