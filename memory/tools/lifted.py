"""Remembered calls in the terms of the present task: what stands here where an argument's value stood there.

A model that reads `find_order(order='LN-51623')` of another task copies the number. Here the call is told with
this task's own number, or, where that is not to be had for certain, with a slot that says where the value came
from: `refund(order='LN-20417', amount=‹worked out›, to='card')`. What like cases have in common stays.
A value is found by its shape and by the words beside it (as wrapper induction does; Kushmerick 1997).
Measured on `support` with a 1.5B model: see CHANGELOG.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Literal, NamedTuple

import regex

from ...envs.tools import Call
from ..ledger.records import Hit, StepCase
from ..likeness.analogy import FILLER
from ..likeness.origins import said_in
from ..likeness.words import bounded, unspaced, words

_DIGITS = re.compile(r"\d+")
_RUNS = regex.compile(r"\d+|\p{Lu}\p{Ll}+|\p{Lu}+|\p{Ll}+|\p{Han}+|.", regex.DOTALL)
_WORD = re.compile(r"\w+")
_CLAUSE = re.compile(r"[;\n{}|]|[.!?]\s")
_LONG = 200
"""Characters of a clause beyond which its words do not belong together."""
_MOST = 200
"""Places in a text that are looked at."""
_AROUND = 60
"""Characters in which the words beside a value are looked for."""
_CHARACTERS = 4
_SAME_DIGITS = 4
"""Numbers of so many digits or more are of one kind only where they have as many."""


class LiftedCall(NamedTuple):
    """What was called in like moments of cases where it helped."""

    text: str
    moments: int
    """In how many like ones this tool was called."""


class ValuePlace(NamedTuple):
    """Where the value of an argument stood."""

    where: Literal["task", "answer"]
    form: str
    """The value as it was written there."""
    part: str
    """What of the argument stood there: all of it, or a number in it."""
    named: bool
    """Whether it stood beside words of the task."""


class _Used(NamedTuple):
    """A call that helped, and where the values of its arguments stood."""

    hit: Hit
    call: Call
    places: dict[str, ValuePlace | None]


def lifted_calls(hits: Sequence[Hit], goal: str, seen: str) -> list[LiftedCall]:
    """Return the calls that helped in like moments, one of each tool, those of the likest first.

    Calls that were refused or did not help are left out, and those that need a number of a kind that this
    task does not have. A hit whose call was bound to this task already (see `bound_calls`) says it as it is.

    Args:
        hits: Best first.
        goal: Of the task that is done now.
        seen: What was answered in it so far.
    """
    by_tool: dict[str, list[_Used]] = {}
    for hit in hits:
        call = hit.case.call
        if call is not None and hit.case.gain > 0 and not hit.case.error:
            by_tool.setdefault(call.tool, []).append(_Used(hit, call, _places(hit.case, call)))
    found: list[tuple[float, LiftedCall]] = []
    for tool, used in by_tool.items():
        fit = [one for one in used if _can_be(one, goal)]
        if fit:
            said = ", ".join(
                f"{name}={_written(name, value, fit, goal, seen)}"
                for name, value in fit[0].call.arguments.items()
            )
            near = sum(one.hit.similarity for one in fit)
            whole = [one.hit.action for one in fit if one.hit.action != one.hit.case.action]
            found.append((near, LiftedCall(whole[0] if whole else f"{tool}({said})", len(fit))))
    found.sort(key=lambda pair: -pair[0])
    return [call for _, call in found]


def place_of(value: Any, goal: str, seen: str) -> ValuePlace | None:
    """Return where a value stood, the task before the answers; None where it was not said.

    >>> place_of("LN-51623", "Where is order no. 51623?", "")
    ValuePlace(where='task', form='51623', part='51623', named=False)
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return _place_of(value, goal, seen)


@lru_cache(maxsize=4096, typed=True)
def _place_of(value: str | int | float, goal: str, seen: str) -> ValuePlace | None:
    places: tuple[tuple[Literal["task", "answer"], str], ...] = (("task", goal), ("answer", seen))
    for part in (value, *(_DIGITS.findall(value) if isinstance(value, str) else ())):
        for where, text in places:
            if (at := said_in(part, text)) is not None:
                named = where == "answer" and bool(_beside(at, text) & _named(goal))
                return ValuePlace(where, at[0], str(part), named)
    return None


def bound_value(value: Any, place: ValuePlace, goal: str, seen: str) -> Any | None:
    """Return what stands in another task where a value stood; None where that is unclear.

    Args:
        value: The argument.
        place: Where it stood.
        goal: Of the other task.
        seen: What was answered there.
    """
    forms = list(alike_in(place, goal, seen))
    return in_form(value, place, forms[0]) if len(forms) == 1 else None


