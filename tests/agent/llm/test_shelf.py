"""What `lichen models` knows: the packaged file, the hub's cache, a server; and a measured speed."""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lichen.agent.cli.main import app
from lichen.agent.llm.catalog import PACKAGED, packaged_file
from lichen.agent.llm.errors import LLMUnavailable
from lichen.agent.llm.llamacpp_llm import LlamaCppLLM
from lichen.agent.llm.shelf import cached, packaged, served
from lichen.agent.llm.speed import measure


def listed(*words: str) -> Any:
    """Return the JSON object that `lichen models` writes."""
    done = CliRunner().invoke(app, ["models", "--json", "-", *words])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_packaged_model_is_listed_with_its_size_and_what_it_can_do() -> None:
    found = {model.name: model for model in packaged()}
    assert found[PACKAGED].bytes == packaged_file().stat().st_size
    assert "scores" in found[PACKAGED].can
    assert (f"llamacpp:{PACKAGED}" in found) == (find_spec("xllamacpp") is not None)
    assert [model["name"] for model in listed()["models"]][: len(found)] == list(found)


def test_the_hubs_cache_gives_models_that_write_and_gguf_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(owner: str, name: str, files: dict[str, str]) -> Path:
        folder = tmp_path / f"models--{owner}--{name}"
        snapshot = folder / "snapshots" / "abc"
        snapshot.mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text("abc")
        (folder / "blobs").mkdir()
        for file, text in files.items():
            blob = folder / "blobs" / file
            blob.write_text(text)
            (snapshot / file).symlink_to(blob)
        return snapshot

    put("some", "writer", {"config.json": '{"architectures": ["LlamaForCausalLM"]}'})
    put("some", "embedder", {"config.json": '{"architectures": ["BertModel"]}'})
    put("some", "torn", {"config.json": "{"})
    quantised = put("some", "quantised", {})
    shutil.copy(packaged_file(), quantised / "small.gguf")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(
        "huggingface_hub.utils._cache_manager.HF_HUB_CACHE", str(tmp_path), raising=False
    )
    found = {model.name: model for model in cached()}
    assert set(found) == {"some/writer", f"llamacpp:{quantised / 'small.gguf'}"}
    assert found["some/writer"].where == "cached"


def test_a_server_that_does_not_answer_is_said_and_the_rest_is_listed() -> None:
    with pytest.raises(LLMUnavailable, match="lists no models"):
        list(served("http://127.0.0.1:9/v1"))
    found = listed("--base-url", "http://127.0.0.1:9/v1")
    assert "lists no models" in found["server"]["says"]
    assert found["models"]


def test_a_served_model_is_listed_and_a_model_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xllamacpp", reason="the extra llamacpp is not installed")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    llm = LlamaCppLLM(packaged_file())
    names = [model.name for model in served(llm.where, key=llm.key)]
    assert names == [f"openai:{packaged_file().name}"]
    found = measure("small", lambda: llm)
    assert found.read_per_s > 0 and found.write_per_s > 0 and found.load_s > 0
    assert found.can == ("json_schema", "top_logprobs", "seed", "words", "caching")
