"""Answers in a batch are those of each prompt alone."""

import torch

from lichen.agent.lab.softcot.puzzles import draw
from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.slots import for_llm
from lichen.agent.llm.soft_reader import SoftReader
from lichen.agent.softcot.decoding import Asked, answer_all


def test_answers_in_a_batch_are_those_of_each_prompt_alone(frozen: Frozen) -> None:
    reader = SoftReader(frozen)
    questions = [e.question for e in draw("words", 3, seed=0, held_out=True)]
    soft = [torch.randn(k, frozen.d) * 0.1 for k in (0, 4, 2)]
    asked = [
        Asked(for_llm(frozen, reader.marks, q, len(s)), s, float(i == 2), 5)
        for i, (q, s) in enumerate(zip(questions, soft, strict=True))
    ]
    together = answer_all(reader, asked, max_tokens=10)
    assert together == [answer_all(reader, [one], max_tokens=10)[0] for one in asked]
    alone = [reader.generate(a.prompt, a.soft, max_tokens=10) for a in asked[:2]]
    assert together[:2] == alone
    assert answer_all(reader, [], max_tokens=3) == []
