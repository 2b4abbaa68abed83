"""Which memory modules a store has: the six of Lichen, and those of installed packages."""

from collections.abc import Sequence
from importlib.metadata import entry_points

from ...envs.errors import UsageError
from .case_module import CaseModule
from .channel_module import ChannelModule
from .curation_module import CurationModule
from .module import MemoryModule
from .playbook_module import PlaybookModule
from .subtask_module import SubtaskModule
from .tool_module import ToolModule

GROUP = "lichen.memory"
SHIPPED: tuple[type[MemoryModule], ...] = (
    CaseModule,
    SubtaskModule,
    ToolModule,
    ChannelModule,
    CurationModule,
    PlaybookModule,
)


def installed() -> tuple[type[MemoryModule], ...]:
    """Return the modules of Lichen, then those of other packages by their entry points' names.

    Raises:
        UsageError: One of them cannot be imported.
    """
    found = list(SHIPPED)
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            found.append(point.load())
        except (ImportError, AttributeError) as error:
            raise UsageError(
                f"the memory module {point.name!r} ({point.value}) cannot be loaded: {error}",
                hint="Mend or remove the package that offers it.",
            ) from error
    return tuple(found)


def make(modules: Sequence[type[MemoryModule]]) -> tuple[MemoryModule, ...]:
    """Return fresh modules.

    Raises:
        UsageError: Two have one name, two derive records of one name, or cases are missing.
    """
    names = [module.name for module in modules]
    kinds = [kind.name for module in modules for kind in module.kinds]
    records = [kind.record.__name__ for module in modules for kind in module.kinds]
    for said in (names, kinds, records):
        if twice := sorted({name for name in said if said.count(name) > 1}):
            raise UsageError(f"two memory modules claim the name {twice[0]!r}")
    if CaseModule not in modules:
        raise UsageError(
            "a store without cases cannot evict or forget episodes",
            hint="Add to the modules of `installed()` rather than leaving them out.",
        )
    return tuple(module() for module in modules)
