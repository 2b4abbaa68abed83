"""A comparison: one stream for every arm, learned from as it goes, resumable, reported and drawn."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lichen.agent.config import AgentConfig, load_config
from lichen.agent.lab.compare.compare_picture import draw
from lichen.agent.lab.compare.compare_report import CompareReport
from lichen.agent.lab.compare.compare_run import ROWS, compare
from lichen.agent.lab.compare.contestants import ENTRIES, dials_in, find_entries
from lichen.agent.lab.compare.stream_row import StreamRow
from lichen.agent.lab.compare.task_stream import FIRST, LAST, StreamSize, load_stream
from lichen.envs import UnknownName, UsageError, make

LICHEN = [sys.executable, "-m", "lichen.agent"]
SIZE = StreamSize(each=2, held=1, shown=4, split="test")
SUITE = 'name = "two"\nenv = "textcraft"\nfamilies = ["depth1", "depth2"]\nmax_steps = 8\n'
MINI = StreamSize(each=1, held=0, shown=6, split="test")


@pytest.fixture
def two(tmp_path: Path) -> str:
    """Return the file of a suite with two families."""
    path = tmp_path / "two.toml"
    path.write_text(SUITE, encoding="utf-8")
    return str(path)


def config(folder: Path, **more: object) -> AgentConfig:
    options = {"store": folder, "embedder": "hashing", "policy": {"llm": False}, **more}
    return load_config(None, **options)


def rows_of(folder: Path) -> list[StreamRow]:
    lines = (folder / ROWS).read_text(encoding="utf-8").splitlines()[1:]
    return [StreamRow.model_validate_json(line) for line in lines]


def compared(
    folder: Path, *names: str, stream: str = "alfworld-mini", size: StreamSize = MINI
) -> CompareReport:
    return compare(config(folder), stream, size, find_entries(names, llm=False))


def test_a_stream_goes_family_by_family_and_asks_the_first_again(two: str) -> None:
    stream = load_stream(two, SIZE, lambda suite: make(suite.env))
    phases = [item.phase for item in stream.items]
    assert phases == ["depth1", "depth1", FIRST, "depth2", "depth2", LAST]
    assert stream.items[2].task_id == stream.items[-1].task_id
    assert stream.items[0].task_id != stream.items[2].task_id
    assert [item.learns for item in stream.items].count(False) == 2
    assert len(stream.shown) == 4 and not set(stream.shown) & {i.task_id for i in stream.items}
    with pytest.raises(UsageError, match="were asked for"):
        load_stream(two, SIZE.model_copy(update={"each": 999}), lambda suite: make(suite.env))


def test_arms_learn_along_the_stream_and_a_second_call_does_nothing_twice(tmp_path: Path) -> None:
    report = compared(tmp_path, "empty", "knn")
    rows = rows_of(tmp_path)
    assert [row.arm for row in rows[:4]] == ["empty", "knn", "empty", "knn"]  # task by task
    assert report.arms["knn"].success.mean > report.arms["empty"].success.mean  # demonstrations
    gain = report.arms["knn"].gain
    assert gain is not None and gain.mean > 0 and report.arms["empty"].gain is None
    assert report.arms["knn"].forgetting is None and report.contrasts[0].b == "empty"
    again = compared(tmp_path, "empty", "knn")
    assert again.model_dump(exclude={"seconds"}) == report.model_dump(exclude={"seconds"})
    draw(report, rows, tmp_path / "compare.png")
    assert (tmp_path / "compare.png").stat().st_size > 10_000


def test_a_stream_that_is_cut_goes_on_as_if_it_had_not_been(tmp_path: Path, two: str) -> None:
    whole = compared(tmp_path / "whole", "knn", stream=two, size=SIZE)

    class Cut(Exception):
        pass

    def cut(done: int, of: int, row: StreamRow) -> None:
        if done == 3:
            raise Cut

    entries = find_entries(["knn"], llm=False)
    with pytest.raises(Cut):
        compare(config(tmp_path / "cut"), two, SIZE, entries, cut)
    lines = (tmp_path / "cut" / ROWS).read_text(encoding="utf-8").splitlines()
    (tmp_path / "cut" / ROWS).write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    # the last row is made again from the ledger, and nothing is learned twice
    compared(tmp_path / "cut", "knn", stream=two, size=SIZE)
    keep = {"number", "outcome", "score", "steps"}
    one, other = (
        [row.model_dump(include=keep) for row in rows_of(tmp_path / name)]
        for name in ("whole", "cut")
    )
    assert one == other and whole.arms["knn"].forgetting is not None


def test_rivals_with_the_real_small_model_meet_a_stream(tmp_path: Path) -> None:
    size = StreamSize(each=1, held=0, shown=1, split="test")
    made = load_config(None, store=tmp_path, embedder="hashing")
    suite = tmp_path / "short.toml"
    suite.write_text(
        'name = "short"\nenv = "alfworld-mini"\nfamilies = ["pick_and_place_simple"]\nmax_steps = 2\n'
    )
    names = ("none", "memory", "voyager")
    report = compare(made, str(suite), size, find_entries(names, llm=True))
    assert set(report.arms) == set(names)
    assert report.arms["voyager"].tokens_in > 0 and report.fingerprint["before"]
    kept = json.loads((tmp_path / "arms" / "voyager.json").read_text())["state"]["kept"]
    assert len(kept) == 1 and "#" in kept[0]["text"]  # the demonstration, described by the model


def test_arms_are_known_and_those_with_a_model_need_one() -> None:
    with pytest.raises(UnknownName, match="memroy"):
        find_entries(["memroy"], llm=True)
    with pytest.raises(UsageError, match="no model is to be asked"):
        find_entries(["knn", "ace"], llm=False)
    assert all(entry.stateless in ("", *ENTRIES) for entry in ENTRIES.values())


def test_dials_of_a_rival_follow_its_name() -> None:
    (entry,) = find_entries(["ace:alike=0.7:added=2"], llm=True)
    assert entry.asks and entry.stateless == "none"
    assert dials_in(entry.name) == {"alike": 0.7, "added": 2}
    with pytest.raises(UnknownName, match="dial of ace 'likeness'"):
        find_entries(["ace:likeness=1"], llm=True)
    with pytest.raises(UsageError, match="high is no number"):
        find_entries(["ace:alike=high"], llm=True)
    with pytest.raises(UsageError, match="memory has no dials"):
        find_entries(["memory:k=1"], llm=True)


def test_the_command_writes_table_picture_and_json(tmp_path: Path) -> None:
    store = str(tmp_path / "run")
    options = ["--no-llm", "--arms", "empty,knn", "--each", "1", "--held", "0", "--store", store]
    options += ["--set", "embedder=hashing", "--json", "-"]
    done = subprocess.run(
        [*LICHEN, "compare", "alfworld-mini", *options], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["measure"] == "success"
    assert (tmp_path / "run" / "compare.png").exists() and "knn" in done.stderr
    other = subprocess.run(
        [*LICHEN, "compare", "alfworld-mini", *options, "--seed", "1"],
        capture_output=True,
        text=True,
    )
    assert other.returncode == 2 and "other settings" in other.stderr
