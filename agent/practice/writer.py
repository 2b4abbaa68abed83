"""The action writer: a model writes a skill's code from task, state, skills, last code, error and critique.

Each round is told only what the last one came to (VOYAGER's `action.py`). Answers about how something is done
are asked once and kept; a question like an earlier one gets its answer.
"""

import ast
import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...envs.base import Environment
from ...envs.types import Fact, Record
from ...memory.embedder import Embedder
from ...skills.lint import calls_of, capabilities_of, repinned
from ...skills.types import Contract, Parameter, Skill, function_name, split_id
from ..llm.errors import LLMNonsense
from ..llm.protocol import FrozenLLM, Message
from ..prompting import render
from .curriculum import shown_facts

_FENCED = re.compile(r"```(?:python|py)?\s*\n(.*?)(?:```|\Z)", re.DOTALL)
_TYPES = {"int", "float", "str", "bool"}


class Round(Record):
    """What one round came to, for the next."""

    code: str
    feedback: str
    """What happened: the error with its line, or what changed and what did not."""
    critique: str = ""


class AnswerCache:
    """Answers to questions, kept in a file; a question near an earlier one gets its answer.

    Args:
        path: JSON file.
        embedder: Of questions.
        near: Cosine distance below which two questions are one (VOYAGER: 0.05).
    """

    def __init__(self, path: Path, embedder: Embedder, *, near: float = 0.05) -> None:
        self._path, self._embedder, self._near = path, embedder, near
        self._known: dict[str, str] = {}
        if path.exists():
            self._known = json.loads(path.read_text(encoding="utf-8"))

    def get(self, question: str) -> str | None:
        """Return the answer to this question or one like it, None when there is none."""
        if question in self._known:
            return self._known[question]
        if not self._known:
            return None
        questions = list(self._known)
        vectors = self._embedder.encode([question, *questions])
        near = vectors[1:] @ vectors[0]
        best = int(near.argmax())
        return self._known[questions[best]] if 1 - float(near[best]) < self._near else None

    def put(self, question: str, answer: str) -> None:
        """Keep an answer."""
        self._known[question] = answer
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(self._known, indent=1, ensure_ascii=False), encoding="utf-8")
        new.replace(self._path)


class ActionWriter:
    """Writes skills with a frozen model.

    Args:
        llm: The model.
        answers: Of questions; None asks none.
        max_tokens: Of an answer.
    """

    def __init__(
        self, llm: FrozenLLM, answers: AnswerCache | None = None, *, max_tokens: int = 400
    ) -> None:
        self.llm, self._answers, self._most = llm, answers, max_tokens

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
            answer=await self._answer(environment.name, goal, state, skills),
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

    async def _answer(self, env: str, goal: str, state: str, skills: Sequence[Skill]) -> str:
        if self._answers is None:
            return ""
        question = f"How to {goal.rstrip('.').lower()} in {env}?"
        known = self._answers.get(question)
        if known is None:
            prompt = render(
                "question",
                env=env,
                goal=goal,
                state=state,
                skills=", ".join(s.name for s in skills) or "none",
            )
            said = await self.llm.chat([Message(role="user", content=prompt)], max_tokens=80)
            known = " ".join(said.split())[:400]
            self._answers.put(question, known)
        return known


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
