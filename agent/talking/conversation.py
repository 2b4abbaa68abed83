"""The conversation of an episode: begun from the task, and only appended to.

An assistant's turn is the action as it was really taken, so what the model is shown is what happened. A turn
knows at which step it was written; so much of the history is already told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...memory.told.memory_block import memory_block
from ..acting.situation import Situation
from ..llm.talking import ToolUse, Turn
from ..prompts.rendering import render
from .call_form import use_in, written_spec, written_use
from .step_notes import step_notes
from .toolbox import ACT, Toolbox

Form = Literal["tool", "json", "words"]
"""How actions are written: native calls, calls as JSON, words."""
LISTED = 60
"""Actions that are listed; of more, one of each kind is."""
_CAN = "What can be done now:"
_NOTHING = "Nothing came of it."
_NOT_CALLED = "It was not called."


@dataclass(frozen=True)
class Asking:
    """How one decision is asked for."""

    box: Toolbox
    form: Form
    ask: str = ""
    """Said at the end of the turn."""
    instructions: str = ""
    """The user's own."""
    memory_tokens: int = 0
    """Of the block of what is remembered."""
    structured: bool = False
    """Whether answers can be held to a schema."""
    scored: bool = False
    """Whether log-probabilities come with them."""

    @property
    def at(self) -> Situation:
        """The decision."""
        return self.box.at

    @property
    def listed(self) -> tuple[str, ...]:
        """The actions that are listed, in order; empty where there are too many."""
        actions = self.box.actions
        return actions if len(actions) <= LISTED else ()

    @property
    def numbered(self) -> bool:
        """Whether an action is named by its number in the list, held to a schema."""
        every = not self.at.seen.reworded
        return self.form == "words" and self.structured and bool(self.listed) and every


def begun(asking: Asking) -> list[Turn]:
    """Return the conversation up to now, made from the history alone."""
    at, box = asking.at, asking.box
    remembered = memory_block(at.remembered, asking.memory_tokens)
    history = list(at.history)
    system = render(
        "talk_system",
        env=at.seen.task.env,
        form=asking.form,
        calls=box.calls,
        skills=box.skills,
        speaks=box.speech is not None,
        tools=bool(box.tools),
        endings=[s.name for s in box.tools if s.always or s.name == "finish"],
        remembers=bool(remembered or at.hits.hits or at.warned),
        instructions=asking.instructions.strip(),
    )
    written = [written_spec(spec) for spec in box.tools] if asking.form == "json" else []
    task = render(
        "talk_task",
        goal=at.seen.goal,
        specs=written,
        memory=remembered,
        opening=at.opening if history else _view(asking, [], at.state.text, told=True),
    )
    turns = [Turn(role="system", content=system), Turn(role="user", content=task)]
    return _with_steps(turns, asking, history, 0)


def continued(talk: Sequence[Turn], asking: Asking) -> list[Turn]:
    """Return a conversation with what happened since its last turn.

    A call that was named is answered; another action that was taken instead takes its place.
    """
    turns, at = list(talk), asking.at
    told = turns[-1].step
    if told > len(at.history):
        return begun(asking)
    came = list(at.history[told:])
    if turns[-1].role == "assistant" and not turns[-1].uses:
        meant = turns[-1].content.splitlines()[-1]
        if not came or meant == _worded(asking, came[0][0], told):
            answer = came[0][1] if came else _NOTHING
            turns.append(_answer(asking, turns, answer, told + len(came[:1]), last=len(came) < 2))
            return _with_steps(turns, asking, came[1:], told + 1)
        if len(came) > 1 and _is_skill(asking, meant):
            return [*turns, _answer(asking, turns, _all(came), told + len(came), last=True)]
        return _with_steps(turns[:-1], asking, came, told)
    waiting = waiting_uses(turns)
    if not waiting:
        return _with_steps(turns, asking, came, told)
    first = waiting[0]
    if not came:
        turns.append(_result(asking, turns, first, _NOTHING, told, last=True))
        return _given_up(turns, waiting[1:], _NOT_CALLED)
    taken = asking.box.use_of(came[0][0], told)
    if taken is not None and (taken.name, taken.arguments) == (first.name, first.arguments):
        last = len(came) == 1
        turns.append(_result(asking, turns, first, came[0][1], told + 1, last=last))
        if last:
            return turns
        return _with_steps(_given_up(turns, waiting[1:], _NOT_CALLED), asking, came[1:], told + 1)
    if len(came) > 1 and not _is_own(asking, first.name):
        turns.append(_result(asking, turns, first, _all(came), told + len(came), last=True))
        return _given_up(turns, waiting[1:], _NOT_CALLED)
    return _with_steps(_without(turns, waiting), asking, came, told)


def waiting_uses(turns: Sequence[Turn]) -> list[ToolUse]:
    """Return the calls of the last assistant's turn that are not answered yet."""
    answered: set[str] = set()
    for turn in reversed(turns):
        if turn.role == "assistant":
            return [use for use in turn.uses if use.id not in answered]
        answered.add(turn.answers)
    return []


def taken_turn(asking: Asking, action: str, step: int, thought: str = "") -> Turn:
    """Return an assistant's turn that takes an action."""
    if asking.form == "tool" and (use := asking.box.use_of(action, step)) is not None:
        return Turn(role="assistant", content=thought, uses=(use,), step=step)
    words = _worded(asking, action, step)
    return Turn(role="assistant", content=f"{thought}\n{words}".strip(), step=step)


