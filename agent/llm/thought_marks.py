"""Thoughts that stand in the text of an answer: the marks by which models set them apart."""

import re

_MARKS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reason>": "</reason>",
    "<reasoning>": "</reasoning>",
    "<analysis>": "</analysis>",
    "[think]": "[/think]",
    "◁think▷": "◁/think▷",
}
_ALONE = re.compile(r"</think(?:ing)?>|\[/think\]|◁/think▷", re.IGNORECASE)
"""Ends whose beginning a template may have written itself."""
_CHANNEL = re.compile(
    r"<\|channel\|>(\w+)[^<]*<\|message\|>(.*?)(?=<\|(?:end|return|start|channel)\|>|\Z)", re.DOTALL
)
"""The form of gpt-oss, where a server shows it as it is: thoughts in `analysis`, the answer in `final`."""


def split_thought(text: str) -> tuple[str, str]:
    """Return the thought that a text begins with, and the rest.

    >>> split_thought("<think>2 or 3?</think> It is 3.")
    ('2 or 3?', 'It is 3.')
    >>> split_thought("2 or 3? </think>3")  # some templates write the beginning themselves
    ('2 or 3?', '3')
    """
    if channels := _CHANNEL.findall(text):
        thoughts = "\n".join(said.strip() for name, said in channels if name != "final")
        return thoughts, "".join(said for name, said in channels if name == "final").strip()
    bare = text.lstrip()
    for begin, end in _MARKS.items():
        if bare.lower().startswith(begin):
            thought, _, rest = _parted(bare[len(begin) :], end)
            return thought.strip(), rest.strip()
    if alone := _ALONE.search(text):
        return text[: alone.start()].strip(), text[alone.end() :].strip()
    return "", text


def text_begins(content: str) -> int | None:
    """Return where the text behind a thought begins, None while more has to be read to know.

    >>> text_begins("<thi"), text_begins("<think>2?"), text_begins("<think>2?</think> 3"), text_begins("3")
    (None, None, 18, 0)
    """
    bare = content.lstrip()
    lower = bare.lower()
    if not bare or any(begin.startswith(lower) for begin in (*_MARKS, "<|channel|>")):
        return None
    if lower.startswith("<|channel|>"):
        final = content.rfind("final<|message|>")
        return None if final < 0 else final + len("final<|message|>")
    for begin, end in _MARKS.items():
        if lower.startswith(begin):
            _, found, rest = _parted(content, end)
            behind = rest.lstrip()
            return len(content) - len(behind) if found and behind else None
    return 0


def _parted(text: str, mark: str) -> tuple[str, str, str]:
    """Return a text before, at and behind a mark in any case."""
    found = re.search(re.escape(mark), text, re.IGNORECASE)
    if found is None:
        return text, "", ""
    return text[: found.start()], mark, text[found.end() :]
