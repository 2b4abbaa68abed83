"""A pack holds what was learned and nothing else; unpacked it is the same, merged it only adds."""

import json
import tarfile
from pathlib import Path

import pytest

from lichen.agent.doors.langgraph_store import LichenStore
from lichen.envs.errors import BadFile, UsageError
from lichen.memory import Memory, Store
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.item_copy import read_items
from lichen.skills.library import Library
from lichen.skills.packing import merge, pack, unpack
from lichen.skills.taking_in import keep_instructions, taken_in

GOOD = {
    "namespace": '"a",',
    "key": "k",
    "value": "{}",
    "fields": "[]",
    "encoder": "x",
    "created": 1.0,
    "updated": 1.0,
    "ttl": None,
    "expires": None,
    "vectors": ["AAAAAA=="],
}
STEPS = [{"tool": "find", "arguments": {"order": 7}, "answer": "in Oslo"}]


def learned(folder: Path, *asked: str) -> list[str]:
    with Memory(folder, embedder=HashingEmbedder()) as memory:
        return [memory.remember(text, STEPS, outcome="success") for text in asked]


def state(folder: Path) -> str:
    with Memory(folder, embedder=HashingEmbedder(), read_only=True) as memory:
        return memory.store.state_hash()


@pytest.fixture
def library(tmp_path: Path) -> Path:
    source = tmp_path / "sources/polite-letters"
    source.mkdir(parents=True)
    (source / "SKILL.md").write_text(
        "---\nname: polite-letters\ndescription: How letters are written.\n---\nBe kind.\n"
    )
    (source / "run.sh").write_bytes(b"#!/bin/sh\r\n")
    (source / "run.sh").chmod(0o755)
    made = Library(tmp_path / "library")
    keep_instructions(taken_in(source, made)[0], made, author="person", what="import")
    return made.root


def test_a_store_comes_back_the_same_with_its_skills(tmp_path: Path, library: Path) -> None:
    learned(tmp_path / "one", "where is it?", "and this?")
    done = pack(tmp_path / "one", library, tmp_path / "desk.lichen")
    assert done.episodes == 2 and done.skills == 1
    again = unpack(tmp_path / "desk.lichen", tmp_path / "two", tmp_path / "two/skills")
    assert again == done and state(tmp_path / "two") == state(tmp_path / "one")
    files = [file for file in (library / "skills").rglob("*") if file.is_file()]
    assert len(files) >= 2
    for file in files:
        copied = tmp_path / "two/skills" / file.relative_to(library)
        assert copied.read_bytes() == file.read_bytes()
        assert copied.stat().st_mode & 0o100 == file.stat().st_mode & 0o100
    with pytest.raises(UsageError, match="already"):
        unpack(tmp_path / "desk.lichen", tmp_path / "two", tmp_path / "two/skills")


def test_what_was_learned_elsewhere_is_brought_back_once(tmp_path: Path) -> None:
    (known,) = learned(tmp_path / "home", "where is it?")
    pack(tmp_path / "home", tmp_path / "none", tmp_path / "out.lichen")
    unpack(tmp_path / "out.lichen", tmp_path / "away", tmp_path / "away/skills")
    (new,) = learned(tmp_path / "away", "and this?")
    with Memory(tmp_path / "away", embedder=HashingEmbedder()) as memory:
        memory.feedback(known, good=False, note="it was wrong")
    pack(tmp_path / "away", tmp_path / "none", tmp_path / "back.lichen")
    with Memory(tmp_path / "home", embedder=HashingEmbedder()) as memory:
        done = merge(tmp_path / "back.lichen", memory.store, tmp_path / "none")
        assert done.episodes == 1 and done.events > 0
        outcomes = {c.episode: c.outcome for c in memory.store.episodes.values()}
        assert outcomes == {known: "failure", new: "success"}
        assert merge(tmp_path / "back.lichen", memory.store, tmp_path / "none").events == 0


def test_what_was_forgotten_here_does_not_come_back(tmp_path: Path) -> None:
    (known,) = learned(tmp_path / "home", "where is it?")
    pack(tmp_path / "home", tmp_path / "none", tmp_path / "out.lichen")
    with Memory(tmp_path / "home", embedder=HashingEmbedder()) as memory:
        memory.forget(known, cascade=True)
        merge(tmp_path / "out.lichen", memory.store, tmp_path / "none")
        assert not memory.store.episodes


def items(folder: Path, at: float) -> LichenStore:
    owner = Store(folder, embedder=HashingEmbedder())
    return LichenStore(owner, fields=("text", "notes[*]"), clock=lambda: at)


def found(store: LichenStore) -> list[tuple[object, ...]]:
    return [
        (i.namespace, i.key, i.value, i.created_at, i.updated_at, i.score)
        for i in store.search((), query="tea", limit=99, refresh_ttl=False)
    ]


