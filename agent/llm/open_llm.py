"""From the word in the settings to a client: a scheme's backend, or a model in this process.

`openai:NAME` is a server; another package adds a scheme by an entry point of the group `lichen.llms`, whose
function takes the name behind the colon. A name without a known scheme is a local model.
"""

from importlib import import_module
from importlib.metadata import entry_points
from typing import Protocol, cast

from ...envs.errors import UsageError
from .loading import LocalConfig
from .protocol import FrozenLLM

GROUP = "lichen.llms"
SERVER = "openai"
BUILT_IN = {
    SERVER: "lichen.agent.llm.openai_llm:open_openai",
    "llamacpp": "lichen.agent.llm.llamacpp_llm:open_llamacpp",
}


class Backend(Protocol):
    """Opens a model of one scheme."""

    def __call__(self, name: str, *, base_url: str | None, local: LocalConfig) -> FrozenLLM:
        """Return a client.

        Args:
            name: What stands behind `SCHEME:`.
            base_url: Of a server, where the user named one.
            local: dtype and device, for backends that run the model here.
        """
        ...


def schemes() -> tuple[str, ...]:
    """Return the registered schemes, sorted."""
    return tuple(sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))}))


def scheme_of(name: str) -> str:
    """Return the registered scheme that a model's name begins with; empty for a local model.

    >>> scheme_of("openai:gpt-5-mini"), scheme_of("smollm2-135m")
    ('openai', '')
    """
    scheme, colon, _ = name.partition(":")
    return scheme if colon and scheme in schemes() else ""


def open_llm(
    name: str, *, base_url: str | None = None, local: LocalConfig | None = None
) -> FrozenLLM:
    """Return a client for a model.

    Args:
        name: `smollm2-135m`, a GGUF file, a folder, a hub id, or `SCHEME:NAME` (`openai:MODEL` for a
            server, `llamacpp:FILE.gguf` for llama.cpp in this process).
        base_url: Of the server.
        local: How a local model is run.

    Raises:
        ModelNotFound: No such local model.
        UsageError: A base URL with a local model.
    """
    local = local or LocalConfig()
    if scheme := scheme_of(name):
        return _backend(scheme)(name.removeprefix(f"{scheme}:"), base_url=base_url, local=local)
    if base_url is not None:
        raise UsageError(
            f"a base URL was given, but {name!r} is a local model", hint="Say --model openai:MODEL."
        )
    from .local_llm import LocalLLM

    return LocalLLM(name, local)


def _backend(scheme: str) -> Backend:
    for point in entry_points(group=GROUP):
        if point.name == scheme:
            return cast(Backend, point.load())
    module, _, attribute = BUILT_IN[scheme].partition(":")
    return cast(Backend, getattr(import_module(module), attribute))
