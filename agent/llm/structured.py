"""Structured output: a pydantic object out of a model's words, with one repair turn.

Works over any way of asking; a server's own JSON mode is used where it is known to work, elsewhere.
"""

import json
from collections.abc import Awaitable, Callable, Sequence

from pydantic import BaseModel, ValidationError

from .errors import LLMNonsense
from .protocol import Message, Schema
from .thought_marks import split_thought

_JSON = json.JSONDecoder(strict=False)


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
    """Return the first such object in an answer, also between other words, behind a thought or in a code fence.

    Raises:
        ValueError: It holds none; the sentence says why.
    """
    bare = split_thought(answer)[1]
    complaint: ValueError | None = None
    at = bare.find("{")
    while at >= 0:
        try:
            found, _ = _JSON.raw_decode(bare, at)
        except ValueError as error:
            complaint, at = complaint or ValueError(str(error)), bare.find("{", at + 1)
            continue
        try:
            return schema.model_validate_json(json.dumps(found))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            said = ValueError(f"{where}: {first['msg']}" if where else first["msg"])
            complaint, at = complaint or said, bare.find("{", at + 1)  # it may stand inside another
    raise complaint or ValueError("there is no JSON object in the answer")


def is_object(answer: str, schema: type[BaseModel]) -> bool:
    """Return whether an answer holds such an object."""
    try:
        parse_object(answer, schema)
    except ValueError:
        return False
    return True


def _instruction(schema: type[Schema]) -> str:
    properties = json.dumps(schema.model_json_schema(), separators=(",", ":"))
    return f"\n\nAnswer with one JSON object only, of this JSON schema:\n{properties}"
