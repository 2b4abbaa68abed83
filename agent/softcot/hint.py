"""The agent's assistant: thinks where the gate is open, and has the gate measured again when memory changes.

Nothing is loaded and no assistant is called for a kind of task whose gate is shut.
"""

import hashlib
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...envs.errors import LichenError, UsageError
from ...memory.cases import CaseMemory
from ...memory.store import Store
from ...memory.types import EpisodeCase, Hits, State
from ..assistant import SILENT, Thought
from ..config import AgentConfig
from ..llm.protocol import FrozenLLM
from .checkpoint import WEIGHTS, load, read_card
from .errors import WrongModels
from .examples import assistant_text, recalled, with_steps
from .gate import GateRecord, add_record, decision, measure, read_gate

if TYPE_CHECKING:
    from .assistant import SoftAssistant
    from .checkpoint import Card
    from .models import Frozen
    from .projection import Projection

_log = logging.getLogger(__name__)

FOLDER = Path("softcot") / "own"
"""Of the projection that the agent uses, in its store."""
PREVIOUS = "own-previous"
"""Beside it: the one that it took the place of."""
ASIDE = "own-aside"
"""Where it lies while the previous one is tried."""
STATES = "states"
Told = Callable[[int, int], None]
T = TypeVar("T")


@dataclass(frozen=True)
class _Parts:
    """What is needed to think."""

    assistant: "SoftAssistant"
    projection: "Projection"
    card: "Card"
    llm: "Frozen"


