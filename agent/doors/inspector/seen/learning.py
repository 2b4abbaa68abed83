"""Is it learning? Success over time and by family, and what showing memory adds, from randomised exposures."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import numpy as np

from .....envs.types import Record
from .....memory.credit.credit import Uplift
from .....memory.credit.intervals import Estimate, estimate
from .....memory.store.fold import Observed
from .....memory.store.store import Store
from .....memory.tools.tool_memory import wilson
from .episode_log import EpisodeLine

BINS = 12
"""Points of the curve at most."""
LEAST = 5
"""Episodes of a point at least, where there are enough for two."""


class SuccessRate(Record):
    """A share of successes with its interval."""

    name: str
    n: int
    """Episodes with a known outcome."""
    share: float
    low: float
    """Of the 95% interval (Wilson 1927)."""
    high: float


class HeldOutGain(Record):
    """What showing memory adds to the score, by the items that were held out at random."""

    mean: float
    low: float
    high: float
    """Of the 95% bootstrap interval over episodes."""
    episodes: int
    """Episodes in which something was held out or shown at random."""
    shown: float
    """Mean score where the item was shown, weighted by 1/propensity."""
    held: float
    """The same where it was held out."""


class Harmful(Record):
    """A remembered episode that lowers the score where it is shown, its interval below zero."""

    episode: str
    goal: str
    uplift: Uplift


class ThisWeek(Record):
    """What changed in the last seven days."""

    episodes: int
    successes: int
    learned: int
    """Episodes that became cases: known outcome, and learned from."""
    judged: int
    """Outcomes that a person gave."""
    tokens: int
    dollars: float
    busiest: tuple[tuple[str, int], ...]
    """Families with the most episodes."""


def rate_of(name: str, lines: Iterable[EpisodeLine]) -> SuccessRate | None:
    """Return the share of successes among the known outcomes; None where none is known."""
    known = [line.outcome == "success" for line in lines if line.outcome in ("success", "failure")]
    if not known:
        return None
    won, n = sum(known), len(known)
    return SuccessRate(
        name=name, n=n, share=won / n, low=wilson(won, n), high=1 - wilson(n - won, n)
    )


def over_time(lines: Sequence[EpisodeLine]) -> list[SuccessRate]:
    """Return the success of own episodes in equal parts, the oldest first."""
    known = [
        line for line in lines if line.outcome in ("success", "failure") and line.source == "own"
    ]
    parts = max(1, min(BINS, len(known) // LEAST))
    found = []
    for part in np.array_split(np.arange(len(known)), parts):
        if len(part):
            first = known[int(part[0])]
            rate = rate_of(f"{date.fromtimestamp(first.at):%d %b}", (known[i] for i in part))
            if rate is not None:
                found.append(rate)
    return found


def by_family(lines: Iterable[EpisodeLine]) -> list[SuccessRate]:
    """Return the success of own episodes by environment and family, the most frequent first."""
    held: defaultdict[str, list[EpisodeLine]] = defaultdict(list)
    for line in lines:
        if line.source == "own":
            held[f"{line.env} / {line.family}" if line.family else line.env].append(line)
    found = [rate for name, part in held.items() if (rate := rate_of(name, part)) is not None]
    return sorted(found, key=lambda rate: (-rate.n, rate.name))


def gain(observed: Sequence[Observed], *, seed: int = 0) -> HeldOutGain | None:
    """Return what showing an item adds to a score, by inverse propensity; None where nothing is known.

    Each randomised exposure says y/p where it was shown and -y/(1-p) where it was held out, centred on the
    mean outcome (Hájek's form keeps the weights from swinging); an episode's word is the mean of its items'.
    """
    each: list[float] = []
    shown, held = [0.0, 0.0], [0.0, 0.0]
    random = [
        (found.outcome, [e for e in found.exposures if 0 < e.propensity < 1]) for found in observed
    ]
    random = [(outcome, items) for outcome, items in random if items]
    if len(random) < 2:
        return None
    middle = float(np.mean([outcome for outcome, _ in random]))
    for outcome, items in random:
        said = []
        for item in items:
            weight = 1 / item.propensity if item.exposed else 1 / (1 - item.propensity)
            into = shown if item.exposed else held
            into[0] += weight * outcome
            into[1] += weight
            said.append((1 if item.exposed else -1) * weight * (outcome - middle))
        each.append(float(np.mean(said)))
    if not shown[1] or not held[1]:
        return None
    found: Estimate = estimate(each, seed=seed)
    return HeldOutGain(
        mean=found.mean,
        low=found.low,
        high=found.high,
        episodes=len(each),
        shown=shown[0] / shown[1],
        held=held[0] / held[1],
    )


def harmful(store: Store, most: int = 8) -> list[Harmful]:
    """Return remembered episodes that are known to lower the score where they are shown, the worst first."""
    found = []
    for episode in store.credit.known:
        uplift, case = store.credit.uplift(episode), store.whole(episode)
        if case is not None and uplift.high < 0:
            found.append(Harmful(episode=episode, goal=case.goal, uplift=uplift))
    return sorted(found, key=lambda one: one.uplift.mean)[:most]


def this_week(lines: Sequence[EpisodeLine], now: float) -> ThisWeek:
    """Return what changed in the seven days before now (seconds since 1970)."""
    since = now - timedelta(days=7).total_seconds()
    families: Counter[str] = Counter()
    episodes = successes = learned = judged = tokens = 0
    dollars = 0.0
    for line in reversed(lines):
        if line.at < since:
            break
        if line.source != "own":
            continue
        episodes += 1
        tokens += line.tokens
        dollars += line.dollars
        families[line.family or line.env] += 1
        if line.outcome in ("success", "failure"):
            successes += line.outcome == "success"
            learned += line.learn
            judged += line.judge == "person"
    return ThisWeek(
        episodes=episodes,
        successes=successes,
        learned=learned,
        judged=judged,
        tokens=tokens,
        dollars=dollars,
        busiest=tuple(families.most_common(3)),
    )
