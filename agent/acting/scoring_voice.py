"""The voice of a model that scores: a log-probability of every action, behind a completion prompt."""

from collections.abc import Collection, Sequence

import numpy as np

from ...memory.ledger.records import Hit, State
from ..llm.errors import LLMNonsense
from ..llm.protocol import FrozenLLM
from ..llm.talking import OnText, Turn
from ..llm.thought import choose
from ..prompts.rendering import render
from ..telemetry.spans import span
from .opinion import SILENT_OPINION, Opinion
from .situation import Situation

LONGEST = 40
"""Tokens of an action that a model writes."""
TIE = 1e-6
"""Nats within which two scores are equal."""


class ScoringVoice:
    """Asks a model for scores of actions.

    Args:
        llm: The frozen model.
        shown: Cases in the prompt.
        votes: Prompts, each with another part of the history, over which scores are averaged.
        instructions: What the prompt begins with.
    """

    def __init__(
        self, llm: FrozenLLM, *, shown: int, votes: int = 1, instructions: str = ""
    ) -> None:
        self.llm = llm
        self.shown, self.votes = shown, votes
        self.instructions = instructions.strip()

    def hear(self, on_text: OnText) -> None:
        """Tell nothing: scores are no words."""

    async def opinion(self, at: Situation, talk: Sequence[Turn] = ()) -> Opinion:
        """Return the model's scores of the situation's actions; see `Voice.opinion`."""
        return await self.of(at, at.actions, writes=at.seen.admissible is None)

    async def of(self, at: Situation, actions: Sequence[str], *, writes: bool = False) -> Opinion:
        """Return its scores of some of the actions and, where it writes too, of its own."""
        if writes and (own := await self._written(at)):
            actions = tuple(dict.fromkeys((*actions, own)))
        if not actions:
            return SILENT_OPINION
        # a skill is to the model what it begins with: its own text is no action that a model knows
        asked = {a: (at.favoured[a].first or a) if a in at.favoured else a for a in actions}
        texts = list(dict.fromkeys(asked.values()))
        options = [f" {text}\n" for text in texts]
        scores = []
        for turns in _windows(at.history, self.votes):
            prompt = self._prompt(at, turns)
            with span(f"score {self.llm.name}", gen_ai__request__model=self.llm.name):
                scores.append(await choose(self.llm, prompt, options, at.thought))
        said = dict(zip(texts, np.mean(scores, axis=0).tolist(), strict=True))
        found = {action: said[text] for action, text in asked.items()}
        best = max(found.values())
        firsts = [action for action, score in found.items() if best - score < TIE]
        return Opinion(named=firsts[0] if len(firsts) == 1 else "", scores=found)

    async def _written(self, at: Situation) -> str:
        """Return what the model writes itself; empty where it is no call that can be made."""
        prompt = self._prompt(at, recent_turns(at.history))
        try:
            text = await self.llm.complete(prompt, max_tokens=LONGEST, stop=("\n",))
        except LLMNonsense:
            return ""
        own = at.mended(" ".join(text.split()))
        return own if at.can(own) else ""

    def _prompt(self, at: Situation, turns: Sequence[tuple[str, str]]) -> str:
        hits = at.hits.hits
        return act_prompt(
            at.state,
            hits[: self.shown],
            turns,
            at.hint,
            refused=at.refused,
            instructions=self.instructions,
        )


def act_prompt(
    state: State,
    shown: Sequence[Hit],
    history: Sequence[tuple[str, str]],
    hint: str = "",
    *,
    refused: Collection[tuple[str, str]] = (),
    instructions: str = "",
) -> str:
    """Return the prompt whose options are actions.

    Only what gained something is called a good action; what was refused is called that, with the reason.

    Args:
        state: Where the policy is.
        shown: Cases in the prompt, best first.
        history: The part of the episode that is shown; see `recent_turns`.
        hint: The current subtask, when there is a plan.
        refused: Those turns of the episode that were refused.
        instructions: What the prompt begins with.
    """
    return render(
        "act",
        state=state,
        shown=[hit for hit in shown if hit.case.gain > 0 and not hit.case.error],
        failed=[hit for hit in shown if hit.case.error],
        history=history,
        hint=hint,
        refused=refused,
        instructions=instructions,
    )


def recent_turns(history: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Return the last 4 to 11 turns.

    The beginning moves 8 turns at a time, so that the prompts of 8 steps share their beginning, and with it
    the model's key-value cache.
    """
    return history[max(0, (len(history) - 4) // 8 * 8) :]


def _windows(history: Sequence[tuple[str, str]], votes: int) -> list[Sequence[tuple[str, str]]]:
    """Return the parts of the history that each vote sees: the usual one, then the last 0, 1, 2 ... turns."""
    return [recent_turns(history), *(history[len(history) - n :] for n in range(votes - 1))]
