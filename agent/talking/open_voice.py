"""Which voice asks a model: a model that talks is asked in a conversation, another for scores."""

from ..acting.opinion import Voice
from ..acting.policy import PolicyConfig
from ..acting.scoring_voice import ScoringVoice
from ..llm.chatting import ChattingLLM
from ..llm.protocol import FrozenLLM
from ..llm.talking import TalkingLLM
from .budget import TalkConfig
from .talking_voice import TalkingVoice


def open_voice(
    llm: FrozenLLM,
    config: PolicyConfig,
    talk: TalkConfig | None = None,
    *,
    instructions: str = "",
    speaks: bool = False,
) -> Voice:
    """Return what asks this model.

    Args:
        llm: The frozen model.
        config: Of the policy.
        talk: What a conversation may cost.
        instructions: The user's own, and the playbook's.
        speaks: Whether the model's words are answers: one that only chats is asked in a conversation too.
    """
    if speaks and not isinstance(llm, TalkingLLM):
        llm = ChattingLLM(llm)
    if isinstance(llm, TalkingLLM):
        return TalkingVoice(llm, talk, instructions=instructions)
    shown = config.shown if config.context else 0
    return ScoringVoice(llm, shown=shown, votes=config.votes, instructions=instructions)
