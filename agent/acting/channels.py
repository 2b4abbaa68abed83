"""What each channel says of each option of a decision: the features that the policy weighs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...memory.credit.channel_weights import CHANNELS, Features
from ...memory.recall.value import advantages
from .opinion import Opinion
from .scoring_voice import TIE
from .situation import Situation

SPAN = 12.0
"""Nats below the model's best beyond which its scores say no more: those of whole strings are far too sharp."""


def bare(at: Situation, actions: Sequence[str], *, value: bool, prior: float) -> Features:
    """Return what all channels but the model's say, shape (n, channels).

    Args:
        at: The decision.
        actions: Its n options.
        value: Whether memory's advantages count.
        prior: Gain expected of an action that memory knows nothing about.
    """
    n = len(actions)
    found = np.zeros((n, len(CHANNELS)))
    if value:
        found[:, CHANNELS.index("value")] = advantages(
            at.state, at.hits, actions, prior=prior, done={action for action, _ in at.history}
        )
    working = at.working
    found[:, CHANNELS.index("novelty")] = working.novelty(at.seen, actions)
    found[:, CHANNELS.index("repetition")] = -np.maximum(
        working.repetitions(at.seen, actions), _refusals(at, actions)
    )
    found[:, CHANNELS.index("warned")] = [-float(action in at.warned) for action in actions]
    if at.favoured:
        _with_skills(at, actions, found)
    return found


def _refusals(at: Situation, actions: Sequence[str]) -> NDArray[np.float64]:
    """Return how often each action was refused in this episode, wherever that was; calls go by their goal."""
    if at.specs:
        return np.zeros(len(actions))
    refused = at.refusals
    return np.array([float(refused[action]) for action in actions])


def with_opinion(actions: Sequence[str], rest: Features, opinion: Opinion) -> Features:
    """Return the features with the model's: its first choice, and its scores within SPAN.

    A first choice that was already taken in this very situation counts for less with every try: a model that
    repeats itself is at a loss.

    Args:
        actions: n options.
        rest: From `bare`, shape (n, channels).
        opinion: Of the model; what it did not score counts as SPAN below its best.
    """
    found = rest.copy()
    first, scores = CHANNELS.index("first"), CHANNELS.index("scores")
    tries = -found[:, CHANNELS.index("repetition")]
    if opinion.scores:
        said = np.array([opinion.scores.get(action, -np.inf) for action in actions])
        best = said.max()
        found[:, scores] = np.maximum(said - best, -SPAN)
        tops = best - said < TIE
        found[:, first] = tops / tops.sum() / (1.0 + tries)
    elif opinion.named in actions:
        row = actions.index(opinion.named)
        found[row, first] = 1.0 / (1.0 + tries[row])
    return found


def _with_skills(at: Situation, actions: Sequence[str], found: Features) -> None:
    """Give calls of skills what the action they begin with has (or the middle one), and their favour."""
    known = {a: row for a, row in zip(actions, found.copy(), strict=True) if a not in at.favoured}
    middle: NDArray[np.float64] = (
        np.median(list(known.values()), axis=0) if known else np.zeros(found.shape[1])
    )
    for i, action in enumerate(actions):
        if action in at.favoured:
            found[i] = known.get(at.favoured[action].first, middle)
            found[i, CHANNELS.index("skills")] = at.favoured[action].nats
