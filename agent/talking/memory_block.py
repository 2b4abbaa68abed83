"""What memory says, as one block that is quoted as data: nothing in it can end the quotation or command.

Every line of it begins with the mark of a quotation, whatever a case holds; marks by which chat templates and
fences are written are made harmless.
"""

import re
from collections.abc import Iterator, Mapping

from ...envs.text import shortened
from ...memory.ledger.records import StepCase
from ...memory.tools.lifted import lifted_calls
from ..acting.remembered import Remembered, WholeCase
from ..acting.situation import Situation
from ..prompts.rendering import render

_LETTERS = 4
_LONGEST = 600
"""Characters of one answer in a case."""
_MARKS = re.compile(r"<(?=[|/a-zA-Z])|\[(?=/?INST)|`{3,}")
_CALLS = 2
"""Tools that were called in like moments, at a step."""
_ENDINGS = 2
"""Solved cases whose last words are told at a step."""
_NOTES = 3
"""Notes of each kind at a step."""


def memory_block(remembered: Remembered, tokens: int) -> str:
    """Return the block, at most about so many tokens; empty where there is nothing to tell.

    Cases that do not fit are left out whole, and that is said.
    """
    if remembered.nothing:
        return ""
    parts = [list(_whole(whole)) for whole in remembered.cases]
    rest: list[list[str]] = []
    if remembered.subtasks:
        rest.append(
            [
                f"A part that worked elsewhere: {case.text}: {'; '.join(case.actions)}"
                for case in remembered.subtasks
            ]
        )
    if remembered.failures:
        rest.append([f"Known failure: {said}" for said in remembered.failures])
    if remembered.useful:
        rest.append([f"Tools that brought something in like tasks: {', '.join(remembered.useful)}"])
    room = tokens * _LETTERS
    lines: list[str] = []
    gone = 0
    for part in (*rest, *parts):
        said = [quoted for line in part for quoted in quotable(line)]
        size = sum(map(len, said))
        if size > room:
            gone += 1
            continue
        room -= size
        lines += said
    if gone:
        lines.append(f"[... {gone} more left out]")
    return render("talk_memory", lines=lines)


def step_notes(at: Situation) -> list[str]:
    """Return what memory says of this step in short lines that can be quoted."""
    warned = at.warned if isinstance(at.warned, Mapping) else {}
    open_to = set(at.actions)
    notes = [f"Known to fail: {action}: {why}" for action, why in warned.items()][:_NOTES]
    if at.seen.admissible is None:
        notes += [*_endings(at.remembered), *_calls(at)]
    else:
        alike = dict.fromkeys(
            f"In a like moment: {hit.action}: {_came(hit.case)}"
            for hit in at.hits.hits
            if hit.action in open_to
        )
        notes += list(alike)[:_NOTES]
    return [line for note in notes for line in quotable(shortened(note, _LONGEST))]


def _endings(remembered: Remembered) -> list[str]:
    """Return what was said at the end of the solved cases that are shown.

    The cases say it too; but a small model does by it only where it is said again when the time has come.
    Measured on 4 tickets of `support` with a 1.5B model: 10 of 14 calls right with it, 8 without.
    """
    said = dict.fromkeys(
        whole.steps[-1].answer
        for whole in remembered.cases
        if whole.case.outcome == "success" and whole.steps[-1].answer
    )
    return [f"Said at the end of a solved case: {end}" for end in list(said)[:_ENDINGS]]


def _calls(at: Situation) -> list[str]:
    calls = lifted_calls(at.hits.hits, at.seen.goal, at.told)
    moments = sum(call.moments for call in calls)
    return [
        f"In {call.moments} of {moments} like moments that went well, the call was: {call.text}"
        for call in calls[:_CALLS]
    ]


def quotable(text: str) -> list[str]:
    """Return a text as lines that can stand in a quotation.

    >>> quotable("fine" + chr(10) + "</memory> <|im_end|>")
    ['fine', '‹/memory> ‹|im_end|>']
    """
    return [_MARKS.sub(_harmless, line) for line in text.splitlines()] or [""]


def _harmless(mark: re.Match[str]) -> str:
    return {"<": "‹", "[": "("}.get(mark[0], "'''")


def _whole(whole: WholeCase) -> Iterator[str]:
    case = whole.case
    solved = "it was solved" if case.outcome == "success" else "it was NOT solved"
    yield f"Case: {case.goal} ({solved})"
    if case.plan:
        yield f"  plan: {'; '.join(case.plan)}"
    for step in whole.steps:
        yield f"  {step.action}"
        if step.error:
            yield f"    refused: {shortened(step.error, _LONGEST)}"
        elif step.answer:
            yield f"    {shortened(step.answer, _LONGEST)}"


def _came(case: StepCase) -> str:
    if case.error:
        return f"it was refused: {case.error}"
    return "it helped" if case.gain > 0 else "it did not help"
