"""How far one model's predictions are from another's: KL over the whole vocabulary, token by token."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def divergence(base: "torch.Tensor", other: "torch.Tensor") -> "torch.Tensor":
    """Return KL(base || other) of each token over the whole vocabulary, nats; exactly 0 for equal ones.

    Args:
        base: Log-probabilities, shape (n, V).
        other: Of the same tokens.

    Returns:
        float64, shape (n,).
    """
    p, q = base.double(), other.double()
    return (p.exp() * (p - q)).sum(-1)
