"""Sources of examples: files, expert games, and what is said of damage."""

from pathlib import Path

import pytest

from lichen.agent.config import load_config
from lichen.agent.lab.softcot.answer_table import evaluate_source
from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.soft_reader import SoftReader
from lichen.agent.softcot import Example
from lichen.agent.softcot.soft_assistant import SoftAssistant
from lichen.agent.softcot.sources import open_source, save_examples
from lichen.envs.errors import BadFile, UnknownName, UsageError


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
