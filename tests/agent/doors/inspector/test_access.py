"""Who may see and change what: keys of the HTTP door, one-time keys, and the command itself."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from lichen.agent import Agent, ScriptedLLM, asgi_app
from lichen.agent.config import load_config
from lichen.agent.doors.http.keys import FILE, KeyRing, add_key, remove_key
from lichen.agent.doors.inspector.inspector_app import inspected_of, inspector_app
from lichen.agent.doors.inspector.seen.inspected import Inspected
from lichen.envs import Tool
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.store import Store


def find_order(order: int) -> str:
    "Say where an order is."
    return "here"


def refund(order: int) -> str:
    "Pay an order back."
    return "paid"


@contextmanager
def serving(folder: Path, ring: KeyRing | None) -> Iterator[TestClient]:
    tools = [Tool(find_order), Tool(refund, needs_approval=True)]
    llm = ScriptedLLM(["I paid it back."])
    with Agent.from_config(store=folder, llm=llm, tools=tools) as agent:
        inspected = inspected_of(agent)
        app = asgi_app(agent, keys=ring, beside={"/inspect": inspector_app(inspected, ring)})
        with TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1)) as client:
            yield client
        inspected.close()


def signed_in(client: TestClient, secret: str) -> str:
    """Sign in and return what forms carry."""
    answer = client.post("/inspect/sign-in", data={"key": secret})
    assert answer.status_code == 200
    found = re.search(r'data-csrf="([^"]*)"', answer.text)
    assert found is not None
    return found[1]


def test_a_key_sees_its_namespace_and_does_what_its_scopes_say(furnished: Path) -> None:
    file = furnished / FILE
    ann = add_key(file, "ann", ["read"], "acme/ann")
    boss = add_key(file, "boss", ["read", "edit"], "acme")
    asker = add_key(file, "asker", ["ask"])
    with serving(furnished, KeyRing(file)) as client:
        for path in ("", "episodes", "settings"):
            assert client.get(f"/inspect/{path}").url.path == "/inspect/sign-in"
        assert client.get("/inspect/static/look.css").status_code == 200
        assert client.post("/inspect/sign-in", data={"key": "wrong"}).status_code == 401
        assert "scope" in client.post("/inspect/sign-in", data={"key": asker}).text
        csrf = signed_in(client, ann)
        listed = client.get("/inspect/episodes").text
        assert "My parcel 4711" in listed and "Pay back 4712" not in listed
        bob = _waiting(furnished)
        assert client.get(f"/inspect/episodes/{bob}").status_code == 404
        assert client.get(f"/inspect/episodes/{bob}/stream").status_code == 404
        said = {"csrf": csrf, "said": "yes"}
        assert client.post(f"/inspect/episodes/{bob}/approval", data=said).status_code == 403
        for page in ("", "episodes", f"episodes/{bob}", "episodes/compare"):
            assert "Bob" not in client.get(f"/inspect/{page}").text
        client.post("/inspect/sign-out")
        csrf = signed_in(client, boss)
        elsewhere = {"Origin": "http://evil.example"}
        forged = client.post(
            f"/inspect/episodes/{bob}/approval",
            data={"csrf": csrf, "said": "yes"},
            headers=elsewhere,
        )
        assert forged.status_code == 403
        remove_key(file, "ann")
        held = file.read_text()
        file.write_text(
            held.replace('"edit"', '"ask"')
        )  # a key that lost a scope has lost it at once
        refused = client.post(
            f"/inspect/episodes/{bob}/approval", data={"csrf": csrf, "said": "yes"}
        )
        assert refused.status_code == 403
        file.write_text(held)
        done = client.post(f"/inspect/episodes/{bob}/approval", data={"csrf": csrf, "said": "yes"})
        assert done.status_code == 200 and "refund" in done.text and "paid" in done.text


def _waiting(folder: Path) -> str:
    with Store(folder, read_only=True) as store:
        rows = store.ledger.read(types=("approval_asked",))
        return next(row.episode for row in rows)


def test_without_keys_the_machines_owner_edits_by_a_one_time_key(furnished: Path) -> None:
    with serving(furnished, None) as client:
        assert "read-only" in client.get("/inspect/").text
        elsewhere = client.get("/inspect/", headers={"Host": "evil.example"})
        assert elsewhere.status_code == 403
        episode = _waiting(furnished)
        form = {"csrf": "", "said": "yes"}
        assert client.post(f"/inspect/episodes/{episode}/approval", data=form).status_code == 403


@pytest.mark.parametrize("edit", [False, True])
def test_the_command_serves_beside_an_agent_and_ends_when_told(furnished: Path, edit: bool) -> None:
    words = ["inspect", "--no-browser", "--store", str(furnished), *["--edit"] * edit]
    process = subprocess.Popen(
        [sys.executable, "-m", "lichen.agent", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        address = said.split()[1]
        assert ("/sign-in?key=" in address) == edit
        with httpx2.Client(follow_redirects=True) as client:
            page = client.get(address)
            assert "Is it learning?" in page.text
            assert ("editing as local" in page.text) == edit
        if not edit:  # an agent may write meanwhile
            with (
                Agent.from_config(store=furnished, llm=ScriptedLLM(["Hello."])) as agent,
                ThreadPoolExecutor() as pool,
            ):
                pool.submit(agent.ask, "A new request").result()
            assert "A new request" in httpx2.get(f"{address}/episodes").text
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, 143, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()


def test_the_settings_show_where_values_come_from_and_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LICHEN_API_KEY", "not-to-be-shown-1")
    monkeypatch.setenv("LICHEN_SEED", "7")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lichen.toml").write_text(
        'embedder = "hashing"\n[mcp.shop]\ncommand = "shop"\nargs = ["--token", "not-to-be-shown-2"]\n'
        'env = { SHOP_TOKEN = "not-to-be-shown-3" }\n'
    )
    Store(tmp_path / "desk", embedder=HashingEmbedder()).close()
    config = load_config(None, store=tmp_path / "desk")
    inspected = Inspected(config, HashingEmbedder())
    with TestClient(inspector_app(inspected), base_url="http://localhost") as client:
        page = client.get("/settings").text
        assert client.get("/").status_code == 200
    inspected.close()
    assert "not-to-be-shown" not in page and "shop" in page
    rows = re.findall(r"<tr data-row>(.*?)</tr>", page, re.DOTALL)
    sources = {re.findall(r"<td[^>]*>(.*?)</td>", row)[0]: row for row in rows}
    assert "environment" in sources["seed"] and ">file<" in sources["embedder"]
    assert ">option<" in sources["store"] and ">default<" in sources["planner"]


def test_a_stale_gate_of_hints_needs_a_person(furnished: Path) -> None:
    folder = furnished / "softcot" / "own"
    folder.mkdir(parents=True)
    (folder / "projection.safetensors").write_bytes(b"weights")  # never measured
    with serving(furnished, None) as client:
        assert "gate of hints is stale" in client.get("/inspect/").text
