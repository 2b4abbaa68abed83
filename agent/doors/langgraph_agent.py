"""LangGraph: an agent as a graph of its own, or as a subgraph of yours; approvals are LangGraph's interrupts.

    desk = compile_agent(agent)                       # or agent_builder(agent).compile(checkpointer=...)
    graph.add_node("desk", desk)                      # a subgraph: the host owns the checkpointer
    desk.invoke({"messages": [("user", "My parcel 4711 never came")], "user": "acme/ann"})

The answer's episode is remembered as `Agent.ask` has it. A call that needs approval interrupts the graph with
an `ApprovalRequest`; it is resumed with `Command(resume=True)`, or `{"approved": False, "note": "not today"}`.
"""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import interrupt

from ...envs.approval import Approval
from ...envs.errors import UsageError
from ..agent import Agent
from ..asking.answer import Answer


def _latest(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return new


class DeskState(TypedDict):
    """What flows through the graph; a host's state may have more."""

    messages: Annotated[list[AnyMessage], add_messages]
    """The last one of the user's is the request; the answer is appended."""
    user: NotRequired[str]
    """Namespace; see `Agent.aask`."""
    lichen_answer: NotRequired[Annotated[dict[str, Any], _latest]]
    """The whole `Answer`, as JSON, of several at once the last; its `id` takes feedback."""


Desk = CompiledStateGraph[DeskState, None, DeskState, DeskState]


def agent_builder(agent: Agent) -> StateGraph[DeskState, None, DeskState, DeskState]:
    """Return the graph, to be compiled with a checkpointer, store and cache of the host's.

    Args:
        agent: Opened; its owner closes it.
    """

    def asked(state: DeskState, config: RunnableConfig) -> dict[str, Any]:
        return {
            "text": _request(state),
            "user": state.get("user", ""),
            "thread": str(config.get("configurable", {}).get("thread_id", "")),
        }

    def ask(state: DeskState, config: RunnableConfig) -> dict[str, Any]:
        return _said(agent.ask(**asked(state, config)))

    async def aask(state: DeskState, config: RunnableConfig) -> dict[str, Any]:
        return _said(await agent.aask(**asked(state, config)))

    def approve(state: DeskState) -> dict[str, Any]:
        answer, said = _waiting(state)
        return _said(agent.approve(answer, said.approved, note=said.note))

    async def aapprove(state: DeskState) -> dict[str, Any]:
        answer, said = _waiting(state)
        return _said(await agent.aapprove(answer, said.approved, note=said.note))

    graph = StateGraph(DeskState)
    graph.add_node("ask", RunnableLambda(ask, afunc=aask))
    graph.add_node("approve", RunnableLambda(approve, afunc=aapprove))
    graph.add_edge(START, "ask")
    for node in ("ask", "approve"):
        graph.add_conditional_edges(node, _next, {"approve": "approve", "done": END})
    return graph


def compile_agent(agent: Agent) -> Desk:
    """Return the graph compiled: a Runnable, and a subgraph that inherits its host's checkpointer.

    Args:
        agent: Opened; its owner closes it.
    """
    return agent_builder(agent).compile()


def _request(state: DeskState) -> str:
    for message in reversed(state["messages"]):
        if isinstance(message, HumanMessage):
            return str(message.text)
    raise UsageError("there is no message of a user to answer")


def _said(answer: Answer) -> dict[str, Any]:
    told: dict[str, Any] = {"lichen_answer": answer.model_dump(mode="json")}
    if answer.waiting is None:
        told["messages"] = [AIMessage(answer.text)]
    return told


def _waiting(state: DeskState) -> tuple[str, Approval]:
    """Interrupt until a person has said something of the call that waits; return the answer's id, and that."""
    answer = Answer.model_validate(state["lichen_answer"])
    assert answer.waiting is not None  # this node is for such answers
    said = interrupt(answer.waiting.model_dump(mode="json"))
    given = {"approved": said} if isinstance(said, bool) else said
    return answer.id, Approval.model_validate(given)


def _next(state: DeskState) -> Literal["approve", "done"]:
    return "approve" if state["lichen_answer"]["waiting"] else "done"
