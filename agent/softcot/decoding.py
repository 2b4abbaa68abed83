"""Many answers at once: prompts with and without soft thoughts, padded on the left, decoded together."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from ..llm.sampling import pick
from ..llm.slots import Prompt
from ..llm.soft_reader import SoftReader


class Asked(NamedTuple):
    """One prompt to be answered."""

    prompt: Prompt
    soft: torch.Tensor
    """Shape (n, d); (0, d) for the LLM alone."""
    temperature: float = 0.0
    """0 takes the likeliest token."""
    seed: int = 0
    """Of the sampling; a row's answer does not depend on what stands beside it."""


def answer_all(reader: SoftReader, asked: Sequence[Asked], *, max_tokens: int) -> list[str]:
    """Return the answers to a batch of prompts.

    Args:
        reader: The frozen LLM; its count of tokens goes up by what was read and written.
        asked: B prompts.
        max_tokens: Most tokens of an answer.
    """
    from transformers import DynamicCache

    if not asked:
        return []
    llm = reader.llm
    model, device = llm.model, llm.model.device
    longest = max(len(one.prompt.ids) for one in asked)
    random = [torch.Generator().manual_seed(one.seed) for one in asked]
    made: list[list[int]] = [[] for _ in asked]
    going = [True] * len(asked)
    with torch.inference_mode():
        rows, mask = [], torch.zeros(len(asked), longest, dtype=torch.long, device=device)
        for number, one in enumerate(asked):
            here = reader.embed(one.prompt.ids, one.soft)
            rows.append(torch.nn.functional.pad(here, (0, 0, longest - len(here), 0)))
            mask[number, longest - len(here) :] = 1
        places = (mask.cumsum(1) - 1).clamp(min=0)
        given: dict[str, Any] = {"inputs_embeds": torch.stack(rows)}
        cache = DynamicCache()
        for _ in range(max_tokens):
            out = model(
                **given,
                attention_mask=mask,
                position_ids=places,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            picked = _pick(out.logits[:, -1], asked, random)
            for number, token in enumerate(picked):
                going[number] = going[number] and token not in llm.ends
                if going[number]:
                    made[number].append(token)
            if not any(going):
                break
            given = {"input_ids": torch.tensor(picked, device=device)[:, None]}
            mask = torch.cat([mask, mask.new_ones(len(asked), 1)], dim=1)
            places = places[:, -1:] + 1
    reader.tokens += sum(len(one.prompt.ids) for one in asked) + sum(map(len, made))
    return [llm.tokenizer.decode(tokens, skip_special_tokens=True) for tokens in made]


def _pick(
    logits: torch.Tensor, asked: Sequence[Asked], random: Sequence[torch.Generator]
) -> list[int]:
    found: list[int] = logits.argmax(-1).tolist()
    for number, one in enumerate(asked):
        if one.temperature > 0:
            found[number] = pick(logits[number].float().cpu(), one.temperature, random[number])
    return found
