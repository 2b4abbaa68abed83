"""Without a wall the jail does not open."""

from collections.abc import Iterator, Mapping

import pytest

from lichen.envs.errors import UnknownName
from lichen.skills.jail import (
    JSON,
    Jail,
    JailUnavailable,
    Program,
    layers,
    open_jail,
)


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with open_jail() as opened:
        yield opened


def program(body: str, api: tuple[str, ...] = ("look",), **others: str) -> Program:
    """Return a program whose entry `go@1` has a body; `name__version` makes other skills."""
    modules = {"go@1": body}
    modules |= {name.replace("__", "@"): source for name, source in others.items()}
    functions = {name: name.split("@")[0] for name in modules}
    return Program(entry="go@1", modules=modules, functions=functions, api=api)


def echo(method: str, args: tuple[JSON, ...], kwargs: Mapping[str, JSON]) -> JSON:
    return [method, list(args), dict(kwargs)]


@pytest.mark.parametrize("wall", ["rlimits", "identity", "no_new_privs", "landlock", "seccomp"])
def test_without_a_wall_the_jail_does_not_open_and_nothing_weaker_is_taken(wall: str) -> None:
    with pytest.raises(JailUnavailable, match=f"not every wall of the jail: {wall}"):
        open_jail(missing=(wall,))
    found = {layer.name: layer for layer in layers(missing=(wall,))}
    assert not found[wall].present and not found["level kernel"].present
    with open_jail("none", missing=("landlock",)) as named:
        assert named.run(program("def go(api): return 1\n"), {}, echo).level == "none"


def test_an_unknown_level_is_named_and_a_child_that_cannot_start_is_no_jail() -> None:
    with pytest.raises(UnknownName, match="did you mean 'kernel'"):
        open_jail("kernal")
    with pytest.raises(JailUnavailable, match="no_such_module"):
        open_jail(modules=("no_such_module",))
