"""Frozen language models behind one protocol: local through transformers, remote through the openai client."""

from .open_llm import open_llm
from .protocol import FrozenLLM, LogProbs, Message, Usage
from .scripted_llm import ScriptedLLM

__all__ = ["FrozenLLM", "LogProbs", "Message", "ScriptedLLM", "Usage", "open_llm"]
