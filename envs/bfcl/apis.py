"""The running APIs of a task: made, called, written as text. Knows no turns and no ground truth.

Arguments are values, read by `read_call`; nothing here evaluates text.
"""

import copy
import decimal
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import EnvironmentFault
from .bfcl_files import BROKEN, BfclEntry, api_class, specs_of

Apis = dict[str, Any]
"""Name of an API -> its object, in the task's order."""

LIMIT = 1000
SIZES = ("exponent", "precision", "decimal_places")
"""Parameters of the MathAPI whose value is how much it computes: a large one would stop the process."""
UNORDERED = "Invalid fields for update: "
"""The one result that lists a set, whose order changes from process to process."""


@dataclass(frozen=True)
class Result:
    """What a call gave."""

    text: str
    """As the official harness writes it."""
    error: str = ""
    """Why it did nothing; empty when it worked."""


def load(entry: BfclEntry) -> Apis:
    """Return the task's APIs at their start.

    Raises:
        EnvironmentFault: The package is not of the form that this adapter knows.
    """
    try:
        from bfcl_eval.constants.executable_backend_config import STATELESS_CLASSES

        made = {}
        for name in entry.classes:
            api = api_class(name)()
            if name not in STATELESS_CLASSES:
                start = copy.deepcopy(entry.start.get(name, {}))
                api._load_scenario(start, long_context=entry.family == "long_context")
            # Again a copy: the long scenarios put records of the module itself into the object, and a call
            # that changes one would change it for every later task.
            made[name] = copy.deepcopy(api)
    except BROKEN as error:
        reason = f"{type(error).__name__}: {error}"
        raise EnvironmentFault(
            f"bfcl-eval cannot start {entry.family}/{entry.number}: {reason}"
        ) from error
    return made


def run(apis: Apis, name: str, arguments: Mapping[str, Any]) -> Result:
    """Return what the function gives; what it raises is a result too, as in the official harness."""
    import mpmath

    for key in SIZES:
        value = arguments.get(key)
        if isinstance(value, int | float) and abs(value) > LIMIT:
            said = f"{key!r} must be between -{LIMIT} and {LIMIT}"
            return Result(f"Error during execution: {said}", said)
    method = next(
        getattr(api, name)
        for owner, api in apis.items()
        if any(spec.name == name for spec in specs_of(owner))
    )
    try:
        # The MathAPI sets the precision of the whole process; here it lasts as long as the call.
        with decimal.localcontext(), mpmath.workdps(mpmath.mp.dps):
            # A copy: the APIs keep lists that they are given, and change them later.
            returned = method(**copy.deepcopy(dict(arguments)))
            if isinstance(returned, dict) and str(returned.get("error")).startswith(UNORDERED):
                fields = str(returned["error"]).removeprefix(UNORDERED).split(", ")
                returned = {"error": UNORDERED + ", ".join(sorted(fields))}
            text = _written(returned)
    except RecursionError:  # a folder copied into itself: Python's words depend on the caller
        said = "maximum recursion depth exceeded"
        return Result(f"Error during execution: {said}", said)
    except Exception as error:  # they raise in any class, for arguments that they did not expect
        said = " ".join(str(error).split()) or type(error).__name__
        return Result(f"Error during execution: {error}", said)
    return Result(text, _error_in(returned))


def _error_in(returned: object) -> str:
    """Return the error that a result is; three functions put theirs into a list."""
    first = returned[0] if isinstance(returned, list) and returned else returned
    if isinstance(first, dict) and "error" in first:
        return str(first["error"]) or "the function gave an error"
    said = first is not returned and isinstance(first, str) and first.startswith("Error: ")
    return str(first).removeprefix("Error: ") if said else ""


def _written(returned: object) -> str:
    """Return a result as the official harness writes it; the judge compares these texts."""
    if isinstance(returned, str):
        return returned
    if isinstance(returned, dict):
        try:
            return json.dumps(returned)
        except (TypeError, ValueError):
            return str(returned)
    return str(returned)
