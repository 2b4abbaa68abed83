"""Suites: files, their faults, and the fixed order of their tasks."""

from pathlib import Path

import pytest

from lichen.envs import (
    load_suite,
    make,
)
from lichen.envs.errors import BadFile
from lichen.envs.suite import suite_names


def test_suite_files_are_toml_or_yaml_and_their_faults_are_named(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: mine\nenv: alfworld-mini\neval_tasks: 2\n")
    assert len(load_suite(tmp_path / "mine.yaml").task_ids("test", None)) == 2
    (tmp_path / "typo.toml").write_text('name = "x"\nenv = "twx"\nmaxsteps = 3\n')
    with pytest.raises(BadFile, match="'maxsteps'"):
        load_suite(tmp_path / "typo.toml")
    (tmp_path / "torn.toml").write_text('name = "x\n')
    with pytest.raises(BadFile, match="cannot be parsed"):
        load_suite(tmp_path / "torn.toml")
    with pytest.raises(BadFile, match="there is no suite file"):
        load_suite(tmp_path / "none.toml")


def test_the_shipped_suites_load_and_their_order_is_fixed_and_balanced() -> None:
    assert {
        "demo",
        "twx-mapreader",
        "twx-all",
        "alfworld",
        "scienceworld-8",
        "scienceworld",
    } <= set(suite_names())
    everything = load_suite("twx-all")
    ids = everything.task_ids("train", 16, seed=3)
    assert (
        ids == everything.task_ids("train", 16, seed=3) != everything.task_ids("train", 16, seed=4)
    )
    assert sorted(i.split("/")[1] for i in ids[:8]) == sorted(make("twx").families())
    test = everything.task_ids("test", None, seed=3)
    assert test == everything.task_ids("test", None, seed=4)
    assert len(test) == 160
