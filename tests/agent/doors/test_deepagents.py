"""The skill library in deepagents: backends over our store (the model's replies are scripted)."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("deepagents")
pytest.importorskip("langchain_openai")

from deepagents import create_deep_agent
from deepagents.backends import CompositeBackend, StateBackend, StoreBackend
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from lichen.agent.doors.deepagents_files import LichenBackend
from lichen.agent.doors.langgraph_store import LichenStore
from lichen.memory import Store
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.skills import Contract, Library, Skill
from lichen.skills.file_content import FileContent, of_text

Server = Any  # ScriptedServer of conftest.py
BODY = "# Refund\n\nFirst look the order up.\nThen pay the money back."


@pytest.fixture
def store(tmp_path: Path) -> Any:
    refund = Skill(
        name="refund",
        description="How money is paid back to a customer.",
        body=BODY,
        code="",
        contract=Contract(env="", capabilities=(), maker="import"),
        files={
            "references/limits.md": of_text("At most 100.\n"),
            "assets/x.bin": FileContent(b"\xff\x00"),
        },
    )
    library = Library(tmp_path / "skills")
    with library.lock():
        library.put([refund], message="Refund", author="person")
    with Store(tmp_path, embedder=HashingEmbedder()) as owner:
        yield LichenStore(owner)


def test_a_store_backend_lists_reads_and_cannot_change_the_skills(store: LichenStore) -> None:
    backend = StoreBackend(store=store, namespace=lambda _: ("skills",))
    entries = backend.ls("/").entries or []
    assert [entry["path"] for entry in entries] == ["/refund/"]
    read = backend.read("/refund/SKILL.md")
    assert read.error is None and read.file_data is not None
    text = read.file_data["content"]
    assert text.startswith("---\nname: refund\n") and BODY in text
    (loaded,) = backend.download_files(["/refund/assets/x.bin"])
    assert loaded.content == b"\xff\x00"
    assert store.list_namespaces() == [("skills",)]
    assert store.get(("skills",), "/refund/references/limits.md") is not None
    with pytest.raises(Exception, match="cannot be changed here"):
        backend.write("/refund/new.md", "x")


async def test_what_the_store_refuses_is_an_error_result_and_changes_nothing(
    store: LichenStore,
) -> None:
    backend, path = LichenBackend(store), "/refund/SKILL.md"
    before = [(item.key, item.value) for item in store.search(("skills",), limit=99)]
    results: list[Any] = [
        backend.write("/refund/new.md", "x"),
        backend.write(path, "x"),
        backend.edit(path, "First", "Last"),
        backend.delete("/refund"),
        await backend.awrite("/refund/new.md", "x"),
        await backend.aedit(path, "First", "Last"),
        await backend.adelete(path),
    ]
    assert all("cannot be changed here" in result.error for result in results)
    assert all(result.path is None for result in results)
    (put,) = backend.upload_files([("/refund/new.md", b"x")])
    assert put.error == "permission_denied"
    assert [(item.key, item.value) for item in store.search(("skills",), limit=99)] == before


def test_files_elsewhere_are_written_and_a_read_only_store_answers_with_an_error(
    tmp_path: Path,
) -> None:
    def notes(_: Any) -> tuple[str, ...]:
        return ("notes", "ann")

    with Store(tmp_path / "own", embedder=HashingEmbedder()) as owner:
        backend = LichenBackend(LichenStore(owner), notes)
        assert backend.write("/tea.md", "green").error is None
        assert backend.edit("/tea.md", "green", "black").occurrences == 1
    with Store(tmp_path / "own", embedder=HashingEmbedder(), read_only=True) as looked_at:
        backend = LichenBackend(LichenStore(looked_at), notes)
        refused = backend.edit("/tea.md", "black", "green").error
        assert refused is not None and "read-only" in refused
        read = backend.read("/tea.md").file_data
        assert read is not None and read["content"] == "black"


def test_skills_are_found_by_what_they_are_for(store: LichenStore) -> None:
    store.put(("notes",), "1", {"text": "green tea"})
    first = store.search((), query="money is paid back", limit=1)[0]
    assert first.key == "/refund/SKILL.md" and first.score is not None


async def test_scripted_a_deep_agent_sees_a_skill_and_reads_it(
    store: LichenStore, loopback: Server
) -> None:
    path = "/skills/refund/SKILL.md"
    loopback.answers(
        loopback.called(("read_file", {"file_path": path})),
        loopback.said("First look the order up."),
    )
    agent: Any = create_deep_agent(
        model=ChatOpenAI(model="m", base_url=loopback.url, api_key=SecretStr("none")),
        backend=CompositeBackend(
            default=StateBackend(),
            routes={"/skills/": LichenBackend(store)},
        ),
        skills=["/skills/"],
    )
    asked = {"messages": [("user", "I want my money back")]}
    result = await agent.ainvoke(asked)
    assert result["messages"][-1].text == "First look the order up."
    system = str(loopback.messages(0)[0]["content"])
    assert "How money is paid back to a customer." in system and path in system
    told = [turn["content"] for turn in loopback.messages() if turn["role"] == "tool"]
    assert "Then pay the money back." in str(told)


async def test_scripted_a_deep_agent_that_writes_into_a_skill_is_told_why_not(
    store: LichenStore, loopback: Server
) -> None:
    path = "/skills/refund/SKILL.md"
    loopback.answers(
        loopback.called(("write_file", {"file_path": "/skills/mine/SKILL.md", "content": "x"})),
        loopback.called(("read_file", {"file_path": path})),
        loopback.called(("edit_file", {"file_path": path, "old_string": "F", "new_string": "G"})),
        loopback.said("I may not."),
    )
    agent: Any = create_deep_agent(
        model=ChatOpenAI(model="m", base_url=loopback.url, api_key=SecretStr("none")),
        backend=CompositeBackend(default=StateBackend(), routes={"/skills/": LichenBackend(store)}),
    )
    result = await agent.ainvoke({"messages": [("user", "Better the skill")]})
    assert result["messages"][-1].text == "I may not."
    told = [str(turn["content"]) for turn in loopback.messages() if turn["role"] == "tool"]
    assert "cannot be changed here" in told[0] and "cannot be changed here" in told[2]
