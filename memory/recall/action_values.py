"""What actions gained on average in the agent's own steps, whatever the state was.

In an open world no state comes back: the kernel finds states that are alike in words, not in what can be done
there. What an action gained over all own steps is the second source of the value channel, and the count behind
it says how new the action is in the agent's whole life (cf. optimistic initial values, Sutton and Barto 2018,
section 2.6; the shrinkage is that of empirical Bayes). Pure arithmetic over step cases.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..kinds.case_module import gains
from ..ledger.records import OwnSteps, State, StepCase
from ..likeness.analogy import Analogy, entities
from ..likeness.grounding import exchange, ground

SHRINK = 3.0
"""How many steps the more general estimate weighs beside an action's own steps."""
DISCOUNT = 0.7
"""Per step, less than that of cases: without states, what comes long after an action says little of it (the
poorer the model, the shorter the best horizon: Jiang et al. 2015). Without a model, after 30 own episodes,
on dev, 0.95: 0.123 in Crafter, 0.222 in cookingworld; 0.7: 0.145, 0.208; 0.3: 0.120 in Crafter."""


def expected(
    own: OwnSteps, state: State, actions: Sequence[str], done: Collection[str], *, least: float
) -> NDArray[np.float64]:
    """Return the gain expected of every action, shape (n,).

    Args:
        own: From `own_steps`.
        state: Where the policy is.
        actions: The n options.
        done: What was done in this episode.
        least: What an action that was never taken is expected to gain at least.
    """
    found = np.zeros(len(actions))
    for i, action in enumerate(actions):
        again, gain = action in done, least
        for name in names(action, state):
            n, gained = own.get((name, again), (0.0, 0.0))
            gain = (gained + SHRINK * max(least, gain)) / (n + SHRINK)
        found[i] = gain
    return found


def own_steps(cases: Iterable[StepCase]) -> OwnSteps:
    """Return what own steps gained by action; demonstrations say nothing of how often an action is in vain.

    Args:
        cases: Steps, of any episodes.
    """
    episodes: defaultdict[str, list[StepCase]] = defaultdict(list)
    for case in cases:
        if case.source == "own":
            episodes[case.episode].append(case)
    lived = [one for steps in episodes.values() for one in _lived(steps)]
    scale = max((gain for _, _, gain in lived), default=0.0)
    found: defaultdict[tuple[str, bool], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for case, again, gain in lived:
        for name in names(case.action, case.state):
            known = found[name, again]
            known[0] += 1.0
            known[1] += max(-1.0, gain / scale) if scale > 0 else gain
    return {key: (n, gained) for key, (n, gained) in found.items()}


def _lived(steps: Sequence[StepCase]) -> Iterator[tuple[StepCase, bool, float]]:
    """Yield the steps of an episode with whether each was done before in it, and what it gained."""
    steps = sorted(steps, key=lambda case: case.index)
    scores, last = [1.0 - case.missing for case in steps], steps[-1]
    gained = gains(scores, scores[-1] + max(0.0, last.gain) * last.missing, discount=DISCOUNT)
    gained[-1] = last.gain
    done: set[str] = set()
    for case, gain in zip(steps, gained, strict=True):
        yield case, case.action in done, min(0.0, gain) if case.error else gain
        done.add(case.action)


def names(action: str, state: State) -> tuple[str, str, str]:
    """Return what an action is called from the general to the particular: verb, verb and things, very words.

    The things that the goal names have one name in all tasks.

    >>> names("take green coin from shelf 2", State(goal="find the coin", text="You see a coin."))
    ('take', 'take: take > green target', 'take! take green coin from shelf 2')
    """
    verb = action.split(" ", 1)[0].split("(", 1)[0].lower()
    return verb, f"{verb}: {_about(action, state.text, state.goal)}", f"{verb}! {action}"


@lru_cache(maxsize=65536)
def _about(action: str, text: str, goal: str) -> str:
    target = Analogy({word: ("target",) for word in entities(goal)})
    return exchange(ground(action, text, goal), target)
