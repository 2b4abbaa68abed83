"""Kernel Q with temporal differences (AgentFly eq. 9, 10, 11): credit for many steps, across episodes.

Q_EC(s, c; theta) is a kernel regression over remembered steps that took the same advice c: the grounded
action, its entities made one word. Theta scales the dimensions of the state vectors; it is learned by TD
against a target network, and every synchronisation writes the targets back as the stored Q'. So a step that
led to where other episodes went on well is credited for it, though its own episode failed. Plain returns
(`derive.gains`) know only their own episode. Theta is never stored: it is learned again from the cases.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..envs.types import Record
from .features import abstracted, hashed
from .grounding import exchange, ground
from .types import StepCase

Matrix = NDArray[np.float64]


class KernelConfig(Record):
    """How the kernel is learned."""

    discount: float = Field(default=0.95, gt=0, le=1)
    """Gamma."""
    sharpness: float = Field(default=12.0, gt=0)
    """Inverse width of the kernel at the beginning."""
    rate: float = Field(default=0.5, ge=0)
    """Step size on theta."""
    sweeps: int = Field(default=12, ge=1)
    """Passes over the cases."""
    sync: int = Field(default=2, ge=1)
    """Passes between synchronisations of the target network."""
    most: int = Field(default=1500, ge=2)
    """Newest steps that are learned from; older ones keep their returns."""
    neighbours: float = Field(default=0.05, ge=0, lt=1)
    """Weight of a prior of zero in the regression, in kernels at distance zero."""


class KernelQ:
    """Q_EC over one environment's steps.

    Args:
        steps: In the order of the ledger; episodes whole.
        config: How it is learned.
    """

    def __init__(self, steps: Sequence[StepCase], config: KernelConfig | None = None) -> None:
        self.config = config or KernelConfig()
        steps = list(steps)[-self.config.most :]
        self.ids = [case.id for case in steps]
        self._x: Matrix = hashed([case.state for case in steps]).astype(np.float64)
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for row, case in enumerate(steps):
            groups[advice(case)].append(row)
        self._groups = [np.array(rows) for rows in groups.values()]
        self._episode = np.unique([case.episode for case in steps], return_inverse=True)[1]
        following = {(case.episode, case.index): row for row, case in enumerate(steps)}
        self._next = np.array(
            [following.get((case.episode, case.index + 1), -1) for case in steps], np.intp
        )
        self._missing = np.array([case.missing for case in steps])
        gain = np.array([case.gain for case in steps]) * self._missing
        # what is gained from a step on, in score: its reward, and the discounted gain of the next step
        later = (
            np.where(self._next >= 0, gain[np.maximum(self._next, 0)], 0.0) if len(gain) else gain
        )
        self._reward = gain - self.config.discount * later
        self.theta = np.ones(self._x.shape[1])
        self.values = gain.copy()
        """Q' of every step, shape (n,)."""
        self.losses: list[float] = []
        """Mean squared TD error of every pass."""
        self._learn()

    def _kernel(self, left: Matrix) -> Matrix:
        """Return k_theta of rows with all steps, shape (m, n)."""
        a, b = left * self.theta, self._x * self.theta
        distance = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2 * a @ b.T
        found: Matrix = np.exp(-self.config.sharpness * np.maximum(distance, 0.0))
        return found

    def _best(self) -> Matrix:
        """Return max_c Q_EC(s', c; theta) for the state after every step, shape (n,); 0 after the last."""
        best = np.zeros(len(self.values))
        after = np.flatnonzero(self._next >= 0)
        if not len(after):
            return best
        weights = self._kernel(self._x[self._next[after]])
        found = np.full(len(after), -np.inf)
        for rows in self._groups:
            mass = weights[:, rows]
            total = mass.sum(1) + self.config.neighbours
            found = np.maximum(found, mass @ self.values[rows] / total)
        best[after] = found
        return best

    def _learn(self) -> None:
        if len(self.values) < 2:
            return
        best = (
            self._best()
        )  # by the target network: theta as of now, until the next synchronisation
        for number in range(self.config.sweeps):
            wanted = self._reward + self.config.discount * best
            slope = np.zeros_like(self.theta)
            weights = self._kernel(self._x)
            weights[self._episode[:, None] == self._episode[None, :]] = 0.0  # not from itself
            errors = []
            for rows in self._groups:
                mass = weights[np.ix_(rows, rows)]
                total = mass.sum(1) + self.config.neighbours
                answer = mass @ self.values[rows] / total
                known = mass.sum(1) > 1e-6
                error = np.where(known, answer - wanted[rows], 0.0)
                errors.extend(error[known].tolist())
                # d answer_i / d theta = sum_j k_ij (Q'_j - answer_i) / total_i * -2 b theta (x_i - x_j)^2
                pull = error[:, None] * mass * (self.values[rows][None, :] - answer[:, None])
                pull = pull / total[:, None]
                x = self._x[rows]
                spread = (pull.sum(1)[:, None] * x**2).sum(0) + (pull.sum(0)[:, None] * x**2).sum(0)
                spread = spread - 2 * ((pull @ x) * x).sum(0)
                slope += -2 * self.config.sharpness * self.theta * spread
            if errors:
                self.theta = self.theta - self.config.rate * 2 * slope / len(errors)
                self.losses.append(float(np.mean(np.square(errors))))
            if (number + 1) % self.config.sync == 0:
                self.values = np.clip(wanted, -1.0, 1.0)
                best = self._best()

    def gains(self) -> dict[str, float]:
        """Return Q' of every step by its id, rounded so that it is the same on every machine."""
        shares = np.clip(self.values / np.maximum(self._missing, 1e-6), -1.0, 1.0)
        return {i: round(float(v), 4) for i, v in zip(self.ids, shares, strict=True)}


def advice(case: StepCase) -> str:
    """Return what a step did, its task's entities made one word: equal ones are one c of eq. 9."""
    state = case.state
    return exchange(ground(case.action, state.text, state.goal), abstracted(state))
