"""What was found out about models behind servers, kept so that it is asked once: per base URL and model.

A small JSON file of plain facts. It never holds a key: what stands in a URL beside host and path is left out.
"""

import json
import os
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from ...envs.types import Record

FRESH = timedelta(days=7)
"""What is older is asked again: servers are upgraded."""


class Known(Record):
    """What is known of one model behind one URL; None: not yet asked."""

    refused: tuple[str, ...] = ()
    """Parameters of a request, and forms of conversation, that it does not take; see `refusals`."""
    tools: bool | None = None
    json_schema: bool | None = None
    top_logprobs: bool | None = None
    echo: bool | None = None
    """Whether it gives log-probabilities of a given text."""
    caching: bool = False
    """Whether it was seen to read a prompt's beginning from a cache."""
    since: date = Field(default_factory=lambda: datetime.now(UTC).date())

    def without(self, parameter: str) -> "Known":
        """Return it with one more parameter refused."""
        return self.model_copy(update={"refused": (*self.refused, parameter)})


class KnownServers:
    """The file; None: what is found out is forgotten with the process.

    Args:
        path: Of the file. One that cannot be read or written is done without: everything in it can be asked
            again.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def get(self, url: str, model: str) -> Known:
        """Return what is known."""
        try:
            return Known.model_validate(self._read().get(_key(url, model), {}))
        except ValidationError:
            return Known()

    def put(self, url: str, model: str, known: Known) -> None:
        """Keep what is known."""
        if self.path is None:
            return
        held = {**self._read(), _key(url, model): known.model_dump(mode="json")}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", dir=self.path.parent, encoding="utf-8", delete=False
            ) as file:
                json.dump(held, file, indent=1)
            os.replace(file.name, self.path)
        except OSError:
            return

    def _read(self) -> dict[str, Any]:
        """Return the entries that are still fresh."""
        try:
            held = json.loads(self.path.read_text(encoding="utf-8")) if self.path else {}
        except (OSError, ValueError):
            return {}
        oldest = (datetime.now(UTC) - FRESH).date().isoformat()
        if not isinstance(held, dict):
            return {}
        return {
            key: entry
            for key, entry in held.items()
            if isinstance(entry, dict) and str(entry.get("since", "")) >= oldest
        }


def bare_url(url: str) -> str:
    """Return a URL without user, password, query and fragment.

    >>> bare_url("http://me:secret@host:80/v1/?key=1")
    'http://host:80/v1/'
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # a half-open bracket: whoever opens it says so
        return url.rpartition("@")[2]
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _key(url: str, model: str) -> str:
    """Return the name of an entry."""
    return f"{bare_url(url).rstrip('/')} {model}"
