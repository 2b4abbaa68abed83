"""Search as the agent searches, with what every signal says of each case, and what would be shown for it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .....memory.credit.credit import Uplift
from .....memory.credit.exposure import Exposer
from .....memory.ledger.records import EpisodeCase, MemoryRecord, State, StepCase
from .....memory.likeness.features import hashed
from .....memory.recall.case_memory import NEAR, PROPOSALS, CaseMemory
from .....memory.recall.retriever import RetrieverConfig, rank
from .....memory.store.store import Store
from .....memory.told.memory_block import memory_block
from .....memory.told.remembered import remember

_SPACES = 200
"""Namespaces that are searched at once; where there are more, one has to be chosen."""
_TOKENS = 700


class FoundCase(NamedTuple):
    """One case with what each signal says of it."""

    case: MemoryRecord
    cosine: float
    """Of the vectors: that of the text, or of a step's state."""
    kernel: float | None
    """Of a step: the exact likeness that decides; None for what is found by its text alone."""
    features: str
    """What made a step alike."""
    worth: Uplift
    propensity: float
    """Probability with which an agent that learns would be shown it."""
    verdict: str
    """Empty: it would be recalled; otherwise why not."""


class WouldRecall(NamedTuple):
    """What an agent would be told of a request."""

    text: str
    """As it stands in the prompt; empty where nothing is told."""
    env: str
    shown: list[EpisodeCase]


def search(
    store: Store,
    config: RetrieverConfig,
    text: str,
    *,
    record: type[MemoryRecord],
    envs: Sequence[str],
    spaces: Sequence[str],
) -> list[FoundCase]:
    """Return the cases nearest to a text, best first, also those that an agent would not be shown, and why.

    Args:
        store: Where they are.
        config: The floors and the gate.
        text: What is looked for.
        record: The grain.
        envs: Environments; the memory of one never answers for another.
        spaces: Namespaces.
    """
    find = _steps if record is StepCase else _texts
    found = [
        one
        for env in envs
        for one in find(store, config, text, record=record, env=env, spaces=spaces[:_SPACES])
    ]
    return sorted(found, key=lambda one: -(one.cosine if one.kernel is None else one.kernel))


def _texts(
    store: Store,
    config: RetrieverConfig,
    text: str,
    *,
    record: type[MemoryRecord],
    env: str,
    spaces: Sequence[str],
) -> list[FoundCase]:
    held = store.held(record)
    near = store.index(record).near(
        store.embedder.query(text), n=NEAR, env=env, below=store.ranks, spaces=spaces
    )
    return [
        _found(store, config, held[x.id], x.cosine, None, "", x.cosine >= config.delta)
        for x in near
        if x.id in held
    ]


def _steps(
    store: Store,
    config: RetrieverConfig,
    text: str,
    *,
    record: type[MemoryRecord],
    env: str,
    spaces: Sequence[str],
) -> list[FoundCase]:
    state = State(goal=text, text=text)
    near = store.index(record).near(
        hashed([state])[0], n=PROPOSALS, env=env, below=store.ranks, spaces=spaces
    )
    cosines = {x.id: x.cosine for x in near}
    proposed = [store.steps[i] for i in cosines if i in store.steps]
    if proposed and all(case.state.request for case in proposed):
        state = state.model_copy(update={"request": True})
    every = config.model_copy(update={"floor": 0.0})
    return [
        _found(
            store,
            config,
            hit.case,
            cosines[hit.case.id],
            hit.similarity,
            _worded(hit.why),
            hit.similarity >= config.floor,
        )
        for hit in rank(state, proposed, store.idf, every).hits
    ]


def _found(
    store: Store,
    config: RetrieverConfig,
    case: MemoryRecord,
    cosine: float,
    kernel: float | None,
    features: str,
    near: bool,
) -> FoundCase:
    worth = store.credit.uplift(case.episode)
    verdict = ""
    if (trust := store.quarantined.get(case.id)) is not None:
        verdict = trust
    elif not near:
        verdict = "not near enough"
    elif not config.harm.passes(worth):
        verdict = "known to harm"
    chance = config.harm.propensity(worth, config.holdout, learn=True)
    return FoundCase(case, cosine, kernel, features, worth, chance, verdict)


def _worded(features: str) -> str:
    """Return shared features with the part of the state that each is of.

    >>> _worded("o:book, g:book, l0:go to")
    'seen book, goal book, done go to'
    """
    named = {"o": "seen", "g": "goal", "i": "carried", "l": "done"}
    parts = (one.partition(":") for one in features.split(", ") if one)
    return ", ".join(f"{named.get(part[:1], part)} {word}" for part, _, word in parts)


def would_recall(
    store: Store, config: RetrieverConfig, text: str, *, env: str, namespace: str
) -> WouldRecall:
    """Return what an agent would be told of a request in words; nothing is written down.

    Args:
        store: Where the cases are.
        config: Settings of a read.
        text: The request.
        env: Name of the environment, or of the kind of work.
        namespace: Whose request it is.
    """
    view = CaseMemory(store, config, namespace=namespace)
    exposer = Exposer(view.credit, config.harm, 0.0, seed=0, task_id="", learn=False)
    found = remember(
        view,
        None,
        goal=text,
        env=env,
        family=env,
        task_id="",
        seen="",
        specs=(),
        shows=exposer.decide,
        k=config.k,
    )
    return WouldRecall(memory_block(found, _TOKENS), env, [one.case for one in found.cases])


def spaces_of(store: Store, owns: Callable[[str], bool]) -> list[str]:
    """Return the namespaces in which something is remembered that may be seen."""
    return sorted(
        {space for space in {case.namespace for case in store.episodes.values()} if owns(space)}
    )
