"""Skills that differ in constants become one."""

from lichen.skills.absorb_variant import absorb
from lichen.skills.admission import Admission
from lichen.skills.library import Library
from lichen.skills.merge import merge
from lichen.skills.types import Contract, Skill

from .conftest import BOOK, TESTS, taken


def test_skills_that_differ_in_constants_become_one_and_their_callers_call_it(
    admission: Admission, library: Library
) -> None:
    def at(name: str, place: str, thing: str, task: str) -> Skill:
        code = (
            f"def {name.replace('-', '_')}(api: API, pause: int = 0) -> bool:\n"
            f"    api.act('go to {place}')\n    api.act('take {thing} from {place}')\n    return True\n"
        )
        return Skill(
            name=name,
            description=f"Take the {thing}.",
            code=code,
            contract=Contract(
                env="alfworld-mini",
                parameters={"pause": {"type": "int", "default": 0}},  # type: ignore[dict-item]
                postconditions=(f'has("{thing}")',),
            ),
            tests=tuple(
                taken(f"t{seed}", task, "", "", origin=not seed).model_copy(
                    update={"arguments": {"pause": seed}, "seed": seed}
                )
                for seed in range(3)
            ),
        )

    book = at("take-book", "bed 1", "book 1", BOOK)
    spoon = at("take-spoon", "countertop 1", "spoon 1", TESTS[1].task_id)
    admission.admit(book, author="agent")
    admission.admit(spoon, author="agent")
    merged = merge([book, spoon], taken=list(library.all()))
    assert merged.skill.name == "take"
    assert set(merged.skill.contract.parameters) > {"pause"}
    verdict = admission.merge(merged, author="agent")
    assert verdict.outcome == "success", verdict.reasons
    assert list(library.all()) == ["take"]
    assert set(library.all("archive")) == {"take-book", "take-spoon"}
    plate = at("take-plate", "countertop 2", "plate 1", TESTS[2].task_id)
    grown = absorb(library.get("take"), plate)
    verdict = admission.merge(grown, author="agent")
    assert verdict.outcome == "success", verdict.reasons
    assert verdict.skill == "take@2" and len(library.get("take").tests) == 9
