"""Names of environments, suites and tasks: a wrong one gets one sentence with a guess."""

import sys
from pathlib import Path

import pytest

from lichen.envs import (
    MissingExtra,
    Suite,
    UnknownName,
    UsageError,
    load_suite,
    make,
)


def test_an_unknown_environment_suite_family_or_task_gets_one_sentence_with_a_guess(
    tmp_path: Path,
) -> None:
    with pytest.raises(UnknownName, match="no environment 'twxx'; did you mean 'twx'"):
        make("twxx")
    with pytest.raises(UnknownName, match="no suite 'dmeo'; did you mean 'demo'"):
        load_suite("dmeo")
    with pytest.raises(UnknownName, match="no task 'twx/mapreader/test/1000'"):
        make("twx").task("twx/mapreader/test/1000")
    bad = Suite(name="bad", env="twx", families=("mapreder",))
    with pytest.raises(UnknownName, match="did you mean 'mapreader'"):
        bad.task_ids("dev", 3)
    with pytest.raises(UsageError, match="has no option 'colour'"):
        make("twx", colour="red")


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textworld_express", None)
    with pytest.raises(MissingExtra) as caught:
        make("twx")
    assert "pip install 'lichen[twx]'" in caught.value.hint
