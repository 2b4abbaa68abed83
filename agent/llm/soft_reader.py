"""The frozen LLM as a reader of soft thoughts: its loss and its answers, given vectors at the placeholders.

Gradients reach the vectors and nothing else. What stands before the soft block does not depend on it, so its
key-value cache is computed once a prompt and the rest is the soft block and the answer.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .frozen import Frozen
from .sampling import pick
from .slots import Prompt, locate, marks_of

IGNORED = -100
"""Label of a token that carries no loss."""
Layers = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of every layer, each (heads, tokens, d_head)."""


@dataclass(frozen=True)
class Row:
    """A prompt and the ids that should follow it, with the end of the answer."""

    prompt: Prompt
    target: tuple[int, ...]


class SoftReader:
    """Reads.

    Args:
        llm: The frozen model.
        keep: How many prompts' key-value caches are kept; 0 computes every prompt anew, in one pass with
            the rest.
    """

    def __init__(self, llm: Frozen, *, keep: int = 0) -> None:
        self.llm = llm
        self.marks = marks_of(llm.tokenizer)
        self._keep = keep
        self._prefixes: OrderedDict[tuple[int, ...], Layers] = OrderedDict()
        self.tokens = 0
        """Tokens that went through the model."""

    def row(self, prompt: Prompt, answer: str) -> Row:
        """Return a row whose target is the answer and the model's end token."""
        return Row(prompt, (*self.llm.ids(answer), self.llm.ends[0]))

    def embed(self, ids: Sequence[int], soft: torch.Tensor) -> torch.Tensor:
        """Return the embeddings of ids with the placeholders' replaced, out of place.

        Args:
            ids: With as many placeholders as `soft` has rows.
            soft: Shape (n, d).

        Returns:
            Shape (len(ids), d), of the model's dtype.

        Raises:
            SlotError: The placeholders are not n in a row.
        """
        model = self.llm.model
        table = model.get_input_embeddings()
        words: torch.Tensor = table(torch.tensor(ids, device=model.device))
        n = soft.shape[0]
        if n == 0:
            return words
        start = locate(ids, self.marks.placeholders[0], n)
        return torch.cat([words[:start], soft.to(words), words[start + n :]])

    def loss(self, rows: Sequence[Row], soft: torch.Tensor) -> torch.Tensor:
        """Return the mean negative log-likelihood of the targets' tokens, ends included (SoftCoT's L).

        Args:
            rows: B prompts of equally many placeholders.
            soft: Shape (B, n, d); gradients flow into it.

        Returns:
            A scalar, natural log, mean over all target tokens of the batch.
        """
        logits, labels = self._teacher(rows, soft)
        flat = logits.flatten(0, 1).float()
        return torch.nn.functional.cross_entropy(flat, labels.flatten(), ignore_index=IGNORED)

    def log_likelihoods(self, rows: Sequence[Row], soft: torch.Tensor) -> torch.Tensor:
        """Return log p(target | prompt, soft) of every row, natural log, shape (B,)."""
        with torch.no_grad():
            logits, labels = self._teacher(rows, soft)
            table = torch.log_softmax(logits.float(), dim=-1)
            picked = table.gather(-1, labels.clamp(min=0)[..., None])[..., 0]
            return (picked * (labels != IGNORED)).sum(-1).cpu()

    def distributions(self, row: Row, soft: torch.Tensor) -> torch.Tensor:
        """Return log p of the whole vocabulary at every token of the target, natural log.

        Args:
            row: A prompt and what follows it.
            soft: Shape (n, d).

        Returns:
            float32, on the CPU, shape (len(row.target), vocabulary).
        """
        with torch.no_grad():
            logits, _ = self._teacher([row], soft[None])
            return torch.log_softmax(logits[0].float(), dim=-1).cpu()

    def _teacher(
        self, rows: Sequence[Row], soft: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (B, T, V) that predict labels (B, T)."""
        model = self.llm.model
        cached = [self._prefix(row.prompt) for row in rows] if self._keep else []
        ids = [
            [*(row.prompt.suffix if cached else row.prompt.ids), *row.target[:-1]] for row in rows
        ]
        before = [len(row.prompt.prefix) if cached else 0 for row in rows]
        longest, deepest = max(map(len, ids)), max(before)
        width = max(map(lambda row: len(row.target), rows))
        device, dtype = model.device, model.dtype
        # the right is padded here and the left of the cache, so that suffixes begin together
        embeddings = torch.zeros(len(rows), longest, self.llm.d, dtype=dtype, device=device)
        mask = torch.zeros(len(rows), deepest + longest, dtype=torch.long, device=device)
        places = torch.zeros(len(rows), longest, dtype=torch.long, device=device)
        where = torch.zeros(len(rows), width, dtype=torch.long, device=device)
        labels = torch.full((len(rows), width), IGNORED, device=device)
        parts = []
        for i, (row, own) in enumerate(zip(rows, ids, strict=True)):
            here = self.embed(own, soft[i, : row.prompt.n])
            pad = embeddings.new_zeros(longest - len(own), self.llm.d)
            parts.append(torch.cat([here.to(dtype), pad]))
            mask[i, deepest - before[i] : deepest + len(own)] = 1
            places[i, : len(own)] = torch.arange(before[i], before[i] + len(own))
            first = len(own) - len(row.target)  # this token predicts the target's first
            where[i, : len(row.target)] = torch.arange(first, len(own))
            labels[i, : len(row.target)] = torch.tensor(row.target)
        low, high = int(where[labels != IGNORED].min()), int(where.max())
        out = model(
            inputs_embeds=torch.stack(parts),
            attention_mask=mask,
            position_ids=places,
            past_key_values=self._batched(cached, deepest) if cached else None,
            use_cache=bool(cached),
            logits_to_keep=torch.arange(low, high + 1, device=device),
        )
        self.tokens += int(sum(map(len, ids)))
        rows_of = torch.arange(len(rows), device=device)[:, None]
        return out.logits[rows_of, (where - low).clamp(min=0)], labels

    def keep_prefix(self, prompt: Prompt) -> None:
        """Compute the key-value cache of a prompt now, where such caches are kept."""
        if self._keep:
            self._prefix(prompt)

    def _prefix(self, prompt: Prompt) -> Layers:
        ids = prompt.prefix
        if ids not in self._prefixes:
            cache = self._run_prefix(ids)
            self._prefixes[ids] = [(k[0], v[0]) for k, v in _layers(cache)]
            while len(self._prefixes) > self._keep:
                self._prefixes.popitem(last=False)
        self._prefixes.move_to_end(ids)
        return self._prefixes[ids]

    def _run_prefix(self, ids: Sequence[int]) -> Any:
        from transformers import DynamicCache

        cache = DynamicCache()
        model = self.llm.model
        with torch.no_grad():  # not inference mode: the keys enter a pass that has gradients
            model(
                input_ids=torch.tensor([list(ids)], device=model.device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
        self.tokens += len(ids)
        return cache

    def _batched(self, cached: Sequence[Layers], deepest: int) -> Any:
        """Return one fresh cache of all prefixes, padded on the left: a pass appends to what it is given."""
        from transformers import DynamicCache

        def padded(part: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.pad(part, (0, 0, deepest - part.shape[1], 0))

        whole = DynamicCache()
        for number in range(len(cached[0])):
            keys = torch.stack([padded(layers[number][0]) for layers in cached])
            values = torch.stack([padded(layers[number][1]) for layers in cached])
            whole.update(keys, values, number)
        return whole

    def generate(
        self,
        prompt: Prompt,
        soft: torch.Tensor,
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> str:
        """Return the answer to one prompt.

        Args:
            prompt: With n placeholders; with none it is the LLM alone.
            soft: Shape (n, d).
            max_tokens: Most tokens of the answer.
            temperature: 0 takes the likeliest token.
            seed: Of the sampling.
        """
        from transformers import DynamicCache

        model, made = self.llm.model, list[int]()
        random = torch.Generator().manual_seed(seed)
        with torch.inference_mode():
            if prompt.n:
                first: dict[str, Any] = {"inputs_embeds": self.embed(prompt.ids, soft)[None]}
            else:
                first = {"input_ids": torch.tensor([prompt.ids], device=model.device)}
            cache = DynamicCache()
            given = first
            while len(made) < max_tokens:
                out = model(**given, past_key_values=cache, use_cache=True, logits_to_keep=1)
                token = pick(out.logits[0, -1].float().cpu(), temperature, random)
                if token in self.llm.ends:
                    break
                made.append(token)
                given = {"input_ids": torch.tensor([[token]], device=model.device)}
        self.tokens += len(prompt.ids) + len(made)
        text: str = self.llm.tokenizer.decode(made, skip_special_tokens=True)
        return text


def _layers(cache: Any) -> Layers:
    return [(layer.keys, layer.values) for layer in cache.layers]
