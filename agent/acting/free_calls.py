"""Free calls: a capable frozen model writes the next call of a tool itself.

The answer is held to a schema with the names of the tools that are there. What tool memory knows to fail is
said before the call is made, once.
"""

from collections.abc import Sequence
from typing import Any, Literal, Union, cast

from pydantic import BaseModel, ConfigDict, RootModel, create_model

from ...envs.tools import ToolSpec, call_of, problem_of, write_call
from ...memory.tools.tool_memory import Suggestion, ToolMemory
from ..llm.protocol import FrozenLLM, Message
from ..llm.thought import chat
from ..prompts.rendering import render
from .policy import Situation


class Caller:
    """Writes one call.

    Args:
        llm: The frozen model.
        shown: Retrieved cases in the prompt.
    """

    def __init__(self, llm: FrozenLLM, *, shown: int = 2) -> None:
        self.llm = llm
        self.shown = shown

    async def decide(
        self, at: Situation, specs: Sequence[ToolSpec], tools: ToolMemory | None
    ) -> str:
        """Return the call to make now, as an action.

        Args:
            at: The situation; its admissible actions are not looked at.
            specs: What can be called.
            tools: Tool memory: suggestions, and failures known before the call.

        Raises:
            LLMNonsense: The model named no call, also after a repair turn.
        """
        seen = at.seen
        suggested: list[Suggestion] = tools.suggest(seen.goal, k=4) if tools is not None else []
        note = ""
        for _ in range(2):
            prompt = render(
                "call",
                seen=seen,
                specs=specs,
                shown=at.hits.hits[: self.shown],
                suggested=suggested,
                history=list(at.history)[-8:],
                hint=at.hint,
                note=note,
            )
            answer = await chat(
                self.llm,
                [Message(role="user", content=prompt)],
                schema=_form(specs),
                max_tokens=300,
                thought=at.thought,
            )
            name, arguments = _call(answer)
            spec = next(spec for spec in specs if spec.name == name)
            known = tools.note(call_of(spec, arguments), seen.goal, seen.text) if tools else ""
            wrong = problem_of(spec, arguments)
            if note or not (known or wrong):
                break
            note = f"{name} was about to be called with {arguments}, but {wrong or known}"
        return write_call(name, arguments)


_KINDS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list[Any],
    "object": dict[str, Any],
}


def _form(specs: Sequence[ToolSpec]) -> type[BaseModel]:
    """Return the form of an answer: one of the tools, by name, with the arguments of that one."""
    forms = tuple(_call_form(spec) for spec in specs)
    return cast(type[BaseModel], RootModel.__class_getitem__(cast(Any, Union)[forms]))


def _call_form(spec: ToolSpec) -> type[BaseModel]:
    strict = ConfigDict(extra="forbid")
    fields: dict[str, Any] = {}
    for name, schema in spec.properties.items():
        kind = _KINDS.get(str(schema.get("type")), Any)
        fields[name] = (kind, ...) if name in spec.required else (kind, None)
    arguments = create_model(f"{spec.name}_arguments", __config__=strict, **fields)
    tool = (cast(Any, Literal)[spec.name], ...)
    return create_model(spec.name, __config__=strict, tool=tool, arguments=(arguments, ...))


def _call(answer: BaseModel) -> tuple[str, dict[str, Any]]:
    said = answer.model_dump(exclude_unset=True)
    return said["tool"], said["arguments"]
