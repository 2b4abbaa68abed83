"""Tools: what can be called, with which arguments, and how a call is written as an action.

A tool is an action of an environment or a Python function (`Tool`, whose arguments pydantic checks). Its
contract is its name, its parameters and its version; `schema_hash` names the contract, so that memory knows
which of its items were made under which. MCP tools fit the same records.
"""

import ast
import hashlib
import json
import keyword
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from unicodedata import normalize

from pydantic import Field, ValidationError

from .describing import described
from .errors import LichenError, UsageError
from .results import result_text
from .schemas import misfit, resolved
from .text import whole, whole_values
from .time_out import OutOfTime, within
from .types import Record


class ToolSpec(Record):
    """The contract of a tool."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})
    """JSON Schema of the arguments, an object; its properties in their order."""
    version: str = "1"
    always: bool = False
    """Whether it may be right whatever the task says, as to end a turn; no part of the contract."""
    said: bool = False
    """Whether a model's plain words are a call of it, as its one argument; no part of the contract."""

    @property
    def schema_hash(self) -> str:
        """16 hex digits over name, parameters and version; the words of the descriptions do not count."""
        bare = json.dumps([self.name, _undescribed(self.parameters), self.version], sort_keys=True)
        return hashlib.sha256(bare.encode()).hexdigest()[:16]

    @property
    def properties(self) -> dict[str, dict[str, Any]]:
        """Name -> schema of every parameter, in order; references are put in their places."""
        found: dict[str, dict[str, Any]] = self.parameters.get("properties", {})
        refers = "$defs" in self.parameters or "definitions" in self.parameters
        return resolved(found, self.parameters) if refers else found

    @property
    def plain(self) -> dict[str, Any]:
        """The schema of the arguments, whole, without references."""
        found: dict[str, Any] = resolved(self.parameters, self.parameters)
        return {"type": "object", "properties": {}, **found}

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the parameters that a call must give."""
        return tuple(self.parameters.get("required", ()))


class Call(Record):
    """One call of a tool, as memory keeps it."""

    tool: str
    version: str
    schema_hash: str
    arguments: dict[str, Any] = Field(default_factory=dict)


def _undescribed(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: _undescribed(part)
            for key, part in schema.items()
            # inside `properties` a key is a parameter's name, also when it is called "description"
            if key not in ("description", "title") or isinstance(part, dict)
        }
    return [_undescribed(part) for part in schema] if isinstance(schema, list) else schema


def write_call(name: str, arguments: Mapping[str, Any]) -> str:
    """Return a call as an action: Python's form with keywords; names that Python does not take in `**{}`.

    >>> write_call("cd", {"folder": "documents"})
    "cd(folder='documents')"
    """
    plain = {key: value for key, value in arguments.items() if _is_keyword(key)}
    said = [f"{key}={value!r}" for key, value in plain.items()]
    if odd := {key: value for key, value in arguments.items() if key not in plain}:
        said.append(f"**{odd!r}")
    return f"{name}({', '.join(said)})"


def _is_keyword(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and normalize("NFKC", name) == name


def read_call(action: str, specs: Sequence[ToolSpec]) -> Call:
    """Return the call that an action writes. Arguments are literals; a place names its parameter by order.

    Raises:
        UsageError: It is no call of one of the tools; the sentence says why, for the one who wrote it.

    >>> spec = ToolSpec(name="cd", parameters={"type": "object", "properties": {"folder": {"type": "string"}}})
    >>> read_call("cd('documents')", [spec]).arguments
    {'folder': 'documents'}
    """
    try:
        node = ast.parse(action.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        node = None
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise UsageError(f"{_short(action)} is no call", hint="Write NAME(PARAMETER=VALUE, ...).")
    spec = next((spec for spec in specs if spec.name == node.func.id), None)
    if spec is None:
        raise UsageError(f"there is no tool {node.func.id!r} here")
    names = list(spec.properties)
    if len(node.args) > len(names):
        raise UsageError(f"{spec.name} takes {len(names)} arguments, {len(node.args)} were given")
    arguments: dict[str, Any] = {}
    try:
        for name, value in zip(names, node.args, strict=False):
            arguments[name] = ast.literal_eval(value)
        for given in node.keywords:
            value = ast.literal_eval(given.value)
            for name, held in [(given.arg, value)] if given.arg else list(value.items()):
                if name in arguments:
                    raise UsageError(f"{spec.name}: {name!r} is given twice")
                arguments[name] = held
    except (ValueError, TypeError, AttributeError, RecursionError, MemoryError) as error:
        raise UsageError(f"{spec.name}: an argument is no literal") from error
    if problem := problem_of(spec, arguments):
        raise UsageError(f"{spec.name}: {problem}")
    return call_of(spec, whole_values(arguments))


def rewritten(action: str, specs: Sequence[ToolSpec]) -> str:
    """Return a call in its one form, arguments in the order of the contract; another text as it is.

    >>> spec = ToolSpec(name="f", parameters={"type": "object", "properties": {"a": {}, "b": {}}})
    >>> rewritten("f(b=1, a=2)", [spec]), rewritten("f(", [spec])
    ('f(a=2, b=1)', 'f(')
    """
    try:
        call = read_call(action, specs)
    except UsageError:
        return action
    order = next(list(spec.properties) for spec in specs if spec.name == call.tool)
    given = call.arguments
    return write_call(call.tool, {name: given[name] for name in order if name in given})


def call_of(spec: ToolSpec, arguments: Mapping[str, Any]) -> Call:
    """Return the record of a call under this contract."""
    return Call(
        tool=spec.name,
        version=spec.version,
        schema_hash=spec.schema_hash,
        arguments=dict(arguments),
    )


def problem_of(spec: ToolSpec, arguments: Mapping[str, Any]) -> str:
    """Return what is wrong with the arguments under the contract, an empty text when nothing is.

    Missing and unknown names, and each value as `schemas.misfit` looks at it.
    """
    for name in spec.required:
        if name not in arguments:
            return f"the argument {name!r} is missing"
    for name, value in arguments.items():
        schema = spec.properties.get(name)
        if schema is None:
            return f"there is no argument {name!r}; it has: {', '.join(spec.properties) or 'none'}"
        if problem := misfit(schema, value):
            return f"{name!r} {problem}"
    return ""


def worded_call(env: str, action: str, version: str = "1") -> Call:
    """Return the call that an action in plain words is: its verb is the tool, the rest one argument.

    >>> worded_call("twx", "take map").tool
    'take'
    """
    verb, _, rest = action.strip().partition(" ")
    properties = {"text": {"type": "string"}}
    spec = ToolSpec(
        name=verb or "wait",
        parameters={"type": "object", "properties": properties},
        version=f"{env} {version}",
    )
    return call_of(spec, {"text": rest} if rest else {})


class Tool:
    """A Python function as a tool: its signature is the contract, pydantic checks every call.

    Args:
        function: A function with annotated parameters (async ones are awaited, generators listed), a method, a
            partial, an object that can be called, or a LangChain tool. Its docstring is the description; its
            result is shown as text.
        version: Raise it when the meaning changes and the signature does not.
        name: Of the tool; the function's own when empty.
        idempotent: Calling it twice does no harm: a call that an interruption cut off is made again.
        reconcile: Told the arguments of a call that an interruption cut off; returns what it answered, or None
            when it was not done. Without either such a call is never made again (see `envs.journal`).
        needs_approval: A person is asked before each call (see `envs.approval`).
        outside: Whoever asked makes the calls: an episode stops before each, and goes on with its answer.
        timeout: Seconds after which a call is given up; the agent sees that it is not known whether it was
            done. None: it may take as long as it takes.

    Raises:
        UsageError: It cannot be described (a class, a parameter without a name or of a type that JSON has not).

    >>> def add(a: int, b: int = 1) -> int:
    ...     "Add two numbers."
    ...     return a + b
    >>> Tool(add).spec.required
    ('a',)
    >>> Tool(add).call({"a": 2})
    '3'
    """

    def __init__(
        self,
        function: Any,
        *,
        version: str = "1",
        name: str = "",
        idempotent: bool = False,
        reconcile: Callable[..., str | None] | None = None,
        needs_approval: bool = False,
        outside: bool = False,
        timeout: float | None = None,
    ) -> None:
        self.idempotent, self.reconcile = idempotent, reconcile
        self.needs_approval, self.outside, self._timeout = needs_approval, outside, timeout
        if timeout is not None and timeout <= 0:
            raise UsageError(f"a time-out of {timeout} seconds lets no call end")
        found = described(function, name)
        self.spec = ToolSpec(
            name=found.name,
            description=found.description,
            parameters=found.parameters,
            version=version,
        )
        self._function = found.call

    def call(self, arguments: Mapping[str, Any]) -> str:
        """Return the result as text.

        Raises:
            UsageError: The arguments do not fit, or the function raised; the sentence says which.
        """
        try:
            return within(self._timeout, lambda: result_text(self._function(**arguments)))
        except OutOfTime as error:
            raise UsageError(
                f"{self.spec.name} did not answer within {self._timeout:g} seconds; it is not known "
                "whether it was done"
            ) from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise UsageError(f"{self.spec.name}: {where}: {first['msg']}") from error
        except LichenError as error:
            if error.retryable:  # an outage is not the call's fault
                raise
            raise UsageError(f"{self.spec.name} failed: {error}") from error
        except (Exception, SystemExit) as error:  # a tool does not end its caller's program
            said = whole(f"{type(error).__name__}: {error}")
            raise UsageError(f"{self.spec.name} failed: {said}") from error


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else f"{line[:57]}...")
