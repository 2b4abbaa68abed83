"""The jail as it is: real children, real walls, and hostile programs that have to stay inside."""

import errno
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lichen.agent.cli.main import app
from lichen.agent.lab.attacks import attacks, run_attacks
from lichen.envs.errors import EnvironmentFault, EpisodeOver, UnknownName, UsageError
from lichen.skills.jail import (
    JSON,
    Denied,
    Jail,
    JailUnavailable,
    Limits,
    Program,
    Ran,
    Stop,
    layers,
    open_jail,
)
from lichen.skills.jail.inside.syscalls import AUDIT_ARCH, FILES, RUNNING
from lichen.skills.jail.inside.walls import filter_program


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


def test_a_slow_environment_is_not_charged_to_the_skill(jail: Jail) -> None:
    def serve(method: str, args: tuple[JSON, ...], kwargs: Mapping[str, JSON]) -> JSON:
        time.sleep(0.8)
        return 1

    ran = jail.run(program("def go(api): return api.look()\n"), {}, serve, Limits(seconds=0.5))
    assert (ran.end, ran.value) == ("returned", 1)


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


def test_an_interrupt_of_the_broker_goes_on_and_the_child_is_gone(jail: Jail) -> None:
    pids: list[int] = []

    def serve(method: str, args: tuple[JSON, ...], kwargs: Mapping[str, JSON]) -> JSON:
        pids.append(int(str(args[0])))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jail.run(program("import os\ndef go(api): api.look(os.getpid())\n"), {}, serve)
    assert not Path(f"/proc/{pids[0]}").exists()


def test_children_that_waited_give_the_same_results_and_are_used_once() -> None:
    body = (
        "import math, os\ndef go(api, n):\n"
        "    open('kept', 'a').write('x')\n"
        "    seen = [getattr(math, 'mark', None), len(open('kept').read()), n, api.look(n)]\n"
        "    math.mark = n\n    return [seen, os.getpid()]\n"
    )

    def without_pid(ran: Ran) -> tuple[str, JSON, str]:
        assert isinstance(ran.value, list)
        pids.append(ran.value.pop())
        return ran.end, ran.value, ran.error

    pids: list[JSON] = []
    with open_jail() as cold, open_jail(warm=2) as warm:
        assert warm.walls == cold.walls
        for n in range(6):
            if n != 3:
                assert warm.settle()
            arguments: dict[str, JSON] = {"n": n}
            ran = warm.run(program(body), arguments, echo)
            assert without_pid(ran) == without_pid(cold.run(program(body), arguments, echo))
    assert len(set(pids)) == 12


def test_a_child_dies_with_its_parent() -> None:
    code = (
        "from lichen.skills.jail import *\n"
        "p = Program(entry='a@1', modules={'a@1': 'import os\\ndef a(api):\\n    "
        "api.tell(os.getpid())\\n    while True: pass'}, functions={'a@1': 'a'}, api=('tell',))\n"
        "jail = open_jail(warm=1, limits=Limits(cpu_seconds=300)); jail.settle()\n"
        "jail.run(p, {}, lambda m, a, k: print(a[0], flush=True), Limits(seconds=300, cpu_seconds=300))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert _alive(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 20
    while _alive(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")")[1].split()[0] != "Z"
        )
    except (FileNotFoundError, ProcessLookupError):
        return False


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


def test_no_hostile_program_gets_out() -> None:
    judged = run_attacks()
    assert len(judged) >= 45
    assert [j for j in judged if j.verdict != "blocked"] == []


def test_no_hostile_program_gets_out_where_no_file_can_be_named_at_all() -> None:
    chosen = [a for a in attacks() if a.theme in ("files", "processes", "network", "kernel")]
    judged = run_attacks(chosen=chosen, scratch=False, warm=2)
    assert [j for j in judged if j.verdict != "blocked"] == []


def test_without_a_jail_the_same_programs_are_seen_to_leak() -> None:
    names = {"read-file", "write-outside", "fork", "kill-sibling", "tcp-connect", "io-uring"}
    chosen = [a for a in attacks() if a.name in names]
    judged = run_attacks("none", chosen=chosen)
    assert {j.name for j in judged if j.verdict == "LEAK"} == names
    assert next(j.detail for j in judged if j.name == "read-file") == "the canary's text came out"


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_bubblewrap_wraps_the_same_child() -> None:
    chosen = [a for a in attacks() if a.theme in ("files", "network", "processes")]
    judged = run_attacks("bubblewrap", chosen=chosen)
    assert [j for j in judged if j.verdict != "blocked"] == []


def test_the_commands_say_what_stands_and_exit_1_on_a_leak(tmp_path: Path) -> None:
    runner = CliRunner()
    done = runner.invoke(app, ["skills", "jail", "doctor", "--json", str(tmp_path / "doctor.json")])
    assert done.exit_code == 0 and "level kernel" in done.output
    assert '"holds": true' in (tmp_path / "doctor.json").read_text(encoding="utf-8")
    for level, code, verdict in (("kernel", 0, "11 blocked"), ("none", 1, "11 LEAK")):
        done = runner.invoke(
            app, ["skills", "jail", "attack", "--theme", "network", "--level", level]
        )
        assert (done.exit_code, verdict in done.output) == (code, True)


@pytest.mark.parametrize("machine", sorted(AUDIT_ARCH))
def test_the_filter_lets_the_listed_calls_pass_and_no_other(machine: str) -> None:
    allow, kill, refuse = 0x7FFF0000, 0x80000000, 0x00050000
    run = {files: filter_program(machine, files) for files in (True, False)}
    for number in range(600):
        listed = number in RUNNING[machine].values()
        with_files = listed or number in FILES[machine].values()
        said = refuse | (errno.ENOSYS if number >= 424 else errno.EPERM)
        for files, passes in ((True, with_files), (False, listed)):
            found = _filtered(run[files], AUDIT_ARCH[machine], number)
            assert found == (allow if passes else said), (machine, number, files)
    assert _filtered(run[True], AUDIT_ARCH[machine], 0x40000000) == kill
    assert _filtered(run[True], 0x40000003, 1) == kill
    never = {
        "x86_64": (41, 56, 57, 59, 62, 101, 157, 161, 165),
        "aarch64": (198, 220, 221, 129, 117),
    }
    assert all(_filtered(run[True], AUDIT_ARCH[machine], n) != allow for n in never[machine])


def _filtered(code: bytes, machine: int, number: int) -> int:
    """Run a classic BPF program over a system call, as the kernel does."""
    steps = list(struct.iter_unpack("HBBI", code))
    held = place = 0
    while True:
        kind, yes, no, value = steps[place]
        place += 1
        if kind == 0x20:
            held = {0: number, 4: machine}[value]
        elif kind == 0x15:
            place += yes if held == value else no
        elif kind == 0x35:
            place += yes if held >= value else no
        else:
            return int(value)


@pytest.mark.parametrize(
    ("machine", "pattern"), [("x86_64", "unistd_64.h"), ("aarch64", "asm-generic/unistd.h")]
)
def test_the_numbers_are_those_of_the_kernels_headers(machine: str, pattern: str) -> None:
    header = next(Path("/usr/include").rglob(pattern), None)
    if header is None:
        pytest.skip("the C headers are not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text(encoding="utf-8"))
    known = {name: int(number) for name, number in found}
    known.setdefault("newfstatat", known.get("fstatat", -1))  # its name in the generic table
    table = RUNNING[machine] | FILES[machine]
    assert {name: known[name] for name in table} == table
