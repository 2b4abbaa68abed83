"""Memory alone, for an agent of somebody else's: recall before it acts, remember what it did, say how it went.

    from lichen.memory import Memory
    memory = Memory("desk")
    found = memory.recall("My parcel 4711 never came", namespace="acme/ann")
    print(found.text)                                  # for the model's prompt, quoted as data
    memory.remember(found, [{"tool": "find_order", "arguments": {"order": 4711}, "answer": "in Oslo"}])
    memory.feedback(found.id, good=True)               # or score=0.7, or correct="...", today or next week

All of credit, the do-no-harm gate, held-out items, forgetting and explanation is that of the agent's own
memory; only the planner and the model are left out.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from ..envs.errors import UsageError
from ..envs.text import whole
from ..envs.tools import ToolSpec
from ..envs.types import Outcome
from .credit.exposure import Exposer
from .forgetting.forget import Forgetting, forget
from .forgetting.why import Why, explain, explain_all
from .ledger.content_id import content_id
from .ledger.errors import UnknownCase
from .ledger.events import EpisodeEnded
from .ledger.namespaces import EVERYONE, checked
from .ledger.records import StepCase, SubtaskCase
from .likeness.embedder import Embedder
from .recall.case_memory import CaseMemory
from .recall.retriever import RetrieverConfig
from .store.store import Store
from .store.verdicts import judged
from .told.foreign_episode import begun, ended, ended_with
from .told.foreign_step import ForeignStep, read_steps
from .told.memory_block import memory_block
from .told.moment import ending_notes, moment_notes
from .told.remembered import ReadCase, remember
from .told.reminder import RecalledCase, Reminder
from .tools.known_calls import KnownCalls
from .tools.tool_memory import ToolMemory

VIEWS = 32
"""Namespaces whose views are kept."""
TOKENS = 1500
"""Of the text of a recollection, at most about so many."""


class Memory(AbstractContextManager["Memory"]):
    """What an agent remembers, in one folder; one process at a time writes to it, from any of its threads.

    Args:
        store: A folder, made where it is missing; or an opened store, which its owner closes.
        name: Of the kind of work; what is remembered under one name is not recalled under another.
        config: Settings of a read.
        embedder: Of texts; the packaged MiniLM when None.
        index_url: `http://host:port` of a Chroma server in the place of the embedded index.
        read_only: Only recall, and write nothing down: for production, beside another process that learns.
        seed: Of what is held out at random.

    Raises:
        StoreInUse: Another process writes to it.
        StoreUnwritable: The folder or the disk refuses.
    """

    def __init__(
        self,
        store: Path | str | Store,
        *,
        name: str = "memory",
        config: RetrieverConfig | None = None,
        embedder: Embedder | None = None,
        index_url: str | None = None,
        read_only: bool = False,
        seed: int = 0,
    ) -> None:
        self.name, self.seed = name, seed
        self.config = config or RetrieverConfig()
        self._own = not isinstance(store, Store)
        self.store = (
            store
            if isinstance(store, Store)
            else Store(store, embedder=embedder, index_url=index_url, read_only=read_only)
        )
        self._run = content_id("memory", name)
        self._calls = KnownCalls(self.store)
        self._views: dict[str, CaseMemory] = {}
        self._lock = threading.RLock()

    def recall(
        self,
        situation: str,
        *,
        k: int = 4,
        namespace: str = EVERYONE,
        thread: str = "",
        tools: Sequence[ToolSpec] = (),
        tokens: int = TOKENS,
        llm: str = "",
    ) -> Reminder:
        """Return what is remembered of situations like this one, and open an episode for what will be done.

        Args:
            situation: The request or the task, in words.
            k: Whole cases at most.
            namespace: Whose it is: what is in it and in the layers around it is recalled.
            thread: The conversation that it is a turn of.
            tools: Those that are there; known failures of them are told.
            tokens: Of `Reminder.text`, at most about so many.
            llm: Names the model that will act; credit of skills is kept apart by it.

        Raises:
            UsageError: The situation is empty, or the namespace is none.
        """
        situation = _worded(situation)
        with self._lock:
            view = self._view(checked(namespace))
            number = self.store.ledger.head()
            episode = content_id("recalled", self.name, namespace, situation, str(number))
            exposer = self._exposer(view, episode)
            known = ToolMemory(
                view,
                self.name,
                shows=lambda item: exposer.decide(item)[0],
                calls=self._calls,
            )
            found = remember(
                view,
                known,
                goal=situation,
                env=self.name,
                family=self.name,
                task_id=episode,
                seen="",
                specs=tools or [ToolSpec(name=said.tool) for said in known.refusals()],
                shows=exposer.decide,
                k=k,
            )
            told = Reminder(
                id=episode,
                situation=situation,
                namespace=namespace,
                thread=thread,
                items=tuple(self._items(view, found.read)),
                text=memory_block(found, tokens),
                endings=tuple(ending_notes(found.cases)),
            )
            if not self.store.read_only:
                self.store.append(begun(self.name, self._run, told, found.read, llm))
        return told

    def remember(
        self,
        situation: Reminder | str,
        steps: Sequence[ForeignStep | dict[str, Any]],
        *,
        outcome: Outcome = "unknown",
        score: float | None = None,
        namespace: str = EVERYONE,
        thread: str = "",
        llm: str = "",
    ) -> str:
        """Write down what was done, and return the episode's id; a known outcome is learned from at once.

        Args:
            situation: What `recall` returned; or, where nothing was recalled, the task in words.
            steps: What was done, in order: tools called or words said, with what came back.
            outcome: As far as it is known. What is unknown is no case until `feedback` says more.
            score: In [0, 1]; 1 or 0 by the outcome when None. By itself it says the outcome, as in `feedback`.
            namespace, thread, llm: As in `recall`, where nothing was recalled.

        Raises:
            UsageError: A step, the outcome or the score is none, the situation is empty, it was remembered
                already, or the store was opened read-only. Nothing was written.
        """
        taken = read_steps(steps)
        outcome, score = ended_with(outcome, score)
        with self._lock:
            self._may_write()
            if isinstance(situation, str):
                situation = _worded(situation)
                number = self.store.ledger.head()
                said = content_id("told", self.name, checked(namespace), situation, str(number))
                situation = Reminder(
                    id=said, situation=situation, namespace=namespace, thread=thread
                )
                self.store.append(begun(self.name, self._run, situation, (), llm))
            self._closed(situation, taken, outcome, score)
            self.store.settle()
        return situation.id

    def notes(self, told: Reminder, steps: Sequence[ForeignStep], opening: str = "") -> list[str]:
        """Return what memory says of the moment after these steps, in lines that can stand in a quotation.

        The calls that helped in like moments, with the values of this situation (see `tools.bound_calls`) or,
        where those are not known, in its terms; and what was said at the end of solved cases. A small model
        does by it only where it is said when the time has come.

        Args:
            told: What was recalled for the situation.
            steps: Taken so far.
            opening: What was seen before the first.
        """
        with self._lock:
            view = self._view(told.namespace)
            exposer = self._exposer(view, told.id)
            return moment_notes(view, exposer, self.name, told, steps, opening)

    def feedback(
        self,
        episode: str,
        *,
        good: bool | None = None,
        score: float | None = None,
        correct: str = "",
        note: str = "",
        actor: str = "person",
    ) -> None:
        """Say how an episode went; it is learned from now, and an earlier verdict is void.

        Args:
            episode: Its id.
            good: Whether it was right.
            score: How right, in [0, 1]; in the place of `good`.
            correct: What the answer should have been; by itself it says that the one given was wrong.
            note: Why, in words; it is told where the case is recalled.
            actor: Who says so: a person, or the name of a check.

        Raises:
            UnknownCase: No episode has this id.
            UsageError: Nothing, or two things at once, is said; or the store was opened read-only.
        """
        with self._lock:
            self._may_write()
            judged(
                self.store,
                episode,
                good=good,
                score=score,
                correct=correct,
                note=note,
                actor=actor,
                judge="person" if actor == "person" else "environment",
            )

    def forget(self, name: str, *, cascade: bool = False, reason: str = "") -> Forgetting:
        """Forget an episode with all that came of it; see `lichen.memory.forgetting.forget`."""
        with self._lock:
            self._may_write()
            return forget(self.store, name, cascade=cascade, reason=reason)

    def why(self, episode: str, step: int | None = None) -> list[Why]:
        """Return what an episode's reads considered, showed, and what it is worth; of all steps when None."""
        if step is not None:
            return [explain(self.store, episode, step)]
        return list(explain_all(self.store, episode))

    def tools(self, namespace: str = EVERYONE) -> ToolMemory:
        """Return what calls of tools came to, as a namespace sees it."""
        with self._lock:
            return ToolMemory(self._view(namespace), self.name)

    def subtasks(
        self, text: str, *, k: int = 4, namespace: str = EVERYONE
    ) -> Sequence[tuple[SubtaskCase, float]]:
        """Return at most k remembered subtasks like this one, with the cosine of their texts, best first."""
        with self._lock:
            return self._view(namespace).subtasks(text, env=self.name, k=k)

    def close(self) -> None:
        """Close the store, where it was opened here; calling it twice is allowed."""
        if self._own:
            self.store.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def _view(self, namespace: str) -> CaseMemory:
        """Return a namespace's view; the latest few are kept with what they know."""
        view = self._views.pop(namespace, None)
        view = view or CaseMemory(self.store, self.config, namespace=namespace)
        self._views[namespace] = view
        if len(self._views) > VIEWS:
            self._views.pop(next(iter(self._views)))
        return view

    def _exposer(self, view: CaseMemory, episode: str) -> Exposer:
        learns = not self.store.read_only
        return Exposer(
            view.credit,
            self.config.harm,
            self.config.holdout if learns else 0.0,
            seed=self.seed,
            task_id=episode,
            learn=learns,
        )

    def _items(self, view: CaseMemory, read: Sequence[ReadCase]) -> Iterator[RecalledCase]:
        for one in read:
            case = self.store.case(one.id)
            if case is not None and not isinstance(case, StepCase):
                uplift, trust = view.credit.uplift(case.episode), self.store.trust(case)
                old = view.is_old(case)
                yield RecalledCase.of(case, one, uplift=uplift, trust=trust, old=old)

    def _may_write(self) -> None:
        if self.store.read_only:
            raise UsageError("this memory was opened read-only", hint="Open it without read_only.")

    def _closed(
        self,
        told: Reminder,
        taken: Sequence[ForeignStep],
        outcome: Outcome,
        score: float,
    ) -> None:
        if not (rows := list(self.store.rows_of(told.id))):
            raise UnknownCase(f"no episode {told.id!r} was opened in {self.store.folder}")
        if any(isinstance(row.event, EpisodeEnded) for row in rows):
            raise UsageError(
                f"the episode {told.id} was remembered already", hint="`feedback` says more of it."
            )
        self.store.append(ended(self.name, self._run, told, taken, outcome, score))


def _worded(situation: str) -> str:
    if not isinstance(situation, str) or not situation.strip():
        raise UsageError("the situation is empty: say in words what is asked for")
    return whole(situation)
