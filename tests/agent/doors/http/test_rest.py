"""REST: memory alone for other programs, what was done, skills; every answer as its OpenAPI says."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from lichen.agent import Agent, asgi_app

from .conftest import running

STEPS = [{"tool": "find_order", "arguments": {"order": 4711}, "answer": "in Oslo"}]


def test_memory_alone_recalls_remembers_is_judged_and_forgets(served: str, agent: Agent) -> None:
    with httpx2.Client(base_url=f"{served}/v1/memory", timeout=60) as memory:
        lost = {"situation": "My parcel 4711 never came", "namespace": "acme/ann"}
        first = memory.post("/recall", json=lost).json()
        assert first["items"] == [] and first["namespace"] == "acme/ann"
        kept = memory.post("/remember", json={"id": first["id"], "steps": STEPS})
        assert kept.json() == {"id": first["id"]}
        assert memory.get("/cases").json()["total"] == 0
        said = httpx2.post(f"{served}/v1/feedback", json={"id": first["id"], "good": True})
        assert said.is_success
        again = memory.post("/recall", json=lost).json()
        assert "find_order(order=4711)" in again["text"]
        assert again["items"][0]["episode"] == first["id"]
        assert memory.post("/recall", json=lost | {"namespace": "other"}).json()["items"] == []
        assert memory.post("/recall", json=lost | {"kind": "requests"}).json()["items"] == []
        (case,) = memory.get("/cases", params={"namespace": "acme/ann"}).json()["cases"]
        assert case["text"] == lost["situation"] and case["outcome"] == "success"
        assert memory.get(f"/cases/{case['id']}").json()["actions"] == ["find_order(order=4711)"]
        assert memory.get("/cases/nothing").status_code == 404
        twice = memory.post("/remember", json={"id": first["id"], "steps": STEPS})
        assert twice.status_code == 400 and "remembered already" in twice.json()["error"]
        both = {"id": "x", "situation": "y", "steps": STEPS}
        assert memory.post("/remember", json=both).status_code == 400
        by_word = {"situation": "Another", "steps": STEPS, "outcome": "success"}
        assert memory.post("/remember", json=by_word).is_success
        depends = memory.post("/forget", json={"id": first["id"]})
        assert depends.status_code == 400 and "cascade" in depends.text
        gone = memory.post("/forget", json={"id": first["id"], "cascade": True}).json()
        assert gone["episodes"] == [first["id"]]
        left = memory.get("/cases", params={"namespace": "acme/ann"}).json()
        assert [c["text"] for c in left["cases"]] == ["Another"]


def test_scripted_what_was_done_is_listed_shown_and_explained(served: str, agent: Agent) -> None:
    for n in range(1, 4):
        agent.feedback(agent.ask(f"Where is {n}?", user="acme"), good=True)
    with httpx2.Client(base_url=served, timeout=60) as client:
        rows = client.get("/v1/episodes", params={"most": 2}).json()["episodes"]
        assert [row["goal"] for row in rows] == ["Where is 3?", "Where is 2?"]
        rest = client.get("/v1/episodes", params={"before": rows[-1]["number"]}).json()
        assert [row["goal"] for row in rest["episodes"]] == ["Where is 1?"]
        assert client.get("/v1/episodes", params={"namespace": "b"}).json()["episodes"] == []
        whole = client.get(f"/v1/episodes/{rows[0]['id']}").json()
        assert whole["answer"] == "I found: order 3 is in Oslo" and whole["outcome"] == "success"
        assert whole["steps"][0]["action"] == "find_order(order=3)"
        assert whole["feedback"][0]["score"] == 1.0 and whole["cost"]["steps"] == 2
        why = client.get(f"/v1/episodes/{rows[0]['id']}/why").json()
        assert why[0]["action"] == "find_order(order=3)"
        assert any(read["items"] for read in why[0]["reads"])
        assert client.get(f"/v1/episodes/{rows[0]['id'][:-2]}").status_code == 404
        (run,) = client.get("/v1/runs").json()["runs"]
        assert run["command"] == "ask" and not run["ended"]


def test_skills_are_listed_found_and_shown(household_skills: Path, tmp_path: Path) -> None:
    with (
        Agent.from_config(
            store=tmp_path / "desk",
            embedder="hashing",
            skills={"library": str(household_skills)},
        ) as agent,
        running(asgi_app(agent)) as url,
        httpx2.Client(base_url=url, timeout=60) as client,
    ):
        skills = client.get("/v1/skills").json()["skills"]
        assert len(skills) >= 3
        first = skills[0]
        query = {"query": first["description"], "k": 2}
        found = client.get("/v1/skills/search", params=query).json()["skills"]
        assert first["name"] in [skill["name"] for skill in found] and len(found) <= 2
        whole = client.get(f"/v1/skills/{first['name']}").json()
        assert whole["code"] and whole["contract"]["env"] == "alfworld-mini"
        assert "SKILL.md" in whole["files"]
        assert client.get("/v1/skills/nothing").status_code == 404


def test_there_need_be_no_library(served: str) -> None:
    assert httpx2.get(f"{served}/v1/skills").json() == {"skills": []}
    assert httpx2.get(f"{served}/v1/skills/search", params={"query": "x"}).json()["skills"] == []
    assert httpx2.get(f"{served}/v1/skills/x").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "x", "score": NaN}',
        b'{"id": "x", "score": 1e999}',
        b'{"id": "x", "note": "\\ud800", "good": true}',
        b"[" * 5000,
        b"{",
        b"\xff\xfe",
        b"",
    ],
)
def test_no_body_breaks_the_server(served: str, body: bytes) -> None:
    head = {"Content-Type": "application/json"}
    answer: Any = httpx2.post(f"{served}/v1/feedback", content=body, headers=head)
    assert 400 <= answer.status_code < 500 and answer.json()["error"]
