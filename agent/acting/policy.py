"""The policy: pi_M(a|s) ~ pi_LLM(a|s, C_M(s)) exp(A_M(s, a) / beta), over the admissible actions.

It takes a situation and a frozen model, and returns one decision with its distribution. It knows nothing of
graphs, environments or the store.
"""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...envs.errors import EnvironmentFault
from ...envs.types import Observation, Record
from ...memory.ledger.records import Hit, Hits, State
from ...memory.likeness.analogy import entities, words
from ...memory.likeness.states import state_of
from ...memory.recall.value import PRIOR, advantages
from ..llm.protocol import FrozenLLM
from ..llm.thought import SILENT, Thought, choose
from ..prompts.rendering import render
from .working_memory import WorkingMemory

WARNED = 3.0
"""Nats taken from a call that tool memory knows to fail."""


class Exploration(Record):
    """How learning episodes differ from acting: they also try what memory does not know to be good."""

    llm: bool = True
    """Ask the frozen model too in learning episodes. Measured: without it, own experience alone
    reached 0.55 and 0.58 on 60 dev games of mapreader, since a small model's few favourites keep
    the agent from seeing what other actions bring."""
    optimism: float = Field(default=0.2, ge=0, le=1)
    """Gain expected in learning episodes of an action that nothing is known about (q0; optimistic
    initial values, Sutton and Barto 2018, section 2.6). Not measured by itself."""
    temperature: float = Field(default=0.5, ge=0)
    """Learning episodes sample from pi_M with this temperature; 0 takes the best. Not measured by
    itself."""


class PolicyConfig(Record):
    """The channels of the policy and their settings."""

    llm: bool = True
    """Ask the frozen model; False: the value channel alone. Measured by the arm `knn`."""
    context: bool = True
    """Show retrieved cases in the prompt, C_M(s). Measured by the arm `-context`: 4 of 4 mapreader
    games without it, as with it."""
    value: bool = True
    """Weigh actions by what similar steps gained, A_M(s, a). Measured by the arm `-value`: 0 of 4
    mapreader games without it, 4 of 4 with it."""
    beta: float = Field(default=0.1, gt=0)
    """Temperature of the value channel; smaller trusts memory more. Hand-set, not measured by
    itself."""
    llm_temperature: float = Field(default=6.0, gt=0)
    """Temperature at which pi_LLM is taken: a small model's scores of whole strings are far too
    sharp. Hand-set; measured: at it a perfect served model scores 0 of 24 games without memory."""
    repetition: float = Field(default=3.0, ge=0)
    """Nats taken from an action for every try that told nothing new. Hand-set, not measured by
    itself."""
    novelty: float = Field(default=3.0, ge=0)
    """Nats given to a way that was never taken, less to one that leads towards it. Hand-set, not
    measured by itself."""
    candidates: int = Field(default=16, ge=1)
    """Actions that the model scores; more are filtered by memory and words. Measured: on ALFWorld
    without memory the expert's action was among them at 17 of 494 decisions."""
    margin: float = Field(default=2.0, gt=0)
    """Nats behind the best, before the model is asked, beyond which an action is filtered; where
    one is left the model is not asked. Hand-set, not measured by itself."""
    calls: Literal["choice", "free"] = "choice"
    """`choice`: the model chooses among candidate calls; `free`: it writes them. Measured: the
    right call is among the candidates at 59% of BFCL's gold steps, 68% with tool memory."""
    votes: int = Field(default=1, ge=1)
    """Prompts, each with another part of the history, over which scores are averaged. Measured by
    the arm `budget`: 0.04 on twx-all against 0.33 with memory for the same tokens."""
    shown: int = Field(default=2, ge=0)
    """Cases in the prompt. Not measured by itself; 0 is the arm `-context`."""
    explore: Exploration = Field(default_factory=Exploration)
    """Of learning episodes."""

    def exploring(self) -> "PolicyConfig":
        """Return the policy of a learning episode."""
        return self.model_copy(update={"llm": self.llm and self.explore.llm})


class Decision(Record):
    """One action and why."""

    action: str
    probability: float
    """pi_M of the action."""
    kl: float | None
    """KL(pi_M || pi_LLM) in nats over the candidates; None where one of the two is missing."""
    considered: int
    """How many actions were admissible."""
    scored: int
    """How many of them the model scored."""


class Favour(NamedTuple):
    """What a call of a skill has before the policy looks at it."""

    first: str
    """The action it begins with; empty where that is not known."""
    nats: float
    """Given over that action."""


