"""The action writer: a model writes a skill's code from task, state, skills, last code, error and critique.

Each round is told only what the last one came to (VOYAGER's `action.py`), and the answers to a few questions
about the goal (see `answers`).
"""

import ast
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...envs.base import Environment
from ...envs.types import Fact, Record
from ...skills.lint import calls_of, capabilities_of, repinned
from ...skills.types import Contract, Parameter, Skill, function_name, split_id
from ..llm.errors import LLMNonsense
from ..llm.protocol import FrozenLLM, Message
from ..prompts.rendering import render
from .answers import Answers
from .curriculum import shown_facts

_FENCED = re.compile(r"```(?:python|py)?\s*\n(.*?)(?:```|\Z)", re.DOTALL)
_TYPES = {"int", "float", "str", "bool"}


class Round(Record):
    """What one round came to, for the next."""

    code: str
    feedback: str
    """What happened: the error with its line, or what changed and what did not."""
    critique: str = ""


class ActionWriter:
    """Writes skills with a frozen model.

    Args:
        llm: The model.
        answers: To questions about the goal, asked before its first round; None asks none.
        max_tokens: Of an answer.
    """

    def __init__(
        self, llm: FrozenLLM, answers: Answers | None = None, *, max_tokens: int = 400
    ) -> None:
        self.llm, self.answers, self._most = llm, answers, max_tokens

    async def write(
        self,
        fact: str,
        goal: str,
        environment: Environment,
        now: Mapping[str, Fact],
        skills: Sequence[Skill],
        last: Round | None = None,
        *,
        completed: int = 0,
    ) -> Skill:
        """Return a candidate that should bring a fact about.

        Args:
            fact: That has to hold; it becomes the postcondition.
            goal: The same in words.
            environment: Whose API there is.
            now: What holds.
            skills: Retrieved ones.
            last: The round before.
            completed: Goals completed so far; for the warm-up.

        Raises:
            ValueError: The answer holds no function that could be one; the sentence says why.
        """
        name = fact.rpartition(".")[2].replace("_", "-")
        state = _said(shown_facts(now, completed))
        prompt = render(
            "write",
            env=environment.name,
            goal=goal,
            state=state,
            methods=documented(environment.api()),
            skills=[
                f"{s.signature().replace(s.name, s.id, 1)}: {s.description[:160]}" for s in skills
            ],
            answers=await self.answers.about(environment.name, goal, now, state, skills)
            if self.answers is not None
            else [],
            last_code=last.code if last else "",
            feedback=last.feedback if last else "",
            critique=last.critique if last else "",
            function=function_name(name),
        )
        said = await self.llm.chat([Message(role="user", content=prompt)], max_tokens=self._most)
        return candidate_of(said, name, fact, goal, environment.name, {s.name: s for s in skills})

    async def criticise(self, goal: str, feedback: str, now: Mapping[str, Fact]) -> str:
        """Return one sentence about what to do differently; empty when the model says nothing."""
        prompt = render("critique", goal=goal, feedback=feedback, state=_said(shown_facts(now, 99)))
        try:
            said = await self.llm.chat([Message(role="user", content=prompt)], max_tokens=60)
        except LLMNonsense:
            return ""
        return " ".join(said.split())[:300]


def candidate_of(
    said: str, name: str, fact: str, goal: str, env: str, skills: Mapping[str, Skill]
) -> Skill:
    """Return the skill in a model's answer.

    Args:
        said: The answer; code between fences, or all of it.
        name: Of the skill.
        fact: Its postcondition.
        goal: In words.
        env: The environment.
        skills: That it may call; a call without a version is pinned to the one there is.

    Raises:
        ValueError: There is no such function.
    """
    fenced = _FENCED.search(said)
    code = (fenced.group(1) if fenced else said).strip() + "\n"
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.msg}") from error
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if not functions:
        raise ValueError("the answer holds no function")
    main = next((f for f in functions if f.name == function_name(name)), functions[-1])
    main.name = function_name(name)
    for other in functions:
        if other is not main and not other.name.startswith("_"):
            raise ValueError(f"{other.name} has to begin with _: only {main.name} is public")
    parameters = _parameters(main)
    code = ast.unparse(tree) + "\n"
    code = repinned(_versioned(code, skills), {n: s.contract.version for n, s in skills.items()})
    wider = {c for n in _called(code) if n in skills for c in skills[n].contract.capabilities}
    first = ast.get_docstring(main) or goal
    return Skill(
        name=name,
        description=f"{goal} {first}"[:1024],
        code=code,
        contract=Contract(
            env=env,
            parameters=parameters,
            postconditions=(fact,),
            capabilities=tuple(capabilities_of(code) | wider),
            maker="agent",
        ),
    )


def documented(api: Mapping[str, Callable[..., Any]]) -> list[str]:
    """Return one line a method: how it is called and what it does."""
    found = []
    for name, method in api.items():
        said = (inspect.getdoc(method) or "").split("\n")[0]
        found.append(f"api.{name}{inspect.signature(method)}: {said}")
    return found


def _parameters(function: ast.FunctionDef) -> dict[str, Parameter]:
    found = {}
    named = function.args.args[1:]
    defaults: list[Any] = [None] * (len(named) - len(function.args.defaults))
    defaults += function.args.defaults
    for argument, default in zip(named, defaults[-len(named) :] if named else [], strict=True):
        kind = ast.unparse(argument.annotation) if argument.annotation else ""
        value = default.value if isinstance(default, ast.Constant) else None
        if kind not in _TYPES:
            kind = type(value).__name__
        if kind not in _TYPES:
            raise ValueError(f"the parameter {argument.arg} needs a type: int, float, str or bool")
        argument.annotation = ast.Name(id=kind, ctx=ast.Load())
        found[argument.arg] = Parameter(type=kind, default=value)  # type: ignore[arg-type]
    return found


def _called(code: str) -> set[str]:
    return {split_id(called)[0] for called in calls_of(code)}


def _versioned(code: str, skills: Mapping[str, Skill]) -> str:
    for called in calls_of(code):
        plain, version = split_id(called)
        if version is None and plain in skills:
            code = code.replace(repr(called), repr(skills[plain].id))
    return code


def _said(facts: Mapping[str, Fact]) -> str:
    return ", ".join(f"{k} {v}" for k, v in list(facts.items())[:40]) or "nothing special"
