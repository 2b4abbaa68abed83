"""A GGUF file run by llama.cpp in this process, through the package xllamacpp.

Its server answers on the loopback only, at a free port, to a key that this process makes up. What Lichen asks
of it is what it asks of any server: `OpenAILLM` does that.
"""

import asyncio
import hashlib
import mmap
import re
import secrets
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...envs.errors import MissingExtra, UsageError
from ...envs.tools import ToolSpec
from ...memory.likeness.threads import free_threads
from .catalog import PACKAGED, packaged_file
from .errors import ModelNotFound
from .loading import LocalConfig
from .openai_llm import OpenAILLM, ServerConfig
from .talking import Abilities, Reply, Turn

CONTEXT = 16_384
"""Tokens of a conversation, prompt and answers; less where the model was trained on less."""
KEPT_MIB = 1024
"""Memory for the states of earlier prompts, so that a conversation that comes back is not read again."""
TIMEOUT = 900.0
"""Seconds for one answer: a CPU may read 50 tokens of a long prompt in one."""

TEMPLATE = "tokenizer.chat_template"
"""The key of a file's chat template."""
_HEAD = 64 << 20
"""Bytes at a file's beginning in which its metadata are looked for."""
_STRING = 8
"""GGUF's number for the kind of value that is a text."""
_CODER = "qwen2.5 coder"
"""How the names of the models begin whose template is wrong."""
_MENDS = (
    (r" within <tool_call></tool_call> XML tags:\\n<tool_call>\\n\{+", r":\\n{"),
    (r"<args-json-object>\}+\\n</tool_call>", "<args-json-object>}"),
    (r"'\\n<tool_call>\\n\{", r"'\\n{"),
    (r"'\}\\n</tool_call>'", "'}'"),
)
"""Their template asks for calls in tags (some in braces twice); the model writes plain JSON. With these
it asks for that, and llama.cpp's grammar and parser follow it. Measured with the 1.5B model: understood were 0
of 6 calls without them, 6 of 6 with them."""


class LlamaCppLLM(OpenAILLM):
    """A frozen model in a GGUF file, run by llama.cpp.

    Args:
        file: The GGUF file.

    Attributes:
        key: Its server answers to this alone, as long as this process lives.

    Raises:
        MissingExtra: The package xllamacpp is not installed.
        ModelNotFound: There is no such file, or llama.cpp cannot load it.
    """

    def __init__(self, file: Path) -> None:
        from openai import DefaultAsyncHttpxClient

        self.file = file
        self.key = secrets.token_hex(16)
        self._engine: Any = _served(file, self.key)
        self.address = address = f"{self._engine.listening_address}/v1"
        config = ServerConfig(base_url=address, timeout=TIMEOUT, retries=1)
        direct = DefaultAsyncHttpxClient(trust_env=False)  # no proxy stands before the loopback
        super().__init__(file.name, config, api_key=self.key, http_client=direct)
        self._mended = bool(mended_template(file))
        can = {"json_schema": True, "top_logprobs": True, "caching": True}
        can["tools"] = "tools" in metadata(file, TEMPLATE)
        self._server.learn(self._server.known.model_copy(update={**can, "echo": False}))

    async def reply(
        self, turns: Sequence[Turn], *, tools: Sequence[ToolSpec] = (), **asked: Any
    ) -> Reply:
        """Answer a conversation; see `TalkingLLM.reply`.

        Where the template was mended and there are tools, one has to be called, after free words if the model
        likes: else llama.cpp refuses what this model writes around its call (HTTP 500).
        """
        if tools and self._mended:
            asked["must_call"] = True
        return await super().reply(turns, tools=tools, **asked)

    async def abilities(self) -> Abilities:
        """Return what it can do; see `reply` for plain words."""
        can = await super().abilities()
        return can.model_copy(update={"words": not (self._mended and can.tools)})

    async def fingerprint(self) -> str:
        """Return the SHA-256 of the file."""
        stat = self.file.stat()
        return await asyncio.to_thread(_sha256, self.file, stat.st_size, stat.st_mtime_ns)

    async def close(self) -> None:
        """Close the connections, stop the server and free the model."""
        await super().close()
        self._engine = None


def _served(file: Path, key: str) -> Any:
    """Return llama.cpp's server of a file; it stops when nothing refers to it any more."""
    try:
        import xllamacpp
    except ImportError as error:
        raise MissingExtra(f"llamacpp:{file.name}", "llamacpp", "xllamacpp") from error
    if not file.is_file():
        raise ModelNotFound(f"there is no model file {file}", hint="Check the path.")
    with file.open("rb") as head:
        if head.read(4) != b"GGUF":
            raise ModelNotFound(
                f"{file} is no GGUF file",
                hint="llamacpp:FILE takes a model in llama.cpp's GGUF form.",
            )
    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.model_alias = {file.name}
    params.api_keys = [key]
    params.n_ctx = CONTEXT
    params.cache_ram_mib = KEPT_MIB
    params.cpuparams.n_threads = free_threads()
    params.use_jinja = True
    params.chat_template = mended_template(file)
    params.ui = params.endpoint_slots = False
    params.verbosity = -1
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise ModelNotFound(
            f"llama.cpp cannot load {file}: {' '.join(str(error).split())}",
            hint="The file may be torn, of a new architecture, or too large for the memory.",
        ) from error


def mended_template(file: Path) -> str:
    """Return the chat template to use instead of a file's own; empty when that is right."""
    if not metadata(file, "general.name").casefold().replace("-", " ").startswith(_CODER):
        return ""
    own = mended = metadata(file, TEMPLATE)
    for wrong, right in _MENDS:
        mended = re.sub(wrong, right, mended)
    return mended if mended != own else ""


def metadata(file: Path, key: str) -> str:
    """Return a text of a GGUF file's metadata; empty where it has none of this key.

    The package gguf reads every word of the vocabulary first, which takes seconds; the key is looked for here.
    """
    sought = len(key).to_bytes(8, "little") + key.encode() + _STRING.to_bytes(4, "little")
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as held:
        at = held.find(sought, 0, _HEAD)
        if at < 0:
            return ""
        begin = at + len(sought) + 8
        length = int.from_bytes(held[begin - 8 : begin], "little")
        return held[begin : begin + length].decode(errors="replace")


@lru_cache
def _sha256(file: Path, size: int, modified: int) -> str:
    """Return the hash of a file of this size, last written at this time."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def open_llamacpp(name: str, *, base_url: str | None, local: LocalConfig) -> LlamaCppLLM:
    """Return a model run by llama.cpp; the backend of `llamacpp:FILE.gguf`, and of `llamacpp:smollm2-135m`.

    Raises:
        UsageError: A base URL was given.
    """
    if base_url is not None:
        raise UsageError(
            f"a base URL was given, but llamacpp:{name} runs here", hint="Say --model openai:MODEL."
        )
    return LlamaCppLLM(packaged_file() if name == PACKAGED else Path(name).expanduser())
