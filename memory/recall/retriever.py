"""Non-parametric reads (AgentFly eq. 13) in two stages: the index proposes, the kernel decides.

Stage one asks the vector index for the nearest states; stage two exchanges the entities of each proposed
case for those of the present goal and re-ranks by the exact kernel. Below the floor the memory abstains.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from pydantic import Field

from ...envs.types import Record
from ..credit.exposure import HarmGate
from ..ledger.records import Hit, Hits, State, StepCase
from ..likeness.analogy import SAME, Analogy, analogy
from ..likeness.features import Idf, Weighed, likeness, shared, state_features, weigh
from ..likeness.grounding import TOLD, Wordings, exchange, ground, plain, slotted
from ..likeness.words import words

VALUE_K = 12
"""Step cases that a read returns at most: the value channel weighs them, the prompt shows the first."""
STRANGER = 0.5
"""Factor on the similarity of a case whose task is of another family, and of one from before a change."""
FIT = 0.5
"""How much it counts in the order whether the case's action, or one like it, can be done here."""


class RetrieverConfig(Record):
    """Settings of memory: what a read returns, what is held out, and how much is kept."""

    k: int = Field(default=4, ge=1)
    """Whole episodes shown to a planner; 4 as in AgentFly. Not measured by itself."""
    floor: float = Field(default=0.15, ge=0, le=1)
    """Similarity below which a step case is not used. Measured by `lichen certify`: at 0.15 two of 20
    ScienceWorld anchors find a case, at 0.3 none; at 1 the policy is bit for bit the frozen LLM's."""
    delta: float = Field(default=0.2, ge=0, le=1)
    """Cosine below which a whole episode or subtask is not used; at 1 none is. Not measured by itself."""
    same_task: bool = False
    """Whether a task sees its own earlier episodes; off in all that is measured, so that no task
    retrieves itself."""
    holdout: float = Field(default=0.1, ge=0, lt=1)
    """Share of learning episodes in which a remembered one is held out, at first; `lichen bench credit`
    measures how well 0.25 tells helpful items from others."""
    harm: HarmGate = Field(default_factory=HarmGate)
    """Which items are shown, by what is known of their uplift."""
    tools: bool = True
    """Use subtask memory (for plans) and tool memory (for calls); the arm `-tools` measures it."""
    capacity: int | None = Field(default=None, ge=1)
    """Episodes that are kept for retrieval; the least useful beyond it are let go; None: all. Not measured
    by itself."""


def rank(
    state: State,
    proposed: Sequence[StepCase],
    idf: Idf,
    config: RetrieverConfig,
    *,
    counts: Callable[[StepCase], float] = lambda case: 1.0,
    admissible: Sequence[str] | None = None,
    content: Callable[[StepCase], StepCase] = lambda case: case,
) -> Hits:
    """Return the proposed cases that reach the floor, by the exact kernel, best first.

    Args:
        state: Where the policy is now.
        proposed: Cases from the index.
        idf: Document frequencies of the memory.
        config: The floor of similarity.
        counts: Gives the factor on the similarity of a case.
        admissible: What can be done now; cases whose action cannot be done here come later. None: any text
            can.
        content: Gives the case whose action and gain stand in a found one's place; the states that are
            searched stay the same.
    """
    asked, bare = weigh(state_features(state), idf), None
    for action in admissible or ():
        if plain(action, state.text, state.goal) == TOLD:
            bare = _bare(state, action, SAME, idf)
    doable = (
        None
        if admissible is None
        else Wordings(
            [
                slotted(about)
                for about in dict.fromkeys(
                    plain(action, state.text, state.goal) for action in admissible
                )
            ]
        )
    )
    found = []
    for case in proposed:
        similarity = likeness(asked, idf.weighed(case.state, state.goal)) * counts(case)
        if bare is None and similarity < config.floor:
            continue
        told = content(case)
        change = SAME if state.request else analogy(told.state.goal, state.goal)
        about = exchange(ground(told.action, told.state.text, told.state.goal), change)
        if bare is not None and about == TOLD:
            similarity = likeness(bare, _bare(told.state, told.action, change, idf)) * counts(case)
        if similarity < config.floor:
            continue
        fit = 1.0 if doable is None else float(doable.likeness(slotted(about)).max(initial=0.0))
        order = similarity * (1 - FIT + FIT * fit)
        found.append((order, similarity, told, about, change, case.state))
    found.sort(key=lambda x: (-x[0], x[2].id))
    hits = tuple(
        Hit(
            case=told,
            action=told.action if state.request else " ".join(change.words(told.action)),
            about=about,
            offered=_offers(told.offered, told.state.goal, state.goal),
            similarity=float(np.clip(similarity, 0.0, 1.0)),
            why=shared(asked, idf.weighed(seen, state.goal)),
        )
        for _, similarity, told, about, change, seen in found[:VALUE_K]
    )
    return Hits(hits=hits, considered=len(proposed), abstained=not hits)


def _bare(state: State, action: str, change: Analogy, idf: Idf) -> Weighed:
    """Return the features of goal and text without what the text tells to do: that is here another thing."""
    gone = {f"o:{word}" for word in words(action)}
    kept = {
        feature: weight
        for feature, weight in state_features(state, change).items()
        if feature.startswith(("g:", "o:")) and feature not in gone
    }
    return weigh(kept, idf)


@lru_cache(maxsize=8192)
def _offers(offered: tuple[str, ...], old_goal: str, goal: str) -> frozenset[str]:
    """Return what a case's state offered, in the words of another goal."""
    change = analogy(old_goal, goal)
    return frozenset(exchange(offer, change) for offer in offered)
