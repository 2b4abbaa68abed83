"""A model of known competence: with probability c it answers as the expert does, else at random.

It knows the state that the episode is really in, and answers in whichever way it is asked: exact scores of a
given sharpness, a numbered choice with or without log-probabilities, a native tool call, free text. It reads
no prompt but the list that it is to choose from.
"""

import json
import math
import re
import zlib
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel

from ....envs.tools import ToolSpec, read_call
from ....memory.tools.candidates import candidates
from ...acting.working_memory import place
from ...episode.stage import Stage
from ...llm.errors import LLMNonsense
from ...llm.protocol import LogProbs, Message, Usage
from ...llm.talking import Abilities, OnText, Reply, ToolUse, Turn
from .expert import Expert

Answering = Literal[
    "scores-3", "scores-10", "scores-30", "number", "number-logprobs", "tool", "text"
]
WAYS: tuple[Answering, ...] = (
    "scores-3",
    "scores-10",
    "scores-30",
    "number",
    "number-logprobs",
    "tool",
    "text",
)
NATS = 3.0
"""Sharpness of the log-probabilities of a numbered choice."""
_LISTED = re.compile(r"^\s*(\d+)[.)]\s+(.*\S)\s*$", re.MULTILINE)


class KnownModel:
    """What both simulated models share: where the episode is, and what they want to do there.

    Args:
        way: How it answers.
        competence: c, in [0, 1].
        seed: Of its errors: of a decision's, not of the way in which it is asked.
    """

    def __init__(self, way: Answering, competence: float, *, seed: int) -> None:
        self.way, self.competence, self.seed = way, competence, seed
        self.name = f"simulated-{way}-{competence:g}"
        self.usage = Usage()
        self.stage: Stage | None = None
        self.expert: Expert | None = None
        self.others: Sequence[str] = ()
        """Actions of other tasks: what it does wrong where an action is any text."""

    def at(self, stage: Stage, expert: Expert) -> None:
        """Be asked about this episode from now on."""
        self.stage, self.expert = stage, expert

    def wants(self) -> str:
        """Return the action that it takes for right in the state that the episode is in."""
        stage, expert = self.stage, self.expert
        assert stage is not None and expert is not None  # `at` was called
        seen = stage.seen
        open_to = seen.admissible or ()
        key = [self.seed, zlib.crc32(stage.task_id.encode()), len(stage.actions)]
        rng = np.random.default_rng(key)
        sure, pick = rng.random() < self.competence, rng.random()
        moved = [
            place(a) != place(b)
            for a, b in zip(stage.observations, stage.observations[1:], strict=False)
        ]
        right = expert.next(stage.actions, moved, () if seen.reworded else open_to)
        if sure and right:
            return right
        if not open_to and not stage.calls:
            open_to = tuple(self.others)
        if not open_to:
            specs = stage.environment.tools()
            open_to = tuple(
                candidates(specs, seen.goal, [old.text for old in stage.observations], None)
            )
        return open_to[int(pick * len(open_to))]

    async def complete(self, prompt: str, **_: Any) -> str:
        """Write the action that it wants."""
        return self.wants()

    async def chat(self, messages: Sequence[Message], **_: Any) -> Any:
        """Answer nothing: it judges nothing and plans nothing."""
        raise LLMNonsense(f"{self.name} only acts")

    async def fingerprint(self) -> str:
        """Return its name: it is what it is."""
        return self.name

    async def close(self) -> None:
        """Do nothing."""


class ScoringModel(KnownModel):
    """Says a log-probability of every option: 0 for what it wants, less by its sharpness for all others."""

    scores_choices = True

    async def choose(self, prompt: str, options: Sequence[str]) -> LogProbs:
        """See `FrozenLLM.choose`."""
        wanted, nats = self.wants(), float(self.way.partition("-")[2])
        said = np.array([0.0 if option.strip() == wanted else -nats for option in options])
        return said - math.log(np.exp(said).sum())


class TalkingModel(KnownModel):
    """Answers conversations."""

    scores_choices = False

    async def choose(self, prompt: str, options: Sequence[str]) -> LogProbs:
        """See `FrozenLLM.choose`."""
        raise LLMNonsense(f"{self.name} gives no scores")

    async def abilities(self) -> Abilities:
        """Return what its way of answering needs, and nothing else."""
        return Abilities(
            tools=self.way == "tool",
            json_schema=self.way.startswith("number"),
            top_logprobs=self.way == "number-logprobs",
        )

    async def reply(
        self,
        turns: Sequence[Turn],
        *,
        tools: Sequence[ToolSpec] = (),
        must_call: bool = False,
        form: type[BaseModel] | None = None,
        top_logprobs: int = 0,
        max_tokens: int = 512,
        temperature: float = 0.0,
        seed: int = 0,
        on_text: OnText | None = None,
    ) -> Reply:
        """See `TalkingLLM.reply`."""
        wanted = self.wants()
        assert self.stage is not None
        specs = self.stage.environment.tools() if self.stage.calls else ()
        with self.usage.timed():
            if self.way == "tool":
                return _tool_use(wanted, specs, tools)
            if specs:
                call = read_call(wanted, specs)
                said = {"tool": call.tool, "name": call.tool, "arguments": call.arguments}
                return Reply(text=json.dumps(_held_to(form, said)))
            if self.way == "text" or form is None:
                return Reply(text=f"I think this helps.\nAction: {wanted}")
            return self._number(turns, wanted, form)

    def _number(self, turns: Sequence[Turn], wanted: str, form: type[BaseModel]) -> Reply:
        asked = next(turn.content for turn in reversed(turns) if _LISTED.search(turn.content))
        listed = {text: int(number) for number, text in _LISTED.findall(asked)}
        number = listed[wanted]
        field = next(iter(form.model_fields))
        text = json.dumps({field: number})
        if self.way == "number":
            return Reply(text=text)
        chances = {str(n): (0.0 if n == number else -NATS) for n in listed.values()}
        return Reply(text=str(number) if form is None else text, top=(chances,))


def _tool_use(wanted: str, specs: Sequence[ToolSpec], tools: Sequence[ToolSpec]) -> Reply:
    if specs:
        call = read_call(wanted, specs)
        name, arguments = call.tool, call.arguments
    else:
        name, arguments = tools[0].name, {next(iter(tools[0].properties)): wanted}
    use = ToolUse(id="1", name=name, arguments=arguments, text=json.dumps(arguments))
    return Reply(uses=(use,), finish="tool_calls")


def _held_to(form: type[BaseModel] | None, said: dict[str, Any]) -> dict[str, Any]:
    """Return what of an answer a form has a place for."""
    if form is None:
        return {k: v for k, v in said.items() if k != "name"}
    return {k: v for k, v in said.items() if k in form.model_fields} or said


def simulated(way: Answering, competence: float, *, seed: int) -> ScoringModel | TalkingModel:
    """Return the model that answers in this way."""
    kind = ScoringModel if way.startswith("scores") else TalkingModel
    return kind(way, competence, seed=seed)
