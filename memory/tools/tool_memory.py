"""Tool memory: what calls came to, by tool, contract and argument pattern; what to call for a subtask.

A view over the step cases, so it is as durable, forgettable and honest (frozen views, quarantine) as they
are. AgentFly's tool memory is a log that is dropped after each query; this one is kept and asked.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from ...envs.tools import Call
from ...envs.types import Record
from ..likeness.origins import Origin
from ..recall.case_memory import CaseMemory
from .known_calls import KnownCalls, Pattern, Use, pattern_of

_NEAR = 16
_SHARP = 4


class ArgumentPattern(Record):
    """One way of calling a tool: which arguments are given, and where their values come from."""

    arguments: dict[str, Origin]
    n: int
    ok: int
    """How many were not refused."""
    example: dict[str, Any]
    """The arguments of its last call that worked, else of the last."""


class ToolRecord(Record):
    """What is known of a tool under one contract."""

    env: str
    tool: str
    version: str
    schema_hash: str
    n: int
    ok: int
    low: float
    """Lower end of the 95% Wilson interval of the share that was not refused."""
    latency_ms: float | None
    """Median, None when never measured."""
    errors: tuple[tuple[str, int], ...]
    """Reasons of refusals with their counts, most frequent first."""
    patterns: tuple[ArgumentPattern, ...]
    """Most used first."""


class Suggestion(Record):
    """A tool for a subtask."""

    tool: str
    score: float
    """Share of the like subtasks in which it was called and brought something, in [0, 1]."""
    example: Call


class Refusals(NamedTuple):
    """How calls of a tool under one contract were refused."""

    tool: str
    n: int
    """Calls, refused or not."""
    reasons: Sequence[tuple[str, int]]
    """With their counts, most frequent first; none where no call was refused."""


class ToolMemory:
    """Reads over the calls that a view of the memory can see.

    Args:
        memory: The view; what it may not see is not in the answers.
        env: Name of the environment.
        task_id: What is being done; its own earlier episodes are left out.
        shows: Says of a remembered episode whether this one is shown it (gate and hold-outs); all when None.
        calls: Those of the same store, kept from view to view; read anew when None.
    """

    def __init__(
        self,
        memory: CaseMemory,
        env: str,
        *,
        task_id: str | None = None,
        shows: Callable[[str], bool] | None = None,
        calls: KnownCalls | None = None,
    ) -> None:
        self.env = env
        self._task_id, self._shows = task_id, shows
        self._memory = memory
        self._calls = calls or KnownCalls(memory.store)
        self._known = -1
        """Row of the ledger that all of this is as of."""
        self._texts: list[str] = []
        self._records: list[ToolRecord] | None = None
        self._grouped: dict[tuple[str, str], list[Use]] = {}
        self._of_text: dict[str, list[Use]] = {}

    def _refresh(self) -> None:
        store = self._memory.store
        if store.fold.seq == self._known:
            return
        self._known = store.fold.seq
        self._records, self._grouped, self._of_text = None, {}, {}
        shown: dict[str, bool] = {}
        for use in self._calls.of(self.env):
            if not self._memory.may_show(use.case, self._task_id):
                continue
            episode = use.case.episode
            if self._shows is not None:
                if episode not in shown:
                    shown[episode] = self._shows(episode)
                if not shown[episode]:
                    continue
            self._of_text.setdefault(use.case.subtask, []).append(use)
            self._grouped.setdefault((use.call.tool, use.call.schema_hash), []).append(use)
        self._texts = list(self._of_text)

    @property
    def as_of(self) -> int:
        """Row of the ledger up to which it knows."""
        self._refresh()
        return self._known

    def uses(self) -> list[Use]:
        """Return every call that is seen, by tool and contract, oldest first within them."""
        self._refresh()
        return [use for _, held in sorted(self._grouped.items()) for use in held]

    def refusals(self) -> list[Refusals]:
        """Return how calls of every tool and contract were refused, by the tool's name."""
        self._refresh()
        return [
            Refusals(tool, len(uses), _reasons(uses))
            for (tool, _), uses in sorted(self._grouped.items())
        ]

    def records(self) -> list[ToolRecord]:
        """Return what is known of every tool and contract, by name."""
        self._refresh()
        if self._records is None:
            took = self._memory.store.ledger.timings()
            grouped = sorted(self._grouped.items())
            self._records = [tool_record(self.env, uses, took) for _, uses in grouped]
        return self._records

    def record(self, tool: str) -> ToolRecord | None:
        """Return what is known of a tool under its most used contract, None when nothing is."""
        found = [record for record in self.records() if record.tool == tool]
        return max(found, key=lambda record: record.n, default=None)

    def suggest(self, subtask: str, *, k: int = 8) -> list[Suggestion]:
        """Return tools for a subtask, best first: what was called, to some use, for subtasks like it.

        Args:
            subtask: In words.
            k: How many at most.
        """
        self._refresh()
        if not self._texts or k < 1:
            return []
        near = self._calls.cosines(subtask, self._texts)
        rows = np.argsort(-near, kind="stable")[:_NEAR]
        weights = np.clip(near[rows], 0.0, 1.0) ** _SHARP
        total = float(weights.sum())
        if total <= 0:
            return []
        scores: dict[str, float] = {}
        examples: dict[str, Call] = {}
        for row, weight in zip(rows, weights, strict=True):
            good: dict[str, Call] = {}
            for use in self._of_text[self._texts[int(row)]]:
                if not use.case.error and use.case.gain > 0:
                    good.setdefault(use.call.tool, use.call)
            for tool, call in good.items():
                scores[tool] = scores.get(tool, 0.0) + float(weight) / total
                examples.setdefault(tool, call)
        ranked = sorted(scores.items(), key=lambda x: (-x[1], x[0]))[:k]
        return [
            Suggestion(tool=tool, score=round(score, 6), example=examples[tool])
            for tool, score in ranked
        ]

    def note(self, call: Call, goal: str, seen: str) -> str:
        """Return the known failure of a call like this one in one sentence, empty when none is known.

        Like: the same tool and contract, and the same arguments, else the same argument pattern.

        Args:
            call: About to be made.
            goal: The task in words.
            seen: What was seen last.
        """
        self._refresh()
        same = self._grouped.get((call.tool, call.schema_hash), [])
        if not any(use.case.error for use in same):
            return ""
        pattern = pattern_of(call, goal, seen)
        exact = [use for use in same if use.call.arguments == call.arguments]
        for alike in (exact, [use for use in same if use.pattern == pattern]):
            failed = [use for use in alike if use.case.error]
            if alike and 2 * len(failed) > len(alike):
                why = Counter(use.case.error for use in failed).most_common(1)[0][0]
                given = ", ".join(name for name, _ in pattern) or "no argument"
                return f"{call.tool} with {given} failed {len(failed)} of {len(alike)} times: {why}"
        return ""