def refused_turns(asking: Asking, made: Turn, complaint: str, step: int) -> list[Turn]:
    """Return what answers a turn that could not be used, call by call."""
    if asking.form == "tool" and made.uses:
        return [
            Turn(
                role="tool",
                content=f"Not called: {complaint}" if number == 0 else _NOT_CALLED,
                answers=use.id,
                step=step,
            )
            for number, use in enumerate(made.uses)
        ]
    return [Turn(role="user", content=f"{complaint}. {asking.ask or 'Try again.'}", step=step)]


def _with_steps(
    turns: list[Turn], asking: Asking, came: Sequence[tuple[str, str]], step: int
) -> list[Turn]:
    """Append steps that were taken, the last with what is seen now."""
    for number, (action, answer) in enumerate(came):
        made = taken_turn(asking, action, step + number)
        last = number == len(came) - 1
        turns = [*turns, made]
        if made.uses:
            turns.append(_result(asking, turns, made.uses[0], answer, step + number + 1, last=last))
        else:
            turns.append(_answer(asking, turns, answer, step + number + 1, last=last))
    return turns


def _result(
    asking: Asking, turns: Sequence[Turn], use: ToolUse, text: str, step: int, *, last: bool
) -> Turn:
    content = _view(asking, turns, text) if last else text or "(nothing)"
    return Turn(role="tool", content=content, answers=use.id, step=step)


def _answer(asking: Asking, turns: Sequence[Turn], text: str, step: int, *, last: bool) -> Turn:
    content = _view(asking, turns, text) if last else text or "(nothing)"
    return Turn(role="user", content=content, step=step)


def _view(asking: Asking, turns: Sequence[Turn], text: str, *, told: bool = False) -> str:
    """Return what is seen now, behind an answer.

    Args:
        turns: What was told before.
        text: The answer.
        told: Whether goal and tools are told anyway.
    """
    at = asking.at
    seen = at.state.text
    if seen.startswith(text.strip()):
        text = seen
    elif at.seen.look and at.seen.look not in text:
        text = f"{text}\n{at.seen.look}"
    known = told or any(at.seen.goal in turn.content for turn in turns)
    new = []
    if asking.form == "json" and not told:
        rows = [written_spec(spec) for spec in asking.box.tools]
        new = [row for row in rows if not any(row in turn.content for turn in turns)]
    listing = _listing(asking)
    if listing and any(turn.content for turn in turns):
        before = next((t.content for t in reversed(turns) if _CAN in t.content), "")
        if listing in before:
            listing = f"{_CAN} the same as before."
    thought = at.thought.words if at.thought.chat else ""
    return render(
        "talk_turn",
        text=text or "(nothing)",
        inventory="" if at.seen.inventory in text else at.seen.inventory,
        goal="" if known else at.seen.goal,
        specs=new,
        hint="; ".join(part for part in (at.hint, thought) if part),
        notes=step_notes(at),
        listing=listing,
        ask=asking.ask,
    )


def _listing(asking: Asking) -> str:
    box = asking.box
    if box.calls:
        return f"{_CAN} call a tool" + _skills(box) if box.actions else ""
    if not box.actions:
        return ""
    if asking.listed:
        numbers = asking.form != "tool"
        rows = [f"{i}. {a}" if numbers else f"- {a}" for i, a in enumerate(asking.listed, 1)]
        return "\n".join([_CAN, *rows])
    kinds: dict[str, list[str]] = {}
    for action in box.actions:
        kinds.setdefault(action.split(" ", 1)[0], []).append(action)
    rows = [
        f"- {'; '.join(held[:3])}"
        + (f"; and {len(held) - 3} more of this kind" if held[3:] else "")
        for held in kinds.values()
    ]
    return "\n".join([_CAN, *rows])


def _skills(box: Toolbox) -> str:
    return f", or a skill: {'; '.join(box.actions)}" if box.actions else ""


def _worded(asking: Asking, action: str, step: int) -> str:
    """Return an action as it is written where no native calls are."""
    if asking.form != "json":
        return action
    use = asking.box.use_of(action, step) or use_in(action, step)
    return written_use(use) if use is not None else action


def _all(came: Sequence[tuple[str, str]]) -> str:
    """Return the steps of a skill as what it answers."""
    return "\n".join(f"{action}: {answer}" for action, answer in came)


def _is_own(asking: Asking, tool: str) -> bool:
    """Return whether a tool is the environment's own, and no skill."""
    return tool == ACT.name or any(spec.name == tool for spec in asking.at.specs)


def _is_skill(asking: Asking, words: str) -> bool:
    """Return whether words call a skill, also one that is offered no more."""
    if asking.form == "json":
        use = use_in(words, 0)
        return use is not None and not _is_own(asking, use.name)
    return words.endswith(")") and "(" in words


def _given_up(turns: list[Turn], uses: Sequence[ToolUse], why: str) -> list[Turn]:
    """Answer calls that were not made."""
    step = turns[-1].step
    answers = [Turn(role="tool", content=why, answers=use.id, step=step) for use in uses]
    return [*turns[:-1], *answers, turns[-1]] if answers else turns


def _without(turns: list[Turn], waiting: Sequence[ToolUse]) -> list[Turn]:
    """Return a conversation without calls that wait for an answer, and without a turn that had no others."""
    at = max(i for i, turn in enumerate(turns) if turn.role == "assistant")
    gone = {use.id for use in waiting}
    uses = tuple(use for use in turns[at].uses if use.id not in gone)
    if not uses:
        return turns[:at]
    return [*turns[:at], turns[at].model_copy(update={"uses": uses}), *turns[at + 1 :]]
