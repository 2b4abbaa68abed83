"""`lichen bench serve`: Lichen's own share of a request over HTTP, beside a model that answers at once.

The server is a process of its own, as people run it. Every answer gets a feedback; at the end each that was
acknowledged is looked for in the ledger.
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from ....envs.errors import EnvironmentFault
from ....memory.ledger.feedback_event import Feedback
from ....memory.store.store import Store
from ..kernel.timings import percentiles
from .machine import machine, version

BUDGET_MS = 250.0
"""That the 95th percentile of one client's answer may take."""
_WAIT = 60.0
"""Seconds that a server may take to begin, or an answer."""


class Told(NamedTuple):
    """What one load of clients came to."""

    answers: list[float]
    """Milliseconds of each."""
    verdicts: list[float]
    acknowledged: list[str]
    """Notes of the feedbacks that were."""
    failed: int
    seconds: float


def bench_serve(
    *,
    clients: Sequence[int] = (1, 4, 16, 64),
    requests: int = 200,
    seconds: float = 20.0,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure and return the table.

    Args:
        clients: How many ask at once, one load after another.
        requests: Of each load, at most.
        seconds: That each load may last.
        say: Told what is going on.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds"}`; times in milliseconds, `ratio` is the
        budget over the 95th percentile of one client, `lost` the feedbacks that were acknowledged and are gone.
    """
    rows, notes = [], list[str]()
    with tempfile.TemporaryDirectory(prefix="lichen-bench-") as folder:
        store = Path(folder) / "store"
        with _model() as model, _server(store, model) as url:
            asyncio.run(_load(url, 1, 3, _WAIT, "warm"))
            for count in clients:
                say(f"{count} clients")
                told = asyncio.run(_load(url, count, requests, seconds, f"load-{count}"))
                notes += told.acknowledged
                rows.append(_row(count, told))
        with Store(store, read_only=True) as opened:
            kept = {
                row.event.note for row in opened.ledger.read() if isinstance(row.event, Feedback)
            }
    lost = len(set(notes) - kept)
    alone = rows[0]["answer p95"]
    failed = sum(row["failed"] for row in rows)
    return {
        "bench": "serve",
        "version": version(),
        "machine": machine(),
        "rows": [*rows, {"what": "feedbacks acknowledged", "n": len(notes), "lost": lost}],
        "ratio": BUDGET_MS / alone,
        "holds": not lost and not failed and alone < BUDGET_MS,
    }


def _row(count: int, told: Told) -> dict[str, Any]:
    answers, verdicts = percentiles(told.answers), percentiles(told.verdicts)
    return {
        "what": f"{count} clients",
        "n": len(told.answers),
        "requests/s": (len(told.answers) + len(told.verdicts)) / told.seconds,
        "answer p50": answers.p50,
        "answer p95": answers.p95,
        "feedback p95": verdicts.p95,
        "failed": told.failed,
    }


async def _load(url: str, clients: int, requests: int, seconds: float, name: str) -> Told:
    from httpx2 import AsyncClient, HTTPError, Limits

    told = Told([], [], [], 0, 0.0)
    failed = 0
    left = iter(range(requests))
    begun = time.monotonic()

    async def ask(client: Any) -> None:
        nonlocal failed
        for number in left:
            if time.monotonic() - begun > seconds:
                return
            body = {
                "model": "lichen",
                "messages": [{"role": "user", "content": f"Where is order {number}? ({name})"}],
            }
            start = time.perf_counter()
            try:
                answer = await client.post("/v1/chat/completions", json=body)
                answer.raise_for_status()
                between = time.perf_counter()
                note = f"{name}-{number}"
                said = {"id": answer.json()["id"], "good": True, "note": note}
                (await client.post("/v1/feedback", json=said)).raise_for_status()
            except HTTPError:
                failed += 1
                continue
            told.answers.append((between - start) * 1000)
            told.verdicts.append((time.perf_counter() - between) * 1000)
            told.acknowledged.append(note)

    wide = Limits(max_connections=clients, max_keepalive_connections=clients)
    async with AsyncClient(base_url=url, timeout=_WAIT, limits=wide) as client:
        await asyncio.gather(*(ask(client) for _ in range(clients)))
    return told._replace(failed=failed, seconds=time.monotonic() - begun)


@contextmanager
def _server(store: Path, model: str) -> Iterator[str]:
    words = ["serve", "--port", "0", "--rate", "0", "--store", str(store), "--model", "openai:m"]
    words += ["--base-url", model, "--set", "embedder=hashing"]
    process = subprocess.Popen(
        [sys.executable, "-m", "lichen.agent", *words],
        cwd=store.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+:\d+", process.stdout.readline())
        if found is None:
            raise EnvironmentFault("`lichen serve` did not begin")
        yield found[0]
        process.terminate()
        process.wait(timeout=_WAIT)
    finally:
        process.kill()
        process.wait()


@contextmanager
def _model() -> Iterator[str]:
    """Serve a model that answers at once, and can do what it is probed for."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            return

        def do_GET(self) -> None:
            self._send({"object": "list", "data": [{"id": "m", "object": "model"}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            message: dict[str, Any] = {"role": "assistant", "content": "It is in Oslo."}
            if [t["function"]["name"] for t in body.get("tools", ())] == ["set_color"]:
                use = {"name": "set_color", "arguments": '{"color": "red"}'}
                call = {"id": "c", "type": "function", "function": use}
                message |= {"content": None, "tool_calls": [call]}
            elif "response_format" in body:
                message["content"] = '{"lamp_state": "lit_red"}'
            finish = "tool_calls" if "tool_calls" in message else "stop"
            used = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
            choice = {"index": 0, "finish_reason": finish, "message": message, "logprobs": None}
            head = {"id": "x", "object": "chat.completion", "created": 1, "model": "m"}
            whole = {**head, "choices": [choice], "usage": used}
            if not body.get("stream"):
                return self._send(whole)
            piece = {"index": 0, "finish_reason": finish, "delta": message}
            row = {**whole, "object": "chat.completion.chunk", "choices": [piece]}
            return self._sent(f"data: {json.dumps(row)}\n\ndata: [DONE]\n\n", "text/event-stream")

        def _send(self, body: dict[str, Any]) -> None:
            self._sent(json.dumps(body), "application/json")

        def _sent(self, text: str, kind: str) -> None:
            raw = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
