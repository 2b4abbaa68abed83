"""Contracts of tools over time: what was learned under another contract than now's is quarantined.

A contract is a tool's name, parameters and version (`envs.tools`). State = fold(events): the contract of
every tool as it was seen last, and which episodes were replayed under it since.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...envs.tools import Call
from ..ledger.events import ContractSeen, Reverified
from ..ledger.ledger import LedgerRow
from ..ledger.records import EpisodeCase, StepCase, SubtaskCase, Trust
from .module import Held, MemoryModule


class ToolModule(MemoryModule):
    """Knows the contracts of tools, and distrusts what was learned under another one.

    It derives no records of its own: what calls came to is read from the step cases (`tools.tool_memory`).
    """

    name = "tools"
    folds = (ContractSeen, Reverified)

    def __init__(self) -> None:
        self.contracts = Contracts()

    def fold(self, row: LedgerRow) -> None:
        """See `MemoryModule.fold`."""
        if isinstance(row.event, ContractSeen):
            self.contracts.seen(row.event)
        elif isinstance(row.event, Reverified):
            self.contracts.reverified(row.event)

    def distrusted(self, held: Held) -> Mapping[str, Trust]:
        """See `MemoryModule.distrusted`."""
        return self.contracts.distrusted(
            held(EpisodeCase).values(), held(StepCase).values(), held(SubtaskCase).values()
        )

    def state(self) -> dict[str, Any]:
        """See `MemoryModule.state`."""
        return {
            "now": [[*key, value] for key, value in self.contracts.now.items()],
            "replayed": [event.model_dump() for event in self.contracts.replayed.values()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """See `MemoryModule.restore`."""
        self.contracts = Contracts(
            now={(env, tool): now for env, tool, now in state["now"]},
            replayed={e["target"]: Reverified.model_validate(e) for e in state["replayed"]},
        )


@dataclass
class Contracts:
    """The contracts that tools have now."""

    now: dict[tuple[str, str], str] = field(default_factory=dict)
    """(environment, tool) -> schema hash; empty text: the tool is gone."""
    replayed: dict[str, Reverified] = field(default_factory=dict)
    """Episode -> its last replay."""

    def seen(self, event: ContractSeen) -> None:
        """Take a contract that was seen."""
        self.now[event.env, event.tool] = event.schema_hash

    def reverified(self, event: Reverified) -> None:
        """Take the replay of an episode."""
        self.replayed[event.target] = event

    def broken(self, env: str, episode: str, calls: Iterable[Call]) -> list[Call]:
        """Return the calls of an episode's case that were made under another contract than now's.

        A call of an episode that was replayed under the present contract, and held, is not broken.
        """
        replay = self.replayed.get(episode)
        found = []
        for call in calls:
            now = self.now.get((env, call.tool), call.schema_hash)
            if now == call.schema_hash:
                continue
            if replay is not None and replay.holds and replay.contracts.get(call.tool) == now:
                continue
            found.append(call)
        return found

    def distrusted(
        self,
        episodes: Iterable[EpisodeCase],
        steps: Iterable[StepCase],
        subtasks: Iterable[SubtaskCase],
    ) -> dict[str, Trust]:
        """Return the cases, by id, of which a call was made under another contract than now's.

        A step case stands for its own call, a subtask for those of its steps, an episode for all of its
        calls: so exactly what used a changed tool is in the answer.
        """
        if not self.now:
            return {}
        found: dict[str, Trust] = {}
        bad: dict[str, Trust] = {}
        for step in steps:
            if step.call is not None and (state := self._state(step, [step.call])):
                found[step.id] = state
                if bad.get(step.episode) != "revoked":
                    bad[step.episode] = state
        for subtask in subtasks:
            if state := self._state(subtask, subtask.calls):
                found[subtask.id] = state
        found |= {whole.id: bad[whole.episode] for whole in episodes if whole.episode in bad}
        return found

    def _state(self, case: StepCase | SubtaskCase, calls: Sequence[Call]) -> Trust | None:
        broken = self.broken(case.env, case.episode, calls)
        if not broken:
            return None
        replay = self.replayed.get(case.episode)
        now = [self.now[case.env, call.tool] for call in broken]
        failed = replay is not None and not replay.holds
        if failed and replay is not None:
            failed = [replay.contracts.get(call.tool, "") for call in broken] == now
        return "revoked" if failed else "quarantined"
