"""Memory: a ledger of events, the records that memory modules derive from it, and reads over them.

`Memory(folder)` is memory alone, for an agent of somebody else's. Inside Lichen: read with
`CaseMemory(store).read(...)`, `.episodes(...)` or `.find(...)`. Teach from demonstrations with
`import_demonstrations`. A new kind of memory is a `MemoryModule`, given to `Store(folder, modules=...)` or
offered by a package under the entry point group `lichen.memory`.
"""

from .kinds.ended_episode import EndedEpisode
from .kinds.installed import installed
from .kinds.module import MemoryModule, RecordKind
from .ledger import events
from .ledger.content_id import content_id
from .ledger.ledger import LedgerRow
from .ledger.records import (
    EpisodeCase,
    Hit,
    Hits,
    MemoryRecord,
    State,
    StepCase,
    SubtaskCase,
    Trust,
)
from .memory import Memory
from .recall.case_memory import CaseMemory
from .recall.retriever import RetrieverConfig
from .store.demonstrations import (
    DemonstratedStep,
    Demonstration,
    from_gold,
    import_demonstrations,
    read_jsonl,
)
from .store.store import Store
from .told.foreign_step import ForeignStep
from .told.reminder import RecalledCase, Reminder

__all__ = [
    "CaseMemory",
    "DemonstratedStep",
    "Demonstration",
    "EndedEpisode",
    "EpisodeCase",
    "Hit",
    "Hits",
    "ForeignStep",
    "LedgerRow",
    "Memory",
    "MemoryModule",
    "MemoryRecord",
    "RecalledCase",
    "RecordKind",
    "Reminder",
    "RetrieverConfig",
    "State",
    "StepCase",
    "Store",
    "SubtaskCase",
    "Trust",
    "content_id",
    "events",
    "from_gold",
    "import_demonstrations",
    "installed",
    "read_jsonl",
]
