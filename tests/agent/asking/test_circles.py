"""A model that makes one refused call for ever does not spend all steps (the replies are scripted)."""

from pathlib import Path
from typing import Any

from lichen.agent import Agent
from lichen.agent.talking.complaints import CIRCLES

Server = Any  # ScriptedServer of conftest.py


def find_order(order: str) -> str:
    "Say where an order is."
    if not order.startswith("LN-"):
        raise ValueError(f"{order} is no order id")
    return f"order {order} is in Oslo"


def asked(server: Server, folder: Path, *orders: str) -> Any:
    """Return the answer of a model that looks up one order after the other, the last for ever."""
    left = list(orders)

    def reply(body: dict[str, Any]) -> Any:
        if (probe := server.probed(body)) is not None:
            return probe
        if "is in Oslo" in str(body["messages"][-1]["content"]):
            return server.said("It is in Oslo.")
        return server.called(("find_order", {"order": left.pop(0) if left[1:] else left[0]}))

    server.answers(reply)
    given: dict[str, Any] = {"tools": [find_order], "store": folder / "desk", "embedder": "hashing"}
    with Agent.from_config(**given, model="openai:m", base_url=server.url) as agent:
        return agent.ask("Where is my parcel?")


def test_scripted_a_request_that_goes_in_circles_ends_and_says_so(
    loopback: Server, tmp_path: Path
) -> None:
    answer = asked(loopback, tmp_path, "4711")
    assert answer.stopped == f"the same call was refused {CIRCLES} times: find_order(order='4711')"
    assert len(answer.calls) == CIRCLES and answer.text.startswith("I could not finish this")
    assert answer.outcome == "unknown"


def test_scripted_a_model_that_corrects_itself_goes_on(loopback: Server, tmp_path: Path) -> None:
    answer = asked(loopback, tmp_path, "4711", "4711", "4711", "4711", "LN-4711")
    assert answer.text == "It is in Oslo." and not answer.stopped
