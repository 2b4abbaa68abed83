"""llama.cpp in this process: the packaged GGUF file as a model that Lichen asks like any server."""

import asyncio
import hashlib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from pydantic import BaseModel

from lichen.agent.llm import FrozenLLM, Message, open_llm
from lichen.agent.llm.catalog import packaged_file
from lichen.agent.llm.errors import ModelNotFound
from lichen.agent.llm.llamacpp_llm import LlamaCppLLM, mended_template, template_of
from lichen.agent.llm.openai_llm import OpenAILLM, ServerConfig
from lichen.envs import MissingExtra, UsageError


class Lamp(BaseModel):
    """Whether a lamp is on."""

    on: bool


@pytest.fixture(scope="module")
def engine() -> Any:
    """The package, where it is installed."""
    return pytest.importorskip("xllamacpp", reason="the extra llamacpp is not installed")


def listens(address: str) -> bool:
    """Return whether a server answers there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlsplit(address).port or 0)) == 0


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    """One event loop for all that a test asks of a client."""
    with asyncio.Runner() as runner:
        yield runner


def test_the_packaged_file_answers_completes_keeps_a_form_and_is_gone_when_closed(
    engine: Any, loop: asyncio.Runner
) -> None:
    llm = open_llm("llamacpp:smollm2-135m")
    assert isinstance(llm, LlamaCppLLM) and isinstance(llm, FrozenLLM)
    address = llm.where
    assert urlsplit(address).hostname == "127.0.0.1" and listens(address)
    text = loop.run(llm.complete("The capital of France is", max_tokens=4))
    assert "Paris" in text
    again = loop.run(llm.complete("The capital of France is", max_tokens=4))
    assert again == text
    assert llm.usage.calls == 2 and llm.usage.tokens_out >= 2
    question = [Message(role="user", content="The lamp is on. Is it on? Answer as JSON.")]
    assert isinstance(loop.run(llm.chat(question, schema=Lamp)).on, bool)
    scores = loop.run(llm.choose("The capital of France is", [" Paris", " cheese"]))
    assert scores.shape == (2,) and np.all(np.isfinite(scores)) and not llm.scores_choices

    stranger = OpenAILLM("any", ServerConfig(base_url=address, retries=0), api_key="guessed")
    with pytest.raises(Exception, match="refused the key"):
        loop.run(stranger.complete("Hello", max_tokens=1))

    fingerprint = loop.run(llm.fingerprint())
    assert fingerprint == hashlib.sha256(packaged_file().read_bytes()).hexdigest()
    loop.run(stranger.close())
    loop.run(llm.close())
    loop.run(llm.close())
    assert not listens(address)


def test_what_cannot_be_run_is_one_sentence(
    engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelNotFound, match="there is no model file"):
        open_llm(f"llamacpp:{tmp_path}/none.gguf")
    (tmp_path / "text.gguf").write_text("no model")
    with pytest.raises(ModelNotFound, match="is no GGUF file"):
        open_llm(f"llamacpp:{tmp_path}/text.gguf")
    (tmp_path / "torn.gguf").write_bytes(packaged_file().read_bytes()[:1000])
    with pytest.raises(ModelNotFound, match="llama.cpp cannot load"):
        open_llm(f"llamacpp:{tmp_path}/torn.gguf")
    with pytest.raises(UsageError, match="runs here"):
        open_llm("llamacpp:smollm2-135m", base_url="http://127.0.0.1:9/v1")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(MissingExtra, match="xllamacpp") as caught:
        open_llm("llamacpp:smollm2-135m")
    assert caught.value.hint == "pip install 'lichen[llamacpp]'"


def test_the_template_is_read_from_the_file_and_mended_only_where_it_is_wrong(
    tmp_path: Path,
) -> None:
    own = template_of(packaged_file())
    assert own.startswith("{% for message in messages %}") and mended_template(own) == ""
    (tmp_path / "bare.gguf").write_bytes(b"GGUF and nothing of a template")
    assert template_of(tmp_path / "bare.gguf") == ""
    coder = (  # the two places of Qwen2.5-Coder's
        r"return a json object with function name and arguments within <tool_call></tool_call> XML tags:"
        r"\n<tool_call>\n{{\"name\": <function-name>, \"arguments\": <args-json-object>}}\n</tool_call>"
        r"""{{- '\n<tool_call>\n{"name": "' }}{{- '}\n</tool_call>' }}"""
    )
    assert mended_template(coder) == (
        r"return a json object with function name and arguments:"
        r"\n{\"name\": <function-name>, \"arguments\": <args-json-object>}"
        r"""{{- '\n{"name": "' }}{{- '}' }}"""
    )
