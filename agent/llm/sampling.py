"""The next token: the likeliest, or a draw from a seeded generator."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def pick(logits: "torch.Tensor", temperature: float, random: "torch.Generator") -> int:
    """Return the token to go on with.

    Args:
        logits: Of one place, float32, on the CPU, shape (V,).
        temperature: 0 takes the likeliest.
        random: Draws; untouched at temperature 0.
    """
    import torch

    if temperature <= 0:
        return int(logits.argmax())
    weights = torch.softmax(logits / temperature, dim=-1)
    return int(torch.multinomial(weights, 1, generator=random))
