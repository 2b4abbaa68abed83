"""Calls of tools that recur become one tool: induced from demonstrations of `support`, for new tickets."""

import re
from collections.abc import Iterator, Sequence

import pytest

from lichen.agent.skill_actions.skill_tools import tool_of
from lichen.envs import Environment, make
from lichen.envs.types import Fact
from lichen.skills.admission import Admission
from lichen.skills.induction.induce import induce
from lichen.skills.induction.traces import CALL, Move
from lichen.skills.induction.watch import winning
from lichen.skills.jail import Jail, open_jail
from lichen.skills.library import Library
from lichen.skills.skill_runner import Runner
from lichen.skills.types import Skill


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with open_jail(warm=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def desk() -> Environment:
    return make("support")


@pytest.fixture(scope="module")
def skills(
    desk: Environment, jail: Jail, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Skill]:
    library = Library(tmp_path_factory.mktemp("desk") / "library")
    traces = winning(desk, [task.id for task in desk.tasks("train")])
    induce(traces, Admission(library, Runner({}, jail), lambda _: desk))
    return library.all()


def test_calls_that_recur_become_typed_tools(skills: dict[str, Skill]) -> None:
    assert {"check-stock-reship", "request-approval-refund"} <= set(skills)
    spec = tool_of(skills["request-approval-refund"])
    kinds = {name: known["type"] for name, known in spec.properties.items()}
    assert kinds == {"order": "string", "amount": "number"} and len(spec.required) == 2
    code = skills["request-approval-refund"].code
    assert "reason='BRK'" in code and "to='card'" in code  # what all had in common is in it
    # what a call's answer tells first is no argument of the skill: nobody could say it beforehand
    assert not any(name.startswith("find-order-refund") for name in skills)
    assert not any("finish" in name for name in skills)
    for skill in skills.values():
        assert len(skill.tests) >= 3 and skill.contract.capabilities == ("call",)


def test_a_refused_call_ends_the_skill_and_says_so(
    skills: dict[str, Skill], desk: Environment, jail: Jail
) -> None:
    ticket = next(t for t in desk.tasks("test") if t.family == "lost")
    desk.reset(ticket.id)
    skill = skills["check-stock-reship"]
    called = Runner({}, jail).call(skill, {"order": "LN-00000", "sku": "XX-00"}, desk)
    assert called.outcome == "failure" and "check_stock was refused" in called.reason
    assert called.actions == ("check_stock(sku='XX-00')",)  # the second was not made


_CALLED = re.compile(r"api\.call\('(\w+)'(.*)\)")


def _fits(skill: Skill, moves: Sequence[Move]) -> Iterator[tuple[int, dict[str, Fact]]]:
    """Yield how many of these calls a skill makes, and with which arguments, where it makes them."""
    lines = _CALLED.findall(skill.code)
    given: dict[str, Fact] = {}
    for (tool, said), move in zip(lines, moves, strict=False):
        if move.method != CALL or move.skill != tool:
            return
        for name, value in zip(move.names, move.values, strict=True):
            if f"{name}={value!r}" in said:
                continue
            if f"{name}={name}" not in said or given.setdefault(name, value) != value:
                return
    if len(lines) <= len(moves):
        yield len(lines), given


def test_held_out_tickets_are_closed_with_fewer_calls(
    skills: dict[str, Skill], desk: Environment, jail: Jail
) -> None:
    """One who knows the right calls says them with the skills; the same tickets are closed."""
    runner = Runner(skills, jail)
    fitting, saved = 0, 0
    for trace in winning(desk, [task.id for task in desk.tasks("test")]):
        desk.reset(trace.task_id)
        place, turns = 0, 0
        while place < len(trace.moves):
            fit = [
                (length, s, given)
                for s in skills.values()
                for length, given in _fits(s, trace.moves[place:])
            ]
            turns += 1
            if not fit:
                desk.step(trace.actions[place][0])
                place += 1
                continue
            length, skill, given = max(fit, key=lambda one: one[0])
            assert runner.call(skill, given, desk).outcome == "success"
            place += length
        assert desk.seen().won
        fitting += turns < len(trace.moves)
        saved += len(trace.moves) - turns
    assert (fitting, saved) == (15, 23)
