"""What is known of tools: what their calls came to, how they are called, how they fail, what changed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from .....envs.types import Record
from .....memory.kinds.tool_module import ToolModule
from .....memory.ledger.events import ContractSeen
from .....memory.store.store import Store
from .....memory.tools.known_calls import KnownCalls, Use
from .....memory.tools.tool_memory import ToolRecord, tool_record
from ...http.keys import Key

NO_CALL = "-"
"""How the address names what was no call of any tool."""


class ToolLine(Record):
    """A tool under one contract."""

    record: ToolRecord
    first: str
    """Episode in which it was called first under it."""
    last: str
    now: bool | None
    """Whether this is the contract that it has now; None: no other was ever seen."""
    quarantined: int
    """Calls that nothing is recalled of, since its contract changed."""


class SeenContract(Record):
    """A contract that a tool was found to have."""

    env: str
    at: float
    schema_hash: str
    """Empty: the tool was gone."""


class ToolCase(Record):
    """A case that used a tool."""

    episode: str
    step: int
    goal: str
    action: str
    answer: str
    error: str
    trust: str
    """`quarantined` or `revoked`; empty: it is trusted."""


@dataclass
class _Kept:
    seq: int = -1
    lines: list[ToolLine] = field(default_factory=list)
    uses: dict[str, list[Use]] = field(default_factory=dict)


class ToolTable:
    """The tools of one store; kept for each namespace while nothing is written."""

    def __init__(self) -> None:
        self._calls: KnownCalls | None = None
        self._kept: dict[str, _Kept] = {}
        self._seen: tuple[int, list[tuple[SeenContract, str]]] = (0, [])

    def lines(self, store: Store, key: Key) -> list[ToolLine]:
        """Return every tool and contract that a key may see, by environment and name."""
        return self._of(store, key).lines

    def uses(self, store: Store, key: Key, tool: str, most: int = 25) -> list[ToolCase]:
        """Return the latest cases that used a tool, the latest first."""
        return [
            _use(use, store) for use in self._of(store, key).uses.get(tool, ())[: -most - 1 : -1]
        ]

    def contracts(self, store: Store, tool: str) -> list[SeenContract]:
        """Return the contracts that a tool was found to have when its environment was opened, newest first."""
        after, known = self._seen
        if store.fold.seq > after:
            for row in store.ledger.read(
                after=after, until=store.fold.seq, types=("contract_seen",)
            ):
                if isinstance(event := row.event, ContractSeen):
                    seen = SeenContract(env=event.env, at=row.at, schema_hash=event.schema_hash)
                    known.append((seen, event.tool))
            self._seen = (store.fold.seq, known)
        return [seen for seen, name in reversed(known) if name == tool]

    def _of(self, store: Store, key: Key) -> _Kept:
        kept = self._kept.setdefault(key.namespace, _Kept())
        if kept.seq == store.fold.seq:
            return kept
        if self._calls is None or self._calls.store is not store:
            self._calls = KnownCalls(store)
        took = store.ledger.timings()
        now = store.module(ToolModule).contracts.now
        kept.lines, kept.uses = [], {}
        for env in sorted({case.env for case in store.steps.values()}):
            grouped: defaultdict[tuple[str, str], list[Use]] = defaultdict(list)
            for use in self._calls.of(env):
                if not key.namespace or key.owns(use.case.namespace):
                    grouped[use.call.tool, use.call.schema_hash].append(use)
            for (tool, contract), uses in sorted(grouped.items()):
                held = now.get((env, tool))
                kept.lines.append(
                    ToolLine(
                        record=tool_record(env, uses, took),
                        first=uses[0].case.episode,
                        last=uses[-1].case.episode,
                        now=None if held is None else held == contract,
                        quarantined=sum(use.case.id in store.quarantined for use in uses),
                    )
                )
                kept.uses.setdefault(tool, []).extend(uses)
        kept.seq = store.fold.seq
        return kept


def _use(use: Use, store: Store) -> ToolCase:
    case = use.case
    return ToolCase(
        episode=case.episode,
        step=case.index,
        goal=case.state.goal,
        action=case.action,
        answer=case.answer,
        error=case.error,
        trust=store.quarantined.get(case.id, ""),
    )


def matching(lines: Sequence[ToolLine], text: str, env: str, failing: bool) -> list[ToolLine]:
    """Return the lines whose tool has all words of a text in its name or its errors.

    Args:
        lines: All.
        text: Words; empty: all.
        env: Only of this environment; empty: of each.
        failing: Only those of which a call was refused.
    """
    words = text.casefold().split()
    return [
        line
        for line in lines
        if env in ("", line.record.env)
        and (not failing or line.record.ok < line.record.n)
        and all(
            word in f"{line.record.tool} {' '.join(e for e, _ in line.record.errors)}".casefold()
            for word in words
        )
    ]
