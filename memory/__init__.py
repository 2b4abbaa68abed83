"""Memory: the ledger, the cases folded from it, and reads over them."""

from .ledger.records import EpisodeCase, Hit, Hits, State, StepCase
from .recall.case_memory import CaseMemory
from .recall.retriever import RetrieverConfig
from .store.demonstrations import Demonstration, from_gold, import_demonstrations, read_jsonl
from .store.store import Store

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
