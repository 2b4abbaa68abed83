"""What tells one model behind a server from another: only what is stable is looked at."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from .connection import Connection
from .errors import LLMNonsense, LLMRefused, RequestRefused


async def server_fingerprint(server: Connection) -> str:
    """Return a hash over what the server says of the model: its id and owner.

    A server cannot be looked into: this notices another model under the name, not other weights. The date
    that a server tells is no part of it (some tell the time of the request). A model that is in no list, or
    whose server shows none, is known by its name and URL.

    Raises:
        LLMRefused: The key is wrong (LLMUnavailable: the server does not answer).
    """
    try:  # as it comes: some servers send a bare list, which the client cannot read
        listed = await server.ask(lambda: server.client.get("/models", cast_to=object))
    except LLMRefused as error:
        if error.status == 401:
            raise
        listed = None
    except (RequestRefused, LLMNonsense):
        listed = None
    entries = listed.get("data") if isinstance(listed, Mapping) else listed
    found = [
        f"{server.model} {entry.get('owned_by', '')}"
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, Mapping) and entry.get("id") == server.model
    ]
    if not found:
        return _hash([server.model, server.where])
    return _hash([server.model, *sorted(found)])


def _hash(parts: Sequence[str]) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()
