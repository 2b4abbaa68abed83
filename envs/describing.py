"""What can be a tool, and its contract: functions, methods, partials, callable objects, LangChain tools."""

import functools
import inspect
import keyword
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, validate_call
from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation

from .errors import UsageError

_NO_SCHEMA = (
    PydanticSchemaGenerationError,
    PydanticUndefinedAnnotation,
    PydanticUserError,
    NameError,
    TypeError,
)


class Described(NamedTuple):
    """A tool as it is called; what has a contract of its own (an MCP tool) can be given as one to `Tool`."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON Schema."""
    call: Callable[..., Any]
    """Takes the arguments by name; checks them."""


def tool_name(name: str) -> str:
    """Return a name of somebody else's as a tool can have it: calls are written in Python's form.

    >>> tool_name("get-weather"), tool_name("2nd.try"), tool_name("finish")
    ('get_weather', 'tool_2nd_try', 'tool_finish')
    """
    plain = re.sub(r"\W", "_", name)
    if not plain.isidentifier() or keyword.iskeyword(plain) or plain == "finish":
        plain = f"tool_{plain}"
    return plain


def described(function: Any, name: str = "") -> Described:
    """Return what a thing is as a tool.

    Args:
        function: A function (also async or a generator), method, partial, object with `__call__`, LangChain
            tool, or one described already.
        name: Of the tool; the function's own when empty.

    Raises:
        UsageError: It can be no tool; the sentence names the parameter.
    """
    if isinstance(function, Described):
        return function._replace(name=name or function.name)
    if _is_langchain(function):
        return _of_langchain(function, name)
    if isinstance(function, type) or not callable(function):
        what = "a class" if isinstance(function, type) else f"a {type(function).__name__}"
        raise UsageError(
            f"{getattr(function, '__name__', function)!r} is {what} and can be no tool",
            hint="Give a function, or an object's method.",
        )
    name = name or _name_of(function)
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} is no name for a tool",
            hint="Give a named function, or Tool(..., name=NAME).",
        )
    called = function if inspect.isroutine(function) or _is_partial(function) else function.__call__
    called = _unwrapped(called)
    _check_parameters(name, called)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(cast(Any, called))
        schema = adapter.json_schema(mode="validation")
        checked = validate_call(config=ConfigDict(arbitrary_types_allowed=False))(called)
    except _NO_SCHEMA as error:
        raise _undescribable(name, called, error) from error
    schema.pop("additionalProperties", None)
    return Described(name, _said(function), {"properties": {}, **schema}, checked)


def _name_of(function: Any) -> str:
    if _is_partial(function):
        return _name_of(function.func)
    own = getattr(function, "__name__", "")
    return own or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(function).__name__).lower()


def _said(function: Any) -> str:
    if _is_partial(function):
        return _said(function.func)
    said = inspect.getdoc(function)
    if not inspect.isroutine(
        function
    ):  # the class says what its instances do, or their method does
        said = inspect.getdoc(type(function).__call__) or said
        if said == inspect.getdoc(type.__call__):
            said = inspect.getdoc(type(function))
    return (said or "").strip()


def _unwrapped(called: Any) -> Any:
    """Return a function where something that is none is wrapped around one, as `functools.cache` does."""
    if inspect.isfunction(called) or inspect.ismethod(called) or not hasattr(called, "__wrapped__"):
        return called

    @functools.wraps(called)
    def plain(*args: Any, **kwargs: Any) -> Any:
        return called(*args, **kwargs)

    return plain


def _is_partial(function: Any) -> bool:
    return isinstance(function, functools.partial)


def _check_parameters(name: str, function: Callable[..., Any]) -> None:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError) as error:
        raise UsageError(f"tool {name!r}: its signature cannot be read") from error
    for number, parameter in enumerate(parameters):
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise UsageError(
                f"tool {name!r}: the parameter {parameter} cannot be described",
                hint="Give every parameter a name that it is called by.",
            )
        if number == 0 and parameter.name in ("self", "cls"):
            raise UsageError(
                f"tool {name!r}: the parameter {parameter.name!r} is open; give the method of an object"
            )


def _undescribable(name: str, function: Callable[..., Any], error: Exception) -> UsageError:
    """Return the sentence that names the parameter of which there is no JSON Schema."""
    hint = "Give it a type that JSON has (or a pydantic model), or bind it with functools.partial."
    try:
        parameters = inspect.signature(function, eval_str=True).parameters.values()
    except Exception:
        parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.annotation is parameter.empty:
            continue
        try:
            TypeAdapter(parameter.annotation).json_schema()
        except Exception:
            return UsageError(
                f"tool {name!r}: the parameter {str(parameter)!r} cannot be described", hint=hint
            )
    said = str(error).splitlines()[0]
    return UsageError(f"tool {name!r} cannot be described: {said}", hint=hint)


def _is_langchain(function: Any) -> bool:
    tools = sys.modules.get("langchain_core.tools")  # whoever has such a tool has imported it
    return tools is not None and isinstance(function, tools.BaseTool)


def _of_langchain(tool: Any, name: str) -> Described:
    """Return a LangChain tool as a tool; it checks its arguments itself."""
    from .awaiting import awaited

    form = tool.tool_call_schema
    schema = dict(form) if isinstance(form, Mapping) else form.model_json_schema()
    for word in ("title", "description", "additionalProperties"):
        schema.pop(word, None)
    alone = getattr(tool, "coroutine", None) is not None and getattr(tool, "func", None) is None

    def call(**arguments: Any) -> Any:
        if alone:
            return awaited(tool.ainvoke(arguments))
        try:
            return tool.invoke(arguments)
        except NotImplementedError:
            return awaited(tool.ainvoke(arguments))

    name = re.sub(r"\W", "_", name or tool.name)
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(f"{name!r} is no name for a tool", hint="Give Tool(..., name=NAME).")
    return Described(name, str(tool.description or "").strip(), schema, call)
