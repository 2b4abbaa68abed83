"""Remembered calls with the values of the present task: what a case did at a like moment, to be done here.

Each argument gets the value that stands here where the remembered one stood there (see `lifted`); where several
stand so, the one in the same place among those that were not used yet; where it was worked out as a share of a
number that has a name (`Total 154.00`), the same share here. A call with an argument that cannot be found is
left as it was remembered. Programs are synthesised from examples so (Gulwani 2011).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import regex

from ...envs.schemas import members
from ...envs.text import shortened
from ...envs.tools import Call, ToolSpec, problem_of, read_call, write_call
from ..ledger.records import Hit, State, StepCase
from ..likeness.grounding import plain
from .lifted import alike_in, bound_value, in_form, place_of

_NUMBER = re.compile(r"(?<![^\W\d_])([^\W\d_]{1,40})\s{1,3}(\d{1,12}(?:\.\d{1,6})?)(?![.,]?\d)")
"""With the word before it; one that is written in groups (1,250.00) is left alone."""
BY_ORDER = 0.5
"""How sure a value is that was found by its place among several alone, to one that is the only one."""
_INNER_NAME = regex.compile(r"(?<![.!?]\s)(?<=\s|,)\p{Lu}\p{Ll}")
_LARGEST = 1e12
_LONG = 3000
"""Characters of an answer in which values are looked for."""
_SHARES = 100
"""A worked-out number is so many hundredths of a named one, a whole number of them."""


class CallMoment(NamedTuple):
    """What is known when a call is made."""

    goal: str
    told: str
    """All that was answered so far."""
    made: tuple[Call, ...]
    """The calls before it."""


class _Unclear(Exception):
    """An argument's value cannot be found here."""


class _Value(NamedTuple):
    """An argument's value here."""

    value: Any
    sure: float = 1.0
    """How sure it is that it is the right one, as a factor on the likeness of its case."""


def told_in(answers: Iterable[str]) -> str:
    """Return the text in which values are looked for: of each answer its beginning and its end."""
    return "\n".join(shortened(answer, _LONG) for answer in answers)


def moment_of(steps: Sequence[StepCase], case: StepCase) -> CallMoment:
    """Return what was known when the call of a case was made.

    Args:
        steps: Of its episode.
        case: One of them.
    """
    earlier = [step for step in steps if step.index < case.index]
    texts = [step.state.text for step in (*earlier, case)]
    answers = [step.answer for step in earlier]
    return CallMoment(
        goal=case.state.goal,
        told=told_in(dict.fromkeys([*texts, *answers])),
        made=tuple(step.call for step in earlier if step.call is not None),
    )


def bound_hits(
    hits: Sequence[Hit],
    now: CallMoment,
    specs: Sequence[ToolSpec],
    then: Callable[[StepCase], CallMoment],
    state: State,
) -> tuple[list[Hit], set[str]]:
    """Return the hits, their calls with this task's values where all can be found, and those that helped.

    Args:
        hits: Of steps that were calls.
        now: The present moment.
        specs: The tools that are there.
        then: Gives the moment of a case.
        state: Where the policy is, as memory sees it.
    """
    known = {spec.name: spec for spec in specs}
    moments = {hit.case.id: then(hit.case) for hit in hits if hit.case.call is not None}
    found, calls = [], set()
    for hit in hits:
        call = hit.case.call
        spec = known.get(call.tool) if call is not None else None
        if call is not None and spec is not None:
            alike = [
                (moments[other.case.id], other.case)
                for other in hits
                if other.case.call is not None
                and (other.case.call.tool, other.case.family) == (call.tool, hit.case.family)
            ]
            try:
                values = {
                    name: _value(name, value, spec, moments[hit.case.id], now, alike)
                    for name, value in call.arguments.items()
                }
            except _Unclear:
                found.append(hit)
                continue
            arguments = {name: one.value for name, one in values.items()}
            if not problem_of(spec, arguments):
                action = write_call(spec.name, arguments)
                sure = min((one.sure for one in values.values()), default=1.0)
                hit = hit.model_copy(
                    update={
                        "action": action,
                        "about": plain(action, state.text, state.goal),
                        "similarity": hit.similarity * sure,
                    }
                )
                if hit.case.gain > 0 and not hit.case.error:
                    calls.add(action)
        found.append(hit)
    return found, calls


def varied(calls: Iterable[str], specs: Sequence[ToolSpec]) -> set[str]:
    """Return these calls and those that differ in one listed value: what to try where they help no more.

    Args:
        calls: As actions, right by their contracts.
        specs: The tools that are there.
    """
    known = {spec.name: spec for spec in specs}
    found = set(calls)
    for action in tuple(found):
        call = read_call(action, specs)
        for name, value in call.arguments.items():
            for other in members(known[call.tool].properties.get(name, {})) or ():
                if other is not None and other != value:
                    found.add(write_call(call.tool, {**call.arguments, name: other}))
    return found


