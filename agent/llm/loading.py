"""Loading a local model through transformers, frozen, and hashing its weights."""

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

from ...envs.types import Record
from ...memory.likeness.threads import free_threads, wait_passively
from .catalog import is_converted
from .errors import ModelNotFound
from .quiet import quiet_transformers


class LocalConfig(Record):
    """How a local model is run."""

    dtype: Literal["float32", "bfloat16"] = "float32"
    """float32 is exact; bfloat16 was 1.6 times faster on a CPU with AVX512-BF16."""
    device: str = "cpu"


def load(where: str, config: LocalConfig) -> tuple[Any, Any]:
    """Return a frozen model in evaluation mode, and its tokenizer.

    Raises:
        ModelNotFound: Nothing loads from `where` (see `catalog.locate`).
    """
    wait_passively()
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(free_threads())
    try:
        with quiet_transformers():
            tokenizer = _tokenizer(where)
            model: Any = AutoModelForCausalLM.from_pretrained(
                where, dtype=getattr(torch, config.dtype), attn_implementation="sdpa"
            )
    except (OSError, ValueError) as error:
        raise ModelNotFound(
            f"the model {where!r} cannot be loaded: {str(error).splitlines()[0]}",
            hint="Give a folder that is on this machine, or check the hub id and the network.",
        ) from error
    model.to(config.device).eval().requires_grad_(False)
    return model, tokenizer


def _tokenizer(where: str) -> Any:
    if is_converted(where):  # a plain tokenizer.json: the automatic way takes two seconds more
        from transformers import PreTrainedTokenizerFast

        return PreTrainedTokenizerFast.from_pretrained(where)
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(where)


def weights_hash(model: Any) -> str:
    """Return a SHA-256 over every parameter and buffer of a model as it is in memory."""
    return tensors_hash(model.state_dict())


def tensors_hash(named: Mapping[str, Any]) -> str:
    """Return the same SHA-256 over tensors by their names in a model."""
    return str(weights_digest(named).hexdigest())


def weights_digest(named: Mapping[str, Any]) -> Any:
    """Return the running digest of that hash, to which more can be added."""
    digest = hashlib.sha256()
    for name, tensor in sorted(named.items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(_bytes(tensor))
    return digest


def _bytes(tensor: Any) -> bytes:
    import torch

    flat = tensor.detach().cpu().contiguous().view(-1)
    return bytes(flat.view(torch.uint8).numpy().data) if flat.numel() else b""
