"""From the word in the settings to a client."""

from typing import Any

from ...envs.errors import UsageError
from .protocol import FrozenLLM

SERVER = "openai:"


def open_llm(name: str, *, base_url: str | None = None, **options: Any) -> FrozenLLM:
    """Return a client for a model.

    Args:
        name: `smollm2-135m`, a GGUF file, a folder, a hub id, or `openai:MODEL` for a server.
        base_url: Of the server.
        options: Fields of `LocalConfig` or `ServerConfig`.

    Raises:
        ModelNotFound: No such local model.
        UsageError: A base URL without `openai:MODEL`.
    """
    if name.startswith(SERVER):
        from .openai_llm import OpenAILLM, ServerConfig

        return OpenAILLM(name.removeprefix(SERVER), ServerConfig(base_url=base_url, **options))
    if base_url is not None:
        raise UsageError(
            f"a base URL was given, but {name!r} is a local model", hint="Say --model openai:MODEL."
        )
    from .loading import LocalConfig
    from .local_llm import LocalLLM

    return LocalLLM(name, LocalConfig(**options))
