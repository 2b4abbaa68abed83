"""What needs a person: proposals, edits by hand, what was quarantined, tools that changed."""

from .....envs.errors import BadFile
from .....envs.types import Record
from .....memory.ledger.records import EpisodeCase
from .....memory.store.store import Store
from ....skill_actions.open_library import OpenLibrary
from ....softcot.gate_record import outgrown, read_gate
from ....softcot.soft_config import FOLDER as HINTS
from ...http.keys import Key
from .inspected import Inspected


class Waiting(Record):
    """One thing that waits for a person."""

    count: int
    what: str
    do: str
    """What a person does about it."""
    path: str
    """The page where it is done."""


async def wanted(inspected: Inspected, key: Key) -> list[Waiting]:
    """Return what waits, the gravest first."""

    def of_store(store: Store) -> int:
        return sum(
            trust == "quarantined"
            for id, trust in store.quarantined.items()
            if isinstance(case := store.case(id), EpisodeCase) and key.owns(case.namespace)
        )

    def of_library(opened: OpenLibrary) -> dict[str, int]:
        library = opened.library
        return {
            **{
                s: len(library.repository.folders(s)) for s in ("proposals", "drafts", "quarantine")
            },
            "edited": len(library.edited()),
            "broken": len(library.broken),
        }

    def stale_gate(store: Store) -> bool:
        folder = inspected.config.softcot.folder or store.folder / HINTS
        if key.namespace or not (folder / "projection.safetensors").exists():
            return False
        try:
            found = read_gate(folder)
        except BadFile:
            return True
        fixed = inspected.config.softcot.folder is not None
        return found is None or (
            not fixed and outgrown(found.measured[-1], store.episodes.values())
        )

    quarantined = await inspected.look(of_store)
    stale = await inspected.look(stale_gate)
    shelves = await inspected.skills(of_library) if inspected.has_library else {}
    asking = sum(bool(line.waits) and key.owns(line.namespace) for line in inspected.log.lines())
    rows = (
        (asking, "calls wait for approval", "Approve or refuse them", "episodes?outcome=waiting"),
        (shelves.get("broken", 0), "skills cannot be read", "Mend or remove their files", "skills"),
        (
            shelves.get("proposals", 0),
            "skills are proposed",
            "Approve or reject them",
            "skills?shelf=proposals",
        ),
        (shelves.get("edited", 0), "skills were edited by hand", "Approve the edits", "skills"),
        (
            shelves.get("quarantine", 0),
            "skills are in quarantine",
            "Approve or retire them",
            "skills?shelf=quarantine",
        ),
        (
            quarantined,
            "episodes are quarantined",
            "Verify them again, release or forget them",
            "memory?trust=quarantined",
        ),
        (
            int(stale),
            "gate of hints is stale, so they are off",
            "Measure it again: lichen softcot gate",
            "settings",
        ),
        (
            shelves.get("drafts", 0),
            "skills are drafts",
            "Finish or reject them",
            "skills?shelf=drafts",
        ),
    )
    return [Waiting(count=n, what=w, do=d, path=p) for n, w, d, p in rows if n]