def _value(
    name: str,
    value: Any,
    spec: ToolSpec,
    then: CallMoment,
    now: CallMoment,
    alike: Sequence[tuple[CallMoment, StepCase]],
) -> _Value:
    """Return an argument's value here.

    Args:
        name: Of the argument.
        value: In the remembered call.
        spec: The tool.
        then: The moment of the remembered call.
        now: The present one.
        alike: Moments of all calls of the tool in tasks of this kind, with their cases.

    Raises:
        _Unclear: It cannot be found.
    """
    schema = spec.properties.get(name, {})
    if members(schema) is not None or value is None or isinstance(value, bool):
        return _Value(value)
    if isinstance(value, (list, dict)):
        return _many(name, value, spec, then, now, alike)
    calls = [(moment, case.call) for moment, case in alike if case.call is not None]
    values = [call.arguments.get(name) for _, call in calls]
    episodes = len({case.episode for _, case in alike})
    place = place_of(value, then.goal, then.told)
    if episodes > 1 and all(other == value for other in values):
        everywhere = all(place_of(value, m.goal, m.told) is not None for m, _ in calls)
        if place is None or not everywhere:
            return _Value(value)
    if place is None:
        return _Value(_worked_out(name, value, calls, episodes, now))
    if not any(c.isdigit() or c.isupper() for c in place.form):
        if place_of(value, now.goal, now.told) is None:
            raise _Unclear  # what it speaks of is not here
        return _Value(value)
    found = bound_value(value, place, now.goal, now.told)
    if found is not None:
        return _Value(found)
    here = alike_in(place, now.goal, now.told)
    left = _unused(here, now.made, spec.name, name)
    likest = _likest({form: here[form] for form in left}, name, calls)
    if likest:
        return _Value(in_form(value, place, likest))
    there = _unused(alike_in(place, then.goal, then.told), then.made, spec.name, name)
    if place.form in there and there.index(place.form) < len(left):
        form = left[there.index(place.form)]
        return _Value(in_form(value, place, form), 1.0 if len(left) == 1 else BY_ORDER)
    raise _Unclear


def _many(
    name: str,
    value: list[Any] | dict[str, Any],
    spec: ToolSpec,
    then: CallMoment,
    now: CallMoment,
    alike: Sequence[tuple[CallMoment, StepCase]],
) -> _Value:
    """Return a list or an object part by part; parts that differed must differ here."""
    parts = list(value.values()) if isinstance(value, dict) else value
    found = [_value(name, part, spec, then, now, alike) for part in parts]
    made = [one.value for one in found]
    if len(set(map(repr, made))) < len(set(map(repr, parts))):
        raise _Unclear
    sure = min((one.sure for one in found), default=1.0)
    return _Value(dict(zip(value, made, strict=True)) if isinstance(value, dict) else made, sure)


def _likest(
    here: Mapping[str, frozenset[str]], name: str, calls: Sequence[tuple[CallMoment, Call]]
) -> str | None:
    """Return what stands here among the words that stood around like calls' values; None where several do."""
    around: Counter[str] = Counter()
    for moment, call in calls:
        value = call.arguments.get(name)
        place = place_of(value, moment.goal, moment.told)
        if place is not None:
            around.update(alike_in(place, moment.goal, moment.told).get(place.form, ()))
    scored = sorted(((sum(around[word] for word in near), form) for form, near in here.items()))
    if not scored or scored[-1][0] == 0 or (len(scored) > 1 and scored[-2][0] == scored[-1][0]):
        return None
    return scored[-1][1]


def _unused(forms: Iterable[str], made: Sequence[Call], tool: str, name: str) -> list[str]:
    used = {str(call.arguments.get(name)) for call in made if call.tool == tool}
    return [form for form in forms if form not in used]


def _worked_out(
    name: str, value: Any, calls: Sequence[tuple[CallMoment, Call]], episodes: int, now: CallMoment
) -> Any:
    """Return a value that was said nowhere."""
    if isinstance(value, str):
        if any(map(str.isdigit, value)) or (episodes < 2 and _names_something(value)):
            raise _Unclear
        return value
    if episodes < 2:
        raise _Unclear
    shares: Counter[tuple[str, int]] = Counter()
    for moment, call in calls:
        shares.update(_shares(call.arguments.get(name), moment.told))
    agreed = {share for share, n in shares.items() if n == len(calls)}
    here = _named_numbers(now.told)
    found = {
        round(float(number) * share / _SHARES, 2)
        for label, share in agreed
        for said, number in here
        if said == label
    }
    if len(found) != 1:
        raise _Unclear
    (one,) = found
    return int(one) if isinstance(value, int) and one == int(one) else one


def _names_something(text: str) -> bool:
    """Return whether a text may name somebody: a capital within a sentence, or a script without capitals."""
    return text.lower() == text.upper() or _INNER_NAME.search(text) is not None


def _shares(value: Any, told: str) -> set[tuple[str, int]]:
    """Return which hundredths of which named numbers a value is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _LARGEST:
        return set()
    found = set()
    for label, number in _named_numbers(told):
        of = float(number)
        share = round(_SHARES * value / of) if of else 0
        if 0 < share <= 10 * _SHARES and abs(of * share / _SHARES - value) < 0.0051:
            found.add((label, share))
    return found


def _named_numbers(text: str) -> list[tuple[str, str]]:
    """Return the numbers of a text, each with the word before it, in lower case."""
    return [(label.lower(), number) for label, number in _NUMBER.findall(text)]
