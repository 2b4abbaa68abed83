"""The text of an induced skill: its function, its loops, the one small function it may need beside it."""

from collections.abc import Mapping, Sequence

from ...envs.types import Fact
from ..types import Parameter
from .antiunify import Line, Slot
from .traces import ACT, CALL

UPKEEP = "keep_alive"
"""Method of an environment's API that is called before every pass, where there is one."""
PASSES = 20
"""Most times that a body is done again until what it is for has come about."""


def lines_of(line: Line, count: str, listed: bool) -> list[str]:
    """Return the lines of code of one move.

    Args:
        line: The move.
        count: How often, as code; empty for once.
        listed: Whether the environment lists what it accepts; an action that is not there ends the skill.
    """
    said = [_call(line, listed)]
    if listed and line.move.method == ACT:
        said = [f"if not _do(api, {_action(line)}):", "    return False"]
    return [f"for _ in range({count}):", *(f"    {s}" for s in said)] if count else said


def _call(line: Line, listed: bool) -> str:
    if line.move.method in ("skill", CALL):
        pairs = zip(line.move.names, line.parts, strict=True)
        arguments = "".join(f", {name}={_value(part)}" for name, part in pairs)
        return f"api.{line.move.method}({line.move.skill!r}{arguments})"
    if line.move.method == ACT:
        return f"api.act({_action(line)})"
    return f"api.{line.move.method}({', '.join(map(_value, line.parts))})"


def _action(line: Line) -> str:
    if any(isinstance(part, Slot) for part in line.parts):
        said = " ".join(f"{{{p.name}}}" if isinstance(p, Slot) else str(p) for p in line.parts)
        return f'f"{said}"'
    return repr(" ".join(map(str, line.parts)))


def _value(part: Fact | Slot) -> str:
    return part.name if isinstance(part, Slot) else repr(part)


_DO = '''

def _do(api: API, action: str) -> str:
    """Take an action as it is offered here; numbers of things need not be said."""
    offered = api.admissible()
    plain = re.sub(r" \\d+", "", action)
    near = [a for a in offered if a == action] or [
        a for a in offered if re.sub(r" \\d+", "", a) == plain
    ]
    return api.act(near[0]) if near else ""
'''


def source_of(
    function: str,
    what: str,
    parameters: Mapping[str, Parameter],
    body: Sequence[str],
    listed: bool,
    goal: str = "",
    upkeep: bool = False,
) -> str:
    """Return the text of a `skill.py`.

    Args:
        function: Its name.
        what: Its docstring's first line.
        parameters: In any order; those without default come first.
        body: Lines.
        listed: As of `lines_of`.
        goal: A fact that says when it is done: the body is repeated until it holds, or has grown by `count`
            where it is carried. Empty: the body is done once.
        upkeep: Whether each pass begins with staying alive.
    """
    said = ["api: API"]
    ordered = sorted(parameters, key=lambda n: parameters[n].default is not None)
    for name in ordered:
        known = parameters[name]
        default = "" if known.default is None else f" = {known.default!r}"
        said.append(f"{name}: {known.type}{default}")
    first = what.splitlines()[0].replace('"', "'").replace("\\", "")
    lines = [f"def {function}({', '.join(said)}) -> bool:", f'    """{first}"""']
    if upkeep:
        body = [f"api.{UPKEEP}()", *body]
    if goal:
        lines += [f"    {line}" for line in _until(goal, body, parameters)]
    else:
        lines += [*(f"    {line}" for line in body), "    return True"]
    head = "import re\n\n\n" if listed else ""
    return head + "\n".join(lines) + "\n" + (_DO if listed else "")


def _until(goal: str, body: Sequence[str], parameters: Mapping[str, Parameter]) -> list[str]:
    """Return a loop that does the body until the fact says that it is done."""
    key = goal.replace("[", ".{").replace("]", "}")
    fact = f'f"{key}"' if key != goal else repr(goal)
    if not goal.startswith("inventory"):
        test, start = f"api.facts().get({fact})", []
    else:
        wanted = "count" if "count" in parameters else "1"
        test = f"api.facts().get({fact}, 0) - start >= {wanted}"
        start = [f"start = api.facts().get({fact}, 0)"]
    passes = f"{PASSES} * count" if "count" in parameters else str(PASSES)
    return [
        *start,
        f"for _ in range({passes}):",
        *(f"    {line}" for line in body),
        f"    if {test}:",
        "        return True",
        "return False",
    ]
