"""A server that ends while a client makes a call, and begins again on the same store (scripted)."""

import signal
import threading
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from lichen.memory.ledger.events import EpisodeEnded, EpisodeStarted, Stepped
from lichen.memory.store.store import Store

Server = Any
Spawn = Any
LOOK_UP: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "look_up",
            "description": "Look an order up.",
            "parameters": {
                "type": "object",
                "properties": {"order": {"type": "integer"}},
                "required": ["order"],
            },
        },
    }
]


def ask(url: str, talk: list[Any]) -> Any:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    return client.chat.completions.create(
        model="lichen", messages=talk, tools=LOOK_UP, user="acme/ann"
    )


def answered(call: Any, text: str) -> list[Any]:
    message = call.choices[0].message.model_dump(exclude_none=True)
    (made,) = message["tool_calls"]
    return [message, {"role": "tool", "tool_call_id": made["id"], "content": text}]


def end(process: Any, way: signal.Signals) -> None:
    process.send_signal(way)
    assert process.wait(timeout=60) == (0 if way is signal.SIGTERM else -9)


def test_scripted_a_call_that_a_client_makes_meanwhile_goes_on(
    spawn: Spawn, tmp_path: Path, model: Server
) -> None:
    process, url = spawn()
    talk: list[Any] = [{"role": "user", "content": "Where is 4711, twice?"}]
    first = ask(url, talk)
    talk += answered(first, "at sea")
    end(process, signal.SIGTERM)
    process, url = spawn()
    second = ask(url, talk)
    assert '"order": 2' in second.choices[0].message.tool_calls[0].function.arguments
    told = [turn["content"] for turn in model.messages() if turn["role"] == "tool"]
    assert [text.splitlines()[0] for text in told] == ["at sea"]
    end(process, signal.SIGKILL)
    process, url = spawn()
    again = ask(url, talk)  # the client never got the second call: it sends the first's answer anew
    assert again.choices[0].message.tool_calls == second.choices[0].message.tool_calls
    talk += answered(again, "in Oslo")
    last = ask(url, talk)
    assert last.choices[0].message.content == "I found: in Oslo"
    end(process, signal.SIGTERM)
    process, url = spawn()
    assert ask(url, talk).choices[0].message.content == "I found: in Oslo"
    assert httpx2.post(f"{url}/v1/feedback", json={"id": last.id, "good": True}).is_success
    assert {first.id, second.id, again.id} == {last.id}
    end(process, signal.SIGKILL)
    with Store(tmp_path / "desk") as store:
        events = [row.event for row in store.ledger.read()]
        (case,) = store.episodes.values()
    assert case.outcome == "success" and case.namespace == "acme/ann"
    for kind, times in ((EpisodeStarted, 1), (Stepped, 3), (EpisodeEnded, 1)):
        assert sum(isinstance(event, kind) for event in events) == times


def test_scripted_an_answer_that_came_while_the_server_was_killed_is_sent_again(
    spawn: Spawn, model: Server
) -> None:
    """The process ends while the model writes what comes after the client's call."""
    process, url = spawn("--drain", "1")
    talk: list[Any] = [{"role": "user", "content": "Where is 4711?"}]
    first = ask(url, talk)
    talk += answered(first, "at sea")
    usual = model._script

    def lost() -> None:
        with pytest.raises(openai.APIError):
            ask(url, talk)

    for way in (signal.SIGTERM, signal.SIGKILL):
        begun, go_on = threading.Event(), threading.Event()

        def slowly(body: dict[str, Any], begun: Any = begun, go_on: Any = go_on) -> Any:
            begun.set()
            go_on.wait(30)
            return usual(body)

        model.answers(slowly)
        waits = threading.Thread(target=lost)
        waits.start()
        assert begun.wait(30)
        end(process, way)
        go_on.set()
        waits.join(timeout=60)
        model.answers(usual)
        process, url = spawn("--drain", "1")
    last = ask(url, talk)
    assert last.id == first.id and last.choices[0].message.content == "I found: at sea"
    assert httpx2.post(f"{url}/v1/feedback", json={"id": last.id, "score": 0.9}).is_success
