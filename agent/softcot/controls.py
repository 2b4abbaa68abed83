"""What soft thoughts are measured against: as many vectors of the same norms that say nothing."""

from typing import Literal

import torch

Control = Literal["random", "mean", "swapped"]
CONTROLS: tuple[Control, ...] = ("random", "mean", "swapped")


def control(kind: Control, soft: torch.Tensor, *, seed: int) -> torch.Tensor:
    """Return other thoughts in the place of these.

    Args:
        kind: `random` directions; the `mean` over all questions; `swapped`: those of another question.
        soft: Of all questions of one kind of task, shape (m, n, d).
        seed: Of the directions, or of the exchange, which leaves no question its own.

    Returns:
        Shape (m, n, d); every vector has the norm of the one in whose place it stands.
    """
    random = torch.Generator().manual_seed(seed)
    if kind == "random":
        other = torch.randn(soft.shape, generator=random, dtype=torch.float32)
    elif kind == "mean":
        other = soft.mean(0, keepdim=True).expand_as(soft)
    else:
        order = torch.randperm(len(soft), generator=random)
        other = torch.empty_like(soft)
        other[order] = soft[order.roll(1)]
    found: torch.Tensor = torch.nn.functional.normalize(other, dim=-1) * soft.norm(
        dim=-1, keepdim=True
    )
    return found
