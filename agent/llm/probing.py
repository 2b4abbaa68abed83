"""Two small questions that show what a model can do behind its server: call a tool, keep to a form.

A refusal is an answer. A server that takes a parameter and ignores it is found out by what came of it.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ...envs.tools import ToolSpec
from .errors import LLMNonsense, LLMRefused, PromptRefused
from .talking import Reply, Turn

ROOM = 64
"""Tokens for an answer. A model that thinks before it may need more: nothing is known of it then."""
_TOOL = ToolSpec(
    name="set_color",
    description="Set the color of the lamp.",
    parameters={
        "type": "object",
        "properties": {"color": {"type": "string", "enum": ["red", "green"]}},
        "required": ["color"],
    },
)


class LampColor(BaseModel):
    """The form that an answer is held to; its words are in no question."""

    model_config = ConfigDict(extra="forbid")

    lamp_state: Literal["lit_red", "lit_green"]


Ask = Callable[..., Awaitable[Reply]]


async def calls_tools(ask: Ask) -> bool:
    """Return whether the model called a tool that it was to call."""
    turns = [Turn(role="user", content="Set the lamp's color to red by calling the tool.")]
    reply = await _asked(ask, turns, tools=[_TOOL], must_call=True)
    return reply is None or any(
        use.name == _TOOL.name and use.arguments is not None for use in reply.uses
    )


async def keeps_to_forms(ask: Ask) -> tuple[bool, bool]:
    """Return whether the model's answer was held to a schema, and came with log-probabilities."""
    turns = [Turn(role="user", content="The lamp is red. Answer with JSON: which state is it in?")]
    reply = await _asked(ask, turns, form=LampColor, top_logprobs=2)
    if reply is None:
        return True, False
    try:
        LampColor.model_validate_json(reply.text)
    except ValidationError:
        return False, bool(reply.top)
    return True, bool(reply.top)


async def _asked(ask: Ask, turns: list[Turn], **more: Any) -> Reply | None:
    """Return the answer, None where it was cut in a thought: then nothing is known, and the best is assumed."""
    try:
        reply = await ask(turns, max_tokens=ROOM, **more)
    except (LLMRefused, LLMNonsense, PromptRefused):
        return Reply()
    return None if reply.finish == "length" and not (reply.text or reply.uses) else reply
