"""A real HTTP server on loopback whose answers are written down beforehand."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest


class Answer(NamedTuple):
    """What the server sends: JSON, or bytes as they are."""

    body: dict[str, Any] | bytes
    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012


def said(content: Any = "", **message: Any) -> Answer:
    """Return an answer of chat completions; `finish`, `logprobs` and `usage` are no part of the message."""
    finish = message.pop("finish", "tool_calls" if "tool_calls" in message else "stop")
    choice = {"index": 0, "finish_reason": finish, "logprobs": message.pop("logprobs", None)}
    used = message.pop("usage", {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5})
    head = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "usage": used}
    whole = {"role": "assistant", "content": content, **message}
    return Answer({**head, "choices": [{**choice, "message": whole}]})


def called(*uses: tuple[str, dict[str, Any] | str], content: str | None = None) -> Answer:
    """Return an answer that calls tools; arguments as an object, or as the text that a model wrote."""
    calls = [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {
                "name": name,
                "arguments": given if isinstance(given, str) else json.dumps(given),
            },
        }
        for number, (name, given) in enumerate(uses)
    ]
    return said(content, tool_calls=calls)


def failed(status: int, message: str = "no", **more: Any) -> Answer:
    """Return an error as OpenAI writes it; `headers` are no part of it."""
    headers = more.pop("headers", {})
    return Answer({"error": {"message": message, "type": "error", **more}}, status, headers)


def streamed(*chunks: dict[str, Any], finish: str = "stop") -> Answer:
    """Return a stream of deltas, and of the usage behind them."""
    head = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    rows: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in chunks
    ]
    rows.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    used = {"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11}
    rows.append({**head, "choices": [], "usage": used})
    text = "".join(f"data: {json.dumps(row)}\n\n" for row in rows) + "data: [DONE]\n\n"
    return Answer(text.encode(), 200, {"Content-Type": "text/event-stream"})


Reply = Callable[[dict[str, Any]], Answer]


class ScriptedServer:
    """The server; what it was asked is kept."""

    said, called, failed, streamed = (
        staticmethod(said),
        staticmethod(called),
        staticmethod(failed),
        staticmethod(streamed),
    )

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        """Bodies of the requests of chat completions, oldest first."""
        self.paths: list[str] = []
        self.models: Callable[[], Answer] = lambda: Answer(
            {"object": "list", "data": [{"id": "m", "object": "model", "owned_by": "me"}]}
        )
        self.completions: Reply = lambda _: failed(404, "this is a chat model")
        self._script: Reply = lambda _: failed(500, "the script is empty")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                return

            def do_GET(self) -> None:
                outer.paths.append(self.path)
                self.send(outer.models())

            def do_POST(self) -> None:
                outer.paths.append(self.path)
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not self.path.endswith("/chat/completions"):
                    return self.send(outer.completions(body))
                outer.asked.append(body)
                return self.send(outer._script(body))

            def send(self, answer: Answer) -> None:
                sent = answer.body
                raw = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
                self.send_response(answer.status)
                headers = {"Content-Type": "application/json", **answer.headers}
                for name, value in {**headers, "Content-Length": str(len(raw))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def answers(self, *script: Answer | Reply) -> None:
        """Answer with these, one after the other; the last one again and again."""
        rest = list(script)

        def reply(body: dict[str, Any]) -> Answer:
            now = rest.pop(0) if len(rest) > 1 else rest[0]
            return now(body) if callable(now) else now

        self._script = reply

    def messages(self, number: int = -1) -> Sequence[dict[str, Any]]:
        """Return the messages of one request."""
        found: Sequence[dict[str, Any]] = self.asked[number]["messages"]
        return found

    def close(self) -> None:
        """Stop."""
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def loopback() -> Iterator[ScriptedServer]:
    """A server on loopback; `loopback.answers(...)` says what it answers."""
    server = ScriptedServer()
    yield server
    server.close()
