"""Children: fresh, used once, and gone with their parent."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from lichen.agent.lab.attacks import attacks, run_attacks
from lichen.skills.jail import (
    JSON,
    Jail,
    Program,
    Ran,
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


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_bubblewrap_wraps_the_same_child() -> None:
    chosen = [a for a in attacks() if a.theme in ("files", "network", "processes")]
    judged = run_attacks("bubblewrap", chosen=chosen)
    assert [j for j in judged if j.verdict != "blocked"] == []
