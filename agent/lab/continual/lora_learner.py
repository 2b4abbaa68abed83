"""The arms `lora-gold` and `lora-self`: LoRA adapters (Hu et al. 2021, arXiv:2106.09685) in a copy of the LLM.

The rival that changes the model. It is fine-tuned on stage after stage with nothing to hold it back; its
base weights are hashed before and after, so that all that is learned is in the adapter.
"""

import asyncio
import copy
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from ....envs.errors import BadFile, MissingExtra
from ....memory.ledger.whole_file import whole
from ...llm.errors import check_fingerprint
from ...llm.frozen import Frozen
from ...llm.loading import tensors_hash
from ...llm.local_llm import LocalLLM
from ...llm.slots import Prompt
from ...llm.soft_reader import Row, SoftReader
from ...softcot.train import batch_rows, rate
from .learner import Drift, LearnConfig, Learner, StageLearned, StreamSetting
from .off_stream import drift, log_probs
from .stream import GoldDecision

WEIGHTS = "adapter.safetensors"
WARMUP = 0.05
"""Share of the steps over which the learning rate rises, as for a projection."""
CLIP = 1.0
"""Largest norm of a gradient, as for a projection."""


def require_peft() -> None:
    """Raise MissingExtra where peft is not installed."""
    if find_spec("peft") is None:
        raise MissingExtra("the arm 'lora'", "lora", "peft")


