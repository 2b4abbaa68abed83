"""Structured output: a pydantic object out of a model's words, with one repair turn.

Works over any way of asking; a server's own JSON mode is used where it is known to work, elsewhere.
"""

import json
import re
from collections.abc import Awaitable, Callable, Sequence

from pydantic import ValidationError

from .errors import LLMNonsense
from .protocol import Message, Schema

_BLOCK = re.compile(r"\{.*\}", re.DOTALL)


async def ask_structured(
    ask: Callable[[Sequence[Message]], Awaitable[str]],
    messages: Sequence[Message],
    schema: type[Schema],
) -> Schema:
    """Ask for an object of `schema`, and once more with the complaint when the answer is none.

    Args:
        ask: Sends a conversation and returns the answer.
        messages: The conversation.
        schema: What the answer must be.

    Raises:
        LLMNonsense: Neither answer was such an object.
    """
    asked = messages[-1]
    turns = [
        *messages[:-1],
        asked.model_copy(update={"content": asked.content + _instruction(schema)}),
    ]
    answer = await ask(turns)
    try:
        return parse_object(answer, schema)
    except ValueError as complaint:
        repair = f"That is not valid: {complaint}. Answer again with the JSON object only."
        turns += [Message(role="assistant", content=answer), Message(role="user", content=repair)]
    again = await ask(turns)
    try:
        return parse_object(again, schema)
    except ValueError as error:
        raise LLMNonsense(
            f"the model did not answer with a {schema.__name__}, also after one repair turn: {error}"
        ) from error


def parse_object(answer: str, schema: type[Schema]) -> Schema:
    """Return the object that an answer holds, also between other words or in a code fence.

    Raises:
        ValueError: It holds none; the sentence says why.
    """
    match = _BLOCK.search(answer)
    if match is None:
        raise ValueError("there is no JSON object in the answer")
    try:
        return schema.model_validate_json(match[0])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from error


def _instruction(schema: type[Schema]) -> str:
    properties = json.dumps(schema.model_json_schema(), separators=(",", ":"))
    return f"\n\nAnswer with one JSON object only, of this JSON schema:\n{properties}"
