"""Answers in batches, sources of examples, votes, and the table."""

import json
from pathlib import Path

import pytest
import torch

from lichen.agent.config import load_config
from lichen.agent.lab.softcot.answer_table import evaluate_source
from lichen.agent.lab.softcot.projection_table import Size, lines, run_part
from lichen.agent.lab.softcot.puzzles import draw
from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.slots import for_cue, for_llm
from lichen.agent.llm.soft_reader import SoftReader
from lichen.agent.softcot import Example, ProjectionConfig, TrainConfig
from lichen.agent.softcot.decoding import Asked, answer_all
from lichen.agent.softcot.soft_assistant import SoftAssistant
from lichen.agent.softcot.sources import open_source, save_examples
from lichen.agent.softcot.train import Trainer
from lichen.envs.errors import BadFile, UnknownName, UsageError


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


def test_a_file_of_examples_is_a_source_and_a_damaged_one_says_where(
    tmp_path: Path, tiny: Frozen
) -> None:
    config = load_config(store=tmp_path)
    path = tmp_path / "mine.jsonl"
    shown = [
        Example(question=f"Capital {i}?", target=f"It is so. Answer: City {i}.", answer=f"city {i}")
        for i in range(5)
    ]
    save_examples(path, shown)
    source = open_source(str(path), config, examples=2, held_out=2)
    assert source.learned == shown[:2] and source.held_out == shown[3:]
    answer = source.check.read("I think.\nAnswer: City 3.")
    assert answer is not None and source.check.right(shown[3], answer)
    assert source.check.read("") is None
    assert source.check.read("Answer: 4\nAnswer: 5.\nand more words") == "5"
    with pytest.raises(UsageError, match="held out"):
        evaluate_source(
            source._replace(held_out=[]),
            assistant=SoftAssistant(tiny),
            reader=SoftReader(tiny),
            projections={},
            n=2,
        )
    path.write_text(path.read_text() + '{"question": "x"}\n')
    with pytest.raises(BadFile, match="line 6"):
        open_source(str(path), config, examples=2, held_out=1)
    save_examples(path, [e.model_copy(update={"answer": ""}) for e in shown])
    with pytest.raises(BadFile, match="has no `answer`"):
        open_source(str(path), config, examples=2, held_out=2)
    with pytest.raises(BadFile, match="cannot be read"):
        open_source("none.jsonl", config, examples=1, held_out=1)
    with pytest.raises(UnknownName, match="did you mean 'words'"):
        open_source("wrods", config, examples=1, held_out=1)


def test_expert_games_are_a_source_whose_splits_are_the_suites(tmp_path: Path) -> None:
    config = load_config(store=tmp_path)
    source = open_source("gold:alfworld-mini", config, examples=12, held_out=5)
    assert len(source.learned) == 12 and len(source.held_out) == 5
    example = source.held_out[0]
    assert example.task.startswith("alfworld-mini/")
    assert example.form == "cue" and example.question.endswith("Good action:")
    assert example.answer in example.target and "Now:" in example.assistant_sees
    read = source.check.read(f"{example.target}and more")
    assert read is not None and source.check.right(example, read)


def test_chains_vote_and_one_answer_is_left_of_each_poll(tiny: Frozen, tmp_path: Path) -> None:
    source = open_source("words", load_config(store=tmp_path), examples=4, held_out=3)
    assistant = SoftAssistant(tiny)
    config = TrainConfig(n=(2,), epochs=1, chains=2)
    trainer = Trainer(assistant, tiny, source.learned, config=config)
    trainer.run()
    table = evaluate_source(
        source,
        assistant=assistant,
        reader=SoftReader(tiny),
        projections={"soft": trainer.projection},
        n=2,
        arms=("none", "soft"),
        votes=4,
        chains=2,
    )
    votes = [a for a in table.answers if a.decoding == "vote"]
    assert len(votes) == 2 * 3 and len(table.answers) == 2 * 2 * 3
    greedy = [a for a in table.answers if a.decoding == "greedy"]
    assert min(a.tokens for a in votes) > max(a.tokens for a in greedy)  # four answers each


def test_the_table_has_every_arm_and_a_part_that_is_done_is_not_done_again(
    tiny: Frozen, tmp_path: Path
) -> None:
    config = load_config(store=tmp_path)
    size = Size(examples=4, questions=3, epochs=1, n_infer=2)
    said: list[str] = []

    def part() -> str:
        made = run_part(
            "words",
            config,
            size,
            tmp_path / "words",
            llm=tiny,
            assistant=tiny,
            told=lambda what, done, of: said.append(what),
        )
        assert {cost.arm for cost in made.costs} == {"linear", "mlp", "paper"}
        found = lines([made])
        assert len(found) == 8 * 2 and {line.n for line in found} == {3}
        assert all(line.gain_none == 0 for line in found if line.arm == "none")
        return made.model_dump_json()

    first = part()
    assert said
    said.clear()
    assert part() == first and not said
    card = json.loads((tmp_path / "words" / "paper" / "softcot.json").read_text())
    assert card["train"]["lr"] == 2e-5 and card["projection"]["init"] == "random"
    assert ProjectionConfig.model_validate(card["projection"]).mode == "paper"


def test_a_cue_without_thoughts_is_the_prompt_as_the_policy_sends_it(frozen: Frozen) -> None:
    reader = SoftReader(frozen)
    prompt = "You see a door.\nGood action:"
    assert for_cue(frozen, reader.marks, prompt, 0).ids == tuple(frozen.tokenizer(prompt).input_ids)
