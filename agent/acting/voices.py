"""Which voice asks a model: a model that talks is asked in a conversation, another for scores."""

from ..llm.protocol import FrozenLLM
from .opinion import Voice
from .policy import PolicyConfig
from .scoring_voice import ScoringVoice


def open_voice(llm: FrozenLLM, config: PolicyConfig) -> Voice:
    """Return what asks this model."""
    shown = config.shown if config.context else 0
    return ScoringVoice(llm, shown=shown, votes=config.votes)
