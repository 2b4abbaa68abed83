"""Training of a projection: the only weights in Lichen that gradients reach.

Every random choice of a step comes from the seed and the step's number, so training that was killed goes on
as if it had not been.
"""

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...envs.errors import UsageError
from ..llm.errors import check_fingerprint
from ..llm.frozen import Frozen
from ..llm.loading import tensors_hash
from ..llm.soft_reader import SoftReader
from .checkpoint import TRAINING, Card, load_training, question_hash, save, save_training
from .contrastive import contrastive_loss
from .errors import WrongModels
from .example_rows import row_of
from .projection import Projection, embedding_norm, ridge_start
from .soft_assistant import SoftAssistant
from .soft_config import Example, ProjectionConfig, TrainConfig

CENTRE = 64
"""Most questions whose states are looked at to centre them."""
Told = Callable[[int, int, float], None]
"""Told of the steps done, of all steps, and of the loss."""


class Trainer:
    """Trains one projection between two frozen models.

    Args:
        assistant: Encodes questions.
        llm: Reads soft thoughts.
        examples: What to learn from, at least one.
        held_out: Examples whose loss is measured after every epoch; none of them is learned from.
        projection: Its form.
        config: How.
        seed: Of the initial weights, the order, the numbers of thoughts.
        start: A trained projection of the same form to go on from, in the place of initial weights.

    Raises:
        UsageError: There is nothing to learn from.
    """

    def __init__(
        self,
        assistant: SoftAssistant,
        llm: Frozen,
        examples: Sequence[Example],
        *,
        held_out: Sequence[Example] = (),
        projection: ProjectionConfig | None = None,
        config: TrainConfig | None = None,
        seed: int = 0,
        start: Projection | None = None,
    ) -> None:
        if not examples:
            raise UsageError(
                "there is no example to train a projection from",
                hint="Learn first (`lichen run SUITE -n 20`): the agent's own successes are the examples.",
            )
        self.assistant, self.llm, self.seed = assistant, llm, seed
        self.config = config or TrainConfig()
        self.examples, self.held_out = list(examples), list(held_out)
        # what stands before the soft block is the same for every n
        kept = len(examples) + len(held_out)
        self.reader = SoftReader(llm, keep=kept if self.config.prompt_cache else 0)
        form = projection or ProjectionConfig()
        self.projection = Projection(
            form, assistant.frozen.d, llm.d, norm=embedding_norm(llm), seed=seed
        )
        self.start = ""
        if start is not None:
            self.projection.load_state_dict(start.state_dict())
            self.start = tensors_hash(start.state_dict())
        elif form.mode == "fixed":
            n = max(self.config.n)
            sample = [e.assistant_sees for e in self.examples[:CENTRE]]
            self.projection.centre(self.assistant.states(sample, n).flatten(0, 1))
            if form.init == "ridge":
                ridge_start(self.projection, assistant.frozen, llm, seed)
        learned = [p for p in self.projection.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            learned, lr=self.config.lr, weight_decay=self.config.weight_decay
        )
        self.a_epoch = math.ceil(len(self.examples) / self.config.batch)
        self.steps = self.a_epoch * self.config.epochs
        self.done = 0
        self.losses: list[float] = []
        self.held_losses: list[float] = []
        self.tokens, self.seconds = 0, 0.0

    def card(self) -> Card:
        """Return what the projection is, as it is now."""
        return Card(
            assistant=self.assistant.frozen.identity(),
            llm=self.llm.identity(),
            projection=self.projection.config,
            train=self.config,
            seed=self.seed,
            start=self.start,
            examples=examples_hash(self.examples),
            families=tuple(sorted({e.family for e in self.examples if e.family})),
            episodes=tuple(
                sorted({name for e in self.examples for name in (e.episode, *e.saw)} - {""})
            ),
            tasks=tuple(sorted({e.task for e in self.examples if e.task})),
            asked=tuple(sorted({question_hash(e) for e in self.examples})),
            steps=self.done,
            tokens=self.tokens,
            seconds=round(self.seconds, 3),
            losses=self._epochs(),
            held_out=tuple(self.held_losses),
        )

    def run(self, folder: Path | None = None, told: Told | None = None) -> Card:
        """Train to the end, from where an interrupted training in the folder stopped.

        Args:
            folder: Where checkpoints and the result go; None keeps it in memory.
            told: Told of every step.

        Raises:
            BadFile: The checkpoint is damaged.
            WrongModels: It is of another training.
            FingerprintChanged: One of the two models was not the same afterwards; nothing is saved.
        """
        frozen = (self.assistant.frozen, self.llm)
        before = [model.identity() for model in frozen]
        if folder is not None:
            self._resume(folder)
        while self.done < self.steps:
            loss = self.step()
            if told is not None:
                told(self.done, self.steps, loss)
            if self.done % self.a_epoch == 0 and self.held_out:
                self.held_losses.append(self.held_loss())
            if folder is not None and self.done % self.config.save_every == 0:
                save_training(folder, self._state(), self.card().episodes)
        for model, was in zip(frozen, before, strict=True):
            check_fingerprint(was.weights, model.identity(again=True).weights)
        card = self.card()
        if folder is not None:
            save(folder, self.projection, card)
            (folder / TRAINING).unlink(missing_ok=True)
        return card

    def step(self) -> float:
        """Make one step and return its loss, nats a token."""
        clock = time.perf_counter()
        before = self.reader.tokens
        rng = np.random.default_rng([self.seed, self.done])
        n = int(rng.choice(self.config.n))
        batch = self._batch()
        rows = [row_of(self.reader, example, n) for example in batch]
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr * rate(
                self.done,
                self.steps,
                self.config.warmup,
                line=self.projection.config.mode == "paper",
            )
        self.optimizer.zero_grad()
        soft = self._thoughts(batch, n)  # (S, B, n, d)
        total = 0.0
        leaves = soft.detach().requires_grad_()
        for chain in leaves:  # one chain at a time: the LLM's graph is the large one
            loss = self.reader.loss(rows, chain)
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach()) / len(leaves)
        outer = soft if self.config.chains > 1 else None
        if outer is not None:
            random = torch.Generator().manual_seed(int(rng.integers(2**31)))
            contrast = contrastive_loss(
                outer, tau=self.config.tau, dropout=self.config.dropout, random=random
            )
            contrast.backward(retain_graph=True)  # type: ignore[no-untyped-call]
        soft.backward(leaves.grad)  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.projection.parameters(), self.config.clip)
        self.optimizer.step()
        self.done += 1
        self.losses.append(total)
        self.tokens += self.reader.tokens - before
        self.seconds += time.perf_counter() - clock
        return total

    def held_loss(self) -> float:
        """Return the loss on the held-out examples at `n_infer` thoughts, nats a token."""
        total, count = 0.0, 0
        for example in self.held_out:
            row = row_of(self.reader, example, self.config.n_infer)
            with torch.no_grad():
                soft = self._thoughts([example], self.config.n_infer)[0]
            total -= float(self.reader.log_likelihoods([row], soft).sum())
            count += len(row.target)
        return total / count

    def _thoughts(self, batch: Sequence[Example], n: int) -> torch.Tensor:
        seen = [example.assistant_sees for example in batch]
        chains = range(self.config.chains)
        return torch.stack(
            [self.projection(self.assistant.states(seen, n, chain=chain)) for chain in chains]
        )

    def _batch(self) -> list[Example]:
        rows = batch_rows(len(self.examples), self.config.batch, self.done, seed=self.seed)
        return [self.examples[row] for row in rows]

    def _epochs(self) -> tuple[float, ...]:
        ends = range(self.a_epoch, len(self.losses) + 1, self.a_epoch)
        return tuple(float(np.mean(self.losses[end - self.a_epoch : end])) for end in ends)

    def _state(self) -> dict[str, Any]:
        return {
            "what": self._what(),
            "projection": self.projection.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "done": self.done,
            "losses": self.losses,
            "held_out": self.held_losses,
            "tokens": self.tokens,
            "seconds": self.seconds,
        }

    def _what(self) -> str:
        """Return what must be equal for a checkpoint to be of this training."""
        hidden = {"steps", "tokens", "seconds", "losses", "held_out"}
        return self.card().model_dump_json(exclude=hidden)

    def _resume(self, folder: Path) -> None:
        state = load_training(folder)
        if state is None:
            return
        if state["what"] != self._what():
            raise WrongModels(
                f"{folder} holds an interrupted training with other models, examples or settings",
                hint="Say --fresh to begin anew, or name another folder.",
            )
        self.projection.load_state_dict(state["projection"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.done, self.losses = state["done"], list(state["losses"])
        self.held_losses = list(state["held_out"])
        self.tokens, self.seconds = state["tokens"], state["seconds"]


def batch_rows(examples: int, batch: int, done: int, *, seed: int) -> list[int]:
    """Return which examples the step after `done` steps learns from: every epoch has an order of its own."""
    epoch, number = divmod(done, math.ceil(examples / batch))
    order = np.random.default_rng([seed, epoch, 1]).permutation(examples)
    return [int(row) for row in order[number * batch : (number + 1) * batch]]


def rate(done: int, steps: int, warmup: float, *, line: bool = False) -> float:
    """Return the share of the learning rate after `done` steps: linear up, then a cosine (or a line) down."""
    warm = warmup * steps
    if done < warm:
        return (done + 1) / (warm + 1)
    left = (done - warm) / max(1.0, steps - warm)
    return 1.0 - left if line else 0.5 * (1 + math.cos(math.pi * left))


def examples_hash(examples: Sequence[Example]) -> str:
    """Return a SHA-256 over the examples in their order; their tasks are no part of what is learned."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(example.model_dump_json(exclude={"task"}).encode() + b"\0")
    return digest.hexdigest()
