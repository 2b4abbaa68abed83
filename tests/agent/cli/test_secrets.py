"""What lets the agent in is in no file of the store and in no sentence."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lichen.agent.cli.main import app
from lichen.agent.config import AgentConfig

PASSWORD, KEY = "pASSsecret222", "keySECRETkey333"


def test_scripted_passwords_and_keys_reach_no_file_no_export_and_no_sentence(
    loopback: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LICHEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LICHEN_API_KEY", KEY)
    loopback.answers(loopback.failed(400, f"bad header Bearer {KEY}, Basic dTpwQVNTc2VjcmV0MjIy"))
    url = loopback.url.replace("http://", f"http://u:{PASSWORD}@")
    words = ["run", "alfworld-mini", "-n", "1", "--model", "openai:m", "--base-url", url]
    store = ["--store", str(tmp_path / "store")]
    said = CliRunner().invoke(app, [*words, *store, "--set", "embedder=hashing"]).output
    said += CliRunner().invoke(app, ["models", "--base-url", url, "--json", "-"]).output
    out = str(tmp_path / "export.jsonl")
    said += CliRunner().invoke(app, ["memory", "export", out, *store]).output
    assert "bad header" in said
    held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (PASSWORD, KEY, "dTpwQVNTc2VjcmV0MjIy"):
        assert secret not in said and secret.encode() not in held


def test_a_written_setting_tells_an_address_without_who_may_go_there() -> None:
    config = AgentConfig(base_url="https://me:secret@host/v1?key=1", index_url="http://a:b@c:1")
    assert config.base_url == "https://me:secret@host/v1?key=1"
    said = config.model_dump(mode="json")
    assert (said["base_url"], said["index_url"]) == ("https://host/v1", "http://c:1")
