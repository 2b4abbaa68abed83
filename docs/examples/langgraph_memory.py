"""A LangGraph graph of your own with Lichen as its memory: recall before the model is asked, remember after it.

The model is recorded here, so that the example runs anywhere; put your own call in its place.
"""

from typing import TypedDict

from langgraph.graph import END, START, StateGraph

from lichen.memory import Memory, Reminder

RECORDED = iter(["It is in Oslo.", "We send you another one today."])
memory = Memory("desk-graph")


class Desk(TypedDict, total=False):
    """What flows through the graph."""

    user: str
    request: str
    recalled: Reminder
    prompt: str
    answer: str


def recall(state: Desk) -> Desk:
    """Ask memory, in the namespace of the user."""
    return {"recalled": memory.recall(state["request"], namespace=state["user"])}


def ask(state: Desk) -> Desk:
    """Ask the model; what was recalled stands in its prompt, quoted as data."""
    prompt = "\n\n".join(part for part in (state["recalled"].text, state["request"]) if part)
    return {"prompt": prompt, "answer": next(RECORDED)}


def remember(state: Desk) -> Desk:
    """Write down what was done; it is no case until somebody says how it was."""
    memory.remember(
        state["recalled"], [{"tool": "finish", "arguments": {"answer": state["answer"]}}]
    )
    return {}


graph = StateGraph(Desk)
for node in (recall, ask, remember):
    graph.add_node(node.__name__, node)
graph.add_edge(START, "recall")
graph.add_edge("recall", "ask")
graph.add_edge("ask", "remember")
graph.add_edge("remember", END)
desk = graph.compile()

first = desk.invoke({"user": "acme/ann", "request": "My parcel 4711 never came"})
memory.feedback(first["recalled"].id, correct="We send you another one today.")
second = desk.invoke({"user": "acme/ann", "request": "My parcel 4712 never came"})
other = memory.recall("My parcel 4713 never came", namespace="acme/bob")
memory.close()

print(second["prompt"])
print("Bob's memory:", len(other.items), "items")
