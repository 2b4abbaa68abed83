"""What is wrong with a call that a model named: it failed before, or a value of it is another task's."""

import re
from collections.abc import Sequence

from ...envs.errors import UsageError
from ...envs.text import shortened
from ...envs.tools import read_call
from ..acting.situation import Situation
from ..llm.errors import BudgetSpent
from ..llm.talking import Turn

CIRCLES = 3
"""Refusals of one call after which it is not made again for a user, and the request ends (cf. OpenHands' stuck
detector). In a benchmark the steps are the environment's."""
_ECHO = 300
"""Characters of an earlier answer to the same call."""
_DIGITS = re.compile(r"\D")


def failure(at: Situation, action: str) -> str:
    """Return how such a call failed before, in memory or in this episode, for a sentence."""
    if not action or not at.specs:
        return ""
    if at.working.repetitions(at.seen, [action])[0] > 0:
        answer = next((said for done, said in reversed(at.history) if done == action), "")
        return f"this very call was made already, and the answer was: {shortened(answer, _ECHO)}"
    try:
        call = read_call(action, at.specs)
    except UsageError:
        return ""
    spoken = any(spec.said and spec.name == call.tool for spec in at.specs)
    return "" if spoken else at.failure_of(call)


def borrowed(at: Situation, turns: Sequence[Turn], action: str) -> str:
    """Return a complaint about a value that was taken from the records of other tasks; empty where none was.

    Only values with a digit are looked at (ids, amounts, addresses): other words may well be the same.
    """
    records = "\n".join(
        line for turn in turns for line in turn.content.splitlines() if line.startswith("| ")
    )
    if not records or not action or not at.specs:
        return ""
    try:
        given = read_call(action, at.specs).arguments.values()
    except UsageError:
        return ""
    here = f"{at.seen.goal}\n{at.told}"
    digits = _DIGITS.sub("", here)
    for value in given:
        said = str(value)
        own = said in here or (_DIGITS.sub("", said) in digits and bool(_DIGITS.sub("", said)))
        if isinstance(value, str) and any(map(str.isdigit, said)) and said in records and not own:
            return f"{said!r} stands only in the records of other tasks; find out yours first"
    return ""


def end_circles(at: Situation, action: str) -> None:
    """End a request whose model makes a refused call for ever, also after it was told.

    Raises:
        BudgetSpent: It was refused `CIRCLES` times already.
    """
    refused = at.refusals[action]
    if refused >= CIRCLES:
        raise BudgetSpent(f"the same call was refused {refused} times: {action}")