@dataclass
class Hints:
    """Thinks in the agent's place of the assistant.

    Args:
        config: Of the agent.
        store: Its memory; the projection and its gate lie in the store's folder.
        llm: The frozen model.
    """

    config: AgentConfig
    store: Store
    llm: FrozenLLM
    calls: int = 0
    """Thoughts that were asked of the assistant."""
    _parts: _Parts | None = None
    _record: GateRecord | None = None
    _words: dict[str, str] = field(default_factory=dict)
    _read: bool = False

    @property
    def folder(self) -> Path:
        """Where the projection is."""
        return self.store.folder / FOLDER

    @property
    def record(self) -> GateRecord | None:
        """The newest measurement of the projection that is there; None: the gate is shut for everything."""
        if not self._read:
            self._read = True
            found = read_gate(self.folder) if (self.folder / WEIGHTS).exists() else None
            newest = found.measured[-1] if found is not None else None
            if newest is not None and newest.projection != _hash(self.folder):
                _log.warning(
                    "the projection in %s was not measured yet: no hint is on", self.folder
                )
                newest = None
            self._record = newest
        return self._record

    async def think(self, state: State, hits: Hits, *, family: str) -> Thought:
        """Return a thought where the gate of this kind of task is open; else nothing, and nothing is asked."""
        mode = self.record.mode(family) if self.record is not None else "off"
        if mode == "off" or not self._takes_vectors:
            return SILENT
        text = assistant_text(state, hits.hits)
        try:
            return await self._in_worker(lambda parts: self._think(parts, text, mode))
        except WrongModels as error:
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
                thought = Thought(vectors=parts.projection(states)[0])
        else:
            from .verbal import verbal_hints

            if text not in self._words:
                self._words[text] = verbal_hints(parts.assistant.frozen, [text])[0]
            thought = Thought(words=self._words[text])
        self.llm.usage.tokens_in += parts.assistant.tokens - before
        return thought

    def due(self) -> bool:
        """Return whether memory changed so much that the gate has to be measured again."""
        record = self.record
        if record is None:
            return False
        gone = not set(record.episodes) <= {case.episode for case in self.store.episodes.values()}
        grown = len(self._won()) - record.successes
        return gone or abs(grown) >= self.config.softcot.retest_after

    async def keep_up(self) -> None:
        """Measure again when it is due; where that cannot be done, every gate is shut and learning goes on."""
        if not self.due():
            return
        try:
            await self.measure()
        except LichenError as error:
            _log.warning("no hint is on: the gate cannot be measured: %s", error)
            self._record, self._read = None, True

    async def measure(self, told: Told | None = None) -> GateRecord:
        """Measure the gate on held-out decisions, keep the verdict; put an earlier projection back if need be.

        Raises:
            BadFile: There is no projection.
            WrongModels: It is of other models.
            UsageError: The model takes no vectors.
        """
        if not self._takes_vectors:
            raise UsageError(
                f"{self.llm.name} is a server: what a hint is worth is measured with a model in this process",
                hint="Name a local model with --model.",
            )
        aside = self.folder.with_name(ASIDE)
        if aside.exists() and not self.folder.exists():  # a kill came between the two
            aside.rename(self.folder)
        self.forget_parts()
        record = await self._in_worker(lambda parts: self._measure(parts, told))
        previous = self.folder.with_name(PREVIOUS)
        if all(f.mode != "soft" for f in record.families) and (previous / WEIGHTS).exists():
            earlier = await self._earlier(previous, told)
            if earlier is not None:
                record = earlier
        self._record, self._read = record, True
        return record

    async def _earlier(self, previous: Path, told: Told | None) -> GateRecord | None:
        """Exchange the projection for the previous one if that passes somewhere now."""
        aside = self.folder.with_name(ASIDE)
        shutil.rmtree(aside, ignore_errors=True)
        self.folder.rename(aside)
        previous.rename(self.folder)
        self.forget_parts()
        try:
            record = await self._in_worker(lambda parts: self._measure(parts, told, keep=False))
        except LichenError:
            record = None
        if record is not None and any(f.mode == "soft" for f in record.families):
            record = record.model_copy(update={"rolled_back": True})
            add_record(self.folder, record)
            shutil.rmtree(aside)
            _log.warning(
                "the projection was rolled back to the previous one, which passes its gate"
            )
            return record
        self.folder.rename(previous)
        aside.rename(self.folder)
        self.forget_parts()
        return None

    def _measure(self, parts: _Parts, told: Told | None, *, keep: bool = True) -> GateRecord:
        learned = set(parts.card.episodes)
        found = with_steps(
            self.store.steps.values(),
            self.store.episodes,
            recalled=recalled(self.store, CaseMemory(self.store, self.config.retriever)),
            demonstrations=True,
        )
        held = [(e, s) for e, s in found if e.episode not in learned]
        families, tokens = measure(
            [decision(example, step) for example, step in held],
            llm=parts.llm,
            assistant=parts.assistant,
            projection=parts.projection,
            n=parts.card.train.n_infer,
            most=self.config.softcot.cases,
            seed=self.config.seed,
            told=told,
        )
        record = GateRecord(
            projection=_hash(self.folder),
            episodes=tuple(sorted({example.episode for example, _ in held})),
            successes=len(self._won()),
            families=families,
            seed=self.config.seed,
            tokens=tokens,
        )
        if keep:
            add_record(self.folder, record)
        return record

    def forget_parts(self) -> None:
        """Load everything anew at the next use: the files may have changed."""
        self._parts, self._record, self._read = None, None, False

    async def _in_worker(self, call: Callable[[_Parts], T]) -> T:
        def work(model: Any, tokenizer: Any) -> T:
            if self._parts is None:
                self._parts = self._load(model, tokenizer)
            return call(self._parts)

        found: T = await self.llm.in_worker(work)  # type: ignore[attr-defined]
        return found

    def _load(self, model: Any, tokenizer: Any) -> _Parts:
        """Return the parts; the assistant shares the LLM's weights where they are the same."""
        from ..llm.loading import LocalConfig
        from .assistant import SoftAssistant
        from .models import Frozen, open_frozen

        llm = Frozen(self.llm.name, model, tokenizer)
        card = read_card(self.folder)
        other = llm
        if card.assistant.weights != llm.identity().weights:
            dials = LocalConfig(dtype=self.config.dtype, device=self.config.device)
            other = open_frozen(card.assistant.name, dials)
        projection, card = load(self.folder, other, llm)
        states = self.folder.parent / STATES
        return _Parts(SoftAssistant(other, states), projection, card, llm)

    def _won(self) -> list[EpisodeCase]:
        return [case for case in self.store.episodes.values() if case.outcome == "success"]

    @property
    def _takes_vectors(self) -> bool:
        return hasattr(self.llm, "in_worker")


def keep_previous(folder: Path) -> None:
    """Put a projection aside before another is trained in its place."""
    if (folder / WEIGHTS).exists():
        previous = folder.with_name(PREVIOUS)
        shutil.rmtree(previous, ignore_errors=True)
        folder.rename(previous)


def _hash(folder: Path) -> str:
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
