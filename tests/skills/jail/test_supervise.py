"""The broker: slow environments and interrupts are not the skill's."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from lichen.skills.jail import (
    JSON,
    Jail,
    Limits,
    Program,
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


def test_a_slow_environment_is_not_charged_to_the_skill(jail: Jail) -> None:
    def serve(method: str, args: tuple[JSON, ...], kwargs: Mapping[str, JSON]) -> JSON:
        time.sleep(0.8)
        return 1

    ran = jail.run(program("def go(api): return api.look()\n"), {}, serve, Limits(seconds=0.5))
    assert (ran.end, ran.value) == ("returned", 1)


def test_an_interrupt_of_the_broker_goes_on_and_the_child_is_gone(jail: Jail) -> None:
    pids: list[int] = []

    def serve(method: str, args: tuple[JSON, ...], kwargs: Mapping[str, JSON]) -> JSON:
        pids.append(int(str(args[0])))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jail.run(program("import os\ndef go(api): api.look(os.getpid())\n"), {}, serve)
    assert not Path(f"/proc/{pids[0]}").exists()
