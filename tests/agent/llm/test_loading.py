"""A hub id without a network is one sentence."""

import pytest

from lichen.agent.llm import open_llm
from lichen.agent.llm.errors import ModelNotFound


async def test_a_hub_id_without_a_network_gets_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    llm = open_llm("nobody/no-such-model")
    with pytest.raises(ModelNotFound, match="cannot be loaded"):
        await llm.choose("a", [" b"])
