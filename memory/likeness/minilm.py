"""The packaged all-MiniLM-L6-v2, computed with numpy: ready in under half a second, and without torch.

A BERT encoder (Devlin et al. 2019, section 3; post-norm layers of Vaswani et al. 2017, section 3) with mean
pooling over tokens (Reimers and Gurevych 2019, section 3). Its vectors are those of sentence-transformers to
1e-5, which takes 4 to 6 seconds to import and load: too long for a command, or an application's first request.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class MiniLM:
    """A BERT sentence encoder read from a sentence-transformers folder.

    A text is computed by itself, so that its vector does not depend on what it was encoded beside.

    Args:
        folder: Holds `config.json`, `sentence_bert_config.json`, `tokenizer.json` and `model.safetensors`.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file
        from threadpoolctl import ThreadpoolController
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text())
        self._heads, self._layers = config["num_attention_heads"], config["num_hidden_layers"]
        self._epsilon = np.float32(config["layer_norm_eps"])
        limits = json.loads((folder / "sentence_bert_config.json").read_text())
        self._weights: dict[str, Floats] = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(limits["max_seq_length"])
        self._pools = ThreadpoolController()

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return unit vectors, shape (n, d).

        On one thread: beside a busy neighbour two wait for each other at every layer, 420 ms a text for 15.
        """
        if not texts:
            return np.zeros((0, len(self._weights["embeddings.LayerNorm.weight"])), np.float32)
        found = self._tokenizer.encode_batch(list(texts))
        with self._pools.limit(limits=1, user_api="blas"):
            return np.stack([self._one(tokens.ids) for tokens in found])

    def _one(self, ids: Sequence[int]) -> Floats:
        """Return the unit vector of the tokens, shape (d,)."""
        held = self._weights
        x = (
            held["embeddings.word_embeddings.weight"][np.asarray(ids)]
            + held["embeddings.position_embeddings.weight"][: len(ids)]
            + held["embeddings.token_type_embeddings.weight"][0]
        )
        x = self._norm(x, "embeddings.LayerNorm")
        for number in range(self._layers):
            x = self._layer(x, f"encoder.layer.{number}.")
        pooled: Floats = x.mean(axis=0)
        pooled /= np.maximum(np.linalg.norm(pooled), np.float32(1e-12))
        return pooled

    def _layer(self, x: Floats, at: str) -> Floats:
        """Return the layer's output for its input, both of shape (t, d)."""
        query, key, value = (
            self._linear(x, f"{at}attention.self.{name}")
            .reshape(len(x), self._heads, -1)
            .transpose(1, 0, 2)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(np.float32(query.shape[-1]))
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        seen = (scores @ value).transpose(1, 0, 2).reshape(x.shape)
        x = self._norm(
            x + self._linear(seen, f"{at}attention.output.dense"), f"{at}attention.output.LayerNorm"
        )
        wide = _gelu(self._linear(x, f"{at}intermediate.dense"))
        return self._norm(x + self._linear(wide, f"{at}output.dense"), f"{at}output.LayerNorm")

    def _linear(self, x: Floats, name: str) -> Floats:
        return x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, x: Floats, name: str) -> Floats:
        x = x - x.mean(axis=-1, keepdims=True)
        x /= np.sqrt((x * x).mean(axis=-1, keepdims=True) + self._epsilon)
        return x * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _gelu(x: Floats) -> Floats:
    """Return x times the normal distribution's share below x (Hendrycks and Gimpel 2016, equation 1)."""
    from scipy.special import ndtr

    shares: Floats = ndtr(x)
    return x * shares
