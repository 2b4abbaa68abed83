"""Spans by the conventions for generative AI; no texts unless asked for, keys never (replies are scripted)."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lichen.agent import Agent

Server = Any  # ScriptedServer of conftest.py
KEY = "sk-abcdefghijklmnopqrstuvwxyz0123456789ABCD"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(trace, "get_tracer", lambda name: provider.get_tracer(name))
    yield kept
    provider.shutdown()


@pytest.fixture
def agent(tmp_path: Path, loopback: Server) -> Iterator[Agent]:
    def reply(body: dict[str, Any]) -> Any:
        if (probe := loopback.probed(body)) is not None:
            return probe
        if any(turn["role"] == "tool" for turn in body["messages"]):
            return loopback.said("It is in Oslo.")
        return loopback.called(("find_order", {"order": 7}))

    def find_order(order: int) -> str:
        "Say where an order is."
        return f"in Oslo, by {KEY}"

    loopback.answers(reply)
    with Agent.from_config(
        store=tmp_path,
        embedder="hashing",
        model="openai:m",
        base_url=loopback.url,
        tools=[find_order],
    ) as made:
        yield made


def test_scripted_a_request_is_a_tree_of_spans_without_texts(
    agent: Agent, exporter: InMemorySpanExporter
) -> None:
    agent.ask("Where is SECRET-7?", user="acme/ann", thread="t")
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert {"invoke_agent requests", "search_memory", "chat m", "execute_tool find_order"} <= set(
        spans
    )
    assert {f"lichen.{node}" for node in ("recall", "act", "observe", "learn")} <= set(spans)
    root = spans["invoke_agent requests"]
    assert {span.context.trace_id for span in spans.values()} == {root.context.trace_id}
    said = dict(spans["chat m"].attributes or {})
    assert said["gen_ai.operation.name"] == "chat" and said["gen_ai.usage.input_tokens"]
    assert (root.attributes or {})["gen_ai.conversation.id"] == "t"
    told = str([dict(span.attributes or {}) for span in exporter.get_finished_spans()])
    assert "SECRET" not in told and "Oslo" not in told


def test_scripted_texts_are_told_when_asked_for_and_keys_never(
    agent: Agent, exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
    agent.ask("Where is order 7?")
    told = str([dict(span.attributes or {}) for span in exporter.get_finished_spans()])
    assert "in Oslo" in told and KEY not in told and "[secret]" in told


def test_without_opentelemetry_nothing_of_it_is_imported() -> None:
    said = "import sys; from lichen.agent.telemetry.spans import span\n"
    said += "with span('x', a=1) as noting: noting.note(b=2)\n"
    said += "print([m for m in sys.modules if m.startswith('opentelemetry')])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
