"""`lichen bench middleware`: tickets of a help desk, by an agent of LangChain with and without our middleware.

The same model, tools, prompt and tickets; one side has `LichenMiddleware` over a memory of solved training
tickets. An outage leaves a ticket out of both sides.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ....envs.base import Environment
from ....envs.errors import LichenError
from ....envs.registry import make
from ....envs.suite import load_suite
from ....envs.tools import ToolSpec, write_call
from ....memory.likeness.embedder import open_embedder
from ....memory.memory import Memory
from ..kernel.contrasts import interval, paired_difference
from .machine import machine, version

SIDES = ("without", "with")
PROMPT = "You are the help desk of a shop. Solve the ticket with the tools, then call finish."
_STEPS = 40
"""Rounds of LangGraph's loop that a ticket may take."""


def bench_middleware(
    *,
    model: str,
    base_url: str,
    api_key: str,
    tickets: int = 12,
    demonstrations: int = 60,
    embedder: str = "minilm",
    seed: int = 0,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Let both sides solve the same held-out tickets, one after the other.

    Args:
        model, base_url, api_key: Of an OpenAI-compatible server.
        tickets: Held-out ones.
        demonstrations: Solved training tickets in memory.
        embedder: Of the memory.
        seed: Of the draw of tickets, and of what is held out.
        say: Told of every ticket.

    Returns:
        `{"bench", "version", "machine", "rows", "sides", "difference", "unknown"}`: success by ticket and side,
        means with intervals, and the paired difference with against without.
    """
    suite = load_suite("support")
    environment = make(suite.env, **suite.env_options)
    rows: list[dict[str, Any]] = []
    with (
        TemporaryDirectory() as scratch,
        Memory(
            Path(scratch) / "memory", name="support", embedder=open_embedder(embedder), seed=seed
        ) as memory,
    ):
        for task in suite.task_ids("train", None, seed, environment)[:demonstrations]:
            _teach(memory, environment, task)
        say(f"{len(memory.store.episodes)} solved tickets are in memory")
        for task in suite.task_ids("test", None, seed, environment)[:tickets]:
            row: dict[str, Any] = {"task": task}
            try:
                for side in SIDES:
                    asked = memory if side == "with" else None
                    row |= {side: _solved(environment, task, asked, model, base_url, api_key)}
            except _outages() as error:
                row["unknown"] = str(error)[:200]
            rows.append(row)
            say(f"{task}: {row}")
    environment.close()
    known = [row for row in rows if "unknown" not in row]
    won = {side: [float(row[side]["won"]) for row in known] for side in SIDES}
    return {
        "bench": "middleware",
        "version": version(),
        "machine": machine(),
        "model": model,
        "rows": rows,
        "unknown": len(rows) - len(known),
        "sides": {side: interval(won[side], seed=seed).model_dump() for side in SIDES},
        "difference": paired_difference(won["with"], won["without"], seed=seed).model_dump(),
    }


def _teach(memory: Memory, environment: Environment, task: str) -> None:
    """Remember a training ticket as one who knows the rules solves it."""
    environment.reset(task)
    gold = environment.gold() or ()
    goal = environment.reset(task).goal
    steps = []
    for action in gold:
        call = environment.read(action)
        spec = next(spec for spec in environment.tools() if spec.name == call.tool)
        answer = environment.step(action).observation.text
        steps.append(
            {
                "tool": call.tool,
                "arguments": call.arguments,
                "answer": answer,
                "parameters": spec.parameters,
            }
        )
    memory.remember(goal, steps, outcome="success")


def _solved(
    environment: Environment,
    task: str,
    memory: Memory | None,
    model: str,
    base_url: str,
    api_key: str,
) -> dict[str, Any]:
    """Let LangChain's agent solve a ticket, and say whether it was solved and what was read."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import wrap_model_call
    from langchain_core.messages import AIMessage
    from langchain_openai import ChatOpenAI
    from langgraph.errors import GraphRecursionError
    from pydantic import SecretStr

    from ...doors.langchain_middleware import LichenMiddleware

    @wrap_model_call
    def must_call(request: Any, handler: Any) -> Any:
        """Have it call a tool, on both sides: `finish` is one, and small models talk on instead."""
        return handler(request.override(tool_choice="any"))

    middleware: list[Any] = [must_call]
    if memory is not None:
        middleware.append(LichenMiddleware(memory))
    goal, ended = environment.reset(task).goal, list[bool]()
    llm = ChatOpenAI(model=model, base_url=base_url, api_key=SecretStr(api_key), temperature=0)
    agent: Any = create_agent(
        llm,
        [_tool(environment, spec, ended) for spec in environment.tools()],
        system_prompt=PROMPT,
        middleware=middleware,
    )
    messages: list[Any] = []
    try:
        limit = {"recursion_limit": _STEPS}
        for state in agent.stream({"messages": [("user", goal)]}, limit, stream_mode="values"):
            messages = state["messages"]
    except GraphRecursionError:
        pass  # it went round in circles: not solved
    used = [m.usage_metadata for m in messages if isinstance(m, AIMessage) and m.usage_metadata]
    return {
        "won": environment.seen().won,
        "calls": environment.seen().steps,
        "tokens_in": sum(one["input_tokens"] for one in used),
        "tokens_out": sum(one["output_tokens"] for one in used),
    }


def _tool(environment: Environment, spec: ToolSpec, ended: list[bool]) -> Any:
    """Return a tool of the desk as LangChain takes it; `finish` ends the run.

    Args:
        environment: Reset to the ticket.
        spec: Of the tool.
        ended: Holds something as soon as the ticket is closed.
    """
    from langchain_core.tools import StructuredTool, ToolException

    def call(**arguments: Any) -> str:
        if ended:
            return "The ticket is closed."  # of calls side by side, those behind `finish`
        done = environment.step(write_call(spec.name, arguments))
        if done.terminated or done.truncated:
            ended.append(True)
        if done.error:
            raise ToolException(done.error)
        return done.observation.text

    return StructuredTool.from_function(
        call,
        name=spec.name,
        description=spec.description,
        args_schema=spec.plain,
        handle_tool_error=True,
        return_direct=spec.name == "finish",
    )


def _outages() -> tuple[type[Exception], ...]:
    from openai import OpenAIError

    return (OpenAIError, LichenError)
