"""One episode through the graph: begin or resume it, stream it, and record how it ended.

A crash of the environment or of the model ends it as `unknown`; an interruption leaves it to be resumed.
"""

from collections.abc import Callable
from typing import Any, Literal, cast

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from ...envs.approval import Approval, ApprovalRequest
from ...envs.errors import LichenError
from ...envs.types import Outcome, Record
from ...memory.ledger.events import EpisodeEnded
from ...memory.ledger.ledger import Entry
from .graph import Graph
from .journal import LedgerJournal
from .parts import EpisodeParts
from .state import EpisodeState

NODES_PER_STEP = 6


class EpisodeResult(Record):
    """How an episode ended."""

    episode: str
    task_id: str
    family: str
    outcome: Outcome
    score: float
    steps: int
    actions: tuple[str, ...]
    kl: float | None
    """Mean KL(pi_M || pi_LLM) per decision in nats; None where no decision had both."""
    reason: str = ""
    waiting: ApprovalRequest | None = None
    """The call that waits for a person; the episode goes on with an `Approval`."""


OnEvent = Callable[[str, dict[str, Any]], None]
"""Told of every node that finished, its name and what it changed; as `text` of what a model writes."""


async def run_episode(
    graph: Graph,
    parts: EpisodeParts,
    *,
    episode: str,
    run: str,
    on_event: OnEvent | None = None,
    approval: Approval | None = None,
) -> EpisodeResult:
    """Run the parts' task to its end and return the result.

    When the checkpointer already holds the thread `episode`, it goes on at the next node.

    Args:
        graph: From `build`.
        parts: Made for this episode.
        episode: Id of the episode and of the checkpointer's thread.
        run: Id of the run it belongs to.
        on_event: Told of every node that finished.
        approval: The word on the call for which the episode was interrupted.
    """
    # a call of a skill that came to nothing is a round of the graph without a step
    idle = parts.skills.most_failures + 1 if parts.skills is not None else 0
    stage = parts.stage
    config: RunnableConfig = {
        "configurable": {"thread_id": episode},
        "recursion_limit": NODES_PER_STEP * (stage.environment.max_steps + idle + 2) + 10,
    }
    first: EpisodeState | Command[Any] | None = EpisodeState(
        episode=episode, run=run, task_id=stage.task_id, seed=stage.seed, actions=[]
    )
    if on_event is not None and (voice := parts.policy.voice) is not None:
        voice.hear(lambda text: on_event("text", {"text": text}))
    stage.journal = LedgerJournal(episode, run, parts.append, parts.events_of)
    reason = ""
    waiting: ApprovalRequest | None = None
    state: dict[str, Any] = dict(cast("EpisodeState", first))
    try:
        if graph.checkpointer is not None:
            held = await graph.aget_state(config)
            # not `held.next`: it is empty too where a node ended and the kill came before the next checkpoint
            if held.created_at is not None:
                first, state = None, dict(held.values)
                if approval is not None:
                    first = Command(resume=approval.model_dump(mode="json"))
        kept: Literal["async"] | None = "async" if graph.checkpointer is not None else None
        async for update in graph.astream(
            first, config, context=parts, stream_mode="updates", durability=kept
        ):
            for node, change in update.items():
                if node == "__interrupt__":
                    waiting = ApprovalRequest.model_validate(change[0].value)
                    continue
                state |= change or {}
                if on_event is not None:
                    on_event(node, change or {})
    except LichenError as error:
        if not error.retryable:
            raise
        reason = f"{type(error).__name__}: {error}"
        ended = EpisodeEnded(
            outcome="unknown",
            score=state.get("score", 0.0),
            steps=len(state["actions"]),
            reason=reason,
            learn=parts.learn,
        )
        parts.append([Entry(key=f"{episode}/end", run=run, episode=episode, event=ended)])
    finally:
        stage.environment.journal = None
    if (
        waiting is None
        and graph.checkpointer is not None
        and not isinstance(graph.checkpointer, bool)
    ):
        await graph.checkpointer.adelete_thread(episode)
    kls = [kl for kl in state.get("kls", []) if kl is not None]
    return EpisodeResult(
        episode=episode,
        task_id=stage.task_id,
        family=stage.environment.task(stage.task_id).family,
        outcome="unknown" if reason else state.get("outcome") or "unknown",
        score=state.get("score", 0.0),
        steps=len(state["actions"]),
        actions=tuple(state["actions"]),
        kl=sum(kls) / len(kls) if kls else None,
        reason=reason,
        waiting=waiting,
    )