def tool_record(env: str, uses: Sequence[Use], timings: Mapping[str, float]) -> ToolRecord:
    """Return what calls of one tool under one contract came to.

    Args:
        env: Where they were made.
        uses: At least one.
        timings: Milliseconds by event (see `Ledger.timings`).
    """
    first = uses[0].call
    ok = sum(not use.case.error for use in uses)
    took = [timings[i] for use in uses if (i := use.case.events[0]) in timings]
    return ToolRecord(
        env=env,
        tool=first.tool,
        version=first.version,
        schema_hash=first.schema_hash,
        n=len(uses),
        ok=ok,
        low=wilson(ok, len(uses)),
        latency_ms=round(median(took), 3) if took else None,
        errors=_reasons(uses),
        patterns=tuple(_patterns(uses)),
    )


def _reasons(uses: Iterable[Use]) -> tuple[tuple[str, int], ...]:
    errors = Counter(use.case.error for use in uses if use.case.error)
    return tuple(sorted(errors.items(), key=lambda x: (-x[1], x[0])))


def _patterns(uses: Sequence[Use]) -> Iterable[ArgumentPattern]:
    grouped: dict[Pattern, list[Use]] = {}
    for use in uses:
        grouped.setdefault(use.pattern, []).append(use)
    for pattern, alike in sorted(grouped.items(), key=lambda x: (-len(x[1]), x[0])):
        good = [use for use in alike if not use.case.error]
        example: Mapping[str, Any] = (good or alike)[-1].call.arguments
        yield ArgumentPattern(
            arguments=dict(pattern), n=len(alike), ok=len(good), example=dict(example)
        )


def wilson(ok: int, n: int, z: float = 1.96) -> float:
    """Return the lower end of the Wilson score interval of a share (Wilson 1927).

    >>> round(wilson(10, 10), 2), wilson(0, 0)
    (0.72, 0.0)
    """
    if n == 0:
        return 0.0
    share = ok / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z * z / n))
