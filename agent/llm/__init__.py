"""Frozen language models behind one protocol: local through transformers, remote through the openai client."""

from .protocol import FrozenLLM, LogProbs, Message, Usage
from .registry import open_llm
from .scripted import ScriptedLLM

__all__ = ["FrozenLLM", "LogProbs", "Message", "ScriptedLLM", "Usage", "open_llm"]
