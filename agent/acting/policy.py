"""The policy: pi_M(a|s) ~ pi_LLM(a|s, C_M(s)) exp(A_M(s, a) / beta), as a conditional logit over channels.

It takes a situation, a voice and weights, and returns one decision with its distribution. Before anything is
known of a model, its first choice stands; how much each channel counts after that is estimated (see
`memory.credit.channel_weights`). It knows nothing of graphs, environments or the store.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...envs.errors import EnvironmentFault
from ...envs.types import Record
from ...memory.credit.channel_weights import MODEL, ChannelWeights, Features
from ...memory.recall.value import PRIOR
from ..llm.errors import LLMNonsense
from ..llm.talking import Turn
from .channels import SPAN, bare, with_opinion
from .opinion import SILENT_OPINION, Opinion, Voice
from .priors import NO_MODEL
from .scoring_voice import ScoringVoice
from .situation import Situation


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
    """The channels of the policy."""

    llm: bool = True
    """Ask the frozen model; False: the value channel alone. Measured by the arm `knn`."""
    context: bool = True
    """Show retrieved cases in the prompt, C_M(s). Measured by the arm `-context`: 4 of 4 mapreader
    games without it, as with it."""
    value: bool = True
    """Weigh actions by what similar steps gained, A_M(s, a). Measured by the arm `-value`: 0 of 4
    mapreader games without it, 4 of 4 with it."""
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
    """KL(pi_M || pi_LLM) in nats over the options; None where one of the two is missing."""
    considered: int
    """How many actions were open."""
    scored: int
    """How many of them the model was asked about."""


@dataclass(frozen=True)
class Weighted:
    """A decision with all that was said: what is learned about the channels comes from here."""

    decision: Decision
    actions: tuple[str, ...]
    """The options."""
    features: Features
    """What each channel says of each, shape (n, channels)."""
    opinion: Opinion
    propensity: float
    """Probability with which the action was taken; 1 where nothing is sampled."""


class Policy:
    """Chooses one action.

    Args:
        config: Channels.
        voice: Asks the frozen model; None: it is not asked.
        weights: Of the channels.
        learns: Explore, as `config.explore` says: sample, and expect something of unknown actions.
    """

    def __init__(
        self,
        config: PolicyConfig,
        voice: Voice | None,
        weights: ChannelWeights = NO_MODEL.mean,
        *,
        learns: bool = False,
    ) -> None:
        self.config, self.voice, self.weights = config, voice, weights
        self.prior = config.explore.optimism if learns else PRIOR
        self._temperature = config.explore.temperature if learns else 0.0

    @property
    def talks(self) -> bool:
        """Whether a model is asked in a conversation, and may name what was not listed."""
        return self.voice is not None and not isinstance(self.voice, ScoringVoice)

    @property
    def shown(self) -> int:
        """How many cases the model is shown."""
        return self.config.shown if self.config.context else 0

    async def decide(self, at: Situation, talk: Sequence[Turn] = ()) -> Decision:
        """Return the action to take now; see `weighted`."""
        return (await self.weighted(at, talk)).decision

    async def weighted(
        self, at: Situation, talk: Sequence[Turn] = (), *, whole: bool = False
    ) -> Weighted:
        """Return the decision with what each channel says of each option.

        Args:
            at: The decision.
            talk: The conversation so far, of a model that talks.
            whole: Ask the model about all options, also about those that it could not bring to win.

        Raises:
            EnvironmentFault: Nothing can be done.
            LLMNonsense: Nothing can be chosen among, and the model named nothing.
        """
        actions = tuple(dict.fromkeys(at.written(a) for a in at.actions))
        if at.seen.admissible is not None and not actions:
            raise EnvironmentFault(
                f"{at.seen.task.id} offers no admissible action at step {at.seen.steps}"
            )
        rest = self._bare(at, actions)
        asked = range(len(actions)) if whole else self._contenders(rest)
        opinion = await self._opinion(at, actions, asked, talk, whole=whole)
        opinion = replace(opinion, named=at.written(opinion.named)) if opinion.named else opinion
        own = [a for a in (opinion.named, *opinion.scores) if a and a not in actions]
        if own:
            actions = tuple(dict.fromkeys((*actions, *own)))
            rest = self._bare(at, actions)
        if not actions and self.voice is None:  # nobody can name anything: nothing is done
            actions = ("",)
            rest = self._bare(at, actions)
        if not actions:
            raise LLMNonsense(f"{at.seen.task.id}: the model named nothing that can be done")
        features = with_opinion(actions, rest, opinion)
        spoke = opinion is not SILENT_OPINION
        theta = self.weights.vector
        prior_log = _log_softmax(features[:, :MODEL] @ theta[:MODEL])
        policy_log = _log_softmax(features @ theta)
        chosen, propensity = self._pick(policy_log, at.rng)
        kl = float(np.sum(np.exp(policy_log) * (policy_log - prior_log)))
        decision = Decision(
            action=actions[chosen],
            probability=float(np.exp(policy_log[chosen])),
            kl=kl if spoke else None,
            considered=len(actions),
            scored=len(asked) if spoke else 0,
        )
        return Weighted(decision, actions, features, opinion, propensity)

    def _bare(self, at: Situation, actions: Sequence[str]) -> Features:
        return bare(at, actions, value=self.config.value, prior=self.prior)

    def _contenders(self, rest: Features) -> Sequence[int]:
        """Return the rows that could be chosen whatever the model says: it need not be asked of others.

        The model gives an option at most `first` nats, and takes at most `scores * SPAN` from it.
        """
        if len(rest) == 0:
            return ()
        utility = rest @ self.weights.vector
        most = self.weights.first + self.weights.scores * SPAN
        rows: list[int] = np.flatnonzero(utility >= utility.max() - most).tolist()
        return rows

    async def _opinion(
        self,
        at: Situation,
        actions: Sequence[str],
        asked: Sequence[int],
        talk: Sequence[Turn],
        *,
        whole: bool,
    ) -> Opinion:
        """Return the model's opinion; a silent one where there is none to ask, or nothing to choose."""
        # nothing that it says would count, and there is something else to do
        mute = not whole and bool(actions) and self.weights.first == self.weights.scores == 0
        if self.voice is None or mute or (len(asked) < 2 and not self._writes(at)):
            return SILENT_OPINION
        if isinstance(self.voice, ScoringVoice):
            listed = [actions[i] for i in asked]
            return await self.voice.of(at, listed, writes=self._writes(at))
        return await self.voice.opinion(at, talk)

    def _writes(self, at: Situation) -> bool:
        """Return whether the model may name what is not listed, and its own word counts."""
        return at.seen.admissible is None or (at.seen.reworded and self.weights.first > 0)

    def _pick(self, log: NDArray[np.float64], rng: np.random.Generator) -> tuple[int, float]:
        """Return the row of the action, and the probability with which it is taken."""
        noise = rng.random(len(log))  # drawn always, so that one seed gives one stream in every arm
        if self._temperature == 0:
            return int(np.lexsort((noise, -np.round(log, 9)))[0]), 1.0
        gumbel = -np.log(-np.log(np.clip(noise, 1e-12, 1 - 1e-12)))
        row = int(np.argmax(log / self._temperature + gumbel))
        return row, float(np.exp(_log_softmax(log / self._temperature)[row]))


def _log_softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = x - x.max()
    out: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum())
    return out
