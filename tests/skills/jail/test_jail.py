"""The jail: what a program gets, what it cannot reach, how a run ends."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from lichen.envs.errors import EnvironmentFault, EpisodeOver, UsageError
from lichen.skills.jail import (
    JSON,
    Denied,
    Jail,
    Limits,
    Program,
    Stop,
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


def raising(error: BaseException) -> Callable[..., JSON]:

    def serve(*_: Any) -> JSON:
        raise error

    return serve


def test_a_program_gets_its_arguments_and_the_declared_methods_and_returns_a_value(
    jail: Jail,
) -> None:
    body = (
        "import math\n"
        "def go(api: API, kind: Literal['tree'], count: Annotated[int, 1] = 1) -> dict:\n"
        "    print('to', kind)\n"
        "    return {'seen': api.look(kind, [1.5, None], far=True), 'up': math.ceil(count / 2)}\n"
    )
    ran = jail.run(program(body), {"kind": "tree", "count": 3}, echo)
    assert (ran.end, ran.error, ran.calls, ran.level) == ("returned", "", 1, "kernel")
    assert ran.value == {"seen": ["look", ["tree", [1.5, None]], {"far": True}], "up": 2}
    assert ran.output == "to tree\n"


def test_skills_call_each_other_in_names_of_their_own_and_every_call_is_told(jail: Jail) -> None:
    ran = jail.run(
        program(
            "WORD = 'outer'\ndef go(api):\n    n = api.skill('near@3', kind='tree')\n"
            "    try:\n        api.skill('bad@1')\n    except ValueError as error:\n"
            "        return [WORD, n, str(error)]\n",
            near__3="WORD = 'inner'\ndef near(api, kind):\n"
            "    return [WORD, kind, api.skill('deep@1', n=4)]\n",
            deep__1="def deep(api, n):\n    return n * len(api.look())\n",
            bad__1="def bad(api):\n    x = 1\n    raise ValueError('no way')\n",
        ),
        {},
        echo,
    )
    assert ran.value == ["outer", ["inner", "tree", 12], "no way"]
    assert [(i.skill, i.depth, i.value, i.error) for i in ran.trace] == [
        ("near@3", 1, ["inner", "tree", 12], ""),
        ("deep@1", 2, 12, ""),
        ("bad@1", 1, None, "bad@1, line 3: ValueError: no way"),
    ]
    assert ran.trace[0].arguments == {"kind": "tree"}


def test_what_is_not_declared_cannot_be_called_nor_imported_nor_found(jail: Jail) -> None:
    served: list[str] = []

    def serve(method: str, args: tuple[JSON, ...], kwargs: Mapping[str, JSON]) -> JSON:
        served.append(method)
        return None

    for call, said in (
        ("api.fly()", "PermissionError: api.fly is not among the declared capabilities"),
        ("api.skill('other@1')", "LookupError: 'other@1' is not among the skills"),
        ("__import__('socket')", "ModuleNotFoundError"),
    ):
        ran = jail.run(program(f"def go(api):\n    {call}\n"), {}, serve)
        assert ran.end == "raised"
        assert f"go@1, line 2: {said}" in ran.error
    assert served == []


LOOK = "def go(api): api.look()\n"
ENDS = [
    ("raised", "def go(api):\n\n    return {}['x']\n", echo, "go@1, line 3: KeyError: 'x'"),
    ("raised", "def go(api)\n    pass\n", echo, "go@1, line 1: SyntaxError: expected ':'"),
    ("raised", "def went(api): pass\n", echo, "go@1 defines no function 'go'"),
    ("raised", "def go(api): return {1, 2}\n", echo, "go@1 returned what is not plain JSON"),
    ("raised", "def go(api): api.look(float('nan'))\n", echo, "ValueError: api.look: "),
    ("raised", "def go(api): api.skill('go@1')\n", echo, "skills call each other more than 32"),
    ("raised", LOOK, raising(UsageError("no such place")), "line 1: ApiError: no such"),
    ("time", "def go(api):\n    while True: pass\n", echo, "it took more than 1.5 s"),
    ("memory", "def go(api): return len('x' * (1 << 29))\n", echo, "it wanted more than 128 MB"),
    ("calls", "def go(api):\n    while True: api.look()\n", echo, "it made more than 40 calls"),
    ("output", "def go(api):\n    while True: print('x' * 99)\n", echo, "more than 8 KB"),
    ("denied", LOOK, raising(Denied("api.look is not yours")), "not yours"),
    ("stopped", LOOK, raising(Stop("the episode is over")), "is over"),
    ("stopped", LOOK, raising(EpisodeOver("won")), "won"),
    ("died", "import os\ndef go(api): os._exit(7)\n", echo, "exit code 7"),
    ("broken", LOOK, raising(EnvironmentFault("the JVM died")), "the JVM"),
    ("broken", LOOK, raising(RuntimeError("a bug")), "RuntimeError: a bug"),
    ("broken", LOOK, lambda *_: object(), "not JSON serializable"),
    ("broken", LOOK, lambda *_: "x" * 999_999, "has 976 KB"),
]


@pytest.mark.parametrize(("end", "body", "serve", "said"), ENDS)
def test_a_run_says_how_it_ended_and_whose_fault_it_is(
    jail: Jail, end: str, body: str, serve: Callable[..., JSON], said: str
) -> None:
    limits = Limits(seconds=1.5, memory_mb=128, calls=40, output_kb=8, message_kb=512)
    ran = jail.run(program(body), {}, serve, limits)
    assert ran.end == end, ran.error
    assert said in ran.error


def test_time_on_the_processor_is_limited_even_when_wall_time_is_not(jail: Jail) -> None:
    body = "def go(api):\n    while True: pass\n"
    ran = jail.run(program(body), {}, echo, Limits(seconds=60, cpu_seconds=1))
    assert (ran.end, ran.error) == ("time", "go@1: it took more than 1 s of processor time")


def test_the_same_seed_gives_the_same_run_whatever_the_parents_hash_seed(jail: Jail) -> None:
    body = (
        "import random\n"
        "def go(api): return [random.random(), hash('x'), list({'a', 'b', 'c', 'd', 'e'})]\n"
    )
    one = program(body)
    first, second = (jail.run(one, {}, echo).value for _ in range(2))
    assert first == second
    other = jail.run(one.model_copy(update={"seed": 1}), {}, echo).value
    assert isinstance(first, list) and isinstance(other, list)
    assert (first[0] != other[0], first[1:] == other[1:]) == (True, True)