class Adapted:
    """A copy of a frozen LLM with one adapter in it.

    Args:
        llm: Copied; it stays as it is.
        dials: Rank, alpha, modules, learning rate.
        seed: Of the adapter's first weights and of the order of training.

    Raises:
        MissingExtra: peft is not installed.
    """

    def __init__(self, llm: Frozen, dials: LearnConfig, *, seed: int) -> None:
        require_peft()
        from peft import LoraConfig, inject_adapter_in_model

        self.dials, self.seed = dials, seed
        self._base = llm.identity().weights
        model = copy.deepcopy(llm.model)
        form = LoraConfig(
            r=dials.lora_rank,
            lora_alpha=dials.lora_alpha,
            lora_dropout=0.0,
            target_modules=list(dials.lora_modules),
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            inject_adapter_in_model(form, model)
        self.llm = replace(llm, model=model.eval(), _identity=None)
        self.learned: dict[str, torch.nn.Parameter] = {
            name: p for name, p in model.named_parameters() if p.requires_grad
        }
        self._first = self.adapter()

    @property
    def weights(self) -> int:
        """How many numbers gradients change."""
        return sum(p.numel() for p in self.learned.values())

    def adapter(self) -> dict[str, torch.Tensor]:
        """Return a copy of the adapter's weights by name."""
        return {name: p.detach().clone().contiguous() for name, p in self.learned.items()}

    def take(self, adapter: dict[str, torch.Tensor] | None) -> None:
        """Take the weights of an adapter; None: those it began with."""
        with torch.no_grad():
            for name, value in (self._first if adapter is None else adapter).items():
                self.learned[name].copy_(value)

    def base_hash(self) -> str:
        """Return the hash of everything but the adapter, comparable with that of the model copied."""
        own = self.llm.model.state_dict()
        rest = {
            name.replace(".base_layer", ""): tensor
            for name, tensor in own.items()
            if ".lora_" not in name
        }
        return tensors_hash(rest)

    def train(self, items: Sequence[GoldDecision]) -> StageLearned:
        """Fine-tune on decisions, loss on the tokens of the action only.

        Args:
            items: What to learn from, at least one.

        Raises:
            FingerprintChanged: A base weight moved.
        """
        clock = time.perf_counter()
        reader = SoftReader(self.llm)
        rows = [_row(self.llm, item) for item in items]
        optimizer = torch.optim.AdamW(
            self.learned.values(), lr=self.dials.lora_lr, weight_decay=0.0
        )
        an_epoch = -(-len(rows) // self.dials.batch)
        losses = []
        for done in range(steps := an_epoch * self.dials.epochs):
            batch = [rows[i] for i in batch_rows(len(rows), self.dials.batch, done, seed=self.seed)]
            for group in optimizer.param_groups:
                group["lr"] = self.dials.lora_lr * rate(done, steps, WARMUP)
            optimizer.zero_grad()
            loss = reader.loss(batch, torch.zeros(len(batch), 0, self.llm.d))
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.learned.values(), CLIP)
            optimizer.step()
            losses.append(float(loss.detach()))
        optimizer.zero_grad()
        check_fingerprint(self._base, self.base_hash())
        return StageLearned(
            targets=len(items),
            steps=steps,
            tokens=reader.tokens,
            seconds=time.perf_counter() - clock,
            losses=tuple(float(x) for x in np.reshape(losses, (-1, an_epoch)).mean(1)),
        )


class LoraLearner(Learner):
    """LoRA on the gold actions.

    Args:
        setting: Shared by all arms of a run.
    """

    name = "lora-gold"
    says = "LoRA on gold actions"
    learns = True

    def __init__(self, setting: StreamSetting) -> None:
        super().__init__(setting)
        self.adapted = Adapted(setting.llm, setting.learn, seed=setting.seed)

    @property
    def weights(self) -> int:
        """How many numbers gradients change."""
        return self.adapted.weights

    def load(self, stage: int) -> None:
        """Take the adapter of a stage; the untrained one before the first.

        Raises:
            BadFile: It is missing or damaged.
        """
        super().load(stage)
        if not stage:
            self.adapted.take(None)
            return
        path = self.kept(stage) / WEIGHTS
        try:
            self.adapted.take(load_file(path))
        except Exception as error:  # safetensors raises a class of its own
            raise BadFile(
                f"{path} is missing or damaged: {str(error).splitlines()[0]}",
                hint="Begin anew with --fresh.",
            ) from error

    def learn(self, stage: int) -> StageLearned:
        """Go on fine-tuning the adapter on the decisions of a stage."""
        found = self.teach(self.setting.stream.learning[stage - 1], stage)
        self.stage = stage
        folder = self.kept(stage)
        folder.mkdir(parents=True, exist_ok=True)
        whole(folder / WEIGHTS, lambda path: save_file(self.adapted.adapter(), path))
        return found

    def teach(self, items: Sequence[GoldDecision], stage: int) -> StageLearned:
        """Fine-tune on a stage's decisions."""
        return self.adapted.train(items)

    def client(self) -> LocalLLM:
        """Return the copy with its adapter."""
        return LocalLLM(self.name, loaded=(self.adapted.llm.model, self.adapted.llm.tokenizer))

    def drift(self) -> Drift:
        """Measure the copy with its adapter: it has no gate that could keep it silent."""
        llm = self.adapted.llm
        return Drift(
            silent=drift(self.setting.base, lambda text: log_probs(llm.model, llm.ids(text)))
        )


class SelfLoraLearner(LoraLearner):
    """LoRA on what the frozen model itself generates and the expert confirms."""

    name = "lora-self"
    says = "LoRA on the model's own actions that are right"

    def teach(self, items: Sequence[GoldDecision], stage: int) -> StageLearned:
        """Sample actions of the frozen model in each state, and fine-tune on those that are the gold one."""
        clock = time.perf_counter()
        own, tokens = asyncio.run(self._own(items, stage))
        spent = time.perf_counter() - clock
        note = (
            f"{len(own)} of {len(items)} states are right in {self.setting.learn.samples} samples"
        )
        if not own:
            note += ": nothing was trained"
            return StageLearned(targets=0, tokens=tokens, seconds=spent, note=note)
        found = self.adapted.train(own)
        changed: dict[str, Any] = {
            "tokens": found.tokens + tokens,
            "seconds": found.seconds + spent,
            "note": note,
        }
        return found.model_copy(update=changed)

    async def _own(
        self, items: Sequence[GoldDecision], stage: int
    ) -> tuple[list[GoldDecision], int]:
        """Return the items whose gold action is among the samples, and the tokens of sampling."""
        client = Learner.client(self)  # the frozen model, not the copy
        rng = np.random.default_rng([self.setting.seed, stage])
        found = []
        for item in items:
            offered = list(item.seen.admissible or ())
            scores = await client.choose(item.prompt, [f" {action}\n" for action in offered])
            chances = np.exp(scores - scores.max())
            drawn = rng.choice(len(offered), self.setting.learn.samples, p=chances / chances.sum())
            if offered.index(item.gold) in drawn:
                found.append(item)
        return found, client.usage.tokens_in


def _row(llm: Frozen, item: GoldDecision) -> Row:
    """Return a decision as prompt and target ids, the same that the policy asks and offers."""
    ids = tuple(llm.ids(item.prompt))
    return Row(Prompt(ids, len(ids), 0), tuple(llm.ids(item.target)))
