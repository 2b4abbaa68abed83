"""Induction: the library grows from trajectories, outages refuse nothing, nothing is made twice."""

import pytest

from lichen.envs import Environment
from lichen.skills.admission import Admission
from lichen.skills.errors import Undecided
from lichen.skills.induction.induce import InduceConfig, induce
from lichen.skills.induction.traces import Trace
from lichen.skills.induction.watch import winning
from lichen.skills.jail import Jail, Ran
from lichen.skills.library import Library
from lichen.skills.skill_runner import Runner


def test_an_outage_while_inducing_is_said_and_refuses_nothing(
    library: Library, household: Environment
) -> None:
    class Broken(Jail):
        def run(self, *args: object, **kwargs: object) -> Ran:
            return Ran(end="broken", error="no process could be made", level="kernel")

    admission = Admission(library, Runner({}, Broken.__new__(Broken)), lambda _: household)
    with pytest.raises(Undecided, match="could not be tested"):
        induce(gold(household), admission, InduceConfig(least=3))
    assert library.history() == []


def test_inducing_again_makes_nothing_twice(
    library: Library, admission: Admission, household: Environment
) -> None:
    first = induce(gold(household), admission, InduceConfig(least=3, most=4))
    again = induce(gold(household), admission, InduceConfig(least=3, most=1, tries=5))
    names = [verdict.skill for verdict in (*first, *again)]
    assert len(set(names)) == len(names)
    assert not any(name.endswith("-2@1") for name in names)


def gold(household: Environment) -> list[Trace]:
    """The winning trajectories of the small household."""
    return winning(household, [task.id for task in household.tasks("train")])


def test_the_library_grows_from_trajectories_with_parameters_and_calls(
    admission: Admission, library: Library, household: Environment
) -> None:
    admitted = induce(gold(household), admission, InduceConfig(least=3, most=6))
    skills = library.all()
    assert len(admitted) >= 3 and set(skills) >= {"go-to-take-from", "go-to-move"}
    assert all(set(s.contract.parameters) >= {"thing"} for s in skills.values())
    take = skills["go-to-take-from"]
    assert take.contract.postconditions == ('has("{thing}")',)
    assert take.contract.preconditions == ('can("go to {place}")',)
    assert 'has("{thing}")' in skills["go-to-move"].contract.preconditions
    assert len(take.tests) == 4 and len({t.task_id for t in take.tests}) == 4
    again = induce(gold(household), admission, InduceConfig(least=3, most=6))
    assert library.all().keys() >= skills.keys() and len(again) <= len(admitted)
