"""The voice of a model that talks: one conversation an episode, in the best way that the model can answer.

Native calls of tools where its server knows them; else a numbered choice held to a schema; else free text, or
a call as JSON, that is matched to what can be done. Anything that can be done can be named. An answer that
cannot be used, or a call that memory knows to fail, is told to the model once.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ...envs.functions import NOT_APPROVED
from ..acting.opinion import SILENT_OPINION, Opinion, Way
from ..acting.situation import Situation
from ..llm.errors import AnswerCut, BudgetSpent, ContextOverflow, LLMNonsense
from ..llm.numbered import number_scores
from ..llm.structured import parse_object
from ..llm.talking import Abilities, OnText, Reply, TalkingLLM, ToolUse, Turn
from ..telemetry.spans import span
from .budget import TalkConfig, compacted, tokens_of
from .call_form import form_of_calls, use_in
from .complaints import borrowed, end_circles, failure
from .conversation import (
    Asking,
    begun,
    continued,
    refused_turns,
    taken_turn,
    waiting_uses,
)
from .toolbox import Named, Toolbox

_log = logging.getLogger(__name__)
ROOM = 400
"""Tokens for one answer, thoughts included."""
ANSWER_ROOM = 1000
"""The same where the model's words are an answer to the user."""
MEMORY = 3
"""The part of a conversation's tokens that the block of memory may take: one in so many."""
_TOP = 20
_TRIES = 4
"""Conversations, each half as long, that are tried where a server says that one is too long."""
_NUMBER = 'Answer with one JSON object: {"number": N}, the number of the action to take.'
_STOPPED = (
    "the call before it was refused; correct that one, then make this one again if it is right"
)
"""A model that makes several calls at once expects the first to work: a refund behind an order that is not
found would be one made blindly."""
_WORDS = "Write the one action to take, alone on the last line."


