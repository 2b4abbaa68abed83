"""Memory: the ledger, the cases folded from it, and reads over them."""

from .cases import CaseMemory
from .demonstrations import Demonstration, from_gold, import_demonstrations, read_jsonl
from .retriever import RetrieverConfig
from .store import Store
from .types import EpisodeCase, Hit, Hits, State, StepCase

__all__ = [
    "CaseMemory",
    "Demonstration",
    "EpisodeCase",
    "Hit",
    "Hits",
    "RetrieverConfig",
    "State",
    "StepCase",
    "Store",
    "from_gold",
    "import_demonstrations",
    "read_jsonl",
]
