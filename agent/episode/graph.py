"""The planner as a LangGraph: recall, assist, plan, act, observe, verify, learn.

Nodes and edges, nothing else. The checkpointed state is small and plain; live things are on the `Desk`.
Every write to the ledger carries an idempotency key, so a node that runs again after a kill writes once.
"""

from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from ...memory.ledger.events import EpisodeEnded, EpisodeStarted, Planned
from ...memory.likeness.states import state_of
from ..planning.critic import outcome_of
from .desk import Desk, step_rng
from .observe import take
from .state import EpisodeState
from .subtasks import end_subtask, entry_of, previous, read_for_plan, task_now
from .verdict import judged

Graph = CompiledStateGraph[EpisodeState, Desk, EpisodeState, EpisodeState]
Update = dict[str, Any]


async def recall(state: EpisodeState, runtime: Runtime[Desk]) -> Update:
    """Ask memory for what to expose; at the first step the episode is opened in the ledger."""
    desk = runtime.context
    seen = desk.sync(state)
    step = len(state["actions"])
    if step == 0:
        started = EpisodeStarted(
            env=seen.task.env,
            family=seen.task.family,
            split=seen.task.split,
            task_id=seen.task.id,
            goal=seen.goal,
            source="own",
            llm=desk.llm_name,
        )
        desk.append([entry_of(state, "start", started, f"{state['run']}/start")])
    desk.remember(state, again=True)
    return {}


async def assist(state: EpisodeState, runtime: Runtime[Desk]) -> Update:
    """Let the assistant think, where the gate of this kind of task is open (SoftCoT)."""
    await runtime.context.think(state)
    return {}


async def plan(state: EpisodeState, runtime: Runtime[Desk]) -> Update:
    """Decompose the task, when the planner does that and there is no plan or a reason for a new one."""
    desk = runtime.context
    reason = state.get("replan", "")
    if desk.planner.style == "reactive" or (state.get("plan") and not reason):
        return {}
    seen = desk.sync(state)
    replans = state.get("replans", 0) + bool(reason)
    known = read_for_plan(desk, state, seen, replans)
    subtasks = await desk.planner.plan(
        seen,
        known.cases,
        subtasks=known.subtasks,
        tools=desk.tools.suggest(seen.goal) if desk.tools is not None else [],
        old_plan=state.get("plan", []),
        done=state.get("done", []),
        failed=state.get("failed", []),
        reason=reason,
        thought=await desk.think(state),
    )
    step = len(state["actions"])
    event = Planned(step=step, subtasks=tuple(subtasks), reason=reason)
    desk.append([entry_of(state, f"plan-{step}-{replans}", event, previous(state))])
    return {"plan": subtasks, "subtask": 0, "subtask_steps": 0, "replan": "", "replans": replans}


async def act(state: EpisodeState, runtime: Runtime[Desk]) -> Update:
    """Choose one action by the policy."""
    desk = runtime.context
    seen = desk.sync(state)
    hint, thought = task_now(desk, state), await desk.think(state)
    if desk.caller is not None and desk.calls:
        action = await desk.caller.decide(
            seen,
            desk.environment.tools(),
            desk.remember(state),
            desk.tools,
            history=desk.history(),
            hint=hint,
            thought=thought,
        )
        return {"action": action, "kl": None}
    offers = desk.offers(state)
    if offers:
        open_to = tuple(sorted({*(seen.admissible or ()), *offers}))
        seen = seen.model_copy(update={"admissible": open_to})
    decision = await desk.policy.decide(
        seen,
        state_of(seen, state["actions"]),
        desk.remember(state),
        desk.working,
        step_rng(state["seed"], state["task_id"], len(state["actions"])),
        history=desk.history(),
        hint=hint,
        thought=thought,
        warned=desk.notes(seen),
        favoured={action: (o.first, o.favour) for action, o in offers.items()},
    )
    return {"action": decision.action, "kl": decision.kl}


async def observe(state: EpisodeState, runtime: Runtime[Desk]) -> Update:
    """Take the chosen action, and write what was recalled, chosen and answered."""
    return take(runtime.context, state)


async def verify(state: EpisodeState, runtime: Runtime[Desk]) -> Update:
    """Judge the episode by the environment and, in a plan, the subtask by the critic."""
    desk = runtime.context
    seen = desk.sync(state)
    outcome = outcome_of(seen, ended=state.get("ended", False))
    if outcome is not None:
        update = await judged(desk, state, outcome)
        outcome = update["outcome"]
        end_subtask(desk, state, outcome, seen.text, update.get("judge", "environment"))
        return update
    subtasks, number = state.get("plan", []), state.get("subtask", 0)
    if not subtasks or desk.critic is None:
        return {}
    verdict = await desk.critic.judge(seen.goal, subtasks[number], desk.history(), seen)
    late = state.get("subtask_steps", 0) >= desk.subtask_steps
    critique: Update = {"critique": verdict.critique}
    if verdict.status == "done" and number + 1 < len(subtasks):
        return {
            **end_subtask(desk, state, "success", seen.text, "critic"),
            "subtask": number + 1,
            "subtask_steps": 0,
            **critique,
        }
    # the last subtask is "done" and the environment does not agree: the plan missed something
    if verdict.status != "going" or late:
        if state.get("replans", 0) >= desk.max_replans:
            return critique
        missed = verdict.status == "done"
        why = "all subtasks look done and the task is not solved: " if missed else ""
        why = (why + verdict.critique) or "no progress"
        ended = end_subtask(desk, state, "success" if missed else "failure", why, "critic")
        return {**ended, "replan": why, **critique}
    return critique


async def learn(state: EpisodeState, runtime: Runtime[Desk]) -> Update:
    """Close the episode in the ledger; everything a later episode reads comes from there."""
    desk = runtime.context
    event = EpisodeEnded(
        outcome=state.get("outcome") or "unknown",
        score=state.get("score", 0.0),
        steps=len(state["actions"]),
        learn=desk.learn,
        judge=state.get("judge", "environment"),
    )
    desk.append([entry_of(state, "end", event, previous(state))])
    return {}


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
    graph = StateGraph(EpisodeState, context_schema=Desk)
    for name, node in (
        ("recall", recall),
        ("assist", assist),
        ("plan", plan),
        ("act", act),
        ("observe", observe),
        ("verify", verify),
        ("learn", learn),
    ):
        graph.add_node(name, node)
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
