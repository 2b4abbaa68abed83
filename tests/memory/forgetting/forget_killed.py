"""Run by `test_killed_forgetting`: forgets in children that are killed at some line of the memory's code.

Arguments: folder of a store with an episode that holds the secret, a folder for copies, how many kills.
Prints one line a kill: what was still there after it, and after the store was opened again.
"""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import lichen.memory
from lichen.memory.forgetting.explain import verify_store
from lichen.memory.forgetting.forget import forget
from lichen.memory.ledger.errors import UnknownCase
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.store import Store

SECRET = "ZQX7SECRET"
ROOT = str(Path(lichen.memory.__file__).parent)


def child(work: Callable[[], int]) -> int:
    """Run work in a child process; return what it returned, at most 255, or -9 when it was killed."""
    process = os.fork()
    if process == 0:
        code = 254
        try:
            code = min(work(), 255)
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def forgotten(folder: Path, name: str, die_at: int, count: Path | None = None) -> int:
    """Forget, and die at the so many-th line of the memory's code."""
    lines = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        if not frame.f_code.co_filename.startswith(ROOT):
            return None
        if event == "line":
            lines += 1
            if lines == die_at:
                os.kill(os.getpid(), 9)
        return trace

    with Store(folder, embedder=HashingEmbedder()) as store:
        sys.settrace(trace)
        forget(store, name, cascade=True)
        sys.settrace(None)
    if count is not None:
        count.write_text(str(lines), encoding="utf-8")
    return 0


def holding(folder: Path) -> list[str]:
    """Return the files in which the secret can be read."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path.name for path in files if SECRET.encode() in path.read_bytes()]


def looked_at(folder: Path) -> int:
    """Return 1 where a reader sees the whole episode, 0 where nothing of it, 2 for a part."""
    with Store(folder, embedder=HashingEmbedder(), read_only=True) as store:
        seen = [SECRET in record.model_dump_json() for record in store.records()]
        rows = [SECRET in str(row["payload"]) for row in store.ledger.raw()]
    return 1 if any(seen) and any(rows) else 2 if any(seen) or any(rows) else 0


def finished(folder: Path, name: str, before: int) -> int:
    """Open the store for writing; where the episode was still there, forget it; return what is wrong."""
    with Store(folder, embedder=HashingEmbedder()) as store:
        if before:
            forget(store, name, cascade=True)
        else:
            try:
                assert forget(store, name, cascade=True).events == 0
            except UnknownCase:
                return 3
    return len(holding(folder)) + 10 * len(verify_store(folder).problems)


def main() -> None:
    """Kill, look, finish."""
    store, copies, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    name, count = sys.argv[4], copies / "lines"
    copies.mkdir()
    shutil.copytree(store, copies / "whole")
    assert child(lambda: forgotten(copies / "whole", name, 0, count)) == 0
    assert holding(copies / "whole") == []
    lines = int(count.read_text(encoding="utf-8"))
    for number in range(kills):
        folder = copies / f"store{number}"
        shutil.copytree(store, folder)
        place = 1 + number * (lines - 1) // max(1, kills - 1)
        died = child(lambda f=folder, p=place: forgotten(f, name, p))  # type: ignore[misc]
        saw = child(lambda f=folder: looked_at(f))  # type: ignore[misc]
        wrong = child(lambda f=folder, s=saw: finished(f, name, s))  # type: ignore[misc]
        print(f"{place} {died} {saw} {wrong}", flush=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
