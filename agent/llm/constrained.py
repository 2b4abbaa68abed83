"""Constrained decoding: a small model's answer is held to a JSON schema token by token.

The grammar engine is llguidance; here is only what it is asked, and how long an answer may become.
"""

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...envs.errors import UsageError

MOST_ITEMS = 6
"""Items of a list whose schema sets no limit: a small model seldom ends a list by itself."""
_SHORTEST = 40
_LETTERS = 3
"""Letters that a token holds, cautiously."""


class Constraint:
    """The grammar of one answer; it is told every token and says which may come next.

    Args:
        tokens: llguidance's view of the tokenizer, from `vocabulary`.
        schema: JSON schema of the answer.
        max_tokens: Length of the answer; strings without a limit get one, so that it can be closed in time.

    Raises:
        UsageError: The schema says something that no grammar can be made of.
    """

    def __init__(self, tokens: Any, schema: dict[str, Any], max_tokens: int) -> None:
        from llguidance import LLMatcher

        grammar = LLMatcher.grammar_from_json_schema(
            bounded(schema, max_tokens), overrides={"whitespace_flexible": False}
        )
        self._matcher = LLMatcher(tokens, grammar)
        if self._matcher.is_error():
            raise UsageError(
                f"the answer cannot be held to this JSON schema: {self._matcher.get_error()}",
                hint="Use plainer types in the pydantic model.",
            )

    def allowed(self) -> NDArray[np.bool_]:
        """Return which tokens may come next, shape (vocabulary,)."""
        return np.frombuffer(self._matcher.compute_logit_bias(), np.uint8) > 0

    def take(self, token: int) -> bool:
        """Take the next token and return whether the answer is complete."""
        self._matcher.consume_token(token)
        return bool(self._matcher.is_stopped())


def vocabulary(tokenizer: Any, size: int) -> Any:
    """Return llguidance's view of a fast tokenizer whose model has `size` logits; takes about a second."""
    from llguidance.hf import from_tokenizer

    return from_tokenizer(tokenizer, n_vocab=size)


def bounded(schema: dict[str, Any], max_tokens: int) -> dict[str, Any]:
    """Return the schema with a limit on every list and string that has none, and no unnamed keys.

    >>> bounded({"type": "array", "items": {"type": "string"}}, 300)
    {'type': 'array', 'items': {'type': 'string', 'maxLength': 150}, 'maxItems': 6}
    """
    found: dict[str, Any] = copy.deepcopy(schema)
    free = _free_strings(found, 1)
    length = max(_SHORTEST, _LETTERS * max_tokens // max(1, sum(times for _, times in free)))
    for node, _ in free:
        node["maxLength"] = length
    return found


def _free_strings(node: Any, times: int) -> list[tuple[dict[str, Any], int]]:
    """Return the string schemas without a limit and how often each may occur; limits the rest on the way."""
    if isinstance(node, list):
        return [pair for part in node for pair in _free_strings(part, times)]
    if not isinstance(node, dict):
        return []
    if node.get("type") == "string" and not {"enum", "const", "maxLength", "pattern", "format"} & {
        *node
    }:
        return [(node, times)]
    if "properties" in node:  # other keys are ignored, and a small model would go on inventing them
        node.setdefault("additionalProperties", False)
    if node.get("type") == "array":
        times *= node.setdefault("maxItems", max(MOST_ITEMS, node.get("minItems", 0)))
    return [
        pair
        for key, part in node.items()
        if key not in ("default", "examples", "enum", "const")
        for pair in _free_strings(part, times)
    ]
