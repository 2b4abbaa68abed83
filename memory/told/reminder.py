"""What a memory says of one situation, with the reason why of every item."""

from ...envs.types import Outcome, Record, Text
from ..credit.credit import Uplift
from ..ledger.events import EpisodeStarted
from ..ledger.records import EpisodeCase, SubtaskCase, Trust
from ..recall.old_cases import OLD
from .remembered import ReadCase


class RecalledCase(Record):
    """One remembered episode, or a part of one, that was found."""

    case: str
    """Its id."""
    episode: str
    text: str
    """What was asked then."""
    outcome: Outcome
    score: float | None
    actions: tuple[str, ...]
    similarity: float
    """Cosine of the two texts."""
    worth: Uplift
    """What showing its episode adds to the score, as far as is known, with its 95% interval."""
    shown: bool
    propensity: float
    """Probability with which it was to be shown."""
    why: str
    """Why it was shown or not, in words."""
    namespace: str
    trust: Trust

    @classmethod
    def of(
        cls,
        case: EpisodeCase | SubtaskCase,
        read: ReadCase,
        *,
        uplift: Uplift,
        trust: Trust,
        old: bool = False,
    ) -> "RecalledCase":
        """Return what is known of a case that was read; an old one was learned before success fell."""
        near = f"cosine {read.similarity:.2f}" + old * f", {OLD}"
        if read.shown:
            why = f"like it ({near})"
        elif read.propensity == 0:
            why = f"like it ({near}), and not shown: it is known to do harm"
        else:
            why = f"like it ({near}), and held out at random, so that its effect can be told"
        return cls(
            case=case.id,
            episode=case.episode,
            text=case.goal if isinstance(case, EpisodeCase) else case.text,
            outcome=case.outcome,
            score=case.score if isinstance(case, EpisodeCase) else None,
            actions=case.actions,
            similarity=read.similarity,
            worth=uplift,
            shown=read.shown,
            propensity=read.propensity,
            why=why,
            namespace=case.namespace,
            trust=trust,
        )


class Reminder(Record):
    """The answer of `Memory.recall`."""

    id: str
    """Of the episode that was opened: what is done now is remembered, and judged, under it."""
    situation: Text
    namespace: str = ""
    thread: str = ""
    items: tuple[RecalledCase, ...] = ()
    """Everything that was found, best first; also what was held out, which must not be shown."""
    text: str = ""
    """What is shown, as one block that is quoted as data, for a prompt; empty where there is nothing."""
    endings: tuple[str, ...] = ()
    """What was said at the end of the solved cases that are shown, to be told again (see `Memory.notes`)."""

    @classmethod
    def of_episode(cls, episode: str, began: EpisodeStarted) -> "Reminder":
        """Return what names an episode that `recall` opened, for `remember`: without what was recalled."""
        return cls(id=episode, situation=began.goal, namespace=began.namespace, thread=began.thread)

    @property
    def shown(self) -> tuple[RecalledCase, ...]:
        """What may be shown."""
        return tuple(item for item in self.items if item.shown)
