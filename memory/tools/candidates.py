"""Candidate calls for a model that cannot write calls itself: schemas, the user's words, remembered patterns.

A small frozen model chooses well among a few dozen calls and writes none that is right. So the calls are
built here: tools by what memory suggests and by the words they share with the task; arguments by what is
mentioned in the task and the last answers, by enumerations, and by the argument patterns of tool memory.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any, NamedTuple

import regex

from ...envs.schemas import kind_of, members, misfit, ways
from ...envs.tools import ToolSpec, problem_of, write_call
from ..likeness.analogy import FILLER, names_something
from ..likeness.origins import Origin
from ..likeness.words import pieces, terms
from .tool_memory import ToolMemory

_QUOTED = re.compile(
    r"'([^'\n]{1,120})'|\"([^\"\n]{1,300})\"|[“‘]([^”’\n]{1,300})[”’]"
    r"|«([^»\n]{1,300})»|„([^“”\n]{1,300})[“”]|[「『《]([^」』》\n]{1,300})[」』》]"
)
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,15})?(?![\w]|\.\d)")
_TOKEN = regex.compile(r"[\p{L}\p{N}][\w\-]*(?:['’]\p{Lu}[\w\-]*)?(?:\.[A-Za-z0-9]{1,5})?")
_WHOLE = regex.compile(
    r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]]|[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+"
    r"|(?<![\w/])[\w\-]*\d[\w\-]*(?:/[\w\-]+)+(?![\w/])"
)
"""What is one value though it has marks inside: URLs, addresses of e-mail, codes and dates with slashes."""
_LONG = 2000
"""Characters of an answer that arguments are taken from."""
_FOLDER = regex.compile(r"([\p{L}\p{N}][\w\-]*)['\"]? (?:directory|folder)")
_CAPITAL = r"\p{Lu}\w*(?:['’]\p{Lu}\w*)?"
_NAME = regex.compile(rf"\b{_CAPITAL}(?: {_CAPITAL})+\b")


TOOLS = 20
"""Tools that calls are built for."""
CALLS = 12
"""Calls of one tool."""
ANSWERS = 6
"""Last answers, with the user's earlier messages, that arguments are taken from."""
VALUES = 6
"""Values tried for one argument."""


