"""The packaged model: exact choice, generation, fingerprint, and what is said when something is missing."""

from lichen.agent.llm import FrozenLLM, open_llm
from lichen.agent.llm.local_llm import LocalLLM


def test_both_clients_keep_the_protocol(smollm2: LocalLLM) -> None:
    assert isinstance(smollm2, FrozenLLM)
    assert isinstance(open_llm("openai:any", base_url="http://127.0.0.1:9/v1"), FrozenLLM)
