"""Admission: what is admitted, what is refused, and what a change does to those who depend on it."""

import pytest

from lichen.envs import Environment
from lichen.skills.admission import Admission
from lichen.skills.errors import UnknownSkill
from lichen.skills.jail import Jail
from lichen.skills.library import Library
from lichen.skills.operations import Workshop
from lichen.skills.skill_runner import Runner

from .conftest import BOOK, TAKE, TESTS, caller, take_skill, taken


def test_a_skill_that_holds_on_its_origin_and_two_bindings_is_admitted_by_running_it(
    admission: Admission, library: Library
) -> None:
    verdict = admission.admit(take_skill(), author="agent")
    assert verdict.outcome == "success", verdict.reasons
    assert [t.test for t in verdict.tests] == ["origin", "spoon", "plate"]
    assert all(t.level == "kernel" and t.steps == 2 for t in verdict.tests)
    assert library.get("take@1").code.strip() == TAKE.strip()


def test_what_only_works_where_it_was_learned_is_refused_and_kept_as_a_draft(
    admission: Admission, library: Library
) -> None:
    code = TAKE.replace('f"go to {place}"', '"go to bed 1"')
    verdict = admission.admit(take_skill(code), author="agent")
    assert (verdict.outcome, verdict.shelf) == ("failure", "drafts")
    assert "take@1 fails its test spoon" in verdict.reasons[0]
    assert library.all() == {}
    assert "refused" in library.get("take", "drafts").files[".lichen/refused.yaml"].text


def test_a_broken_leaf_with_thirty_dependents_changes_nothing_and_names_the_path(
    admission: Admission, library: Library
) -> None:
    admission.admit(take_skill(), author="agent")
    below = "take@1"
    for n in range(30):
        with library.lock():  # written past admission, so that the test is quick
            library.put([caller(f"take-{n}", below)], message="Add", author="agent")
        below = f"take-{n}@1"
    before = {name: skill for name, skill in library.all().items()}
    # the leaf's own tests still hold: it only does not do any more what its callers call it for
    lazy = take_skill(
        TAKE.replace('    api.act(f"take', "    thing == 'spoon 1' or api.act(f\"take")
    )
    lazy = lazy.model_copy(
        update={
            "tests": (
                TESTS[0],
                TESTS[2],
                taken("book-again", BOOK, "book 1", "bed 1").model_copy(update={"seed": 1}),
            )
        }
    )
    verdict = admission.admit(lazy, author="person")
    assert verdict.outcome == "failure"
    assert verdict.path == ("take", "take-0")
    assert "it breaks take -> take-0" in verdict.reasons[0]
    assert library.all() == before


def test_an_edit_re_pins_and_re_tests_everything_above_it(
    admission: Admission, library: Library
) -> None:
    admission.admit(take_skill(), author="agent")
    admission.admit(caller("fetch", "take@1"), author="agent")
    admission.admit(caller("bring", "fetch@1"), author="agent")
    verdict = admission.admit(
        take_skill(TAKE.replace("return True", "return bool(thing)")), author="ann"
    )
    assert verdict.outcome == "success", verdict.reasons
    assert verdict.repinned == ("fetch@2", "bring@2")
    assert '"take@2"' in library.get("fetch").code and '"fetch@2"' in library.get("bring").code
    assert len(verdict.tests) == 9
    assert library.get("bring@1").code == caller("bring", "fetch@1").code


def test_a_retired_skill_is_not_learned_again_under_another_name_or_layout(
    admission: Admission, library: Library
) -> None:
    admission.admit(take_skill(), author="agent")
    workshop = Workshop(library, lambda: admission)
    workshop.retire("take", "it breaks vases")
    disguised = """
def grab(api: API, thing: str, place: str) -> bool:
    # another comment
    api.act(f"go to {place}"); api.act(f"take {thing} from {place}")
    return True
"""
    again = take_skill(disguised).model_copy(update={"name": "grab"})
    verdict = admission.admit(again, author="agent")
    assert verdict.outcome == "failure"
    assert verdict.reasons == ("it was retired as take: it breaks vases",)
    assert workshop.approve("take").outcome == "success"  # a person's word lifts it


def test_a_jail_that_breaks_refuses_nothing(library: Library, household: Environment) -> None:
    class Broken(Jail):
        def run(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
            from lichen.skills.jail import Ran

            return Ran(end="broken", error="no process could be made", level="kernel")

    broken = Broken.__new__(Broken)
    admission = Admission(library, Runner({}, broken), lambda _: household)
    verdict = admission.admit(take_skill(), author="agent")
    assert (verdict.outcome, verdict.shelf) == ("unknown", None)
    assert library.where("take") is None


def test_a_pinned_skill_is_changed_by_people_only(admission: Admission, library: Library) -> None:
    admission.admit(take_skill(), author="agent")
    Workshop(library, lambda: admission).pin("take")
    edited = take_skill(TAKE.replace("return True", "return thing != place"))
    assert admission.admit(edited, author="agent").reasons == (
        "take is pinned: only a person may change it",
    )
    assert admission.admit(edited, author="ann").outcome == "success"
    with pytest.raises(UnknownSkill):
        library.get("take@7")