@dataclass(frozen=True)
class Situation:
    """All that one decision is made from; `situation` assembles it."""

    seen: Observation
    """The last observation; its admissible actions are what is chosen among."""
    state: State
    """The same as memory sees it."""
    hits: Hits
    """What was recalled."""
    rng: np.random.Generator
    """Breaks ties, and samples in learning episodes."""
    working: WorkingMemory
    """What was tried in this episode."""
    history: Sequence[tuple[str, str]] = ()
    """(action, answer) pairs of this episode, oldest first."""
    hint: str = ""
    """The current subtask, when there is a plan."""
    thought: Thought = SILENT
    """The assistant's, read behind the prompt; silent: the model alone, bit for bit."""
    warned: Collection[str] = ()
    """Actions that tool memory knows to fail."""
    favoured: Mapping[str, Favour] = field(default_factory=dict)
    """Calls of skills among the actions: memory and novelty know single actions only."""


def situation(
    seen: Observation,
    actions: Sequence[str],
    hits: Hits,
    *,
    seed: int,
    working: WorkingMemory | None = None,
    history: Sequence[tuple[str, str]] = (),
    hint: str = "",
    thought: Thought = SILENT,
    warned: Collection[str] = (),
    favoured: Mapping[str, Favour] | None = None,
) -> Situation:
    """Assemble what a decision is made from, after some actions of an episode.

    The one assembly: episodes, the continual protocol and the certificate's anchors all use it.

    Args:
        seen: The last observation.
        actions: Taken so far, oldest first.
        hits: What was recalled.
        seed: Of the run; the generator of the decision follows from it, the task and the step.
        working: What was tried in this episode; None: nothing yet.
        history: (action, answer) pairs of this episode, oldest first.
        hint: The current subtask, when there is a plan.
        thought: The assistant's.
        warned: Actions that tool memory knows to fail.
        favoured: Calls of skills that are offered besides the environment's actions.
    """
    favoured = favoured or {}
    known = state_of(seen, actions)
    if favoured:
        open_to = tuple(sorted({*(seen.admissible or ()), *favoured}))
        seen = seen.model_copy(update={"admissible": open_to})
    return Situation(
        seen=seen,
        state=known,
        hits=hits,
        rng=step_rng(seed, seen.task.id, len(actions)),
        working=working or WorkingMemory(),
        history=history,
        hint=hint,
        thought=thought,
        warned=warned,
        favoured=favoured,
    )


def step_rng(seed: int, task_id: str, step: int) -> np.random.Generator:
    """Return the generator of one decision: the same after a resume, and in every arm."""
    return np.random.default_rng([seed, zlib.crc32(task_id.encode()), step])


def act_prompt(
    state: State, shown: Sequence[Hit], history: Sequence[tuple[str, str]], hint: str = ""
) -> str:
    """Return the prompt whose options are actions.

    Args:
        state: Where the policy is.
        shown: Cases in the prompt, best first.
        history: The part of the episode that is shown; see `recent_turns`.
        hint: The current subtask, when there is a plan.
    """
    return render("act", state=state, shown=shown, history=history, hint=hint)


