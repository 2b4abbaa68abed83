"""Free calls: a capable frozen model writes the next call of a tool itself.

The answer is held to a schema with the names of the tools that are there. What tool memory knows to fail is
said before the call is made, once.
"""

from collections.abc import Sequence
from typing import Any, Literal, Union, cast

from pydantic import BaseModel, ConfigDict, RootModel, create_model

from ...envs.tools import ToolSpec, call_of, problem_of, write_call
from ...envs.types import Observation
from ...memory.ledger.records import Hits
from ...memory.tools.tool_memory import Suggestion, ToolMemory
from ..llm.protocol import FrozenLLM, Message
from ..llm.thought import SILENT, Thought, chat
from ..prompts.rendering import render


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
        self,
        seen: Observation,
        specs: Sequence[ToolSpec],
        hits: Hits,
        tools: ToolMemory | None,
        *,
        history: Sequence[tuple[str, str]] = (),
        hint: str = "",
        thought: Thought = SILENT,
    ) -> str:
        """Return the call to make now, as an action.

        Args:
            seen: The last observation.
            specs: What can be called.
            hits: What was recalled.
            tools: Tool memory: suggestions, and failures known before the call.
            history: (action, answer) pairs of this episode, oldest first.
            hint: The current subtask, when there is a plan.
            thought: The assistant's, where it has one.

        Raises:
            LLMNonsense: The model named no call, also after a repair turn.
        """
        suggested: list[Suggestion] = tools.suggest(seen.goal, k=4) if tools is not None else []
        note = ""
        for _ in range(2):
            prompt = render(
                "call",
                seen=seen,
                specs=specs,
                shown=hits.hits[: self.shown],
                suggested=suggested,
                history=list(history)[-8:],
                hint=hint,
                note=note,
            )
            answer = await chat(
                self.llm,
                [Message(role="user", content=prompt)],
                schema=_form(specs),
                max_tokens=300,
                thought=thought,
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
