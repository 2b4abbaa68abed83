"""The agent: the frozen model, the policy and the planner over memory.

from lichen.agent import Agent

What is listed here is the public face; `docs/embed.md` says what is stable. Everything else may move.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .acting.policy import PolicyConfig
    from .agent import Agent
    from .asking.answer import (
        Answer,
        AnswerGiven,
        AskEvent,
        CasesRecalled,
        TextDelta,
        ThoughtTold,
        ToolAnswered,
        ToolCalled,
    )
    from .asking.answering import Unanswered
    from .asking.budget import AskBudget, Budget
    from .config import AgentConfig, load_config
    from .doors.http.app import asgi_app
    from .doors.mcp.mcp_servers import McpServer
    from .doors.mcp.mcp_tools import mcp_tools
    from .episode.run_episode import EpisodeResult
    from .llm.errors import LLMNonsense, LLMRefused, LLMUnavailable
    from .llm.protocol import FrozenLLM, LogProbs, Message, SteerableLLM, Usage
    from .llm.scripted_llm import ScriptedLLM
    from .runs import LearnReport

__all__ = [
    "Agent",
    "AgentConfig",
    "Answer",
    "AnswerGiven",
    "AskBudget",
    "AskEvent",
    "Budget",
    "CasesRecalled",
    "EpisodeResult",
    "FrozenLLM",
    "LLMNonsense",
    "LLMRefused",
    "LLMUnavailable",
    "LearnReport",
    "LogProbs",
    "McpServer",
    "Message",
    "PolicyConfig",
    "ScriptedLLM",
    "SteerableLLM",
    "TextDelta",
    "ThoughtTold",
    "ToolAnswered",
    "ToolCalled",
    "Unanswered",
    "Usage",
    "asgi_app",
    "load_config",
    "mcp_tools",
]

_HOMES = {
    "Agent": ".agent",
    "AgentConfig": ".config",
    "Answer": ".asking.answer",
    "AnswerGiven": ".asking.answer",
    "AskBudget": ".asking.budget",
    "AskEvent": ".asking.answer",
    "Budget": ".asking.budget",
    "CasesRecalled": ".asking.answer",
    "EpisodeResult": ".episode.run_episode",
    "FrozenLLM": ".llm.protocol",
    "LLMNonsense": ".llm.errors",
    "LLMRefused": ".llm.errors",
    "LLMUnavailable": ".llm.errors",
    "LearnReport": ".runs",
    "LogProbs": ".llm.protocol",
    "McpServer": ".doors.mcp.mcp_servers",
    "Message": ".llm.protocol",
    "PolicyConfig": ".acting.policy",
    "ScriptedLLM": ".llm.scripted_llm",
    "SteerableLLM": ".llm.protocol",
    "TextDelta": ".asking.answer",
    "ThoughtTold": ".asking.answer",
    "ToolAnswered": ".asking.answer",
    "ToolCalled": ".asking.answer",
    "Unanswered": ".asking.answering",
    "Usage": ".llm.protocol",
    "asgi_app": ".doors.http.app",
    "load_config": ".config",
    "mcp_tools": ".doors.mcp.mcp_tools",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import lichen.agent` itself stays instant."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name], __name__), name)
