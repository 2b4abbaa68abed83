"""A small conforming server for the transports of SoftCoT."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import pytest
import torch

from lichen.agent.softcot.models import Frozen
from lichen.agent.softcot.transports.wire import decoded
from lichen.envs.errors import LichenError

Fault = Literal["", "refuses", "ignores", "scales", "old template"]
LOCK = threading.Lock()


class EmbedServer:
    """Serves one model on loopback: vLLM's two routes and SGLang's, with one fault or none.

    It decodes the payload and runs a real model, apart from Lichen's own reader.
    """

    def __init__(self, llm: Frozen, fault: Fault) -> None:
        self.llm, self.fault = llm, fault
        self.seen: list[dict[str, Any]] = []

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON answer to a request."""
        self.seen.append({"path": path, **body})
        if path == "/generate":
            sampling = body["sampling_params"]
            given = (
                torch.tensor(body["input_embeds"])
                if "input_embeds" in body
                else self.embed(body["input_ids"])
            )
            self.check("input_embeds" in body)
            return {"text": self.generate(given, sampling["max_new_tokens"])}
        if path == "/v1/completions":
            if "prompt_embeds" in body:
                self.check(True)
                given = decoded(body["prompt_embeds"], self.llm.d)
            else:
                given = self.embed(body["prompt"])
            return {"choices": [{"text": self.generate(given, body["max_tokens"])}]}
        text = self.generate(self.chat(body["messages"]), body["max_tokens"])
        return {"choices": [{"message": {"role": "assistant", "content": text}}]}

    def check(self, vectors: bool) -> None:
        """Refuse vectors, where that is this server's fault."""
        if vectors and self.fault == "refuses":
            raise LichenError("prompt embeddings are not enabled")

    def embed(self, ids: list[int]) -> torch.Tensor:
        """Return the embeddings of token ids."""
        found: torch.Tensor = self.llm.model.get_input_embeddings()(torch.tensor(ids))
        return found

    def chat(self, messages: list[dict[str, Any]]) -> torch.Tensor:
        """Return a templated conversation as vectors, each content part in its place."""
        blocks: list[torch.Tensor] = []
        turns = []
        for message in messages:
            content, text = message["content"], ""
            for part in (
                [{"type": "text", "text": content}] if isinstance(content, str) else content
            ):
                if part["type"] == "prompt_embeds":
                    self.check(True)
                    blocks.append(decoded(part["data"], self.llm.d))
                    text += "" if self.fault == "ignores" else "\x00"
                else:
                    text += part["text"]
            turns.append({"role": message["role"], "content": text})
        whole = self.llm.tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=self.fault != "old template" or not blocks
        )
        pieces = whole.split("\x00")
        found = [self.embed(self.llm.ids(pieces[0]))]
        for block, piece in zip(blocks, pieces[1:], strict=False):
            scale = 3.0 if self.fault == "scales" else 1.0
            found += [block * scale, self.embed(self.llm.ids(piece))]
        return torch.cat(found)

    def generate(self, vectors: torch.Tensor, most: int) -> str:
        """Return the greedy continuation of a prompt of vectors."""
        with torch.inference_mode(), LOCK:
            made = self.llm.model.generate(
                inputs_embeds=vectors[None].to(self.llm.model.dtype),
                attention_mask=torch.ones(1, len(vectors), dtype=torch.long),
                max_new_tokens=most,
                do_sample=False,
            )
        text: str = self.llm.tokenizer.decode(made[0], skip_special_tokens=True)
        return text


@contextmanager
def served(llm: Frozen, fault: Fault = "") -> Iterator[tuple[str, EmbedServer]]:
    """Yield the base URL of a running server, and the server."""
    server = EmbedServer(llm, fault)

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            try:
                found, status = server.answer(self.path, json.loads(self.rfile.read(length))), 200
            except LichenError as error:
                found, status = {"error": {"message": str(error)}}, 400
            said = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}/v1", server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


Served = Callable[..., AbstractContextManager[tuple[str, EmbedServer]]]


@pytest.fixture
def serve() -> Served:
    """Yield (base URL, server) for a model and a fault."""
    return served
