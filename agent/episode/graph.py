"""The planner as a LangGraph: recall, assist, plan, act, observe, verify, learn.

Nodes and edges, nothing else. Values flow along the edges: `recall` returns what was recalled, `assist` what
was thought, `act` and `observe` receive both. The ready-made parts of the episode are the runtime context.
Every write to the ledger carries an idempotency key, so a node that runs again after a kill writes once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from ...envs.approval import Approval, ApprovalNeeded
from ...memory.ledger.call_events import ApprovalGiven
from ...memory.ledger.events import EpisodeEnded, EpisodeStarted
from ..llm.talking import Turn
from ..telemetry.spans import span
from .observe import take
from .parts import EpisodeParts
from .recollect import recollect, situation_of, synced, think
from .state import EpisodeState, with_update
from .subtasks import end_subtask, entry_of, judge_subtask, plan_if_needed, previous, task_now
from .verdict import judged, outcome_of
from .weighing import lesson

Graph = CompiledStateGraph[EpisodeState, EpisodeParts, EpisodeState, EpisodeState]
Update = dict[str, Any]
Node = Callable[[EpisodeState, Runtime[EpisodeParts]], Awaitable[Update]]


async def recall(state: EpisodeState, runtime: Runtime[EpisodeParts]) -> Update:
    """Ask memory for what to expose; at the first step the episode is opened in the ledger."""
    parts = runtime.context
    recalled = recollect(parts, state)
    if not state["actions"]:
        task = recalled.seen.task
        started = EpisodeStarted(
            env=task.env,
            family=task.family,
            split=task.split,
            task_id=task.id,
            goal=recalled.seen.goal,
            source="own",
            llm=parts.llm_name,
            namespace=parts.namespace,
            thread=parts.thread,
            bullets=parts.bullets,
        )
        parts.append([entry_of(state, "start", started, f"{state['run']}/start")])
    return {"recalled": recalled}


async def assist(state: EpisodeState, runtime: Runtime[EpisodeParts]) -> Update:
    """Let the assistant think, where the gate of this kind of task is open (SoftCoT)."""
    return {"thought": await think(runtime.context, state, state["recalled"])}


async def plan(state: EpisodeState, runtime: Runtime[EpisodeParts]) -> Update:
    """Decompose the task, when the planner does that and there is no plan or a reason for a new one."""
    parts = runtime.context
    update = await plan_if_needed(parts, state)
    return {**update, **task_now(parts, with_update(state, update))}


async def act(state: EpisodeState, runtime: Runtime[EpisodeParts]) -> Update:
    """Choose one action by the policy."""
    parts = runtime.context
    # begun before an interruption: it is done, or asked about
    if begun := parts.stage.environment.pending():
        return {"action": begun, "kl": None, "weighed": None}
    at = situation_of(parts, state, state["recalled"], state["thought"])
    talk = [Turn.model_validate(turn) for turn in state.get("talk", [])]
    spent = max((turn.spent for turn in talk), default=0)
    async with parts.limits.around(spent):
        made = await parts.policy.weighted(at, talk)
    update: Update = {"action": made.decision.action, "kl": made.decision.kl}
    if made.opinion.talk:
        update["talk"] = [turn.model_dump(mode="json") for turn in made.opinion.talk]
    return {**update, "weighed": lesson(made)}


async def observe(state: EpisodeState, runtime: Runtime[EpisodeParts]) -> Update:
    """Take the chosen action, and write what was recalled, chosen and answered.

    Where a person has to be asked first, the graph is interrupted; it is resumed with an `Approval`.
    """
    parts = runtime.context
    try:
        return await _taken(parts, state)
    except ApprovalNeeded as needed:
        said = Approval.model_validate(interrupt(needed.asked.model_dump(mode="json")))
        asked = needed.asked
        given = ApprovalGiven(
            number=asked.number,
            call=asked.call,
            approved=said.approved,
            note=said.note,
            answer=said.answer,
        )
        name = f"approval-{asked.number:04d}"
        actor = "caller" if asked.outside else "person"
        parts.append([replace(entry_of(state, name, given, previous(state)), actor=actor)])
        return await _taken(parts, state)


async def _taken(parts: EpisodeParts, state: EpisodeState) -> Update:
    """Take the action: beside other episodes, where it may wait for something outside."""
    if parts.stage.environment.blocks:
        return await asyncio.to_thread(take, parts, state)
    return take(parts, state)


async def verify(state: EpisodeState, runtime: Runtime[EpisodeParts]) -> Update:
    """Judge the episode by the environment and, in a plan, the subtask by the critic."""
    parts = runtime.context
    seen = synced(parts, state)
    outcome = outcome_of(seen, ended=state.get("ended", False))
    if outcome is not None:
        update = await judged(parts, state, outcome)
        judge = update.get("judge", "environment")
        end_subtask(parts, state, update["outcome"], seen.text, judge)
        return update
    return await judge_subtask(parts, state, seen)


async def learn(state: EpisodeState, runtime: Runtime[EpisodeParts]) -> Update:
    """Close the episode in the ledger; everything a later episode reads comes from there."""
    parts = runtime.context
    event = EpisodeEnded(
        outcome=state.get("outcome") or "unknown",
        score=state.get("score", 0.0),
        steps=len(state["actions"]),
        learn=parts.learn,
        judge=state.get("judge", "environment"),
    )
    parts.append([entry_of(state, "end", event, previous(state))])
    return {}


def with_values(node: Node, *, thought: bool = True) -> Node:
    """Return a node that finds in its state what was recalled and thought, also right after a resume.

    Neither is checkpointed: a run that resumes between `recall` and `observe` makes them again, here only.
    """

    async def run(state: EpisodeState, runtime: Runtime[EpisodeParts]) -> Update:
        made: Update = {}
        if "recalled" not in state:
            made["recalled"] = recollect(runtime.context, state)
        if thought and "thought" not in state:
            recalled = made.get("recalled") or state["recalled"]
            made["thought"] = await think(runtime.context, state, recalled)
        if not made:
            return await node(state, runtime)
        return {**made, **await node(with_update(state, made), runtime)}

    return run


def _in_span(name: str, node: Node) -> Any:
    """Return a node that opens a span of its own."""

    async def run(state: EpisodeState, runtime: Runtime[EpisodeParts]) -> Update:
        with span(f"lichen.{name}", lichen__episode=state["episode"]):
            return await node(state, runtime)

    return run


def after_verify(
    state: EpisodeState,
) -> Literal["done", "replan", "next subtask", "next step"]:
    """Say what comes next; all but `done` see the new state through memory first."""
    if state.get("outcome") is not None:
        return "done"
    if state.get("replan"):
        return "replan"
    return "next subtask" if state.get("subtask_steps") == 0 else "next step"


def build(checkpointer: BaseCheckpointSaver[str] | None = None) -> Graph:
    """Return the compiled graph; each episode is one thread of the checkpointer."""
    graph = StateGraph(EpisodeState, context_schema=EpisodeParts)
    nodes: dict[str, Any] = {
        "recall": recall,
        "assist": with_values(assist, thought=False),
        "plan": with_values(plan),
        "act": with_values(act),
        "observe": with_values(observe),
        "verify": verify,
        "learn": learn,
    }
    for name, node in nodes.items():
        graph.add_node(name, _in_span(name, node))
    graph.add_edge(START, "recall")
    for left, right in (
        ("recall", "assist"),
        ("assist", "plan"),
        ("plan", "act"),
        ("act", "observe"),
        ("observe", "verify"),
    ):
        graph.add_edge(left, right)
    graph.add_conditional_edges(
        "verify",
        after_verify,
        {"done": "learn", "replan": "recall", "next subtask": "recall", "next step": "recall"},
    )
    graph.add_edge("learn", END)
    return graph.compile(checkpointer=checkpointer)
