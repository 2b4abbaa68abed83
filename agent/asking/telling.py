"""What is told of a request while it is answered, from the nodes of its graph."""

from collections.abc import Callable, Sequence
from typing import Any

from ...envs.errors import UsageError
from ...envs.functions import FINISH
from ...envs.text import shortened
from ...envs.tools import read_call
from ..episode.stage import Stage
from .answer import AskEvent, CasesRecalled, TextDelta, ThoughtTold, ToolAnswered, ToolCalled

Told = Callable[[AskEvent], None]
"""Takes events in the order in which they happen."""
_LETTERS = 300


class Telling:
    """Turns what nodes change into events.

    Args:
        tell: Takes them; None: nobody listens.
        answer: Id of the answer that is being made.
    """

    def __init__(self, tell: Told | None, answer: str = "") -> None:
        self._tell, self._answer = tell, answer
        self._stage: Stage | None = None
        self._recalled = False
        self.calls: list[tuple[str, str]] = []
        """(call, what came back) so far."""
        self.steps = 0

    def watch(self, stage: Stage) -> None:
        """Take the stage of the episode."""
        self._stage = stage

    def node(self, name: str, change: dict[str, Any]) -> None:
        """Take what a node changed; see `run_episode`'s `on_event`.

        What a node recalled or thought is in no checkpoint: after a resume its change may come without it.
        """
        if name == "text":
            self._say(TextDelta(text=change["text"]))
        elif name == "recall" and not self._recalled and "recalled" in change:
            self._recalled = True
            told = change["recalled"].remembered
            near = {read.id: read.similarity for read in told.read}
            cases = [(w.case.id, w.case.goal, near.get(w.case.id, 0.0)) for w in told.cases]
            self._say(CasesRecalled(cases=tuple(cases), answer=self._answer))
        elif name == "assist" and "thought" in change and change["thought"].words:
            self._say(ThoughtTold(text=change["thought"].words))
        elif name == "act":
            self._chosen(change["action"])
        elif name == "observe":
            self._came()

    def _chosen(self, action: str) -> None:
        assert self._stage is not None
        try:
            call = read_call(action, self._stage.environment.tools())
        except UsageError:
            return
        if call.tool != FINISH.name:
            self._say(ToolCalled(tool=call.tool, arguments=call.arguments, call=action))

    def _came(self) -> None:
        assert self._stage is not None
        for action, answer in self._stage.history[self.steps :]:
            self.steps += 1
            if answer_of(action) is not None:
                continue
            self.calls.append((action, answer))
            failed = (action, answer) in self._stage.refused
            self._say(ToolAnswered(call=action, text=answer, failed=failed))

    def _say(self, event: AskEvent) -> None:
        if self._tell is not None:
            self._tell(event)


def answer_of(action: str) -> str | None:
    """Return the answer that an action gives, None where it gives none."""
    try:
        return str(read_call(action, [FINISH]).arguments["answer"])
    except UsageError:
        return None


def answer_in(actions: Sequence[str]) -> str | None:
    """Return the answer that an episode ended with, None where it has none."""
    return answer_of(actions[-1]) if actions else None


def partial(stopped: str, calls: Sequence[tuple[str, str]]) -> str:
    """Return an honest answer of a request that was stopped before its end."""
    said = f"I could not finish this: {stopped}."
    if not calls:
        return f"{said} Nothing was done yet."
    done = [f"- {call}: {shortened(answer, _LETTERS)}" for call, answer in calls]
    return "\n".join([f"{said} This was done so far:", *done])
