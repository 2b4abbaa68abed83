"""State = fold(events): what the ledger implies, the same on every machine.

Pure: it reads rows and returns records; the memory modules make them. Only an ended, learnable episode whose
outcome is known and which has steps leaves any. Beside the modules it folds what is common to all of them:
credit, the record of skills, what was forgotten and what was evicted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..credit.credit import Credit, Exposure, context_of
from ..credit.judge_rates import JudgeRates
from ..credit.skill_uses import SkillOutcome, SkillUses
from ..kinds.edited import Edit, derived
from ..kinds.ended_episode import EndedEpisode
from ..kinds.module import MemoryModule
from ..ledger.content_id import evidence_of
from ..ledger.curation_events import CaseEdited
from ..ledger.events import (
    EpisodeEnded,
    EpisodeStarted,
    Evicted,
    Forgotten,
    Judged,
    Recalled,
    SkillCalled,
)
from ..ledger.feedback_event import Feedback, is_right
from ..ledger.ledger import LedgerRow
from ..ledger.records import MemoryRecord

_UNFOLDED = (ValueError, ArithmeticError, LookupError, TypeError)
"""What folding somebody's numbers and texts can raise: the row is bad then, and the store is not."""


class Observed(NamedTuple):
    """What an episode with a known outcome says of the items that its reads found."""

    context: str
    exposures: tuple[Exposure, ...]
    outcome: float
    """Corrected for the judge's errors where only a judge knows it."""
    rank: int
    """How many episodes were cases by then: a memory frozen at n learns from ranks below n."""
    episode: str = ""


@dataclass
class OpenEpisode:
    """An episode whose end was not yet read."""

    started: EpisodeStarted
    rows: list[LedgerRow]
    considered: dict[str, Exposure] = field(default_factory=dict)
    """Remembered episodes that its reads found, as they were at the first of them."""
    skills: dict[str, Exposure] = field(default_factory=dict)
    """Skills that it was offered or denied, with its LLM."""
    ended: EpisodeEnded | None = None
    """How it ended; None: that was not read yet."""
    said: Feedback | None = None
    """The last verdict that came after its end."""
    edits: list[Edit] = field(default_factory=list)
    """What a person corrected in its cases since."""


