"""The packaged model behind HTTP, asked by the real `openai` client."""

from pathlib import Path
from typing import Any

import httpx2
import openai

from lichen.agent import Agent, asgi_app

from .conftest import running

WEATHER: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


def test_the_packaged_model_answers_streams_and_learns(tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        "model": "lichen",
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
    }
    with (
        Agent.from_config(store=tmp_path / "desk", model="smollm2-135m") as agent,
        running(asgi_app(agent)) as url,
    ):
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
        answer = client.chat.completions.create(**asked)
        whole = answer.choices[0].message.content
        assert whole and answer.choices[0].finish_reason == "stop"
        pieces = list(client.chat.completions.create(**asked, stream=True))
        assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == whole
        said = {"id": answer.id, "good": True}
        assert httpx2.post(f"{url}/v1/feedback", json=said).is_success
        (case,) = agent.store.episodes.values()
        assert case.outcome == "success"
        choice = client.chat.completions.create(**asked, tools=WEATHER).choices[0]
        assert choice.message.content or choice.message.tool_calls
