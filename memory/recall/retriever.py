"""Non-parametric reads (AgentFly eq. 13) in two stages: the index proposes, the kernel decides.

Stage one asks the vector index for the nearest states; stage two exchanges the entities of each proposed
case for those of the present goal and re-ranks by the exact kernel. Below the gate the memory abstains.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from pydantic import Field

from ...envs.types import Record
from ..credit.exposure import HarmGate
from ..ledger.records import Hit, Hits, State, StepCase
from ..likeness.analogy import SAME, analogy
from ..likeness.features import Idf, likeness, shared, state_features, weigh
from ..likeness.grounding import Wordings, exchange, ground, plain, slotted


class RetrieverConfig(Record):
    """The dials of a read."""

    k: int = Field(default=4, ge=1)
    """Whole episodes shown to a planner (AgentFly: K = 4)."""
    value_k: int = Field(default=12, ge=1)
    """Step cases that the value channel weighs; the prompt shows the first of them."""
    proposals: int = Field(default=96, ge=1)
    """Cases that the index proposes to the kernel."""
    floor: float = Field(default=0.15, ge=0, le=1)
    """Similarity below which a case is not used; when none reaches it, the memory abstains."""
    stranger: float = Field(default=0.5, ge=0, le=1)
    """Factor on the similarity of a case whose task is of another family."""
    delta: float = Field(default=0.2, ge=0, le=1)
    """Cosine below which a whole episode or subtask is not used; when none reaches it, the memory abstains."""
    same_task: bool = False
    """Whether a task sees its own earlier episodes: off, so that nothing is answered by retrieving itself."""
    parametric: float = Field(default=0.0, ge=0, le=1)
    """Share of Q(s, c; theta) in the order of whole episodes, beside their similarity; 0: non-parametric."""
    lexical: float = Field(default=0.0, ge=0, le=1)
    """Share of BM25 in that order; above 0 BM25 proposes too (hybrid)."""
    utility: float = Field(default=0.0, ge=0, le=1)
    """Share of the measured uplift in that order."""
    mmr: float = Field(default=1.0, ge=0, le=1)
    """Lambda of maximal marginal relevance among whole episodes; 1: off."""
    alpha: float = Field(default=0.0, ge=0)
    """Temperature with which whole episodes are drawn (AgentFly eq. 7); 0 takes the best."""
    holdout: float = Field(default=0.1, ge=0, lt=1)
    """Share of learning episodes in which a remembered one is held out, at first (see `exposure`)."""
    harm: HarmGate = Field(default_factory=HarmGate)
    """The do-no-harm gate: which items are shown by what is known of their uplift."""
    try_first: int = Field(default=0, ge=0)
    """Steps at the beginning of an episode in which nothing is shown: the model tries alone, and is helped
    only if it has not solved the task by then."""
    tools: bool = True
    """Use subtask memory (for plans) and tool memory (for calls)."""
    capacity: int | None = Field(default=None, ge=1)
    """Episodes that are kept for retrieval; above it the least useful is let go (see `bank`); None: all."""
    fit: float = Field(default=0.5, ge=0, le=1)
    """How much it counts whether the case's action (or one like it) can be done here."""


def rank(
    state: State,
    proposed: Sequence[StepCase],
    idf: Idf,
    config: RetrieverConfig,
    *,
    family: str | None = None,
    admissible: Sequence[str] | None = None,
    contents: Mapping[str, StepCase] | None = None,
) -> Hits:
    """Return the proposed cases that reach the floor, by the exact kernel, best first.

    Args:
        state: Where the policy is now.
        proposed: Cases from the index.
        idf: Document frequencies of the memory.
        config: Gate and numbers.
        family: The kind of the present task, None when it is not known.
        admissible: What can be done now; cases whose action cannot be done here come later. None: any text
            can.
        contents: For the placebo arm: for every case id another case whose action and gain stand in its
            place; the states that are searched stay the same.
    """
    asked = weigh(state_features(state), idf)
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
        similarity = likeness(asked, idf.weighed(case.state, state.goal))
        if family is not None and case.family != family:
            similarity *= config.stranger
        if similarity < config.floor:
            continue
        content = case if contents is None else contents[case.id]
        change = SAME if state.request else analogy(content.state.goal, state.goal)
        about = exchange(ground(content.action, content.state.text, content.state.goal), change)
        fit = 1.0 if doable is None else float(doable.likeness(slotted(about)).max(initial=0.0))
        order = similarity * (1 - config.fit + config.fit * fit)
        found.append((order, similarity, content, about, change, case.state))
    found.sort(key=lambda x: (-x[0], x[2].id))
    hits = tuple(
        Hit(
            case=content,
            action=content.action if state.request else " ".join(change.words(content.action)),
            about=about,
            offered=_offers(content.offered, content.state.goal, state.goal),
            similarity=float(np.clip(similarity, 0.0, 1.0)),
            why=shared(asked, idf.weighed(seen, state.goal)),
        )
        for _, similarity, content, about, change, seen in found[: config.value_k]
    )
    return Hits(hits=hits, considered=len(proposed), abstained=not hits)


@lru_cache(maxsize=8192)
def _offers(offered: tuple[str, ...], old_goal: str, goal: str) -> frozenset[str]:
    """Return what a case's state offered, in the words of another goal."""
    change = analogy(old_goal, goal)
    return frozenset(exchange(offer, change) for offer in offered)
