"""What every way of learning has in common, and the way that learns nothing.

All arms are asked through the agent's own policy with the same prompt; they differ in what changes when they
learn: nothing, the memory, a projection, or (in a copy) the model.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import Field

from ....envs.types import Record
from ....memory.ledger.records import Hits
from ....memory.recall.retriever import RetrieverConfig
from ...acting.policy import PolicyConfig
from ...episode.recollection import NO_HITS
from ...llm.frozen import Frozen
from ...llm.local_llm import LocalLLM
from .off_stream import drift, log_probs
from .stream import GoldDecision, Stream


class LearnConfig(Record):
    """How the arms with gradients learn; the same number of epochs and the same batches for all of them."""

    epochs: int = Field(default=4, ge=1)
    """Passes over the decisions of a stage."""
    batch: int = Field(default=2, ge=1)
    """Decisions of a gradient step."""
    lora_rank: int = Field(default=16, ge=1)
    lora_alpha: int = Field(default=32, ge=1)
    lora_lr: float = Field(default=2e-4, gt=0)
    lora_modules: tuple[str, ...] = ("q_proj", "v_proj")
    samples: int = Field(default=8, ge=1)
    """Actions that `lora-self` samples in each state; those that are the gold one are its targets."""
    thoughts: int = Field(default=4, ge=1)
    """Soft thoughts of `softcot`, in training as in use."""
    soft_lr: float = Field(default=1e-3, gt=0)


@dataclass(frozen=True)
class StreamSetting:
    """What all arms of a run share."""

    llm: Frozen
    stream: Stream
    folder: Path
    """What arms keep goes into folders of their own in it."""
    policy: PolicyConfig
    """Of `expert_policy`."""
    retriever: RetrieverConfig
    embedder: str
    learn: LearnConfig
    seed: int

    def base(self, text: str) -> torch.Tensor:
        """Return how the base model predicts a text; see `off_stream.log_probs`."""
        return log_probs(self.llm.model, self.llm.ids(text))


class StageLearned(Record):
    """What learning one stage took."""

    targets: int
    """Decisions that were learned from."""
    steps: int = 0
    """Gradient steps."""
    tokens: int = 0
    """That went through a model."""
    seconds: float = 0.0
    losses: tuple[float, ...] = ()
    """Mean loss of every epoch, nats a token."""
    note: str = ""


class Drift(Record):
    """KL(base || arm) on off-stream text, nats a token (see `off_stream.drift`)."""

    silent: float
    """As the arm is used there: memory looks in no environment of the stream, and no soft block is put in."""
    forced: float | None = None
    """With what was learned put in anyway: a soft block, or the cases that retrieval finds in the stream's
    environment. None: there is no other way than `silent`."""


def expert_policy(base: PolicyConfig) -> PolicyConfig:
    """Return the policy of all arms: every admissible action is scored, the best is taken."""
    return base.model_copy(
        update={
            "llm": True,
            "context": False,
            "value": False,
            "votes": 1,
        }
    )


class Learner:
    """The frozen LLM alone; the base of the others.

    Args:
        setting: Shared by all arms of a run.
    """

    name = "none"
    says = "frozen LLM alone"
    learns = False

    def __init__(self, setting: StreamSetting) -> None:
        self.setting = setting
        self.stage = 0
        """The last stage that was learned."""

    @property
    def weights(self) -> int:
        """How many numbers gradients change."""
        return 0

    def kept(self, stage: int) -> Path:
        """Return the folder of what a stage left."""
        return self.setting.folder / self.name / f"stage-{stage}"

    def load(self, stage: int) -> None:
        """Be as after a stage that was learned before; 0: as before the first."""
        self.stage = stage

    def learn(self, stage: int) -> StageLearned:
        """Learn stage 1 to T, and keep what it leaves; the stage before it was learned or loaded."""
        raise NotImplementedError(f"{self.name} does not learn")

    def policy(self) -> PolicyConfig:
        """Return the channels of this arm."""
        return self.setting.policy

    def client(self) -> LocalLLM:
        """Return the model as the policy asks it, with nothing cached."""
        llm = self.setting.llm
        return LocalLLM(llm.name, loaded=(llm.model, llm.tokenizer))

    def hits(self, item: GoldDecision) -> Hits:
        """Return what is recalled for a decision."""
        return NO_HITS

    def drift(self) -> Drift:
        """Return how far the arm is from the base model on off-stream text."""
        return Drift(silent=drift(self.setting.base, self.setting.base))

    def close(self) -> None:
        """Free what the arm holds."""
