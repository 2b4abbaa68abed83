"""Skills: a library of executable skills in git, the jail they run in, admission they pass, how they grow."""

from .admission import Admission, Verdict
from .errors import BadSkill, LibraryUnwritable, Undecided, UnknownSkill
from .library import Library
from .operations import Workshop
from .skill_retriever import SkillRetriever, SkillRetrieverConfig
from .skill_runner import CallResult, Runner
from .types import Contract, Parameter, Skill, SkillTest

__all__ = [
    "BadSkill",
    "CallResult",
    "Contract",
    "Admission",
    "Library",
    "LibraryUnwritable",
    "Parameter",
    "Runner",
    "Skill",
    "SkillRetriever",
    "SkillRetrieverConfig",
    "SkillTest",
    "Undecided",
    "UnknownSkill",
    "Verdict",
    "Workshop",
]
