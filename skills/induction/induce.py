"""From trajectories to a library: the most saving piece first, each put to admission, then told as one move."""

from collections.abc import Callable, Sequence

from ...envs.types import Record
from ..admission import Admission, Verdict
from ..call_graph import allowed
from ..errors import Undecided
from ..lint import fingerprint
from ..types import Skill
from .program import Piece, arguments_of, write
from .segments import recurring, retold
from .traces import Trace

OnVerdict = Callable[[Skill, Verdict], None]
"""Told of every candidate and what admission said."""


TESTS = 4
"""Bindings that are stored as tests; the others of a skill's pieces are not run."""


class InduceConfig(Record):
    """Bounds of induction."""

    most: int = 12
    """Skills that are admitted at most."""
    tries: int = 60
    """Candidates that are put to admission at most."""
    least: int = 4
    """Trajectories that a piece has to come in."""


def induce(
    traces: Sequence[Trace],
    admission: Admission,
    config: InduceConfig | None = None,
    on_verdict: OnVerdict | None = None,
) -> list[Verdict]:
    """Grow the library by what recurs in trajectories; return the verdicts of what was admitted.

    Args:
        traces: Of one environment.
        gate: Of the library.
        config: Bounds.
        on_verdict: Told of every candidate.

    Raises:
        Undecided: The environment or the jail broke; what was admitted before is kept.
    """
    config = config or InduceConfig()
    left = list(traces)
    admitted: list[Verdict] = []
    refused: set[str] = set()
    tries = 0
    while len(admitted) < config.most and tries < config.tries:
        found = _next(left, admission, config, refused)
        if found is None:
            break
        pieces, candidate, known = found
        if known is not None:  # it is in the library: tell the trajectories with it, and go on
            left = retold(left, pieces, known.id, arguments_of(pieces))
            continue
        tries += 1
        verdict = admission.admit(candidate, author="agent")
        if on_verdict is not None:
            on_verdict(candidate, verdict)
        if verdict.outcome == "unknown":
            raise Undecided(f"{candidate.name} could not be tested: {'; '.join(verdict.reasons)}")
        if verdict.outcome != "success":
            refused.add(fingerprint(candidate.code))
            continue
        admitted.append(verdict)
        if verdict.shelf != "skills":  # it waits for a person: nothing can call it yet
            refused.add(fingerprint(candidate.code))
            continue
        left = retold(left, pieces, verdict.skill, arguments_of(pieces))
    return admitted


def _next(
    traces: Sequence[Trace], admission: Admission, config: InduceConfig, refused: set[str]
) -> tuple[list[Piece], Skill, Skill | None] | None:
    """Return the most saving pieces not refused yet, the skill they make, and its equal in the library."""
    skills = admission.library.all()
    marks = {fingerprint(skill.code): skill for skill in skills.values()}
    for group in recurring(traces, least=config.least):
        pieces = list(group.pieces)
        try:
            candidate = write(pieces)
        except ValueError:
            continue
        mark = fingerprint(candidate.code)
        if mark in refused:
            continue
        if mark in marks:
            return pieces, candidate, marks[mark]
        name, number = candidate.name, 2
        while name in skills:
            name, number = f"{candidate.name[:60]}-{number}", number + 1
        candidate = write(pieces, name=name)
        made = allowed(skills, candidate).model_copy(update={"tests": candidate.tests[:TESTS]})
        return pieces, made, None
    return None