class Mentions(NamedTuple):
    """What a text mentions that may be an argument."""

    quoted: tuple[str, ...]
    """What stands in quotes, or is one value by its form."""
    files: tuple[str, ...]
    names: tuple[str, ...]
    """Capitalised names and symbols."""
    folders: tuple[str, ...]
    """Words that are called a folder or directory."""
    plain: tuple[str, ...]
    """Other words that are no filler."""
    numbers: tuple[int | float, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """All of the strings, the likeliest arguments first."""
        figures = (str(number) for number in self.numbers)
        return tuple(dict.fromkeys((*self.quoted, *self.files, *self.names, *self.plain, *figures)))


def mentions(text: str) -> Mentions:
    """Return what a text mentions.

    >>> found = mentions("Move 'final_report.pdf' to temp, then buy 100 shares of AAPL")
    >>> found.quoted, found.files, found.names, found.numbers
    (('final_report.pdf',), ('final_report.pdf',), ('AAPL',), (100,))
    """
    quoted = [next(part for part in found if part) for found in _QUOTED.findall(text)]
    quoted += _WHOLE.findall(text)
    bare = [part for token in _TOKEN.findall(text) for part in pieces(token)]
    files = [t for t in bare if "." in t and not t.replace(".", "").isdigit()]
    names = [*_NAME.findall(text), *(t for t in bare if t.isupper() and len(t) > 1)]
    names += [t for t in bare if t[0].isupper() and not t.isupper() and t.lower() not in FILLER]
    plain = [t for t in bare if names_something(t.lower()) and t not in files and not t.isdigit()]
    numbers: list[int | float] = [float(n) if "." in n else int(n) for n in _NUMBER.findall(text)]
    return Mentions(
        quoted=tuple(dict.fromkeys(quoted)),
        files=tuple(dict.fromkeys(files)),
        names=tuple(dict.fromkeys(names)),
        folders=tuple(dict.fromkeys(_FOLDER.findall(text))),
        plain=tuple(dict.fromkeys(plain)),
        numbers=tuple(dict.fromkeys(numbers)),
    )


def candidates(
    specs: Sequence[ToolSpec],
    goal: str,
    answers: Sequence[str] = (),
    memory: ToolMemory | None = None,
) -> list[str]:
    """Return calls that may be right now, as actions, each once, sorted.

    Args:
        specs: What can be called.
        goal: The task (the user's words).
        answers: What was answered so far, the last one last.
        memory: Tool memory; without it the schemas and the words are all there is.
    """
    said = [mentions(goal)]
    recent = [mentions(a[:_LONG]) for a in reversed(answers[-ANSWERS:])] or [mentions("")]
    suggested = {s.tool: s.score for s in memory.suggest(goal, k=TOOLS)} if memory else {}
    asked = _stems(goal)
    found: set[str] = set()

    def worth(spec: ToolSpec) -> tuple[float, float, str]:
        said = spec.description.split("\n", 1)[0]  # what follows tells how, not what for
        about = _stems(f"{spec.name.replace('_', ' ')} {said}")
        named = len(asked & _stems(spec.name.replace("_", " ")))
        shared = len(asked & about) / (len(about) or 1)
        return (-suggested.get(spec.name, 0.0), -(named + shared), spec.name)

    for spec in sorted(specs, key=worth)[:TOOLS]:
        made: list[str] = []
        for names, known, origins in _ways(spec, memory):
            options = [
                list(islice(_values(spec, name, said, recent, known, origins.get(name)), VALUES))
                for name in names
            ]
            if not all(options):
                continue
            for chosen in islice(product(*options), 4 * CALLS):
                arguments = dict(zip(names, chosen, strict=True))
                texts = [v for v in arguments.values() if isinstance(v, str)]
                if len(set(texts)) < len(texts) or problem_of(spec, arguments):
                    continue
                made.append(write_call(spec.name, arguments))
        found.update(list(dict.fromkeys(made))[:CALLS])
    found.update(
        write_call(spec.name, {})
        for spec in specs
        if not spec.properties and (spec.always or spec.name in suggested)
    )
    return sorted(found)


_Known = Mapping[str, Sequence[Any]]
_SUFFIX = re.compile(r"(ing|ed|es|s)$")


def _stems(text: str) -> set[str]:
    return {_SUFFIX.sub("", w) for w in terms(text) if names_something(w)}


def _ways(
    spec: ToolSpec, memory: ToolMemory | None
) -> Iterator[tuple[list[str], _Known, Mapping[str, Origin]]]:
    """Yield which arguments to give, values that memory knows for each, and where their values came from.

    Remembered ways come first.
    """
    record = memory.record(spec.name) if memory is not None else None
    given: set[tuple[str, ...]] = set()
    if record is not None:
        known: dict[str, list[Any]] = {}
        for pattern in record.patterns:
            for name, origin in pattern.arguments.items():
                if origin == "made" and name in pattern.example:
                    known.setdefault(name, []).append(pattern.example[name])
        for pattern in record.patterns[:4]:
            names = [n for n in spec.properties if n in pattern.arguments]
            if pattern.ok:
                given.add(tuple(names))
                yield names, known, pattern.arguments
    bare = list(spec.required)
    if tuple(bare) not in given:
        yield bare, {}, {}


def _values(
    spec: ToolSpec,
    name: str,
    said: Sequence[Mentions],
    recent: Sequence[Mentions],
    known: _Known,
    origin: Origin | None,
) -> Iterator[Any]:
    """Yield values for an argument, the likeliest first.

    Args:
        spec: The tool.
        name: The argument.
        said: What the task mentions.
        recent: What each of the last answers mentions, the newest first.
        known: Values that memory knows.
        origin: Where its value came from in the remembered way; None when no way is remembered.
    """
    if origin == "seen":
        said, recent = recent, said
    schema = spec.properties[name]
    kind, listed = kind_of(schema), members(schema)
    remembered = [v for v in known.get(name, ()) if not misfit(schema, v)]
    if listed is not None:
        yield from dict.fromkeys([*remembered, *(v for v in listed if v is not None)])
        return
    if kind == "boolean":
        yield from dict.fromkeys([*remembered, True, False])
        return
    if kind in ("integer", "number"):
        constants = remembered if origin == "made" else []
        near = [n for found in said for n in found.numbers]
        far = [n for found in recent for n in found.numbers]
        numbers: list[int | float] = [*constants, *near, *remembered, *far]
        yield from dict.fromkeys(
            n if kind == "number" else int(n) for n in numbers if kind == "number" or n == int(n)
        )
        return
    texts = [text for found in said for text in _by_shape(name, found)]
    if kind == "array":
        item = kind_of(next((w["items"] for w in ways(schema) if w.get("items")), {}))
        if item in ("integer", "number"):
            for found in said:
                if found.numbers:
                    yield list(found.numbers)
            return
        yield from remembered
        for found in said:
            for group in (found.quoted, found.names, found.files):
                if group:
                    yield list(group)
        for text in texts:
            yield [text]
        return
    if kind == "object":
        yield from remembered
        return
    first = remembered if origin in (None, "made") else []
    others = [text for found in recent for text in _by_shape(name, found)]
    merged = [*first, *texts, *others, *remembered]
    yield from dict.fromkeys(value for value in merged if isinstance(value, str))


def _by_shape(name: str, found: Mentions) -> Sequence[str]:
    """Return the mentioned strings, those first whose shape fits the argument's name."""
    first: tuple[str, ...] = found.quoted
    if re.search(r"file|source|path|document", name):
        first = (*found.files, *found.quoted)
    elif re.search(r"folder|dir", name):
        first = (*found.folders, *found.quoted)
    elif re.search(r"symbol|ticker|code|airport|location|city|name|user|receiver", name):
        first = (*found.names, *found.quoted)
    return tuple(dict.fromkeys((*first, *found.texts)))
