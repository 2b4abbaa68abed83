"""The value channel A_M(s, a): the advantage of each action, from what similar remembered steps gained.

A_M enters the policy as pi_M(a|s) ~ pi_LLM(a|s) exp(A_M(s, a) / beta): the closed-form KL-regularised
improvement of a frozen policy (JitRL; Peters et al. 2010). Pure arithmetic over hits.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from ..ledger.records import Hits, State
from ..likeness.grounding import Wordings, plain, slotted
from ..likeness.states import MOST_OFFERED
from ..likeness.words import words
from .action_values import expected

WORDING = 0.15
"""Share of the likeness that depends on the very words and numbers of two actions."""
PRIOR = 0.05
"""q0: the gain expected of an action that nothing is known about."""
PRIOR_WEIGHT = 0.3
"""n0: how many perfect hits the prior weighs."""
OWN_WEIGHT = 1.0
"""The same where own steps say what the action gained elsewhere: that is no guess."""
STRETCH = 3.0
"""Where a remembered action cannot be done here, the likest one takes its place, with a weight of
likeness ** STRETCH."""
SHARPNESS = 3.0
"""A hit's weight is similarity ** SHARPNESS: near states count, far ones hardly."""
DECLINED_DEMONSTRATION = 1.0
"""How much an action counts as tried in vain because a demonstrator was offered it and did another."""
DECLINED_OWN = 0.1
"""The same for the agent's own past choices, which were no expert's."""


def qualities(
    state: State,
    hits: Hits,
    actions: Sequence[str],
    *,
    prior: float = PRIOR,
    done: Collection[str] = (),
) -> NDArray[np.float64]:
    """Return Q_M(s, a) of every action.

    Q_M(s, a) = (sum_i w_i m_i(a) G_i + n0 q0) / (sum_i w_i max(m_i(a), c_i o_i(a)) + n0), where w_i is the
    hit's weight, m_i(a) the likeness of its action to a (relative to the likest, which weighs
    likeness ** STRETCH: the case adapted to what can be done here), G_i its gain, o_i(a) whether its state
    offered a, and c_i how much declining an offer says. Gains are shares of the most that was gained in the
    environment: a world whose events are worth 0.05 is as clear as one that is won at once.

    Args:
        state: Where the policy is.
        hits: What the memory returned for the state.
        actions: The admissible actions, n of them.
        prior: q0, the gain expected of an action that nothing is known about. Where there are own steps, what
            they gained by such an action stands in its place (see `action_values`).
        done: What was done in this episode.

    Returns:
        Shape (n,); the prior everywhere when the memory abstained.
    """
    meant = [plain(action, state.text, state.goal) for action in actions]
    about = Wordings([slotted(part) for part in meant])
    spoken = Wordings([words(action) for action in actions])
    mass = np.full(len(actions), OWN_WEIGHT if hits.own else PRIOR_WEIGHT)
    value = mass * (expected(hits.own, state, actions, done, least=prior) if hits.own else prior)
    for hit in hits.hits:
        weight = hit.similarity**SHARPNESS
        alike = about.likeness(slotted(hit.about))
        nearest = float(alike.max(initial=0.0))
        if nearest == 0.0:
            continue
        match = (alike / nearest) ** 2 * nearest**STRETCH
        # of actions that are about the same, the one said in the same words comes first
        match *= 1 - WORDING + WORDING * spoken.likeness(words(hit.action))
        declined = DECLINED_DEMONSTRATION if hit.case.source == "demonstration" else DECLINED_OWN
        # a list cut short: anything may have been offered
        cut = len(hit.case.offered) >= MOST_OFFERED
        offered = np.array([declined * (cut or a in hit.offered) for a in meant])
        mass += weight * np.maximum(match, offered)
        value += weight * match * max(-1.0, hit.case.gain / hits.scale)
    quality: NDArray[np.float64] = value / mass
    return quality


def advantages(
    state: State,
    hits: Hits,
    actions: Sequence[str],
    *,
    prior: float = PRIOR,
    done: Collection[str] = (),
) -> NDArray[np.float64]:
    """Return A_M(s, a) = Q_M(s, a) - mean_a' Q_M(s, a') of every action, shape (n,), mean 0.

    Zeros when the memory abstained: then the policy is the frozen model's own.
    """
    if not hits.hits or not actions:
        return np.zeros(len(actions))
    quality = qualities(state, hits, actions, prior=prior, done=done)
    advantage: NDArray[np.float64] = quality - quality.mean()
    return advantage
