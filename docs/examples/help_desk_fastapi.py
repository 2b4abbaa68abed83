"""A help desk in your own FastAPI application: requests, a call that a person approves, feedback.

Run it with `uvicorn help_desk_fastapi:app`. The model's replies are recorded, so that it runs anywhere; give
`model="openai:..."` in the place of `llm=`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from lichen.agent import Agent, ScriptedLLM
from lichen.envs import Tool

RECORDED = ScriptedLLM(
    [
        '{"tool": "find_order", "arguments": {"order": 4711}}',
        '{"tool": "refund", "arguments": {"order": 4711}}',
        "I paid it back.",
    ]
)


def find_order(order: int) -> dict[str, Any]:
    "Say where an order is and what it cost."
    return {"order": order, "where": "lost", "cost": 12}


def refund(order: int) -> str:
    "Pay the money of an order back."
    return f"paid back order {order}"


@asynccontextmanager
async def opened(app: FastAPI) -> AsyncIterator[None]:
    """Keep one agent for as long as the application runs."""
    tools = [find_order, Tool(refund, needs_approval=True)]
    with Agent.from_config(store="help-desk", llm=RECORDED, tools=tools) as agent:
        app.state.agent = agent
        yield


app = FastAPI(lifespan=opened)


class Question(BaseModel):
    """What a user asks."""

    user: str
    text: str
    thread: str = ""


@app.post("/ask")
async def ask(question: Question) -> dict[str, Any]:
    """Answer, or say what a person has to approve."""
    agent: Agent = app.state.agent
    answer = await agent.aask(question.text, user=question.user, thread=question.thread)
    return answer.model_dump(mode="json")


@app.post("/approve/{answer}")
async def approve(answer: str, approved: bool = True) -> dict[str, Any]:
    """Go on with a request."""
    agent: Agent = app.state.agent
    return (await agent.aapprove(answer, approved)).model_dump(mode="json")


@app.post("/feedback/{answer}")
async def feedback(answer: str, good: bool) -> dict[str, int]:
    """Learn from what the user says."""
    agent: Agent = app.state.agent
    await agent.afeedback(answer, good=good)
    return {"cases": len(agent.store.episodes)}


if __name__ == "__main__":
    from fastapi.testclient import TestClient

    with TestClient(app) as client:
        said = {"user": "acme/ann", "text": "My parcel 4711 never came"}
        waiting = client.post("/ask", json=said).json()
        print(waiting["text"])
        print(client.post(f"/approve/{waiting['id']}").json()["text"])
        print(client.post(f"/feedback/{waiting['id']}", params={"good": True}).json())
