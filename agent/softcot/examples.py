"""What a projection learns from: by default the agent's own verified successes, from the ledger."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ...memory.types import EpisodeCase, StepCase
from ..policy import recent_turns
from ..prompting import render
from .config import Example


def from_cases(
    steps: Iterable[StepCase],
    episodes: Mapping[str, EpisodeCase],
    *,
    demonstrations: bool = False,
) -> list[Example]:
    """Return the actions of successful episodes under the prompts that the policy gives, oldest first.

    A step that gained nothing is left out: it was part of a success and no part of why.

    Args:
        steps: Step cases of a store.
        episodes: Its whole cases by id.
        demonstrations: Take demonstrations too, not the agent's own episodes alone.
    """
    won = {
        case.episode
        for case in episodes.values()
        if case.outcome == "success" and (demonstrations or case.source == "own")
    }
    trails: dict[str, list[StepCase]] = defaultdict(list)
    for step in steps:
        if step.episode in won:
            trails[step.episode].append(step)
    found = []
    for trail in sorted(trails.values(), key=lambda t: t[0].rank):
        trail.sort(key=lambda s: s.index)
        said = [(a.action, b.state.text) for a, b in zip(trail, trail[1:], strict=False)]
        for number, step in enumerate(trail):
            if step.gain <= 0:
                continue
            prompt = render(
                "act",
                state=step.state,
                shown=(),
                history=recent_turns(said[:number]),
                hint=step.subtask if step.subtask != step.state.goal else "",
            )
            found.append(
                Example(
                    question=prompt,
                    seen=f"{step.state.goal}\n{step.state.text}\n{step.state.inventory}".strip(),
                    target=f" {step.action}\n",
                    form="cue",
                    family=step.family,
                    answer=step.action,
                    episode=step.episode,
                )
            )
    return found
