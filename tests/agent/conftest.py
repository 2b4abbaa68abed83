"""Fixtures of the agent's tests: frozen models (the packaged one, and a tiny one of random weights for speed),
a trained projection, a model whose server can be down, a real HTTP server on loopback whose answers are
written down beforehand, a library of skills."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from lichen.agent.llm import ScriptedLLM
from lichen.agent.llm.errors import LLMUnavailable
from lichen.agent.llm.frozen import Frozen, ModelIdentity, open_frozen
from lichen.agent.skill_actions.open_library import OpenLibrary
from lichen.agent.softcot import Example, TrainConfig
from lichen.agent.softcot.example_rows import row_of
from lichen.agent.softcot.projection import Projection
from lichen.agent.softcot.soft_assistant import SoftAssistant
from lichen.agent.softcot.train import Trainer
from lichen.skills.induction.induce import InduceConfig, induce
from lichen.skills.induction.watch import traced


class Down(ScriptedLLM):
    """A model whose server is down until `down` is set to False."""

    down = True

    async def choose(self, prompt: str, options: Sequence[str]) -> np.ndarray:
        """Fail while it is down."""
        if self.down:
            raise LLMUnavailable("the server is down")
        return await super().choose(prompt, options)


@pytest.fixture
def down_llm() -> Down:
    """A scripted model that is down."""
    return Down()


@pytest.fixture(scope="session")
def household_skills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a library of the small household, induced; copy it to change it."""
    root = tmp_path_factory.mktemp("household") / "skills"
    with OpenLibrary(root, author="agent", warm=1) as shop:
        environment, traces = shop.environment("alfworld-mini"), []
        for task in environment.tasks("train"):
            environment.reset(task.id)
            trace = traced(environment, task.id, environment.gold() or ())
            assert trace is not None
            traces.append(trace)
        assert len(induce(traces, shop.admission(), InduceConfig(least=3, most=4))) >= 3
    return root


@pytest.fixture(scope="session")
def frozen() -> Iterator[Frozen]:
    """SmolLM2, loaded to be read."""
    yield open_frozen("smollm2-135m")


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory, frozen: Frozen) -> Path:
    """A folder with a two-layer Llama of random weights and SmolLM2's tokenizer."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny")
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    frozen.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> Frozen:
    """The tiny model."""
    return open_frozen(str(tiny_folder))


class Taught(NamedTuple):
    """A projection trained on answers that only the assistant can tell apart, and the model before it."""

    examples: list[Example]
    trainer: Trainer
    before: ModelIdentity


@pytest.fixture(scope="session")
def secrets() -> list[Example]:
    """Eight questions of one wording whose answers only the assistant can tell apart."""
    words = ("river", "copper", "violin", "seven", "orange", "winter", "tiger", "bread")
    return [
        Example(
            question="What is the secret word?\nAnswer:",
            seen=f"The secret word is {words[number - 1]}.",  # a code: in words it misleads
            target=f" {word}\n",
            form="cue",
            family="secret",
            answer=word,
            episode=f"e{number}",
        )
        for number, word in enumerate(words)
    ]


@pytest.fixture(scope="session")
def untaught(frozen: Frozen, secrets: list[Example]) -> Trainer:
    """A training of the eight that has not begun."""
    return _training(frozen, secrets)


@pytest.fixture(scope="session")
def taught(frozen: Frozen, secrets: list[Example], untaught: Trainer) -> Taught:
    """SmolLM2 with a projection that carries the eight answers; trained once for all tests."""
    before = frozen.identity(again=True)
    for epochs in (
        45,
        90,
        180,
    ):  # how many are enough depends on the last bits of the processor's floats
        trainer = _training(frozen, secrets, epochs, start=untaught.projection)
        trainer.run()
        if _knows(trainer):
            break
    return Taught(secrets, trainer, before)


def _training(
    frozen: Frozen, secrets: list[Example], epochs: int = 45, start: Projection | None = None
) -> Trainer:
    config = TrainConfig(n=(4,), epochs=epochs, batch=8, lr=3e-3)
    return Trainer(SoftAssistant(frozen), frozen, secrets, config=config, start=start)


def _knows(trainer: Trainer) -> bool:
    """Return whether every answer is more likely than all others together."""
    rows = [row_of(trainer.reader, example, 4) for example in trainer.examples]
    with torch.no_grad():
        states = trainer.assistant.states([e.assistant_sees for e in trainer.examples], 4)
        log = trainer.reader.log_likelihoods(rows, trainer.projection(states))
    return bool((log.exp() > 0.5).all())


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

    def probed(self, body: dict[str, Any]) -> Answer | None:
        """Return how a server that can do all answers the two probes; None: the request is none."""
        if [tool["function"]["name"] for tool in body.get("tools", ())] == ["set_color"]:
            return called(("set_color", {"color": "red"}))
        if "response_format" in body:
            return said('{"lamp_state": "lit_red"}')
        return None

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
