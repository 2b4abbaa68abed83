"""Questions about a goal, asked of the frozen model once and kept (VOYAGER's cache, arXiv 2305.16291, A.3).

What was answered in an iteration is part of its event, so a later call, a replay, or a state as of some
moment knows exactly what was known then.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ...envs.types import Fact
from ...memory.ledger.practice_events import Answered
from ...memory.likeness.analogy import entities
from ...memory.likeness.embedder import Embedder, Vectors
from ...skills.types import Skill
from ..llm.errors import LLMNonsense
from ..llm.protocol import FrozenLLM, Message
from ..prompts.rendering import clip, render

NEAR = 0.95
"""Cosine from which two questions about one goal are one question (VOYAGER: a distance of 0.05).

The goals have to name the same things too: of TextCraft's 544 goals 70 have another's question this near,
gray stained glass that of light gray stained glass at 0.99.
"""


class Answers:
    """Asks questions about goals; a question like an earlier one gets its answer.

    Args:
        llm: Is asked.
        embedder: Of questions.
        near: Least cosine, in [-1, 1], of questions that count as one; see `NEAR`.
        max_tokens: Of an answer.
    """

    def __init__(
        self, llm: FrozenLLM, embedder: Embedder, *, near: float = NEAR, max_tokens: int = 80
    ) -> None:
        self._llm, self._embedder, self._near, self._most = llm, embedder, near, max_tokens
        self._known: dict[str, Answered] = {}
        self._vectors: dict[str, Vectors] = {}
        self._new: list[Answered] = []

    def begin(self) -> None:
        """Know nothing yet."""
        self._known, self._new = {}, []

    def recall(self, earlier: Sequence[Answered]) -> None:
        """Take in answers of earlier iterations, from the ledger."""
        self._known |= {one.question: one for one in earlier}

    def drained(self) -> tuple[Answered, ...]:
        """Return what was answered since the last call, for the ledger."""
        new, self._new = tuple(self._new), []
        return new

    def get(self, question: str, goal: str) -> str | None:
        """Return the answer to this question or to one like it about the goal; None when there is none."""
        if question in self._known:
            return self._known[question].answer
        about = [q for q, one in self._known.items() if entities(one.goal) == entities(goal)]
        if not about:
            return None
        texts = [question, *about]
        missing = [text for text in texts if text not in self._vectors]
        if missing:
            self._vectors |= dict(zip(missing, self._embedder.encode(missing), strict=True))
        cosines = np.stack([self._vectors[q] for q in about]) @ self._vectors[question]
        best = int(cosines.argmax())
        return self._known[about[best]].answer if cosines[best] >= self._near else None

    def known(self, env: str, goal: str) -> str:
        """Return what is known of how a goal is reached, without asking; empty when nothing is."""
        return self.get(_how(env, goal), goal) or ""

    async def about(
        self, env: str, goal: str, now: Mapping[str, Fact], state: str, skills: Sequence[Skill]
    ) -> list[str]:
        """Return questions about a goal with their answers, one line each; what is not known is asked.

        Args:
            env: Name of the environment.
            goal: In words.
            now: What holds.
            state: The same as a model is told it.
            skills: Retrieved ones.
        """
        found = []
        for question in questions(env, goal, now):
            answer = self.get(question, goal)
            if answer is None:
                answer = await self._ask(env, goal, state, skills, question)
            if answer:
                found.append(f"{question} {answer}")
        return found

    async def _ask(
        self, env: str, goal: str, state: str, skills: Sequence[Skill], question: str
    ) -> str:
        """Ask the model; an answer that is none is not kept, and asked for again another time."""
        prompt = render(
            "question",
            env=env,
            goal=goal,
            state=state,
            skills=", ".join(s.name for s in skills) or "none",
            question=question,
        )
        try:
            said = await self._llm.chat(
                [Message(role="user", content=prompt)], max_tokens=self._most
            )
        except LLMNonsense:
            return ""
        answer = clip(said, 400)
        if answer:
            one = Answered(question=question, goal=goal, answer=answer)
            self._known[question] = one
            self._new.append(one)
        return answer


def questions(env: str, goal: str, now: Mapping[str, Fact]) -> list[str]:
    """Return what is asked about a goal: how it is reached, what it needs, what of the surroundings helps.

    The last one is left out where nothing is near and nothing is carried.

    >>> questions("crafter", "Collect wood.", {"near.tree": True, "near.cow": False})[2]
    'Which of tree is useful to collect wood in crafter?'
    """
    wanted = _wanted(goal)
    found = [_how(env, goal), f"What is needed before one can {wanted} in {env}?"]
    for kind in ("near.", "inventory."):
        there = sorted(f.removeprefix(kind) for f, v in now.items() if v and f.startswith(kind))
        if there:
            listed = ", ".join(there).replace("_", " ")
            return [*found, f"Which of {listed} is useful to {wanted} in {env}?"]
    return found


def _how(env: str, goal: str) -> str:
    return f"How to {_wanted(goal)} in {env}?"


def _wanted(goal: str) -> str:
    return goal.rstrip(".").lower()
