"""Parametric retrieval (AgentFly eq. 15, 16): Q(s, c; theta), the chance that case c helps task s.

A logistic head over cached unit vectors of the two tasks' texts: the encoder is never run over the bank, a
read is one matrix product. It is learned online with replay, from what was shown and how that ended; the
same events in the same order give the same theta, bit for bit. Theta belongs to memory: it is never stored,
only learned again from the ledger, so what is forgotten there is not in it either.
"""

import zlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...envs.types import Record

Vector = NDArray[np.float64]
HELD_OUT = 5
"""One query text in so many is kept for validation, with all of its pairs: never split by rows."""


class QConfig(Record):
    """How the head is learned."""

    rate: float = Field(default=0.5, gt=0)
    """Step size of the stochastic gradient."""
    decay: float = Field(default=1e-3, ge=0)
    """L2 penalty."""
    replay: int = Field(default=32, ge=0)
    """Earlier pairs that are learned again with every new one."""
    seed: int = Field(default=0, ge=0)
    """Of the replay."""


class Fit(Record):
    """How good the head is on queries that it never learned from."""

    pairs: int
    """Learned from."""
    validation: int
    """Pairs of held-out queries."""
    loss: float | None
    """Binary cross-entropy on them (eq. 15); None when there are none."""
    base: float | None
    """The same of always answering the mean outcome."""


@dataclass
class QHead:
    """The head, and the pairs that it was learned from.

    Args:
        d: Dimension of the task vectors.
        config: How it is learned.
    """

    d: int
    config: QConfig = field(default_factory=QConfig)
    _learned: list[tuple[Vector, float]] = field(default_factory=list)
    _checked: list[tuple[Vector, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.theta = np.zeros(self.d + 3)
        self._rng = np.random.default_rng(self.config.seed)

    def features(self, query: Vector, cases: Vector, wins: Vector) -> Vector:
        """Return phi(s, c) of every case, shape (n, d + 3).

        Args:
            query: Unit vector of the task, shape (d,).
            cases: Unit vectors of the cases' tasks, shape (n, d).
            wins: Score of each case's own episode, shape (n,).
        """
        near = cases * query
        return np.column_stack([near, near.sum(axis=1), wins, np.ones(len(cases))])

    def q(self, query: Vector, cases: Vector, wins: Vector) -> Vector:
        """Return Q(s, c; theta) of every case, shape (n,), in (0, 1)."""
        return self._answers(self.features(query, cases, wins))

    def _answers(self, inputs: Vector) -> Vector:
        found: Vector = 1.0 / (1.0 + np.exp(-np.clip(inputs @ self.theta, -30, 30)))
        return found

    def observe(self, text: str, query: Vector, case: Vector, win: float, outcome: float) -> None:
        """Take one pair: a case that was shown to a task, and how the task ended.

        Args:
            text: The task in words; it decides whether the pair is learned from or kept for validation.
            query: Its unit vector, shape (d,).
            case: Unit vector of the case's task, shape (d,).
            win: Score of the case's own episode.
            outcome: r, in [0, 1]; an unknown outcome must not be given.
        """
        pair = (self.features(query, case[None, :], np.array([win]))[0], outcome)
        if zlib.crc32(text.encode()) % HELD_OUT == 0:
            self._checked.append(pair)
            return
        again = min(self.config.replay, len(self._learned))
        chosen = self._rng.integers(0, len(self._learned), again) if again else ()
        batch = [pair, *(self._learned[int(i)] for i in chosen)]
        self._learned.append(pair)
        inputs, wanted = np.stack([x for x, _ in batch]), np.array([r for _, r in batch])
        answers = self._answers(inputs)
        slope = inputs.T @ (answers - wanted) / len(batch) + self.config.decay * self.theta
        self.theta = self.theta - self.config.rate * slope

    def fit(self) -> Fit:
        """Return how good the head is on held-out queries, beside the mean outcome."""
        if not self._checked:
            return Fit(pairs=len(self._learned), validation=0, loss=None, base=None)
        inputs = np.stack([x for x, _ in self._checked])
        wanted = np.array([r for _, r in self._checked])
        answers = self._answers(inputs)
        mean = np.mean([r for _, r in self._learned]) if self._learned else 0.5
        return Fit(
            pairs=len(self._learned),
            validation=len(self._checked),
            loss=_cross_entropy(answers, wanted),
            base=_cross_entropy(np.full(len(wanted), mean), wanted),
        )


def _cross_entropy(answers: Vector, wanted: Vector) -> float:
    answers = np.clip(answers, 1e-6, 1 - 1e-6)
    return float(-np.mean(wanted * np.log(answers) + (1 - wanted) * np.log(1 - answers)))
