"""`/v1/skills`: what the library holds, and which of it a text asks for."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from ....skills.types import Contract, SkillTest
from ...skill_actions.open_library import FOLDER
from ..skill_shelf import FoundSkill, SkillShelf, found
from .callers import Reading, Served, TheAgent

router = APIRouter(prefix="/v1/skills", tags=["skills"])


class SkillList(BaseModel):
    """The skills, or those that were found."""

    skills: list[FoundSkill]


class SkillView(BaseModel):
    """A skill, whole."""

    name: str
    description: str
    contract: Contract
    body: str
    """The text of SKILL.md under its head."""
    code: str
    tests: tuple[SkillTest, ...]
    files: list[str]
    """Paths in its folder."""


@router.get("")
async def list_skills(served: TheAgent, key: Reading) -> SkillList:
    """List the admitted skills by name."""
    shelf = _shelf(served)
    found_here = await served.on_loop(lambda: [found(s) for s in shelf.all().values()])
    return SkillList(skills=found_here)


@router.get("/search")
async def search_skills(
    served: TheAgent,
    key: Reading,
    query: Annotated[str, Query(min_length=1, max_length=4000)],
    env: str = "",
    k: Annotated[int, Query(ge=1, le=50)] = 5,
) -> SkillList:
    """Return the skills that a text asks for, best first."""
    shelf = _shelf(served)
    return SkillList(skills=await served.on_loop(lambda: shelf.search(query, env=env, k=k)))


@router.get("/{name}")
async def show_skill(name: str, served: TheAgent, key: Reading) -> SkillView:
    """Return one skill: contract, code, tests and files."""
    shelf = _shelf(served)

    def view() -> SkillView:
        skill = shelf.get(name)
        plain = name.partition("@")[0]
        return SkillView(
            **{part: getattr(skill, part) for part in SkillView.model_fields if part != "files"},
            files=sorted(shelf.files(plain)),
        )

    return await served.on_loop(view)


def _shelf(served: Served) -> SkillShelf:
    """Return the library of the agent, opened once."""
    if served.shelf is None:
        config = served.agent.config
        root = config.skills.library or served.agent.store.folder / FOLDER
        served.shelf = SkillShelf(root, served.agent.store.embedder)
    return served.shelf
