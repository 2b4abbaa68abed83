"""The table over projections: every arm, resumed, forgotten, with honest intervals."""

import json
from pathlib import Path

from lichen.agent.config import load_config
from lichen.agent.lab.softcot.answer_table import GivenAnswer, Table
from lichen.agent.lab.softcot.projection_table import ARMS, Part, Question, Size, lines, run_part
from lichen.agent.llm.frozen import Frozen
from lichen.agent.softcot import Example, ProjectionConfig
from lichen.agent.softcot.checkpoint import save_training
from lichen.agent.softcot.sources import save_examples
from lichen.memory.store.made_from import derived_from


def part(seed: int, tasks: str, right: str) -> Part:
    """A part of questions in these tasks, each arm right at these numbers; `none` never is."""
    answers = [
        GivenAnswer(
            arm=arm,
            question=number,
            decoding="greedy",
            seed=0,
            right=arm != "none" and str(number) in right,
            parsed=True,
            text="",
            tokens=1,
        )
        for arm in ARMS
        for number in range(len(tasks))
    ]
    return Part(
        size=Size(),
        models=("", ""),
        asked="",
        seed=seed,
        table=Table(source="s", answers=tuple(answers)),
        costs=(),
        questions=tuple(Question(content=f"q{i}", task=task) for i, task in enumerate(tasks)),
    )


def test_a_question_of_every_seed_is_one_and_decisions_of_a_task_go_together() -> None:
    once = lines([part(0, "abcd", "013")])[3]
    thrice = lines([part(seed, "abcd", "013") for seed in range(3)])[3]
    assert thrice.n == once.n == 4 and thrice.gain_none_ci95 == once.gain_none_ci95
    assert lines([part(0, "abcd", "0"), part(1, "abcd", "012")])[3].right == 0.5
    tasks = lines([part(0, "aaab", "012")])[3]
    assert (tasks.n, tasks.tasks, tasks.right) == (4, 2, 0.5)  # a weighs as much as b
    assert lines([part(0, "aaaa", "0123")])[3].gain_none_ci95 == (-1.0, 1.0)
    old = [part(s, "abcd", "0").model_copy(update={"questions": ()}) for s in (0, 1)]
    assert lines(old)[3].n == 8


def test_what_another_size_left_is_trained_anew_and_forgetting_finds_the_part(
    tiny: Frozen, tmp_path: Path
) -> None:
    shown = [
        Example(question=f"{i}?", target=f" {i}", answer=str(i), episode=f"e{i}", saw=("seen",))
        for i in range(4)
    ]
    save_examples(tmp_path / "mine.jsonl", shown)
    folder = tmp_path / "table" / "seed0"
    save_training(folder / "linear", {"what": "with more epochs"}, ())
    (folder / "mlp").mkdir()
    (folder / "mlp" / "softcot.json").write_text("torn")
    made = run_part(
        str(tmp_path / "mine.jsonl"),
        load_config(store=tmp_path),
        Size(examples=2, questions=2, epochs=1, n_infer=2, samples=0),
        folder,
        llm=tiny,
        assistant=tiny,
    )
    assert [q.task for q in made.questions] == ["e2", "e3"]
    for episode in ("e3", "seen"):
        assert folder in derived_from(tmp_path, episode)


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
