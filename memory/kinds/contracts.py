"""Contracts of tools over time: what was learned under another contract than now's is quarantined.

A contract is a tool's name, parameters and version (`envs.tools`). State = fold(events): the contract of
every tool as it was seen last, and which episodes were replayed under it since.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ...envs.tools import Call
from ..ledger.events import ContractSeen, Reverified
from ..ledger.records import EpisodeCase, StepCase, SubtaskCase, Trust


@dataclass
class Contracts:
    """The contracts of now."""

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

        A call of an episode that was replayed under the contract of now, and held, is not broken.
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
