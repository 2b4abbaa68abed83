"""Where examples come from: a puzzle, the store's own successes, a suite's gold games, or a file of one's own.

Each source has what is learned from, what is held out, and how an answer is read and judged.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from ...envs.errors import BadFile, UnknownName, UsageError
from ...envs.types import Split
from .config import Example
from .puzzles import PUZZLES, Check, draw, puzzle, same

if TYPE_CHECKING:
    from ..config import AgentConfig

OWN, GOLD, FILE = "own", "gold:", ".jsonl"
LONGEST_ACTION = 24
"""Tokens."""


class Source(NamedTuple):
    """Examples of one kind."""

    name: str
    learned: list[Example]
    held_out: list[Example]
    check: Check


def open_source(
    name: str,
    config: "AgentConfig",
    *,
    examples: int,
    held_out: int,
    demonstrations: bool = False,
) -> Source:
    """Return a source.

    Args:
        name: A puzzle; `own`: the store's verified successes; `gold:SUITE`: expert games of a suite, those of
            its train split to learn from and those of its dev split held out; or a `.jsonl` file with one
            `Example` a line.
        config: Store, embedder and seed.
        examples: Most to learn from.
        held_out: How many are held out.
        demonstrations: With `own`: learn from demonstrations too.

    Raises:
        UnknownName: There is no such source.
        UsageError: There is no memory to learn from.
        BadFile: The file is missing or malformed.
    """
    if name == OWN:
        return _own(config, held_out, demonstrations=demonstrations)
    if name.startswith(GOLD):
        return _gold(name.removeprefix(GOLD), config, examples, held_out)
    if name.endswith(FILE):
        return _file(Path(name), examples, held_out)
    if name not in PUZZLES:
        raise UnknownName("source", name, (OWN, *PUZZLES, "gold:SUITE", "FILE.jsonl"))
    return Source(
        name,
        draw(name, examples, seed=config.seed, held_out=False),
        draw(name, held_out, seed=config.seed, held_out=True) if held_out else [],
        puzzle(name).check,
    )


def _own(config: "AgentConfig", held_out: int, *, demonstrations: bool) -> Source:
    from ...memory.cases import CaseMemory
    from ...memory.embedder import open_embedder
    from ...memory.store import Store
    from .examples import from_cases, recalled

    if not (config.store / "ledger.sqlite").exists():
        raise UsageError(
            f"there is no memory in {config.store}", hint="Learn first: `lichen run SUITE -n 20`."
        )
    with Store(
        config.store, embedder=open_embedder(config.embedder), index_url=config.index_url
    ) as store:
        found = from_cases(
            store.steps.values(),
            store.episodes,
            demonstrations=demonstrations,
            recalled=recalled(store, CaseMemory(store, config.retriever)),
        )
    last = {e.task for e in found[-held_out:]} if held_out and len(found) > held_out else set()
    return Source(
        OWN,
        [e for e in found if e.task not in last],
        [e for e in found if e.task in last],
        ACTIONS,
    )


def _gold(suite: str, config: "AgentConfig", examples: int, held_out: int) -> Source:
    from ...envs.registry import make
    from ...envs.suite import load_suite
    from ...memory.demonstrations import from_gold
    from .examples import from_demonstrations

    loaded = load_suite(suite)
    environment = make(loaded.env, **loaded.env_options)

    def taken(split: Split, most: int) -> list[Example]:
        found: list[Example] = []
        for task_id in loaded.task_ids(split, None, config.seed, environment):
            if len(found) >= most:
                break
            found += from_demonstrations(from_gold(environment, [task_id]))
        return found[:most]

    try:
        return Source(GOLD + suite, taken("train", examples), taken("dev", held_out), ACTIONS)
    finally:
        environment.close()


def _file(path: Path, examples: int, held_out: int) -> Source:
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{path} cannot be read as a file of examples: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            example = Example.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise BadFile(
                f"line {number} of {path} is no example: {where} {first['msg']}"
            ) from error
        found.append(example)
    if held_out and any(not e.answer for e in found[-held_out:]):
        raise BadFile(
            f"an example at the end of {path} has no `answer`",
            hint="The last --held-out lines are checked against it.",
        )
    if len(found) <= held_out:
        raise BadFile(f"{path} has {len(found)} examples and {held_out} are held out")
    cut = len(found) - held_out
    forms = {e.form for e in found}
    return Source(
        str(path), found[:cut][:examples], found[cut:], ACTIONS if forms == {"cue"} else TEXTS
    )


def folder_name(source: str) -> str:
    """Return the name of the folder of what is made from a source; files of one name in two places have two."""
    if not source.endswith(FILE):
        return source.replace(":", "-")
    path = Path(source)
    return f"file-{path.stem}-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:6]}"


def save_examples(path: Path, examples: Sequence[Example]) -> None:
    """Write examples as a file that `open_source` reads."""
    path.write_text("".join(e.model_dump_json() + "\n" for e in examples), encoding="utf-8")


def _first_line(text: str) -> str | None:
    lines = text.strip().splitlines()
    return " ".join(lines[0].split()) or None if lines else None


def _last_answer(text: str) -> str | None:
    _, cue, behind = text.rpartition("Answer:")
    said = behind.strip().partition("\n")[0] if cue else text.strip().rpartition("\n")[2]
    return " ".join(said.split()).strip(" .") or None


def _same_words(example: Example, answer: str) -> bool:
    return answer.lower() == " ".join(example.answer.split()).strip(" .").lower()


ACTIONS = Check(_first_line, same, LONGEST_ACTION)
"""The action on the line behind the cue."""
TEXTS = Check(_last_answer, _same_words, 128)
"""The first line behind the last `Answer:`, else the last line."""
