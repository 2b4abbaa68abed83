"""Dials of SoftCoT, and what it learns from; knows no model."""

from pathlib import Path
from typing import Literal, Protocol

from pydantic import Field

from ...envs.types import Record
from ...memory.recall.retriever import RetrieverConfig
from ..llm.loading import LocalConfig

Mode = Literal["fixed", "paper"]
FOLDER = Path("softcot") / "own"
"""Of the projection that the agent uses, in its store."""


class ProjectionConfig(Record):
    """The map from the assistant's states to the LLM's embedding space."""

    mode: Mode = "fixed"
    """`paper`: bfloat16, no centring, no norm matching, torch's own initialisation (kept for ablation)."""
    kind: Literal["linear", "mlp"] = "linear"
    """`linear` as in the paper; `mlp` adds a hidden layer beside it that begins at zero."""
    hidden: int = Field(default=512, ge=1)
    """Width of the hidden layer."""
    init: Literal["ridge", "random"] = "ridge"
    """Ridge regression on the shared vocabulary, or torch's own."""
    ridge: float = Field(default=1.0, gt=0)
    """Its lambda, relative to the mean eigenvalue of the states' covariance."""
    words: int = Field(default=4096, ge=1)
    """Most shared vocabulary strings that it looks at."""


class TrainConfig(Record):
    """How a projection is trained."""

    n: tuple[int, ...] = (4, 8, 16, 32)
    """Soft thoughts a batch, drawn anew each time: training at one N and thinking with another does not work
    well (xuyige/SoftCoT#13)."""
    n_infer: int = Field(default=4, ge=1)
    """Soft thoughts when it is used."""
    epochs: int = Field(default=10, ge=1)
    batch: int = Field(default=4, ge=1)
    lr: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    warmup: float = Field(default=0.05, ge=0, le=1)
    """Share of the steps over which the learning rate rises; then it falls as a cosine to 0."""
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of a gradient."""
    chains: int = Field(default=1, ge=1)
    """Thought chains of each question (SoftCoT++, arXiv:2505.11484); above 1 the contrastive loss is added."""
    tau: float = Field(default=0.05, gt=0)
    """Temperature of the contrastive loss."""
    dropout: float = Field(default=0.5, ge=0, lt=1)
    """Of the copy that the contrastive loss compares with."""
    prompt_cache: bool = True
    """Keep the key-value cache of each prompt: it does not depend on the projection."""
    save_every: int = Field(default=50, ge=1)
    """Steps between checkpoints to resume from."""

    @classmethod
    def paper(cls) -> "TrainConfig":
        """Return the settings of the official code, for ablation: lr 2e-5; 32 thoughts, 4 in use."""
        return cls(n=(32,), n_infer=4, lr=2e-5, weight_decay=0.0, warmup=0.0)


class HintConfig(Record):
    """When the agent's assistant may think."""

    use: bool = True
    """Let the assistant think for the kinds of task whose gate is open. Measured in
    docs/softcot.md: no gate opened on real tasks."""
    folder: Path | None = None
    """Of the projection with its gate, used as it was measured; None: the store's own, whose gate
    follows the store's memory."""
    chat: bool = False
    """Think in conversations too (plans, free calls). Not measured, so off."""


class Example(Record):
    """One thing to learn from."""

    question: str
    """What the LLM is asked."""
    target: str
    """What it should answer: a rationale with the answer, or the agent's own verified action."""
    seen: str = ""
    """What the assistant reads; the question when empty."""
    form: Literal["chat", "cue"] = "chat"
    """`chat`: a user's message, answered up to the end token. `cue`: a raw prompt whose last line is the cue
    of what follows, as the policy's."""
    family: str = ""
    """Kind of task: a gate is for one family."""
    answer: str = ""
    """The bare answer, where it can be checked by itself."""
    episode: str = ""
    """The episode that it came from; forgetting that takes the projection too."""
    saw: tuple[str, ...] = ()
    """Episodes of the cases in its prompt; forgetting one of them takes the projection too."""
    task: str = ""
    """The task that it came from: what is held out shares none with what was learned from, and its decisions
    are no independent evidence."""

    @property
    def assistant_sees(self) -> str:
        """What the assistant reads."""
        return self.seen or self.question


class SoftSettings(Protocol):
    """What soft thoughts need to know of an agent's settings (`AgentConfig` has it all)."""

    @property
    def store(self) -> Path:
        """Folder of the memory."""
        ...

    @property
    def embedder(self) -> str:
        """Of tasks' texts."""
        ...

    @property
    def index_url(self) -> str | None:
        """Of a Chroma server."""
        ...

    @property
    def retriever(self) -> RetrieverConfig:
        """Dials of the reads."""
        ...

    @property
    def softcot(self) -> HintConfig:
        """When the assistant may think."""
        ...

    @property
    def local(self) -> LocalConfig:
        """How a local model is run."""
        ...

    @property
    def seed(self) -> int:
        """Of every random choice."""
        ...


def may_think(config: HintConfig, store: Path) -> bool:
    """Return whether there is a projection that could think: only then torch is loaded for it."""
    return config.use and (config.folder or store / FOLDER).is_dir()
