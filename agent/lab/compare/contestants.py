"""The arms of a comparison by name: Lichen, the rivals, the trivial ones."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ....envs.base import Environment
from ....envs.errors import UsageError
from ....memory.likeness.embedder import Vectors
from ...config import AgentConfig
from ...llm.protocol import FrozenLLM
from ...llm.talking import TalkingLLM
from ..kernel.cells import named
from ..rivals.fact_store import FactStore
from ..rivals.in_context import InContext, InContextFull
from ..rivals.playbook_rival import AcePlaybook
from ..rivals.reasoning_bank import ReasoningBank
from ..rivals.rival import Rival, RivalTools
from ..rivals.rule_training import RULES
from ..rivals.voyager_retrieval import VoyagerRetrieval
from ..rivals.workflow_memory import WorkflowMemory
from .contender import Contender, LichenContender, RivalContender, RuleContender, store_of

RIVALS: Mapping[str, type[Rival]] = {
    kind.name: kind
    for kind in (
        InContext,
        InContextFull,
        AcePlaybook,
        ReasoningBank,
        WorkflowMemory,
        FactStore,
        VoyagerRetrieval,
    )
}
BRIEF = 800
"""Tokens of a rival's brief, about what memory shows: two cases, and what is known of tools."""
_SCORED = 5_000
"""Tokens that a model in this process reads in one prompt at most."""


class ArmEntry(NamedTuple):
    """An arm that can be asked for."""

    name: str
    asks: bool
    """Whether it asks the model."""
    stateless: str
    """The same without a memory: what its gain is measured against; empty: it is that itself."""

    @property
    def base(self) -> str:
        """The name without dials."""
        return self.name.partition(":")[0]


ENTRIES: Mapping[str, ArmEntry] = {
    entry.name: entry
    for entry in (
        ArmEntry("none", True, ""),
        ArmEntry("random", False, ""),
        ArmEntry("least-used", False, "random"),
        ArmEntry("action-table", False, "random"),
        ArmEntry("empty", False, ""),
        ArmEntry("knn", False, "empty"),
        ArmEntry("memory", True, "none"),
        ArmEntry("placebo", True, "none"),
        *(ArmEntry(name, True, "none") for name in RIVALS),
    )
}


class Opening(NamedTuple):
    """What contenders are opened with."""

    config: AgentConfig
    folder: Path
    llm: FrozenLLM | None
    environment: Environment
    fingerprint: str
    embed: Callable[[Sequence[str]], Vectors]
    """Encodes a text once: rivals look through all that they keep before every task."""


def find_entries(names: Sequence[str], *, llm: bool) -> list[ArmEntry]:
    """Return the arms of these names, each once, in this order.

    A rival's dials can follow its name (see `dials_in`).

    Raises:
        UnknownName: There is no such arm or dial.
        UsageError: It asks a model, and none is to be asked; a dial is set to no number.
    """
    found = []
    for name in dict.fromkeys(names):
        (entry,) = named("arm", [name.partition(":")[0]], ENTRIES)
        dials_in(name)  # refused now, before anything is opened
        found.append(entry._replace(name=name))
    asking = [entry.name for entry in found if entry.asks and not llm]
    if asking:
        free = ", ".join(entry.name for entry in ENTRIES.values() if not entry.asks)
        raise UsageError(
            f"{', '.join(asking)}: no model is to be asked (--no-llm)",
            hint=f"Arms without a model: {free}.",
        )
    return found


def open_contender(entry: ArmEntry, opening: Opening) -> Contender:
    """Open one arm on its own store."""
    config = opening.config.model_copy(update={"store": store_of(opening.folder, entry.name)})
    llm = opening.llm if entry.asks else None
    common = (entry.name, config, llm, opening.environment, opening.fingerprint)
    if entry.base in RIVALS:
        rival = RIVALS[entry.base](_tools(opening), dials_in(entry.name))
        return RivalContender(rival, *common)
    if entry.name in RULES:
        return RuleContender(RULES[entry.name], *common)
    kind = LichenContender if entry.name in ("knn", "memory", "placebo") else Contender
    return kind(*common)


def dials_in(name: str) -> dict[str, float]:
    """Return the dials that the name of an arm sets, as `ace:alike=0.7:added=2` does.

    Raises:
        UnknownName: The arm has no such dial.
        UsageError: What it is set to is no number, or the arm has no dials.
    """
    base, *given = name.split(":")
    known = RIVALS[base].dials if base in RIVALS else {}
    if given and not known:
        raise UsageError(f"{base} has no dials", hint=f"Say it as {base}.")
    found: dict[str, float] = {}
    for one in given:
        dial, _, value = one.partition("=")
        named(f"dial of {base}", [dial], known)
        try:
            found[dial] = float(value)
        except ValueError as error:
            raise UsageError(
                f"{one}: {value or 'nothing'} is no number",
                hint=f"Say it as {base}:{dial}={known[dial]}.",
            ) from error
    return found


def _tools(opening: Opening) -> RivalTools:
    talks = isinstance(opening.llm, TalkingLLM)
    return RivalTools(
        llm=opening.llm,
        embed=opening.embed,
        tokens=BRIEF,
        context=opening.config.talk.context_tokens * 2 // 3 if talks else _SCORED,
        seed=opening.config.seed,
    )
