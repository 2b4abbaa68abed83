"""Environments by name: short names, other packages' entry points, or a dotted path."""

from importlib import import_module
from importlib.metadata import entry_points
from inspect import Parameter, signature
from typing import Any

from .base import Environment
from .errors import UnknownName, UsageError

BUILT_IN = {
    "twx": "lichen.envs.textworld_express:TextWorldExpress",
    "scienceworld": "lichen.envs.scienceworld:ScienceWorld",
    "alfworld": "lichen.envs.alfworld:AlfWorld",
    "alfworld-mini": "lichen.envs.alfworld:AlfWorldMini",
    "bfcl": "lichen.envs.bfcl:BFCL",
    "crafter": "lichen.envs.crafter:Crafter",
    "poker": "lichen.envs.poker:Poker",
    "support": "lichen.envs.support:Support",
    "textcraft": "lichen.envs.textcraft:TextCraft",
}
ALIASES = {"textworld_express": "twx", "textworld-express": "twx"}
GROUP = "lichen.envs"


def names() -> tuple[str, ...]:
    """Return all registered names, sorted."""
    return tuple(sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))}))


def make(name: str, **options: Any) -> Environment:
    """Return a new environment.

    Args:
        name: A registered name, or `package.module:Class`.
        options: For its constructor.

    Raises:
        UnknownName: Nothing is registered under the name.
        MissingExtra: The benchmark's package is not installed.
        UsageError: The environment has no such option.
    """
    made = _find(ALIASES.get(name, name))
    accepted = signature(made).parameters
    free = any(p.kind is Parameter.VAR_KEYWORD for p in accepted.values())
    for option in options:
        if option not in accepted and not free:
            known = ", ".join(accepted) or "none"
            raise UsageError(f"environment {name!r} has no option {option!r}; it has: {known}")
    environment: Environment = made(**options)
    return environment


def located(task_id: str) -> tuple[str, str]:
    """Return the environment of a task id, and the id in it; `pkg.module:Class/train/3` names a class by path.

    Raises:
        UnknownName: Nothing is there under the path.

    >>> located("twx/mapreader/test/3")
    ('twx', 'twx/mapreader/test/3')
    """
    name, _, rest = task_id.partition("/")
    if ":" not in name:
        return name, task_id
    return name, f"{_find(name).name}/{rest}"


def _find(name: str) -> Any:
    path = BUILT_IN.get(name)
    if path is None:
        for point in entry_points(group=GROUP):
            if point.name == name:
                return point.load()
        path = name
    module, colon, attribute = path.partition(":")
    if not colon:
        raise UnknownName("environment", name, names(), hint="`lichen envs list` lists them.")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UnknownName("environment", name, names()) from error