class NumberedChoice(BaseModel):
    """A choice by number."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(ge=1)


@dataclass(frozen=True)
class Heard:
    """One answer of the model."""

    reply: Reply
    named: Named
    uses: tuple[ToolUse, ...] = ()
    """The first is what was named."""
    way: Way = "text"


class TalkingVoice:
    """Asks a model in a conversation.

    Args:
        llm: The frozen model.
        config: What a conversation may cost.
        instructions: The user's own, in the system message.
    """

    def __init__(
        self, llm: TalkingLLM, config: TalkConfig | None = None, *, instructions: str = ""
    ) -> None:
        self.llm = llm
        self.config = config or TalkConfig()
        self.instructions = instructions
        self._on_text: OnText | None = None

    def hear(self, on_text: OnText) -> None:
        """Tell this of the model's words as it writes them, from now on."""
        self._on_text = on_text

    async def opinion(self, at: Situation, talk: Sequence[Turn] = ()) -> Opinion:
        """Return what the model names; see `Voice.opinion`.

        Raises:
            LLMUnavailable: It did not answer.
            LLMNonsense: What it answered is no call of a tool, also after one repair turn.
            ContextOverflow: The task alone is longer than the model reads.
            BudgetSpent: The episode's tokens are spent, and there is nothing to choose among; or a request goes
                in circles.
        """
        asking = self._asking(at, await self.llm.abilities())
        turns = continued(talk, asking) if talk else begun(asking)
        step = len(at.history)
        last = at.history[-1] if at.history else ("", "")
        stopped = last in at.refused and NOT_APPROVED not in last[1]  # a person's no is of one call
        for use in waiting_uses(turns):  # the rest of parallel calls
            named = asking.box.named(use)
            complaint = _STOPPED if stopped else named.problem or failure(at, named.action)
            if named.action and not complaint:
                return Opinion(way="tool", named=named.action, match=named.match, talk=tuple(turns))
            refused = _result(f"Not called: {complaint}", use, step)
            turns = [*turns[:-1], refused, turns[-1]]
        spent = max((turn.spent for turn in turns), default=0)
        if self.config.episode_tokens is not None and spent >= self.config.episode_tokens:
            return _out_of_tokens(asking, spent)
        if tokens_of(turns) > self.config.context_tokens:
            turns = compacted(turns, self.config.context_tokens // 2)
        return await self._asked(asking, turns, spent)

    def _asking(self, at: Situation, can: Abilities) -> Asking:
        """Return how this decision is asked for: the best way that the model can answer."""
        box = Toolbox(at, words=can.words or not can.tools)
        asking = Asking(
            box,
            "tool" if can.tools else "json" if box.calls else "words",
            instructions=self.instructions,
            memory_tokens=self.config.context_tokens // MEMORY,
            structured=can.json_schema,
            scored=can.top_logprobs,
        )
        if asking.form != "words":
            return asking
        return replace(asking, ask=_NUMBER if asking.numbered else _WORDS)

    async def _asked(self, asking: Asking, turns: list[Turn], spent: int) -> Opinion:
        at, step = asking.at, len(asking.at.history)
        heard, turns = await self._hear(asking, turns)
        spent += tokens_of(turns) + _written(heard.reply)
        complaint = (
            heard.named.problem
            or failure(at, heard.named.action)
            or borrowed(at, turns, heard.named.action)
        )
        if complaint:
            made = _as_written(asking, heard, step)
            turns = [*turns, made, *refused_turns(asking, made, complaint, step)]
            again, turns = await self._hear(asking, turns, insist=True)
            spent += tokens_of(turns) + _written(again.reply)
            if again.named.action or not heard.named.action:
                heard = again
            if asking.box.speech is not None:
                end_circles(at, heard.named.action)
        named = heard.named
        if not named.action:
            if asking.box.calls:
                raise LLMNonsense(
                    f"{self.llm.name} wrote no call, also after one repair turn: {named.problem}"
                )
            return Opinion(way=heard.way, talk=tuple(turns))
        made = taken_turn(asking, named.action, step, heard.reply.text if heard.uses else "")
        if made.uses and len(heard.uses) > 1:  # the rest of parallel calls is named next
            made = made.model_copy(update={"uses": (made.uses[0], *_numbered(heard.uses, step))})
        return Opinion(
            way=heard.way,
            named=named.action,
            scores=_scores(asking, heard) if heard.way == "number" else {},
            match=named.match,
            talk=(*turns, made.model_copy(update={"spent": spent})),
        )

    async def _hear(
        self, asking: Asking, turns: list[Turn], *, insist: bool = False
    ) -> tuple[Heard, list[Turn]]:
        """Return the model's answer, and the conversation that it answered, shorter where it had to be."""
        speaks = asking.box.speech is not None
        options: dict[str, Any] = {
            "max_tokens": ANSWER_ROOM if speaks else ROOM,
            "on_text": self._on_text,
        }
        if asking.form == "tool":
            options |= {"tools": asking.box.tools, "must_call": insist and not speaks}
        elif asking.form == "json" and asking.structured and not speaks:
            options["form"] = form_of_calls(asking.box.tools)
        elif asking.numbered:
            options["form"] = NumberedChoice
            options["top_logprobs"] = _TOP if asking.scored else 0
        for left in reversed(range(_TRIES)):
            try:
                reply = await self._reply(turns, options)
                return _heard(asking, reply), turns
            except AnswerCut as error:
                return _heard(asking, Reply(text=error.said, finish="length")), turns
            except ContextOverflow:
                shorter = compacted(turns, tokens_of(turns) // 2)
                if not left or tokens_of(shorter) >= tokens_of(turns):
                    raise
                turns = shorter
        raise AssertionError("unreachable")

    async def _reply(self, turns: list[Turn], options: dict[str, Any]) -> Reply:
        """Ask the model, in a span of its own."""
        before = self.llm.usage.copy()
        with span(f"chat {self.llm.name}", client=True, gen_ai__operation__name="chat") as noting:
            noting.note(gen_ai__request__model=self.llm.name)
            noting.content(gen_ai__input__messages=turns[-1].content)
            reply = await self.llm.reply(turns, **options)
            used = self.llm.usage.minus(before)
            noting.note(
                gen_ai__response__finish_reasons=[reply.finish],
                gen_ai__usage__input_tokens=used.tokens_in,
                gen_ai__usage__output_tokens=used.tokens_out,
            )
            noting.content(gen_ai__output__messages=reply.text)
        return reply


def _heard(asking: Asking, reply: Reply) -> Heard:
    """Return what an answer names."""
    heard = _read(asking, reply)
    if reply.finish == "length" and heard.named.problem:
        said = f"the answer was cut, it was too long: answer shortly ({heard.named.problem})"
        return replace(heard, named=replace(heard.named, problem=said))
    return heard


def _read(asking: Asking, reply: Reply) -> Heard:
    box, step = asking.box, len(asking.at.history)
    said = reply.text or reply.reasoning
    if reply.uses:
        return Heard(reply, box.named(reply.uses[0]), reply.uses, "tool")
    if box.calls:
        use = use_in(said, step)
        if use is None or (box.speech is not None and not _known(box, use.name)):
            return Heard(reply, box.spoken(said, cut=reply.finish == "length"))
        return Heard(reply, box.named(use), (use,) if asking.form == "tool" else ())
    if asking.numbered:
        try:
            number = parse_object(said, NumberedChoice).number
            if number <= len(asking.listed):
                return Heard(reply, Named(asking.listed[number - 1]), way="number")
        except ValueError:
            pass
    return Heard(reply, box.worded(said, asking.listed if asking.form != "tool" else ()))


def _known(box: Toolbox, name: str) -> bool:
    """Return whether a tool is there; a JSON object in an answer need not be a call."""
    return any(spec.name == name for spec in box.tools)


def _scores(asking: Asking, heard: Heard) -> dict[str, float]:
    """Return log-probabilities of all listed actions; those of unlikely ones share what is left."""
    listed = asking.listed
    found = number_scores(heard.reply.top, len(listed))
    if not found:
        return {}
    gone = len(listed) - len(found)
    left = max(1e-6, 1 - sum(map(math.exp, found.values())))
    floor = min(math.log(left / gone), *found.values()) if gone else 0.0
    return {action: found.get(i, floor) for i, action in enumerate(listed, start=1)}


def _as_written(asking: Asking, heard: Heard, step: int) -> Turn:
    """Return an answer that cannot be used as the model wrote it."""
    reply = heard.reply
    if asking.form == "tool" and reply.uses:
        return Turn(role="assistant", content=reply.text, uses=reply.uses, step=step)
    said = reply.text or "(nothing)"
    return Turn(role="assistant", content=said, step=step)


def _numbered(uses: Sequence[ToolUse], step: int) -> tuple[ToolUse, ...]:
    """Return the calls behind the first, under names that no other call has."""
    return tuple(
        use.model_copy(update={"id": f"s{step:04d}p{number:03d}"})
        for number, use in enumerate(uses[1:], start=1)
        if use.arguments is not None
    )


def _written(reply: Reply) -> int:
    """Return about how many tokens an answer has, thoughts included."""
    uses = sum(len(use.text) for use in reply.uses)
    return (len(reply.text) + len(reply.reasoning) + uses) // 4


def _result(text: str, use: ToolUse, step: int) -> Turn:
    return Turn(role="tool", content=text, answers=use.id, step=step)


def _out_of_tokens(asking: Asking, spent: int) -> Opinion:
    said = f"the episode's tokens are spent: about {spent}"
    if not asking.at.actions:
        raise BudgetSpent(said)
    _log.warning("%s; the model is not asked any more", said)
    return SILENT_OPINION
