"""The contrastive loss that keeps thought chains apart (SoftCoT++, arXiv:2505.11484)."""

import torch


def contrastive_loss(
    thoughts: torch.Tensor, *, tau: float, dropout: float, random: torch.Generator
) -> torch.Tensor:
    """Return L_CL = -1/S sum_s log( exp(cos(T_s, T~_s)/tau) / sum_j exp(cos(T_s, T~_j)/tau) ), mean over B.

    T~ is T with dropout, each T flattened over its thoughts.

    Args:
        thoughts: Shape (S, B, n, d): S chains of B questions.
        tau: Temperature.
        dropout: Share of the numbers that the copy loses.
        random: Draws them.

    Returns:
        A scalar; log S when all chains are alike.
    """
    flat = thoughts.flatten(2).transpose(0, 1)  # (B, S, n d)
    keep = torch.rand(flat.shape, generator=random) >= dropout
    copy = torch.nn.functional.normalize(flat * keep / (1 - dropout), dim=-1)
    cosines = torch.nn.functional.normalize(flat, dim=-1) @ copy.transpose(1, 2)  # (B, S, S)
    right = torch.arange(flat.shape[1]).expand(flat.shape[0], -1)
    return torch.nn.functional.cross_entropy((cosines / tau).flatten(0, 1), right.flatten())
