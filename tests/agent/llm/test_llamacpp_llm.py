"""llama.cpp in this process: the packaged GGUF file as a model that Lichen asks like any server."""

import asyncio
import hashlib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from gguf import GGUFWriter
from pydantic import BaseModel

from lichen.agent.llm import Message, open_llm
from lichen.agent.llm.catalog import packaged_file
from lichen.agent.llm.errors import ModelNotFound
from lichen.agent.llm.llamacpp_llm import TEMPLATE, LlamaCppLLM, mended_template, metadata
from lichen.agent.llm.openai_llm import OpenAILLM, ServerConfig
from lichen.agent.llm.talking import TalkingLLM, Turn
from lichen.envs import MissingExtra, UsageError


class Lamp(BaseModel):
    """Whether a lamp is on."""

    on: bool


@pytest.fixture(scope="module")
def engine() -> Iterator[None]:
    """The package, where it is installed, with one thread: tests share the cores with others."""
    pytest.importorskip("xllamacpp", reason="the extra llamacpp is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


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
    engine: None, loop: asyncio.Runner
) -> None:
    llm = open_llm("llamacpp:smollm2-135m")
    assert isinstance(llm, LlamaCppLLM) and isinstance(llm, TalkingLLM)
    address = llm.where
    assert urlsplit(address).hostname == "127.0.0.1" and listens(address)
    text = loop.run(llm.complete("The capital of France is", max_tokens=4))
    assert "Paris" in text
    again = loop.run(llm.complete("The capital of France is", max_tokens=4))
    assert again == text
    assert llm.usage.calls == 2 and llm.usage.tokens_out >= 2
    question = [Message(role="user", content="The lamp is on. Is it on? Answer as JSON.")]
    assert isinstance(loop.run(llm.chat(question, schema=Lamp)).on, bool)
    said = loop.run(
        llm.reply([Turn(role="user", content="Say hello.")], max_tokens=60, top_logprobs=2)
    )
    assert said.text and said.top and not said.uses
    can = loop.run(llm.abilities())
    assert (can.tools, can.json_schema, can.top_logprobs) == (False, True, True)  # by its template
    scores = loop.run(llm.choose("The capital of France is", [" Paris", " cheese"]))
    assert scores.shape == (2,) and np.all(np.isfinite(scores))
    assert not llm.scores_choices

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
    engine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


def gguf(path: Path, **texts: str) -> Path:
    """Return a GGUF file with metadata of texts and no weights."""
    writer = GGUFWriter(path, "qwen2")
    writer.add_name(texts["name"])
    writer.add_chat_template(texts["template"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def test_the_template_is_read_from_the_file_and_mended_only_where_it_is_wrong(
    tmp_path: Path,
) -> None:
    own = metadata(packaged_file(), TEMPLATE)
    assert own.startswith("{% for message in messages %}")
    assert mended_template(packaged_file()) == ""
    (tmp_path / "bare.gguf").write_bytes(b"GGUF and nothing of a template")
    assert metadata(tmp_path / "bare.gguf", TEMPLATE) == ""
    for opened, closed in (("{{", "}}"), ("{", "}")):  # both are in files of Qwen2.5-Coder
        wrong = (
            r"return a json object with function name and arguments within <tool_call></tool_call> XML tags:"
            rf"\n<tool_call>\n{opened}\"name\": <function-name>, "
            rf"\"arguments\": <args-json-object>{closed}\n</tool_call>"
            r"""{{- '\n<tool_call>\n{"name": "' }}{{- '}\n</tool_call>' }}"""
        )
        coder = gguf(tmp_path / "coder.gguf", name="Qwen2.5 Coder 0.5B", template=wrong)
        assert mended_template(coder) == (
            r"return a json object with function name and arguments:"
            r"\n{\"name\": <function-name>, \"arguments\": <args-json-object>}"
            r"""{{- '\n{"name": "' }}{{- '}' }}"""
        )
        assert metadata(coder, TEMPLATE) == wrong
        assert not mended_template(gguf(tmp_path / "q.gguf", name="Qwen2.5 1.5B", template=wrong))
