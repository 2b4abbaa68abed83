"""The assistant: a small frozen model whose last states at N placeholders are its continuous thoughts.

Its states depend on its weights and the text alone, so they are kept, in memory and in a folder, under the
hash of both.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ...memory.store.made_from import ANY, made_from
from ..llm.frozen import Frozen
from ..llm.slots import Marks, Prompt, for_assistant, marks_of

States = torch.Tensor
"""float32, shape (B, n, d_assistant)."""
HELD = 4096
"""Most states in memory where a folder has them too; the ones that were used last."""


class SoftAssistant:
    """Encodes questions.

    Args:
        frozen: The small model.
        folder: Where states are kept between runs; None keeps them in memory only.
        keep: False computes every state anew (to measure what keeping is worth).
    """

    def __init__(self, frozen: Frozen, folder: Path | None = None, *, keep: bool = True) -> None:
        self.frozen = frozen
        self.marks: Marks = marks_of(frozen.tokenizer)
        self.calls = 0
        """Questions that really went through the model."""
        self.tokens = 0
        """Tokens of these."""
        self._folder, self._keep = folder, keep
        self._held: OrderedDict[str, torch.Tensor] = OrderedDict()

    def states(self, seen: Sequence[str], n: int, *, chain: int = 0) -> States:
        """Return t_assist, the last hidden states at the placeholders (SoftCoT eq. for t_assist).

        Args:
            seen: What the assistant reads, B texts.
            n: Thoughts for each.
            chain: Number of the thought chain (SoftCoT++).

        Returns:
            float32, shape (B, n, d_assistant), after the model's last norm.

        Raises:
            SlotError: The tokenizer has no placeholder for this chain.
        """
        if not seen:
            return torch.zeros(0, n, self.frozen.d)
        prompts = [for_assistant(self.frozen, self.marks, text, n, chain=chain) for text in seen]
        keys = [self._key(prompt) for prompt in prompts]
        found = {key: self._known(key) for key in dict.fromkeys(keys)}
        missing = [
            (key, prompt)
            for key, prompt in dict(zip(keys, prompts, strict=True)).items()
            if found[key] is None
        ]
        for key, prompt in missing:
            found[key] = self._encode(prompt)
            self._store(key, found[key])
        return torch.stack([state for key in keys if (state := found[key]) is not None])

    def _encode(self, prompt: Prompt) -> torch.Tensor:
        self.calls += 1
        self.tokens += len(prompt.ids)
        model = self.frozen.model
        with torch.inference_mode():
            out = model(
                input_ids=torch.tensor([prompt.ids], device=model.device),
                output_hidden_states=True,
                use_cache=False,
                logits_to_keep=1,
            )
            last: torch.Tensor = out.hidden_states[-1][0, prompt.start : prompt.start + prompt.n]
        return last.float().cpu().clone()

    def _key(self, prompt: Prompt) -> str:
        said = f"{self.frozen.identity().weights} {prompt.start} {prompt.n} {prompt.ids}"
        return hashlib.sha256(said.encode()).hexdigest()

    def _known(self, key: str) -> torch.Tensor | None:
        if not self._keep:
            return None
        if (held := self._held.get(key)) is not None:
            self._hold(key, held)
        elif self._folder is not None:
            path = self._folder / f"{key}.npy"
            try:
                self._hold(key, torch.from_numpy(np.load(path)))
            except FileNotFoundError:
                return None
            except (ValueError, EOFError, OSError):  # torn by a kill: it is computed again
                path.unlink(missing_ok=True)
                return None
        return self._held.get(key)

    def _store(self, key: str, state: torch.Tensor | None) -> None:
        if not self._keep or state is None:
            return
        self._hold(key, state)
        if self._folder is not None:
            made_from(self._folder, [ANY])  # what it read may have come from any episode
            path = self._folder / f"{key}.npy"
            temporary = path.with_suffix(".tmp.npy")
            np.save(temporary, state.numpy())
            temporary.replace(path)

    def _hold(self, key: str, state: torch.Tensor) -> None:
        self._held[key] = state
        self._held.move_to_end(key)
        while self._folder is not None and len(self._held) > HELD:
            self._held.popitem(last=False)
