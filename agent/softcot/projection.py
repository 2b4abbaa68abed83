"""The only thing that learns: a map from the assistant's states to the LLM's embedding space.

float32, however the models are kept: a bfloat16 weight does not move under the small steps of AdamW. Its
output has the norm of a token's embedding, so that the frozen LLM reads it as something it could have read.
"""

from typing import TYPE_CHECKING

import torch
from torch import nn

from .soft_config import ProjectionConfig

if TYPE_CHECKING:
    from ..llm.frozen import Frozen

GAIN = 2.0
"""Largest |log gain|: a soft thought is at most e^2 times as long as a token's embedding."""


class Projection(nn.Module):
    """T_soft = gain * ||E|| * normalise(W (t - mean) / spread + b [+ mlp]); `paper` mode: W t + b.

    Args:
        config: Form, mode, initialisation.
        d_assistant: Size of the assistant's states.
        d_llm: Size of the LLM's embeddings.
        norm: Mean norm of the LLM's token embeddings.
        seed: Of the initial weights.
    """

    mean: torch.Tensor
    spread: torch.Tensor
    norm: torch.Tensor

    def __init__(
        self, config: ProjectionConfig, d_assistant: int, d_llm: int, *, norm: float, seed: int
    ) -> None:
        super().__init__()
        self.config = config
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.linear = nn.Linear(d_assistant, d_llm)
            self.mlp: nn.Sequential | None = None
            if config.kind == "mlp":
                self.mlp = nn.Sequential(
                    nn.Linear(d_assistant, config.hidden),
                    nn.GELU(),
                    nn.Linear(config.hidden, d_llm),
                )
                last = self.mlp[2]
                assert isinstance(last, nn.Linear)
                nn.init.zeros_(last.weight)
                nn.init.zeros_(last.bias)
        self.log_gain = nn.Parameter(torch.zeros(()))
        self.register_buffer("mean", torch.zeros(d_assistant))
        self.register_buffer("spread", torch.ones(()))
        self.register_buffer("norm", torch.tensor(float(norm)))
        if config.mode == "paper":
            self.log_gain.requires_grad_(False)
            self.to(torch.bfloat16)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Return soft thoughts, float32, shape (B, n, d_llm), for states of shape (B, n, d_assistant)."""
        if self.config.mode == "paper":
            out: torch.Tensor = self.linear(states.to(torch.bfloat16))
            return out.float()
        centred = (states - self.mean) / self.spread
        out = self.linear(centred)
        if self.mlp is not None:
            out = out + self.mlp(centred)
        gain = self.norm * self.log_gain.clamp(-GAIN, GAIN).exp()
        return nn.functional.normalize(out, dim=-1) * gain

    def centre(self, states: torch.Tensor) -> None:
        """Take the mean and the spread of the states from a sample; nothing in `paper` mode.

        Placeholders differ by their places only, so the states of different questions lie close together:
        without this the map would spend itself on what they have in common.

        Args:
            states: Shape (m, d_assistant).
        """
        if self.config.mode == "paper":
            return
        self.mean.copy_(states.mean(0))
        self.spread.copy_((states - self.mean).pow(2).mean().sqrt().clamp(min=1e-6))

    @property
    def parameters_count(self) -> int:
        """How many numbers are learned."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)


def embedding_norm(llm: "Frozen") -> float:
    """Return the mean norm of the LLM's token embeddings, as its embedding module gives them."""
    table = llm.model.get_input_embeddings()
    ids = torch.arange(0, table.weight.shape[0], max(1, table.weight.shape[0] // 4096))
    with torch.inference_mode():
        return float(table(ids.to(table.weight.device)).float().norm(dim=-1).mean())


def ridge_start(projection: Projection, assistant: "Frozen", llm: "Frozen", seed: int) -> int:
    """Begin at W = (H'H + lambda I)^-1 H'E over strings that both vocabularies have, and return how many.

    H are the assistant's states of single tokens, E their embeddings in the LLM; both centred.
    """
    config = projection.config
    ours, theirs = assistant.tokenizer.get_vocab(), llm.tokenizer.get_vocab()
    shared = sorted(ours.keys() & theirs.keys())
    order = torch.randperm(len(shared), generator=torch.Generator().manual_seed(seed))
    words = [shared[int(i)] for i in order[: config.words]]
    if not words:
        return 0
    table = llm.model.get_input_embeddings()
    rows: list[torch.Tensor] = []
    with torch.inference_mode():
        for begin in range(0, len(words), 512):
            ids = torch.tensor([[ours[w]] for w in words[begin : begin + 512]])
            body = assistant.model.get_decoder()
            rows.append(
                body(input_ids=ids.to(assistant.model.device)).last_hidden_state[:, 0].float()
            )
        states = torch.cat(rows).cpu()
        ids = torch.tensor([theirs[w] for w in words], device=table.weight.device)
        embeddings = table(ids).float().cpu()
        h = states - states.mean(0)
        e = embeddings - embeddings.mean(0)
        gram = h.T @ h
        gram += config.ridge * gram.diagonal().mean() * torch.eye(len(gram))
        weight = torch.linalg.solve(gram, h.T @ e)
    with torch.no_grad():
        projection.linear.weight.copy_(weight.T * projection.spread)
        projection.linear.bias.copy_(embeddings.mean(0))
    return len(words)
