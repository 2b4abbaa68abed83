"""What waits for a person under a name: an edit by hand, a proposal, a draft, something in quarantine."""

from .errors import UnknownSkill
from .library import SHELVES, Library, Shelf
from .types import Skill

_ORDER: tuple[Shelf, ...] = ("proposals", "drafts", "quarantine", "archive")


def waiting(library: Library, name: str) -> Skill:
    """Return what waits under a name; an edit by hand goes before what was committed.

    Raises:
        UnknownSkill: Nothing waits.
        BadSkill: The folder is no skill.
    """
    library.all()
    by_hand = [s for s in SHELVES if name in library.repository.changed_on_disk(s)]
    shelf: Shelf | None = "skills" if name in library.broken else next(iter(by_hand), None)
    if shelf is not None and (library.root / shelf / name).is_dir():
        return library.undrafted(library.on_disk(name, shelf))
    for shelf in _ORDER:
        found = library.all(shelf)
        if name in found:
            return library.undrafted(found[name])
    raise UnknownSkill(f"nothing waits under the name {name!r}")
