"""What a projection learns from: by default the agent's own verified successes, from the ledger."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from ...memory.ledger.namespaces import EVERYONE
from ...memory.ledger.records import EpisodeCase, Hit, State, StepCase
from ...memory.recall.case_memory import CaseMemory
from ...memory.store.demonstrations import Demonstration
from ...memory.store.store import Store
from ..acting.scoring_voice import act_prompt, recent_turns
from ..prompts.rendering import clip
from .soft_config import Example

SHOWN = 2
"""Cases that the assistant reads, and that stand in the LLM's prompt (the policy's own number)."""
Recalled = Callable[[StepCase], Sequence[Hit]]
"""The cases that memory would show at a remembered step."""


def assistant_text(state: State, hits: Sequence[Hit]) -> str:
    """Return what the assistant reads: the task, the cases that were retrieved, what is seen.

    One place for training and use, so that a case-conditioned thought means the same in both.
    """
    parts = [clip(state.goal, 400)]
    parts += [
        f"Example: {clip(hit.case.state.text, 240)}\nGood action: {hit.action}"
        for hit in hits[:SHOWN]
    ]
    parts += [f"Now: {clip(state.text, 400)}", clip(state.inventory, 120)]
    return "\n".join(part for part in parts if part)


def recalled(store: Store, memory: CaseMemory) -> Recalled:
    """Return what reads a store as the agent would, a task's own episodes left out."""

    def read(step: StepCase) -> Sequence[Hit]:
        episode = store.episodes.get(step.episode)
        return memory.read(
            step.state,
            env=step.env,
            family=step.family,
            task_id=episode.task_id if episode is not None else None,
        ).hits

    return read


def from_cases(
    steps: Iterable[StepCase],
    episodes: Mapping[str, EpisodeCase],
    *,
    demonstrations: bool = False,
    recalled: Recalled | None = None,
) -> list[Example]:
    """Return the actions of successful episodes under the prompts that the policy gives, oldest first.

    A step that gained nothing is left out: it was part of a success and no part of why.

    Args:
        steps: Step cases of a store.
        episodes: Its whole cases by id.
        demonstrations: Take demonstrations too, not the agent's own episodes alone.
        recalled: The cases of each step, for the prompt and the assistant; None: none.
    """
    return [example for example, _ in with_steps(steps, episodes, demonstrations, recalled)]


def with_steps(
    steps: Iterable[StepCase],
    episodes: Mapping[str, EpisodeCase],
    demonstrations: bool = False,
    recalled: Recalled | None = None,
) -> list[tuple[Example, StepCase]]:
    """Return the examples of `from_cases`, each with its step."""
    won = {
        case.episode: case.task_id
        for case in episodes.values()
        if case.outcome == "success"
        and (demonstrations or case.source == "own")
        and case.namespace == EVERYONE  # its projection serves everyone
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
            hits = recalled(step) if recalled is not None else ()
            example = _example(
                step.state,
                said[:number],
                step.action,
                hits,
                hint=step.subtask if step.subtask != step.state.goal else "",
            )
            saw = tuple(sorted({hit.case.episode for hit in hits[:SHOWN]}))
            made = {
                "family": step.family,
                "episode": step.episode,
                "saw": saw,
                "task": won[step.episode],
            }
            found.append((example.model_copy(update=made), step))
    return found


def from_demonstrations(shown: Iterable[Demonstration]) -> list[Example]:
    """Return the actions of demonstrations under the prompts that the policy gives without memory."""
    found = []
    for demonstration in shown:
        said: list[tuple[str, str]] = []
        for step in demonstration.steps:
            state = State(
                goal=step.goal or demonstration.goal, text=step.text, inventory=step.inventory
            )
            example = _example(state, said, step.action, ())
            of = {"family": demonstration.family, "task": demonstration.task_id}
            found.append(example.model_copy(update=of))
            said.append((step.action, step.observation))
    return found


def _example(
    state: State,
    said: Sequence[tuple[str, str]],
    action: str,
    hits: Sequence[Hit],
    *,
    hint: str = "",
) -> Example:
    prompt = act_prompt(state, hits[:SHOWN], recent_turns(said), hint)
    return Example(
        question=prompt,
        seen=assistant_text(state, hits),
        target=f" {action}\n",
        form="cue",
        answer=action,
    )
