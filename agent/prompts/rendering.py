"""Prompts: one `.md` a prompt, filled by jinja2, where a missing word is an error."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...envs.text import shortened

if TYPE_CHECKING:
    from jinja2 import Environment as Jinja

FOLDER = Path(__file__).parent


@lru_cache(maxsize=4)
def _jinja(folder: Path) -> "Jinja":
    from jinja2 import Environment as Jinja
    from jinja2 import FileSystemLoader, StrictUndefined

    jinja = Jinja(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    jinja.filters["clip"] = clip
    return jinja


def render(name: str, *, folder: Path = FOLDER, **values: object) -> str:
    """Return the prompt `name` of a folder filled with `values`.

    Raises:
        jinja2.UndefinedError: The prompt uses a word that was not given.
    """
    return _jinja(folder).get_template(f"{name}.md").render(**values)


def prompt_hash() -> str:
    """Return a hash over all prompts, stored with every run."""
    parts = [f"{p.name}\0{p.read_text(encoding='utf-8')}" for p in sorted(FOLDER.glob("*.md"))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def clip(text: str, most: int) -> str:
    """Return the text on one line, its middle left out when it has more than `most` characters, which it says.

    >>> clip("one  two three four", 12)
    'one tw [... 6 characters left out] e four'
    """
    return shortened(" ".join(text.split()), most, around=" ")
