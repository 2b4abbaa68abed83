"""The numbers are those of the kernel's headers."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lichen.skills.jail import (
    Jail,
    open_jail,
)
from lichen.skills.jail.inside.syscalls import FILES, RUNNING


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with open_jail() as opened:
        yield opened


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