def in_form(value: Any, place: ValuePlace, form: str) -> Any:
    """Return a value with another form in its place."""
    if not isinstance(value, str):
        return (
            int(form)
            if form.isdecimal() and isinstance(value, int)
            else float(form.replace(",", "."))
        )
    if place.part == value:
        return form
    return re.sub(rf"(?<!\d){re.escape(place.part)}(?!\d)", lambda _: form, value, count=1)


@lru_cache(maxsize=4096)
def alike_in(place: ValuePlace, goal: str, seen: str) -> Mapping[str, frozenset[str]]:
    """Return what stands in a task in the form of a value and beside such words, in order, with words around.

    Args:
        place: Where the value stood.
        goal: Of the task that is looked through.
        seen: What was answered there.
    """
    text = goal if place.where == "task" else seen
    shape = regex.compile(rf"{bounded(_shape(place.form), place.form)}(?![.,]\d)")
    found: dict[str, frozenset[str]] = {}
    for at in islice(shape.finditer(text), _MOST):
        if place.named and not _beside(at, text) & _named(goal):
            continue
        ends = {mark for mark, end in (("^", at.start() == 0), ("$", at.end() == len(goal))) if end}
        ends = ends if place.where == "task" else set()  # an answer is no end: others follow
        found[at[0]] = found.get(at[0], frozenset()) | _around(at, text) | ends
    return found


def _places(case: StepCase, call: Call) -> dict[str, ValuePlace | None]:
    """Return where each argument's value stood."""
    return {
        name: place_of(value, case.state.goal, case.state.text)
        for name, value in call.arguments.items()
    }


def _written(name: str, value: Any, used: Sequence[_Used], goal: str, seen: str) -> str:
    """Return an argument of the first of some calls; what several episodes have in common stays."""
    episodes = {one.hit.case.episode for one in used}
    if len(episodes) > 1 and all(one.call.arguments.get(name) == value for one in used):
        return repr(value)
    place = used[0].places[name]
    if place is not None:
        found = bound_value(value, place, goal, seen)
        return repr(found) if found is not None else f"‹in {_WHERE[place.where]}›"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "‹worked out›"
    return "‹to be found›" if any(map(str.isdigit, str(value))) else repr(value)


_WHERE = {"task": "the task", "answer": "an answer"}


def _shape(form: str) -> str:
    """Return a pattern of what is written alike.

    >>> _shape("LN-51623"), _shape("45.00")
    ('\\\\p{Lu}{2}\\\\-\\\\d{5}', '\\\\d{1,3}\\\\.\\\\d{1,3}')
    """
    return "".join(map(_alike, _RUNS.findall(form)))


def _alike(run: str) -> str:
    if run.isdigit():
        return rf"\d{{{len(run)}}}" if len(run) >= _SAME_DIGITS else rf"\d{{1,{_SAME_DIGITS - 1}}}"
    if regex.fullmatch(r"\p{Ll}+", run):
        return r"\p{Ll}+"
    if regex.fullmatch(r"\p{Lu}+", run):
        return rf"\p{{Lu}}{{{len(run)}}}"
    if regex.fullmatch(r"\p{Lu}\p{Ll}+", run):
        return r"\p{Lu}\p{Ll}+"
    if regex.fullmatch(r"\p{Han}+", run):
        return rf"\p{{Han}}{{{len(run)}}}"
    return re.escape(run)


def _beside(at: re.Match[str], text: str) -> set[str]:
    """Return the words of the clause that a value stands in, or those around it where others like it do too."""
    before, behind = text[max(0, at.start() - _LONG) : at.start()], text[at.end() :][:_LONG]
    begins = max((mark.end() for mark in _CLAUSE.finditer(before)), default=0)
    ends = _CLAUSE.search(behind)
    clause = before[begins:] + at[0] + (behind[: ends.start()] if ends else behind)
    if len(clause) > _LONG or len(regex.findall(_shape(at[0]), clause)) > 1:
        return _around(at, text)
    return {word.lower() for word in _WORD.findall(clause)}


def _around(at: re.Match[str], text: str) -> set[str]:
    """Return the two words before a place and the two behind it; characters where nothing parts words."""
    before, behind = text[max(0, at.start() - _AROUND) : at.start()], text[at.end() :][:_AROUND]
    if unspaced(before[-1:] + behind[:1]):
        return {*words(before)[-_CHARACTERS:], *words(behind)[:_CHARACTERS]}
    near = (*_WORD.findall(before)[-2:], *_WORD.findall(behind)[:2])
    return {word.lower() for word in near}


@lru_cache(maxsize=256)
def _named(goal: str) -> frozenset[str]:
    """Return the words of a task that say something."""
    return frozenset(word for word in words(goal) if word not in FILLER and not word.isdigit())


def _can_be(used: _Used, goal: str) -> bool:
    """Return whether what a call took from its task can be taken from this one: numbers of as many digits."""
    there = {len(digits) for digits in _DIGITS.findall(goal)}
    for place in used.places.values():
        if place is None or place.where != "task" or not place.part.isdigit():
            continue
        if len(place.part) not in there:
            return False
    return True