@dataclass
class Fold:
    """Folds rows one after another; feed it with `apply`, in order, each row once."""

    modules: Sequence[MemoryModule] = ()
    """Fresh ones; without any, no records are derived."""
    rows_of: Callable[[str], Iterable[LedgerRow]] = lambda episode: ()
    """Reads the rows of an episode again, for a verdict that comes after its end."""
    open: dict[str, OpenEpisode] = field(default_factory=dict)
    episodes: int = 0
    """How many episodes became cases so far."""
    seq: int = 0
    """Last row applied."""
    credit: Credit = field(default_factory=Credit)
    """Uplifts of the remembered episodes."""
    observed: list[Observed] = field(default_factory=list)
    """What credit was folded from, in order."""
    judge: JudgeRates = field(default_factory=JudgeRates)
    """What the critic's word is worth, by the tasks that an environment verified."""
    uses: SkillUses = field(default_factory=SkillUses)
    """What is known of the skills."""
    evicted: dict[str, Evicted] = field(default_factory=dict)
    """Episodes that a full memory let go."""
    ranks: dict[str, int] = field(default_factory=dict)
    """Rank of every learned episode that was not let go."""
    sources: dict[str, str] = field(default_factory=dict)
    """Case, of any grain -> the episode it was derived from."""
    tombstones: dict[str, str] = field(default_factory=dict)
    """Evidence that was forgotten, and the episode it was in."""
    flagged: dict[str, str] = field(default_factory=dict)
    """Episodes that saw cases of a forgotten one, and which."""
    set_aside: dict[int, str] = field(default_factory=dict)
    """Rows that are no events or cannot be learned from, and why; their episodes leave nothing."""

    def __post_init__(self) -> None:
        self._told: set[str] = set()
        """Episodes of `observed`."""
        self._takers: defaultdict[type, list[MemoryModule]] = defaultdict(list)
        for module in self.modules:
            for kind in module.folds:
                self._takers[kind].append(module)

    def apply(self, rows: Iterable[LedgerRow]) -> Iterator[list[MemoryRecord]]:
        """Yield the records of every learned episode that these rows complete."""
        for row in rows:
            self.seq = row.seq
            if row.event is None:
                self.open.pop(row.episode, None)
                if row.problem:
                    self.set_aside[row.seq] = row.problem
                continue
            try:
                made = self._of_row(row)
            except _UNFOLDED as error:
                self.open.pop(row.episode, None)
                self.set_aside[row.seq] = f"row {row.seq} cannot be learned from: {error}"
                continue
            yield from made

    def _of_row(self, row: LedgerRow) -> list[list[MemoryRecord]]:
        for module in self._takers.get(type(row.event), ()):
            module.fold(row)
        if row.episode:
            return list(self._of_episode(row))
        self._of_store(row)
        return []

    def _of_store(self, row: LedgerRow) -> None:
        match row.event:
            case Forgotten():
                self.tombstones[row.event.evidence] = row.event.target
                self.flagged |= dict.fromkeys(row.event.dependants, row.event.target)
            case Evicted():
                self.evicted[row.event.target] = row.event

    def _of_episode(self, row: LedgerRow) -> Iterator[list[MemoryRecord]]:
        if isinstance(row.event, EpisodeStarted):
            self.open[row.episode] = OpenEpisode(row.event, [row])
            return
        if isinstance(row.event, Feedback):
            yield from self._judged_later(row, row.event)
            return
        if isinstance(row.event, CaseEdited):
            yield from self._edited_later(row)
            return
        opened = self.open.get(row.episode)
        if opened is None:
            return
        opened.rows.append(row)
        match row.event:
            case Recalled():
                self.uses.offered(self._note(opened, row.event))
            case Judged():
                self.judge.observe(row.event.said, row.event.truth)
            case SkillCalled(skill=skill, outcome=outcome, steps=steps):
                self.uses.called(skill, opened.started.llm, outcome, steps)
            case EpisodeEnded():
                del self.open[row.episode]
                yield from self._ended(row, opened, row.event)

    def _again(self, row: LedgerRow) -> OpenEpisode | None:
        """Read an ended episode again as it is at a row; None where nothing is learned from it."""
        if row.episode in self.evicted:
            return None
        found: OpenEpisode | None = None
        for known in self.rows_of(row.episode):
            if known.seq > row.seq:
                break
            if isinstance(known.event, EpisodeStarted):
                found = OpenEpisode(known.event, [])
            if found is None:
                return None
            if found.ended is not None:
                if isinstance(known.event, Feedback):
                    found.said = known.event
                elif isinstance(known.event, CaseEdited):
                    found.edits.append(Edit(known.event, known.actor))
                continue
            if known.event is None:  # forgotten, or set aside
                return None
            found.rows.append(known)
            if isinstance(known.event, Recalled):
                self._note(found, known.event)
            elif isinstance(known.event, EpisodeEnded):
                found.ended = known.event
        return found

    def _judged_later(self, row: LedgerRow, said: Feedback) -> Iterator[list[MemoryRecord]]:
        """Learn from an ended episode what its new verdict makes of it; what the old one did is void."""
        found = self._again(row)
        if found is None or found.ended is None:
            return
        spoke = found.ended.judge == "critic" and found.ended.outcome != "unknown"
        if spoke and said.judge == "person":
            self.judge.observe(is_right(found.ended.score), is_right(said.score))
        yield from self._ended(row, found, _judged_by(found.ended, said))

    def _edited_later(self, row: LedgerRow) -> Iterator[list[MemoryRecord]]:
        """Derive the records of an ended episode again, corrected; what happened is as it was."""
        found = self._again(row)
        if found is None or found.ended is None:
            return
        ended = found.ended if found.said is None else _judged_by(found.ended, found.said)
        # what derives no records only takes note, and has taken note already
        deriving = [module for module in self.modules if module.kinds]
        yield from self._learned(row, found, ended, deriving)

    def _ended(
        self, row: LedgerRow, opened: OpenEpisode, ended: EpisodeEnded
    ) -> Iterator[list[MemoryRecord]]:
        start = opened.started
        outcome = self.judge.corrected(ended.score) if ended.judge == "critic" else ended.score
        offered = tuple(opened.skills.values())
        if ended.outcome != "unknown" and offered and outcome is not None:
            context = context_of(start.family, start.goal)
            self.uses.observe(SkillOutcome(context, offered, outcome, row.episode))
        if ended.outcome != "unknown" and opened.considered and outcome is not None:
            self.observe(
                Observed(
                    context_of(start.family, start.goal),
                    tuple(opened.considered.values()),
                    outcome,
                    self.ranks.get(row.episode, self.episodes),
                    row.episode,
                )
            )
        yield from self._learned(row, opened, ended, self.modules)

    def _learned(
        self,
        row: LedgerRow,
        opened: OpenEpisode,
        ended: EpisodeEnded,
        modules: Sequence[MemoryModule],
    ) -> Iterator[list[MemoryRecord]]:
        """Yield what an episode leaves by these modules."""
        start, rank = opened.started, self.ranks.get(row.episode, self.episodes)
        episode = EndedEpisode(row.episode, rank, start, ended, tuple(opened.rows), opened.said)
        if not ended.learn or ended.outcome == "unknown" or not episode.steps:
            return
        actions = [event.action for _, event in episode.steps]
        if evidence_of(start.task_id, actions) in self.tombstones:
            return
        made = derived(modules, episode, opened.edits)
        if start.namespace:  # set here, so that no module can forget it
            where = {"namespace": start.namespace}
            made = [record.model_copy(update=where) for record in made]
        self.sources |= {record.id: row.episode for record in made}
        if row.episode not in self.ranks:
            self.ranks[row.episode] = rank
            self.episodes += 1
        yield made

    def observe(self, found: Observed) -> None:
        """Take what an ended episode says of the items that its reads found; its earlier word is void."""
        if found.episode and found.episode in self._told:
            self.observed = [one for one in self.observed if one.episode != found.episode]
            self.observed.append(found)
            self.credit = self.credit_as_of(self.episodes + 1)
            return
        self._told.add(found.episode)
        self.observed.append(found)
        self.credit.observe(found.context, found.exposures, found.outcome)

    def credit_as_of(self, first: int) -> Credit:
        """Return the credit that the first so many learned episodes gave."""
        earlier = Credit()
        for found in self.observed:
            if found.rank < first:
                earlier.observe(found.context, found.exposures, found.outcome)
        return earlier

    def _note(self, acting: OpenEpisode, recalled: Recalled) -> list[Exposure]:
        """Note what a read found, and return the skills that it offered for the first time.

        A case that is forgotten by now is no item any more.
        """
        if recalled.grain == "skills":
            return self._note_skills(acting, recalled)
        for found in recalled.items:
            item = self.sources.get(found.case)
            if item is not None and found.propensity > 0:  # never shown for certain: says nothing
                exposure = Exposure(item=item, exposed=found.exposed, propensity=found.propensity)
                acting.considered.setdefault(item, exposure)
        return []

    def _note_skills(self, acting: OpenEpisode, recalled: Recalled) -> list[Exposure]:
        """Note which skills an episode was offered, each once."""
        new = []
        for found in recalled.items:
            item = self.uses.item(found.case, acting.started.llm)
            if item not in acting.skills and found.propensity > 0:
                exposure = Exposure(item=item, exposed=found.exposed, propensity=found.propensity)
                acting.skills[item] = exposure
                new.append(exposure)
        return new


def _judged_by(ended: EpisodeEnded, said: Feedback) -> EpisodeEnded:
    """Return how an episode ended by a verdict that came later."""
    changed = {
        "outcome": said.outcome,
        "score": said.score,
        "judge": said.judge,
        "reason": said.note,
        "learn": True,
    }
    return ended.model_copy(update=changed)