def test_an_applications_items_come_back_the_same_until_they_expire(tmp_path: Path) -> None:
    one, file = items(tmp_path / "one", 1000.0), tmp_path / "desk.lichen"
    one.put(("users", "ann"), 'taste \ud83d "', {"text": "green tea", "notes": ["a", "b"]})
    one.put(("users",), "late", {"text": "tea for an hour"}, ttl=60)
    one.put(("users",), "gone", {"text": "tea for a minute"}, ttl=1)
    one.put(("cold",), "plain", {"n": 1}, index=False)
    one.put(("cold",), "deleted", {"text": "tea that was deleted"})
    one.delete(("cold",), "deleted")
    at_packing = [i for i in found(one) if i[1] != "gone"]
    one._store.close()
    done = pack(tmp_path / "one", tmp_path / "none", file, clock=lambda: 1100.0)
    assert done.items == 3
    with tarfile.open(file) as packed:
        packed.extractall(tmp_path / "open", filter="data")
    assert "was deleted" not in (tmp_path / "open/items.jsonl").read_text()
    unpacked = unpack(file, tmp_path / "two", tmp_path / "none", clock=lambda: 1200.0)
    assert unpacked == done
    two = items(tmp_path / "two", 1200.0)
    assert found(two) == at_packing
    two._store.close()
    with Store(tmp_path / "two", embedder=HashingEmbedder(), read_only=True) as looked_at:
        assert found(LichenStore(looked_at, clock=lambda: 1200.0)) == at_packing
    late = items(tmp_path / "two", 1000.0 + 3601)
    assert len(found(late)) == 2
    late._store.close()
    assert unpack(file, tmp_path / "3", tmp_path / "none", clock=lambda: 1e6).items == 2


def test_merged_items_change_nothing_that_is_there(tmp_path: Path) -> None:
    away, file = items(tmp_path / "away", 1000.0), tmp_path / "back.lichen"
    away.put(("users",), "ann", {"text": "black tea"})
    away.put(("users",), "bob", {"text": "water"}, ttl=60)
    away._store.close()
    pack(tmp_path / "away", tmp_path / "none", file, clock=lambda: 1000.0)
    home = items(tmp_path / "home", 2000.0)
    home.put(("users",), "ann", {"text": "green tea"})
    done = merge(file, home._store, tmp_path / "none", clock=lambda: 2000.0)
    assert (done.items, done.kept_items) == (1, 1)
    assert {i.key: i.value["text"] for i in home.search(())} == {"ann": "green tea", "bob": "water"}
    assert merge(file, home._store, tmp_path / "none", clock=lambda: 9999.0).items == 0
    home._store.close()


def test_an_item_that_holds_a_key_is_not_packed(tmp_path: Path) -> None:
    key = "sk-abcdefghijklmnopqrstuvwxyz0123456789ABCD"
    one = items(tmp_path / "one", 1000.0)
    one.put(("users",), "ann", {"text": f"my key is {key}"})
    one.put(("users",), key, {"text": "tea"})
    one._store.close()
    with pytest.raises(UsageError, match="ann") as caught:
        pack(tmp_path / "one", tmp_path / "none", tmp_path / "desk.lichen")
    assert key not in str(caught.value) and not (tmp_path / "desk.lichen").exists()


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "no json",
        json.dumps({**GOOD, "value": "[1]"}),
        json.dumps({**GOOD, "key": '"'}),
        json.dumps({**GOOD, "key": 'a","b'}),
        json.dumps({**GOOD, "namespace": "1,"}),
        json.dumps({**GOOD, "vectors": ["AAA="]}),
        json.dumps({**GOOD, "vectors": ["AAAAAA==", "AAAAAAAAAAA="]}),
    ],
)
def test_an_item_that_cannot_be_read_is_said(line: str) -> None:
    assert len(list(read_items(json.dumps(GOOD).encode()))) == 1
    with pytest.raises(ValueError):
        list(read_items(line.encode()))


def test_a_key_is_not_packed(tmp_path: Path) -> None:
    key = "sk-abcdefghijklmnopqrstuvwxyz0123456789ABCD"
    (episode,) = learned(tmp_path / "one", f"my key is {key}")
    with pytest.raises(UsageError, match=episode) as caught:
        pack(tmp_path / "one", tmp_path / "none", tmp_path / "desk.lichen")
    assert key not in str(caught.value) and not (tmp_path / "desk.lichen").exists()


@pytest.mark.parametrize("damage", ["cut", "changed", "link", "outside", "text"])
def test_a_damaged_or_foreign_file_makes_nothing(tmp_path: Path, damage: str) -> None:
    learned(tmp_path / "one", "where is it?")
    file = tmp_path / "desk.lichen"
    pack(tmp_path / "one", tmp_path / "none", file)
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-40])
    elif damage == "text":
        file.write_text("hello")
    else:
        with tarfile.open(file) as packed:
            packed.extractall(tmp_path / "open", filter="data")
        manifest = tmp_path / "open/manifest.json"
        if damage == "changed":
            said = json.loads(manifest.read_text())
            said["files"]["ledger.jsonl"] = "0" * 64
            manifest.write_text(json.dumps(said))
        with tarfile.open(file, "w:gz") as packed:
            packed.add(manifest, "manifest.json")
            packed.add(tmp_path / "open/ledger.jsonl", "ledger.jsonl")
            if damage == "link":
                info = tarfile.TarInfo("skills/a")
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
                packed.addfile(info)
            if damage == "outside":
                packed.add(manifest, "../outside")
    with pytest.raises(BadFile):
        unpack(file, tmp_path / "two", tmp_path / "two/skills")
    assert not (tmp_path / "two").exists()
