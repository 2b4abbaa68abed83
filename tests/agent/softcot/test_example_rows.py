"""A cue without thoughts is the prompt as the policy sends it."""

from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.slots import for_cue
from lichen.agent.llm.soft_reader import SoftReader


def test_a_cue_without_thoughts_is_the_prompt_as_the_policy_sends_it(frozen: Frozen) -> None:
    reader = SoftReader(frozen)
    prompt = "You see a door.\nGood action:"
    assert for_cue(frozen, reader.marks, prompt, 0).ids == tuple(frozen.tokenizer(prompt).input_ids)
