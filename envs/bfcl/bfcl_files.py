"""What the package bfcl-eval holds: tasks, ground truth, function documents. Read once, never changed.

Nothing of it is stored here; it stays inside the installed package (Apache-2.0). Knows no running task.
"""

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.resources import files
from typing import Any

from ..errors import EnvironmentFault, LichenError, MissingExtra
from ..tools import ToolSpec

FAMILIES = ("base", "long_context", "miss_func", "miss_param")
API_NAMES = (
    "GorillaFileSystem",
    "MathAPI",
    "MessageAPI",
    "TicketAPI",
    "TradingBot",
    "TravelAPI",
    "TwitterAPI",
    "VehicleControlAPI",
)
"""The APIs of the multi-turn tasks; the package has more, for other parts of the benchmark."""
BROKEN = (ImportError, OSError, AttributeError, KeyError, TypeError, ValueError, SyntaxError)
"""What a package of another form than expected raises while it is read."""


class MissingPackage(MissingExtra):
    """bfcl-eval or what it imports is not installed."""

    def __init__(self, package: str) -> None:
        # Not MissingExtra's own hint: an extra cannot say --no-deps, and bfcl-eval's dependencies are heavy.
        LichenError.__init__(
            self,
            f"BFCL needs the package {package!r}, which is not installed",
            hint="pip install 'lichen[bfcl]' && pip install --no-deps bfcl-eval",
        )


@dataclass(frozen=True)
class GoldCall:
    """A call of the ground truth."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class BfclEntry:
    """One task as the benchmark states it."""

    family: str
    number: int
    messages: tuple[str, ...]
    """What the user says, turn by turn; empty in a turn that only adds functions."""
    classes: tuple[str, ...]
    """The APIs that the task has."""
    start: Mapping[str, Any]
    """API -> the configuration that it starts with; copy it before use."""
    truth: tuple[tuple[GoldCall, ...], ...]
    """The ground truth, turn by turn; empty in a turn that cannot be fulfilled yet."""
    held_out: Mapping[str, int]
    """Function -> the turn it is there from."""


def require() -> None:
    """Check that bfcl-eval and the one package that its APIs import are here.

    Raises:
        MissingPackage: One of them is not installed.
    """
    for package in ("bfcl-eval", "mpmath"):
        try:
            import_module(package.replace("-", "_"))
        except ImportError as error:
            raise MissingPackage(package) from error


@lru_cache
def api_class(name: str) -> type[Any]:
    """Return the class of an API, by its name in the tasks."""
    from bfcl_eval.constants.executable_backend_config import CLASS_FILE_PATH_MAPPING

    found: type[Any] = getattr(import_module(CLASS_FILE_PATH_MAPPING[name]), name)
    return found


@lru_cache
def specs_of(name: str) -> tuple[ToolSpec, ...]:
    """Return the functions of an API as the package documents them."""
    from bfcl_eval.constants.executable_backend_config import MULTI_TURN_FUNC_DOC_FILE_MAPPING

    return tuple(
        ToolSpec(
            name=document["name"],
            description=document["description"],
            parameters=_json_schema(document["parameters"]),
        )
        for document in _lines(f"multi_turn_func_doc/{MULTI_TURN_FUNC_DOC_FILE_MAPPING[name]}")
    )


@lru_cache
def entries(family: str) -> tuple[BfclEntry, ...]:
    """Return the 200 tasks of a family, by number.

    Raises:
        EnvironmentFault: The package does not hold what it should.
    """
    try:
        answers = {
            line["id"]: line["ground_truth"]
            for line in _lines(f"possible_answer/BFCL_v4_multi_turn_{family}.json")
        }
        found = tuple(
            _entry(family, line, answers[line["id"]])
            for line in _lines(f"BFCL_v4_multi_turn_{family}.json")
        )
    except BROKEN as error:
        reason = f"{type(error).__name__}: {error}"
        raise EnvironmentFault(f"the data of bfcl-eval cannot be read: {reason}") from error
    if [entry.number for entry in found] != list(range(200)):
        raise EnvironmentFault(f"bfcl-eval does not hold the 200 tasks of {family}")
    return found


@lru_cache
def new_functions_message() -> str:
    """Return the official words of a turn that adds functions."""
    from bfcl_eval.constants.default_prompts import DEFAULT_USER_PROMPT_FOR_ADDITIONAL_FUNCTION_FC

    return str(DEFAULT_USER_PROMPT_FOR_ADDITIONAL_FUNCTION_FC)


def _lines(name: str) -> Iterator[dict[str, Any]]:
    text = files("bfcl_eval").joinpath("data", name).read_text(encoding="utf-8")
    return (json.loads(line) for line in text.splitlines() if line.strip())


def _entry(family: str, line: dict[str, Any], answer: list[list[str]]) -> BfclEntry:
    classes = tuple(line["involved_classes"])
    methods = {spec.name: getattr(api_class(c), spec.name) for c in classes for spec in specs_of(c)}
    truth = tuple(tuple(_gold_call(text, methods) for text in turn) for turn in answer)
    messages = tuple("\n".join(part["content"] for part in turn) for turn in line["question"])
    if len(messages) != len(truth):
        raise ValueError(f"{line['id']} has not as many turns as its ground truth")
    return BfclEntry(
        family=family,
        number=int(line["id"].rsplit("_", 1)[1]),
        messages=messages,
        classes=classes,
        start=line["initial_config"],
        truth=truth,
        held_out={
            name: _from_turn(name, int(turn), truth)
            for turn, names in line.get("missed_function", {}).items()
            for name in names
        },
    )


def _from_turn(name: str, turn: int, truth: tuple[tuple[GoldCall, ...], ...]) -> int:
    """Return the turn that a function is there from.

    The ground truth of miss_func/49 calls a function before the turn that gives it; the official harness only
    hides held-out functions and would run it. It is there from its first call on, or nobody could win.
    """
    used = [i for i, calls in enumerate(truth) if any(call.name == name for call in calls)]
    return min([turn, *used])


def _gold_call(text: str, methods: Mapping[str, Any]) -> GoldCall:
    node = ast.parse(text.strip(), mode="eval").body
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise ValueError(f"{text} is no call")
    given = [ast.literal_eval(value) for value in node.args]
    named = {str(part.arg): ast.literal_eval(part.value) for part in node.keywords}
    # A place is read by the method's own order: the documents have another one for purchase_insurance.
    bound = inspect.signature(methods[node.func.id]).bind(None, *given, **named).arguments
    return GoldCall(node.func.id, dict(list(bound.items())[1:]))


def _json_schema(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter's document with JSON Schema's names of types (dict -> object, float -> number)."""
    from bfcl_eval.constants.type_mappings import GORILLA_TO_OPENAPI

    made = dict(part)
    if "type" in made:
        made["type"] = GORILLA_TO_OPENAPI[made["type"]]
    if "items" in made:
        made["items"] = _json_schema(made["items"])
    if "properties" in made:
        made["properties"] = {key: _json_schema(value) for key, value in made["properties"].items()}
    return made