class Policy:
    """Chooses one action.

    Args:
        config: Channels and dials.
        llm: The frozen model; may be None when `config.llm` is False.
        learns: Explore, as `config.explore` says: sample, and expect something of unknown actions.
    """

    def __init__(
        self, config: PolicyConfig, llm: FrozenLLM | None, *, learns: bool = False
    ) -> None:
        self.config = config
        self.llm = llm
        self._prior = config.explore.optimism if learns else PRIOR
        self._temperature = config.explore.temperature if learns else 0.0

    async def decide(self, at: Situation) -> Decision:
        """Return the action to take now.

        Raises:
            EnvironmentFault: No action is admissible.
        """
        admissible = list(at.seen.admissible or ())
        if not admissible:
            raise EnvironmentFault(
                f"{at.seen.task.id} offers no admissible action at step {at.seen.steps}"
            )
        gain = self._gains(at, admissible)
        keep = self._filter(admissible, gain, at.state, at.rng)
        actions, gain = [admissible[i] for i in keep], gain[keep]
        prior = np.zeros(len(actions))
        asked = self.llm if self.config.llm and len(actions) > 1 else None
        if asked is not None:
            prior = await self._scores(at, actions, asked)
        prior_log = _log_softmax(prior)
        policy_log = _log_softmax(prior_log + gain)
        kl = float(np.sum(np.exp(policy_log) * (policy_log - prior_log)))
        chosen = self._pick(policy_log, at.rng)
        return Decision(
            action=actions[chosen],
            probability=float(np.exp(policy_log[chosen])),
            kl=kl if asked is not None else None,
            considered=len(admissible),
            scored=len(actions) if asked is not None else 0,
        )

    def _gains(self, at: Situation, admissible: Sequence[str]) -> NDArray[np.float64]:
        """Return the nats that memory and this episode give to each action, shape (n,)."""
        config = self.config
        gain = (
            advantages(at.state, at.hits, admissible, prior=self._prior) / config.beta
            if config.value
            else np.zeros(len(admissible))
        )
        gain = gain - config.repetition * at.working.repetitions(at.seen, admissible)
        gain = gain - WARNED * np.array([float(a in at.warned) for a in admissible])
        gain = gain + config.novelty * at.working.novelty(at.seen, admissible)
        return _with_skills(admissible, gain, at.favoured) if at.favoured else gain

    async def _scores(
        self, at: Situation, actions: Sequence[str], llm: FrozenLLM
    ) -> NDArray[np.float64]:
        """Return the model's scores of the candidates at its temperature, nats, shape (n,)."""
        shown = at.hits.hits[: self.config.shown] if self.config.context else ()
        # a skill is to the model what it begins with: its own text is no action that a model knows
        asked = [at.favoured[a].first or a if a in at.favoured else a for a in actions]
        texts = list(dict.fromkeys(asked))
        options = [f" {a}\n" for a in texts]
        scores = []
        for turns in _windows(at.history, self.config.votes):
            prompt = act_prompt(at.state, shown, turns, at.hint)
            scores.append(await choose(llm, prompt, options, at.thought))
        said = dict(zip(texts, np.mean(scores, axis=0) / self.config.llm_temperature, strict=True))
        return np.array([said[a] for a in asked])

    def _pick(self, log: NDArray[np.float64], rng: np.random.Generator) -> int:
        noise = rng.random(len(log))  # drawn always, so that one seed gives one stream in every arm
        if self._temperature == 0:
            return int(np.lexsort((noise, -np.round(log, 9)))[0])
        gumbel = -np.log(-np.log(np.clip(noise, 1e-12, 1 - 1e-12)))
        return int(np.argmax(log / self._temperature + gumbel))

    def _filter(
        self,
        admissible: Sequence[str],
        gain: NDArray[np.float64],
        state: State,
        rng: np.random.Generator,
    ) -> NDArray[np.intp]:
        """Return the rows of the candidates: best by memory, then by words shared with goal and view."""
        near = gain >= gain.max() - self.config.margin
        if near.sum() <= self.config.candidates:
            return np.flatnonzero(near)
        named, around = entities(state.goal), set(words(state.text))
        match = np.array(
            [len(named & set(words(a))) + 0.1 * len(around & set(words(a))) for a in admissible]
        )
        order = np.lexsort((rng.random(len(admissible)), -match, -np.round(gain, 9)))
        return np.sort(order[: self.config.candidates])


def recent_turns(history: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Return the last 4 to 11 turns.

    The beginning moves 8 turns at a time, so that the prompts of 8 steps share their beginning, and with it
    the model's key-value cache.
    """
    return history[max(0, (len(history) - 4) // 8 * 8) :]


def _windows(history: Sequence[tuple[str, str]], votes: int) -> list[Sequence[tuple[str, str]]]:
    """Return the parts of the history that each vote sees: the usual one, then the last 0, 1, 2 ... turns."""
    return [recent_turns(history), *(history[len(history) - n :] for n in range(votes - 1))]


def _with_skills(
    admissible: Sequence[str],
    gain: NDArray[np.float64],
    favoured: Mapping[str, Favour],
) -> NDArray[np.float64]:
    """Return gains with those of skills: that of the action they begin with (or the middle one), and theirs."""
    known = {a: g for a, g in zip(admissible, gain, strict=True) if a not in favoured}
    middle = float(np.median(list(known.values()))) if known else 0.0
    return np.array(
        [
            known.get(favoured[a].first, middle) + favoured[a].nats if a in favoured else g
            for a, g in zip(admissible, gain, strict=True)
        ]
    )


def _log_softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = x - x.max()
    out: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum())
    return out
