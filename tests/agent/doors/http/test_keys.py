"""Keys: made, kept as hashes, held to their scopes and namespaces; who is a stranger is not let in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from lichen.agent import Agent, asgi_app
from lichen.agent.doors.http.gate import ServeLimits
from lichen.agent.doors.http.keys import KeyRing, add_key, read_keys, remove_key
from lichen.agent.doors.http.serve import serve
from lichen.envs.errors import BadFile, UnknownName, UsageError

from .conftest import running

Ask = Any


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def guarded(agent: Agent, file: Path) -> Iterator[str]:
    with running(asgi_app(agent, keys=file)) as url:
        yield url


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def chat(url: str, secret: str, text: str = "hello", **more: Any) -> httpx2.Response:
    body = {"model": "lichen", "messages": [{"role": "user", "content": text}], **more}
    return httpx2.post(f"{url}/v1/chat/completions", json=body, headers=bearer(secret), timeout=60)


def test_a_file_of_keys_has_their_hashes_alone_and_is_its_owners(file: Path) -> None:
    secret = add_key(file, "ann", ["read", "ask"], "acme/ann")
    assert secret not in file.read_text() and file.stat().st_mode & 0o777 == 0o600
    (key,) = read_keys(file)
    assert key.scopes == ("ask", "read") and KeyRing(file).find(secret) == key
    with pytest.raises(UsageError, match="already"):
        add_key(file, "ann")
    with pytest.raises(UnknownName, match="no scope 'write'"):
        add_key(file, "bob", ["write"])
    with pytest.raises(UsageError, match="no namespace"):
        add_key(file, "bob", namespace="a//b")
    file.chmod(0o644)
    with pytest.raises(BadFile, match="others can read"):
        read_keys(file)


def test_keys_of_the_environment_are_read_and_weak_ones_refused() -> None:
    ring = KeyRing(None, f"{'a' * 24}:ask,read:acme {'b' * 24}")
    first, second = ring.find("a" * 24), ring.find("b" * 24)
    assert first is not None and first.namespace == "acme" and first.scopes == ("ask", "read")
    assert second is not None and second.scopes == ("ask", "read", "edit")
    assert ring.find("c" * 24) is None
    with pytest.raises(UsageError, match="fewer than 20"):
        KeyRing(None, "short")


def test_without_a_key_nothing_is_answered_but_health(guarded: str, file: Path) -> None:
    assert httpx2.get(f"{guarded}/health").json() == {"status": "ok"}
    assert httpx2.get(f"{guarded}/ready").json()["ready"]
    for path in ("/v1/episodes", "/v1/models", "/openapi.json", "/nothing"):
        for headers in ({}, bearer("wrong")):
            answer = httpx2.get(f"{guarded}{path}", headers=headers)
            assert answer.status_code == 401, path
    secret = add_key(file, "ann")  # the server knows it at once
    assert httpx2.get(f"{guarded}/v1/models", headers=bearer(secret)).status_code == 200
    remove_key(file, "ann")
    assert httpx2.get(f"{guarded}/v1/models", headers=bearer(secret)).status_code == 401


def test_scripted_a_key_acts_for_its_namespace_alone(
    guarded: str, file: Path, agent: Agent
) -> None:
    acme, other = add_key(file, "acme", namespace="acme"), add_key(file, "other", namespace="other")
    mine = chat(guarded, acme, "Where is 4711? SECRET", user="acme/ann").json()
    own = chat(guarded, acme).json()
    assert own["lichen"]["namespace"] == "acme"
    for user in ("other", "acmee/x", "ann"):
        refused = chat(guarded, acme, user=user)
        assert refused.status_code == 403 and "acme/NAME" in refused.json()["error"]["message"]
    episode, head = mine["id"], bearer(other)
    for path in (f"/v1/episodes/{episode}", f"/v1/episodes/{episode}/why"):
        assert httpx2.get(guarded + path, headers=head).status_code == 404
        assert httpx2.get(guarded + path, headers=bearer(acme)).status_code == 200
    for path in ("/v1/feedback", "/v1/memory/forget", "/v1/approve"):
        said = {"id": episode, "good": True} if "feedback" in path else {"id": episode}
        assert httpx2.post(guarded + path, json=said, headers=head).status_code == 404
    agent.feedback(episode, good=True)
    (case,) = agent.store.episodes
    assert httpx2.get(f"{guarded}/v1/memory/cases/{case}", headers=head).status_code == 404
    for path in ("/v1/episodes", "/v1/memory/cases"):
        assert "SECRET" not in httpx2.get(guarded + path, headers=head).text
    recalled = httpx2.post(
        f"{guarded}/v1/memory/recall",
        json={"situation": "Where is 4711? SECRET", "kind": "requests"},
        headers=head,
    )
    assert recalled.json()["items"] == []


def test_a_key_has_its_scopes_alone(guarded: str, file: Path) -> None:
    ask, read = add_key(file, "asks", ["ask"]), add_key(file, "reads", ["read"])
    assert httpx2.get(f"{guarded}/v1/episodes", headers=bearer(ask)).status_code == 403
    assert httpx2.get(f"{guarded}/v1/episodes", headers=bearer(read)).status_code == 200
    said = chat(guarded, read)
    assert said.status_code == 403 and said.json()["error"]["type"] == "permission_error"
    gone = httpx2.post(f"{guarded}/v1/memory/forget", json={"id": "x"}, headers=bearer(ask))
    assert gone.status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "["}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_pages_of_other_sites_and_rebound_names_are_not_let_in(
    served: str, headers: dict[str, str], status: int
) -> None:
    answer = httpx2.get(f"{served}/v1/models", headers=headers)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers


def test_another_address_needs_keys_and_a_taken_one_is_said(agent: Agent, served: str) -> None:
    with pytest.raises(UsageError, match="keys are needed"):
        serve(agent, host="0.0.0.0")
    with pytest.raises(UsageError, match="cannot be listened on"):
        serve(agent, port=int(served.rpartition(":")[2]))


def test_too_much_and_too_often_is_refused(agent: Agent) -> None:
    with running(asgi_app(agent, limits=ServeLimits(body=2000, rate=5))) as url:
        large = {"model": "lichen", "messages": [{"role": "user", "content": "x" * 3000}]}
        assert httpx2.post(f"{url}/v1/chat/completions", json=large).status_code == 413

        def bits() -> Iterator[bytes]:
            yield from (b"x" * 500 for _ in range(10))

        assert httpx2.post(f"{url}/v1/chat/completions", content=bits()).status_code == 413
        found = [httpx2.get(f"{url}/v1/models") for _ in range(6)]
        assert found[0].status_code == 200 and found[-1].status_code == 429
        assert int(found[-1].headers["Retry-After"]) >= 1
        assert httpx2.get(f"{url}/health").status_code == 200


def test_it_can_be_mounted_in_an_app_of_the_users_own(agent: Agent) -> None:
    own = FastAPI()
    own.mount("/agent", asgi_app(agent))
    with running(own) as url:
        assert httpx2.get(f"{url}/agent/v1/models").json()["data"][0]["id"] == "lichen"
        wrong = httpx2.get(f"{url}/agent/v1/models/gpt")
        assert wrong.status_code == 404 and "message" in wrong.json()["error"]
        assert httpx2.get(f"{url}/agent/health").status_code == 200
