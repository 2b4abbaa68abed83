"""Verdicts that come after an episode's end: checked, written down, and learned from at once."""

from ...envs.errors import UsageError
from ..ledger.content_id import content_id
from ..ledger.errors import UnknownCase
from ..ledger.events import EpisodeEnded, EpisodeStarted, Origin
from ..ledger.feedback_event import Feedback
from ..ledger.ledger import Entry
from ..ledger.records import Judge
from .store import Store


def judged(
    store: Store,
    episode: str,
    *,
    good: bool | None = None,
    score: float | None = None,
    correct: str = "",
    note: str = "",
    actor: str = "person",
    judge: Judge = "person",
) -> Feedback:
    """Write down what somebody says of an ended episode, and learn from it; see `Memory.feedback`.

    Returns:
        What is written down.

    Raises:
        UnknownCase: No episode has this id.
        UsageError: Nothing, or two things at once, is said; or the episode has not ended.
    """
    said = _score(good, score, correct)
    rows = [row for row in store.rows_of(episode) if row.event is not None]
    if not any(isinstance(row.event, EpisodeStarted) for row in rows):
        raise UnknownCase(
            f"no episode {episode!r} is in {store.folder}", hint="Give the id of an answer, whole."
        )
    if not any(isinstance(row.event, EpisodeEnded) for row in rows):
        raise UsageError(f"the episode {episode} has not ended yet, so it cannot be judged")
    given = sum(isinstance(row.event, Feedback) for row in rows)
    event = Feedback(score=said, correct=correct.strip(), note=note.strip(), judge=judge)
    # also by its words: what two copies of a store were told is told apart when they are merged
    said_so = content_id("feedback", actor, event.model_dump_json())
    key = f"{episode}/feedback-{given}-{said_so}"
    origin: Origin = "person" if judge == "person" else "own"
    store.append([Entry(key, rows[0].run, episode, event, actor=actor, origin=origin)])
    store.settle()
    return event


def _score(good: bool | None, score: float | None, correct: str) -> float:
    if good is not None and score is not None:
        raise UsageError("`good` and `score` are two words for one thing", hint="Give one of them.")
    if score is not None:
        if not 0 <= score <= 1:
            raise UsageError(f"a score of {score} is not in [0, 1]")
        return score
    if good is None:
        if not correct.strip():
            raise UsageError("nothing was said", hint="Give `good`, `score` or `correct`.")
        return 0.0
    if good and correct.strip():
        raise UsageError("what was good needs no correction", hint="Leave out one of them.")
    return float(good)
