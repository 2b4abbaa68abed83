"""A skill as a form: every part a text field, read from a skill, from what a browser sent, and back.

What was typed is kept as it was typed, so that a form that is refused is shown again whole.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from .....envs.errors import UsageError
from .....envs.shown_text import shown
from .....skills.folder import body_of
from .....skills.typed_value import typed_value
from .....skills.types import Contract, Parameter, Skill, SkillTest

_MOST = 500
"""Rows of a list that a form may send."""


@dataclass
class ParameterRow:
    """One parameter as text."""

    name: str = ""
    type: str = "str"
    choices: str = ""
    min: str = ""
    max: str = ""
    default: str = ""
    about: str = ""


@dataclass
class TestRow:
    """One test as text."""

    __test__ = False  # for pytest: it is no test class

    name: str = ""
    task: str = ""
    arguments: str = "{}"
    setup: str = ""
    seed: str = "0"
    origin: str = ""
    goal: str = ""


@dataclass
class SkillForm:
    """All fields of the editor."""

    description: str = ""
    body: str = ""
    code: str = ""
    preconditions: str = ""
    postconditions: str = ""
    capabilities: str = ""
    parameters: list[ParameterRow] = field(default_factory=list)
    tests: list[TestRow] = field(default_factory=list)

    @classmethod
    def of(cls, skill: Skill) -> "SkillForm":
        """Return the form that shows a skill."""
        contract = skill.contract
        return cls(
            description=_plain(skill.description),
            body=_plain(skill.body),
            code=_plain(skill.code),
            preconditions="\n".join(contract.preconditions),
            postconditions="\n".join(contract.postconditions),
            capabilities=", ".join(contract.capabilities),
            parameters=[_row(name, held) for name, held in contract.parameters.items()],
            tests=[
                TestRow(
                    name=test.name,
                    task=test.task_id,
                    arguments=json.dumps(dict(test.arguments), ensure_ascii=False),
                    setup="\n".join(test.setup),
                    seed=str(test.seed),
                    origin="yes" if test.origin else "",
                    goal=test.goal,
                )
                for test in skill.tests
            ],
        )

    @classmethod
    def read(cls, sent: Mapping[str, Any]) -> "SkillForm":
        """Return the form that a browser sent; rows that are empty or marked `gone` are left out."""
        given = {key: _plain(value) for key, value in sent.items() if isinstance(value, str)}
        return cls(
            **{
                name: given.get(name, "")
                for name in (
                    *("description", "body", "code"),
                    *("preconditions", "postconditions", "capabilities"),
                )
            },
            parameters=[ParameterRow(**row) for row in _rows(given, "parameter", ParameterRow)],
            tests=[TestRow(**row) for row in _rows(given, "test", TestRow)],
        )

    def skill(self, base: Skill) -> Skill:
        """Return the skill that the form says.

        Args:
            base: Which skill was shown: its name, environment and other files stay.

        Raises:
            UsageError: A field is not what it should be; the sentence names it.
        """
        try:
            contract = Contract(
                **{
                    **{n: getattr(base.contract, n) for n in Contract.model_fields},
                    "parameters": {row.name: _parameter(row) for row in self.parameters},
                    "preconditions": _lines(self.preconditions, base.contract.preconditions),
                    "postconditions": _lines(self.postconditions, base.contract.postconditions),
                    "capabilities": tuple(self.capabilities.replace(",", " ").split()),
                }
            )
            if len(contract.parameters) < len(self.parameters):
                raise UsageError("two parameters have the same name")
            tests = tuple(map(_test, self.tests))
            if len({test.name for test in tests}) < len(tests):
                raise UsageError("two tests have the same name")
            return Skill(
                **{
                    **{n: getattr(base, n) for n in Skill.model_fields},
                    "description": _typed(self.description, base.description).strip(),
                    "body": "" if self._says_by_itself(base) else _typed(self.body, base.body),
                    "code": _typed(self.code, base.code),
                    "contract": contract,
                    "tests": tests,
                }
            )
        except ValidationError as error:
            raise UsageError(_said(error)) from error

    def _says_by_itself(self, base: Skill) -> bool:
        """Return whether SKILL.md is what is made of contract and description, and so is made anew."""
        made = body_of(base).strip()
        return base.body.strip() == made and _plain(self.body).strip() == shown(made)


def _parameter(row: ParameterRow) -> Parameter:
    what = f"the parameter {row.name!r}"
    if not row.name.isidentifier():
        raise UsageError(f"{what} has no name that Python takes")
    choices: Sequence[Any] | None = None
    if row.choices.strip():
        if row.choices.strip().startswith("["):
            try:
                choices = json.loads(row.choices)
            except ValueError as error:
                raise UsageError(f"the choices of {what} are no list: {error}") from error
        else:
            choices = [typed_value(one, row.type, what) for one in row.choices.split(",")]
    bounds = {
        n: typed_value(v, "float", f"{n} of {what}")
        for n in ("min", "max")
        if (v := getattr(row, n).strip())
    }
    default = (
        typed_value(row.default, row.type, f"the default of {what}")
        if row.default.strip()
        else None
    )
    try:
        return Parameter(
            type=row.type,  # type: ignore[arg-type]  # pydantic says what is no type
            choices=None if choices is None else tuple(choices),
            default=default,
            about=row.about.strip(),
            **bounds,
        )
    except ValidationError as error:
        raise UsageError(f"{what}: {_said(error)}") from error


def _test(row: TestRow) -> SkillTest:
    what = f"the test {row.name!r}"
    try:
        arguments = json.loads(row.arguments or "{}")
    except ValueError as error:
        raise UsageError(f"the arguments of {what} are no JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise UsageError(f'the arguments of {what} are no {{"NAME": VALUE}}')
    try:
        return SkillTest(
            name=row.name.strip(),
            task_id=row.task.strip(),
            seed=typed_value(row.seed or "0", "int", f"the seed of {what}"),
            setup=_lines(row.setup, ()),
            arguments=arguments,
            origin=bool(row.origin),
            goal=row.goal.strip(),
        )
    except ValidationError as error:
        raise UsageError(f"{what}: {_said(error)}") from error


def _row(name: str, held: Parameter) -> ParameterRow:
    choices = ""
    if held.choices is not None:
        said = [_value(one) for one in held.choices]
        odd = any("," in one or one.startswith(("[", '"')) for one in said) or not said
        choices = json.dumps(held.choices, ensure_ascii=False) if odd else ", ".join(said)
    return ParameterRow(
        name=name,
        type=held.type,
        choices=choices,
        min="" if held.min is None else f"{held.min:g}",
        max="" if held.max is None else f"{held.max:g}",
        default="" if held.default is None else _value(held.default),
        about=held.about,
    )


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    odd = isinstance(value, str) and (text != text.strip() or not text or text[:1] == '"')
    return json.dumps(text, ensure_ascii=False) if odd else text


def _rows(sent: Mapping[str, str], prefix: str, kind: type) -> list[dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    names = set(kind.__dataclass_fields__)  # type: ignore[attr-defined]
    for key, value in sent.items():
        head, _, rest = key.partition("-")
        number, _, name = rest.partition("-")
        if (
            head == prefix
            and number.isdecimal()
            and int(number) < _MOST
            and name in {*names, "gone"}
        ):
            found.setdefault(int(number), {})[name] = value
    kept = []
    for _, row in sorted(found.items()):
        if not row.pop("gone", "") and row.get("name", "").strip():
            kept.append({**row, "name": row["name"].strip()})
    return kept


def _lines(text: str, base: Sequence[str]) -> tuple[str, ...]:
    if text == "\n".join(map(shown, base)):
        return tuple(base)
    return tuple(line for line in text.split("\n") if line.strip())


def _typed(text: str, base: str) -> str:
    """Return what was typed; where it is what was shown, what was shown: escapes in it stand for themselves."""
    return base if text.rstrip() == shown(_plain(base)).rstrip() else text


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")


def _said(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else str(first["msg"])
