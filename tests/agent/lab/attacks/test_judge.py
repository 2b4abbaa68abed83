"""Hostile programs stay inside the jail, and the same programs are seen to leak without one."""

from collections.abc import Iterator

import pytest

from lichen.agent.lab.attacks import attacks, judge, run_attacks
from lichen.skills.jail import (
    Jail,
    open_jail,
)


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with open_jail() as opened:
        yield opened


def test_no_hostile_program_gets_out(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = [a for a in attacks() if a.ends == ("time",)]
    judged = run_attacks(chosen=[a for a in attacks() if a not in endless])
    monkeypatch.setattr(judge, "LIMITS", judge.LIMITS.model_copy(update={"seconds": 0.5}))
    judged += run_attacks(chosen=endless)  # these have to be waited for
    assert len(judged) == len(attacks()) >= 45
    assert [j for j in judged if j.verdict != "blocked"] == []


def test_no_hostile_program_gets_out_where_no_file_can_be_named_at_all() -> None:
    chosen = [a for a in attacks() if a.theme in ("files", "processes", "network", "kernel")]
    judged = run_attacks(chosen=chosen, scratch=False, warm=2)
    assert [j for j in judged if j.verdict != "blocked"] == []


def test_without_a_jail_the_same_programs_are_seen_to_leak() -> None:
    names = {"read-file", "write-outside", "fork", "kill-sibling", "tcp-connect", "io-uring"}
    chosen = [a for a in attacks() if a.name in names]
    judged = run_attacks("none", chosen=chosen)
    assert {j.name for j in judged if j.verdict == "LEAK"} == names
    assert next(j.detail for j in judged if j.name == "read-file") == "the canary's text came out"
