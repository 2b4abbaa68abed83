"""The agent's assistant: thinks where the gate is open, and has the gate measured again when memory changes.

Nothing is loaded and no assistant is called for a kind of task whose gate is shut. Whatever goes wrong with a
hint shuts it and is said once; the agent goes on without.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...envs.errors import LichenError, UsageError
from ...memory.ledger.events import Forgotten
from ...memory.ledger.namespaces import EVERYONE
from ...memory.ledger.records import EpisodeCase, Hits, State
from ...memory.recall.case_memory import CaseMemory
from ...memory.store.store import Store
from ..llm.protocol import FrozenLLM, SteerableLLM, steerable
from ..llm.thought import SILENT, Thought
from .checkpoint import WEIGHTS, Card, file_hash, load, read_card
from .errors import WrongModels
from .examples import assistant_text, recalled, with_steps
from .gate_record import GateRecord, add_record, outgrown, read_gate
from .hint_gate import decision, measure
from .places import PREVIOUS, STATES, exchange, mend
from .soft_config import FOLDER, SoftSettings

if TYPE_CHECKING:
    from ..llm.frozen import Frozen
    from .projection import Projection
    from .soft_assistant import SoftAssistant

_log = logging.getLogger(__name__)
MOST_DECISIONS = 24
"""Most held-out decisions of a kind of task that its gate is measured on, the newest."""
KEPT = 4096
"""Most hints in words that are kept in memory."""
Told = Callable[[int, int], None]
T = TypeVar("T")


@dataclass(frozen=True)
class _Parts:
    """What is needed to think."""

    assistant: "SoftAssistant"
    projection: "Projection"
    card: Card
    llm: "Frozen"


@dataclass
class Hints:
    """Thinks in the agent's place of the assistant.

    Args:
        config: Of the agent.
        store: Its memory; the projection and its gate lie in the store's folder, or in `softcot.folder`.
        llm: The frozen model.
    """

    config: SoftSettings
    store: Store
    llm: FrozenLLM
    calls: int = 0
    """Thoughts that were asked of the assistant."""
    _parts: _Parts | None = None
    _record: GateRecord | None = None
    _words: dict[str, str] = field(default_factory=dict)
    _read: bool = False
    _due: tuple[tuple[int, int], bool] | None = None

    @property
    def chat(self) -> bool:
        """Whether it thinks for conversations too."""
        return self.config.softcot.chat

    @property
    def folder(self) -> Path:
        """Where the projection is."""
        return self.config.softcot.folder or self.store.folder / FOLDER

    @property
    def record(self) -> GateRecord | None:
        """The newest measurement of the projection that is there; None: the gate is shut for everything."""
        if not self._read:
            self._read = True
            self._record = self._newest()
        return self._record

    def _newest(self) -> GateRecord | None:
        try:
            if self.config.softcot.folder is None and not self.store.read_only:
                mend(self.folder)
            found = read_gate(self.folder) if (self.folder / WEIGHTS).exists() else None
        except LichenError as error:
            _log.warning("no hint is on: %s", error)
            return None
        newest = found.measured[-1] if found is not None else None
        if newest is not None and newest.projection != file_hash(self.folder / WEIGHTS):
            _log.warning("no hint is on: the projection in %s was not measured yet", self.folder)
            return None
        return newest

    async def think(self, state: State, hits: Hits, *, family: str) -> Thought:
        """Return a thought where the gate of this kind of task is open; else nothing, and nothing is asked."""
        mode = self.record.mode(family) if self.record is not None else "off"
        if mode == "off" or not self._takes_vectors or self.due():
            return SILENT
        text = assistant_text(state, hits.hits)
        try:
            return await self._in_worker(lambda parts: self._think(parts, text, mode))
        except LichenError as error:
            _log.warning("no hint is on: %s", error)
            self._record = None
            return SILENT

    def _think(self, parts: _Parts, text: str, mode: str) -> Thought:
        import torch

        self.calls += 1
        before = parts.assistant.tokens
        if mode == "soft":
            with torch.no_grad():
                states = parts.assistant.states([text], parts.card.train.n_infer)
                thought = Thought(vectors=parts.projection(states)[0], chat=self.chat)
        else:
            from ..llm.soft_reader import SoftReader
            from .verbal_hints import verbal_hints

            if text not in self._words:
                reader = SoftReader(parts.assistant.frozen)
                if len(self._words) >= KEPT:
                    self._words.clear()
                self._words[text] = verbal_hints(parts.assistant.frozen, [text], reader=reader)[0]
                self.llm.usage.tokens_in += reader.tokens
            thought = Thought(words=self._words[text], chat=self.chat)
        self.llm.usage.tokens_in += parts.assistant.tokens - before
        return thought

    def due(self) -> bool:
        """Return whether memory changed so much that the gate has to be measured again; until then it is shut.

        Never so for a projection that `softcot.folder` names: its gate is used as it was measured.
        """
        record = self.record
        if record is None or self.config.softcot.folder is not None:
            return False
        now = (len(self.store.episodes), self.store.ranks)
        if self._due is None or self._due[0] != now:
            due = outgrown(record, self.store.episodes.values())
            if due:
                _log.warning(
                    "memory has changed since the gate was measured: no hint is on until "
                    "`lichen softcot gate`, or learning, measures it again"
                )
            self._due = (now, due)
        return self._due[1]

    async def keep_up(self) -> None:
        """Measure again when it is due; where that cannot be done, every gate is shut and learning goes on."""
        record = self.record
        if record is None or not self.due():
            return
        try:
            await self.measure()
        except LichenError as error:
            _log.warning("no hint is on: the gate cannot be measured: %s", error)
            self._keep(record.model_copy(update={"families": (), "failed": str(error)}))

    async def measure(self, told: Told | None = None) -> GateRecord:
        """Measure the gate on held-out decisions, keep the verdict; put an earlier projection back if need be.

        An earlier one comes back when this one was measured and passes nowhere, and that one passes now.

        Raises:
            BadFile: There is no projection.
            WrongModels: It is of other models.
            UsageError: The model takes no vectors, or the projection is not the store's own.
        """
        if not self._takes_vectors:
            raise UsageError(
                f"{self.llm.name} is a server: what a hint is worth is measured with a model in this process",
                hint="Name a local model with --model.",
            )
        if self.config.softcot.folder is not None:
            raise UsageError(
                "the gate of another store's projection is measured there",
                hint="Leave out softcot.folder, or say --store.",
            )
        mend(self.folder)
        self.forget_parts()
        record = await self._in_worker(lambda parts: self._measure(parts, self.folder, told))
        self._keep(record)
        previous = self.folder.with_name(PREVIOUS)
        failed = any(f.soft for f in record.families) and not record.passes
        if failed and (previous / WEIGHTS).exists():
            record = await self._earlier(previous, told) or record
        return record

    async def _earlier(self, previous: Path, told: Told | None) -> GateRecord | None:
        """Exchange the projection for the previous one if that passes somewhere now."""

        def work(model: Any, tokenizer: Any) -> GateRecord:
            return self._measure(self._load(previous, model, tokenizer), previous, told)

        try:
            record: GateRecord = await steerable(self.llm).in_worker(work)
        except LichenError:
            return None
        if not record.passes:
            return None
        record = record.model_copy(update={"rolled_back": True})
        add_record(previous, record)
        exchange(self.folder)
        self.forget_parts()
        _log.warning("the projection was rolled back to the previous one, which passes its gate")
        return record

    def _measure(self, parts: _Parts, folder: Path, told: Told | None) -> GateRecord:
        """Measure on the newest decisions of tasks that the projection did not learn from."""
        learned = set(parts.card.tasks)
        most = MOST_DECISIONS
        newest = sorted(self._won(), key=lambda case: -case.rank)
        kept: dict[str, EpisodeCase] = {}
        counts: dict[str, int] = {}
        for case in newest:
            if case.task_id not in learned and counts.get(case.family, 0) < 2 * most:
                kept[case.id] = case
                counts[case.family] = counts.get(case.family, 0) + max(1, len(case.actions) // 2)
        held = with_steps(
            self.store.steps.values(),
            kept,
            recalled=recalled(self.store, CaseMemory(self.store, self.config.retriever)),
            demonstrations=True,
        )
        families, tokens = measure(
            [decision(example, step) for example, step in held],
            llm=parts.llm,
            assistant=parts.assistant,
            projection=parts.projection,
            n=parts.card.train.n_infer,
            most=most,
            seed=self.config.seed,
            told=told,
        )
        seen = {name for example, _ in held for name in (example.episode, *example.saw)}
        return GateRecord(
            projection=file_hash(folder / WEIGHTS),
            episodes=tuple(sorted(seen)),
            successes=len(self._won()),
            families=families,
            seed=self.config.seed,
            tokens=tokens,
        )

    def _keep(self, record: GateRecord) -> None:
        add_record(self.folder, record)
        self._record, self._read, self._due = record, True, None

    def forget_parts(self) -> None:
        """Load everything anew at the next use: the files may have changed."""
        self._parts, self._record, self._read, self._due = None, None, False, None

    async def _in_worker(self, call: Callable[[_Parts], T]) -> T:
        def work(model: Any, tokenizer: Any) -> T:
            if self._parts is None:
                self._parts = self._load(self.folder, model, tokenizer)
            return call(self._parts)

        return await steerable(self.llm).in_worker(work)

    def _load(self, folder: Path, model: Any, tokenizer: Any) -> _Parts:
        """Return the parts; the assistant shares the LLM's weights where they are the same."""
        from ..llm.frozen import Frozen, open_frozen
        from .soft_assistant import SoftAssistant

        llm = Frozen(self.llm.name, model, tokenizer)
        card = read_card(folder)
        if gone := forgotten(self.store) & set(card.episodes):
            raise WrongModels(
                f"the projection in {folder} was trained from {len(gone)} episodes that were forgotten",
                hint="Remove it, and train anew: `lichen softcot train own --fresh`.",
            )
        other = llm
        if card.assistant.weights != llm.identity().weights:
            other = open_frozen(card.assistant.name, self.config.local)
        projection, card = load(folder, other, llm)
        return _Parts(SoftAssistant(other, folder.parent / STATES), projection, card, llm)

    def _won(self) -> list[EpisodeCase]:
        held = self.store.episodes.values()
        return [x for x in held if x.outcome == "success" and x.namespace == EVERYONE]

    @property
    def _takes_vectors(self) -> bool:
        return isinstance(self.llm, SteerableLLM)


def forgotten(store: Store) -> set[str]:
    """Return the episodes that were forgotten in a store."""
    rows = store.ledger.read()
    return {row.event.target for row in rows if isinstance(row.event, Forgotten)}
