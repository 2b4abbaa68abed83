"""What a model may call in one decision, and the action that a call means.

Environments of tools are called natively. Where actions are words there is one tool, `act`, whose schema never
changes (a server keeps what it read), and each skill that is offered is a tool with its own schema.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...envs.errors import UsageError
from ...envs.schemas import misfit
from ...envs.text import shortened
from ...envs.tools import ToolSpec, problem_of, read_call, write_call
from ..acting.situation import Situation
from ..llm.talking import ToolUse
from .matching import NONE, Match, matched, nearest, spoken

ACT = ToolSpec(
    name="act",
    description="Take one action in the environment.",
    parameters={
        "type": "object",
        "properties": {
            "action": {"type": "string", "description": "One action, written as it is listed."}
        },
        "required": ["action"],
        "additionalProperties": False,
    },
)
_GUESSES = 5


@dataclass(frozen=True)
class Named:
    """What a model's answer came to."""

    action: str = ""
    """Empty: nothing that can be done."""
    problem: str = ""
    """What is wrong with it, for the model."""
    match: str = ""
    """How words, or a call that is known to fail, became the action; empty where nothing was changed."""


_WORDS = 14
"""Words of the longest action that is no thought."""


class Toolbox:
    """The tools of one decision.

    Args:
        at: The decision.
        words: Whether the model's plain words are taken where tools are offered.
    """

    def __init__(self, at: Situation, *, words: bool = True) -> None:
        self.at = at
        self.calls = at.seen.admissible is None and bool(at.specs)
        """Whether the environment's actions are calls that the model writes itself."""
        self.free = at.seen.admissible is None and not at.specs
        """Whether any text is an action."""
        self.actions = tuple(at.favoured) if self.calls or self.free else at.actions
        """What is chosen among; where actions are not listed the calls of skills alone."""
        skills = {f.tool.name: f.tool for f in at.favoured.values() if f.tool is not None}
        self.skills = tuple(skills[name] for name in sorted(skills))
        self.speech = next((spec for spec in at.specs if spec.said and words), None)
        """The tool that the model calls by plain words; it is not offered as one."""
        offered = tuple(spec for spec in at.specs if spec is not self.speech)
        own = offered if self.calls else (ACT,)
        self.tools: tuple[ToolSpec, ...] = (*own, *self.skills)

    def named(self, use: ToolUse) -> Named:
        """Return the action that a call means."""
        given = use.arguments
        if given is None:
            return Named(
                problem=f"the arguments of {use.name} are no JSON object: {shortened(use.text, 200)}"
            )
        if any(spec.name == use.name for spec in self.skills):
            return self._skill(use)
        if self.calls:
            spec = next((spec for spec in self.at.specs if spec.name == use.name), None)
            given = given if spec is None else _without_nulls(spec, given)
            action = self.at.written(write_call(use.name, given))
            if spec is None:
                names = ", ".join(spec.name for spec in self.tools)
                return Named(action, f"there is no tool {use.name!r}; there are: {names}")
            wrong = problem_of(spec, given)
            if wrong:
                return Named(action, f"{use.name}: {wrong}")
            mended = self.at.mended(action)
            return Named(mended, match="" if mended == action else f"mended from {action}")
        said = str(given.get("action", "")) if use.name == ACT.name else ""
        words = " ".join([use.name.replace("_", " "), *map(str, given.values())])
        return self.worded(said or words)

    def spoken(self, said: str, *, cut: bool) -> Named:
        """Return the action that plain words are, where they are an answer."""
        if self.speech is None or not said.strip():
            return Named(problem="nothing was said" if self.speech else "that is no call of a tool")
        try:  # small models write the call as they read it in the records
            call = read_call(said.strip(), [self.speech])
            return Named(write_call(call.tool, call.arguments))
        except UsageError:
            pass
        words = said.strip() + (" [... the answer was cut here]" if cut else "")
        return Named(write_call(self.speech.name, {next(iter(self.speech.properties)): words}))

    def worded(self, said: str, listed: Sequence[str] = ()) -> Named:
        """Return the action that words mean."""
        if self.free and said not in self.actions:
            meant = spoken(said)
            return Named(meant, "" if meant else "no action was named")
        found = matched(said, self.actions, listed=listed) if said.strip() else NONE
        own = spoken(said)
        if self.at.seen.reworded and found.how != "exact" and 0 < len(own.split()) <= _WORDS:
            return Named(own)  # another wording, which the environment may understand
        if not found.action:
            near = "; ".join(nearest(said[-200:], self.actions, _GUESSES))
            return Named(
                problem=f"{said.strip()[-200:]!r} is nothing that can be done now. Most like it: {near}"
            )
        return _of(found)

    def _skill(self, use: ToolUse) -> Named:
        offered = {
            action: favour.arguments
            for action, favour in self.at.favoured.items()
            if favour.tool is not None and favour.tool.name == use.name
        }
        given = {name: str(value) for name, value in (use.arguments or {}).items()}
        for action, arguments in offered.items():
            if {name: str(value) for name, value in arguments.items()} == given:
                return Named(action)
        spec = next(spec for spec in self.skills if spec.name == use.name)
        if not all(set(spec.required) <= set(arguments) for arguments in offered.values()):
            wrong = problem_of(spec, use.arguments or {})
            if wrong:
                return Named(problem=f"{use.name}: {wrong}")
            return Named(called(use.name, use.arguments or {}))
        return Named(problem=f"{use.name} can be called here as: {'; '.join(offered)}")

    def use_of(self, action: str, step: int) -> ToolUse | None:
        """Return the call that an action is, None where it is none of a tool that is there."""
        name, arguments = ACT.name, {"action": action}
        favour = self.at.favoured.get(action)
        if favour is not None and favour.tool is not None:
            name, arguments = favour.tool.name, dict(favour.arguments)
        elif self.calls:
            try:
                call = read_call(action, self.at.specs)
            except UsageError:
                return None
            name, arguments = call.tool, call.arguments
        text = json.dumps(arguments, ensure_ascii=False, default=str)
        return ToolUse(id=f"step{step:05d}", name=name, arguments=json.loads(text), text=text)


def called(skill: str, arguments: Mapping[str, Any]) -> str:
    """Return the action that a call of a skill with a caller's own arguments is; see `Offered.named`.

    >>> called("check-stock-reship", {"sku": "KT-20"})
    "check-stock-reship(sku='KT-20')"
    """
    return skill + write_call("", arguments)


def _without_nulls(spec: ToolSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments without those that are null where that only says that they are not given."""
    return {
        name: value
        for name, value in given.items()
        if value is not None
        or name not in spec.properties
        or (name in spec.required and not misfit(spec.properties[name], None))
    }


def _of(found: Match) -> Named:
    return Named(found.action, match=found.how)
