"""Forgetting that is killed anywhere is either not begun, or finished at the next opening."""

import os
import subprocess
import sys
from pathlib import Path

from lichen.memory.ledger.records import EpisodeCase, StepCase
from lichen.memory.store.demonstrations import (
    DemonstratedStep,
    Demonstration,
    import_demonstrations,
)
from lichen.memory.store.made_from import made_from

from ..conftest import open_now

KILLS = int(os.environ.get("LICHEN_TEST_KILLS", "24"))
SECRET = "ZQX7SECRET"


def told(number: int, word: str) -> Demonstration:
    """An episode that says a word everywhere."""
    steps = tuple(
        DemonstratedStep(
            text=f"You see {word} number {i}.",
            inventory=word,
            action=f"take {word} {i}",
            observation=f"You have the {word}.",
            score_before=i / 3,
            score_after=(i + 1) / 3,
        )
        for i in range(3)
    )
    return Demonstration(
        env="office", family="desk", task_id=f"office/{number}", goal=f"find the {word}",
        steps=steps, score=1.0,
    )  # fmt: skip


def test_a_forgetting_that_is_killed_at_any_line_is_finished_and_nothing_is_left(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "store"
    with open_now(folder) as store:
        shown = [told(0, "lamp"), told(1, SECRET), told(2, "chair")]
        import_demonstrations(store, shown, run="x")
        assert len(store.index(StepCase)) == 9 and len(store.index(EpisodeCase)) == 3
        store.snapshot()
        episode = next(c.episode for c in store.episodes.values() if SECRET in c.goal)
    made_from(folder / "made", [episode])
    (folder / "made" / "text").write_text(SECRET, encoding="utf-8")
    script = Path(__file__).with_name("forget_killed.py")
    words = [str(folder), str(tmp_path / "copies"), str(KILLS), episode]
    done = subprocess.run(
        [sys.executable, str(script), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    kills = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert len(kills) == KILLS and {died for _, died, _, _ in kills} == {-9}
    assert {saw for _, _, saw, _ in kills} == {0, 1}  # killed before and after the transaction
    assert [kill for kill in kills if kill[3] != 0] == []
