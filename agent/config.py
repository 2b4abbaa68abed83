"""Settings: one model, defaults < `lichen.toml` < environment `LICHEN_*` < options.

Each part has a small config of its own beside it; `AgentConfig` only composes them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, field_serializer
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from ..envs.errors import BadFile, LichenError, UnknownName
from ..memory.recall.retriever import RetrieverConfig
from .acting.opinion import Voice
from .acting.policy import PolicyConfig
from .asking.budget import AskBudget
from .doors.mcp.mcp_servers import McpServer
from .llm.known_servers import bare_url
from .llm.loading import LocalConfig
from .llm.prices import Price
from .llm.protocol import FrozenLLM
from .skill_actions.skill_set import SkillConfig
from .softcot.soft_config import HintConfig
from .talking.budget import TalkConfig


class AgentConfig(BaseSettings):
    """What an agent is made of."""

    model_config = SettingsConfigDict(
        env_prefix="LICHEN_", env_nested_delimiter="__", extra="forbid", toml_file="lichen.toml"
    )

    model: str = "smollm2-135m"
    """The frozen LLM: `smollm2-135m`, a folder, a GGUF file, a hub id, `llamacpp:FILE.gguf` or
    `openai:MODEL`. Measured: README's figures are of the default."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Of a local model: float32 is exact. Measured: bfloat16 was 1.6 times faster on a CPU with
    AVX512-BF16."""
    device: str = "cpu"
    """Of a local model, as torch names it. Measured on a GPU: docs/softcot.md."""
    base_url: str | None = None
    """Of the OpenAI-compatible server, for `openai:MODEL`; an address, nothing to measure."""
    embedder: str = "minilm"
    """`minilm`, a sentence-transformers folder or hub id, or `hashing`. Measured: ALFWorld's
    figures are with `hashing`, the others with `minilm`."""
    store: Path = Path(".lichen")
    """Folder of the ledger and everything derived from it; a place, nothing to measure."""
    index_url: str | None = None
    """URL of a Chroma server, where several processes share one index; an address, nothing to
    measure."""

    @field_serializer("base_url", "index_url", when_used="json")
    def _bare(self, url: str | None) -> str | None:
        """Write an address down without user, password and query: a ledger is exported and shown."""
        return bare_url(url) if url else url

    planner: Literal["reactive", "plan"] = "reactive"
    """`reactive`: every step is one choice of the policy; `plan`: subtasks first. Measured by no
    table: a 135M model cannot plan."""
    prices: dict[str, Price] = Field(default_factory=dict)
    """Dollars for a million tokens (`input`, `cached`, `output`) by model; where set, costs are shown.
    Nothing to measure."""
    budget: AskBudget = Field(default_factory=AskBudget)
    """What `Agent.ask` may cost: `budget.ask` of one request, `budget.day` of all of a day. Nothing to
    measure."""
    mcp: dict[str, McpServer] = Field(default_factory=dict)
    """MCP servers by name, whose tools `Agent` can call: a `command` with `args` and `env`, or a `url`.
    Nothing to measure."""
    instructions: str = ""
    """The user's own, at the beginning of what the model reads. Nothing to measure."""
    talk: TalkConfig = Field(default_factory=TalkConfig)
    """What conversations with a model that talks may cost."""
    seed: int = Field(default=0, ge=0)
    """Of every random choice; two runs with one seed give the same events. Measured: figures name
    theirs."""
    policy: PolicyConfig = Field(default_factory=PolicyConfig)
    retriever: RetrieverConfig = Field(default_factory=RetrieverConfig)
    softcot: HintConfig = Field(default_factory=HintConfig)
    """Soft thoughts of an assistant, where the store has a projection whose gate is open."""
    skills: SkillConfig = Field(default_factory=SkillConfig)
    """Skills as actions, where the store has a library."""

    @property
    def local(self) -> LocalConfig:
        """How a local model is run."""
        return LocalConfig(dtype=self.dtype, device=self.device)

    def open_llm(self) -> FrozenLLM:
        """Return a client of the frozen LLM.

        Raises:
            ModelNotFound: No such local model.
        """
        from .llm.open_llm import open_llm

        return open_llm(self.model, base_url=self.base_url, local=self.local)

    def open_voice(
        self, llm: FrozenLLM, policy: PolicyConfig, *, speaks: bool = False, more: str = ""
    ) -> Voice:
        """Return what asks a model; `speaks`: its words are answers; `more`: instructions beside its own."""
        from .talking.open_voice import open_voice

        said = "\n\n".join(part for part in (self.instructions, more) if part)
        return open_voice(llm, policy, self.talk, instructions=said, speaks=speaks)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options first, then the environment, then the file."""
        file = _file or settings_cls.model_config.get("toml_file")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)


_file: Path | None = None


def load_config(path: Path | str | None = None, **options: Any) -> AgentConfig:
    """Return the settings of `path` (`lichen.toml` here when None), the environment and the options.

    Raises:
        BadFile: The file is missing or malformed, or a value cannot be right.
        UnknownName: There is no such setting.
    """
    global _file
    if path is not None and not Path(path).is_file():
        raise BadFile(f"there is no settings file {path}")
    _file = Path(path) if path is not None else None
    try:
        return AgentConfig(**{k: v for k, v in options.items() if v is not None})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise _unknown(where) from error
        raise BadFile(f"the setting {where!r} is wrong: {first['msg']}") from error
    except SettingsError as error:  # a LICHEN_* variable that should hold JSON
        raise BadFile(f"a LICHEN_* variable is wrong: {error}: {error.__cause__}") from error
    except ValueError as error:  # TOML that cannot be parsed
        raise BadFile(f"{path or 'lichen.toml'} is not valid TOML: {error}") from error
    finally:
        _file = None


RENAMED = {"retriever.gate": "retriever.floor"}
"""Old names of settings, and those of now."""
_WEIGHED = "how much each channel counts is estimated from what is known of the model"
_WHOLE = "the model is asked about everything that it could bring to win"
GONE = {
    "policy.beta": _WEIGHED,
    "policy.llm_temperature": _WEIGHED,
    "policy.novelty": _WEIGHED,
    "policy.repetition": _WEIGHED,
    "policy.candidates": _WHOLE,
    "policy.margin": _WHOLE,
    "policy.calls": "a model that talks writes its calls itself, another chooses among candidates",
}
"""Settings that were, and why they are no more."""


def setting_names(model: type[BaseModel] = AgentConfig, path: str = "") -> Iterator[str]:
    """Yield the dotted names of all settings."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from setting_names(kind, f"{path}{name}.")
        else:
            yield f"{path}{name}"


def _unknown(where: str) -> LichenError:
    """Return what to say of a setting that does not exist."""
    if now := RENAMED.get(where):
        return BadFile(f"the setting {where!r} is {now!r} now")
    if why := GONE.get(where):
        return BadFile(f"the setting {where!r} is gone: {why}", hint="Leave it out.")
    return UnknownName("setting", where, setting_names())
