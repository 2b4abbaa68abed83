"""Where examples come from: a puzzle, the store's own successes, a suite's gold games, or a file of one's own.

Each source has what is learned from, what is held out, and how an answer is read and judged.
"""

import hashlib
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from ...envs.errors import BadFile, UnknownName, UsageError
from ...envs.types import Split
from .soft_config import Example, SoftSettings

GROUP = "lichen.softcot_sources"
"""Entry points: name -> function (name, *, examples, held_out, seed) -> `Source`."""
OWN, GOLD, FILE = "own", "gold:", ".jsonl"
LONGEST_ACTION = 24
"""Tokens."""


class Check(NamedTuple):
    """How the answers to a family of questions are read and judged."""

    read: Callable[[str], str | None]
    """The answer in a text, in a form that equal answers share; None when it holds none."""
    right: Callable[[Example, str], bool]
    """Whether a read answer is right."""
    max_tokens: int
    """Enough for every target."""

    def judge(self, example: Example, text: str) -> bool:
        """Return whether a text holds the right answer."""
        answer = self.read(text)
        return answer is not None and self.right(example, answer)


class Source(NamedTuple):
    """Examples of one kind."""

    name: str
    learned: list[Example]
    held_out: list[Example]
    check: Check


def open_source(
    name: str,
    config: SoftSettings,
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
    more = {point.name: point for point in entry_points(group=GROUP)}
    if name not in more:
        raise UnknownName("source", name, (OWN, *sorted(more), "gold:SUITE", "FILE.jsonl"))
    opened: Source = more[name].load()(name, examples=examples, held_out=held_out, seed=config.seed)
    return opened


def _own(config: SoftSettings, held_out: int, *, demonstrations: bool) -> Source:
    from ...memory.likeness.embedder import open_embedder
    from ...memory.recall.case_memory import CaseMemory
    from ...memory.store.store import Store
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


def _gold(suite: str, config: SoftSettings, examples: int, held_out: int) -> Source:
    from ...envs.registry import make
    from ...envs.suite import load_suite
    from ...memory.store.demonstrations import from_gold
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


def same(example: Example, answer: str) -> bool:
    """Return whether a read answer is, letter for letter, the example's."""
    return answer == example.answer


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
