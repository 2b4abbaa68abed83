"""Which models are within reach: packaged, in the hub's cache, on a server. Loads none of them."""

import json
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from ...envs.types import Record
from .catalog import PACKAGED, packaged_file
from .errors import LLMUnavailable, ModelNotFound
from .known_servers import bare_url
from .llamacpp_llm import TEMPLATE, metadata
from .server_errors import without_keys

LOCAL = ("scores", "soft thoughts", "json_schema")
"""What every model can do that transformers runs in this process."""
WAIT = 5.0
"""Seconds for a server to list its models."""


class ShelfModel(Record):
    """A model that `--model` can name."""

    name: str
    """What to say to `--model`."""
    where: str
    """`packaged`, `cached` or the server's URL."""
    bytes: int | None = None
    """Size of its weights on disk; None where a server does not say."""
    can: tuple[str, ...] = ()
    """What is known of it without asking it."""


def packaged() -> Iterator[ShelfModel]:
    """Yield the packaged model, by each engine that is installed."""
    try:
        file = packaged_file()
    except ModelNotFound:
        return
    size = file.stat().st_size
    yield ShelfModel(name=PACKAGED, where="packaged", bytes=size, can=LOCAL)
    if find_spec("xllamacpp") is not None:
        yield _gguf(file, f"llamacpp:{PACKAGED}", "packaged")


def cached() -> Iterator[ShelfModel]:
    """Yield the language models in the hub's cache, by name: folders of weights, and GGUF files."""
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        repositories = scan_cache_dir().repos
    except CacheNotFound:
        return
    for repository in sorted(repositories, key=lambda held: held.repo_id):
        if repository.repo_type != "model" or not repository.revisions:
            continue
        newest = max(repository.revisions, key=lambda revision: revision.last_modified)
        if _writes(newest.snapshot_path / "config.json"):
            yield ShelfModel(
                name=repository.repo_id, where="cached", bytes=newest.size_on_disk, can=LOCAL
            )
        for file in sorted(newest.snapshot_path.glob("*.gguf")):
            yield _gguf(file, f"llamacpp:{file}", "cached")


def served(base_url: str, *, key: str | None = None) -> Iterator[ShelfModel]:
    """Yield the models of an OpenAI-compatible server.

    Args:
        base_url: As it is given with `--base-url`.
        key: Of the server; $LICHEN_API_KEY, then $OPENAI_API_KEY when None.

    Raises:
        LLMUnavailable: It does not list any.
    """
    from openai import OpenAI, OpenAIError

    key = key or os.environ.get("LICHEN_API_KEY") or os.environ.get("OPENAI_API_KEY") or "none"
    try:
        with OpenAI(api_key=key, base_url=base_url, timeout=WAIT, max_retries=0) as client:
            listed = sorted(model.id for model in client.models.list())
    except (OpenAIError, ValueError) as error:
        said = " ".join(without_keys(str(error), key).split())
        raise LLMUnavailable(
            f"the server {bare_url(base_url)} lists no models: {said[:200]}",
            hint="Check that it runs, the key, and --base-url (it usually ends in /v1).",
        ) from error
    for name in listed:
        yield ShelfModel(name=f"openai:{name}", where=bare_url(base_url))


def _gguf(file: Path, name: str, where: str) -> ShelfModel:
    tools = ("tools",) if "tools" in metadata(file, TEMPLATE) else ()
    can = (*tools, "json_schema", "top_logprobs")
    return ShelfModel(name=name, where=where, bytes=file.stat().st_size, can=can)


def _writes(config: Path) -> bool:
    """Return whether a model's settings are of one that writes text."""
    try:
        named = json.loads(config.read_text(encoding="utf-8")).get("architectures") or []
    except (OSError, ValueError, AttributeError):
        return False
    return any(str(name).endswith(("ForCausalLM", "ForConditionalGeneration")) for name in named)
