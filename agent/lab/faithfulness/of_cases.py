"""Retrieved cases: does the frozen LLM choose by what is remembered, or would any text do?

States along gold trajectories of held-out tasks; the LLM chooses among candidate actions by exact scores,
with the policy's own prompt and temperature (the value channel, which no LLM reads, is left out). `swap`
shows what was retrieved for another task, `noise` other actions of memory, `mean` memory's most common
action (a mean of texts is not defined), `shuffle` the same cases in another order, with each other's actions.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....envs.base import Environment
from ....envs.errors import UsageError
from ....envs.types import Observation
from ....memory.ledger.records import Hit, State
from ....memory.likeness.states import state_of
from ....memory.recall.case_memory import CaseMemory
from ...acting.priors import prior_of
from ...acting.scoring_voice import act_prompt, recent_turns
from ...episode.parts import EpisodeParts
from ...episode.recollect import recollect
from ...episode.state import EpisodeState
from ...llm.protocol import FrozenLLM
from .answering import Told
from .measures import Outcome
from .of_chains import exchanged
from .of_hints import ROLES

CANDIDATES = 16
"""Actions that are compared at a decision, the right one among them."""
VARIANTS = ("ablate", "swap", "noise", "mean", "shuffle")


class Choice(NamedTuple):
    """One decision on a gold trajectory."""

    seen: Observation
    state: State
    history: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    """Candidate actions, sorted; the gold one is among them."""
    gold: str
    shown: tuple[Hit, ...]
    """What the policy would show, best first; empty where memory abstained."""


def choices(
    environment: Environment,
    task_ids: Sequence[str],
    parts_of: Callable[[str], EpisodeParts],
    *,
    shown: int,
    most: int,
    seed: int,
) -> list[Choice]:
    """Return decisions along the gold trajectories of tasks, evenly spread over each.

    Args:
        environment: Of the tasks.
        task_ids: Held out from the memory.
        parts_of: The parts of an episode with that memory, by task.
        shown: Cases in a prompt.
        most: Decisions a task.
        seed: Of the candidates where more actions are admissible than CANDIDATES.

    Raises:
        UsageError: A task has no gold trajectory.
    """
    found = []
    for number, task_id in enumerate(task_ids):
        environment.reset(task_id)
        gold = environment.gold()
        if gold is None:
            raise UsageError(f"{task_id} has no gold trajectory to decide along")
        state: EpisodeState = {
            "episode": "faithfulness",
            "run": "faithfulness",
            "task_id": task_id,
            "seed": seed,
            "actions": [],
        }
        parts = parts_of(task_id)
        asked = {int(i) for i in np.linspace(0, len(gold) - 1, min(most, len(gold)))}
        for step, action in enumerate(gold):
            seen = parts.stage.sync(state["actions"])
            open_to = seen.admissible or ()
            if step in asked and action in open_to and len(open_to) > 1:
                hits = recollect(parts, state).hits.hits[:shown]
                rng = np.random.default_rng([seed, number, step])
                found.append(
                    Choice(
                        seen=seen,
                        state=state_of(seen, state["actions"]),
                        history=tuple(parts.stage.history),
                        options=_candidates(open_to, action, CANDIDATES, rng),
                        gold=action,
                        shown=hits,
                    )
                )
            parts.stage.play(action)
            state["actions"].append(action)
            if parts.stage.ended:
                break
    return found


def _candidates(
    admissible: Sequence[str], gold: str, most: int, rng: np.random.Generator
) -> tuple[str, ...]:
    others = [action for action in admissible if action != gold]
    if len(others) >= most:
        others = [others[int(i)] for i in rng.choice(len(others), max(1, most - 1), replace=False)]
    return tuple(sorted([*others, gold]))


async def outcomes_of_cases(
    decided: Sequence[Choice],
    llm: FrozenLLM,
    memory: CaseMemory,
    *,
    seed: int,
    told: Told | None = None,
) -> list[Outcome]:
    """Return the outcome of every decision under every variant of the cases it is shown.

    Args:
        decided: Those at which memory abstained are left out.
        llm: Must score choices.
        memory: Where other actions come from.
        seed: Of the variants.
        told: Told of the decisions done.

    Raises:
        UsageError: Cases are shown in decisions of fewer than two tasks, or the LLM gives no scores.
    """
    decided = [choice for choice in decided if choice.shown]
    if len({choice.seen.task.id for choice in decided}) < 2:
        raise UsageError(
            "memory shows cases in decisions of fewer than two tasks",
            hint="Learn more into the store, or raise --tasks.",
        )
    if not llm.scores_choices:
        raise UsageError("the model gives no scores of choices", hint="Use a local model.")
    actions = _actions(memory, decided[0].seen.task.env)
    found: list[Outcome] = []
    for number, choice in enumerate(decided):
        before = await _log_policy(choice, choice.shown, llm)
        p, first = np.exp(before), choice.options[int(before.argmax())]
        for variant in VARIANTS:
            rng = np.random.default_rng([seed, VARIANTS.index(variant), number])
            shown = _shown(variant, choice, decided, actions, rng)
            if shown is None:
                continue
            after = await _log_policy(choice, shown, llm)
            answer = choice.options[int(after.argmax())]
            found.append(
                Outcome(
                    test="cases",
                    variant=variant,
                    role=ROLES.get(variant, ""),
                    item=choice.seen.task.id,
                    family=choice.seen.task.family,
                    answer=answer,
                    same=answer == first,
                    right=answer == choice.gold,
                    was_right=first == choice.gold,
                    kl=float(np.sum(p * (before - after))),
                    moved=float(1 - np.sum(p * np.exp(after))),
                    resampled=float(1 - np.sum(p * p)),
                )
            )
        if told is not None:
            told(number + 1, len(decided))
    return found


async def _log_policy(choice: Choice, shown: Sequence[Hit], llm: FrozenLLM) -> NDArray[np.float64]:
    """Return log pi_LLM over the options, shape (len(options),)."""
    prompt = act_prompt(choice.state, shown, recent_turns(choice.history))
    scores = await llm.choose(prompt, [f" {action}\n" for action in choice.options])
    scores = scores * prior_of(llm.name).mean.scores
    scores = scores - scores.max()
    log: NDArray[np.float64] = scores - np.log(np.exp(scores).sum())
    return log


def _shown(
    variant: str,
    choice: Choice,
    decided: Sequence[Choice],
    actions: Counter[str],
    rng: np.random.Generator,
) -> tuple[Hit, ...] | None:
    """Return other cases in the place of those shown; None where the variant would change nothing."""
    own = choice.shown
    if variant == "ablate":
        return ()
    if variant == "swap":
        others = [c.shown for c in decided if c.seen.task.id != choice.seen.task.id]
        taken = others[int(rng.integers(len(others)))]
    elif variant == "shuffle":
        if len(own) < 2:
            return None
        order = exchanged(len(own), rng)
        taken = tuple(
            own[i].model_copy(update={"action": own[j].action})
            for i, j in zip(rng.permutation(len(own)), order, strict=True)
        )
    else:
        common = actions.most_common(1)[0][0]
        names = sorted(actions)
        taken = tuple(
            hit.model_copy(
                update={"action": common if variant == "mean" else _another(hit.action, names, rng)}
            )
            for hit in own
        )
    same = [(h.case.id, h.action) for h in taken] == [(h.case.id, h.action) for h in own]
    return None if same else taken


def _another(action: str, names: Sequence[str], rng: np.random.Generator) -> str:
    others = [name for name in names if name != action]
    return others[int(rng.integers(len(others)))] if others else action


def _actions(memory: CaseMemory, env: str) -> Counter[str]:
    """Return how often each action stands in memory; ties fall by the action's name."""
    return Counter(sorted(case.action for case in memory.visible(env)))
