"""The agent: the frozen model, the policy and the planner over memory.

from lichen.agent import Agent
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .acting.policy import PolicyConfig
    from .agent import Agent
    from .config import AgentConfig, load_config
    from .episode.run_episode import EpisodeResult
    from .learned import LearnReport

__all__ = ["Agent", "AgentConfig", "EpisodeResult", "LearnReport", "PolicyConfig", "load_config"]

_HOMES = {
    "Agent": ".agent",
    "LearnReport": ".learned",
    "AgentConfig": ".config",
    "load_config": ".config",
    "EpisodeResult": ".episode.run_episode",
    "PolicyConfig": ".acting.policy",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import lichen.agent` itself stays instant."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name], __name__), name)
