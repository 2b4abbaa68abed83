"""The puzzles are checked exactly, and what is held out is never learned from."""

import numpy as np
import pytest

from lichen.agent.lab.softcot.puzzles import PUZZLES, draw
from lichen.agent.softcot.soft_config import Example
from lichen.envs.errors import UnknownName, UsageError


def judged(name: str, example: Example, text: str) -> tuple[bool, bool]:
    """Return whether a text's answer is right, and whether it holds one."""
    check = PUZZLES[name].check
    answer = check.read(text)
    return answer is not None and check.right(example, answer), answer is not None


@pytest.mark.parametrize("name", PUZZLES)
def test_a_target_is_right_and_the_splits_never_meet(name: str) -> None:
    train = draw(name, 120, seed=0, held_out=False)
    held = [e for seed in range(3) for e in draw(name, 20, seed=seed, held_out=True)]
    assert not {e.question for e in train} & {e.question for e in held}
    assert (
        train == draw(name, 120, seed=0, held_out=False) != draw(name, 120, seed=1, held_out=False)
    )
    assert all(judged(name, e, e.target) == (True, True) for e in train)
    others = np.roll(np.array([e.target for e in train]), 1)
    wrong = [judged(name, e, str(t)) for e, t in zip(train, others, strict=True) if e.target != t]
    assert all(parsed for _, parsed in wrong) and np.mean([right for right, _ in wrong]) < 0.1
    assert judged(name, train[0], "I do not know.") == (False, False)


def test_a_countdown_answer_uses_each_number_once() -> None:
    example = draw("countdown3", 1, seed=0, held_out=False)[0]
    numbers, _, total = example.answer.partition(" = ")
    assert judged("countdown3", example, f"Answer: {total}") == (False, True)
    assert judged("countdown3", example, f"Answer: {total} + ({numbers.split()[0]}") == (
        False,
        True,
    )
    assert judged("countdown3", example, "Answer: __import__('os')") == (False, False)
    assert judged("countdown3", example, "Answer: " + "9**9" * 3) == (False, True)


def test_wrong_names_and_counts_are_refused() -> None:
    with pytest.raises(UnknownName, match="did you mean 'words'"):
        draw("word", 1, seed=0, held_out=False)
    with pytest.raises(UsageError, match="no 100000 different"):
        draw("countdown3", 100_000, seed=0, held_out=False)
