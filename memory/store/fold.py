"""State = fold(events): what the ledger implies, the same on every machine.

Pure: it reads rows and returns records (`derive` makes the cases). A case comes from an ended, learnable
episode whose outcome is known; an unknown outcome leaves no case.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ..credit.credit import Credit, Exposure, context_of
from ..credit.judge_rates import JudgeRates
from ..credit.skill_uses import SkillOutcome, SkillUses
from ..kinds.contracts import Contracts
from ..kinds.derive import Learned, OpenEpisode, evidence_of, learned
from ..ledger.events import (
    ContractSeen,
    EpisodeEnded,
    EpisodeStarted,
    Evicted,
    Forgotten,
    Judged,
    Planned,
    Recalled,
    Reverified,
    SkillCalled,
    Stepped,
    SubtaskEnded,
)
from ..ledger.ledger import Row


class Trial(NamedTuple):
    """A remembered episode that was shown to a task, and how the task ended: what Q is learned from."""

    goal: str
    task_id: str
    item: str
    """The remembered episode."""
    outcome: float
    """Score of the acting episode, in [0, 1]."""
    rank: int
    """How many episodes were cases by then: a memory frozen at n learns from ranks below n."""


class Observed(NamedTuple):
    """What an episode with a known outcome says of the items that its reads found."""

    context: str
    goal: str
    task_id: str
    exposures: tuple[Exposure, ...]
    outcome: float
    """Corrected for the judge's errors where only a judge knows it."""
    rank: int
    """As of `Trial`."""


@dataclass
class Fold:
    """Folds rows one after another; feed it with `apply`, in order, each row once."""

    open: dict[str, OpenEpisode] = field(default_factory=dict)
    episodes: int = 0
    """How many episodes became cases so far."""
    seq: int = 0
    """Last row applied."""
    credit: Credit = field(default_factory=Credit)
    """Uplifts of the remembered episodes."""
    trials: list[Trial] = field(default_factory=list)
    """What was shown and how it ended, in order."""
    observed: list[Observed] = field(default_factory=list)
    """What credit was folded from, in order."""
    judge: JudgeRates = field(default_factory=JudgeRates)
    """What the critic's word is worth, by the tasks that an environment verified."""
    contracts: Contracts = field(default_factory=Contracts)
    uses: SkillUses = field(default_factory=SkillUses)
    """What is known of the skills."""
    evicted: dict[str, Evicted] = field(default_factory=dict)
    """Episodes that a full memory let go."""
    sources: dict[str, str] = field(default_factory=dict)
    """Case, of any grain -> the episode it was derived from."""
    tombstones: dict[str, str] = field(default_factory=dict)
    """Evidence that was forgotten, and the episode it was in."""
    flagged: dict[str, str] = field(default_factory=dict)
    """Episodes that saw cases of a forgotten one, and which."""

    def apply(self, rows: Iterable[Row]) -> Iterator[Learned]:
        """Yield what every episode that these rows complete left."""
        for row in rows:
            self.seq = row.seq
            if row.event is None:
                self.open.pop(row.episode, None)
            elif row.episode:
                yield from self._of_episode(row)
            else:
                self._of_store(row)

    def _of_store(self, row: Row) -> None:
        match row.event:
            case Forgotten():
                self.tombstones[row.event.evidence] = row.event.target
                self.flagged |= dict.fromkeys(row.event.dependants, row.event.target)
            case ContractSeen():
                self.contracts.seen(row.event)
            case Reverified():
                self.contracts.reverified(row.event)
            case Evicted():
                self.evicted[row.event.target] = row.event

    def _of_episode(self, row: Row) -> Iterator[Learned]:
        if isinstance(row.event, EpisodeStarted):
            self.open[row.episode] = OpenEpisode(row.event, row.key)
            return
        opened = self.open.get(row.episode)
        if opened is None:
            return
        match row.event:
            case Recalled():
                self._note(opened, row.event)
            case Planned():
                opened.plan = row.event.subtasks
            case Stepped():
                opened.steps.append((row.key, row.event))
            case Judged():
                self.judge.observe(row.event.said, row.event.truth)
            case SkillCalled(skill=skill, outcome=outcome, steps=steps):
                self.uses.called(skill, opened.started.llm, outcome, steps)
            case SubtaskEnded():
                opened.subtasks.append((row.key, row.event))
            case EpisodeEnded():
                del self.open[row.episode]
                yield from self._ended(row, opened, row.event)

    def _ended(self, row: Row, opened: OpenEpisode, ended: EpisodeEnded) -> Iterator[Learned]:
        start = opened.started
        outcome = self.judge.corrected(ended.score) if ended.judge == "critic" else ended.score
        offered = tuple(opened.skills.values())
        if ended.outcome != "unknown" and offered and outcome is not None:
            context = context_of(start.family, start.goal)
            self.uses.observe(SkillOutcome(context, offered, outcome))
        if ended.outcome != "unknown" and opened.considered and outcome is not None:
            self.observe(
                Observed(
                    context_of(start.family, start.goal),
                    start.goal,
                    start.task_id,
                    tuple(opened.considered.values()),
                    outcome,
                    self.episodes,
                )
            )
        if not ended.learn or ended.outcome == "unknown" or not opened.steps:
            return
        actions = [event.action for _, event in opened.steps]
        if evidence_of(start.task_id, actions) in self.tombstones:
            return
        made = learned(row.episode, self.episodes, opened, row.key, ended)
        self.sources |= {case.id: row.episode for case in made.cases}
        self.episodes += 1
        yield made

    def observe(self, found: Observed) -> None:
        """Take what an ended episode says of the items that its reads found."""
        self.observed.append(found)
        self.credit.observe(found.context, found.exposures, found.outcome)
        outcome = min(1.0, max(0.0, found.outcome))
        self.trials += [
            Trial(found.goal, found.task_id, e.item, outcome, found.rank)
            for e in found.exposures
            if e.exposed
        ]

    def credit_as_of(self, first: int) -> Credit:
        """Return the credit that the first so many learned episodes gave."""
        earlier = Credit(self.credit.config)
        for found in self.observed:
            if found.rank < first:
                earlier.observe(found.context, found.exposures, found.outcome)
        return earlier

    def _note(self, acting: OpenEpisode, recalled: Recalled) -> None:
        """Note what a read found; a case that is forgotten by now is no item any more."""
        if recalled.grain == "skills":
            self._note_skills(acting, recalled)
            return
        for case, exposed, _, chance in recalled.items():
            item = self.sources.get(case)
            if item is not None and chance > 0:  # never shown for certain: it says nothing
                found = Exposure(item=item, exposed=exposed, propensity=chance)
                acting.considered.setdefault(item, found)

    def _note_skills(self, acting: OpenEpisode, recalled: Recalled) -> None:
        """Note which skills an episode was offered, each once."""
        new = []
        for skill, exposed, _, chance in recalled.items():
            item = self.uses.item(skill, acting.started.llm)
            if item not in acting.skills and chance > 0:
                acting.skills[item] = Exposure(item=item, exposed=exposed, propensity=chance)
                new.append(acting.skills[item])
        self.uses.offered(new)
