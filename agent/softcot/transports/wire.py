"""Vectors as text, in the form that vLLM reads: base64 of `torch.save` of a dense 2-D tensor."""

import base64
import binascii
import io

import torch

from ....envs.errors import UsageError


def encoded(vectors: torch.Tensor) -> str:
    """Return vectors of shape (n, d) as base64 of what `torch.save` writes."""
    buffer = io.BytesIO()
    torch.save(vectors.detach().cpu().contiguous(), buffer)
    return base64.b64encode(buffer.getvalue()).decode()


def decoded(text: str, d: int) -> torch.Tensor:
    """Return the vectors of `encoded`, with the checks that vLLM makes.

    Args:
        text: base64.
        d: Size that each vector must have.

    Raises:
        UsageError: It is no base64, no tensor, not dense, not (n, d), or not of a float type.
    """
    try:
        found = torch.load(io.BytesIO(base64.b64decode(text, validate=True)), weights_only=True)
    except (binascii.Error, RuntimeError, EOFError, ValueError, OSError) as error:
        raise UsageError("the prompt embeddings are no base64 of a saved tensor") from error
    except Exception as error:  # the unpickler refuses what is no tensor with classes of its own
        raise UsageError("the prompt embeddings hold something else than a tensor") from error
    if not isinstance(found, torch.Tensor) or found.layout != torch.strided:
        raise UsageError("the prompt embeddings are no dense tensor")
    if found.dim() == 3 and found.shape[0] == 1:
        found = found[0]
    if found.dim() != 2 or found.shape[1] != d:
        raise UsageError(f"the prompt embeddings have the shape {tuple(found.shape)}, not (n, {d})")
    if not found.is_floating_point():
        raise UsageError("the prompt embeddings are no floating point numbers")
    return found
