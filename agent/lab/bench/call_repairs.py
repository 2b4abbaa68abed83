"""Would refused calls have been mended? Real calls of a model, replayed with what other tasks taught.

Each remembered own episode is replayed in its environment up to each of its calls. The call is mended with
what the other tasks taught, and made as mended.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from ....envs.base import Environment
from ....envs.errors import UsageError
from ....envs.registry import make
from ....envs.tools import write_call
from ....envs.types import Record
from ....memory.ledger.events import EpisodeStarted, Stepped
from ....memory.likeness.embedder import HashingEmbedder
from ....memory.recall.case_memory import CaseMemory
from ....memory.store.demonstrations import DemonstratedStep, Demonstration, import_demonstrations
from ....memory.store.store import Store
from ....memory.tools.call_repair import CallRepair
from ....memory.tools.known_calls import KnownCalls
from ....memory.tools.tool_memory import ToolMemory


class Repairs(Record):
    """What mending would have come to."""

    calls: int
    refused: int
    mended: int
    """Refused calls that would have become others."""
    accepted: int
    """Of those: accepted then."""
    touched: int
    """Accepted calls that would have become others: should be none."""
    by_tool: dict[str, tuple[int, int]]
    """Tool -> refused calls, and how many of them would have been accepted."""


class _Taken(NamedTuple):
    task_id: str
    family: str
    steps: list[Stepped]


def repairs_in(folders: Sequence[Path], env: str) -> Repairs:
    """Return what mending would have done with the own calls in some stores.

    Args:
        folders: Of the stores; their own episodes teach, whether or not they were learned there.
        env: Name of the environment.

    Raises:
        UsageError: They hold no own episode of the environment.
    """
    environment = make(env)
    taken = [one for folder in folders for one in _own(folder, env) if one.steps]
    if not taken:
        raise UsageError(f"no own episode of {env} is in {', '.join(map(str, folders))}")
    count: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    with TemporaryDirectory() as scratch, Store(Path(scratch), embedder=HashingEmbedder()) as store:
        import_demonstrations(store, (_as_demonstration(one, env) for one in taken), run="repairs")
        store.settle()
        memory, calls = CaseMemory(store), KnownCalls(store)
        for one in taken:
            tools = ToolMemory(memory, env, task_id=one.task_id, calls=calls)
            for tool, was, changed, now in _replayed(environment, one, CallRepair(tools)):
                count.update(calls=1, refused=was, touched=changed and not was)
                count.update(mended=changed and was, accepted=changed and was and not now)
                refused[tool] += was
                accepted[tool] += changed and was and not now
    environment.close()
    names = ("calls", "refused", "mended", "accepted", "touched")
    return Repairs(
        **{name: count[name] for name in names},
        by_tool={tool: (refused[tool], accepted[tool]) for tool in sorted(refused)},
    )


def _own(folder: Path, env: str) -> Iterator[_Taken]:
    found: dict[str, _Taken] = {}
    with Store(folder, embedder=HashingEmbedder(), read_only=True) as store:
        for row in store.ledger.read():
            match row.event:
                case EpisodeStarted() if row.event.env == env and row.event.source == "own":
                    found[row.episode] = _Taken(row.event.task_id, row.event.family, [])
                case Stepped() if row.episode in found:
                    found[row.episode].steps.append(row.event)
    yield from found.values()


def _as_demonstration(taken: _Taken, env: str) -> Demonstration:
    """Return an own episode in the form in which episodes are imported; what became of it is left open."""
    return Demonstration(
        env=env,
        family=taken.family,
        task_id=taken.task_id,
        goal=taken.steps[0].goal,
        steps=tuple(
            DemonstratedStep(
                text=step.text,
                action=step.action,
                observation=step.observation,
                score_before=step.score_before,
                score_after=step.score_after,
                call=step.call,
                error=step.error,
            )
            for step in taken.steps
        ),
        outcome="failure",
        score=taken.steps[-1].score_after,
    )


def _replayed(
    environment: Environment, taken: _Taken, repair: CallRepair
) -> Iterator[tuple[str, bool, bool, bool]]:
    """Yield of each call its tool, whether it was refused, whether it is mended, whether it is refused then."""
    for number, step in enumerate(taken.steps):
        seen = environment.reset(taken.task_id)
        told, done, over = [seen.goal, seen.text], [], False
        for earlier in taken.steps[:number]:
            call = environment.call(earlier.action)
            made = environment.step(earlier.action)
            told.append(made.observation.text)
            if not made.error:
                done.append(call)
            over = over or made.terminated or made.truncated
        call = environment.call(step.action)
        if over or not call.tool:
            continue
        now = repair.mended(call, "\n".join(told), done)
        changed = now != call
        after = environment.step(write_call(now.tool, now.arguments) if changed else step.action)
        yield call.tool, bool(step.error), changed, bool(after.error)
