"""Exact log-probabilities of many options in one forward pass.

The options' tokens form a trie; its inner nodes go through the model once, packed behind the prompt with a
mask in which every node sees the prompt, its ancestors and itself (tree attention: SpecInfer, Miao et al.
2023, arXiv:2305.09781). The prompt's key-value cache is kept between calls and reused up to the longest
common prefix. Knows tensors; what is a good option is known elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .protocol import LogProbs


@dataclass(frozen=True)
class Trie:
    """The options' tokens, shared prefixes once."""

    tokens: list[int]
    """Inner nodes; a token that only ends options is scored from its parent and needs no node."""
    parents: list[int]
    """Node number of each node's parent, -1 for the prompt's end."""
    depths: list[int]
    """1 for a node right behind the prompt."""
    paths: list[list[tuple[int, int]]]
    """For every option: (node that predicts, token that is predicted) along it."""


def build_trie(options: Sequence[Sequence[int]]) -> Trie:
    """Return the trie of the options' token ids.

    >>> trie = build_trie([[5, 6, 7], [5, 6, 8], [9]])
    >>> trie.tokens, trie.parents, trie.paths[1]
    ([5, 6], [-1, 0], [(-1, 5), (0, 6), (1, 8)])
    """
    tokens: list[int] = []
    parents: list[int] = []
    depths: list[int] = []
    paths = []
    known: dict[tuple[int, int], int] = {}
    for option in options:
        here, path = -1, []
        for position, token in enumerate(option):
            path.append((here, token))
            if position == len(option) - 1:
                break
            if (here, token) not in known:
                known[here, token] = len(tokens)
                tokens.append(token)
                parents.append(here)
                depths.append(position + 1)
            here = known[here, token]
        paths.append(path)
    return Trie(tokens, parents, depths, paths)


class PrefixCache:
    """The key-value cache of the last prompt."""

    def __init__(self) -> None:
        self.cache: Any = None
        self.tokens: list[int] = []

    def shared(self, prompt: Sequence[int], *, whole: bool = False) -> int:
        """Return how many tokens of the prompt are cached, at most all but the last.

        The last is always computed again: its logits are needed (not so where something follows: `whole`).
        """
        if self.cache is None:
            return 0
        most = min(len(prompt) - (not whole), len(self.tokens))
        n = 0
        while n < most and prompt[n] == self.tokens[n]:
            n += 1
        return n

    def keep(self, n: int) -> None:
        """Cut the cache to its first n tokens."""
        from transformers import DynamicCache

        if self.cache is None or n == 0:
            self.cache, self.tokens = DynamicCache(), []
            return
        extra = self.cache.get_seq_length() - n
        if extra > 0:
            self.cache.crop(-extra)
        self.tokens = self.tokens[:n]


def score(
    model: Any,
    prefix: PrefixCache,
    prompt: Sequence[int],
    options: Sequence[Sequence[int]],
    *,
    block: Any = None,
) -> tuple[LogProbs, int]:
    """Return log p(option | prompt) of every option, and how many tokens were computed.

    Args:
        model: A transformers causal LM with a `model` body and an `lm_head`.
        prefix: Cache of the last prompt; holds this prompt afterwards.
        prompt: Token ids, at least one.
        options: Token ids of each option, at least one each.
        block: Embeddings that stand between prompt and options (a soft block and the cue behind it), shape
            (m, d); they leave the cache again, so that the prompt's stays valid.

    Returns:
        Natural logarithms, shape (len(options),), and the number of tokens that went through the model.
    """
    import torch

    trie = build_trie(options)
    held = prefix.shared(prompt, whole=block is not None)
    prefix.keep(held)
    new, nodes = list(prompt[held:]), trie.tokens
    extra = 0 if block is None else len(block)
    end = len(prompt) + extra
    with torch.inference_mode():
        given = {"input_ids": torch.tensor([new + nodes], device=model.device)}
        if block is not None:
            given = {"inputs_embeds": around(model, new, block, nodes)}
        try:
            hidden = model.model(
                **given,
                attention_mask=_mask(held, len(new) + extra, trie, model.dtype, model.device),
                position_ids=torch.tensor(
                    [list(range(held, end)) + [end + depth - 1 for depth in trie.depths]],
                    device=model.device,
                ),
                past_key_values=prefix.cache,
                use_cache=True,
            ).last_hidden_state[0]
        except BaseException:
            prefix.keep(0)  # a half-written cache must not be used again
            raise
        logits = model.lm_head(hidden[len(new) + extra - 1 :]).float()
        table = torch.log_softmax(logits, dim=-1)
        rows = [node + 1 for path in trie.paths for node, _ in path]
        columns = [token for path in trie.paths for _, token in path]
        found = table[rows, columns].double().cpu().numpy()
    if nodes or extra:
        prefix.cache.crop(-len(nodes) - extra)
    prefix.tokens = list(prompt)
    ends = np.cumsum([0] + [len(path) for path in trie.paths])
    sums = [found[a:b].sum() for a, b in zip(ends, ends[1:], strict=False)]
    return np.asarray(sums, np.float64), len(new) + extra + len(nodes)


def around(model: Any, new: Sequence[int], block: Any, nodes: Sequence[int]) -> Any:
    """Return the embeddings of tokens, a block and tokens, shape (1, new + m + nodes, d)."""
    import torch

    words = model.get_input_embeddings()(torch.tensor([*new, *nodes], device=model.device).long())
    return torch.cat([words[: len(new)], block.to(words), words[len(new) :]])[None]


def _mask(held: int, new: int, trie: Trie, dtype: Any, device: Any) -> Any:
    """Return the additive mask, shape (1, 1, new + nodes, held + new + nodes)."""
    import torch

    nodes = len(trie.tokens)
    seen = np.zeros((new + nodes, held + new + nodes), bool)
    seen[:, :held] = True
    seen[:new, held : held + new] = np.tri(new, dtype=bool)
    seen[new:, held : held + new] = True
    tree = seen[new:, held + new :]
    for node, parent in enumerate(trie.parents):
        if parent >= 0:
            tree[node] = tree[parent]
        tree[node, node] = True
    mask = torch.zeros(seen.shape, dtype=dtype, device=device)
    mask.masked_fill_(torch.from_numpy(~seen).to(device), torch.finfo(dtype).min)
    return mask[None, None]
