"""The filter of system calls lets the listed ones pass and no other."""

import errno
import struct
from collections.abc import Iterator

import pytest

from lichen.skills.jail import (
    Jail,
    Program,
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
